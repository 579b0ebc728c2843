// The gate with an HTTP hook: who is asked in which order, what an answer means, what is remembered
// (S-AUTH-04, S-AUTH-05, S-AUTH-09, S-AUTH-14).
#include "broker/security/auth_hook.hpp"
#include "broker/security/gate.hpp"
#include "broker/security/password_hash.hpp"
#include "tests/security/mail_shard.hpp"
#include "tests/security/tiny_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace security {
namespace {

using engine::PrincipalRef;
using protocol::ErrorCode;
using Answer = protocol::Result<PrincipalRef>;
using Peer = TinyServer::Peer;

std::shared_ptr<const UsersFile> users(const std::string& text) {
    const UsersFile::Parsed parsed = UsersFile::parse(text, "users");
    EXPECT_EQ(parsed.error, "");
    return parsed.users;
}

class GateHookTest : public ::testing::Test {
protected:
    ~GateHookTest() override { outbound.stop(); }

    std::shared_ptr<AuthHook> hook_at(
        const std::string& url, std::size_t in_flight = 64, std::chrono::milliseconds cache = minute
    ) {
        AuthHook::Settings settings;
        settings.http.url = *parse_http_url(url);
        settings.http.timeout = std::chrono::seconds(10);
        settings.http.in_flight_max = in_flight;
        settings.cache = cache;
        return std::make_shared<AuthHook>(outbound, std::move(settings));
    }

    Sources only(std::shared_ptr<AuthHook> hook) {
        Sources sources;
        sources.hook = std::move(hook);
        return sources;
    }

    /// Counts what it is asked.
    TinyServer::Script answering(std::string body) {
        return [this, answer = TinyServer::ok(body)](Peer& peer) {
            while (!peer.read_request().empty()) {
                ++asked;
                if (!peer.write(answer)) { return; }
            }
        };
    }

    static engine::Credentials login(const std::string& user, std::string_view passcode) {
        engine::Credentials credentials;
        credentials.login = user;
        credentials.passcode = std::make_shared<const engine::Secret>(passcode);
        credentials.peer.address = "192.0.2.1";
        credentials.peer.network = "192.0.2.1";
        return credentials;
    }

    Answer ask(Gate& gate, engine::Credentials credentials) {
        std::optional<Answer> outcome;
        gate.authenticate(shard, std::move(credentials), [&](Answer answer) {
            outcome = std::move(answer);
        });
        while (!outcome) {
            shard.run_one();
        }
        return *outcome;
    }

    static ErrorCode code_of(const Answer& answer) {
        return answer ? ErrorCode::internal : answer.error().code;
    }

    static constexpr std::chrono::milliseconds minute = std::chrono::seconds(60);
    const std::string line = "anna:" + make_hash("hunter2", HashKind::bcrypt) + "\n";
    std::atomic<int> asked{0};
    MailShard shard;
    Outbound outbound;
};

}  // namespace

TEST_F(GateHookTest, S_AUTH_14_AnAllowedUserHasTheNameRolesAndTimeOfTheAnswer) {
    const TinyServer server(
        answering(R"({"result":"allow","user":"carl","roles":["staff"],"expires_in":5})")
    );
    Gate gate(only(hook_at(server.url())), {});
    const Answer answer = ask(gate, login("c", "x"));
    ASSERT_TRUE(answer);
    EXPECT_EQ((*answer)->user, "carl");
    EXPECT_EQ((*answer)->roles, std::vector<std::string>{"staff"});
    EXPECT_EQ((*answer)->voucher, engine::Voucher::hook);
    EXPECT_EQ((*answer)->expires_at, static_cast<std::int64_t>(shard.wall_clock_ms()) + 5000);
    EXPECT_FALSE((*answer)->is_anonymous);
}

TEST_F(GateHookTest, S_AUTH_14_WhateverIsNoAllowRefuses) {
    for (const std::string& answer :
         {TinyServer::ok(R"({"result":"deny"})"),
          TinyServer::ok(R"({"result":"ignore"})"),
          TinyServer::ok(R"({"result":"deny","result":"allow"})"),
          TinyServer::ok(R"({"result":"allow","user":"a/b"})"),
          TinyServer::ok(R"({"result":"allow","x":")" + std::string(70'000, 'x') + "\"}"),
          TinyServer::ok(""),
          std::string("HTTP/1.1 403 No\r\nContent-Length: 18\r\n\r\n{\"result\":\"allow\"}"),
          std::string("HTTP/1.1 500 No\r\nContent-Length: 18\r\n\r\n{\"result\":\"allow\"}"),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"result\":\"allow\"}"),
          std::string()}) {
        const TinyServer server([answer](Peer& peer) {
            (void)peer.read_request();
            (void)peer.write(answer);
        });
        Gate gate(only(hook_at(server.url())), {});
        EXPECT_EQ(code_of(ask(gate, login("anna", "x"))), ErrorCode::auth_failed) << answer;
    }
}

