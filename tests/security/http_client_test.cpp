// The HTTP client against servers that do everything wrong: what is trusted, what is waited for,
// what is kept (S-AUTH-11, S-AUTH-14, S-TLS-04).
#include "broker/security/http_client.hpp"

#include "broker/tls/context.hpp"
#include "tests/security/tiny_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace security {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using Peer = TinyServer::Peer;

class HttpClientTest : public ::testing::Test {
protected:
    // Long enough for a busy machine where an answer is expected.
    static constexpr milliseconds patient{10'000};
    static constexpr milliseconds impatient{300};

    static HttpClient::Settings settings_of(const std::string& url, milliseconds timeout) {
        HttpClient::Settings settings;
        settings.url = *parse_http_url(url);
        settings.timeout = timeout;
        settings.body_max = 1000;
        return settings;
    }

    static HttpResult result_of(HttpClient& client) {
        std::promise<HttpResult> promise;
        const bool is_taken =
            client.post(engine::Secret("{\"passcode\":\"x\"}"), [&](HttpResult r) {
                promise.set_value(std::move(r));
            });
        EXPECT_TRUE(is_taken);
        return promise.get_future().get();
    }

    HttpResult post(const HttpClient::Settings& settings) {
        HttpClient client(outbound, settings);
        return result_of(client);
    }

    /// What becomes of a request that `answer` is sent to, and then the end.
    HttpResult answered(const std::string& answer) {
        const TinyServer server([answer](Peer& peer) {
            (void)peer.read_request();
            (void)peer.write(answer);
        });
        return post(settings_of(server.url(), patient));
    }

    HttpResult over_tls(
        const tls::Certificate& shown, const std::string& ca_file, const std::string& host
    ) {
        const TinyServer server(TinyServer::answering("{}"), &shown);
        HttpClient::Settings settings = settings_of(server.url(host), patient);
        settings.ca_file = ca_file;
        return post(settings);
    }

    static HttpClient::Settings trusting(
        const TinyServer& server, const tls::Certificate& certificate
    ) {
        HttpClient::Settings settings = settings_of(server.url(), patient);
        settings.ca_file = certificate.certificate_file();
        return settings;
    }

    static std::string fault_of(const HttpResult& result) {
        return result ? "none: " + *result : result.error().what;
    }

    Outbound outbound;
};

}  // namespace

TEST_F(HttpClientTest, S_AUTH_14_TheRequestIsOneOfHttp11AndTheAnswersBodyComesBack) {
    std::promise<std::string> seen;
    const TinyServer server([&](Peer& peer) {
        seen.set_value(peer.read_request());
        (void)peer.write(TinyServer::ok("hello"));
    });
    const HttpResult result = post(settings_of(server.url(), patient));
    ASSERT_TRUE(result) << fault_of(result);
    EXPECT_EQ(*result, "hello");
    EXPECT_EQ(
        seen.get_future().get(),
        "POST /auth HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
            "\r\nUser-Agent: stampede\r\nAccept: application/json\r\nContent-Type: "
            "application/json\r\nContent-Length: 16\r\n\r\n{\"passcode\":\"x\"}"
    );
}

TEST_F(HttpClientTest, S_AUTH_14_BodiesMayComeInChunksOrUntilTheEnd) {
    const HttpResult chunked = answered(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"
    );
    EXPECT_EQ(chunked ? *chunked : fault_of(chunked), "abc");
    const HttpResult until_end = answered("HTTP/1.0 200 OK\r\n\r\nabc");
    EXPECT_EQ(until_end ? *until_end : fault_of(until_end), "abc");
}

TEST_F(HttpClientTest, S_AUTH_14_UnixSocketsAreServersToo) {
    const tls::Certificate directory;
    const std::string path = directory.file_with("") + ".sock";
    const TinyServer server(TinyServer::answering("{}"), path);
    const HttpResult result = post(settings_of("http://unix:" + path + ":/auth", patient));
    EXPECT_TRUE(result) << fault_of(result);
}

