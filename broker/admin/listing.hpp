// How a sorted page is cut from what all shards have: each keeps the best of its own, and what the
// page shows is fetched by a second question. Memory linear in offset and limit, not in the items.
#pragma once

#include "broker/admin/query.hpp"
#include "broker/admin/response.hpp"

#include <boost/json/array.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace admin {

/// Where an item stands in the order, and where it is found again.
struct Entry {
    double number = 0;  ///< What is sorted by is a number or a text.
    std::string text = {};
    std::uint64_t session = 0;   ///< Session::number().
    const void* item = nullptr;  ///< Which of the session's, if it has several. Never looked into.
    unsigned shard = 0;
};

/// `asc` or `desc`, with entries of the same key by age of nothing but their identity: the same
/// order on every page.
class Order {
public:
    explicit Order(bool is_descending = false) : is_descending_(is_descending) {}

    /// `order`, `desc` if it is not given.
    explicit Order(const Query& query);

    [[nodiscard]] bool operator()(const Entry& left, const Entry& right) const;

private:
    bool is_descending_;
};

/// The first `most` entries of those added, and the number of all.
class Selection {
public:
    Selection() = default;

    Selection(std::size_t most, Order order) : most_(most), order_(order) {}

    void add(Entry entry);
    /// Adds what another has kept.
    void add(Selection other);

    [[nodiscard]] std::size_t total() const { return total_; }

    /// The entries of `page`, in order.
    [[nodiscard]] std::vector<Entry> take(const Page& page);

private:
    void trim();

    std::size_t most_ = 0;
    Order order_;
    std::size_t total_ = 0;
    std::vector<Entry> entries_;
    std::optional<Entry> bound_;  ///< What is not before it is not among the first.
};

/// The union of what shards have selected.
[[nodiscard]] Selection merged(std::vector<Selection> parts, std::size_t most, Order order);

/// `total`, `items` and, if there are more, `next`.
[[nodiscard]] Response page_response(const Page& page, std::size_t total, boost::json::array items);

/// Whether `text` contains what it was made from, ASCII without regard to case. Empty: always.
class TextMatch {
public:
    explicit TextMatch(std::string text);

    [[nodiscard]] bool is_in(std::string_view text) const;

private:
    std::string text_;
};

}  // namespace admin
