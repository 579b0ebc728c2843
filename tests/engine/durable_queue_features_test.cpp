// What queues can be asked for, with a store behind them: expiry, order, bounds, selectors,
// browsers and names that go, in memory, on disk, and after crashes (P-QOS, P-SUB-12, -14,
// P-ACK-11).
#include "tests/support/durable_script.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace support {

namespace {

class DurableFeatures : public DurableScript {
protected:
    /// From now on next to nothing of a queue stays in memory.
    void forgets() {
        settings.limits.queue_memory_bytes = 2000;
        starts();
    }

    engine::QueuePolicy& policy(const std::string& match) {
        settings.policies.push_back({match, {}, {}, {}, {}});
        return settings.policies.back().queue;
    }

    void writes(const Outgoing& frame) { alice->writes(frame.encoded(protocol::Version::v1_2)); }

    static std::string text_of(int number) {
        return std::to_string(number) + ";" + std::string(100, '.');
    }

    static int number_of(const std::string& body) { return std::stoi("0" + body); }

    static std::vector<int> numbers_of(const Texts& texts) {
        std::vector<int> numbers;
        for (const std::string& text : texts) {
            numbers.push_back(number_of(text));
        }
        return numbers;
    }

    static std::vector<int> range(int first, int last, int step = 1) {
        std::vector<int> numbers;
        for (int number = first; number <= last; number += step) {
            numbers.push_back(number);
        }
        return numbers;
    }

    /// `first` to `last`, each made by `make`.
    void sends_all(
        int first,
        int last,
        const std::string& name,
        const std::function<void(Outgoing&, int)>& make = [](Outgoing&, int) {}
    ) {
        for (int number = first; number <= last; ++number) {
            Outgoing frame = send(name, text_of(number));
            make(frame, number);
            writes(frame);
        }
        broker->settle();
    }

    template <class F>
    auto of_queue(const std::string& name, F ask) {
        const unsigned home = broker->router(0).home_of(name);
        return broker->shards().on(home, [&] {
            return ask(**broker->router(home).local_queue(name));
        });
    }

    std::size_t depth(const std::string& name) {
        return of_queue(name, [](const engine::Queue& found) { return found.depth(); });
    }

    std::size_t octets(const std::string& name) {
        return of_queue(name, [](const engine::Queue& found) { return found.bytes(); });
    }

    /// Messages that the store has of it.
    std::size_t stored(const std::string& name) {
        for (const storage::RecoveredQueue& found : store->take_recovered()) {
            if (found.definition.name == name) { return found.messages; }
        }
        return 0;
    }

    /// What a browser sees, in order, up to the end mark.
    std::vector<int> browsed(const std::string& name) {
        const auto client = connected_client();
        client->sends(subscribe("browse", name).header("browser", "true"));
        std::vector<int> numbers;
        bool is_over = false;
        while (!client->received().empty()) {
            const Received frame = client->take();
            EXPECT_FALSE(is_over);
            is_over = frame.find("browser").has_value();
            if (!is_over) { numbers.push_back(number_of(frame.body)); }
        }
        EXPECT_TRUE(is_over);
        return numbers;
    }

    /// Frames that `client` has received: the numbers of their messages.
    static std::vector<int> received(TestClient& client) {
        std::vector<int> numbers;
        while (!client.received().empty()) {
            const Received frame = client.take();
            EXPECT_EQ(frame.command, protocol::Command::message) << frame.describe();
            numbers.push_back(number_of(frame.body));
        }
        return numbers;
    }

    static void expires_if_even(Outgoing& frame, int number) {
        if (number % 2 == 0) { frame.header("ttl", "10000"); }
    }

    const std::string queue = "/queue/q";
};

}  // namespace

TEST_P(DurableFeatures, P_QOS_02_ExpiryWhereverAMessageWaits) {
    forgets();
    for (const int number : {10, 40, 300}) {
        starts();
        sends_all(1, number, queue, expires_if_even);
        broker->advance(std::chrono::seconds(9));
        EXPECT_EQ(depth(queue), static_cast<std::size_t>(number));
        broker->advance(std::chrono::seconds(2));
        EXPECT_EQ(depth(queue), static_cast<std::size_t>(number / 2)) << number;
        EXPECT_EQ(stored(queue), static_cast<std::size_t>(number / 2)) << number;
        EXPECT_EQ(numbers_of(drained(queue)), range(1, number, 2)) << number;
        EXPECT_EQ(depth(queue), 0U);
        EXPECT_EQ(octets(queue), 0U);
        EXPECT_EQ(broker->counters().messages_damaged, 0U);
    }
}

