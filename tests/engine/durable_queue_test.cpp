// Durable queues: what is confirmed is stored, delivered after that, and there after a crash
// (P-DEST-11, P-SEND-09, P-RCPT-02; durability.md, sections 1, 2, 4 and 5).
#include "tests/support/durable_script.hpp"

#include <string>
#include <vector>

namespace support {

namespace {

using protocol::Command;

class DurableQueue : public DurableScript {
protected:
    void sends(const std::string& queue, const Texts& texts) {
        for (const std::string& text : texts) {
            alice->sends(send(queue, text));
        }
    }

    /// Carol, as a consumer of `queue`.
    void carol_consumes(const std::string& queue, const std::string& prefetch = "100") {
        carol->sends(subscribe("1", queue, "client-individual").header("prefetch-count", prefetch));
    }

    void carol_acks(const std::string& body) {
        carol->sends(ack(carol->expects(message("1", body)).token()));
    }
};

Texts numbers(int first, int last) {
    Texts texts;
    for (int i = first; i <= last; ++i) {
        texts.push_back(std::to_string(i));
    }
    return texts;
}

/// The same with marks.
Texts marked(Texts texts) {
    for (std::string& text : texts) {
        text += "*";
    }
    return texts;
}

}  // namespace

TEST_P(DurableQueue, P_RCPT_02_D_COM_03_ASendIsConfirmedOnceItIsStored) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        holds();
        alice->sends(send(queue_at(shard), "x").receipt("r"));
        alice->expects_nothing();
        commits();
        alice->expects(receipt("r"));
        alice->expects_nothing();
    }
}

TEST_P(DurableQueue, P_RCPT_02_WhatIsConfirmedIsThereAfterACrash) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        alice->sends(send(queue_at(shard), "confirmed").receipt("r"));
        alice->expects(receipt("r"));
        holds();
        alice->sends(send(queue_at(shard), "on its way").receipt("r"));
        alice->expects_nothing();
        crashes();
        EXPECT_EQ(drained(queue_at(shard)), Texts{"confirmed"});
    }
}

TEST_P(DurableQueue, P_RCPT_02_TheMessageIsTheSameAfterACrash) {
    const std::string body("a\0b\n\n\xFF", 6);
    alice->sends(send(queue_at(1), body)
                     .header("content-type", "text/x;y=1")
                     .header("odd:name", "back\\slash\nline\rreturn")
                     .header("empty", "")
                     .receipt("r"));
    alice->expects(receipt("r"));
    crashes();
    bob->sends(subscribe("1", queue_at(1)));
    bob->expects(message("1", body)
                     .header("destination", queue_at(1))
                     .header("content-type", "text/x;y=1")
                     .header("odd:name", "back\\slash\nline\rreturn")
                     .header("empty", "")
                     .header("content-length", "6"));
}

TEST_P(DurableQueue, P_RCPT_04_ReceiptsStayInOrderWhateverIsStoredFirst) {
    holds();
    alice->sends(send(queue_at(0), "1").receipt("1"));
    alice->sends(send(queue_at(0, "m"), "2").header("durable", "false").receipt("2"));
    alice->sends(send(queue_at(1), "3").receipt("3"));
    alice->sends(send("/topic/a", "4").receipt("4"));
    alice->sends(send(queue_at(2), "5").receipt("5"));
    alice->sends(send(queue_at(0), "6").receipt("6"));
    alice->sends(send(queue_at(1), "7").header("persistent", "false").receipt("7"));
    alice->expects_nothing();
    for (unsigned shard = shards() - 1; shard > 0; --shard) {
        (void)store->commit(shard, 10);
        broker->settle();
        alice->expects_nothing();
    }
    commits();
    for (const std::string& id : numbers(1, 7)) {
        alice->expects(receipt(id));
    }
    alice->expects_nothing();
}

TEST_P(DurableQueue, P_RCPT_04_AReceiptThatIsDueDoesNotWaitForLaterOnes) {
    holds();
    alice->sends(send(queue_at(0), "1").receipt("1"));
    alice->sends(send(queue_at(0), "2").receipt("2"));
    commits_one(0);
    alice->expects(receipt("1"));
    alice->expects_nothing();
    commits_one(0);
    alice->expects(receipt("2"));
}

