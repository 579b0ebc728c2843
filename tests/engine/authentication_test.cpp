// Credentials that are checked elsewhere, and principals that expire (S-AUTH-01, S-AUTH-12).
#include "tests/support/script.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace support {

namespace {

using engine::Principal;
using protocol::Command;

// Keeps what it is asked until the test answers.
class SlowAuthenticator : public engine::Authenticator {
public:
    void authenticate(engine::Shard& shard, engine::Credentials credentials, Answer answer)
        override {
        asked.push_back(std::move(credentials));
        answers_.push_back([&shard, answer = std::move(answer)](
                               const protocol::Result<engine::PrincipalRef>& principal
                           ) { shard.post([answer, principal] { answer(principal); }); });
    }

    void allows(Principal principal) {
        answers_.back()(std::make_shared<const Principal>(std::move(principal)));
    }

    void refuses() {
        answers_.back()(protocol::Error{
            protocol::ErrorCode::auth_failed, "Login or passcode is wrong.", "Mend them."});
    }

    std::vector<engine::Credentials> asked;

private:
    std::vector<std::function<void(const protocol::Result<engine::PrincipalRef>&)>> answers_;
};

class Authentication : public SessionScript {
protected:
    Authentication() { broker.uses(authenticator); }

    [[nodiscard]] std::int64_t in(std::chrono::milliseconds time) {
        return (broker.shards().wall_clock() + time).count();
    }

    SlowAuthenticator authenticator;
};

Outgoing as_anna() {
    return connect().header("login", "anna").header("passcode", "hunter2");
}

Principal anna() {
    return {"anna", {"staff"}};
}

}  // namespace

TEST_P(Authentication, S_AUTH_01_NothingIsReadWhileCredentialsAreChecked) {
    alice.connects();
    alice.sends(subscribe("a", "/topic/t"));
    TestClient dave(broker);
    dave.sends_octets(
        as_anna().encoded(protocol::Version::v1_2) +
        send("/topic/t", "early").encoded(protocol::Version::v1_2)
    );
    dave.expects_nothing();
    alice.expects_nothing();
    ASSERT_EQ(authenticator.asked.size(), 1U);
    EXPECT_EQ(authenticator.asked[0].login, "anna");
    EXPECT_EQ(authenticator.asked[0].passcode->reveal(), "hunter2");
    authenticator.allows(anna());
    EXPECT_EQ(dave.expects(connected("1.2")).value("user-name"), "anna");
    EXPECT_EQ(alice.expects(message("a", "early")).value("destination"), "/topic/t");
}

TEST_P(Authentication, S_AUTH_01_WhatFollowsAFailedConnectHasNoEffect) {
    alice.connects();
    alice.sends(subscribe("a", "/topic/t"));
    TestClient dave(broker);
    dave.sends_octets(
        as_anna().encoded(protocol::Version::v1_2) +
        send("/topic/t", "early").encoded(protocol::Version::v1_2)
    );
    authenticator.refuses();
    dave.expects_error("auth-failed");
    alice.expects_nothing();
}

TEST_P(Authentication, S_AUTH_01_WhoLeavesMeanwhileIsForgotten) {
    TestClient dave(broker);
    dave.sends(as_anna());
    dave.drops();
    authenticator.allows(anna());
    broker.settle();
    alice.connects();
}

TEST_P(Authentication, S_AUTH_12_AnExpiredTokenEndsTheSession) {
    alice.connects();
    TestClient dave(broker);
    dave.sends(as_anna());
    Principal principal = anna();
    principal.expires_at = in(std::chrono::seconds(5));
    authenticator.allows(principal);
    dave.expects(connected("1.2"));
    dave.sends(subscribe("q", "/queue/q", "client-individual"));
    alice.sends(send("/queue/q", "work"));
    dave.expects(message("q", "work"));
    broker.advance(std::chrono::milliseconds(4500));
    dave.sends(send("/topic/x", "still here").receipt("r"));
    dave.expects(receipt("r"));
    broker.advance(std::chrono::milliseconds(1500));
    dave.expects_error("token-expired");
    alice.sends(subscribe("q", "/queue/q"));
    EXPECT_EQ(alice.expects(message("q", "work")).value("redelivered"), "true");
}

TEST_P(Authentication, S_AUTH_12_TheClockMayBeSet) {
    alice.connects();
    TestClient dave(broker);
    dave.sends(as_anna());
    Principal principal = anna();
    principal.expires_at = in(std::chrono::hours(1));
    authenticator.allows(principal);
    dave.expects(connected("1.2"));
    // A little is not looked at, as the steady clock knows better.
    broker.shards().set_wall_clock(std::chrono::seconds(4));
    broker.advance(std::chrono::seconds(2));
    dave.expects_nothing();
    broker.shards().set_wall_clock(std::chrono::hours(-2));
    broker.advance(std::chrono::minutes(70));
    dave.expects_nothing();
    broker.shards().set_wall_clock(std::chrono::hours(3));
    broker.advance(std::chrono::seconds(2));
    dave.expects_error("token-expired");
}

TEST_P(Authentication, S_AUTH_12_WhatHasExpiredAlreadyEndsAtOnce) {
    TestClient dave(broker);
    dave.sends(as_anna());
    Principal principal = anna();
    principal.expires_at = 1;
    authenticator.allows(principal);
    dave.expects(connected("1.2"));
    broker.advance(std::chrono::seconds(2));
    dave.expects_error("token-expired");
}

RUN_SCRIPTS_ON_SHARDS(Authentication);

}  // namespace support