TEST_P(DurableFeatures, P_QOS_02_ExpiryAfterARestart) {
    forgets();
    for (const bool is_clean : {false, true}) {
        starts();
        sends_all(1, 300, queue, expires_if_even);
        is_clean ? restarts() : crashes();
        broker->drives(store.get());
        broker->advance(std::chrono::seconds(11));
        EXPECT_EQ(depth(queue), 150U);
        EXPECT_EQ(stored(queue), 150U);
        is_clean ? restarts() : crashes();
        EXPECT_EQ(numbers_of(drained(queue)), range(1, 300, 2));
        EXPECT_EQ(octets(queue), 0U);
    }
}

TEST_P(DurableFeatures, P_QOS_02_ExpiryInADurableSubscription) {
    forgets();
    carol->sends(subscribe("1", "/topic/t").header("durable", "true"));
    carol->sends(unsubscribe("1"));
    sends_all(1, 100, "/topic/t", expires_if_even);
    crashes();
    broker->drives(store.get());
    broker->advance(std::chrono::seconds(11));
    EXPECT_EQ(broker->counters().messages_expired, 50U);
    carol->sends(subscribe("1", "/topic/t").header("durable", "true"));
    EXPECT_EQ(received(*carol), range(1, 100, 2));
}

TEST_P(DurableFeatures, P_QOS_01_TheQueuesOwnTimeToLive) {
    forgets();
    sends_all(1, 50, queue, [](Outgoing& frame, int) { frame.header("x-message-ttl", "10000"); });
    broker->advance(std::chrono::seconds(5));
    crashes();
    broker->drives(store.get());
    sends_all(51, 60, queue);
    broker->advance(std::chrono::seconds(6));
    EXPECT_EQ(depth(queue), 10U);
    broker->advance(std::chrono::seconds(6));
    EXPECT_EQ(depth(queue), 0U);
    EXPECT_EQ(stored(queue), 0U);
}

// The letter and the removal are one: after a crash at any moment each message is there once.
TEST_P(DurableFeatures, P_ACK_11_ALetterAndItsRemovalAreOne) {
    forgets();
    constexpr int number = 40;
    const std::string graves = queue_at(1, "graves");
    const std::string source = queue_at(0, "source");
    for (std::size_t batches = 0; batches < 40; ++batches) {
        starts();
        sends_all(1, number, source, [&](Outgoing& frame, int each) {
            expires_if_even(frame, each);
            frame.header("x-dead-letter-exchange", "");
            frame.header("x-dead-letter-routing-key", graves.substr(7));
        });
        commits();
        holds();
        broker->advance(std::chrono::seconds(11));
        for (int i = 0; i < 5; ++i) {
            store->serve_reads();
            broker->settle();
        }
        bool is_all = false;
        for (std::size_t i = 0; i < batches; ++i) {
            commits_one(static_cast<unsigned>(i) % shards());
            ASSERT_EQ(stored(source) + stored(graves), std::size_t{number}) << batches;
            is_all = stored(graves) == number / 2;
        }
        crashes();
        ASSERT_EQ(stored(source) + stored(graves), std::size_t{number}) << batches;
        broker->drives(store.get());
        broker->advance(std::chrono::seconds(1));
        ASSERT_EQ(numbers_of(drained(source)), range(1, number, 2)) << batches;
        auto letters = numbers_of(drained(graves));
        std::sort(letters.begin(), letters.end());
        ASSERT_EQ(letters, range(2, number, 2)) << batches;
        if (is_all) { return; }
    }
    ADD_FAILURE() << "never all letters";
}

