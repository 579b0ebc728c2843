// Broker URLs: schemes, default ports, user information, and what is refused.
// Pure.
#include "broker/cli/url.hpp"

#include "broker/cli/exit_code.hpp"

#include <gtest/gtest.h>

namespace cli {
namespace {

std::string refusal_of(const char* text) {
    try {
        static_cast<void>(parse_url(text));
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.code(), ExitCode::usage);
        return failure.what();
    }
    return "accepted";
}

TEST(Url, EachSchemeHasItsTransportAndPort) {
    EXPECT_EQ(parse_url("ws://h").text(), "ws://h:80/");
    EXPECT_EQ(parse_url("wss://h").text(), "wss://h:443/");
    EXPECT_EQ(parse_url("stomp://h").text(), "stomp://h:61613");
    EXPECT_EQ(parse_url("stomps://h").text(), "stomps://h:61614");
}

TEST(Url, PathKeepsItsQueryAndLosesItsFragment) {
    const Url url = parse_url("ws://127.0.0.1:15674/ws?a=b@c#top");
    EXPECT_EQ(url.host, "127.0.0.1");
    EXPECT_EQ(url.port, 15674);
    EXPECT_EQ(url.path, "/ws?a=b@c");
    EXPECT_EQ(parse_url("ws://h?x=1").path, "/?x=1");
}

TEST(Url, BracketsHoldAnIpv6Address) {
    const Url url = parse_url("stomp://[::1]:5");
    EXPECT_EQ(url.host, "::1");
    EXPECT_EQ(url.port, 5);
    EXPECT_EQ(url.authority(), "[::1]:5");
    EXPECT_EQ(parse_url("stomp://[::1]").port, 61613);
}

TEST(Url, UserInformationIsDecodedAndNotPrinted) {
    const Url url = parse_url("ws://a%40b:p%3Aq@h:1/");
    EXPECT_EQ(url.user, "a@b");
    EXPECT_EQ(url.passcode, "p:q");
    EXPECT_EQ(url.text(), "ws://h:1/");
    EXPECT_FALSE(parse_url("ws://only@h").passcode);
    EXPECT_FALSE(parse_url("ws://h").user);
}

TEST(Url, RefusalsSayWhatIsWrongWithoutThePasscode) {
    EXPECT_NE(refusal_of("localhost:80").find("scheme is missing"), std::string::npos);
    EXPECT_NE(refusal_of("http://h").find("ws, wss, stomp or stomps"), std::string::npos);
    EXPECT_NE(refusal_of("ws://").find("host is missing"), std::string::npos);
    EXPECT_NE(refusal_of("ws://h:0").find("1 to 65535"), std::string::npos);
    EXPECT_NE(refusal_of("ws://h:65536").find("1 to 65535"), std::string::npos);
    EXPECT_NE(refusal_of("ws://h:8x").find("1 to 65535"), std::string::npos);
    EXPECT_NE(refusal_of("ws://[::1").find("bracket"), std::string::npos);
    EXPECT_NE(refusal_of("ws://h/a b").find("blanks"), std::string::npos);
    EXPECT_NE(refusal_of("ws://u%4@h").find("ends too early"), std::string::npos);
    EXPECT_NE(refusal_of("ws://u%zz@h").find("hexadecimal"), std::string::npos);
    EXPECT_EQ(refusal_of("ws://u:secret@h:x").find("secret"), std::string::npos);
}

}  // namespace
}  // namespace cli
