// The gate: which source decides, on which thread, at what price (S-AUTH-03 to -09, -16).
#include "broker/security/gate.hpp"

#include "broker/security/password_hash.hpp"
#include "tests/security/mail_shard.hpp"
#include "tests/security/token_maker.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace security {
namespace {

using engine::PrincipalRef;
using protocol::ErrorCode;

std::string secret_hash() {
    return make_hash("hunter2", HashKind::bcrypt);
}

std::shared_ptr<const UsersFile> users(const std::string& text) {
    const UsersFile::Parsed parsed = UsersFile::parse(text, "users");
    EXPECT_EQ(parsed.error, "");
    return parsed.users;
}

engine::SecretRef secret(std::string_view text) {
    return std::make_shared<const engine::Secret>(text);
}

class GateTest : public ::testing::Test {
protected:
    using Outcome = std::optional<protocol::Result<PrincipalRef>>;

    static engine::Credentials anna(std::string_view passcode) {
        engine::Credentials credentials;
        credentials.login = "anna";
        credentials.passcode = secret(passcode);
        credentials.peer.network = "192.0.2.1";
        return credentials;
    }

    protocol::Result<PrincipalRef> ask(Gate& gate, engine::Credentials credentials) {
        Outcome outcome;
        gate.authenticate(
            shard,
            std::move(credentials),
            [&](protocol::Result<PrincipalRef> answer) {
                EXPECT_EQ(std::this_thread::get_id(), here);
                outcome = std::move(answer);
            }
        );
        while (!outcome) {
            shard.run_one();
        }
        return *outcome;
    }

    static ErrorCode code_of(const protocol::Result<PrincipalRef>& answer) {
        return answer ? ErrorCode::internal : answer.error().code;
    }

    const std::thread::id here = std::this_thread::get_id();
    const std::string line = "anna:" + secret_hash();
    MailShard shard;
};

}  // namespace

TEST_F(GateTest, S_AUTH_08_TheAnswerComesOnTheShard) {
    Gate gate({users(line + ":staff\n"), nullptr}, {});
    const auto answer = ask(gate, anna("hunter2"));
    ASSERT_TRUE(answer);
    EXPECT_EQ((*answer)->user, "anna");
    EXPECT_EQ((*answer)->roles, std::vector<std::string>{"staff"});
    EXPECT_EQ(gate.hashing().hashed, 1U);
}

TEST_F(GateTest, S_AUTH_09_ARightLoginIsHashedOnce) {
    Gate gate({users(line + "\n"), nullptr}, {});
    EXPECT_TRUE(ask(gate, anna("hunter2")));
    EXPECT_TRUE(ask(gate, anna("hunter2")));
    EXPECT_EQ(gate.hashing().hashed, 1U);
    EXPECT_EQ(code_of(ask(gate, anna("hunter3"))), ErrorCode::auth_failed);
    EXPECT_EQ(code_of(ask(gate, anna("hunter3"))), ErrorCode::auth_failed);
    EXPECT_EQ(gate.hashing().hashed, 3U);
    // Until the users change.
    gate.exchange({users("bert:" + secret_hash() + "\n"), nullptr});
    EXPECT_EQ(code_of(ask(gate, anna("hunter2"))), ErrorCode::auth_failed);
}

TEST_F(GateTest, S_AUTH_05_NothingIsHashedForNothing) {
    Gate gate({users(line + "\n"), nullptr}, {});
    EXPECT_EQ(code_of(ask(gate, anna(""))), ErrorCode::auth_failed);
    engine::Credentials nobody;
    EXPECT_EQ(code_of(ask(gate, std::move(nobody))), ErrorCode::auth_failed);
    EXPECT_EQ(gate.hashing().hashed, 0U);
}

TEST_F(GateTest, S_AUTH_16_RefusalsOfOneAddressWaitLongerAndLonger) {
    Gate::Limits limits;
    limits.logins.failures = 2;
    Gate gate({users(line + "\n"), nullptr}, limits);
    for (int i = 0; i < 7; ++i) {
        EXPECT_EQ(code_of(ask(gate, anna("guess"))), ErrorCode::auth_failed);
    }
    EXPECT_EQ(shard.delays, (std::vector<std::int64_t>{1000, 2000, 4000, 8000, 8000}));
    shard.delays.clear();
    engine::Credentials other = anna("guess");
    other.peer.network = "192.0.2.2";
    EXPECT_EQ(code_of(ask(gate, std::move(other))), ErrorCode::auth_failed);
    EXPECT_TRUE(shard.delays.empty());
    EXPECT_TRUE(ask(gate, anna("hunter2")));
}

