// The broker's own events as destinations: who may listen, what reaches whom, and that nothing but
// a SUBSCRIBE by name and right does (S-ACL-08).
#include "protocol/system_event.hpp"

#include "tests/support/script.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace support {

namespace {

using engine::Action;
using protocol::SystemEvent;

// Subscribe rights by canonical name; everything else is allowed.
class EventAccess : public engine::Access {
public:
    explicit EventAccess(bool may_listen) : may_listen_(may_listen) {}

    [[nodiscard]] bool allows(Action, const protocol::Destination& destination) const override {
        return may_listen_ || !protocol::system_event(destination);
    }

    [[nodiscard]] bool covers(Action, const protocol::Pattern&) const override { return true; }

    [[nodiscard]] bool has_denials(Action) const override { return false; }

private:
    bool may_listen_;
};

class EventAuthorizer : public engine::Authorizer {
public:
    explicit EventAuthorizer(bool may_listen)
        : access_(std::make_shared<const EventAccess>(may_listen)) {}

    [[nodiscard]] engine::AccessRef access_of(const engine::PrincipalRef&) const override {
        return access_;
    }

private:
    engine::AccessRef access_;
};

class SystemEvents : public SessionScript {
protected:
    void authorizer(const std::shared_ptr<const engine::Authorizer>& authorizer) {
        for (unsigned shard = 0; shard < broker.shards().size(); ++shard) {
            broker.shards().on(shard, [&] {
                broker.router(shard).set_authorizer(authorizer, broker.authenticator());
            });
        }
        broker.settle();
    }

    void allow_listening(bool may_listen) {
        authorizer(std::make_shared<const EventAuthorizer>(may_listen));
    }

    // On the shard where it happens.
    void happens(unsigned shard, SystemEvent event, const std::string& json) {
        broker.shards().on(shard, [&] { broker.router(shard).publish_event(event, json); });
        broker.settle();
    }

    [[nodiscard]] bool is_heard_on(unsigned shard, SystemEvent event) {
        return broker.shards().on(shard, [&] { return broker.router(shard).has_listeners(event); });
    }
};

}  // namespace

TEST_P(SystemEvents, S_ACL_08_EachReachesItsListenersFromEveryShard) {
    allow_listening(true);
    alice.connects();
    bob.connects();
    alice.sends(subscribe("a", "/topic/$SYS.connect").receipt("r"));
    alice.expects(receipt("r"));
    bob.sends(subscribe("b", "/exchange/amq.topic/$SYS.connect").receipt("r"));
    bob.expects(receipt("r"));
    for (unsigned shard = 0; shard < broker.shards().size(); ++shard) {
        happens(shard, SystemEvent::connect, R"({"shard":)" + std::to_string(shard) + "}");
        const std::string body = R"({"shard":)" + std::to_string(shard) + "}";
        const Received got = alice.expects(message("a", body));
        EXPECT_EQ(got.value("destination"), "/topic/$SYS.connect");
        EXPECT_EQ(got.value("content-type"), "application/json");
        bob.expects(message("b", body));
        happens(shard, SystemEvent::disconnect, "{}");
    }
    alice.expects_nothing();
    bob.expects_nothing();
}

TEST_P(SystemEvents, S_ACL_08_AreNotCountedAsPublished) {
    allow_listening(true);
    alice.connects();
    alice.sends(subscribe("a", "/topic/$SYS.alarm"));
    happens(0, SystemEvent::alarm, "{}");
    alice.expects(message("a", "{}"));
    EXPECT_EQ(broker.counters().messages_published(), 0U);
    EXPECT_EQ(broker.counters().messages_delivered(), 1U);
}

TEST_P(SystemEvents, S_ACL_08_WithoutAnAccessListNobodyMayListen) {
    alice.connects();
    alice.sends(subscribe("a", "/topic/$SYS.connect").receipt("r"));
    const Received refused = alice.expects_error("access-denied");
    EXPECT_EQ(refused.value("receipt-id"), "r");
    bob.connects();
    bob.sends(subscribe("b", "/topic/open").receipt("r"));
    bob.expects(receipt("r"));
}

TEST_P(SystemEvents, S_ACL_08_TheAccessListIsAsked) {
    allow_listening(false);
    alice.connects();
    alice.sends(subscribe("a", "/topic/$SYS.stats"));
    alice.expects_error("access-denied");
}

