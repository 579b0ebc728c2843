// The upgrade request: pages, hosts, proxies, bodies, sub-protocols; each status from its cause.
#include "broker/transport/http_upgrade.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace transport {
namespace {

using testing::HasSubstr;
using testing::Not;
using Fields = std::initializer_list<std::pair<const char*, const char*>>;

std::string request(const char* host, Fields fields) {
    std::string text =
        "GET /ws HTTP/1.1\r\nHost: " + std::string(host) +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    for (const auto& [name, value] : fields) {
        text += std::string(name) + ": " + value + "\r\n";
    }
    return text + "\r\n";
}

/// An endpoint behind proxies in 10.0.0.0/8, and what it answers.
class Upgrade : public testing::Test {
protected:
    Upgrade() { EXPECT_EQ(endpoint.trusted_proxies.add("10.0.0.0/8"), std::nullopt); }

    const HttpUpgrade& ask(const char* host, Fields fields = {}, const char* peer = "203.0.113.1") {
        upgrade.emplace(endpoint, options, peer);
        const std::string text = request(host, fields);
        outcome = upgrade->feed(text);
        EXPECT_EQ(upgrade->consumed(), text.size());
        EXPECT_EQ(outcome == HttpUpgrade::Outcome::upgrade, upgrade->status() == 101);
        return *upgrade;
    }

    unsigned status(const char* host, Fields fields = {}, const char* peer = "203.0.113.1") {
        return ask(host, fields, peer).status();
    }