TEST_F(GateHookTest, S_AUTH_14_AHookThatIsNotThereLetsNobodyIn) {
    std::uint16_t port = 0;
    {
        const TinyServer gone(answering("{}"));
        port = gone.port();
    }
    Gate gate(only(hook_at("http://127.0.0.1:" + std::to_string(port))), {});
    EXPECT_EQ(code_of(ask(gate, login("anna", "x"))), ErrorCode::auth_failed);
}

TEST_F(GateHookTest, S_AUTH_05_AnEmptyPasscodeIsNotEvenAskedAbout) {
    const TinyServer server(answering(R"({"result":"allow"})"));
    Sources sources = only(hook_at(server.url()));
    sources.users = users(line);
    Gate gate(sources, {});
    EXPECT_EQ(code_of(ask(gate, login("anna", ""))), ErrorCode::auth_failed);
    EXPECT_EQ(code_of(ask(gate, login("", "x"))), ErrorCode::auth_failed);
    EXPECT_EQ(code_of(ask(gate, engine::Credentials())), ErrorCode::auth_failed);
    // Basic: `anna:` and `:x`.
    for (const std::string basic : {"Basic YW5uYTo=", "Basic Ong="}) {
        engine::Credentials credentials;
        credentials.peer.authorization = std::make_shared<const engine::Secret>(basic);
        EXPECT_EQ(code_of(ask(gate, std::move(credentials))), ErrorCode::auth_failed);
    }
    EXPECT_EQ(asked, 0);
    EXPECT_EQ(gate.hashing().hashed, 0U);
}

TEST_F(GateHookTest, S_AUTH_04_TheFileDecidesAboutItsOwnUsersOnly) {
    const TinyServer server(answering(R"({"result":"allow","roles":["hooked"]})"));
    Sources sources = only(hook_at(server.url()));
    sources.users = users(line);
    Gate gate(sources, {});
    EXPECT_TRUE(ask(gate, login("anna", "hunter2")));
    EXPECT_EQ(code_of(ask(gate, login("anna", "wrong"))), ErrorCode::auth_failed);
    EXPECT_EQ(asked, 0);
    const Answer bert = ask(gate, login("bert", "x"));
    ASSERT_TRUE(bert);
    EXPECT_EQ((*bert)->roles, std::vector<std::string>{"hooked"});
    EXPECT_EQ(asked, 1);
    // An unknown user has cost a hash (S-AUTH-07).
    EXPECT_EQ(gate.hashing().hashed, 3U);
}

TEST_F(GateHookTest, S_AUTH_04_TheHookMayComeFirst) {
    for (const std::string result : {"ignore", "deny"}) {
        const TinyServer server(answering(R"({"result":")" + result + "\"}"));
        Sources sources = only(hook_at(server.url()));
        sources.users = users(line);
        sources.is_hook_first = true;
        Gate gate(sources, {});
        const Answer answer = ask(gate, login("anna", "hunter2"));
        EXPECT_EQ(answer.has_value(), result == "ignore");
    }
    // An error is no better than a denial.
    const TinyServer broken([](Peer& peer) { (void)peer.read_request(); });
    Sources sources = only(hook_at(broken.url()));
    sources.users = users(line);
    sources.is_hook_first = true;
    Gate gate(sources, {});
    EXPECT_EQ(code_of(ask(gate, login("anna", "hunter2"))), ErrorCode::auth_failed);
    EXPECT_EQ(gate.hashing().hashed, 0U);
}

