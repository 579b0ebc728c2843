// Moving and purging what waits in a queue (O-10): nothing is lost, nothing doubled, in order; also
// across shards, from disk, and through a crash at every point.
#include "broker/engine/move.hpp"

#include "tests/support/durable_script.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace support {

namespace {

class Moving : public DurableScript {
protected:
    Moving() {
        settings.limits.queue_memory_bytes = 4000;
        starts();
    }

    using Operation = void (*)(engine::Destinations&, engine::MoveOrder, engine::MoveDone);

    [[nodiscard]] engine::Destinations& home_of(const std::string& queue) {
        return broker->router(broker->router(0).home_of(queue));
    }

    engine::Moved runs(Operation operation, engine::MoveOrder order) {
        const unsigned home = broker->router(0).home_of(order.from);
        engine::Moved moved;
        order.deadline = broker->shards()[home].now() + std::chrono::hours(1);
        broker->shards().on(home, [&] {
            operation(broker->router(home), order, [&moved](engine::Moved m) { moved = m; });
        });
        broker->settle();
        return moved;
    }

    engine::Moved moves(const std::string& from, const std::string& to) {
        engine::MoveOrder order;
        order.from = from;
        order.to = to;
        return runs(engine::move_messages, order);
    }

    [[nodiscard]] Texts sends_all(const std::string& queue, int count) {
        Texts texts;
        for (int number = 0; number < count; ++number) {
            texts.push_back(std::to_string(number) + std::string(100, '.'));
            Outgoing frame = send(queue, texts.back());
            if (number % 7 == 3) { frame.header("persistent", "false"); }
            alice->writes(frame.encoded(protocol::Version::v1_2));
        }
        broker->settle();
        return texts;
    }

    [[nodiscard]] std::size_t depth(const std::string& queue) {
        const unsigned home = broker->router(0).home_of(queue);
        return broker->shards().on(home, [&] {
            const auto found = broker->router(home).find_queue(queue);
            return found ? found->depth() : 0;
        });
    }
};

}  // namespace

TEST_P(Moving, O_10_MovesInOrderFromDiskAndMemory) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        const std::string from = queue_at(0, "from" + std::to_string(shard));
        const std::string to = queue_at(shard, "to" + std::to_string(shard));
        const Texts texts = sends_all(from, 300);
        EXPECT_EQ(moves(from, to).messages, 300U);
        EXPECT_EQ(depth(from), 0U);
        EXPECT_EQ(drained(to), texts);
    }
}

TEST_P(Moving, O_10_PurgesDiskAndMemory) {
    const std::string queue = queue_at(0);
    (void)sends_all(queue, 300);
    engine::MoveOrder order;
    order.from = queue;
    EXPECT_EQ(runs(engine::purge_messages, order).messages, 300U);
    EXPECT_EQ(depth(queue), 0U);
    const Texts texts = sends_all(queue, 50);
    EXPECT_EQ(drained(queue), texts);
    crashes();
    EXPECT_EQ(drained(queue), Texts());
}

TEST_P(Moving, O_10_WhatIsHeldStays) {
    const std::string queue = queue_at(0);
    const Texts texts = sends_all(queue, 40);
    const auto holder = connected_client();
    holder->sends(subscribe("1", queue, "client-individual").header("prefetch-count", "5"));
    engine::MoveOrder order;
    order.from = queue;
    EXPECT_EQ(runs(engine::purge_messages, order).messages, 35U);
    EXPECT_EQ(depth(queue), 5U);
    holder->drops();
    Texts left(texts.begin(), texts.begin() + 5);
    for (std::string& text : left) {
        text += '*';
    }
    EXPECT_EQ(drained(queue), left);
}

TEST_P(Moving, O_10_ACrashAtAnyPointOfAMoveLosesNothingAndDoublesNothing) {
    const std::string from = queue_at(0, "from");
    const std::string to = queue_at(1, "to");
    crashes_at_every_point(
        [&] {
            for (int number = 0; number < 4; ++number) {
                alice->sends(send(from, std::to_string(number)).receipt("r"));
            }
            (void)moves(from, to);
        },
        [&] {
            Texts all = drained(from);
            const Texts moved = drained(to);
            EXPECT_TRUE(all.empty() || moved.empty());
            all.insert(all.end(), moved.begin(), moved.end());
            for (std::size_t i = 0; i < all.size(); ++i) {
                EXPECT_EQ(all[i].substr(0, 1), std::to_string(i));
            }
        }
    );
}

INSTANTIATE_TEST_SUITE_P(Shards, Moving, ::testing::Values(1U, 2U, 3U));

}  // namespace support
