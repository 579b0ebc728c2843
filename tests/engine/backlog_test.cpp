// The backlog against a std::map: lanes, gaps, what comes back, what is taken from the middle.
// Random histories; a failure names its seed.
#include "broker/engine/backlog.hpp"

#include "tests/engine/selecting.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace engine {

namespace {

MessageRef message_of(int priority) {
    SendHead head;
    head.lines = "\n";
    head.facts.has_priority = priority >= 0;
    head.facts.priority = static_cast<std::uint8_t>(std::max(priority, 0));
    return Message::make("m", head, std::string(static_cast<std::size_t>(priority + 1), 'x'));
}

class Ear : public Backlog::Listener {
public:
    void joined(const Delivery& delivery, Place place) override {
        EXPECT_EQ(delivery.sequence, place.sequence);
        EXPECT_NE(delivery.message, nullptr);
        last = place;
        ++number;
    }

    Place last;
    std::size_t number = 0;
};

/// A backlog and its model, which are asked the same.
class RandomHistory {
public:
    explicit RandomHistory(std::uint64_t seed)
        : random_(seed),
          max_(seed % 3 == 0 ? 0 : static_cast<int>(1 + seed % 5)),
          backlog_(max_, max_ / 2) {
        backlog_.set_listener(ear_);
        for (int priority = -1; priority < 9; ++priority) {
            messages_.push_back(message_of(priority));
        }
    }

    void run() {
        for (int step = 0; step < 400; ++step) {
            // Long ones first: gaps are closed only in those.
            const std::size_t choice = below(step < 150 ? 20 : 12);
            if (choice < 3) { take(); }
            if (choice == 3 && !waiting_.empty()) { pop(); }
            if (choice == 4) { give_back(); }
            if (choice == 5) { look(); }
            if (choice > 5) { push(); }
            check();
            if (::testing::Test::HasFailure()) { return; }
        }
        while (!waiting_.empty()) {
            pop();
            check();
        }
    }

private:
    [[nodiscard]] std::size_t below(std::size_t bound) { return random_() % bound; }

    [[nodiscard]] Place place_of(const Delivery& delivery) const {
        if (max_ == 0) { return {0, delivery.sequence}; }
        const Facts& facts = delivery.message->facts();
        const int priority = facts.has_priority ? int{facts.priority} : max_ / 2;
        return {static_cast<std::uint32_t>(max_ - std::min(priority, max_)), delivery.sequence};
    }

    void push() {
        last_ += 1 + (below(4) == 0 ? below(1000) : 0);
        const Delivery delivery{messages_[below(messages_.size())], last_, 0};
        waiting_.emplace(place_of(delivery), delivery);
        backlog_.push(delivery);
        EXPECT_EQ(ear_.last, place_of(delivery));
    }

    void took(const Delivery& delivery, Place place) {
        EXPECT_EQ(delivery.sequence, place.sequence);
        EXPECT_EQ(delivery.message, waiting_.at(place).message);
        taken_.push_back(delivery);
        waiting_.erase(place);
    }

    void pop() {
        const Place place = waiting_.begin()->first;
        EXPECT_EQ(backlog_.place_of(backlog_.front()), place);
        took(backlog_.pop(), place);
    }

    void take() {
        if (waiting_.empty()) { return; }
        auto any = waiting_.begin();
        std::advance(any, below(waiting_.size()));
        const Place place = any->first;
        took(backlog_.take(place), place);
    }

    void give_back() {
        if (taken_.empty()) { return; }
        std::swap(taken_[below(taken_.size())], taken_.back());
        const Delivery delivery = std::move(taken_.back());
        taken_.pop_back();
        waiting_.emplace(place_of(delivery), delivery);
        backlog_.give_back(delivery);
        EXPECT_EQ(ear_.last, place_of(delivery));
    }

    void look() {
        Place from{static_cast<std::uint32_t>(below(4)), below(last_ + 2)};
        const std::size_t wanted = below(50);
        std::vector<Place> seen;
        const bool is_whole = backlog_.visit(from, [&](const Delivery& delivery, Place place) {
            EXPECT_EQ(delivery.sequence, place.sequence);
            seen.push_back(place);
            return seen.size() <= wanted;
        });
        std::vector<Place> expected;
        for (auto it = waiting_.lower_bound(from); it != waiting_.end(); ++it) {
            if (expected.size() <= wanted) { expected.push_back(it->first); }
        }
        EXPECT_EQ(seen, expected);
        EXPECT_EQ(is_whole, seen.size() <= wanted);
        for (int i = 0; i < 5; ++i) {
            const Place place{static_cast<std::uint32_t>(below(6)), below(last_ + 2)};
            const Delivery* const found = backlog_.find(place);
            ASSERT_EQ(found != nullptr, waiting_.contains(place));
            if (found != nullptr) { EXPECT_EQ(found->message, waiting_.at(place).message); }
        }
    }

    void check() {
        ASSERT_EQ(backlog_.size(), waiting_.size());
        ASSERT_EQ(backlog_.empty(), waiting_.empty());
        if (!waiting_.empty()) {
            ASSERT_EQ(backlog_.place_of(backlog_.front()), waiting_.begin()->first);
        }
        std::size_t bytes = 0;
        for (const auto& entry : waiting_) {
            bytes += entry.second.message->size();
        }
        ASSERT_EQ(backlog_.bytes(), bytes);
    }

    std::mt19937_64 random_;
    const int max_;
    Backlog backlog_;
    Ear ear_;
    std::vector<MessageRef> messages_;
    std::map<Place, Delivery> waiting_;
    std::vector<Delivery> taken_;
    std::uint64_t last_ = 0;
};

}  // namespace

TEST(Backlog, P_ACK_07_WhatComesBackIsAtItsOldPlace) {
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomHistory(seed).run();
        if (::testing::Test::HasFailure()) { return; }
    }
}

TEST(Backlog, P_QOS_04_HigherPrioritiesAreInFront) {
    Backlog backlog(3, 1);
    backlog.push({message_of(0), 1, 0});
    backlog.push({message_of(-1), 2, 0});
    backlog.push({message_of(9), 3, 0});
    backlog.push({message_of(3), 4, 0});
    std::vector<std::uint64_t> order;
    while (!backlog.empty()) {
        order.push_back(backlog.pop().sequence);
    }
    EXPECT_EQ(order, (std::vector<std::uint64_t>{3, 4, 2, 1}));
}

}  // namespace engine