TEST_P(DurableQueue, P_RCPT_05_DisconnectWaitsForEarlierSends) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        holds();
        const auto client = connected_client();
        client->sends(send(queue_at(shard), "no receipt asked"));
        client->sends(disconnect().receipt("bye"));
        client->expects_nothing();
        commits();
        client->expects(receipt("bye"));
        client->expects_closed(1000);
        crashes();
        EXPECT_EQ(drained(queue_at(shard)), Texts{"no receipt asked"});
    }
}

TEST_P(DurableQueue, P_RCPT_05_DisconnectWaitsForEveryStoreThatItSentTo) {
    holds();
    alice->sends(send(queue_at(0), "0"));
    alice->sends(send(queue_at(1), "1"));
    alice->sends(send(queue_at(2), "2"));
    alice->sends(disconnect().receipt("bye"));
    for (unsigned shard = shards(); shard-- > 0;) {
        alice->expects_nothing();
        while (store->waiting(shard) != 0) {
            commits_one(shard);
        }
    }
    commits();
    alice->expects(receipt("bye"));
    alice->expects_closed(1000);
}

TEST_P(DurableQueue, D_COM_03_NothingIsDeliveredBeforeItIsStored) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        broker->drives(store.get());
        bob->sends(subscribe(std::to_string(shard), queue_at(shard)));
        holds();
        alice->sends(send(queue_at(shard), "x"));
        bob->expects_nothing();
        commits();
        bob->expects(message(std::to_string(shard), "x").without("redelivered"));
    }
}

TEST_P(DurableQueue, D_LSM_06_NothingIsDeliveredBeforeItsBoundIsStored) {
    sends(queue_at(1), {"1", "2"});
    holds();
    carol_consumes(queue_at(1));
    carol->expects_nothing();
    crashes();
    holds();
    carol_consumes(queue_at(1));
    carol->expects_nothing();
    commits();
    // Nobody had seen them: they are not marked.
    EXPECT_EQ(bodies(*carol), numbers(1, 2));
    crashes();
    EXPECT_EQ(drained(queue_at(1)), marked(numbers(1, 2)));
}

TEST_P(DurableQueue, D_LSM_06_EveryDeliveryBeforeACrashIsMarkedAfterIt) {
    for (int number = 1; number <= 5000; ++number) {
        alice->writes(send(queue_at(1), std::to_string(number)).encoded(protocol::Version::v1_2));
    }
    broker->settle();
    bob->sends(subscribe("1", queue_at(1), "client").header("prefetch-count", "3000"));
    const Texts seen = bodies(*bob);
    ASSERT_EQ(seen, numbers(1, 3000));
    crashes();
    const Texts left = drained(queue_at(1));
    ASSERT_EQ(left.size(), 5000U);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        ASSERT_EQ(left[i], seen[i] + "*");
    }
}

TEST_P(DurableQueue, D_COM_04_EarlyDeliveryDoesNotWaitForTheStore) {
    settings.limits.early_delivery = true;
    starts();
    carol_consumes(queue_at(1));
    holds();
    alice->sends(send(queue_at(1), "x").receipt("r"));
    carol->sends(ack(carol->expects(message("1", "x")).token()).receipt("acked"));
    carol->expects_nothing();
    alice->expects_nothing();
    commits();
    alice->expects(receipt("r"));
    carol->expects(receipt("acked"));
    crashes();
    EXPECT_EQ(drained(queue_at(1)), Texts{});
}

TEST_P(DurableQueue, D_COM_04_AnEarlyDeliveryOfWhatIsStoredIsMarkedAfterACrash) {
    settings.limits.early_delivery = true;
    starts();
    sends(queue_at(1), numbers(1, 3));
    holds();
    carol_consumes(queue_at(1));
    Texts seen = bodies(*carol);
    crashes();
    Texts left = drained(queue_at(1));
    ASSERT_EQ(left.size(), 3U);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(left[i], seen[i] + "*");
    }
}