    Options options;
    HttpEndpoint endpoint{{"/ws"}, false, false, "0.0.0.0", StaticFiles("")};
    std::optional<HttpUpgrade> upgrade;
    HttpUpgrade::Outcome outcome{};
};

TEST_F(Upgrade, S_WEB_01_SchemeHostAndPortAreCompared) {
    EXPECT_EQ(status("broker.example", {{"Origin", "http://broker.example"}}), 101U);
    EXPECT_EQ(status("broker.example", {{"Origin", "https://broker.example"}}), 403U);
    EXPECT_EQ(status("broker.example", {{"Origin", "http://evil.example"}}), 403U);
    EXPECT_THAT(upgrade->response(), HasSubstr("server.allowed_origins"));
    EXPECT_EQ(status("broker.example", {{"Origin", "null"}}), 403U);
    const Fields two = {{"Origin", "http://broker.example"}, {"Origin", "http://broker.example"}};
    EXPECT_EQ(status("broker.example", two), 403U);
    endpoint.is_tls = true;
    EXPECT_EQ(status("broker.example", {{"Origin", "https://broker.example"}}), 101U);
}

TEST_F(Upgrade, S_WEB_01_ListedOriginsMayConnect) {
    EXPECT_EQ(endpoint.web.allowed_origins.add("https://app.example"), std::nullopt);
    EXPECT_EQ(status("broker.example", {{"Origin", "https://app.example"}}), 101U);
    EXPECT_EQ(status("broker.example", {{"Origin", "https://app.example.evil"}}), 403U);
}

TEST_F(Upgrade, S_WEB_02_WithoutOriginUnlessForbidden) {
    EXPECT_EQ(status("broker.example"), 101U);
    endpoint.web.allow_missing_origin = false;
    EXPECT_EQ(status("broker.example"), 403U);
    EXPECT_THAT(upgrade->response(), HasSubstr("server.allow_missing_origin"));
}

TEST_F(Upgrade, S_WEB_03_LocalPagesUnlessForbidden) {
    endpoint.is_loopback = true;
    EXPECT_EQ(status("localhost:15674", {{"Origin", "http://localhost:3000"}}), 101U);
    endpoint.web.allow_loopback_origins = false;
    EXPECT_EQ(status("localhost:15674", {{"Origin", "http://localhost:3000"}}), 403U);
    EXPECT_EQ(status("localhost:15674", {{"Origin", "http://localhost:15674"}}), 101U);
}

TEST_F(Upgrade, S_WEB_03_APageBeyondAProxyIsNotLocal) {
    endpoint.is_loopback = true;
    const auto status_for = [this](const char* client, const char* peer) {
        return status(
            "localhost:15674",
            {{"Origin", "http://localhost:3000"}, {"X-Forwarded-For", client}},
            peer
        );
    };
    EXPECT_EQ(status_for("203.0.113.7", "127.0.0.1"), 403U);
    EXPECT_EQ(status_for("203.0.113.7", "10.0.0.1"), 403U);
    EXPECT_EQ(status_for("127.0.0.1", "10.0.0.1"), 101U);
}

TEST_F(Upgrade, S_WEB_04_OtherHostsAreToldTheKey) {
    endpoint.is_loopback = true;
    endpoint.bound_host = "127.0.0.9";
    EXPECT_EQ(status("127.0.0.9:1"), 101U);
    EXPECT_EQ(status("LOCALHOST"), 101U);
    EXPECT_EQ(status("evil.example"), 421U);
    EXPECT_THAT(upgrade->response(), HasSubstr("server.external_hosts"));
    EXPECT_EQ(endpoint.web.external_hosts.add("broker.example"), std::nullopt);
    EXPECT_EQ(status("broker.example:99"), 101U);
    EXPECT_EQ(status("evil.example"), 421U);
    endpoint.is_loopback = false;
    EXPECT_EQ(status("broker.example"), 101U);
    EXPECT_EQ(status("localhost"), 421U);
    EXPECT_THAT(upgrade->response(), HasSubstr("server.external_hosts"));
}

TEST_F(Upgrade, S_WEB_04_OnlyAListThatIsThereIsSpokenOf) {
    EXPECT_EQ(status("evil.example"), 101U);
    endpoint.is_loopback = true;
    EXPECT_EQ(status("evil.example"), 421U);
    EXPECT_THAT(upgrade->response(), Not(HasSubstr("operator lists")));
    endpoint.is_loopback = false;
    EXPECT_EQ(endpoint.web.external_hosts.add("broker.example"), std::nullopt);
    EXPECT_EQ(status("evil.example"), 421U);
    EXPECT_THAT(upgrade->response(), HasSubstr("operator lists"));
    EXPECT_THAT(upgrade->response(), HasSubstr("[[listener]]"));
}

TEST_F(Upgrade, S_WEB_04_NotExactlyOneWellFormedHostIs400) {
    const auto expect_400 = [&] {
        EXPECT_EQ(upgrade->status(), 400U);
        EXPECT_EQ(outcome, HttpUpgrade::Outcome::respond_and_close);
        EXPECT_THAT(upgrade->response(), HasSubstr("Host: broker.example:15674"));
        EXPECT_THAT(upgrade->response(), Not(HasSubstr("external_hosts")));
    };
    for (const bool is_loopback : {false, true}) {
        endpoint.is_loopback = is_loopback;
        for (const char* const host : {"", "a b", "a@b", "a/b", "a:0", "a:99999", "[::1", "a, b"}) {
            ask(host);
            expect_400();
        }
        ask("localhost", {{"Host", "localhost"}});
        expect_400();
        std::string text = request("localhost", {});
        text.erase(text.find("Host: "), std::string("Host: localhost\r\n").size());
        upgrade.emplace(endpoint, options, "203.0.113.1");
        outcome = upgrade->feed(text);
        expect_400();
    }
    const Fields two = {{"Host", "localhost"}, {"X-Forwarded-Host", "localhost"}};
    EXPECT_EQ(status("localhost", two, "10.0.0.1"), 400U) << "a proxy's word does not mend it";
}

TEST_F(Upgrade, S_LOG_02_ARefusedPageOrHostIsNamedWithItsKey) {
    ask("broker.example", {{"Origin", "http://evil.example:8080"}});
    EXPECT_EQ(upgrade->why(), "Origin http://evil.example:8080");
    EXPECT_THAT(upgrade->remedy(), HasSubstr("server.allowed_origins"));
    ask("broker.example", {{"Origin", "null"}});
    EXPECT_EQ(upgrade->why(), "Origin null");
    EXPECT_THAT(upgrade->remedy(), HasSubstr("server.allowed_origins"));
    ask("broker.example", {{"Origin", "http://anna:hunter2@evil.example"}});
    EXPECT_THAT(upgrade->why(), Not(HasSubstr("hunter2")));
    ask("broker.example", {{"Origin", "http://a.example"}, {"Origin", "http://b.example"}});
    EXPECT_EQ(upgrade->why(), "more than one Origin");
    endpoint.web.allow_missing_origin = false;
    ask("broker.example");
    EXPECT_EQ(upgrade->why(), "no Origin");
    EXPECT_THAT(upgrade->remedy(), HasSubstr("server.allow_missing_origin"));
    EXPECT_EQ(endpoint.web.external_hosts.add("broker.example"), std::nullopt);
    ask("Evil.example:80");
    EXPECT_EQ(upgrade->why(), "Host evil.example");
    EXPECT_THAT(upgrade->remedy(), HasSubstr("server.external_hosts"));
    ask("broker.example", {{"X-Forwarded-Host", "evil.example"}}, "10.0.0.1");
    EXPECT_EQ(upgrade->why(), "Host evil.example");
}

TEST_F(Upgrade, S_AUTH_03_TwoAuthorizationsAreRefused) {
    const Fields two = {{"Authorization", "Basic YTpi"}, {"authorization", "Bearer x"}};
    EXPECT_EQ(status("broker.example", two), 400U);
    EXPECT_THAT(upgrade->response(), HasSubstr("Authorization"));
    EXPECT_FALSE(upgrade->authorization());
    const Fields same = {{"Authorization", "Bearer x"}, {"Authorization", "Bearer x"}};
    EXPECT_EQ(status("broker.example", same), 400U);
    EXPECT_EQ(status("broker.example", {{"Authorization", "Bearer x"}}), 101U);
    ASSERT_TRUE(upgrade->authorization());
    EXPECT_EQ(upgrade->authorization()->reveal(), "Bearer x");
}

TEST_F(Upgrade, P_WS_01_VersionAndKeyAreSentOnce) {
    for (const char* const version : {"13", "8"}) {
        EXPECT_EQ(status("broker.example", {{"Sec-WebSocket-Version", version}}), 400U) << version;
        EXPECT_THAT(upgrade->response(), HasSubstr("more than one Sec-WebSocket-Version"));
    }
    for (const char* const key : {"AAAAAAAAAAAAAAAAAAAAAA==", "x"}) {
        EXPECT_EQ(status("broker.example", {{"sec-websocket-key", key}}), 400U) << key;
        EXPECT_THAT(upgrade->response(), HasSubstr("more than one Sec-WebSocket-Key"));
    }
}

TEST_F(Upgrade, S_WEB_05_BodiesAreRefused) {
    const std::pair<const char*, const char*> bodies[] = {
        {"Transfer-Encoding", "chunked"},
        {"Transfer-Encoding", "identity"},
        {"Trailer", "X"},
        {"Content-Length", "1"},
        {"Content-Length", "00"},
        {"Content-Length", "-1"},
        {"Content-Length", "x"}};
    for (const auto& [name, value] : bodies) {
        EXPECT_EQ(status("broker.example", {{name, value}}), 400U) << name << value;
        EXPECT_EQ(outcome, HttpUpgrade::Outcome::respond_and_close);
    }
    EXPECT_EQ(status("broker.example", {{"Content-Length", "0"}}), 101U);
    const Fields two = {{"Content-Length", "0"}, {"Content-Length", "5"}};
    EXPECT_EQ(status("broker.example", two), 400U);
}

TEST_F(Upgrade, S_WEB_05_RangeIsIgnored) {
    std::string ranges = "bytes=0-";
    for (int i = 0; i < 1000; ++i) {
        ranges += ",0-";
    }
    EXPECT_EQ(status("broker.example", {{"Range", ranges.c_str()}}), 101U);
}

TEST_F(Upgrade, S_WEB_06_OneOfferedNameIsEchoedOrNone) {
    const auto echoed = [&](const char* offered) {
        const std::string& text =
            ask("broker.example", {{"Sec-WebSocket-Protocol", offered}}).response();
        const std::size_t at = text.find("Sec-WebSocket-Protocol: ");
        if (at == std::string::npos) { return std::string(); }
        EXPECT_EQ(text.find("Sec-WebSocket-Protocol: ", at + 1), std::string::npos);
        return text.substr(at + 24, text.find("\r\n", at) - at - 24);
    };
    EXPECT_EQ(echoed("v12.stomp"), "v12.stomp");
    EXPECT_EQ(echoed("v10.stomp, v11.stomp"), "v11.stomp");
    EXPECT_EQ(echoed("mqtt, v10.stomp, bearer.aaa"), "v10.stomp");
    EXPECT_EQ(echoed("mqtt"), "");
    EXPECT_EQ(echoed("V12.STOMP"), "");
    EXPECT_EQ(echoed("v12.stomp.x"), "");
    EXPECT_THAT(ask("broker.example").response(), Not(HasSubstr("Sec-WebSocket-Protocol")));
}

TEST_F(Upgrade, S_BIND_06_OnlyATrustedProxyNamesTheClient) {
    const Fields fields = {{"X-Forwarded-For", "198.51.100.9"}};
    EXPECT_FALSE(ask("broker.example", fields, "203.0.113.1").client());
    EXPECT_TRUE(upgrade->is_forwarded());
    ASSERT_TRUE(ask("broker.example", fields, "10.0.0.1").client());
    EXPECT_EQ(upgrade->client()->text(), "198.51.100.9");
    EXPECT_TRUE(upgrade->is_forwarded());
    EXPECT_FALSE(ask("broker.example", fields, "no address").client());
    const Fields lines = {{"X-Forwarded-For", "127.0.0.1"}, {"x-forwarded-for", "198.51.100.9"}};
    ASSERT_TRUE(ask("broker.example", lines, "10.0.0.1").client());
    EXPECT_EQ(upgrade->client()->text(), "198.51.100.9") << "lines of one name are one list";
}

TEST_F(Upgrade, S_BIND_06_MalformedWordsOfATrustedProxyAre400) {
    EXPECT_EQ(status("broker.example", {{"X-Forwarded-For", "x"}}, "10.0.0.1"), 400U);
    EXPECT_EQ(status("broker.example", {{"Forwarded", "for"}}, "10.0.0.1"), 400U);
    EXPECT_EQ(status("broker.example", {{"X-Forwarded-Proto", "x"}}, "10.0.0.1"), 400U);
    EXPECT_EQ(status("broker.example", {{"X-Forwarded-For", "x"}}, "203.0.113.1"), 101U);
}

TEST_F(Upgrade, S_BIND_02_LocalOnlyIfATrustedProxySaysSo) {
    for (const char* const name :
         {"Forwarded",
          "X-Forwarded-For",
          "x-forwarded-proto",
          "X-FORWARDED-HOST",
          "X-Forwarded-Port"}) {
        EXPECT_TRUE(ask("broker.example", {{name, "127.0.0.1"}}, "127.0.0.1").is_forwarded())
            << name;
    }
    EXPECT_FALSE(ask("broker.example", {{"X-Real", "x"}}, "127.0.0.1").is_forwarded());
    EXPECT_EQ(endpoint.trusted_proxies.add("127.0.0.1"), std::nullopt);
    const auto is_forwarded = [&](const char* client) {
        return ask("broker.example", {{"X-Forwarded-For", client}}, "127.0.0.1").is_forwarded();
    };
    EXPECT_FALSE(is_forwarded("127.0.0.1"));
    EXPECT_FALSE(is_forwarded("::1"));
    EXPECT_TRUE(is_forwarded("127.0.0.1, 198.51.100.9"));
    EXPECT_TRUE(is_forwarded("unknown"));
    EXPECT_TRUE(ask("broker.example", {{"X-Forwarded-Proto", "http"}}, "127.0.0.1").is_forwarded());
}

TEST_F(Upgrade, S_WEB_01_BehindATlsProxyTheClientsSchemeAndHostCount) {
    const auto ask_by = [&](const char* peer) {
        return status(
            "10.0.0.5:15674",
            {{"Origin", "https://app.example"},
             {"X-Forwarded-For", "198.51.100.9"},
             {"X-Forwarded-Proto", "https"},
             {"X-Forwarded-Host", "app.example"}},
            peer
        );
    };
    EXPECT_EQ(ask_by("10.0.0.1"), 101U);
    EXPECT_EQ(ask_by("203.0.113.1"), 403U);
    const Fields kept = {{"Origin", "https://app.example"}, {"X-Forwarded-Proto", "wss"}};
    EXPECT_EQ(status("app.example", kept, "10.0.0.1"), 101U);
    EXPECT_EQ(status("app.example", kept, "203.0.113.1"), 403U);
    const Fields downgraded = {{"Origin", "https://app.example"}, {"X-Forwarded-Proto", "http"}};
    EXPECT_EQ(status("app.example", downgraded, "10.0.0.1"), 403U);
}

TEST_F(Upgrade, S_WEB_01_AProxyThatAppendsLeavesTheClientNoChoice) {
    const auto ask_with = [&](const char* name, const char* sent, const char* added) {
        const std::string list = std::string(sent) + ", " + added;
        const Fields line = {{"Origin", "https://evil.example"}, {name, list.c_str()}};
        const Fields lines = {{"Origin", "https://evil.example"}, {name, sent}, {name, added}};
        const unsigned found = status("evil.example", line, "10.0.0.1");
        EXPECT_EQ(status("evil.example", lines, "10.0.0.1"), found) << "lines are one list";
        return found;
    };
    EXPECT_EQ(ask_with("X-Forwarded-Proto", "https", "http"), 403U);
    EXPECT_EQ(ask_with("X-Forwarded-Proto", "http", "https"), 101U);
    endpoint.is_tls = true;
    EXPECT_EQ(ask_with("X-Forwarded-Host", "evil.example", "broker.example"), 403U);
    EXPECT_EQ(endpoint.web.external_hosts.add("evil.example"), std::nullopt);
    EXPECT_EQ(ask_with("X-Forwarded-Host", "evil.example", "broker.example"), 421U);
}

TEST_F(Upgrade, S_WEB_04_AListOfHostsIsAboutTheClients) {
    EXPECT_EQ(endpoint.web.external_hosts.add("app.example"), std::nullopt);
    EXPECT_EQ(status("inner", {{"X-Forwarded-Host", "app.example"}}, "10.0.0.1"), 101U);
    EXPECT_EQ(status("app.example", {{"X-Forwarded-Host", "evil.example"}}, "10.0.0.1"), 421U);
    EXPECT_EQ(status("inner", {{"X-Forwarded-Host", "app.example"}}, "203.0.113.1"), 421U);
}

TEST_F(Upgrade, S_BIND_06_APROXYHeaderIsNoRequest) {
    HttpUpgrade line(endpoint, options, "10.0.0.1");
    const std::string text = "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + request("broker.example", {});
    EXPECT_EQ(line.feed(text), HttpUpgrade::Outcome::respond_and_close);
    EXPECT_GE(line.status(), 400U);
    HttpUpgrade binary(endpoint, options, "10.0.0.1");
    const std::string header("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
    EXPECT_EQ(binary.feed(header), HttpUpgrade::Outcome::respond_and_close);
    EXPECT_EQ(binary.status(), 400U);
}

TEST_F(Upgrade, S_WEB_05_LinesAreCountedAlikeHoweverTheyArrive) {
    options.upgrade_fields_max = 12;
    std::string folded = "a";
    for (int i = 0; i < 8; ++i) {
        folded += "\r\n b";
    }
    const std::string text = request("broker.example", {{"X", folded.c_str()}});
    HttpUpgrade whole(endpoint, options, "203.0.113.1");
    EXPECT_EQ(whole.feed(text), HttpUpgrade::Outcome::respond_and_close);
    EXPECT_EQ(whole.status(), 431U);
    HttpUpgrade slow(endpoint, options, "203.0.113.1");
    auto result = HttpUpgrade::Outcome::need_more;
    for (std::size_t i = 0; i < text.size() && result == HttpUpgrade::Outcome::need_more; ++i) {
        result = slow.feed(std::string_view(text).substr(i, 1));
    }
    EXPECT_EQ(slow.status(), 431U);
    options.upgrade_fields_max = 14;
    EXPECT_EQ(status("broker.example", {{"X", folded.c_str()}}), 101U);
}

}  // namespace
}  // namespace transport
