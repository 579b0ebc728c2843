// Delayed messages with a store: what is confirmed is routed when due, wherever the broker dies
// before (P-QOS-03, P-RCPT-02; durability.md, contract 1).
#include "broker/engine/schedule.hpp"
#include "tests/support/durable_script.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

namespace support {

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

Outgoing delayed(const std::string& destination, const std::string& body, int milliseconds) {
    return send(destination, body).header("x-delay", std::to_string(milliseconds));
}

class DurableSchedule : public DurableScript {
protected:
    [[nodiscard]] std::size_t scheduled() {
        std::size_t sum = 0;
        for (unsigned shard = 0; shard < shards(); ++shard) {
            sum +=
                broker->shards().on(shard, [&] { return broker->router(shard).schedule().size(); });
        }
        return sum;
    }

    /// What `queue` holds, when what is due has been routed.
    [[nodiscard]] Texts found_in(const std::string& queue) {
        broker->drives(store.get());
        broker->advance(0ms);
        return drained(queue);
    }

    /// The durable subscription `name` of `topic`, made if it is new; what it has.
    [[nodiscard]] Texts of_subscription(const std::string& topic, const std::string& name) {
        broker->drives(store.get());
        broker->advance(0ms);
        const auto client = connected_client("client");
        client->sends(subscribe("1", topic, "client-individual")
                          .header("durable", "true")
                          .header("durable-subscription-name", name)
                          .header("prefetch-count", "1000")
                          .receipt("s"));
        client->expects(receipt("s"));
        Texts texts;
        while (!client->received().empty()) {
            const Received frame = client->take();
            texts.push_back(frame.body);
            client->sends(ack(frame.token()));
        }
        return texts;
    }

    /// Makes one durable subscription of `topic` on each shard at least.
    void subscribes_everywhere(const std::string& topic) {
        for (unsigned i = 0; i < 6; ++i) {
            EXPECT_EQ(of_subscription(topic, std::to_string(i)), Texts{});
        }
    }

    void everyone_has(const std::string& name, const Texts& texts) {
        if (!name.starts_with("/topic")) {
            EXPECT_EQ(found_in(name), texts);
            return;
        }
        for (unsigned i = 0; i < 6; ++i) {
            EXPECT_EQ(of_subscription(name, std::to_string(i)), texts) << i;
        }
    }

    void store_has(const std::string& name, bool is_there) {
        const Texts names = stored_names();
        EXPECT_EQ(std::count(names.begin(), names.end(), name), is_there ? 1 : 0) << name;
    }

    [[nodiscard]] bool cancels(const std::string& id) {
        bool is_found = false;
        for (unsigned shard = 0; shard < shards(); ++shard) {
            broker->shards().on(shard, [&] {
                is_found = broker->router(shard).schedule().cancel(id) || is_found;
            });
        }
        broker->settle();
        return is_found;
    }

    [[nodiscard]] std::string first_id() {
        std::string id;
        for (unsigned shard = 0; shard < shards(); ++shard) {
            broker->shards().on(shard, [&] {
                std::size_t total = 0;
                const auto found = broker->router(shard).schedule().list("", 1, total);
                if (!found.empty()) { id = found[0].id; }
            });
        }
        return id;
    }
};

}  // namespace