TEST_P(DurableQueue, P_RCPT_03_AnAckIsConfirmedOnceItIsStored) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        sends(queue_at(shard), numbers(1, 2));
        carol_consumes(queue_at(shard));
        holds();
        carol->sends(ack(carol->expects(message("1", "1")).token()).receipt("r"));
        carol->expects(message("1", "2"));
        carol->expects_nothing();
        commits();
        carol->expects(receipt("r"));
        crashes();
        EXPECT_EQ(drained(queue_at(shard)), Texts{"2*"});
    }
}

TEST_P(DurableQueue, P_ACK_04_ACumulativeAckIsStoredWhole) {
    sends(queue_at(1), numbers(1, 5));
    carol->sends(subscribe("1", queue_at(1), "client"));
    std::string third;
    for (int i = 0; i < 3; ++i) {
        third = carol->take().token();
    }
    carol->sends(ack(third).receipt("r"));
    (void)carol->take();
    (void)carol->take();
    carol->expects(receipt("r"));
    crashes();
    EXPECT_EQ(drained(queue_at(1)), marked({"4", "5"}));
}

TEST_P(DurableQueue, P_ACK_01_AnAutomaticAckIsStored) {
    bob->sends(subscribe("1", queue_at(1)));
    sends(queue_at(1), numbers(1, 3));
    EXPECT_EQ(bodies(*bob), numbers(1, 3));
    crashes();
    EXPECT_EQ(drained(queue_at(1)), Texts{});
}

TEST_P(DurableQueue, C_6_AnAckThatWasLostMeansRedelivery) {
    sends(queue_at(1), {"1"});
    carol_consumes(queue_at(1));
    holds();
    carol_acks("1");
    crashes();
    carol_consumes(queue_at(1));
    carol->expects(message("1", "1").header("redelivered", "true").header("x-delivery-count", "2"));
}

TEST_P(DurableQueue, D_LSM_06_DeliveryCountsAreStored) {
    sends(queue_at(1), {"1"});
    carol_consumes(queue_at(1));
    for (int i = 0; i < 4; ++i) {
        carol->sends(nack(carol->expects(message("1", "1")).token()));
    }
    carol->expects(message("1", "1").header("x-delivery-count", "5"));
    crashes();
    carol_consumes(queue_at(1));
    carol->expects(message("1", "1").header("redelivered", "true").header("x-delivery-count", "5"));
    restarts();
    carol_consumes(queue_at(1));
    carol->expects(message("1", "1").header("x-delivery-count", "6"));
}

TEST_P(DurableQueue, P_ACK_10_TheDeliveryLimitCountsOverRestarts) {
    settings.limits.delivery_limit = 4;
    starts();
    sends(queue_at(1), {"1"});
    for (int i = 0; i < 4; ++i) {
        carol_consumes(queue_at(1));
        carol->expects(message("1", "1"));
        restarts();
    }
    EXPECT_EQ(drained(queue_at(1)), Texts{});
    bob->sends(subscribe("1", "/queue/DLQ." + queue_at(1).substr(7)));
    bob->expects(message("1", "1").header("x-death-reason", "delivery-limit"));
}

TEST_P(DurableQueue, D_RUN_03_AfterACleanStopOnlyWhatWasDeliveredIsMarked) {
    sends(queue_at(1), numbers(1, 20));
    carol_consumes(queue_at(1), "5");
    EXPECT_EQ(bodies(*carol), numbers(1, 5));
    restarts();
    Texts expected = marked(numbers(1, 5));
    const Texts rest = numbers(6, 20);
    expected.insert(expected.end(), rest.begin(), rest.end());
    EXPECT_EQ(drained(queue_at(1)), expected);
}

TEST_P(DurableQueue, C_6_AMarkOutlivesASecondCrash) {
    sends(queue_at(1), numbers(1, 3));
    carol_consumes(queue_at(1));
    crashes();
    restarts();
    crashes();
    EXPECT_EQ(drained(queue_at(1)), marked(numbers(1, 3)));
}

