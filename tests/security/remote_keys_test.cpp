// Keys of tokens from a server: when they are fetched, what replaces them and what does not, and
// what a token with an unknown key may cause (S-AUTH-11, S-TLS-04).
#include "broker/security/remote_keys.hpp"

#include "broker/security/gate.hpp"
#include "broker/security/jwks.hpp"
#include "tests/security/mail_shard.hpp"
#include "tests/security/tiny_server.hpp"
#include "tests/security/token_maker.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace security {
namespace {

using protocol::ErrorCode;
using Answer = protocol::Result<engine::PrincipalRef>;
using Peer = TinyServer::Peer;

std::string set_of(JwtAlgorithm algorithm, const std::string& id) {
    return R"({"keys":[{"kid":")" + id + "\"," + published_members(algorithm) + "}]}";
}

/// A server whose set can be exchanged.
class KeyServer {
public:
    explicit KeyServer(std::string set)
        : answer_(TinyServer::ok(set)), server_([this](Peer& peer) { serve(peer); }) {}

    void publish(std::string answer) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
    }

    [[nodiscard]] std::string url() const { return server_.url(); }

    [[nodiscard]] int fetches() const { return fetches_.load(); }

private:
    void serve(Peer& peer) {
        while (!peer.read_request().empty()) {
            ++fetches_;
            std::string answer;
            {
                const std::lock_guard lock(mutex_);
                answer = answer_;
            }
            if (!peer.write(answer)) { return; }
        }
    }

    std::mutex mutex_;
    std::string answer_;
    std::atomic<int> fetches_{0};
    TinyServer server_;
};

class RemoteKeysTest : public ::testing::Test {
protected:
    ~RemoteKeysTest() override { outbound.stop(); }

    static RemoteKeys::Settings settings_of(const std::string& url) {
        RemoteKeys::Settings settings;
        settings.url = *parse_http_url(url);
        return settings;
    }

    std::shared_ptr<RemoteKeys> start(const RemoteKeys::Settings& settings) {
        auto keys = std::make_shared<RemoteKeys>(outbound, settings, verifier);
        keys->start();
        return keys;
    }

    static RemoteKeys::Waited wait(RemoteKeys& keys) {
        std::promise<RemoteKeys::Waited> promise;
        keys.await_refresh([&promise](RemoteKeys::Waited waited) { promise.set_value(waited); });
        return promise.get_future().get();
    }

    Answer ask(Gate& gate, const std::string& token) {
        engine::Credentials credentials;
        credentials.passcode = std::make_shared<const engine::Secret>(token);
        credentials.peer.address = "192.0.2.1";
        credentials.peer.network = "192.0.2.1";
        std::optional<Answer> outcome;
        gate.authenticate(shard, std::move(credentials), [&](Answer answer) {
            outcome = std::move(answer);
        });
        while (!outcome) {
            shard.run_one();
        }
        return *outcome;
    }

    static std::string token_of(JwtAlgorithm algorithm, const std::string& id) {
        const std::string alg(algorithm == JwtAlgorithm::es256 ? "ES256" : "RS256");
        return TokenMaker(algorithm).token(
            R"({"alg":")" + alg + R"(","kid":")" + id + "\"}", good_claims()
        );
    }

    static constexpr JwtAlgorithm es = JwtAlgorithm::es256;
    static constexpr JwtAlgorithm rs = JwtAlgorithm::rs256;
    Outbound outbound;
    MailShard shard;
    const std::shared_ptr<JwtVerifier> verifier =
        std::make_shared<JwtVerifier>(test_settings(), std::make_shared<const KeySet>());
};

}  // namespace

TEST_F(RemoteKeysTest, S_AUTH_11_TheFirstLoginWaitsForTheFirstKeys) {
    KeyServer server(set_of(es, "one"));
    Sources sources;
    sources.tokens = verifier;
    sources.remote_keys = start(settings_of(server.url()));
    Gate gate(sources, {});
    const Answer answer = ask(gate, token_of(es, "one"));
    ASSERT_TRUE(answer);
    EXPECT_EQ((*answer)->user, "anna");
    EXPECT_EQ(server.fetches(), 1);
}

TEST_F(RemoteKeysTest, S_AUTH_11_AnUnknownKeyHasThemFetchedAtMostOnceAMinute) {
    KeyServer server(set_of(es, "one"));
    Sources sources;
    sources.tokens = verifier;
    sources.remote_keys = start(settings_of(server.url()));
    Gate gate(sources, {});
    EXPECT_TRUE(ask(gate, token_of(es, "one")));
    for (int i = 0; i < 5; ++i) {
        const Answer answer = ask(gate, token_of(es, "unknown" + std::to_string(i)));
        EXPECT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::auth_failed);
    }
    EXPECT_EQ(server.fetches(), 1);
    EXPECT_TRUE(ask(gate, token_of(es, "one")));
}