TEST_F(GateTest, S_AUTH_16_OnlySoManyRefusalsWait) {
    Gate::Limits limits;
    limits.logins.failures = 1;
    limits.held_back_max = 2;
    Gate gate({users(line + "\n"), nullptr}, limits);
    int answered = 0;
    for (int i = 0; i < 5; ++i) {
        gate.authenticate(shard, anna(""), [&](const protocol::Result<PrincipalRef>& answer) {
            EXPECT_FALSE(static_cast<bool>(answer));
            ++answered;
        });
    }
    // The first is within the budget; two wait; no more do.
    EXPECT_EQ(answered, 3);
    EXPECT_EQ(shard.delays.size(), 2U);
    shard.run_one();
    shard.run_one();
    EXPECT_EQ(answered, 5);
    gate.authenticate(shard, anna(""), [&](const protocol::Result<PrincipalRef>&) { ++answered; });
    EXPECT_EQ(shard.delays.size(), 3U);
}

TEST_F(GateTest, S_AUTH_03_ACertificateComesFirst) {
    const auto known = std::make_shared<const Certificates>(std::vector<CertificateUser>{
        {"uri:spiffe://example.org/c", "carl", {"staff"}}});
    Gate gate({users(line + "\n"), nullptr, known}, {});
    const auto with = [](std::string identity) {
        engine::Credentials credentials = anna("hunter2");
        credentials.peer.authorization = secret("Basic YW5uYTpodW50ZXIy");
        credentials.peer.certificate =
            std::make_shared<const engine::ClientCertificate>(engine::ClientCertificate{
                std::move(identity), "it says nothing"});
        return credentials;
    };
    const auto carl = ask(gate, with("uri:spiffe://example.org/c"));
    ASSERT_TRUE(carl);
    EXPECT_EQ((*carl)->user, "carl");
    // One that is not listed decides too, whatever else is right.
    EXPECT_EQ(code_of(ask(gate, with("uri:spiffe://example.org/d"))), ErrorCode::auth_failed);
    EXPECT_EQ(code_of(ask(gate, with(""))), ErrorCode::auth_failed);
    EXPECT_EQ(gate.renewed(*carl), *carl);
    gate.exchange({users(line + "\n"), nullptr});
    EXPECT_EQ(code_of(ask(gate, with("uri:spiffe://example.org/c"))), ErrorCode::auth_failed);
    EXPECT_FALSE(gate.renewed(*carl));
}

TEST_F(GateTest, S_AUTH_03_ASourceThatIsOffIsIgnored) {
    Gate gate({users(line + "\n"), nullptr}, {});
    const auto asked = [&](std::initializer_list<engine::CredentialSource> on) {
        engine::Credentials credentials = anna("hunter2");
        credentials.peer.authorization = secret("Basic YW5uYTpndWVzcw==");  // anna:guess
        credentials.peer.certificate = std::make_shared<const engine::ClientCertificate>();
        credentials.peer.sources = {};
        for (const auto source : on) {
            credentials.peer.sources.add(source);
        }
        engine::drop_unwanted(credentials);
        return static_cast<bool>(ask(gate, std::move(credentials)));
    };
    using enum engine::CredentialSource;
    EXPECT_TRUE(asked({passcode}));
    EXPECT_TRUE(asked({authorization, passcode}));
    EXPECT_FALSE(asked({upgrade, passcode}));
    EXPECT_FALSE(asked({certificate, passcode}));
    EXPECT_FALSE(asked({authorization}));
    EXPECT_FALSE(asked({}));
}

TEST_F(GateTest, S_AUTH_03_BasicOfTheUpgradeComesFirst) {
    Gate gate({users(line + "\n"), nullptr}, {});
    engine::Credentials good = anna("guess");
    good.peer.authorization = secret("Basic YW5uYTpodW50ZXIy");  // anna:hunter2
    EXPECT_TRUE(ask(gate, std::move(good)));
    engine::Credentials bad = anna("hunter2");
    bad.peer.authorization = secret("basic YW5uYTpndWVzcw==");  // anna:guess
    EXPECT_EQ(code_of(ask(gate, std::move(bad))), ErrorCode::auth_failed);
    for (const char* const malformed :
         {"Basic",
          "basic",
          "Basic\t!!!!",
          "Basic ",
          "Basic !!!!",
          "Basic YW5uYQ==",
          "Basic YW5uYTpodW50ZXI"}) {
        engine::Credentials credentials = anna("hunter2");
        credentials.peer.authorization = secret(malformed);
        const bool is_taken = static_cast<bool>(ask(gate, std::move(credentials)));
        EXPECT_FALSE(is_taken) << malformed;
    }
    // What is not configured is ignored.
    engine::Credentials bearer = anna("hunter2");
    bearer.peer.authorization = secret("Bearer whatever");
    EXPECT_TRUE(ask(gate, std::move(bearer)));
}