TEST_P(DurableQueue, P_SEND_09_WhatIsNotPersistentIsGoneAfterARestart) {
    for (int number = 1; number <= 6; ++number) {
        const std::string persistent = number % 2 == 0 ? "false" : "true";
        alice->sends(
            send(queue_at(1), std::to_string(number)).header("persistent", persistent).receipt("r")
        );
        alice->expects(receipt("r"));
    }
    restarts();
    EXPECT_EQ(drained(queue_at(1)), (Texts{"1", "3", "5"}));
}

TEST_P(DurableQueue, P_SEND_09_WhatIsNotPersistentKeepsItsPlace) {
    holds();
    for (int number = 1; number <= 9; ++number) {
        const std::string persistent = number % 3 == 0 ? "true" : "false";
        alice->sends(send(queue_at(1), std::to_string(number)).header("persistent", persistent));
    }
    carol_consumes(queue_at(1));
    // Nothing is stored before these.
    EXPECT_EQ(bodies(*carol), numbers(1, 2));
    commits();
    EXPECT_EQ(bodies(*carol), numbers(3, 9));
}

TEST_P(DurableQueue, P_SEND_09_WhatIsNotPersistentIsConfirmedAtOnce) {
    holds();
    alice->sends(send(queue_at(1, "other"), "x"));
    alice->sends(send(queue_at(1), "x").header("persistent", "false").receipt("r"));
    alice->expects(receipt("r"));
}

TEST_P(DurableQueue, P_DEST_11_AQueueThatIsNotDurableIsNotStored) {
    holds();
    alice->sends(send(queue_at(1), "x").header("durable", "false").receipt("r"));
    alice->expects(receipt("r"));
    bob->sends(subscribe("1", queue_at(1)));
    bob->expects(message("1", "x").without("durable"));
    restarts();
    EXPECT_EQ(stored_names(), Texts{});
    EXPECT_EQ(drained(queue_at(1)), Texts{});
}

TEST_P(DurableQueue, P_DEST_11_TemporaryQueuesAreNotStored) {
    holds();
    alice->sends(subscribe("/temp-queue/a", "/temp-queue/a"));
    alice->sends(send("/temp-queue/a", "x").receipt("r"));
    alice->expects(message("/temp-queue/a", "x"));
    alice->expects(receipt("r"));
    EXPECT_EQ(stored_names(), Texts{});
}

TEST_P(DurableQueue, P_DEST_11_APolicyDecides) {
    settings.policies = {{"/queue/fast.*", {}, false}};
    starts();
    holds();
    alice->sends(send("/queue/fast.a", "x").header("durable", "true").receipt("r"));
    alice->expects(receipt("r"));
    alice->sends(send("/queue/safe", "x").receipt("s"));
    alice->expects_nothing();
    commits();
    alice->expects(receipt("s"));
    EXPECT_EQ(stored_names(), Texts{"/queue/safe"});
}

TEST_P(DurableQueue, P_SUB_14_AnotherDurabilityThanTheQueuesIsRefused) {
    sends(queue_at(1), {"x"});
    alice->sends(send(queue_at(1), "y").header("durable", "true").receipt("same"));
    alice->expects(receipt("same"));
    alice->sends(send(queue_at(1), "z").header("durable", "false").receipt("r"));
    const Received refused = alice->expects_error("bad-header");
    EXPECT_EQ(refused.value("receipt-id"), "r");
    EXPECT_NE(refused.body.find("durable:true, not false"), std::string::npos);
    bob->sends(send(queue_at(1, "m"), "x").header("durable", "false"));
    for (const std::string name : {"durable", "persistent"}) {
        const auto client = connected_client();
        client->sends(subscribe("1", queue_at(1, "m")).header(name, "true"));
        const Received other = client->expects_error("bad-header");
        EXPECT_NE(other.body.find("durable:false, not true"), std::string::npos);
    }
    EXPECT_EQ(drained(queue_at(1)), (Texts{"x", "y"}));
}