TEST_P(SystemEvents, S_ACL_11_ListenersAreSentAwayWhenTheRightGoes) {
    for (const bool has_list : {true, false}) {
        allow_listening(true);
        TestClient listener(broker);
        listener.connects();
        listener.sends(subscribe("a", "/topic/$SYS.stats").receipt("r"));
        listener.expects(receipt("r"));
        has_list ? allow_listening(false) : authorizer(nullptr);
        listener.expects_error("revoked");
        EXPECT_FALSE(is_heard_on(0, SystemEvent::stats));
    }
}

TEST_P(SystemEvents, S_ACL_08_NobodyMaySendThere) {
    allow_listening(true);
    alice.connects();
    alice.sends(subscribe("a", "/topic/$SYS.connect"));
    bob.connects();
    bob.sends(send("/topic/$SYS.connect", "{}").receipt("r"));
    bob.expects_error("access-denied");
    alice.expects_nothing();
}

TEST_P(SystemEvents, S_ACL_08_NoWildcardMatchesThem) {
    allow_listening(true);
    alice.connects();
    for (const char* pattern :
         {"/topic/>", "/topic/#", "/topic/**", "/topic/*.*", "/topic/+.*", "/topic/*.connect"}) {
        alice.sends(subscribe(pattern, pattern).receipt("r"));
        alice.expects(receipt("r"));
    }
    bob.connects();
    bob.sends(subscribe("b", "/topic/$SYS.connect"));
    happens(0, SystemEvent::connect, "{}");
    bob.expects(message("b", "{}"));
    alice.expects_nothing();
    // The control: these patterns do match what is like it but for the $.
    bob.sends(send("/topic/SYS.connect", "x"));
    EXPECT_EQ(alice.received().size(), 6U);
    while (!alice.received().empty()) {
        EXPECT_EQ(alice.take().body, "x");
    }
}

TEST_P(SystemEvents, S_ACL_08_NothingElseBelowThatNameExists) {
    allow_listening(true);
    for (const char* name :
         {"/topic/$SYS",
          "/topic/$SYS.*",
          "/topic/$SYS.#",
          "/topic/$SYS.>",
          "/topic/$SYS/connect",
          "/topic/$SYS.connect.x",
          "/topic/$SYS.Connect",
          "/topic/$SYS.",
          "/topic/a.$SYS.connect",
          "/queue/$SYS.connect",
          "/exchange/amq.direct/$SYS.connect",
          "/user/$SYS.connect",
          "$SYS.connect"}) {
        TestClient client(broker);
        client.connects();
        client.sends(subscribe("a", name));
        client.expects_error("access-denied");
    }
}

TEST_P(SystemEvents, S_ACL_08_HaveNoDurableSubscriptions) {
    allow_listening(true);
    alice.connects();
    alice.sends(subscribe("a", "/topic/$SYS.connect").header("durable", "true"));
    alice.expects_error("unsupported");
}

TEST_P(SystemEvents, S_ACL_08_WhoLeavesIsNotCountedAnyMore) {
    allow_listening(true);
    const unsigned last = static_cast<unsigned>(broker.shards().size()) - 1;
    EXPECT_FALSE(is_heard_on(last, SystemEvent::limit));
    alice.connects();
    alice.sends(subscribe("a", "/topic/$SYS.limit").receipt("r"));
    alice.expects(receipt("r"));
    bob.connects();
    bob.sends(subscribe("b", "/topic/$SYS.limit").receipt("r"));
    bob.expects(receipt("r"));
    EXPECT_TRUE(is_heard_on(last, SystemEvent::limit));
    alice.sends(unsubscribe("a").receipt("s"));
    alice.expects(receipt("s"));
    EXPECT_TRUE(is_heard_on(last, SystemEvent::limit));
    bob.drops();
    broker.settle();
    EXPECT_FALSE(is_heard_on(last, SystemEvent::limit));
    EXPECT_FALSE(is_heard_on(0, SystemEvent::limit));
    happens(0, SystemEvent::limit, "{}");
    alice.expects_nothing();
}

TEST_P(SystemEvents, S_ACL_08_ARepeatedSubscribeChangesNoCount) {
    allow_listening(true);
    alice.connects();
    alice.sends(subscribe("a", "/topic/$SYS.limit"));
    alice.sends(subscribe("a", "/topic/$SYS.limit").header("selector", "a = 'b'").receipt("r"));
    alice.expects(receipt("r"));
    happens(0, SystemEvent::limit, "{}");
    alice.expects_nothing();
    alice.sends(unsubscribe("a").receipt("s"));
    alice.expects(receipt("s"));
    EXPECT_FALSE(is_heard_on(0, SystemEvent::limit));
}

RUN_SCRIPTS_ON_SHARDS(SystemEvents);

}  // namespace support