TEST_F(HttpClientTest, S_TLS_04_AServerThatIsTrustedAndHasTheNameIsAnswered) {
    const tls::Certificate good;
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        const HttpResult result = over_tls(good, good.certificate_file(), host);
        EXPECT_TRUE(result) << fault_of(result);
    }
}

TEST_F(HttpClientTest, S_TLS_04_AnotherAuthorityIsRefused) {
    const tls::Certificate good;
    const tls::Certificate other;
    const HttpResult result = over_tls(good, other.certificate_file(), "localhost");
    EXPECT_THAT(fault_of(result), HasSubstr("certificate is refused"));
}

TEST_F(HttpClientTest, S_TLS_04_ASelfSignedCertificateIsRefusedByTheSystemsAuthorities) {
    const tls::Certificate good;
    const HttpResult result = over_tls(good, "", "localhost");
    EXPECT_THAT(fault_of(result), HasSubstr("self-signed"));
}

TEST_F(HttpClientTest, S_TLS_04_AnotherHostNameIsRefused) {
    const tls::Certificate other("DNS:other.example,IP:192.0.2.1");
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        const HttpResult result = over_tls(other, other.certificate_file(), host);
        EXPECT_THAT(fault_of(result), HasSubstr("mismatch"));
    }
}

TEST_F(HttpClientTest, S_TLS_04_AnExpiredCertificateIsRefused) {
    const tls::Certificate old("DNS:localhost,IP:127.0.0.1", -60);
    const HttpResult result = over_tls(old, old.certificate_file(), "localhost");
    EXPECT_THAT(fault_of(result), HasSubstr("expired"));
}

TEST_F(HttpClientTest, S_TLS_04_AServerWithoutTlsIsRefused) {
    const TinyServer server([](Peer& peer) {
        (void)peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
        peer.wait_until_gone();
    });
    const std::string url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
    EXPECT_THAT(fault_of(post(settings_of(url, patient))), HasSubstr("no TLS"));
}

TEST_F(HttpClientTest, S_TLS_04_AMissingFileOfAuthoritiesIsRefusedAtOnce) {
    HttpClient::Settings settings = settings_of("https://localhost/", patient);
    settings.ca_file = "/nonexistent/ca.pem";
    EXPECT_THROW(HttpClient(outbound, settings), tls::Error);
}

TEST_F(HttpClientTest, S_AUTH_14_OnlyStatus200IsAnAnswerAndNothingIsFollowed) {
    const TinyServer elsewhere(TinyServer::answering("{}"));
    for (const std::string status :
         {"204 No",
          "301 Moved",
          "302 Found",
          "307 Go",
          "308 Go",
          "401 No",
          "500 Oops",
          "100 Wait"}) {
        const HttpResult result = answered(
            "HTTP/1.1 " + status + "\r\nLocation: " + elsewhere.url() +
            "\r\nContent-Length: 0\r\n\r\n"
        );
        EXPECT_THAT(fault_of(result), HasSubstr("status " + status.substr(0, 3)));
    }
    EXPECT_EQ(elsewhere.connections(), 0U);
}

TEST_F(HttpClientTest, S_AUTH_14_WhatIsNoHttpIsRefused) {
    for (const std::string answer :
         {"",
          "\r\n\r\n",
          "hello",
          "SSH-2.0-OpenSSH_9.2\r\n",
          "HTTP/1.1 2000 OK\r\n\r\n",
          "HTTP/1.1 abc OK\r\n\r\n",
          "HTTP/9.9 200 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
          "HTTP/1.1 200 OK\r\n bad\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"}) {
        EXPECT_THAT(fault_of(answered(answer)), HasSubstr("no ")) << answer;
    }
}

