// Transactions and dead letters with a store: all or nothing on every shard, wherever the broker
// dies (P-TX-04; durability.md, contract 5 and 9).
#include "tests/support/durable_script.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace support {

namespace {

using Client = std::unique_ptr<TestClient>;

class DurableTransaction : public DurableScript {
protected:
    /// A message on each shard, at Carol's, unacknowledged; the tokens.
    Texts delivered_to_carol() {
        Texts tokens;
        for (unsigned shard = 0; shard < shards(); ++shard) {
            const std::string queue = queue_at(shard, "in");
            alice->sends(send(queue, "in" + std::to_string(shard)));
            carol->sends(subscribe(queue, queue, "client-individual"));
            tokens.push_back(carol->take().token());
        }
        return tokens;
    }

    [[nodiscard]] std::size_t left(const std::string& prefix) {
        std::size_t number = 0;
        for (unsigned shard = 0; shard < shards(); ++shard) {
            number += drained(queue_at(shard, prefix)).size();
        }
        return number;
    }
};

}  // namespace

TEST_P(DurableTransaction, P_RCPT_03_ACommitIsConfirmedOnceAllOfItIsStored) {
    const Texts tokens = delivered_to_carol();
    holds();
    carol->sends(begin("t").receipt("b"));
    carol->expects(receipt("b"));
    for (unsigned shard = 0; shard < shards(); ++shard) {
        carol->sends(send(queue_at(shard), "x").transaction("t").receipt("s"));
        carol->expects(receipt("s"));
        carol->sends(ack(tokens[shard]).transaction("t").receipt("a"));
        carol->expects(receipt("a"));
    }
    carol->sends(commit("t").receipt("c"));
    carol->expects_nothing();
    commits();
    carol->expects(receipt("c"));
    crashes();
    EXPECT_EQ(left("in"), 0U);
    EXPECT_EQ(left("q"), shards());
}

TEST_P(DurableTransaction, D_CONTRACT_5_WhereverItDiesAllOrNothing) {
    crashes_at_every_point(
        [&] {
            const Texts tokens = delivered_to_carol();
            holds();
            for (unsigned shard = 0; shard < shards(); ++shard) {
                alice->sends(send(queue_at(shard, "before"), "x"));
            }
            carol->sends(begin("t"));
            for (unsigned shard = 0; shard < shards(); ++shard) {
                carol->sends(send(queue_at(shard), "x").transaction("t"));
                carol->sends(ack(tokens[shard]).transaction("t"));
            }
            carol->sends(commit("t"));
            for (unsigned shard = 0; shard < shards(); ++shard) {
                alice->sends(send(queue_at(shard, "after"), "x"));
            }
        },
        [&] {
            const std::size_t sent = left("q");
            EXPECT_TRUE(sent == 0 || sent == shards()) << sent;
            EXPECT_EQ(left("in"), shards() - sent);
        }
    );
}

TEST_P(DurableTransaction, D_CONTRACT_5_TwoTransactionsAcrossTheSameShards) {
    crashes_at_every_point(
        [&] {
            holds();
            for (const std::string name : {"one", "two"}) {
                alice->sends(begin(name)).sends(send(queue_at(0, name), "x").transaction(name));
                alice->sends(send(queue_at(1, name), "x").transaction(name));
                bob->sends(send(queue_at(2, "between"), "x"));
                alice->sends(commit(name));
            }
        },
        [&] {
            const std::size_t one = left("one");
            const std::size_t two = left("two");
            EXPECT_TRUE(one == 0 || one == 2) << one;
            EXPECT_TRUE(two == 0 || two == 2) << two;
            EXPECT_LE(two, one);
        }
    );
}

TEST_P(DurableTransaction, D_CONTRACT_5_CopiesForDurableSubscriptionsArePartOfIt) {
    const Texts names = {"a", "b", "c", "d"};
    const auto attached = [&](const std::string& name) {
        Client client = connected_client();
        client->sends(subscribe("1", "/topic/a").header("activemq.subscriptionName", name));
        return client;
    };
    crashes_at_every_point(
        [&] {
            for (const std::string& name : names) {
                (void)attached(name);
            }
            holds();
            alice->sends(begin("t")).sends(send("/topic/a", "x").transaction("t"));
            alice->sends(send(queue_at(0), "x").transaction("t")).sends(commit("t"));
        },
        [&] {
            const std::size_t sent = drained(queue_at(0)).size();
            for (const std::string& name : names) {
                EXPECT_EQ(bodies(*attached(name)).size(), sent) << name;
            }
        }
    );
}

