// Forwarded fields: whose words count, which address is the client's, what is malformed.
#include "broker/transport/forwarded.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace transport {
namespace {

using testing::HasSubstr;

const IpAddress proxy = *IpAddress::parse("10.0.0.1");
const IpAddress stranger = *IpAddress::parse("203.0.113.1");

Networks proxies() {
    Networks list;
    EXPECT_EQ(list.add("10.0.0.0/8"), std::nullopt);
    EXPECT_EQ(list.add("fd00::/8"), std::nullopt);
    return list;
}

Forwarding resolve(const ForwardedFields& fields) {
    return resolve_forwarded(fields, proxy, proxies());
}

ForwardedFields x_for(std::string value) {
    ForwardedFields fields;
    fields.x_for = std::move(value);
    return fields;
}

ForwardedFields forwarded(std::string value) {
    ForwardedFields fields;
    fields.forwarded = std::move(value);
    return fields;
}

std::string client_of(const ForwardedFields& fields) {
    const Forwarding result = resolve(fields);
    EXPECT_EQ(result.problem, "") << fields.x_for.value_or("") << fields.forwarded.value_or("");
    return result.client ? result.client->text() : "nobody";
}

TEST(Forwarded, S_BIND_06_StrangersSayNothing) {
    ForwardedFields fields;
    fields.forwarded = "for=127.0.0.1;proto=https;host=broker.example";
    fields.x_for = "127.0.0.1";
    fields.x_proto = "https";
    fields.x_host = "broker.example";
    const Networks none;
    for (const Forwarding& result :
         {resolve_forwarded(fields, stranger, proxies()),
          resolve_forwarded(fields, proxy, none),
          resolve_forwarded(fields, IpAddress(), proxies()),
          resolve_forwarded(x_for("%%%"), stranger, proxies())}) {
        EXPECT_FALSE(result.client);
        EXPECT_FALSE(result.is_https);
        EXPECT_FALSE(result.host);
        EXPECT_EQ(result.problem, "") << "what is not believed is not judged";
    }
}

TEST(Forwarded, S_BIND_06_TheRightMostThatIsNoTrustedProxy) {
    EXPECT_EQ(client_of(x_for("203.0.113.7")), "203.0.113.7");
    EXPECT_EQ(client_of(x_for("127.0.0.1, 203.0.113.7")), "203.0.113.7");
    EXPECT_EQ(client_of(x_for("198.51.100.1,203.0.113.7, 10.1.1.1 , 10.2.2.2")), "203.0.113.7");
    EXPECT_EQ(client_of(x_for("127.0.0.1, 203.0.113.7, ::ffff:10.1.1.1")), "203.0.113.7");
    EXPECT_EQ(client_of(x_for("2001:db8::7, fd00::1")), "2001:db8::7");
    EXPECT_EQ(client_of(forwarded("for=127.0.0.1, for=203.0.113.7, for=10.1.1.1")), "203.0.113.7");
}

TEST(Forwarded, S_BIND_06_OfProxiesAloneTheLeftMost) {
    EXPECT_EQ(client_of(x_for("10.1.1.1, 10.2.2.2")), "10.1.1.1");
    EXPECT_EQ(client_of(forwarded("for=\"[fd00::5]\", for=10.2.2.2")), "fd00::5");
}

TEST(Forwarded, S_BIND_06_AHiddenClientIsNobodyNotTheNextOne) {
    for (const char* const node :
         {"unknown", "Unknown", "_hidden", "_a.b-c", "unknown:80", "_x:_p"}) {
        EXPECT_EQ(client_of(x_for("127.0.0.1, " + std::string(node) + ", 10.1.1.1")), "nobody")
            << node;
        EXPECT_EQ(
            client_of(forwarded("for=127.0.0.1, for=\"" + std::string(node) + "\"")), "nobody"
        );
    }
    EXPECT_EQ(client_of(forwarded("for=127.0.0.1, proto=https")), "nobody");
}

TEST(Forwarded, S_BIND_06_FormsOfAddresses) {
    for (const char* const node :
         {"203.0.113.7",
          "203.0.113.7:1",
          "203.0.113.7:65535",
          "::ffff:203.0.113.7",
          "[::ffff:203.0.113.7]",
          "[::ffff:203.0.113.7]:80",
          " 203.0.113.7\t"}) {
        EXPECT_EQ(client_of(x_for(node)), "203.0.113.7") << node;
    }
    for (const char* const node : {"2001:db8::7", "[2001:DB8::7]", "[2001:db8::7]:443"}) {
        EXPECT_EQ(client_of(x_for(node)), "2001:db8::7") << node;
    }
    for (const char* const element :
         {"for=203.0.113.7",
          "For=\"203.0.113.7\"",
          "FOR=\"203.0.113.7:80\"",
          "by=10.0.0.1;for=203.0.113.7",
          "for=203.0.113.7;by=_x;ext=\"a,b;c=d\"",
          " for=\"203.0.113.\\7\" ; proto=http"}) {
        EXPECT_EQ(client_of(forwarded(element)), "203.0.113.7") << element;
    }
    EXPECT_EQ(client_of(forwarded("for=\"[2001:db8::7]:80\"")), "2001:db8::7");
}

TEST(Forwarded, S_BIND_06_MalformedForIsRefusedAnywhere) {
    for (const char* const value :
         {"",
          " ",
          ",",
          "203.0.113.7,",
          ",203.0.113.7",
          "203.0.113.7 198.51.100.1",
          "localhost",
          "203.0.113",
          "203.0.113.7:",
          "203.0.113.7:x",
          "203.0.113.7:123456",
          "[203.0.113.7]",
          "[2001:db8::7",
          "2001:db8::7]",
          "[2001:db8::7]x",
          "[]",
          "_",
          "\"203.0.113.7\"",
          "for=203.0.113.7",
          "203.0.113.7;198.51.100.1",
          "2001:db8::7%eth0",
          "01.2.3.4",
          "<x>"}) {
        EXPECT_THAT(resolve(x_for(value)).problem, HasSubstr("X-Forwarded-For")) << value;
        const std::string longer = std::string(value) + ", 203.0.113.7";
        EXPECT_THAT(resolve(x_for(longer)).problem, HasSubstr("X-Forwarded-For")) << longer;
        EXPECT_FALSE(resolve(x_for(longer)).client);
    }
}

TEST(Forwarded, S_BIND_06_MalformedForwardedIsRefused) {
    for (const char* const value :
         {"",
          ",",
          ";",
          "for",
          "for=",
          "=1.2.3.4",
          "for=1.2.3.4,",
          "for=1.2.3.4;",
          ";for=1.2.3.4",
          "for=1.2.3.4;for=1.2.3.4",
          "for = 1.2.3.4",
          "for=\"1.2.3.4",
          "for=\"1.2.3.4\\",
          "for=1.2.3.4 x",
          "for=2001:db8::7",
          "for=[2001:db8::7]",
          "for=\"\"",
          "proto=ftp",
          "proto=http;proto=http",
          "host=\"a b\"",
          "host=a;host=a",
          "f\xc3\xb6r=1.2.3.4",
          "for=1.2.3.4\"x\""}) {
        EXPECT_THAT(resolve(forwarded(value)).problem, HasSubstr("Forwarded")) << value;
    }
}

TEST(Forwarded, S_BIND_06_HopsAreBounded) {
    const auto chain = [](std::size_t hops, const std::string& hop) {
        std::string list = hop;
        for (std::size_t i = 1; i < hops; ++i) {
            list += "," + hop;
        }
        return list;
    };
    EXPECT_EQ(client_of(x_for(chain(32, "10.1.1.1"))), "10.1.1.1");
    EXPECT_NE(resolve(x_for(chain(33, "10.1.1.1"))).problem, "");
    EXPECT_EQ(client_of(forwarded(chain(32, "for=10.1.1.1"))), "10.1.1.1");
    EXPECT_NE(resolve(forwarded(chain(33, "for=10.1.1.1"))).problem, "");
    EXPECT_NE(resolve(x_for(std::string(100'000, ','))).problem, "");
}

TEST(Forwarded, S_BIND_06_TwoFieldsMustAgree) {
    ForwardedFields fields = x_for("203.0.113.7");
    fields.forwarded = "for=203.0.113.7;proto=https";
    EXPECT_EQ(client_of(fields), "203.0.113.7");
    fields.forwarded = "for=127.0.0.1";
    EXPECT_THAT(resolve(fields).problem, HasSubstr("different clients"));
    EXPECT_FALSE(resolve(fields).client);
    fields.forwarded = "for=unknown";
    EXPECT_THAT(resolve(fields).problem, HasSubstr("different clients"));
    fields.forwarded = "proto=https";
    EXPECT_EQ(client_of(fields), "203.0.113.7");
}

TEST(Forwarded, S_WEB_01_SchemeAndHostAreTheClients) {
    ForwardedFields fields = x_for("203.0.113.7");
    fields.x_proto = "wss";
    fields.x_host = "App.Example:8443";
    const Forwarding result = resolve(fields);
    EXPECT_EQ(result.is_https, true);
    ASSERT_TRUE(result.host);
    EXPECT_EQ(*result.host, (Authority{"app.example", 8443}));
    const Forwarding other = resolve(
        forwarded("for=127.0.0.1;proto=http;host=evil.example, "
                  "for=203.0.113.7;proto=https;host=\"app.example:8443\", for=10.1.1.1;proto=http")
    );
    EXPECT_EQ(other.is_https, true);
    ASSERT_TRUE(other.host);
    EXPECT_EQ(*other.host, (Authority{"app.example", 8443}));
}

TEST(Forwarded, S_WEB_01_TheRightMostSchemeAndHostAreTheProxys) {
    ForwardedFields fields;
    fields.x_proto = "https , http";
    fields.x_host = "evil.example, App.Example:8443";
    const Forwarding result = resolve(fields);
    EXPECT_EQ(result.is_https, false);
    ASSERT_TRUE(result.host);
    EXPECT_EQ(*result.host, (Authority{"app.example", 8443}));
    fields.x_proto = "http,http,wss";
    EXPECT_EQ(resolve(fields).is_https, true);
}

TEST(Forwarded, S_WEB_01_AnElementWithoutForIsTheProxysIfItIsTheRightMost) {
    const Forwarding result = resolve(
        forwarded("for=203.0.113.7;proto=https;host=evil.example, proto=http;host=app.example")
    );
    EXPECT_EQ(result.is_https, false);
    ASSERT_TRUE(result.host);
    EXPECT_EQ(result.host->host, "app.example");
}

TEST(Forwarded, S_WEB_01_MalformedSchemeAndHostAreRefused) {
    for (const char* const value : {"", "ftp", "https,", "https://", "on", "ftp, https"}) {
        ForwardedFields fields;
        fields.x_proto = value;
        EXPECT_THAT(resolve(fields).problem, HasSubstr("X-Forwarded-Proto")) << value;
    }
    for (const char* const value : {"", "a@b", "a/b", "a:0", "a,,b", "https://a", "a@b, a"}) {
        ForwardedFields fields;
        fields.x_host = value;
        EXPECT_THAT(resolve(fields).problem, HasSubstr("X-Forwarded-Host")) << value;
    }
}

TEST(Forwarded, S_BIND_02_AnyOfTheFieldsCounts) {
    EXPECT_FALSE(ForwardedFields().is_any());
    EXPECT_TRUE(x_for("").is_any());
    EXPECT_TRUE(forwarded("").is_any());
    ForwardedFields other;
    other.has_other = true;
    EXPECT_TRUE(other.is_any());
}

}  // namespace
}  // namespace transport