TEST_P(DurableFeatures, P_QOS_04_PrioritiesAfterARestart) {
    policy(queue).priority_max = 9;
    starts();
    sends_all(1, 4500, queue, [](Outgoing& frame, int each) {
        frame.header("priority", each == 4400 ? "9" : each % 100 == 0 ? "5" : "1");
    });
    for (const bool is_clean : {true, false}) {
        is_clean ? restarts() : crashes();
        broker->drives(store.get());
        sends_all(5000 + is_clean, 5000 + is_clean, queue, [](Outgoing& frame, int) {
            frame.header("priority", "7");
        });
        carol->sends(subscribe("c", queue, "client").header("prefetch-count", "4"));
        auto first = received(*carol);
        EXPECT_EQ(first.front(), 4400);
        EXPECT_EQ(first[is_clean ? 2 : 3], 100);
        carol->drops();
    }
    const auto all = numbers_of(drained(queue));
    EXPECT_EQ(all.size(), 4502U);
    EXPECT_EQ(
        (std::vector<int>(all.begin(), all.begin() + 4)), (std::vector<int>{4400, 5001, 5000, 100})
    );
    EXPECT_EQ(all.back(), 4499);
}

TEST_P(DurableFeatures, P_QOS_07_LastValuesAfterARestart) {
    policy(queue).is_last_value = true;
    starts();
    const auto keyed = [](Outgoing& frame, int each) {
        frame.header("_AMQ_LVQ_NAME", std::to_string(each % 10));
    };
    sends_all(1, 100, queue, keyed);
    EXPECT_EQ(depth(queue), 10U);
    crashes();
    broker->drives(store.get());
    // Nobody consumes: values are replaced all the same.
    sends_all(101, 200, queue, keyed);
    EXPECT_EQ(depth(queue), 10U);
    EXPECT_EQ(stored(queue), 10U);
    restarts();
    EXPECT_EQ(numbers_of(drained(queue)), range(191, 200));
}

TEST_P(DurableFeatures, P_SUB_14_ArgumentsOutliveTheBroker) {
    forgets();
    sends_all(1, 3, queue, [](Outgoing& frame, int) {
        frame.header("x-max-length", "2").header("x-max-priority", "3").header("ttl", "60000");
    });
    for (const bool is_clean : {true, false}) {
        is_clean ? restarts() : crashes();
        broker->drives(store.get());
        carol->sends(subscribe("c", queue).header("x-max-length", "3"));
        carol->expects_error("bad-header");
        bob->sends(subscribe("b", queue, "client")
                       .header("x-max-length", "2")
                       .header("x-max-priority", "3"));
        EXPECT_EQ(received(*bob), range(2, 3));
    }
    // A queue without messages, too.
    alice->sends(subscribe("a", "/queue/empty").header("x-message-ttl", "100"));
    crashes();
    broker->drives(store.get());
    alice->sends(subscribe("a", "/queue/empty").header("x-message-ttl", "200"));
    alice->expects_error("bad-header");
}

TEST_P(DurableFeatures, P_SEND_08_DropHeadBeyondMemory) {
    forgets();
    for (const char* const length : {"5", "20", "80"}) {
        starts();
        const int max = std::stoi(length);
        const auto bounded = [&](Outgoing& frame, int each) {
            frame.header("x-max-length", length);
            if (each % 7 == 0) { frame.header("persistent", "false"); }
        };
        sends_all(1, 300, queue, bounded);
        EXPECT_EQ(depth(queue), static_cast<std::size_t>(max)) << length;
        EXPECT_EQ(browsed(queue), range(301 - max, 300)) << length;
        carol->sends(subscribe("c", queue, "client").header("prefetch-count", "3"));
        EXPECT_EQ(received(*carol), range(301 - max, 303 - max));
        // What is in flight does not count among what waits.
        sends_all(301, 310, queue, bounded);
        carol->drops();
        broker->settle();
        const auto left = numbers_of(drained(queue));
        EXPECT_EQ(left.back(), 310);
        EXPECT_TRUE(std::is_sorted(left.begin(), left.end()));
        EXPECT_EQ(octets(queue), 0U) << length;
        EXPECT_EQ(stored(queue), 0U) << length;
    }
}

