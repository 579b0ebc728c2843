// The dispatcher against its rules: who may get what, in which order, and that nobody who could get
// something is left waiting. Random consumers and histories; a failure names its seed.
#include "broker/engine/dispatcher.hpp"

#include "tests/engine/selecting.hpp"
#include "tests/support/queued_shard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace engine {

namespace {

constexpr std::uint64_t no_fence = ~std::uint64_t{0};

/// What the rules see of a message.
struct Sent {
    MessageRef message;
    std::string kind;
    std::size_t number = 0;
    std::string group;
    bool ends_group = false;
    std::uint64_t publisher = 0;
};

/// A condition, as text and as the rules see it.
struct Condition {
    std::string text;
    std::function<bool(const Sent&)> takes;
};

const std::vector<Condition>& conditions() {
    static const std::vector<Condition> all = {
        {"", [](const Sent&) { return true; }},
        {"kind = 'a'", [](const Sent& sent) { return sent.kind == "a"; }},
        {"kind = 'b'", [](const Sent& sent) { return sent.kind == "b"; }},
        {"n > 2", [](const Sent& sent) { return sent.number > 2; }},
        {"kind = 'a' OR n = 1",
         [](const Sent& sent) { return sent.kind == "a" || sent.number == 1; }},
        {"n < 0", [](const Sent&) { return false; }},
    };
    return all;
}

/// What the rules see of a consumer.
struct Member {
    Consumer* consumer = nullptr;
    const Condition* condition = nullptr;
    std::uint64_t not_from = 0;
    std::vector<std::pair<Place, Delivery>> holds;

    [[nodiscard]] bool selects(const Sent& sent) const {
        return (not_from == 0 || sent.publisher != not_from) && condition->takes(sent);
    }
};

/// One queue's life under a seed.
class RandomHistory : private Backlog::Listener {
public:
    explicit RandomHistory(std::uint64_t seed)
        : random_(seed),
          is_single_(seed % 11 == 0),
          has_lanes_(seed % 3 == 0),
          has_byte_windows_(seed % 4 == 0),
          has_groups_(seed % 2 == 0),
          is_exclusive_(seed % 13 == 0),
          bounds_(bounds_of(seed)),
          backlog_(has_lanes_ ? 3 : 0, 1),
          dispatcher_(shards_[0], backlog_, is_single_, bounds_) {
        backlog_.set_listener(*this);
    }

    void run(int steps) {
        shards_.on(0, [&] {
            for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
                act();
                EXPECT_EQ(dispatcher_.fault(), "");
                if (below(3) != 0) { serve(below(4) == 0 ? below(5) : no_limit); }
            }
            if (::testing::Test::HasFailure()) { return; }
            fence_ = no_fence;
            serve(no_limit);
        });
    }

    [[nodiscard]] std::size_t turns() const { return turns_; }

private:
    static constexpr std::size_t no_limit = ~std::size_t{0};