TEST_F(GateTest, S_AUTH_03_ABearerWithoutTokenDecidesToo) {
    const auto tokens = std::make_shared<const JwtVerifier>(test_settings(), nullptr);
    Gate gate({users(line + "\n"), tokens}, {});
    for (const char* const empty : {"Bearer", "bearer", "Bearer ", "Bearer  ", "Bearer\tx"}) {
        engine::Credentials upgrade = anna("hunter2");
        upgrade.peer.authorization = secret(empty);
        EXPECT_EQ(code_of(ask(gate, std::move(upgrade))), ErrorCode::auth_failed) << empty;
        engine::Credentials connect = anna("hunter2");
        connect.authorization = secret(empty);
        EXPECT_EQ(code_of(ask(gate, std::move(connect))), ErrorCode::auth_failed) << empty;
    }
    // Other schemes are none that is looked for.
    for (const char* const other : {"Bearerx y", "Digest x"}) {
        engine::Credentials credentials = anna("hunter2");
        credentials.peer.authorization = secret(other);
        EXPECT_TRUE(ask(gate, std::move(credentials))) << other;
    }
}

TEST_F(GateTest, S_ACL_11_WhoIsRenewedAndWhoIsNot) {
    Gate gate({users(line + ":staff\n"), nullptr}, {});
    const PrincipalRef before = *ask(gate, anna("hunter2"));
    EXPECT_EQ(gate.renewed(before), before);
    gate.exchange({users(line + ":guest,staff\n"), nullptr});
    const PrincipalRef promoted = gate.renewed(before);
    ASSERT_TRUE(promoted);
    EXPECT_EQ(promoted->roles, (std::vector<std::string>{"guest", "staff"}));
    gate.exchange({users("anna:" + make_hash("hunter3", HashKind::bcrypt) + "\n"), nullptr});
    EXPECT_FALSE(gate.renewed(before));
    gate.exchange({users("bert:" + secret_hash() + "\n"), nullptr});
    EXPECT_FALSE(gate.renewed(before));
}

TEST_F(GateTest, S_ACL_11_WhoIsAwayIsKnownByTheUsersFile) {
    Gate gate({users(line + ":staff\n"), nullptr}, {});
    const PrincipalRef last = *ask(gate, anna("hunter2"));
    for (const PrincipalRef& seen : {last, PrincipalRef()}) {
        const auto now = gate.absent("anna", seen);
        ASSERT_TRUE(now && *now);
        EXPECT_EQ((*now)->roles, std::vector<std::string>{"staff"});
        EXPECT_EQ((*now)->user, "anna");
    }
    gate.exchange({users("anna:" + make_hash("hunter3", HashKind::bcrypt) + ":guest\n"), nullptr});
    const auto moved = gate.absent("anna", last);
    ASSERT_TRUE(moved && *moved) << "another passcode is no other user";
    EXPECT_EQ((*moved)->roles, std::vector<std::string>{"guest"});
    gate.exchange({users("bert:" + secret_hash() + "\n"), nullptr});
    EXPECT_EQ(gate.absent("anna", last), std::optional<PrincipalRef>(nullptr));
    EXPECT_EQ(gate.absent("anna", nullptr), std::optional<PrincipalRef>(nullptr));
}

TEST_F(GateTest, S_ACL_11_WhoIsAwayAndCameWithATokenIsAsItSaid) {
    engine::Principal principal{"carl", {"reader"}};
    principal.voucher = engine::Voucher::token;
    const auto last = std::make_shared<const engine::Principal>(std::move(principal));
    Gate gate(
        {users(line + "\n"), std::make_shared<const JwtVerifier>(test_settings(), nullptr)}, {}
    );
    EXPECT_EQ(gate.absent("carl", last), std::optional<PrincipalRef>(last));
    EXPECT_EQ(gate.absent("carl", nullptr), std::nullopt) << "a token could name him";
    gate.exchange({users(line + "\n"), nullptr});
    EXPECT_EQ(gate.absent("carl", last), std::optional<PrincipalRef>(nullptr));
}

TEST_F(GateTest, S_ACL_11_WhoGoesWhileHisPasscodeIsHashedIsNotLetIn) {
    Gate gate({users(line + "\n"), nullptr}, {});
    Outcome outcome;
    gate.authenticate(shard, anna("hunter2"), [&](protocol::Result<PrincipalRef> answer) {
        outcome = std::move(answer);
    });
    while (gate.hashing().hashed == 0) {
        std::this_thread::yield();
    }
    gate.exchange({users("bert:" + secret_hash() + "\n"), nullptr});
    while (!outcome) {
        shard.run_one();
    }
    EXPECT_EQ(code_of(*outcome), ErrorCode::auth_failed);
}

TEST_F(GateTest, S_AUTH_08_AtTheEndNobodyIsAnswered) {
    Gate gate({users(line + "\n"), nullptr}, {});
    for (int i = 0; i < 5; ++i) {
        gate.authenticate(shard, anna("guess"), [](const protocol::Result<PrincipalRef>&) {
            FAIL() << "answered after the end";
        });
    }
    gate.stop();
}

}  // namespace security