TEST_F(GateHookTest, S_AUTH_09_AnAllowIsRememberedForTheSameFactsAndADenialNever) {
    const TinyServer server(answering(R"({"result":"allow"})"));
    Gate gate(only(hook_at(server.url())), {});
    EXPECT_TRUE(ask(gate, login("anna", "x")));
    EXPECT_TRUE(ask(gate, login("anna", "x")));
    EXPECT_EQ(asked, 1);
    engine::Credentials elsewhere = login("anna", "x");
    elsewhere.peer.address = "192.0.2.2";
    EXPECT_TRUE(ask(gate, std::move(elsewhere)));
    EXPECT_EQ(asked, 2);
    EXPECT_TRUE(ask(gate, login("anna", "y")));
    EXPECT_EQ(asked, 3);
    const TinyServer denying(answering(R"({"result":"deny"})"));
    Gate strict(only(hook_at(denying.url())), {});
    EXPECT_FALSE(ask(strict, login("anna", "x")));
    EXPECT_FALSE(ask(strict, login("anna", "x")));
    EXPECT_EQ(asked, 5);
}

// A hook that is asked first may say of some facts what it does not say of others.
TEST_F(GateHookTest, S_AUTH_09_TheFilesAnswerDoesNotPassByAHookThatComesFirst) {
    const TinyServer server([this](Peer& peer) {
        for (std::string request = peer.read_request(); !request.empty();
             request = peer.read_request()) {
            ++asked;
            const bool is_ignored = request.find("\"192.0.2.1\"") != std::string::npos;
            const std::string result = is_ignored ? "ignore" : "deny";
            if (!peer.write(TinyServer::ok(R"({"result":")" + result + "\"}"))) { return; }
        }
    });
    engine::Credentials elsewhere = login("anna", "hunter2");
    elsewhere.peer.address = "192.0.2.2";
    for (const auto cache : {minute, std::chrono::milliseconds(0)}) {
        asked = 0;
        Sources sources = only(hook_at(server.url(), 64, cache));
        sources.users = users(line);
        sources.is_hook_first = true;
        Gate gate(sources, {});
        EXPECT_TRUE(ask(gate, login("anna", "hunter2")));
        EXPECT_EQ(code_of(ask(gate, elsewhere)), ErrorCode::auth_failed);
        EXPECT_EQ(asked, 2);
        EXPECT_TRUE(ask(gate, login("anna", "hunter2")));
        EXPECT_EQ(asked, cache == minute ? 2 : 3);
    }
}

TEST_F(GateHookTest, S_AUTH_09_NothingIsRememberedIfTheOperatorSaysSo) {
    const TinyServer server(answering(R"({"result":"allow"})"));
    Gate gate(only(hook_at(server.url(), 64, std::chrono::milliseconds(0))), {});
    EXPECT_TRUE(ask(gate, login("anna", "x")));
    EXPECT_TRUE(ask(gate, login("anna", "x")));
    EXPECT_EQ(asked, 2);
}

TEST_F(GateHookTest, S_AUTH_16_ItsRefusalsCountForTheAddress) {
    const TinyServer server(answering(R"({"result":"deny"})"));
    Gate::Limits limits;
    limits.logins.failures = 2;
    Gate gate(only(hook_at(server.url())), limits);
    for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(ask(gate, login("anna", "x")));
    }
    EXPECT_EQ(shard.delays, (std::vector<std::int64_t>{1000, 2000}));
}

