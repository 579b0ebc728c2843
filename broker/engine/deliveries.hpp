// The deliveries of one connection in client modes, by number: found without a search while dense.
// Bounded by the windows of the connection's subscriptions: settled records are squeezed out.
#pragma once

#include "broker/engine/message.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

class Subscription;

/// One delivery that is not settled. `transaction`: the one that has taken it, 0 if outstanding.
struct Outstanding {
    std::uint64_t number = 0;
    Subscription* subscription = nullptr;  ///< None: settled, the record is a gap.
    Delivery delivery;
    std::uint64_t transaction = 0;
    std::uint64_t end = not_encoded;  ///< Where its frame ends among the connection's octets.

    static constexpr std::uint64_t not_encoded = ~std::uint64_t{0};
};

class Deliveries {
public:
    /// Numbers count from 1 and are never used twice.
    std::uint64_t add(Subscription& subscription, const Delivery& delivery);

    [[nodiscard]] std::uint64_t last_number() const { return last_number_; }

    /// The unsettled delivery `number`, or null. Valid until the next add() or remove().
    [[nodiscard]] Outstanding* find(std::uint64_t number);
    /// The numbers up to `number` of those outstanding for `subscription`, in order (P-ACK-04).
    [[nodiscard]] std::vector<std::uint64_t> outstanding_up_to(
        std::uint64_t number, const Subscription& subscription
    );

    /// Ends the record of `number`, which must be there, and returns its delivery.
    Delivery remove(std::uint64_t number);
    /// Removes every record of `subscription` that no transaction has taken and whose frame ends
    /// behind the first `sent` octets; in order.
    [[nodiscard]] std::vector<Delivery> remove_all_of(
        const Subscription& subscription, std::uint64_t sent = 0
    );

    [[nodiscard]] std::size_t size() const { return live_; }

    template <class F>
    void for_each(F visit) const {
        for (std::size_t i = first_; i < records_.size(); ++i) {
            if (records_[i].subscription != nullptr) { visit(records_[i]); }
        }
    }

    /// Whether any record of `subscription` is left, taken ones included.
    [[nodiscard]] bool has(const Subscription& subscription) const;

private:
    void squeeze();

    std::vector<Outstanding> records_;  ///< Rising numbers, with gaps marked.
    std::size_t first_ = 0;
    std::size_t live_ = 0;
    std::uint64_t last_number_ = 0;
};

}  // namespace engine
