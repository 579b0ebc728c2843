// Which pages may connect and which Host names are served: tables of what browsers and attackers
// send.
#include "broker/transport/origin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace transport {
namespace {

using testing::HasSubstr;
using V = OriginVerdict;

AllowedOrigins origins(std::initializer_list<std::string_view> entries) {
    AllowedOrigins list;
    for (const std::string_view entry : entries) {
        EXPECT_EQ(list.add(entry), std::nullopt) << entry;
    }
    return list;
}

ExternalHosts hosts(std::initializer_list<std::string_view> entries) {
    ExternalHosts list;
    for (const std::string_view entry : entries) {
        EXPECT_EQ(list.add(entry), std::nullopt) << entry;
    }
    return list;
}

/// A request to `host`, on a listener as the row says.
struct Case {
    const char* origin;
    const char* host;
    bool is_https;
    bool is_loopback;
    V verdict;
};

V judge(const Case& row, const WebPolicy& policy) {
    const auto host = parse_authority(row.host);
    EXPECT_TRUE(host) << row.host;
    return judge_origin(policy, {1, row.origin, *host, row.is_https, row.is_loopback});
}

constexpr const char* broker = "broker.example:15674";
constexpr const char* plain = "broker.example";

// The request's own scheme, host and port; nothing else is configured.
constexpr Case same_origin_cases[] = {
    {"http://broker.example:15674", broker, false, false, V::same},
    {"HTTP://Broker.Example:15674", broker, false, false, V::same},
    {"http://broker.example:15674", "BROKER.example:15674", false, false, V::same},
    {"http://broker.example", plain, false, false, V::same},
    {"http://broker.example:80", plain, false, false, V::same},
    {"http://broker.example", "broker.example:80", false, false, V::same},
    {"https://broker.example", plain, true, false, V::same},
    {"https://broker.example:443", plain, true, false, V::same},
    {"https://broker.example", "broker.example:443", true, false, V::same},
    {"http://xn--bcher-kva.example", "xn--bcher-kva.example", false, false, V::same},
    {"http://192.0.2.1:8080", "192.0.2.1:8080", false, false, V::same},
    {"http://[2001:db8::1]:8080", "[2001:DB8:0::1]:8080", false, false, V::same},
    {"https://broker.example:15674", broker, false, false, V::foreign},
    {"http://broker.example:15674", broker, true, false, V::foreign},
    {"http://broker.example", broker, false, false, V::foreign},
    {"http://broker.example:15675", broker, false, false, V::foreign},
    {"http://broker.example:443", plain, true, false, V::foreign},
    {"https://broker.example:80", plain, true, false, V::foreign},
    {"http://broker.example.evil.example:15674", broker, false, false, V::foreign},
    {"http://evilbroker.example:15674", broker, false, false, V::foreign},
    {"http://www.broker.example:15674", broker, false, false, V::foreign},
    {"http://broker.example.:15674", broker, false, false, V::foreign},
    {"http://example:15674", broker, false, false, V::foreign},
    {"ws://broker.example:15674", broker, false, false, V::foreign},
    {"chrome-extension://broker.example:15674", broker, false, false, V::foreign},
    {"http://localhost", broker, false, false, V::foreign},
    {"http://127.0.0.1:15674", broker, false, false, V::foreign},
};

TEST(OriginPolicy, S_WEB_01_CVE_2026_67405_OnlyTheSameOriginByDefault) {
    for (const Case& row : same_origin_cases) {
        EXPECT_EQ(judge(row, {}), row.verdict) << row.origin << " at " << row.host;
    }
}

constexpr const char* bad_origins[] = {
    "",
    "null",
    "NULL",
    "*",
    "broker.example:15674",
    "//broker.example:15674",
    "://broker.example:15674",
    "http:broker.example:15674",
    "http:/broker.example:15674",
    "http://",
    "http://:15674",
    "http:///",
    "file://",
    "http://broker.example:15674/",
    "http://broker.example:15674/page",
    "http://broker.example:15674?x",
    "http://broker.example:15674#x",
    "http://user@broker.example:15674",
    "http://user:secret@broker.example:15674",
    "http://evil.example#@broker.example:15674",
    "http://broker.example:15674@evil.example",
    "http://broker.example:15674\\@evil.example",
    "http://broker.example:",
    "http://broker.example:0",
    "http://broker.example:015674",
    "http://broker.example:65536",
    "http://broker.example:15674x",
    "http://broker.example:-1",
    "http://broker.example:+80",
    "http://broker.example:15674:15674",
    "http://broker.example:15674, http://evil.example",
    "http://broker.example:15674 http://evil.example",
    " http://broker.example:15674",
    "http://broker.example:15674 ",
    "http://broker%2eexample:15674",
    "http://b\u00fccher.example",
    "http://[::1",
    "http://::1",
    "http://[::1]x",
    "http://[fe80::1%25eth0]",
    "http://[127.0.0.1]",
    "http://[]",
    "1http://broker.example:15674",
    "javascript:alert(1)",
    "data:text/html,x",
};

TEST(OriginPolicy, S_WEB_01_WhatNamesNoOriginIsRefusedWhateverIsAllowed) {
    WebPolicy any;
    any.allowed_origins = origins({"*"});
    for (const char* const origin : bad_origins) {
        EXPECT_EQ(judge({origin, broker, false, true, V::bad}, {}), V::bad) << origin;
        EXPECT_EQ(judge({origin, broker, false, true, V::bad}, any), V::bad) << origin;
    }
    const std::string nul("http://broker.example:15674\0", 28);
    EXPECT_EQ(parse_origin(nul), std::nullopt);
    EXPECT_EQ(parse_origin("http://" + std::string(256, 'a')), std::nullopt);
    EXPECT_EQ(parse_origin(std::string(1'000'000, 'a') + "://a"), std::nullopt);
}

TEST(OriginPolicy, S_WEB_01_TwoOriginsAreRefused) {
    const auto host = parse_authority(broker);
    const OriginRequest request{2, "http://broker.example:15674", *host, false, true};
    WebPolicy any;
    any.allowed_origins = origins({"*"});
    EXPECT_EQ(judge_origin({}, request), V::bad);
    EXPECT_EQ(judge_origin(any, request), V::bad);
}

TEST(OriginPolicy, S_WEB_01_ListedOriginsAreExact) {
    WebPolicy policy;
    policy.allowed_origins =
        origins({"https://App.Example", "http://dev.example:3000", "capacitor://localhost"});
    const auto verdict = [&](const char* origin) {
        return judge({origin, broker, false, false, V::foreign}, policy);
    };
    for (const char* const origin :
         {"https://app.example",
          "https://APP.example:443",
          "http://dev.example:3000",
          "capacitor://localhost"}) {
        EXPECT_EQ(verdict(origin), V::listed) << origin;
    }
    for (const char* const origin :
         {"http://app.example",
          "https://app.example:8443",
          "https://www.app.example",
          "https://app.example.evil.example",
          "https://evilapp.example",
          "https://app.exampl",
          "http://dev.example",
          "http://dev.example:30000",
          "http://localhost",
          "capacitor://localhost:1"}) {
        EXPECT_EQ(verdict(origin), V::foreign) << origin;
    }
    EXPECT_EQ(verdict("http://broker.example:15674"), V::same);
}

TEST(OriginPolicy, S_WEB_01_AStarAllowsAllButTellsThemApart) {
    WebPolicy policy;
    policy.allowed_origins = origins({"*"});
    EXPECT_EQ(judge({"https://evil.example", broker, false, false, V::any}, policy), V::any);
    EXPECT_EQ(
        judge({"http://broker.example:15674", broker, false, false, V::same}, policy), V::same
    );
    EXPECT_TRUE(is_allowed(V::any));
}

TEST(OriginPolicy, S_WEB_01_VerdictsThatRefuse) {
    for (const V verdict : {V::same, V::listed, V::local, V::any, V::absent}) {
        EXPECT_TRUE(is_allowed(verdict));
    }
    for (const V verdict : {V::missing, V::bad, V::foreign}) {
        EXPECT_FALSE(is_allowed(verdict));
    }
}

TEST(OriginPolicy, S_WEB_02_NoOriginIsAcceptedUnlessForbidden) {
    OriginRequest request;
    request.host = {"broker.example", 0};
    WebPolicy policy;
    EXPECT_EQ(judge_origin(policy, request), V::absent);
    policy.allow_missing_origin = false;
    EXPECT_EQ(judge_origin(policy, request), V::missing);
    policy.allowed_origins = origins({"*"});
    EXPECT_EQ(judge_origin(policy, request), V::missing);
}

TEST(OriginPolicy, S_WEB_03_LocalPagesOnLoopbackListenersOnly) {
    WebPolicy off;
    off.allow_loopback_origins = false;
    for (const char* const origin :
         {"http://localhost",
          "http://localhost:3000",
          "https://localhost:8443",
          "http://127.0.0.1:5173",
          "http://[::1]:8080",
          "http://LOCALHOST:1"}) {
        EXPECT_EQ(judge({origin, "localhost:15674", false, true, V::local}, {}), V::local)
            << origin;
        EXPECT_EQ(judge({origin, "localhost:15674", false, true, V::foreign}, off), V::foreign);
        EXPECT_EQ(judge({origin, broker, false, false, V::foreign}, {}), V::foreign) << origin;
    }
    for (const char* const origin :
         {"http://localhost.evil.example",
          "http://evillocalhost",
          "http://127.0.0.1.evil.example",
          "http://127.0.0.2",
          "http://127.1",
          "http://2130706433",
          "http://0x7f000001",
          "http://[::ffff:127.0.0.1]",
          "http://[::2]",
          "http://0.0.0.0",
          "ftp://localhost",
          "chrome-extension://localhost",
          "ws://localhost",
          "http://localhost.",
          "http://192.168.0.1",
          "http://app.localhost"}) {
        EXPECT_EQ(judge({origin, "localhost:15674", false, true, V::foreign}, {}), V::foreign)
            << origin;
    }
}

TEST(HostPolicy, S_WEB_04_LoopbackListenersServeLocalNamesOnly) {
    const BoundTo v4{true, "127.0.0.1"};
    const BoundTo other{true, "127.0.0.9"};
    const BoundTo v6{true, "::1"};
    for (const char* const host : {"localhost", "127.0.0.1", "[::1]"}) {
        EXPECT_TRUE(is_served_host({}, v4, host)) << host;
        EXPECT_TRUE(is_served_host({}, v6, host)) << host;
    }
    EXPECT_TRUE(is_served_host({}, other, "127.0.0.9"));
    EXPECT_FALSE(is_served_host({}, v4, "127.0.0.9"));
    for (const char* const host :
         {"evil.example", "localhost.evil.example", "127.0.0.2", "[::2]", ""}) {
        EXPECT_FALSE(is_served_host({}, v4, host)) << host;
        EXPECT_FALSE(is_served_host({}, v6, host)) << host;
    }
}

TEST(HostPolicy, S_WEB_04_PublicListenersServeAllUnlessThereIsAList) {
    const BoundTo open{false, "0.0.0.0"};
    EXPECT_TRUE(is_served_host({}, open, "anything.example"));
    WebPolicy policy;
    policy.external_hosts = hosts({"Broker.Example", "2001:db8::1", "[2001:db8::2]", "192.0.2.1"});
    for (const char* const host :
         {"broker.example", "[2001:db8::1]", "[2001:db8::2]", "192.0.2.1"}) {
        EXPECT_TRUE(is_served_host(policy, open, host)) << host;
    }
    for (const char* const host : {"evil.example", "localhost", "0.0.0.0", "www.broker.example"}) {
        EXPECT_FALSE(is_served_host(policy, open, host)) << host;
    }
    const BoundTo local{true, "127.0.0.1"};
    EXPECT_TRUE(is_served_host(policy, local, "broker.example"));
    EXPECT_TRUE(is_served_host(policy, local, "localhost"));
    EXPECT_FALSE(is_served_host(policy, local, "evil.example"));
}

TEST(OriginPolicy, S_BIND_05_ListsSayWhatIsWrong) {
    const auto problem = [](const char* entry) {
        AllowedOrigins list;
        return list.add(entry).value_or("");
    };
    EXPECT_THAT(problem("null"), HasSubstr("cannot be allowed"));
    EXPECT_THAT(problem("https://*.example"), HasSubstr("no wildcards"));
    EXPECT_THAT(problem("app.example"), HasSubstr("no scheme"));
    EXPECT_THAT(problem("https://app.example/"), HasSubstr("no path"));
    EXPECT_THAT(problem("https://user@app.example"), HasSubstr("expected an origin"));
    EXPECT_THAT(problem(""), HasSubstr("no scheme"));
    EXPECT_THAT(problem("wss://app.example"), HasSubstr("http or https"));
    AllowedOrigins list = origins({"https://app.example"});
    EXPECT_THAT(list.add("*").value_or(""), HasSubstr("only entry"));
    list = origins({"*"});
    EXPECT_THAT(list.add("https://app.example").value_or(""), HasSubstr("only entry"));
    EXPECT_THAT(list.add("*").value_or(""), HasSubstr("only entry"));
}

TEST(HostPolicy, S_BIND_05_ListsSayWhatIsWrong) {
    const auto problem = [](const char* entry) {
        ExternalHosts list;
        return list.add(entry).value_or("");
    };
    EXPECT_THAT(problem("https://broker.example"), HasSubstr("without scheme"));
    EXPECT_THAT(problem("*.example"), HasSubstr("without scheme and wildcard"));
    EXPECT_THAT(problem("broker.example:443"), HasSubstr("port is not compared"));
    EXPECT_THAT(problem(""), HasSubstr("expected a host name"));
}

}  // namespace
}  // namespace transport