TEST_P(DurableSchedule, P_RCPT_02_ADelayedSendIsConfirmedOnceItsScheduleIsStored) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        for (const std::string& destination : {queue_at(shard), topic_at(shard)}) {
            holds();
            alice->sends(delayed(destination, "x", 60'000).receipt("r"));
            alice->expects_nothing();
            commits();
            alice->expects(receipt("r"));
        }
    }
    // What is not to be stored is confirmed at once.
    holds();
    alice->sends(delayed(queue_at(0), "x", 60'000).header("persistent", "false").receipt("r"));
    alice->expects(receipt("r"));
    alice->sends(delayed(queue_at(1, "m"), "x", 60'000).header("durable", "false").receipt("r"));
    alice->expects(receipt("r"));
}

TEST_P(DurableSchedule, P_QOS_03_WhatIsConfirmedIsRoutedAfterACrashWhenDue) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        alice->sends(delayed(queue_at(shard), "x", 60'000).header("a:b", "c\nd").receipt("r"));
        alice->expects(receipt("r"));
    }
    alice->sends(delayed(queue_at(0), "mortal", 60'000).header("persistent", "false"));
    EXPECT_EQ(scheduled(), shards() + 1);
    crashes();
    EXPECT_EQ(scheduled(), shards());
    for (unsigned shard = 0; shard < shards(); ++shard) {
        carol->sends(subscribe(queue_at(shard), queue_at(shard)));
    }
    broker->advance(59'999ms);
    carol->expects_nothing();
    broker->advance(1ms);
    for (unsigned shard = 0; shard < shards(); ++shard) {
        const Received frame = carol->take();
        EXPECT_EQ(frame.body, "x");
        EXPECT_EQ(frame.value("a:b"), "c\nd");
        EXPECT_EQ(frame.value("x-delay"), "60000");
        EXPECT_FALSE(frame.find("redelivered"));
        for (const std::string name : {"due", "period", "repeats", "arguments"}) {
            EXPECT_FALSE(frame.find(name)) << name;
        }
    }
    carol->expects_nothing();
    broker->advance(15s);
    for (unsigned shard = 0; shard < shards(); ++shard) {
        store_has("/delayed" + queue_at(shard), false);
    }
}

TEST_P(DurableSchedule, P_QOS_03_OverdueAfterARestartItIsRoutedAtOnceAndOnce) {
    subscribes_everywhere(topic_at(0));
    for (unsigned shard = 0; shard < shards(); ++shard) {
        alice->sends(delayed(queue_at(shard), "x", 1000));
    }
    alice->sends(delayed(topic_at(0), "y", 1000).receipt("r"));
    alice->expects(receipt("r"));
    is_down_for(60s);
    crashes();
    for (unsigned shard = 0; shard < shards(); ++shard) {
        EXPECT_EQ(found_in(queue_at(shard)), Texts{"x"});
    }
    everyone_has(topic_at(0), {"y"});
    crashes();
    for (unsigned shard = 0; shard < shards(); ++shard) {
        EXPECT_EQ(found_in(queue_at(shard)), Texts{});
    }
}

TEST_P(DurableSchedule, P_QOS_03_ADelayedMessageForAUser) {
    alice->sends(delayed("/user/guest/queue/a", "x", 60'000).receipt("r"));
    alice->expects(receipt("r"));
    crashes();
    const auto guest = connected_client("", "guest");
    guest->sends(subscribe("1", "/user/queue/a"));
    broker->advance(60s);
    EXPECT_EQ(guest->expects(message("1", "x")).value("destination"), "/user/queue/a");
}

TEST_P(DurableSchedule, P_QOS_03_MissedRepeatsAreNotMadeUpFor) {
    alice->sends(send(queue_at(1), "x")
                     .header("AMQ_SCHEDULED_DELAY", "1000")
                     .header("AMQ_SCHEDULED_PERIOD", "10000")
                     .header("AMQ_SCHEDULED_REPEAT", "5")
                     .receipt("r"));
    alice->expects(receipt("r"));
    broker->advance(12s);  // At 1 and 11.
    EXPECT_EQ(found_in(queue_at(1)), (Texts{"x", "x"}));
    is_down_for(24s);  // 21 and 31 are missed.
    crashes();
    EXPECT_EQ(found_in(queue_at(1)), Texts{"x"});
    broker->advance(4999ms);
    EXPECT_EQ(found_in(queue_at(1)), Texts{});
    broker->advance(1ms);  // 41.
    EXPECT_EQ(found_in(queue_at(1)), Texts{"x"});
    restarts();
    broker->advance(300s);  // 51, the last.
    EXPECT_EQ(found_in(queue_at(1)), Texts{"x"});
    store_has("/delayed" + queue_at(1), false);
}

TEST_P(DurableSchedule, D_CONTRACT_1_WhereverItDiesNeverLostAndNeverTwice) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        for (const std::string& name : {queue_at(shard), topic_at(shard)}) {
            const bool is_topic = name.starts_with("/topic");
            crashes_at_every_point(
                [&] {
                    if (is_topic) { subscribes_everywhere(name); }
                    alice->sends(delayed(name, "x", 1000).receipt("r"));
                    alice->expects(receipt("r"));
                    holds();
                    broker->advance(1s);
                },
                [&] { everyone_has(name, {"x"}); }
            );
        }
    }
}

TEST_P(DurableSchedule, D_CONTRACT_1_WhereverItDiesRepeatsGoOn) {
    crashes_at_every_point(
        [&] {
            alice->sends(send(queue_at(1), "x")
                             .header("AMQ_SCHEDULED_DELAY", "1000")
                             .header("AMQ_SCHEDULED_PERIOD", "1000")
                             .header("AMQ_SCHEDULED_REPEAT", "3")
                             .receipt("r"));
            alice->expects(receipt("r"));
            holds();
            broker->advance(2s);
        },
        [&] {
            // Those that were not stored are overdue and become one: two, three or four in all.
            broker->advance(10s);
            const std::size_t all = found_in(queue_at(1)).size();
            EXPECT_GE(all, 3U);
            EXPECT_LE(all, 4U);
        }
    );
}

TEST_P(DurableSchedule, D_CONTRACT_5_ACommitOfDelayedMessagesIsAllOrNothing) {
    crashes_at_every_point(
        [&] {
            holds();
            alice->sends(begin("t"));
            for (unsigned shard = 0; shard < shards(); ++shard) {
                alice->sends(delayed(queue_at(shard), "x", 1000).transaction("t"));
                alice->sends(send(queue_at(shard), "now").transaction("t"));
            }
            alice->sends(commit("t"));
        },
        [&] {
            broker->advance(1s);
            std::size_t all = 0;
            for (unsigned shard = 0; shard < shards(); ++shard) {
                all += found_in(queue_at(shard)).size();
            }
            EXPECT_TRUE(all == 0 || all == 2 * shards()) << all;
        }
    );
}

TEST_P(DurableSchedule, P_QOS_06_WhereverItDiesARepeatedSendIsOneMessage) {
    for (const bool is_delayed : {false, true}) {
        for (const std::string& name : {queue_at(1), topic_at(0)}) {
            const bool is_topic = name.starts_with("/topic");
            const auto sends = [&] {
                Outgoing frame = send(name, "x").header("dedup-id", "1").receipt("r");
                if (is_delayed) { frame.header("x-delay", "1000"); }
                alice->sends(frame);
            };
            crashes_at_every_point(
                [&] {
                    if (is_topic) { subscribes_everywhere(name); }
                    holds();
                    sends();
                    alice->expects_nothing();
                },
                [&] {
                    sends();
                    alice->expects(receipt("r"));
                    broker->advance(1s);
                    everyone_has(name, {"x"});
                }
            );
        }
    }
}

TEST_P(DurableSchedule, P_QOS_06_WhereverItDiesInACommit) {
    const auto sends = [&] {
        alice->sends(begin("t"));
        for (const std::string& name : {queue_at(1), topic_at(0)}) {
            alice->sends(send(name, "plain").transaction("t"));
            alice->sends(send(name, "x").header("dedup-id", "1").transaction("t"));
        }
        alice->sends(commit("t").receipt("c"));
    };
    crashes_at_every_point(
        [&] {
            subscribes_everywhere(topic_at(0));
            holds();
            sends();
            alice->expects_nothing();
        },
        [&] {
            sends();
            alice->expects(receipt("c"));
            const Texts first = found_in(queue_at(1));
            EXPECT_TRUE((first == Texts{"plain", "x"} || first == Texts{"plain", "x", "plain"}));
            for (unsigned i = 0; i < 6; ++i) {
                EXPECT_EQ(of_subscription(topic_at(0), std::to_string(i)), first) << i;
            }
        }
    );
}

TEST_P(DurableSchedule, P_QOS_03_WhatAFullDiskRefusesIsTriedAgain) {
    alice->sends(delayed(queue_at(1), "x", 1000).receipt("r"));
    alice->expects(receipt("r"));
    store->set_disk_low(true);
    broker->advance(30s);
    EXPECT_EQ(scheduled(), 1U);
    alice->sends(delayed(queue_at(1), "y", 1000));
    alice->expects_error("disk-full");
    store->set_disk_low(false);
    broker->advance(1s);
    EXPECT_EQ(found_in(queue_at(1)), Texts{"x"});
}

TEST_P(DurableSchedule, P_QOS_02_ExpiredWhileTheBrokerWasDownItIsNotRouted) {
    alice->sends(delayed(queue_at(1), "x", 1000).header("ttl", "5000").receipt("r"));
    alice->expects(receipt("r"));
    is_down_for(5s);
    crashes();
    EXPECT_EQ(found_in(queue_at(1)), Texts{});
    EXPECT_EQ(scheduled(), 0U);
    EXPECT_EQ(broker->counters().messages_expired, 1U);
}

TEST_P(DurableSchedule, P_QOS_03_ACancelledMessageHasLeftTheStore) {
    alice->sends(delayed(queue_at(1), "x", 60'000).receipt("r"));
    alice->expects(receipt("r"));
    const std::string id = first_id();
    crashes();
    EXPECT_EQ(first_id(), id) << "the id outlives the broker";
    EXPECT_TRUE(cancels(id));
    EXPECT_FALSE(cancels(id));
    crashes();
    EXPECT_EQ(scheduled(), 0U);
    broker->advance(60s);
    EXPECT_EQ(found_in(queue_at(1)), Texts{});
}

TEST_P(DurableSchedule, P_QOS_03_ThousandsAreReadBackInPages) {
    constexpr int count = 9000;
    for (int i = 0; i < count; ++i) {
        alice->sends(delayed(queue_at(1), std::to_string(i), 60'000));
    }
    restarts();
    EXPECT_EQ(scheduled(), static_cast<std::size_t>(count));
    broker->advance(61s);
    const Texts found = found_in(queue_at(1));
    ASSERT_EQ(found.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        ASSERT_EQ(found[static_cast<std::size_t>(i)], std::to_string(i));
    }
}

TEST_P(DurableSchedule, D_ROCK_01_ADamagedOneIsCountedAndStaysInTheStore) {
    alice->sends(delayed(queue_at(1), "1", 1000)).sends(delayed(queue_at(1), "2", 1000));
    restarts();
    auto closed = store->crash();
    for (const storage::RecoveredQueue& queue : closed->take_recovered()) {
        if (queue.definition.name.starts_with("/delayed")) { store->damage(queue.id, 1); }
    }
    crashes();
    EXPECT_EQ(broker->counters().messages_damaged, 1U);
    broker->advance(30s);
    EXPECT_EQ(found_in(queue_at(1)), Texts{"2"});
    store_has("/delayed" + queue_at(1), true);
}

// A broker whose shards have not heard of each other's durable subscriptions yet.
TEST_P(DurableSchedule, P_QOS_03_NothingBecomesDueBeforeAllIsRestored) {
    alice->sends(delayed("/queue/a", "x", 1000).receipt("r"));
    alice->expects(receipt("r"));
    const auto survivor = store->crash();
    const auto found = survivor->take_recovered();
    ASSERT_EQ(found.size(), 1U);
    ShardGroup group(1, 1, WorkOrder::posted);
    engine::TurnOutput output;
    engine::RouterSettings alone;
    alone.store = survivor.get();
    engine::Destinations router(group[0], output, alone);
    survivor->start({&router.store_listener()});
    const auto lives_on = [&] {
        for (int i = 0; i < 10; ++i) {
            (void)group.run_timer(group.now() + 10s);
            group.on(0, [&] { router.end_turn(); });
            survivor->serve_reads();
            while (group.has_work()) {
                group.run_one();
            }
        }
    };
    group.on(0, [&] { router.schedule().restore("/queue/a", found[0]); });
    lives_on();
    group.on(0, [&] { EXPECT_EQ(router.schedule().size(), 1U); });
    group.on(0, [&] { router.schedule().release(); });
    lives_on();
    group.on(0, [&] { EXPECT_EQ(router.schedule().size(), 0U); });
    group.clear();
}

RUN_SCRIPTS_ON_SHARDS(DurableSchedule);

}  // namespace support