TEST_P(DurableQueue, D_FULL_01_ALowDiskRefusesSendsAndServesConsumers) {
    sends(queue_at(1), numbers(1, 3));
    store->set_disk_low(true);
    alice->sends(send(queue_at(1), "4").receipt("r"));
    EXPECT_EQ(alice->expects_error("disk-full").value("receipt-id"), "r");
    const auto other = connected_client();
    other->sends(send(queue_at(1), "5"));
    (void)other->expects_error("disk-full");
    bob->sends(send(queue_at(1, "m"), "x").header("durable", "false").receipt("m"));
    bob->expects(receipt("m"));
    bob->sends(send(queue_at(1), "6").header("persistent", "false").receipt("p"));
    bob->expects(receipt("p"));
    carol_consumes(queue_at(1));
    carol->sends(ack(carol->expects(message("1", "1")).token()).receipt("a"));
    EXPECT_EQ(carol->take().body, "2");
    EXPECT_EQ(carol->take().body, "3");
    EXPECT_EQ(carol->take().body, "6");
    carol->expects(receipt("a"));
    store->set_disk_low(false);
    bob->sends(send(queue_at(1), "7").receipt("again"));
    bob->expects(receipt("again"));
    crashes();
    EXPECT_EQ(drained(queue_at(1)), (Texts{"2*", "3*", "7*"}));
}

TEST_P(DurableQueue, D_FULL_01_ALowDiskStillTakesDeadLetters) {
    sends(queue_at(1), {"1"});
    store->set_disk_low(true);
    carol_consumes(queue_at(1));
    carol->sends(nack(carol->expects(message("1", "1")).token()).header("requeue", "false"));
    crashes();
    EXPECT_EQ(drained("/queue/DLQ." + queue_at(1).substr(7)), Texts{"1"});
}

TEST_P(DurableQueue, D_FS_01_AFailureRefusesWhatWaits) {
    holds();
    alice->sends(send(queue_at(0), "1").receipt("1"));
    bob->sends(send(queue_at(2), "2").receipt("2"));
    store->fail("no more");
    broker->settle();
    EXPECT_EQ(alice->expects_error("storage-failed").value("receipt-id"), "1");
    const Received refused = bob->expects_error("storage-failed");
    EXPECT_EQ(refused.value("receipt-id"), "2");
    EXPECT_EQ(refused.body.find("no more"), std::string::npos);
}

TEST_P(DurableQueue, D_FS_01_NothingIsConfirmedAfterAFailure) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        starts();
        const std::string queue = queue_at(shard);
        sends(queue, numbers(1, 2));
        carol_consumes(queue);
        const std::string token = carol->expects(message("1", "1")).token();
        carol->expects(message("1", "2"));
        store->fail("broken");
        broker->settle();
        alice->sends(send(queue, "x").receipt("r"));
        EXPECT_EQ(alice->expects_error("storage-failed").value("receipt-id"), "r");
        bob->sends(begin("t")).sends(send(queue, "y").transaction("t"));
        bob->sends(commit("t").receipt("c"));
        EXPECT_EQ(bob->expects_error("storage-failed").value("receipt-id"), "c");
        carol->sends(ack(token).receipt("a"));
        EXPECT_EQ(carol->expects_error("storage-failed").value("receipt-id"), "a");
    }
}

TEST_P(DurableQueue, D_FS_01_ADisconnectBehindALostSendIsNotConfirmed) {
    for (unsigned shard = 0; shard < shards(); ++shard) {
        starts();
        holds();
        alice->sends(send(queue_at(shard), "lost"));
        store->fail("broken");
        broker->settle();
        alice->sends(disconnect().receipt("bye"));
        EXPECT_EQ(alice->expects_error("storage-failed").value("receipt-id"), "bye");
        bob->sends(send(queue_at(shard), "lost")).sends(disconnect().receipt("bye"));
        (void)bob->expects_error("storage-failed");
    }
}