TEST_F(HttpClientTest, S_AUTH_14_AConnectionThatIsCutIsNoAnswer) {
    EXPECT_THAT(fault_of(answered("HTTP/1.1 200 OK\r\nContent-Le")), HasSubstr("no valid"));
    EXPECT_THAT(
        fault_of(answered("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"resul")),
        HasSubstr("no complete")
    );
    EXPECT_THAT(
        fault_of(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")),
        HasSubstr("no complete")
    );
}

TEST_F(HttpClientTest, S_AUTH_11_ABodyIsBoundedHoweverItIsAnnounced) {
    // Refused by its announcement: nothing of it is sent or waited for.
    const TinyServer declaring([](Peer& peer) {
        (void)peer.read_request();
        (void)peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
        peer.wait_until_gone();
    });
    EXPECT_THAT(fault_of(post(settings_of(declaring.url(), patient))), HasSubstr("body limit"));
    const std::string body(1001, 'x');
    EXPECT_THAT(fault_of(answered("HTTP/1.1 200 OK\r\n\r\n" + body)), HasSubstr("body limit"));
    std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 101; ++i) {
        chunks += "a\r\n0123456789\r\n";
    }
    EXPECT_THAT(fault_of(answered(chunks)), HasSubstr("body limit"));
    EXPECT_THAT(
        fault_of(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n")),
        HasSubstr("body limit")
    );
    EXPECT_TRUE(answered(TinyServer::ok(std::string(1000, 'x'))));
}

TEST_F(HttpClientTest, S_AUTH_11_HeadsExtensionsAndTrailersAreBounded) {
    const std::string big(100'000, 'x');
    EXPECT_FALSE(answered("HTTP/1.1 200 OK\r\nX: " + big + "\r\n\r\n"));
    EXPECT_FALSE(answered("HTTP/1.1 200 " + big + "\r\n\r\n"));
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_FALSE(answered(chunked + "1;x=" + big + "\r\na\r\n0\r\n\r\n"));
    EXPECT_FALSE(answered(chunked + "1\r\na\r\n0\r\nX: " + big + "\r\n\r\n"));
}

TEST_F(HttpClientTest, S_AUTH_14_SilenceEndsAtTheDeadline) {
    const TinyServer silent([](Peer& peer) { peer.wait_until_gone(); });
    const auto before = std::chrono::steady_clock::now();
    const HttpResult result = post(settings_of(silent.url(), impatient));
    EXPECT_GE(std::chrono::steady_clock::now() - before, impatient);
    EXPECT_THAT(fault_of(result), HasSubstr("no answer in 300 ms"));
    // The same where TLS is expected.
    const std::string url = "https://127.0.0.1:" + std::to_string(silent.port()) + "/";
    EXPECT_THAT(fault_of(post(settings_of(url, impatient))), HasSubstr("no answer in 300 ms"));
}

// Each octet comes in time, the whole does not: only a deadline for all of it ends this.
TEST_F(HttpClientTest, S_AUTH_14_TricklingEndsAtTheDeadline) {
    for (const std::string head : {"", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"}) {
        const TinyServer trickling([head](Peer& peer) {
            (void)peer.read_request();
            (void)peer.write(head.empty() ? "HTTP/1.1 200 " : head);
            while (!peer.stirs_within(milliseconds(5)) && peer.write("x")) {}
        });
        const HttpResult result = post(settings_of(trickling.url(), impatient));
        EXPECT_THAT(fault_of(result), HasSubstr("no answer in 300 ms"));
    }
}

TEST_F(HttpClientTest, S_AUTH_14_ConnectionsAreUsedAgain) {
    const TinyServer server(TinyServer::answering("{}"));
    HttpClient client(outbound, settings_of(server.url(), patient));
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(result_of(client));
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST_F(HttpClientTest, S_AUTH_14_ConnectionsThatEndedAreNotUsedAgain) {
    const TinyServer server([](Peer& peer) {
        (void)peer.read_request();
        (void)peer.write(TinyServer::ok("{}"));
    });
    HttpClient client(outbound, settings_of(server.url(), patient));
    for (int i = 0; i < 5; ++i) {
        const HttpResult result = result_of(client);
        EXPECT_TRUE(result) << fault_of(result);
    }
    EXPECT_EQ(server.connections(), 5U);
}

// What was said without being asked would be taken for the next request's answer.
TEST_F(HttpClientTest, S_AUTH_14_AnAnswerTooManyIsNobodys) {
    const TinyServer server([](Peer& peer) {
        bool is_first = true;
        while (!peer.read_request().empty()) {
            (void)peer.write(
                is_first ? TinyServer::ok("mine") + TinyServer::ok("smuggled")
                         : TinyServer::ok("no")
            );
            is_first = false;
        }
    });
    HttpClient client(outbound, settings_of(server.url(), patient));
    for (int i = 0; i < 5; ++i) {
        const HttpResult result = result_of(client);
        ASSERT_TRUE(result) << fault_of(result);
        EXPECT_EQ(*result, "mine");
    }
}

// Over TLS what came too much may be with the system, with Asio or with OpenSSL.
TEST_F(HttpClientTest, S_AUTH_14_AnAnswerTooManyIsNobodysOverTlsEither) {
    const tls::Certificate certificate;
    const TinyServer server(
        [](Peer& peer) {
            (void)peer.read_request();
            peer.hold_back(true);
            (void)peer.write(TinyServer::ok("mine"));
            (void)peer.write(TinyServer::ok("smuggled"));
            peer.hold_back(false);
            peer.wait_until_gone();
        },
        &certificate
    );
    HttpClient client(outbound, trusting(server, certificate));
    for (int i = 0; i < 5; ++i) {
        const HttpResult result = result_of(client);
        ASSERT_TRUE(result) << fault_of(result);
        EXPECT_EQ(*result, "mine");
    }
    EXPECT_EQ(server.connections(), 5U);
}

TEST_F(HttpClientTest, S_AUTH_14_AnAnswerThatCameBetweenTwoRequestsIsNobodys) {
    const tls::Certificate certificate;
    std::promise<void> answered;
    std::promise<void> smuggled;
    std::atomic<bool> is_first{true};
    const TinyServer server(
        [&](Peer& peer) {
            (void)peer.read_request();
            (void)peer.write(TinyServer::ok("mine"));
            if (is_first.exchange(false)) {
                answered.get_future().wait();
                (void)peer.write(TinyServer::ok("smuggled"));
                smuggled.set_value();
            }
            peer.wait_until_gone();
        },
        &certificate
    );
    HttpClient client(outbound, trusting(server, certificate));
    EXPECT_TRUE(result_of(client));
    answered.set_value();
    smuggled.get_future().wait();
    const HttpResult result = result_of(client);
    EXPECT_EQ(result ? *result : fault_of(result), "mine");
    EXPECT_EQ(server.connections(), 2U);
}

TEST_F(HttpClientTest, S_AUTH_14_TheBeginningOfARecordIsOneTooMany) {
    const tls::Certificate certificate;
    const TinyServer server(
        [](Peer& peer) {
            (void)peer.read_request();
            peer.hold_back(true);
            (void)peer.write(TinyServer::ok("mine"));
            peer.write_raw("\x17\x03\x03");
            peer.hold_back(false);
            peer.wait_until_gone();
        },
        &certificate
    );
    HttpClient client(outbound, trusting(server, certificate));
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(result_of(client));
    }
    EXPECT_EQ(server.connections(), 3U);
}

TEST_F(HttpClientTest, S_AUTH_14_ConnectionsOfTlsAreUsedAgainToo) {
    const tls::Certificate certificate;
    const TinyServer server(TinyServer::answering("{}"), &certificate);
    HttpClient client(outbound, trusting(server, certificate));
    for (int i = 0; i < 5; ++i) {
        const HttpResult result = result_of(client);
        EXPECT_TRUE(result) << fault_of(result);
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST_F(HttpClientTest, S_AUTH_14_ConnectionsOfNoUseAreClosedInTime) {
    std::promise<void> gone;
    const TinyServer server([&](Peer& peer) {
        (void)peer.read_request();
        (void)peer.write(TinyServer::ok("{}"));
        peer.wait_until_gone();
        gone.set_value();
    });
    HttpClient::Settings settings = settings_of(server.url(), patient);
    settings.idle_max = milliseconds(50);
    HttpClient client(outbound, settings);
    EXPECT_TRUE(result_of(client));
    EXPECT_EQ(gone.get_future().wait_for(patient), std::future_status::ready);
}

TEST_F(HttpClientTest, S_AUTH_14_The65thInFlightHasNoPlace) {
    std::promise<void> release;
    const auto released = release.get_future().share();
    const TinyServer server([released](Peer& peer) {
        (void)peer.read_request();
        released.wait();
        (void)peer.write(TinyServer::ok("{}"));
    });
    HttpClient client(outbound, settings_of(server.url(), patient));
    std::vector<std::promise<bool>> answers(64);
    for (auto& answer : answers) {
        ASSERT_TRUE(client.get([&answer](const HttpResult& r) { answer.set_value(r.has_value()); })
        );
    }
    EXPECT_FALSE(client.get([](const HttpResult&) { FAIL(); }));
    EXPECT_EQ(client.in_flight(), 64U);
    release.set_value();
    for (auto& answer : answers) {
        EXPECT_TRUE(answer.get_future().get());
    }
    while (client.in_flight() != 0) {
        std::this_thread::yield();
    }
    EXPECT_TRUE(result_of(client));
}

TEST_F(HttpClientTest, S_AUTH_14_WhatIsUnderWayAtTheEndIsDropped) {
    const TinyServer silent([](Peer& peer) { peer.wait_until_gone(); });
    const auto alive = std::make_shared<int>(0);
    {
        Outbound brief;
        HttpClient client(brief, settings_of(silent.url(), patient));
        EXPECT_TRUE(client.get([alive](const HttpResult&) { FAIL(); }));
        while (silent.connections() == 0) {
            std::this_thread::yield();
        }
        brief.stop();
    }
    EXPECT_EQ(alive.use_count(), 1);
}

TEST(HttpUrl, S_AUTH_14_HttpsGoesAnywhereAndClearTextNowhere) {
    const auto url = *parse_http_url("https://id.example/keys?x=1");
    EXPECT_TRUE(url.is_https);
    EXPECT_EQ(url.host, "id.example");
    EXPECT_EQ(url.port, 443);
    EXPECT_EQ(url.target, "/keys?x=1");
    EXPECT_EQ(url.authority(), "id.example");
    EXPECT_EQ(parse_http_url("https://[2001:db8::1]:8443")->authority(), "[2001:db8::1]:8443");
    EXPECT_EQ(parse_http_url("https://a?x")->target, "/?x");
    EXPECT_EQ(parse_http_url("http://unix:/run/a.sock:/x")->socket, "/run/a.sock");
    EXPECT_EQ(parse_http_url("http://unix:/run/a.sock")->target, "/");
    for (const char* const local :
         {"http://localhost/x", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:80/"}) {
        EXPECT_TRUE(parse_http_url(local)) << local;
    }
    for (const char* const remote :
         {"http://id.example/",
          "http://192.0.2.1/",
          "http://localhost.example/",
          "http://127.0.0.1.example/",
          "http://127.1/",
          "http://2130706433/",
          "http://0.0.0.0/",
          "http://[::ffff:192.0.2.1]/"}) {
        EXPECT_FALSE(parse_http_url(remote)) << remote;
    }
}

TEST(HttpUrl, S_AUTH_14_MalformedOnesAreRefused) {
    for (const std::string text :
         {"",
          "https://",
          "https:///x",
          "HTTPS://a/",
          "ftp://a/",
          "https://user:pass@a/",
          "http://localhost@id.example/",
          "https://a:0/",
          "https://a:65536/",
          "https://a:x/",
          "https://a:/",
          "https://a b/",
          "https://a/\r\nX: y",
          "https://a/#x",
          "https://\xc3\xa4/",
          "https://[::1/",
          "https://[a]/",
          "https://[127.0.0.1]/",
          "https://[fe80::1%25eth0]/",
          "https://::1/",
          "http://unix:x:/",
          "http://unix:/:/x",
          "http://unix:/run/a.sock:x"}) {
        EXPECT_FALSE(parse_http_url(text)) << text;
    }
    EXPECT_FALSE(parse_http_url("https://a/" + std::string(2048, 'x')));
    EXPECT_FALSE(parse_http_url("http://unix:/" + std::string(200, 'x') + ":/"));
}

}  // namespace security
