// The small parts of the engine alone: Fifo, Work, Backlog, Deliveries, Message, Counters, Remote.
// What they are for is told by the scripts; here are their corners.
#include "broker/engine/backlog.hpp"
#include "broker/engine/deliveries.hpp"
#include "broker/engine/fifo.hpp"
#include "broker/engine/policy.hpp"
#include "broker/engine/work.hpp"
#include "tests/support/script.hpp"

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace support {

namespace {

using engine::Delivery;
using engine::MessageRef;

MessageRef message_of(const std::string& body) {
    engine::SendHead head;
    head.lines = "destination:/queue/a\n\n";
    return engine::Message::make("M1", head, body);
}

Delivery delivery_of(std::uint64_t sequence, std::uint32_t count = 0) {
    return {message_of(std::to_string(sequence)), sequence, count};
}

}  // namespace

TEST(Fifo, IsAQueueUnderEveryMixOfOperations) {
    std::mt19937 random(7);
    engine::Fifo<int> fifo;
    std::deque<int> model;
    for (int step = 0; step < 50'000; ++step) {
        const auto choice = random() % 100;
        // Grows for a while, then shrinks.
        if (choice < (step / 5000 % 2 == 0 ? 60U : 35U)) {
            fifo.push_back(step);
            model.push_back(step);
        } else if (choice < 90 && !model.empty()) {
            ASSERT_EQ(fifo.pop_front(), model.front());
            model.pop_front();
        } else if (choice < 98 && !model.empty()) {
            fifo.pop_back();
            model.pop_back();
        } else if (choice == 99 && step % 7 == 0) {
            ASSERT_EQ(fifo.take_all(), std::vector<int>(model.begin(), model.end()));
            model.clear();
        }
        fifo.idle();
        ASSERT_EQ(fifo.size(), model.size());
        ASSERT_EQ(fifo.empty(), model.empty());
        if (model.empty()) { continue; }
        const std::size_t index = random() % model.size();
        ASSERT_EQ(fifo[index], model[index]);
        ASSERT_EQ(fifo.front(), model.front());
        ASSERT_EQ(fifo.back(), model.back());
    }
}

TEST(Work, RunsWhatItHoldsSmallOrLarge) {
    int sum = 0;
    engine::Work small([&sum] { sum += 1; });
    const std::array<int, 100> many{1, 2, 3};
    engine::Work large([&sum, many] { sum += many[2]; });
    small();
    large();
    EXPECT_EQ(sum, 4);
    EXPECT_FALSE(engine::Work());
}

TEST(Work, MovesAndDestroysExactlyOnce) {
    const auto counted = std::make_shared<int>(0);
    {
        engine::Work first([counted] { ++*counted; });
        engine::Work second(std::move(first));
        EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): it promises to be empty.
        engine::Work third;
        third = std::move(second);
        third();
        third = engine::Work([owned = std::make_unique<int>(5), counted] { *counted += *owned; });
        third();
        EXPECT_EQ(counted.use_count(), 2);
    }
    EXPECT_EQ(*counted, 6);
    EXPECT_EQ(counted.use_count(), 1);
}

TEST(Backlog, P_ACK_07_ReturnedMessagesComeInTheirOldOrder) {
    engine::Backlog backlog;
    for (std::uint64_t i = 1; i <= 6; ++i) {
        backlog.push(delivery_of(i));
    }
    std::vector<Delivery> taken;
    for (int i = 0; i < 4; ++i) {
        taken.push_back(backlog.pop());
    }
    backlog.give_back(std::move(taken[2]));
    backlog.give_back(std::move(taken[0]));
    EXPECT_EQ(backlog.size(), 4U);
    std::vector<std::uint64_t> order;
    while (!backlog.empty()) {
        EXPECT_GT(backlog.bytes(), 0U);
        EXPECT_EQ(backlog.front().sequence, backlog.front().sequence);
        order.push_back(backlog.pop().sequence);
    }
    EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 3, 5, 6}));
    EXPECT_EQ(backlog.bytes(), 0U);
}

TEST_F(OneShard, DeliveriesAreFoundAmongAnyGaps) {
    alice.connects();
    broker.shards().on(alice.shard(), [&] {
        engine::Subscription one(alice.session(), "1", "/topic/a", {});
        engine::Subscription two(alice.session(), "2", "/topic/b", {});
        engine::Deliveries deliveries;
        std::map<std::uint64_t, engine::Subscription*> model;
        std::mt19937 random(3);
        for (int step = 0; step < 20'000; ++step) {
            if (random() % 100 < (step / 2000 % 2 == 0 ? 60U : 40U)) {
                engine::Subscription& owner = random() % 3 == 0 ? two : one;
                const auto number = deliveries.add(owner, delivery_of(1, 1));
                ASSERT_TRUE(model.emplace(number, &owner).second);
            } else if (!model.empty()) {
                const auto any =
                    std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
                (void)deliveries.remove(any->first);
                model.erase(any);
            }
            ASSERT_EQ(deliveries.size(), model.size());
            const std::uint64_t probe = random() % (deliveries.last_number() + 2);
            const engine::Outstanding* const found = deliveries.find(probe);
            ASSERT_EQ(found != nullptr, model.contains(probe)) << probe;
            if (found != nullptr) { ASSERT_EQ(found->subscription, model[probe]); }
        }
        std::vector<std::uint64_t> expected;
        const std::uint64_t middle = deliveries.last_number() / 2;
        for (const auto& entry : model) {
            if (entry.second == &one && entry.first <= middle) { expected.push_back(entry.first); }
        }
        EXPECT_EQ(deliveries.outstanding_up_to(middle, one), expected);
        const auto of_two = std::count_if(model.begin(), model.end(), [&](const auto& entry) {
            return entry.second == &two;
        });
        EXPECT_EQ(deliveries.remove_all_of(two).size(), static_cast<std::size_t>(of_two));
        EXPECT_FALSE(deliveries.has(two));
        EXPECT_EQ(deliveries.has(one), deliveries.size() != 0);
        (void)deliveries.remove_all_of(one);
        EXPECT_EQ(deliveries.size(), 0U);
        const std::uint64_t last = deliveries.last_number();
        EXPECT_EQ(deliveries.add(one, delivery_of(1)), last + 1);
        EXPECT_NE(deliveries.find(last + 1), nullptr);
    });
}