TEST_P(DurableFeatures, P_SEND_08_DropHeadAfterARestart) {
    forgets();
    const auto bounded = [](Outgoing& frame, int) { frame.header("x-max-length", "100"); };
    sends_all(1, 100, queue, bounded);
    crashes();
    broker->drives(store.get());
    sends_all(101, 150, queue, bounded);
    EXPECT_EQ(depth(queue), 100U);
    EXPECT_EQ(stored(queue), 100U);
    EXPECT_EQ(numbers_of(drained(queue)), range(51, 150));
}

TEST_P(DurableFeatures, P_SEND_08_ALengthCountsWhatIsStored) {
    policy(queue).messages_max = 10;
    policy(queue).overflow = engine::Overflow::reject;
    forgets();
    sends_all(1, 10, queue);
    alice->sends(send(queue, "11").receipt("r"));
    alice->expects_error("queue-full");
    crashes();
    broker->drives(store.get());
    alice->sends(send(queue, "11").receipt("r"));
    alice->expects_error("queue-full");
    EXPECT_EQ(numbers_of(drained(queue)), range(1, 10));
}

TEST_P(DurableFeatures, P_SEL_05_AMessageDeepOnDisk) {
    forgets();
    sends_all(1, 600, queue, [](Outgoing& frame, int each) {
        frame.header("kind", each == 450 || each == 590 ? "rare" : "common");
    });
    for (const std::string selector : {"kind = 'rare'", "kind LIKE 'r%'"}) {
        bob->sends(subscribe("b", queue, "client-individual").header("selector", selector));
        EXPECT_EQ(received(*bob), (std::vector<int>{450, 590}));
        crashes();
        broker->drives(store.get());
    }
    bob->sends(subscribe("b", queue, "client").header("selector", "kind = 'rare'"));
    const Received first = bob->take();
    const Received second = bob->take();
    EXPECT_TRUE(first.find("redelivered"));
    bob->sends(ack(second.token()));
    std::vector<int> others = range(1, 600);
    std::erase(others, 450);
    std::erase(others, 590);
    EXPECT_EQ(numbers_of(drained(queue)), others);
    EXPECT_EQ(octets(queue), 0U);
}

TEST_P(DurableFeatures, P_SUB_12_ABrowserSeesMemoryDiskAndWhatIsNew) {
    forgets();
    for (const int unstored_every : {0, 3, 10}) {
        starts();
        const auto mixed = [&](Outgoing& frame, int each) {
            const bool is_unstored = unstored_every != 0 && each % unstored_every == 0;
            if (is_unstored) { frame.header("persistent", "false"); }
        };
        sends_all(1, 300, queue, mixed);
        EXPECT_EQ(browsed(queue), range(1, 300)) << unstored_every;
        carol->sends(subscribe("c", queue, "client").header("prefetch-count", "20"));
        EXPECT_EQ(browsed(queue), range(21, 300)) << unstored_every;
        sends_all(301, 330, queue, mixed);
        EXPECT_EQ(browsed(queue), range(21, 330)) << unstored_every;
        carol->drops();
        EXPECT_EQ(browsed(queue), range(1, 330)) << unstored_every;
    }
}

TEST_P(DurableFeatures, P_SUB_12_ABrowserWhileOthersConsume) {
    forgets();
    sends_all(1, 400, queue);
    const auto consumer = connected_client();
    consumer->sends(subscribe("c", queue, "client-individual").header("prefetch-count", "5"));
    bob->writes(subscribe("b", queue).header("browser", "true").encoded(protocol::Version::v1_2));
    for (int i = 0; i < 200; ++i) {
        const Received frame = consumer->take();
        consumer->writes(ack(frame.token()).encoded(protocol::Version::v1_2));
        for (int work = 0; work < 3 && broker->shards().has_work(); ++work) {
            broker->shards().run_one();
        }
        if (consumer->received().empty()) { broker->settle(); }
    }
    broker->settle();
    std::vector<int> seen;
    while (!bob->received().empty()) {
        const Received frame = bob->take();
        if (!frame.find("browser")) { seen.push_back(number_of(frame.body)); }
    }
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
    // What nobody took was seen.
    for (int number = 206; number <= 400; ++number) {
        EXPECT_TRUE(std::binary_search(seen.begin(), seen.end(), number)) << number;
    }
}

