// Messages that wait, in the order in which they leave: by lane (priority), in a lane by sequence;
// returned ones go back to their old places (P-ACK-07). Any of them may be taken out of the middle.
// Not bounded itself: queue and subscription check their limits before each push.
#pragma once

#include "broker/engine/fifo.hpp"
#include "broker/engine/message.hpp"

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace engine {

/// Where a message waits. Lower places leave first.
struct Place {
    std::uint32_t lane = 0;
    std::uint64_t sequence = 0;

    friend auto operator<=>(const Place&, const Place&) = default;
};

class Backlog {
public:
    /// Hears of every message that joins, once it is in its place.
    class Listener {
    public:
        virtual ~Listener() = default;
        virtual void joined(const Delivery& delivery, Place place) = 0;
    };

    /// With `priority_max` 0 there is one lane; else higher priorities leave first, those above the
    /// maximum count as that, and messages without priority have `priority_default` (P-QOS-04).
    explicit Backlog(int priority_max = 0, int priority_default = 0)
        : priority_max_(priority_max), priority_default_(priority_default) {}

    void set_listener(Listener& listener) { listener_ = &listener; }

    [[nodiscard]] bool empty() const { return size_ == 0; }

    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    /// `delivery.count` is the number of deliveries so far; sequences must rise.
    void push(Delivery delivery) {
        const Place place = place_of(delivery);
        count_in(delivery);
        Lane& lane = lane_at(place.lane);
        lane.fresh.push_back(std::move(delivery));
        if (listener_ != nullptr) { listener_->joined(lane.fresh.back(), place); }
    }

    void give_back(Delivery delivery) {
        const Place place = place_of(delivery);
        count_in(delivery);
        const auto entry =
            lane_at(place.lane).returned.emplace(place.sequence, std::move(delivery)).first;
        if (listener_ != nullptr) { listener_->joined(entry->second, place); }
    }

    [[nodiscard]] const Delivery& front() {
        Lane& lane = front_lane();
        return lane.is_returned_first() ? lane.returned.begin()->second : lane.fresh.front();
    }

    Delivery pop() {
        Lane& lane = front_lane();
        Delivery delivery = lane.is_returned_first() ? lane.pop_returned() : lane.pop_fresh();
        count_out(delivery);
        return delivery;
    }

    /// The message at `place`, or null if it is not here (any more). Valid until the next change.
    [[nodiscard]] const Delivery* find(Place place) {
        Lane* const lane = find_lane(place.lane);
        if (lane == nullptr) { return nullptr; }
        const std::size_t index = locate(lane->fresh, place.sequence);
        if (index != nowhere && lane->fresh[index].message) { return &lane->fresh[index]; }
        if (lane->returned.empty()) { return nullptr; }
        const auto found = lane->returned.find(place.sequence);
        return found == lane->returned.end() ? nullptr : &found->second;
    }

    /// Takes out the message at `place`, which must be here.
    Delivery take(Place place) {
        Lane& lane = lane_at(place.lane);
        const std::size_t index = locate(lane.fresh, place.sequence);
        Delivery delivery = index != nowhere && lane.fresh[index].message
                                ? lane.take_fresh(index)
                                : std::move(lane.returned.extract(place.sequence).mapped());
        count_out(delivery);
        return delivery;
    }

    /// Calls visit(const Delivery&, Place) for what waits at `from` and behind it, in order, until
    /// it answers false. It must not change the backlog. Returns whether it went to the end.
    template <class F>
    bool visit(Place from, F visit) const {
        for (const Lane& lane : lanes_) {
            if (lane.number < from.lane) { continue; }
            const std::uint64_t first = lane.number == from.lane ? from.sequence : 0;
            std::size_t index = lower_bound(lane.fresh, first);
            auto returned = lane.returned.lower_bound(first);
            while (index < lane.fresh.size() || returned != lane.returned.end()) {
                const bool is_returned =
                    returned != lane.returned.end() &&
                    (index == lane.fresh.size() || returned->first < lane.fresh[index].sequence);
                const Delivery& delivery = is_returned ? (returned++)->second : lane.fresh[index++];
                if (!delivery.message) { continue; }
                if (!visit(delivery, Place{lane.number, delivery.sequence})) { return false; }
            }
        }
        return true;
    }

    /// The index of the first of `fresh`, whose sequences rise, that is not before `sequence`.
    static std::size_t lower_bound(const Fifo<Delivery>& fresh, std::uint64_t sequence) {
        std::size_t low = 0;
        std::size_t high = fresh.size();
        while (low < high) {
            const std::size_t middle = low + (high - low) / 2;
            if (fresh[middle].sequence < sequence) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    [[nodiscard]] Place place_of(const Delivery& delivery) const {
        if (priority_max_ == 0) { return {0, delivery.sequence}; }
        const Facts& facts = delivery.message->facts();
        const int wanted = facts.has_priority ? int{facts.priority} : priority_default_;
        const int lane = priority_max_ - std::min(wanted, priority_max_);
        return {static_cast<std::uint32_t>(lane), delivery.sequence};
    }

private:
    struct Lane {
        std::uint32_t number = 0;
        Fifo<Delivery> fresh;  ///< Rising; those without message are gaps, but never the first.
        std::map<std::uint64_t, Delivery> returned;
        std::size_t gaps = 0;

        [[nodiscard]] bool empty() const { return fresh.empty() && returned.empty(); }

        [[nodiscard]] bool is_returned_first() {
            if (returned.empty()) { return false; }
            return fresh.empty() || returned.begin()->first < fresh.front().sequence;
        }

        Delivery pop_returned() { return std::move(returned.extract(returned.begin()).mapped()); }

        Delivery pop_fresh() {
            Delivery delivery = fresh.pop_front();
            while (gaps != 0 && !fresh.empty() && !fresh.front().message) {
                (void)fresh.pop_front();
                --gaps;
            }
            return delivery;
        }

        Delivery take_fresh(std::size_t index) {
            if (index == 0) { return pop_fresh(); }
            Delivery delivery = std::move(fresh[index]);
            fresh[index].message = nullptr;
            fresh[index].sequence = delivery.sequence;
            ++gaps;
            if (gaps >= 64 && gaps * 2 > fresh.size()) { close_gaps(); }
            return delivery;
        }

        void close_gaps() {
            for (Delivery& delivery : fresh.take_all()) {
                if (delivery.message) { fresh.push_back(std::move(delivery)); }
            }
            gaps = 0;
        }
    };

    static constexpr std::size_t nowhere = ~std::size_t{0};

    // Sequences are nearly evenly spaced: the first guess is mostly right.
    static std::size_t locate(const Fifo<Delivery>& fresh, std::uint64_t sequence) {
        const std::size_t size = fresh.size();
        if (size == 0) { return nowhere; }
        const std::uint64_t first = fresh[0].sequence;
        const std::uint64_t last = fresh[size - 1].sequence;
        if (sequence < first || sequence > last) { return nowhere; }
        if (last != first) {
            const double share =
                static_cast<double>(sequence - first) / static_cast<double>(last - first);
            const auto guess =
                static_cast<std::size_t>(share * static_cast<double>(size - 1) + 0.5);
            if (guess < size && fresh[guess].sequence == sequence) { return guess; }
        }
        const std::size_t index = lower_bound(fresh, sequence);
        return index < size && fresh[index].sequence == sequence ? index : nowhere;
    }

    [[nodiscard]] Lane* find_lane(std::uint32_t number) {
        for (Lane& lane : lanes_) {
            if (lane.number == number) { return &lane; }
        }
        return nullptr;
    }

    [[nodiscard]] Lane& lane_at(std::uint32_t number) {
        if (!lanes_.empty() && lanes_.front().number == number) { return lanes_.front(); }
        auto lane = lanes_.begin();
        while (lane != lanes_.end() && lane->number < number) {
            ++lane;
        }
        if (lane == lanes_.end() || lane->number != number) {
            lane = lanes_.insert(lane, Lane{number, {}, {}, 0});
        }
        return *lane;
    }

    [[nodiscard]] Lane& front_lane() {
        auto lane = lanes_.begin();
        while (lane->empty()) {
            ++lane;
        }
        return *lane;
    }

    void count_in(const Delivery& delivery) {
        ++size_;
        bytes_ += delivery.message->size();
    }

    void count_out(const Delivery& delivery) {
        --size_;
        bytes_ -= delivery.message->size();
    }

    const int priority_max_;
    const int priority_default_;
    Listener* listener_ = nullptr;
    std::vector<Lane> lanes_;  ///< Rising numbers; made as they are needed.
    std::size_t size_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace engine