    static DispatchBounds bounds_of(std::uint64_t seed) {
        const std::size_t groups = seed % 7 == 0 ? 2 : 1024;
        if (seed % 5 == 1) { return {3, 2, 4, 1, groups, 1}; }
        if (seed % 5 == 2) { return {0, 1, 2, 0, groups, 3}; }
        if (seed % 5 == 3) { return {10, 1, 100'000, 2, groups, 5}; }
        return {2'000'000, 1024, 100'000, 65'536, groups, 16'384};
    }

    [[nodiscard]] bool has_tight_bounds() const { return bounds_.looks_max < 1000; }

    [[nodiscard]] std::size_t below(std::size_t bound) { return random_() % bound; }

    [[nodiscard]] bool chance(unsigned percent) { return below(100) < percent; }

    void joined(const Delivery& delivery, Place place) override {
        dispatcher_.joined(delivery, place);
    }

    // What happens.

    void act() {
        const std::size_t choice = below(100);
        if (choice < 30) { return push(1 + below(8)); }
        if (choice < 42 && members_.size() < 6) { return attach(); }
        if (choice < 62) { return settle(false); }
        if (choice < 72) { return settle(true); }
        if (choice < 78) { return toggle_block(); }
        if (choice < 83) { return close(); }
        if (choice < 88) { return leave(); }
        if (choice < 94) { return take_away(); }
        move_fence();
    }

    void push(std::size_t number) {
        for (std::size_t i = 0; i < number; ++i) {
            Sent sent;
            sent.kind = std::string(1, static_cast<char>('a' + below(3)));
            sent.number = below(5);
            sent.publisher = 1 + below(3);
            selecting::Headers headers = {{"kind", sent.kind}, {"n", std::to_string(sent.number)}};
            if (has_groups_ && chance(60)) {
                sent.group = "g" + std::to_string(below(4));
                headers.emplace_back(chance(50) ? "JMSXGroupID" : "message_group", sent.group);
                sent.ends_group = chance(10);
                if (sent.ends_group) { headers.emplace_back("JMSXGroupSeq", "-1"); }
            }
            if (has_lanes_ && chance(60)) {
                headers.emplace_back("priority", std::to_string(below(5)));
            }
            SendHead head;
            for (const auto& header : headers) {
                head.lines += header.first + ":" + header.second + "\n";
            }
            head.lines += "\n";
            head.facts = facts_of(head.lines);
            head.publisher = sent.publisher;
            sent.message = Message::make("m1", head, std::string(chance(20) ? 300 : 10, 'x'));
            const Delivery delivery{sent.message, ++last_, 0};
            const Place place = backlog_.place_of(delivery);
            waiting_.emplace(place, sent);
            sent_.emplace(place, sent);
            backlog_.push(delivery);
        }
    }

    void attach() {
        Consumer consumer;
        Member member;
        member.condition = &conditions()[chance(40) ? 0 : below(conditions().size())];
        if (!member.condition->text.empty()) {
            consumer.selector = selecting::selector(member.condition->text);
        }
        consumer.publisher = 1 + below(3);
        consumer.no_local = chance(20);
        if (consumer.no_local) { member.not_from = consumer.publisher; }
        consumer.window.messages = 1 + below(4);
        consumer.window.bytes = has_byte_windows_ ? 100 + below(600) : 1'000'000;
        consumer.window.priority = static_cast<int>(below(3));
        consumer.wants_all = is_exclusive_ && chance(30);
        members_.push_back(std::move(member));
        members_.back().consumer = &dispatcher_.attach(std::move(consumer));
        elect();
    }

    [[nodiscard]] Member* any_member(bool holding) {
        std::vector<Member*> found;
        for (Member& member : members_) {
            if (!holding || !member.holds.empty()) { found.push_back(&member); }
        }
        return found.empty() ? nullptr : found[below(found.size())];
    }

    void settle(bool gives_back) {
        Member* const member = any_member(true);
        if (member == nullptr) { return; }
        const std::size_t number = 1 + below(member->holds.size());
        for (std::size_t i = 0; i < number; ++i) {
            std::swap(member->holds[below(member->holds.size())], member->holds.back());
            auto [place, delivery] = std::move(member->holds.back());
            member->holds.pop_back();
            --member->consumer->unsettled;
            member->consumer->unsettled_bytes -= delivery.message->size();
            dispatcher_.refresh(*member->consumer);
            note_left(*member);
            elect();
            if (gives_back) { return_to(place, std::move(delivery)); }
        }
    }

    void return_to(Place place, Delivery delivery) {
        waiting_.emplace(place, sent_.at(place));
        backlog_.give_back(std::move(delivery));
    }

    void toggle_block() {
        Member* const member = any_member(false);
        if (member == nullptr) { return; }
        member->consumer->is_blocked = !member->consumer->is_blocked;
        dispatcher_.refresh(*member->consumer);
    }

    void close() {
        Member* const member = any_member(false);
        if (member == nullptr) { return; }
        member->consumer->is_closed = true;
        dispatcher_.refresh(*member->consumer);
        note_left(*member);
        elect();
    }

    // All that it holds comes back, in any order.
    void leave() {
        Member* const member = any_member(false);
        if (member == nullptr) { return; }
        if (chance(50)) {
            member->consumer->is_closed = true;
            dispatcher_.refresh(*member->consumer);
        }
        auto holds = std::exchange(member->holds, {});
        std::shuffle(holds.begin(), holds.end(), random_);
        member->consumer->unsettled = 0;
        member->consumer->unsettled_bytes = 0;
        dispatcher_.refresh(*member->consumer);
        note_left(*member);
        for (auto& [place, delivery] : holds) {
            return_to(place, std::move(delivery));
        }
        const Consumer* const gone = member->consumer;
        dispatcher_.detach(*member->consumer);
        std::erase_if(bindings_, [&](const auto& binding) { return binding.second == gone; });
        if (active_ == gone) { active_ = nullptr; }
        members_.remove_if([&](const Member& other) { return other.consumer == gone; });
        elect();
    }

    // Expiry, or an overflow.
    void take_away() {
        if (waiting_.empty()) { return; }
        auto any = waiting_.begin();
        if (chance(70)) { std::advance(any, below(waiting_.size())); }
        const bool is_first = any == waiting_.begin();
        if (is_first) {
            (void)backlog_.pop();
        } else {
            (void)backlog_.take(any->first);
        }
        waiting_.erase(any);
    }

    void move_fence() {
        if (chance(30)) {
            fence_ = no_fence;
        } else {
            fence_ = below(last_ + 3);
        }
    }

    // The rules.

    // A consumer that has been closed keeps its groups until all is settled.
    void note_left(const Member& member) {
        if (!member.consumer->is_closed || !member.holds.empty()) { return; }
        std::erase_if(bindings_, [&](const auto& binding) {
            return binding.second == member.consumer;
        });
    }

    // Whose turn it is where one gets all; null: everybody's.
    void elect() {
        bool is_any = false;
        for (const Member& member : members_) {
            is_any = is_any || (member.consumer->wants_all && !member.consumer->is_closed);
        }
        const bool has_left = active_ != nullptr && active_->is_closed && active_->unsettled == 0;
        const bool is_ousted = active_ != nullptr && is_any && !active_->wants_all && !is_single_;
        if (has_left || is_ousted) { active_ = nullptr; }
        needs_active_ = is_single_ || is_any || (active_ != nullptr && active_->wants_all);
        if (!needs_active_) { active_ = nullptr; }
        if (!needs_active_ || active_ != nullptr) { return; }
        for (const Member& member : members_) {
            const Consumer* const consumer = member.consumer;
            if (consumer->is_closed || (is_any && !consumer->wants_all)) { continue; }
            if (active_ == nullptr || consumer->window.priority > active_->window.priority) {
                active_ = consumer;
            }
        }
    }

    [[nodiscard]] bool has_window(const Member& member, std::size_t size) const {
        const Consumer& consumer = *member.consumer;
        if (consumer.is_closed || consumer.is_blocked) { return false; }
        if (needs_active_ && active_ != &consumer) { return false; }
        std::size_t bytes = 0;
        for (const auto& held : member.holds) {
            bytes += held.second.message->size();
        }
        const std::size_t held = member.holds.size();
        return held < consumer.window.messages &&
               (held == 0 || bytes + size <= consumer.window.bytes);
    }

    [[nodiscard]] const Consumer* bound_to(const Sent& sent) const {
        const auto found =
            std::find_if(bindings_.begin(), bindings_.end(), [&](const auto& binding) {
                return binding.first == sent.group;
            });
        if (sent.group.empty() || found == bindings_.end()) { return nullptr; }
        const auto owner =
            std::find_if(members_.begin(), members_.end(), [&](const Member& member) {
                return member.consumer == found->second;
            });
        // What its own consumer refuses is for others.
        return owner->selects(sent) ? found->second : nullptr;
    }

    [[nodiscard]] bool takes(const Member& member, const Sent& sent) const {
        if (!member.selects(sent)) { return false; }
        const Consumer* const bound = bound_to(sent);
        return bound == nullptr || bound == member.consumer;
    }

    void serve(std::size_t turns) {
        for (int rounds = 0; rounds < 10'000; ++rounds) {
            while (const auto turn = dispatcher_.next(fence_)) {
                check_turn(*turn);
                if (::testing::Test::HasFailure()) { return; }
                deliver(*turn);
                EXPECT_EQ(dispatcher_.fault(), "");
                if (turns-- == 0) { return; }
            }
            EXPECT_EQ(dispatcher_.fault(), "");
            if (!dispatcher_.is_unfinished()) { return check_nobody_waits(); }
        }
        ADD_FAILURE() << "never finished";
    }

    [[nodiscard]] Member& member_of(const Consumer* consumer) {
        return *std::find_if(members_.begin(), members_.end(), [&](const Member& member) {
            return member.consumer == consumer;
        });
    }

    void check_turn(const Dispatcher::Turn& turn) {
        ASSERT_TRUE(waiting_.contains(turn.place));
        const Sent& sent = waiting_.at(turn.place);
        const Member& member = member_of(turn.consumer);
        EXPECT_LT(turn.place.sequence, fence_);
        EXPECT_TRUE(has_window(member, sent.message->size())) << "without window or right";
        EXPECT_TRUE(member.selects(sent)) << "refused by its selector";
        EXPECT_TRUE(takes(member, sent)) << "a group is split";
        if (is_single_) {
            for (const Member& other : members_) {
                EXPECT_TRUE(&other == &member || other.holds.empty()) << "two are active";
            }
        }
        check_order(turn, member, sent);
        check_priority(turn, sent);
    }

    void check_order(const Dispatcher::Turn& turn, const Member& member, const Sent& sent) {
        for (const auto& [place, other] : waiting_) {
            if (!(place < turn.place)) { break; }
            if (place.sequence >= fence_ || !takes(member, other)) { continue; }
            const bool is_same_group =
                !sent.group.empty() && sent.group == other.group && bound_to(sent) == turn.consumer;
            EXPECT_FALSE(is_same_group) << "out of order in its group";
            EXPECT_TRUE(has_byte_windows_ || is_held_back(member)) << "out of order";
        }
    }

    void check_priority(const Dispatcher::Turn& turn, const Sent& sent) {
        // Who has only begun to look may be late.
        if (has_tight_bounds() || has_byte_windows_) { return; }
        for (const Member& other : members_) {
            const bool is_higher = other.consumer->window.priority > turn.consumer->window.priority;
            const bool is_able = has_window(other, sent.message->size()) && takes(other, sent);
            EXPECT_FALSE(is_higher && is_able && !is_held_back(other))
                << "a higher consumer priority waits";
        }
    }

    /// What it would get first is behind the fence: nothing overtakes that.
    [[nodiscard]] bool is_held_back(const Member& member) const {
        for (const auto& [place, sent] : waiting_) {
            if (takes(member, sent)) { return place.sequence >= fence_; }
        }
        return false;
    }

    void deliver(const Dispatcher::Turn& turn) {
        ++turns_;
        Delivery delivery = dispatcher_.is_plain() ? backlog_.pop() : backlog_.take(turn.place);
        ASSERT_EQ(backlog_.place_of(delivery), turn.place);
        const Sent sent = waiting_.at(turn.place);
        waiting_.erase(turn.place);
        ++turn.consumer->unsettled;
        turn.consumer->unsettled_bytes += delivery.message->size();
        dispatcher_.refresh(*turn.consumer);
        member_of(turn.consumer).holds.emplace_back(turn.place, std::move(delivery));
        note_binding(*turn.consumer, sent);
    }

    void note_binding(const Consumer& consumer, const Sent& sent) {
        if (sent.group.empty()) { return; }
        const auto found =
            std::find_if(bindings_.begin(), bindings_.end(), [&](const auto& binding) {
                return binding.first == sent.group;
            });
        if (found != bindings_.end()) {
            if (sent.ends_group) {
                bindings_.erase(found);
            } else {
                std::rotate(found, std::next(found), bindings_.end());
            }
        } else if (!sent.ends_group) {
            // The least recently used one goes.
            if (bindings_.size() >= bounds_.groups_max) { bindings_.erase(bindings_.begin()); }
            bindings_.emplace_back(sent.group, &consumer);
        }
    }

    // The oldest message that a consumer may take has been delivered, if there is room for it.
    void check_nobody_waits() {
        for (const Member& member : members_) {
            for (const auto& [place, sent] : waiting_) {
                if (!takes(member, sent)) { continue; }
                EXPECT_FALSE(place.sequence < fence_ && has_window(member, sent.message->size()))
                    << "a message waits for a consumer that could have it";
                break;
            }
        }
    }

    std::mt19937_64 random_;
    const bool is_single_;
    const bool has_lanes_;
    const bool has_byte_windows_;
    const bool has_groups_;
    const bool is_exclusive_;
    const DispatchBounds bounds_;
    support::ShardGroup shards_{1, 1, support::WorkOrder::posted};
    Backlog backlog_;
    Dispatcher dispatcher_;
    std::list<Member> members_;
    std::map<Place, Sent> waiting_;
    std::map<Place, Sent> sent_;
    /// Of groups to consumers, the least recently used first.
    std::vector<std::pair<std::string, const Consumer*>> bindings_;
    const Consumer* active_ = nullptr;
    bool needs_active_ = false;
    std::uint64_t last_ = 0;
    std::uint64_t fence_ = no_fence;
    std::size_t turns_ = 0;
};

}  // namespace

TEST(Dispatcher, P_SUB_09_P_SUB_10_P_SEL_05_P_QOS_05_TheRulesHoldInEveryHistory) {
    std::size_t turns = 0;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomHistory history(seed);
        history.run(150);
        turns += history.turns();
        if (::testing::Test::HasFailure()) { return; }
    }
    EXPECT_GT(turns, 50'000U);
}

}  // namespace engine