// Whatever shard works first.
TEST_P(DurableTransaction, P_SEND_02_ACommitDoesNotOvertakeEarlierMessages) {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        storage::MemoryStore disk;
        engine::RouterSettings on_disk;
        on_disk.store = &disk;
        TestBroker any(shards(), seed, WorkOrder::random, on_disk);
        any.drives(&disk);
        TestClient publisher(any);
        publisher.connects();
        TestClient subscriber(any);
        subscriber.connects();
        Outgoing attaches = subscribe("1", "/topic/*");
        attaches.header("activemq.subscriptionName", std::to_string(seed));
        subscriber.sends(attaches);
        const std::string topic = topic_at(static_cast<unsigned>(seed / 7));
        publisher.writes(
            send(topic, "1").encoded(protocol::Version::v1_2) +
            begin("t").encoded(protocol::Version::v1_2) +
            send(topic, "2").transaction("t").encoded(protocol::Version::v1_2) +
            commit("t").encoded(protocol::Version::v1_2) +
            send(topic, "3").encoded(protocol::Version::v1_2)
        );
        any.settle();
        EXPECT_EQ(bodies(subscriber), (Texts{"1", "2", "3"})) << seed;
    }
}

TEST_P(DurableTransaction, P_TX_04_NothingIsSeenBeforeItIsStored) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        bob->sends(subscribe(std::to_string(shard), queue_at(shard)));
    }
    holds();
    alice->sends(begin("t"));
    for (unsigned shard = 0; shard < shards(); ++shard) {
        alice->sends(send(queue_at(shard), "x").transaction("t"));
    }
    alice->sends(commit("t"));
    bob->expects_nothing();
    commits();
    EXPECT_EQ(bodies(*bob).size(), shards());
}

TEST_P(DurableTransaction, P_TX_05_AnAbortLeavesNothing) {
    const Texts tokens = delivered_to_carol();
    for (const bool disconnects : {false, true}) {
        const Client client = connected_client();
        client->sends(begin("t"));
        for (unsigned shard = 0; shard < shards(); ++shard) {
            client->sends(send(queue_at(shard), "x").transaction("t"));
        }
        if (disconnects) {
            client->drops();
        } else {
            client->sends(abort("t").receipt("a"));
            client->expects(receipt("a"));
        }
    }
    carol->sends(begin("t")).sends(ack(tokens[0]).transaction("t"));
    crashes();
    EXPECT_EQ(left("q"), 0U);
    EXPECT_EQ(left("in"), shards());
}

TEST_P(DurableTransaction, P_TX_04_ALowDiskRefusesTheWholeCommit) {
    const Texts tokens = delivered_to_carol();
    carol->sends(begin("t")).sends(ack(tokens[0]).transaction("t"));
    carol->sends(send(queue_at(1, "m"), "x").header("durable", "false").transaction("t"));
    carol->sends(send(queue_at(1), "x").transaction("t"));
    store->set_disk_low(true);
    carol->sends(commit("t").receipt("c"));
    EXPECT_EQ(carol->expects_error("disk-full").value("receipt-id"), "c");
    store->set_disk_low(false);
    EXPECT_EQ(drained(queue_at(1, "m")), Texts{});
    EXPECT_EQ(left("q"), 0U);
    EXPECT_EQ(left("in"), shards());
}

TEST_P(DurableTransaction, P_TX_04_ACommitOfAcknowledgementsPassesALowDisk) {
    const Texts tokens = delivered_to_carol();
    store->set_disk_low(true);
    carol->sends(begin("t"));
    for (const std::string& token : tokens) {
        carol->sends(ack(token).transaction("t"));
    }
    carol->sends(commit("t").receipt("c"));
    carol->expects(receipt("c"));
    crashes();
    EXPECT_EQ(left("in"), 0U);
}

TEST_P(DurableTransaction, D_FS_01_AFailureRefusesACommitThatWaits) {
    holds();
    alice->sends(begin("t"));
    for (unsigned shard = 0; shard < shards(); ++shard) {
        alice->sends(send(queue_at(shard), "x").transaction("t"));
    }
    alice->sends(commit("t").receipt("c"));
    store->fail("broken");
    broker->settle();
    EXPECT_EQ(alice->expects_error("storage-failed").value("receipt-id"), "c");
}

TEST_P(DurableTransaction, D_FS_01_ADisconnectBehindALostCommitIsNotConfirmed) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        starts();
        holds();
        alice->sends(begin("t")).sends(send(queue_at(shard), "x").transaction("t"));
        alice->sends(commit("t"));
        store->fail("broken");
        broker->settle();
        alice->sends(disconnect().receipt("bye"));
        (void)alice->expects_error("storage-failed");
    }
}