TEST(Message, IsOnePieceThatKnowsItsParts) {
    const std::int64_t before = engine::accounted_bytes();
    {
        engine::SendHead head;
        head.lines = "destination:/queue/a\nkey:v\\cw\nempty:\n\n";
        const MessageRef message = engine::Message::make("Abc1", head, "body");
        EXPECT_EQ(message->id(), "Abc1");
        EXPECT_EQ(message->id_line(), "message-id:Abc1\n");
        EXPECT_EQ(message->length_line(), "content-length:4\n");
        EXPECT_EQ(message->body(), "body");
        EXPECT_EQ(message->body_with_nul(), std::string_view("body\0", 5));
        EXPECT_EQ(message->head(protocol::Version::v1_0), head.lines);
        EXPECT_TRUE(message->is_same_for_all());
        EXPECT_EQ(message->find("key"), "v\\cw");
        EXPECT_EQ(message->find("empty"), "");
        EXPECT_EQ(message->find("ke"), "");
        EXPECT_EQ(message->find("none"), "");
        EXPECT_EQ(message->size(), message->whole().size());
        EXPECT_GT(engine::accounted_bytes(), before);
    }
    EXPECT_EQ(engine::accounted_bytes(), before);
}

TEST(Message, P_WS_12_TextIfTheBodyIsUtf8) {
    engine::SendHead head;
    head.lines = "destination:/a\n\n";
    EXPECT_TRUE(engine::Message::make("M", head, "\xE2\x98\x83")->is_text());
    EXPECT_FALSE(engine::Message::make("M", head, "\xE2\x98")->is_text());
    EXPECT_TRUE(engine::Message::make("M", head, "")->is_text());
}

TEST(Counters, AddUp) {
    engine::Counters one;
    one.messages_acked = 2;
    one.refusals[3] = 4;
    engine::Counters sum;
    sum.add(one);
    sum.add(one);
    EXPECT_EQ(sum.messages_acked, 4U);
    EXPECT_EQ(sum.refusals[3], 8U);
}

TEST(Remote, DropsWorkForWhatIsGone) {
    ShardGroup shards(2, 1, WorkOrder::posted);
    auto number = std::make_shared<int>(0);
    const engine::Remote<int> remote(shards[1], number);
    shards.on(0, [&] { remote.post([](int& value) { ++value; }); });
    EXPECT_EQ(*number, 0);
    shards.run_one();
    EXPECT_EQ(*number, 1);
    shards.on(1, [&] { remote.post([](int& value) { ++value; }); });
    EXPECT_EQ(*number, 2);
    bool is_run = false;
    shards.on(0, [&] { remote.post([&is_run](int&) { is_run = true; }); });
    number.reset();
    shards.run_one();
    EXPECT_FALSE(is_run);
    EXPECT_FALSE(engine::Remote<int>().is_set());
}

TEST(Policy, TheFirstThatMatchesCounts) {
    using engine::SlowConsumerAction;
    const std::vector<engine::Policy> policies = {
        {"/topic/a/*", {SlowConsumerAction::drop_newest, {}}},
        {"/topic/a/#", {SlowConsumerAction::drop_oldest, {}}},
        {"/topic/b", {SlowConsumerAction::conflate, "k"}},
        {"/queue/*", {SlowConsumerAction::drop_oldest, {}}}};
    const auto action = [&](std::string_view key) {
        const protocol::Destination topic{protocol::DestinationKind::topic, "/topic/", key};
        const engine::Policy* const policy = engine::find_policy(policies, topic, {});
        return policy == nullptr ? SlowConsumerAction::disconnect : policy->slow_consumer.action;
    };
    EXPECT_EQ(action("a/x"), SlowConsumerAction::drop_newest);
    EXPECT_EQ(action("a/x/y"), SlowConsumerAction::drop_oldest);
    EXPECT_EQ(action("b"), SlowConsumerAction::conflate);
    EXPECT_EQ(action("c"), SlowConsumerAction::disconnect);
}

TEST(Policy, P_DEST_11_SaysWhichQueuesAreDurable) {
    const std::vector<engine::Policy> policies = {
        {"/queue/cache.keep", {}, true},
        {"/queue/cache.*", {}, false},
        {"/amq/queue/plain", {}, false},
        {"/queue/open/**", {}}};
    const auto durable = [&](std::string_view key) {
        const protocol::Destination queue{protocol::DestinationKind::queue, "/queue/", key};
        const engine::Policy* const policy = engine::find_policy(policies, queue, {});
        return policy == nullptr ? std::nullopt : policy->durable;
    };
    EXPECT_EQ(durable("cache.keep"), true);
    EXPECT_EQ(durable("cache.x"), false);
    EXPECT_EQ(durable("cache.x.y"), std::nullopt);
    EXPECT_EQ(durable("plain"), false);
    EXPECT_EQ(durable("open/a/b"), std::nullopt);
    EXPECT_EQ(durable("other"), std::nullopt);
}

}  // namespace support