TEST_P(DurableFeatures, P_ACK_06_BackOffDoesNotOutliveTheBroker) {
    policy(queue).redelivery = {std::chrono::seconds(60), 1, std::chrono::seconds(0)};
    starts();
    alice->sends(send(queue, "1"));
    bob->sends(subscribe("b", queue, "client"));
    bob->sends(nack(bob->take().token()));
    bob->expects_nothing();
    crashes();
    broker->drives(store.get());
    bob->sends(subscribe("b", queue, "client"));
    bob->expects(message("b", "1").header("redelivered", "true"));
}

TEST_P(DurableFeatures, P_QOS_05_GroupsKeepTheirOrderBeyondMemory) {
    forgets();
    bob->sends(subscribe("b", queue, "client-individual").header("prefetch-count", "3"));
    carol->sends(subscribe("c", queue, "client-individual").header("prefetch-count", "7"));
    sends_all(1, 300, queue, [](Outgoing& frame, int each) {
        frame.header("JMSXGroupID", "g" + std::to_string(each % 5));
    });
    std::map<int, std::pair<TestClient*, int>> last;
    std::size_t number = 0;
    for (bool is_busy = true; is_busy;) {
        is_busy = false;
        for (TestClient* const client : {bob.get(), carol.get()}) {
            if (client->received().empty()) { continue; }
            is_busy = true;
            ++number;
            const Received frame = client->take();
            const int each = number_of(frame.body);
            auto& [owner, before] = last.try_emplace(each % 5, client, 0).first->second;
            EXPECT_EQ(owner, client) << each;
            EXPECT_LT(before, each);
            before = each;
            client->sends(ack(frame.token()));
        }
    }
    EXPECT_EQ(number, 300U);
    EXPECT_EQ(octets(queue), 0U);
}

TEST_P(DurableFeatures, P_SUB_14_AQueueThatGoesDoesNotComeBack) {
    for (const std::string header : {"auto-delete", "x-expires"}) {
        starts();
        Outgoing subscription = subscribe("b", queue, "client");
        subscription.header(header, header == "x-expires" ? "1000" : "true");
        bob->sends(subscription);
        alice->sends(send(queue, "1").receipt("r"));
        alice->expects(receipt("r"));
        EXPECT_EQ(stored_names(), (Texts{queue}));
        bob->drops();
        broker->advance(std::chrono::seconds(2));
        EXPECT_EQ(stored_names(), Texts()) << header;
        // A publisher that still has its route makes a new one.
        alice->sends(send(queue, "1").receipt("r"));
        alice->expects(receipt("r"));
        crashes();
        EXPECT_EQ(stored_names(), (Texts{queue})) << header;
        EXPECT_EQ(drained(queue), (Texts{"1"})) << header;
    }
}

TEST_P(DurableFeatures, P_SUB_14_AnIdleLifeCountsFromTheStart) {
    sends_all(1, 3, queue, [](Outgoing& frame, int) { frame.header("x-expires", "5000"); });
    broker->advance(std::chrono::seconds(4));
    crashes();
    broker->drives(store.get());
    broker->advance(std::chrono::seconds(4));
    EXPECT_EQ(stored_names(), (Texts{queue}));
    broker->advance(std::chrono::seconds(2));
    EXPECT_EQ(stored_names(), Texts());
}

// Crashes at every stored batch of a queue that goes and comes back under the same name.
TEST_P(DurableFeatures, P_SEND_07_WhatWasConfirmedToTheNewQueueIsThere) {
    for (std::size_t batches = 0; batches < 12; ++batches) {
        starts();
        bob->sends(subscribe("b", queue, "client").header("auto-delete", "true"));
        alice->sends(send(queue, "old"));
        holds();
        bob->drops();
        alice->sends(send(queue, "new").receipt("r"));
        for (std::size_t i = 0; i < batches; ++i) {
            commits_one(static_cast<unsigned>(i) % shards());
        }
        const bool is_confirmed = !alice->received().empty();
        crashes();
        const Texts left = drained(queue);
        const bool is_there = std::find(left.begin(), left.end(), "new") != left.end();
        EXPECT_TRUE(is_there || !is_confirmed) << batches;
        EXPECT_LE(left.size(), 1U) << batches;
    }
}

