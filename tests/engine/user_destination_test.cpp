// User destinations (P-USER-01 to -05): every connection of a user, or one of them, and nobody.
#include "broker/engine/user_destination.hpp"

#include "tests/support/script.hpp"

#include <string>

namespace support {

namespace {

class UserDestination : public SessionScript {
protected:
    UserDestination() {
        for (TestClient* const client : {&alice, &bob}) {
            client->sends(connect().header("login", "guest").header("passcode", "guest"));
            sessions.push_back(client->expects(connected("1.2")).value("session"));
        }
        carol.connects();
    }

    void publishes(const std::string& destination, const std::string& text) {
        carol.sends(send(destination, text).receipt(text));
        carol.expects(receipt(text));
    }

    std::vector<std::string> sessions;
};

}  // namespace

TEST_P(UserDestination, P_USER_01_EachConnectionAndSubscriptionGetsItsOwnCopy) {
    alice.sends(subscribe("1", "/user/queue/news"));
    alice.sends(subscribe("2", "/user/queue/news", "client"));
    bob.sends(subscribe("3", "/user/queue/news").receipt("s"));
    bob.expects(receipt("s"));
    publishes("/user/guest/queue/news", "x");
    EXPECT_EQ(alice.received().size(), 2U);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(alice.take().body, "x");
    }
    bob.expects(message("3", "x"));
    publishes("/user/guest/topic/news", "other");
    publishes("/user/guest/queue/other", "another");
    alice.expects_nothing();
    bob.expects_nothing();
}

TEST_P(UserDestination, P_USER_01_AnonymousMaySubscribeAndCannotBeAddressed) {
    carol.sends(subscribe("1", "/user/queue/a").receipt("s"));
    carol.expects(receipt("s"));
    publishes("/user/anonymous/queue/a", "x");
    carol.expects_nothing();
    EXPECT_EQ(broker.counters().messages_unroutable, 1U);
}

TEST_P(UserDestination, P_USER_01_OnlyOnesOwnDestinationsCanBeSubscribedTo) {
    for (const std::string name :
         {"/user/guest/queue/a", "/user/a", "/user/queue", "/user/other/a"}) {
        TestClient client(broker);
        client.connects().sends(subscribe("1", name));
        client.expects_error("bad-destination");
    }
    for (const std::string name : {"/user/queue/*", "/user/topic/a.#"}) {
        TestClient client(broker);
        client.connects().sends(subscribe("1", name));
        client.expects_error("bad-destination");
    }
}

TEST_P(UserDestination, P_USER_02_ASessionHeaderLimitsItToOneConnection) {
    alice.sends(subscribe("1", "/user/queue/a"));
    bob.sends(subscribe("2", "/user/queue/a"));
    for (const std::string receipt_id : {"r1", "r2"}) {
        carol.sends(
            send("/user/guest/queue/a", "x").header("x-session", sessions[1]).receipt(receipt_id)
        );
        carol.expects(receipt(receipt_id));
        bob.expects(message("2", "x").without("x-session"));
    }
    alice.expects_nothing();
    // Another user's session, none, and what would be another name.
    for (const std::string& session :
         {std::string(32, '0'), std::string("x"), sessions[1] + "/queue", std::string()}) {
        carol.sends(send("/user/guest/queue/a", "y").header("x-session", session));
    }
    alice.expects(message("1", "y"));
    bob.expects(message("2", "y"));
    alice.expects_nothing();
    bob.expects_nothing();
    EXPECT_EQ(broker.counters().messages_unroutable, 3U);
}

TEST_P(UserDestination, P_USER_02_TheNameIsOneLiteralLevel) {
    alice.sends(subscribe("1", "/user/queue/a"));
    publishes("/user/g.est/queue/a", "x");
    publishes("/user/guest@x/queue/a", "x");
    publishes("/user/5:guest/queue/a", "x");
    publishes("/user/queue/queue/a", "x");
    alice.expects_nothing();
    EXPECT_EQ(broker.counters().messages_unroutable, 4U);
}

TEST_P(UserDestination, P_USER_03_TheMessageNamesTheSubscribersDestination) {
    alice.sends(subscribe("1", "/user/queue/a/b.c"));
    bob.sends(subscribe("2", "/user/topic/n"));
    carol.sends(send("/user/guest/queue/a/b.c", "x").header("k", "v"));
    alice.expects(message("1", "x").header("destination", "/user/queue/a/b.c").header("k", "v"));
    publishes("/user/guest/topic/n", "y");
    bob.expects(message("2", "y").header("destination", "/user/topic/n"));
}

TEST_P(UserDestination, P_USER_04_NothingIsKeptForAbsentUsers) {
    publishes("/user/guest/queue/a", "x");
    publishes("/user/nobody/queue/a", "y");
    EXPECT_EQ(broker.counters().messages_unroutable, 2U);
    alice.sends(subscribe("1", "/user/queue/a").header("durable", "true"));
    alice.sends(unsubscribe("1").receipt("u"));
    alice.expects(receipt("u"));
    publishes("/user/guest/queue/a", "z");
    EXPECT_EQ(broker.counters().messages_unroutable, 3U);
    alice.sends(subscribe("1", "/user/queue/a"));
    alice.expects_nothing();
}

TEST_P(UserDestination, P_USER_04_InTransactionsToo) {
    alice.sends(subscribe("1", "/user/queue/a"));
    carol.sends(begin("t"));
    carol.sends(send("/user/guest/queue/a", "x").transaction("t"));
    carol.sends(send("/user/nobody/queue/a", "y").transaction("t"));
    carol.sends(send("/user/anonymous/queue/a", "y").transaction("t"));
    alice.expects_nothing();
    carol.sends(commit("t").receipt("c"));
    carol.expects(receipt("c"));
    alice.expects(message("1", "x"));
    EXPECT_EQ(broker.counters().messages_unroutable, 2U);
}

TEST_P(UserDestination, P_USER_05_ASendHasToNameTheUser) {
    carol.sends(send("/user/queue/a", "x"));
    carol.expects_error("bad-destination");
}

TEST_P(UserDestination, P_SUB_02_AnotherSubscriptionTakesTheOldOnesPlace) {
    alice.sends(subscribe("1", "/user/queue/a"));
    alice.sends(subscribe("1", "/user/queue/a", "client-individual"));
    publishes("/user/guest/queue/a", "x");
    const Received frame = alice.expects(message("1", "x"));
    EXPECT_NE(frame.token(), "");
    alice.expects_nothing();
    bob.sends(subscribe("1", "/user/queue/a"));
    bob.drops();
    publishes("/user/guest/queue/a", "y");
    alice.expects(message("1", "y"));
}

RUN_SCRIPTS_ON_SHARDS(UserDestination);

TEST(UserAddress, P_USER_02_NoNamePosesAsAnotherOneAndMore) {
    using engine::UserAddress;
    const engine::UserTopics topics("bob/queue/x", "s", "queue/a");
    EXPECT_NE(
        UserAddress::of("bob/queue/x/queue/a", "").topic, topics.patterns()[0].destination.key
    );
    const engine::UserTopics plain("bob", "s", "queue/a");
    EXPECT_EQ(UserAddress::of("bob/queue/a", "").topic, plain.patterns()[0].destination.key);
}

}  // namespace support