TEST_P(DurableQueue, D_FS_01_MemoryDestinationsGoOnAfterAFailure) {
    sends(queue_at(1), {"1"});
    for (unsigned shard = 0; shard < shards(); ++shard) {
        const std::string queue = queue_at(shard, "m");
        bob->sends(subscribe(queue, queue).header("durable", "false"));
    }
    bob->sends(subscribe("t", "/topic/a"));
    holds();
    carol->sends(send(queue_at(0), "x").receipt("lost"));
    store->fail("broken");
    broker->settle();
    (void)carol->expects_error("storage-failed");
    for (unsigned shard = 0; shard < shards(); ++shard) {
        const std::string queue = queue_at(shard, "m");
        alice->sends(send(queue, "x").receipt("r"));
        alice->expects(receipt("r"));
        bob->expects(message(queue, "x"));
    }
    alice->sends(send("/topic/a", "x").receipt("t"));
    alice->expects(receipt("t"));
    bob->expects(message("t", "x"));
    alice->sends(begin("t")).sends(send(queue_at(1, "m"), "y").transaction("t"));
    alice->sends(commit("t").receipt("c"));
    alice->expects(receipt("c"));
    bob->expects(message(queue_at(1, "m"), "y"));
}

TEST_P(DurableQueue, P_DEST_10_AnUnusedQueueIsRemovedFromTheStore) {
    settings.limits.unused_destination_life = std::chrono::seconds(60);
    starts();
    sends(queue_at(1), {"1"});
    sends(queue_at(1, "kept"), {"2"});
    EXPECT_EQ(drained(queue_at(1)), Texts{"1"});
    EXPECT_EQ(stored_names().size(), 2U);
    // The next SEND lets go of the sender's route.
    alice->sends(send("/topic/a", "x"));
    broker->advance(std::chrono::seconds(130));
    EXPECT_EQ(stored_names(), Texts{queue_at(1, "kept")});
    // Recovered ones as well; and a name can be used again.
    EXPECT_EQ(drained(queue_at(1, "kept")), Texts{"2"});
    restarts();
    broker->advance(std::chrono::seconds(130));
    EXPECT_EQ(stored_names(), Texts{});
    sends(queue_at(1), {"3"});
    crashes();
    EXPECT_EQ(drained(queue_at(1)), Texts{"3"});
}

TEST_P(DurableQueue, P_DEST_10_AQueueWithAConsumerStays) {
    sends(queue_at(1), {"1"});
    carol_consumes(queue_at(1));
    carol_acks("1");
    alice->sends(send("/topic/a", "x"));
    broker->advance(std::chrono::seconds(300));
    EXPECT_EQ(stored_names(), Texts{queue_at(1)});
    sends(queue_at(1), {"2"});
    carol->expects(message("1", "2").without("redelivered"));
}

TEST_P(DurableQueue, P_ACK_07_RequeuedMessagesReturnToTheirPlaces) {
    sends(queue_at(1), numbers(1, 4));
    carol_consumes(queue_at(1), "2");
    const std::string first = carol->expects(message("1", "1")).token();
    carol->sends(ack(carol->expects(message("1", "2")).token()));
    carol->expects(message("1", "3"));
    carol->sends(nack(first));
    carol->expects(message("1", "1").header("x-delivery-count", "2"));
    crashes();
    EXPECT_EQ(drained(queue_at(1)), marked({"1", "3", "4"}));
}

TEST_P(DurableQueue, P_ACK_06_ADelayedRequeueIsKept) {
    sends(queue_at(1), {"1"});
    carol_consumes(queue_at(1));
    carol->sends(nack(carol->expects(message("1", "1")).token()).header("delay", "5000"));
    broker->advance(std::chrono::milliseconds(10));
    carol->expects_nothing();
    restarts();
    EXPECT_EQ(drained(queue_at(1)), Texts{"1*"});
}

TEST_P(DurableQueue, D_COM_05_AStoreThatLagsBehindIsSeen) {
    EXPECT_FALSE(broker->router(0).is_store_congested());
    EXPECT_TRUE(broker->router(0).is_store_idle());
    holds();
    alice->sends(send(queue_at(0), "x"));
    EXPECT_FALSE(broker->router(0).is_store_congested());
    EXPECT_FALSE(broker->router(0).is_store_idle());
    broker->advance(std::chrono::milliseconds(300));
    EXPECT_TRUE(broker->router(0).is_store_congested());
    commits();
    EXPECT_FALSE(broker->router(0).is_store_congested());
    EXPECT_TRUE(broker->router(0).is_store_idle());
}

RUN_SCRIPTS_ON_SHARDS(DurableQueue);

}  // namespace support