// A service that is down is not a user who guesses.
TEST_F(GateHookTest, S_AUTH_16_AHookThatDoesNotAnswerIsNobodysFailedLogin) {
    for (const std::string& answer :
         {std::string("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
          TinyServer::ok("{}"),
          std::string()}) {
        const TinyServer server([answer](Peer& peer) {
            (void)peer.read_request();
            (void)peer.write(answer);
        });
        Gate::Limits limits;
        limits.logins.failures = 2;
        Gate gate(only(hook_at(server.url())), limits);
        for (int i = 0; i < 5; ++i) {
            const Answer outcome = ask(gate, login("anna", "x"));
            ASSERT_FALSE(outcome);
            EXPECT_EQ(outcome.error().code, ErrorCode::auth_failed);
            EXPECT_NE(outcome.error().what.find("hook.url"), std::string::npos);
        }
        EXPECT_TRUE(shard.delays.empty()) << answer;
    }
}

TEST_F(GateHookTest, S_AUTH_14_OneTooManyAtOnceIsToldOverload) {
    std::promise<void> release;
    const auto released = release.get_future().share();
    const TinyServer server([released](Peer& peer) {
        (void)peer.read_request();
        released.wait();
        (void)peer.write(TinyServer::ok(R"({"result":"allow"})"));
    });
    Gate gate(only(hook_at(server.url(), 2)), {});
    std::vector<ErrorCode> codes;
    const auto note = [&codes](const Answer& answer) { codes.push_back(code_of(answer)); };
    for (int i = 0; i < 3; ++i) {
        gate.authenticate(shard, login("user" + std::to_string(i), "x"), note);
    }
    EXPECT_EQ(codes, std::vector<ErrorCode>{ErrorCode::overload});
    release.set_value();
    while (codes.size() < 3) {
        shard.run_one();
    }
    EXPECT_EQ(codes.back(), ErrorCode::internal);
}

TEST_F(GateHookTest, S_AUTH_16_AnAddressWithTooManyFailuresLeavesHalfThePlacesToOthers) {
    std::promise<void> release;
    const auto released = release.get_future().share();
    const TinyServer server([released](Peer& peer) {
        const std::string request = peer.read_request();
        const bool is_first = request.find("\"first\"") != std::string::npos;
        if (!is_first) { released.wait(); }
        (void)peer.write(
            TinyServer::ok(R"({"result":")" + std::string(is_first ? "deny" : "allow") + "\"}")
        );
    });
    Gate::Limits limits;
    limits.logins.failures = 1;
    Gate gate(only(hook_at(server.url(), 2)), limits);
    EXPECT_FALSE(ask(gate, login("first", "x")));
    std::vector<ErrorCode> codes;
    const auto note = [&codes](const Answer& answer) { codes.push_back(code_of(answer)); };
    // The first one's place may not be free at once.
    do {
        codes.clear();
        gate.authenticate(shard, login("anna", "x"), note);
    } while (!codes.empty());
    gate.authenticate(shard, login("bert", "x"), note);
    EXPECT_EQ(codes, std::vector<ErrorCode>{ErrorCode::overload});
    engine::Credentials other = login("carl", "x");
    other.peer.network = "192.0.2.2";
    gate.authenticate(shard, std::move(other), note);
    EXPECT_EQ(codes.size(), 1U);
    release.set_value();
    while (codes.size() < 3) {
        shard.run_one();
    }
}

TEST_F(GateHookTest, S_ACL_11_ItsUsersStayAsLongAsItIsTheSameHook) {
    const TinyServer server(answering(R"({"result":"allow"})"));
    const TinyServer other(answering(R"({"result":"allow"})"));
    Gate gate(only(hook_at(server.url())), {});
    const Answer answer = ask(gate, login("anna", "x"));
    ASSERT_TRUE(answer);
    gate.exchange(only(hook_at(server.url())));
    EXPECT_EQ(gate.renewed(*answer), *answer);
    // What was remembered is not.
    EXPECT_TRUE(ask(gate, login("anna", "x")));
    EXPECT_EQ(asked, 2);
    gate.exchange(only(hook_at(other.url())));
    EXPECT_EQ(gate.renewed(*answer), nullptr);
    gate.exchange({users(line), nullptr});
    EXPECT_EQ(gate.renewed(*answer), nullptr);
}

TEST_F(GateHookTest, S_AUTH_14_AnAnswerThatComesAfterAReloadIsOfNoUse) {
    std::promise<void> release;
    const auto released = release.get_future().share();
    const TinyServer server([released](Peer& peer) {
        (void)peer.read_request();
        released.wait();
        (void)peer.write(TinyServer::ok(R"({"result":"allow"})"));
    });
    Gate gate(only(hook_at(server.url())), {});
    std::optional<Answer> outcome;
    gate.authenticate(shard, login("anna", "x"), [&](Answer answer) {
        outcome = std::move(answer);
    });
    gate.exchange({users(line), nullptr});
    release.set_value();
    while (!outcome) {
        shard.run_one();
    }
    EXPECT_EQ(code_of(*outcome), ErrorCode::auth_failed);
}

TEST_F(GateHookTest, S_AUTH_14_OnlyUtf8IsSent) {
    const TinyServer server(answering(R"({"result":"allow"})"));
    Gate gate(only(hook_at(server.url())), {});
    EXPECT_FALSE(ask(gate, login("anna", "\xff")));
    EXPECT_FALSE(ask(gate, login("ann\xc3", "x")));
    EXPECT_EQ(asked, 0);
}

}  // namespace security
