#include "broker/admin/listing.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace admin {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr std::size_t spare = 1024;  // Entries beyond the first, before they are sorted out.

}  // namespace

Order::Order(const Query& query)
    : is_descending_(query.choice("order", {"desc", "asc"}) == "desc") {}

bool Order::operator()(const Entry& left, const Entry& right) const {
    const Entry& first = is_descending_ ? right : left;
    const Entry& second = is_descending_ ? left : right;
    if (first.number != second.number) { return first.number < second.number; }
    if (const int order = first.text.compare(second.text); order != 0) { return order < 0; }
    if (left.session != right.session) { return left.session < right.session; }
    return std::less<>()(left.item, right.item);
}

void Selection::add(Entry entry) {
    ++total_;
    if (bound_ && !order_(entry, *bound_)) { return; }
    entries_.push_back(std::move(entry));
    if (entries_.size() > most_ + std::max(most_, spare)) { trim(); }
}

void Selection::add(Selection other) {
    const std::size_t total = total_ + other.total_;
    for (Entry& entry : other.entries_) {
        add(std::move(entry));
    }
    total_ = total;
}

void Selection::trim() {
    if (entries_.size() <= most_ || most_ == 0) { return; }
    const auto last = entries_.begin() + static_cast<std::ptrdiff_t>(most_ - 1);
    std::nth_element(entries_.begin(), last, entries_.end(), order_);
    bound_ = *last;
    entries_.resize(most_);
}

std::vector<Entry> Selection::take(const Page& page) {
    trim();
    std::sort(entries_.begin(), entries_.end(), order_);
    const auto begin =
        entries_.begin() + static_cast<std::ptrdiff_t>(std::min(page.offset, entries_.size()));
    const auto end =
        entries_.begin() + static_cast<std::ptrdiff_t>(std::min(page.end(), entries_.size()));
    return {std::make_move_iterator(begin), std::make_move_iterator(end)};
}

Selection merged(std::vector<Selection> parts, std::size_t most, Order order) {
    Selection all(most, order);
    for (Selection& part : parts) {
        all.add(std::move(part));
    }
    return all;
}

Response page_response(const Page& page, std::size_t total, boost::json::array items) {
    boost::json::object object{{"total", total}, {"items", std::move(items)}};
    if (const auto next = page.next(total)) { object["next"] = *next; }
    return json_response(object);
}

TextMatch::TextMatch(std::string text) : text_(std::move(text)) {
    std::ranges::transform(text_, text_.begin(), lower);
}

bool TextMatch::is_in(std::string_view text) const {
    const auto is_same = [](char left, char right) { return lower(left) == right; };
    const auto found = std::search(text.begin(), text.end(), text_.begin(), text_.end(), is_same);
    return found != text.end() || text_.empty();
}

}  // namespace admin