TEST_F(RemoteKeysTest, S_AUTH_11_KeysThatWereExchangedAreFoundByTheTokenThatNeedsThem) {
    KeyServer server(set_of(es, "one"));
    RemoteKeys::Settings settings = settings_of(server.url());
    settings.interval_min = std::chrono::milliseconds(0);
    Sources sources;
    sources.tokens = verifier;
    sources.remote_keys = start(settings);
    Gate gate(sources, {});
    EXPECT_TRUE(ask(gate, token_of(es, "one")));
    server.publish(TinyServer::ok(set_of(rs, "two")));
    EXPECT_TRUE(ask(gate, token_of(rs, "two")));
    EXPECT_FALSE(ask(gate, token_of(es, "one")));
}

TEST_F(RemoteKeysTest, S_AUTH_11_TheLastGoodSetIsKept) {
    KeyServer server(set_of(es, "one"));
    RemoteKeys::Settings settings = settings_of(server.url());
    settings.interval_min = std::chrono::milliseconds(0);
    const auto keys = start(settings);
    EXPECT_EQ(wait(*keys), RemoteKeys::Waited::to_the_end);
    const KeySetRef good = verifier->keys();
    EXPECT_EQ(good->size(), 1U);
    for (const std::string& answer :
         {std::string("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
          std::string("HTTP/1.1 302 No\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
          TinyServer::ok("{}"),
          TinyServer::ok(R"({"keys":[]})"),
          TinyServer::ok(R"({"keys":[],"keys":[{"kty":"EC"}]})"),
          TinyServer::ok(set_of(es, "one").substr(1)),
          TinyServer::ok(std::string(262'145, ' ')),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")}) {
        server.publish(answer);
        const auto before = keys->counters().failures;
        EXPECT_EQ(wait(*keys), RemoteKeys::Waited::to_the_end);
        EXPECT_GT(keys->counters().failures, before) << answer.substr(0, 60);
        EXPECT_EQ(verifier->keys(), good);
    }
}

// Whoever could read the set could make tokens.
TEST_F(RemoteKeysTest, S_AUTH_11_SecretsAreNotFetched) {
    KeyServer server(
        R"({"keys":[{"kid":"one","kty":"oct","alg":"HS256","k":")" + std::string(43, 'A') + "\"}]}"
    );
    const auto keys = start(settings_of(server.url()));
    EXPECT_EQ(wait(*keys), RemoteKeys::Waited::to_the_end);
    EXPECT_EQ(verifier->keys()->size(), 0U);
    EXPECT_EQ(keys->counters().failures, 1U);
}

TEST_F(RemoteKeysTest, S_TLS_04_TheServerMustProveWhoItIs) {
    const tls::Certificate good;
    const tls::Certificate other;
    const TinyServer server(TinyServer::answering(set_of(es, "one")), &good);
    RemoteKeys::Settings settings = settings_of(server.url("localhost"));
    settings.ca_file = other.certificate_file();
    EXPECT_EQ(wait(*start(settings)), RemoteKeys::Waited::to_the_end);
    EXPECT_EQ(verifier->keys()->size(), 0U);
    settings.ca_file = good.certificate_file();
    EXPECT_EQ(wait(*start(settings)), RemoteKeys::Waited::to_the_end);
    EXPECT_EQ(verifier->keys()->size(), 1U);
}

TEST_F(RemoteKeysTest, S_AUTH_11_WithoutKeysItTriesAgainLaterAndLater) {
    KeyServer server("");
    RemoteKeys::Settings settings = settings_of(server.url());
    settings.first_retry = std::chrono::milliseconds(1);
    const auto keys = start(settings);
    while (keys->counters().failures < 4) {
        std::this_thread::yield();
    }
    server.publish(TinyServer::ok(set_of(es, "one")));
    while (verifier->keys()->size() == 0) {
        std::this_thread::yield();
    }
    const auto fetches = keys->counters().fetches;
    EXPECT_EQ(wait(*keys), RemoteKeys::Waited::to_the_end);
    EXPECT_EQ(keys->counters().fetches, fetches);
}

TEST_F(RemoteKeysTest, S_AUTH_11_TheyAreFetchedAgainAndAgain) {
    KeyServer server(set_of(es, "one"));
    RemoteKeys::Settings settings = settings_of(server.url());
    settings.refresh = std::chrono::milliseconds(1);
    const auto keys = start(settings);
    while (server.fetches() < 3) {
        std::this_thread::yield();
    }
    EXPECT_EQ(keys->counters().failures, 0U);
}

TEST_F(RemoteKeysTest, S_AUTH_11_WhatOneWaiterThrowsCostsNoOtherItsAnswer) {
    KeyServer server(set_of(es, "one"));
    RemoteKeys::Settings settings = settings_of(server.url());
    settings.refresh = std::chrono::milliseconds(1);
    const auto keys = std::make_shared<RemoteKeys>(outbound, settings, verifier);
    std::promise<RemoteKeys::Waited> other;
    // All three at once, so that both wait for the same fetch.
    boost::asio::post(outbound.io(), [&] {
        keys->start();
        keys->await_refresh([](RemoteKeys::Waited) { throw std::bad_alloc(); });
        keys->await_refresh([&other](RemoteKeys::Waited waited) { other.set_value(waited); });
    });
    EXPECT_EQ(other.get_future().get(), RemoteKeys::Waited::to_the_end);
    while (server.fetches() < 3) {
        std::this_thread::yield();
    }
}

TEST_F(RemoteKeysTest, S_AUTH_11_NoMoreThanSoManyWait) {
    const TinyServer silent([](Peer& peer) { peer.wait_until_gone(); });
    const auto keys = start(settings_of(silent.url()));
    std::atomic<std::size_t> answered{0};
    for (std::size_t i = 0; i < RemoteKeys::waiting_max; ++i) {
        keys->await_refresh([&](RemoteKeys::Waited) { ++answered; });
    }
    EXPECT_EQ(wait(*keys), RemoteKeys::Waited::not_at_all);
    EXPECT_EQ(answered, 0U);
    outbound.stop();
}

// What was exchanged while it waited says nothing any more.
TEST_F(RemoteKeysTest, S_AUTH_10_ATokenThatWaitedIsForTheVerifierOfNow) {
    TokenSettings others = test_settings();
    others.issuer = "https://other.example";
    auto set = parse_jwks(set_of(es, "one"), JwksOptions{});
    ASSERT_TRUE(set);
    const KeySetRef keys = std::make_shared<const KeySet>(std::move(set->keys));
    const auto alike = std::make_shared<const JwtVerifier>(test_settings(), keys);
    const auto stricter = std::make_shared<const JwtVerifier>(others, keys);
    for (const auto& exchanged : {alike, stricter, std::shared_ptr<const JwtVerifier>()}) {
        std::promise<void> release;
        const auto released = release.get_future().share();
        const TinyServer server([released](Peer& peer) {
            (void)peer.read_request();
            released.wait();
            (void)peer.write(TinyServer::ok(set_of(es, "one")));
        });
        verifier->exchange_keys(std::make_shared<const KeySet>());
        Sources sources;
        sources.tokens = verifier;
        sources.remote_keys = start(settings_of(server.url()));
        Gate gate(sources, {});
        engine::Credentials credentials;
        credentials.passcode = std::make_shared<const engine::Secret>(token_of(es, "one"));
        std::optional<Answer> outcome;
        gate.authenticate(shard, std::move(credentials), [&](Answer answer) {
            outcome = std::move(answer);
        });
        Sources current;
        current.tokens = exchanged;
        gate.exchange(current);
        release.set_value();
        while (!outcome) {
            shard.run_one();
        }
        EXPECT_EQ(outcome->has_value(), exchanged == alike);
        EXPECT_EQ(verifier->keys()->size(), 1U);
    }
}

TEST_F(RemoteKeysTest, S_AUTH_11_LoginsThatWaitAreAnsweredWhateverIsReloaded) {
    std::promise<void> release;
    const auto released = release.get_future().share();
    const TinyServer server([released](Peer& peer) {
        (void)peer.read_request();
        released.wait();
        (void)peer.write(TinyServer::ok(set_of(es, "one")));
    });
    std::promise<RemoteKeys::Waited> waited;
    {
        const auto keys = start(settings_of(server.url()));
        keys->await_refresh([&](RemoteKeys::Waited how) { waited.set_value(how); });
        // What was posted has run.
        std::promise<void> done;
        boost::asio::post(outbound.io(), [&done] { done.set_value(); });
        done.get_future().get();
    }
    release.set_value();
    EXPECT_EQ(waited.get_future().get(), RemoteKeys::Waited::to_the_end);
}

}  // namespace security