TEST_P(DurableTransaction, P_RCPT_05_DisconnectWaitsForACommit) {
    holds();
    alice->sends(begin("t"));
    for (unsigned shard = 0; shard < shards(); ++shard) {
        alice->sends(send(queue_at(shard), "x").transaction("t"));
    }
    alice->sends(commit("t")).sends(disconnect().receipt("bye"));
    alice->expects_nothing();
    commits();
    alice->expects(receipt("bye"));
    crashes();
    EXPECT_EQ(left("q"), shards());
}

TEST_P(DurableTransaction, D_CONTRACT_9_ADeadLetterIsInExactlyOneQueue) {
    crashes_at_every_point(
        [&] {
            const Texts tokens = delivered_to_carol();
            holds();
            for (const std::string& token : tokens) {
                carol->sends(nack(token).header("requeue", "false"));
            }
            for (unsigned shard = 0; shard < shards(); ++shard) {
                alice->sends(send(queue_at(shard, "after"), "x"));
            }
        },
        [&] {
            for (unsigned shard = 0; shard < shards(); ++shard) {
                const std::string queue = queue_at(shard, "in");
                const std::size_t here = drained(queue).size();
                const std::size_t there = drained("/queue/DLQ." + queue.substr(7)).size();
                EXPECT_EQ(here + there, 1U);
            }
        }
    );
}

TEST_P(DurableTransaction, D_CONTRACT_9_ARejectionInATransactionGoesWithIt) {
    crashes_at_every_point(
        [&] {
            const Texts tokens = delivered_to_carol();
            holds();
            carol->sends(begin("t"));
            for (const std::string& token : tokens) {
                carol->sends(nack(token).header("requeue", "false").transaction("t"));
            }
            carol->sends(send(queue_at(1), "x").transaction("t")).sends(commit("t"));
        },
        [&] {
            const bool has_happened = drained(queue_at(1)).size() == 1;
            for (unsigned shard = 0; shard < shards(); ++shard) {
                const std::string queue = queue_at(shard, "in");
                const std::size_t here = drained(queue).size();
                const std::size_t there = drained("/queue/DLQ." + queue.substr(7)).size();
                EXPECT_EQ(here, has_happened ? 0U : 1U);
                EXPECT_EQ(there, has_happened ? 1U : 0U);
            }
        }
    );
}

TEST_P(DurableTransaction, P_RCPT_03_TheReceiptOfARejectionMeansTheLetterIsStored) {
    const Texts tokens = delivered_to_carol();
    holds();
    for (const std::string& token : tokens) {
        carol->sends(nack(token).header("requeue", "false").receipt("n"));
    }
    carol->expects_nothing();
    commits();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        carol->expects(receipt("n"));
    }
    crashes();
    EXPECT_EQ(left("in"), 0U);
    for (unsigned shard = 0; shard < shards(); ++shard) {
        EXPECT_EQ(drained("/queue/DLQ." + queue_at(shard, "in").substr(7)).size(), 1U);
    }
}

TEST_P(DurableTransaction, D_CONTRACT_9_TheLimitOfQueuesLosesNoLetter) {
    settings.limits.queues_max = shards();
    starts();
    const std::string queue = queue_at(1);
    alice->sends(send(queue, "x").receipt("r"));
    alice->expects(receipt("r"));
    // Every shard has as many as it may have.
    for (unsigned shard = 0; shard < shards(); ++shard) {
        const std::string other = queue_at(shard, "full");
        if (shard != 1 % shards()) { bob->sends(subscribe(other, other)); }
    }
    carol->sends(subscribe("1", queue, "client-individual"));
    carol->sends(nack(carol->take().token()).header("requeue", "false").receipt("n"));
    carol->expects(receipt("n"));
    crashes();
    EXPECT_EQ(drained("/queue/DLQ." + queue.substr(7)), Texts{"x"});
}

TEST_P(DurableTransaction, P_ACK_11_TheLetterOfAMemoryQueueIsOne) {
    const std::string queue = queue_at(1);
    alice->sends(send(queue, "x").header("durable", "false"));
    carol->sends(subscribe("1", queue, "client-individual"));
    carol->sends(nack(carol->take().token()).header("requeue", "false").receipt("n"));
    carol->expects(receipt("n"));
    EXPECT_EQ(drained("/queue/DLQ." + queue.substr(7)), Texts{"x"});
}

RUN_SCRIPTS_ON_SHARDS(DurableTransaction);

}  // namespace support
