// Temporary destinations and reply addresses (P-TEMP).
#include "tests/support/script.hpp"

#include <string>

namespace support {

namespace {

class Replying : public SessionScript {
protected:
    Replying() {
        alice.connects();
        bob.connects();
        carol.connects();
        bob.sends(subscribe("work", "/queue/work"));
    }

    /// Alice asks; what Bob sees.
    Received asks(const std::string& reply_to, const std::string& body = "question") {
        alice.sends(send("/queue/work", body).header("reply-to", reply_to));
        return bob.expects(message("work", body));
    }
};

}  // namespace

TEST_P(Replying, P_TEMP_01_TheNameBelongsToItsConnection) {
    alice.sends(subscribe("a", "/temp-queue/n"));
    carol.sends(subscribe("c", "/temp-queue/n"));
    alice.sends(send("/temp-queue/n", "mine"));
    alice.expects(message("a", "mine").header("destination", "/temp-queue/n"));
    carol.expects_nothing();
    carol.sends(subscribe("t", "/temp-topic/n"));
    alice.sends(send("/temp-topic/n", "nobody hears"));
    carol.expects_nothing();
}

TEST_P(Replying, P_TEMP_01_ASendOfTheOwnerCreatesIt) {
    alice.sends(send("/temp-queue/n", "early"));
    alice.sends(subscribe("a", "/temp-queue/n"));
    alice.expects(message("a", "early"));
}

TEST_P(Replying, P_TEMP_02_TheReplyReachesAnImplicitSubscription) {
    const Received request = asks("/temp-queue/answers");
    const std::string address = request.value("reply-to");
    ASSERT_EQ(address.substr(0, 13), "/reply-queue/");
    EXPECT_GE(address.size(), 13U + 32U);
    bob.sends(send(address, "answer").receipt("r"));
    bob.expects(receipt("r"));
    alice.expects(message("/temp-queue/answers", "answer").header("destination", address));
    EXPECT_EQ(asks("/temp-queue/answers").value("reply-to"), address);
    EXPECT_NE(asks("/temp-queue/other").value("reply-to"), address);
}

TEST_P(Replying, P_TEMP_02_TopicsTakeRepliesToo) {
    const std::string address = asks("/temp-topic/answers").value("reply-to");
    bob.sends(send(address, "answer"));
    alice.expects(message("/temp-topic/answers", "answer"));
}

TEST_P(Replying, P_TEMP_02_AnExistingSubscriptionIsUsed) {
    alice.sends(subscribe("own", "/temp-queue/answers"));
    bob.sends(send(asks("/temp-queue/answers").value("reply-to"), "answer"));
    alice.expects(message("own", "answer"));
    alice.expects_nothing();
}

TEST_P(Replying, P_TEMP_02_ARepeatedRequestSubscribesAgainAfterUnsubscribe) {
    asks("/temp-queue/answers", "1");
    alice.sends(unsubscribe("/temp-queue/answers"));
    const std::string address = asks("/temp-queue/answers", "1").value("reply-to");
    bob.sends(send(address, "answer"));
    alice.expects(message("/temp-queue/answers", "answer"));
}

TEST_P(Replying, P_TEMP_02_OtherReplyAddressesPassUnchanged) {
    EXPECT_EQ(asks("/queue/answers").value("reply-to"), "/queue/answers");
    EXPECT_EQ(asks("").value("reply-to"), "");
}

TEST_P(Replying, P_TEMP_03_AnExplicitSubscriptionReplacesTheImplicitOne) {
    const std::string address = asks("/temp-queue/answers").value("reply-to");
    alice.sends(subscribe("own", "/temp-queue/answers").receipt("r"));
    alice.expects(receipt("r"));
    bob.sends(send(address, "answer"));
    alice.expects(message("own", "answer"));
    alice.expects_nothing();
}

TEST_P(Replying, P_TEMP_03_AlsoUnderTheImplicitId) {
    const std::string address = asks("/temp-queue/answers").value("reply-to");
    alice.sends(subscribe("/temp-queue/answers", "/temp-queue/answers", "client").receipt("r"));
    alice.expects(receipt("r"));
    bob.sends(send(address, "answer"));
    EXPECT_NE(alice.expects(message("/temp-queue/answers", "answer")).token(), "");
    alice.expects_nothing();
}

TEST_P(Replying, P_TEMP_04_AnAddressThatIsGoneDiscards) {
    const std::string address = asks("/temp-queue/answers").value("reply-to");
    alice.drops();
    bob.sends(send(address, "late").receipt("r1"));
    bob.expects(receipt("r1"));
    bob.sends(send("/reply-queue/nonsense", "x").receipt("r2"));
    bob.expects(receipt("r2"));
    bob.sends(send("/reply-queue/" + std::string(34, '0'), "x").receipt("r3"));
    bob.expects(receipt("r3"));
    EXPECT_EQ(broker.counters().messages_unroutable, 3U);
}

TEST_P(Replying, P_TEMP_05_ReplyAddressesCannotBeSubscribedTo) {
    const std::string address = asks("/temp-queue/answers").value("reply-to");
    bob.sends(subscribe("1", address));
    bob.expects_error("access-denied");
}

TEST_P(Replying, P_TEMP_06_IdsOfRepliesAreReserved) {
    alice.sends(subscribe("/temp-queue/x", "/topic/a"));
    alice.expects_error("bad-header");
    bob.sends(subscribe("/temp-topic/x", "/temp-topic/y"));
    bob.expects_error("bad-header");
    carol.sends(subscribe("/temp-queue/x", "/temp-queue/x").receipt("r"));
    carol.expects(receipt("r"));
}

TEST_P(Replying, P_TEMP_07_TheyVanishWithTheirConnection) {
    alice.sends(send("/temp-queue/n", "lost"));
    alice.drops();
    TestClient again(broker);
    again.connects().sends(subscribe("a", "/temp-queue/n"));
    again.expects_nothing();
    carol.sends(subscribe("d", "/queue/DLQ.n"));
    carol.expects_nothing();
    EXPECT_EQ(broker.counters().messages_dead_lettered, 0U);
}

TEST_P(Replying, P_TEMP_07_AReplyUnderWayToALostConnectionIsHarmless) {
    const std::string address = asks("/temp-queue/answers").value("reply-to");
    bob.writes(send(address, "late").receipt("r").encoded(protocol::Version::v1_2));
    alice.drops();
    bob.expects(receipt("r"));
}

TEST_P(Replying, P_LIM_01_TemporaryDestinationsPerConnection) {
    broker.limits().temporary_destinations_max = 3;
    for (int i = 0; i < 3; ++i) {
        alice.sends(subscribe(std::to_string(i), "/temp-queue/" + std::to_string(i)).receipt("r"));
        alice.expects(receipt("r"));
    }
    alice.sends(send("/temp-queue/2", "x").receipt("r"));
    alice.expects(message("2", "x"));
    alice.expects(receipt("r"));
    alice.sends(send("/temp-queue/3", "x").receipt("r"));
    EXPECT_EQ(alice.expects_error("limit-queues").value("receipt-id"), "r");
}

RUN_SCRIPTS_ON_SHARDS(Replying);

}  // namespace support