namespace {

/// A queue's life against a list of messages.
class QueueModel {
public:
    struct Each {
        int number = 0;
        bool is_stored = false;
        std::optional<engine::Instant> expires;
    };

    void expire(engine::Instant now) {
        std::erase_if(waiting, [&](const Each& each) {
            return each.expires && *each.expires <= now;
        });
    }

    [[nodiscard]] std::vector<int> numbers() const {
        std::vector<int> out;
        for (const Each& each : waiting) {
            out.push_back(each.number);
        }
        return out;
    }

    std::vector<Each> waiting;
};

}  // namespace

TEST_P(DurableFeatures, P_QOS_02_P_SUB_12_P_ACK_07_RandomLivesOfAQueue) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937_64 random(seed);
        const auto below = [&](std::size_t bound) { return random() % bound; };
        settings.limits.queue_memory_bytes = 500 + below(6000);
        settings.limits.delivery_limit = 1000;
        starts();
        QueueModel model;
        int last = 0;
        const bool has_letters = seed % 2 == 0;
        const bool has_unstored = seed % 3 == 0;
        Outgoing maker = subscribe("make", queue);
        if (has_letters) {
            maker.header("x-dead-letter-exchange", "");
            maker.header("x-dead-letter-routing-key", "graves");
        }
        alice->sends(maker);
        alice->sends(unsubscribe("make"));
        for (int step = 0; step < 40 && !HasFailure(); ++step) {
            const std::size_t choice = below(10);
            if (choice < 4) {
                const auto number = static_cast<int>(1 + below(40));
                for (int i = 0; i < number; ++i) {
                    Outgoing frame = send(queue, text_of(++last));
                    QueueModel::Each each{last, true, {}};
                    if (has_unstored && below(4) == 0) {
                        each.is_stored = false;
                        frame.header("persistent", "false");
                    }
                    if (below(3) == 0) {
                        const std::size_t ttl = 500 + below(5000);
                        each.expires = broker->shards().now() + engine::Instant(ttl);
                        frame.header("ttl", std::to_string(ttl));
                    }
                    writes(frame);
                    model.waiting.push_back(each);
                }
                broker->settle();
            } else if (choice < 7) {
                // Somebody takes some, acknowledges some of these, and goes.
                const auto client = connected_client();
                const std::size_t window = 1 + below(30);
                client->sends(subscribe("c", queue, "client-individual")
                                  .header("prefetch-count", std::to_string(window)));
                for (std::size_t number = below(40); number > 0 && !client->received().empty();
                     --number) {
                    const Received frame = client->take();
                    const auto found = std::find_if(
                        model.waiting.begin(),
                        model.waiting.end(),
                        [&](const auto& each) { return each.number == number_of(frame.body); }
                    );
                    ASSERT_NE(found, model.waiting.end()) << frame.body;
                    if (below(4) == 0) { continue; }
                    model.waiting.erase(found);
                    client->sends(ack(frame.token()));
                }
                client->drops();
            } else if (choice < 9) {
                broker->advance(engine::Instant(below(1500)));
                model.expire(broker->shards().now());
            } else if (below(2) == 0) {
                below(2) == 0 ? restarts() : crashes();
                broker->drives(store.get());
                broker->settle();
                std::erase_if(model.waiting, [](const auto& each) { return !each.is_stored; });
                // The new broker's clock begins anew.
                const auto expires = [](const auto& each) { return each.expires.has_value(); };
                std::erase_if(model.waiting, expires);
                broker->advance(std::chrono::seconds(100));
            }
            EXPECT_EQ(depth(queue), model.waiting.size());
            if (below(3) == 0) { EXPECT_EQ(browsed(queue), model.numbers()); }
        }
        EXPECT_EQ(numbers_of(drained(queue)), model.numbers());
        EXPECT_EQ(octets(queue), 0U);
        EXPECT_EQ(stored(queue), 0U);
        EXPECT_EQ(broker->counters().messages_damaged, 0U);
        if (HasFailure()) { return; }
    }
}

RUN_SCRIPTS_ON_SHARDS(DurableFeatures);

}  // namespace support
