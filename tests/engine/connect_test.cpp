// CONNECT and CONNECTED: states, versions, credentials, heart-beats (P-CONN, P-VER, P-HB).
// What a session does before and while it connects.
#include "tests/support/script.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace support {

namespace {

using protocol::Command;
using protocol::Version;

class Connecting : public SessionScript {
protected:
    /// A new client's CONNECTED for `request`.
    Received answer(const Outgoing& request, std::string version) {
        TestClient client(broker);
        client.sends(request);
        return client.expects(connected(std::move(version)));
    }

    void refuses(
        const Outgoing& request, const std::string& token, TestClient::Options options = {}
    ) {
        TestClient client(broker, std::move(options));
        client.sends(request);
        client.expects_error(token);
    }
};

bool is_plain(const std::string& value) {
    return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        return c >= '!' && c <= '~' && c != ':';
    });
}

TestClient::Options from_afar() {
    TestClient::Options options;
    options.peer = {"192.0.2.7", false, false, {}};
    return options;
}

Outgoing guest(const std::string& login, const std::string& passcode) {
    return connect().header("login", login).header("passcode", passcode);
}

}  // namespace

TEST_P(Connecting, P_CONN_01_EveryOtherCommandBeforeConnectIsRefused) {
    alice.sends(send("/queue/a", "x"));
    alice.expects_error("bad-state");
    bob.sends(subscribe("s", "/topic/a").receipt("r"));
    EXPECT_EQ(bob.expects_error("bad-state").value("receipt-id"), "r");
    carol.sends(disconnect());
    carol.expects_error("bad-state");
    refuses(nack("x"), "bad-state");
    refuses(begin("t"), "bad-state");
}

TEST_P(Connecting, P_CONN_02_StompIsConnect) {
    for (const std::string version : {"1.0", "1.1", "1.2"}) {
        answer(
            frame(Command::stomp).header("accept-version", version).header("host", "h"), version
        );
    }
}

TEST_P(Connecting, P_CONN_03_ASecondConnectIsRefused) {
    alice.connects().sends(connect().receipt("r"));
    EXPECT_FALSE(alice.expects_error("bad-state").find("receipt-id"));
    bob.connects().sends(frame(Command::stomp));
    bob.expects_error("bad-state");
}

TEST_P(Connecting, P_CONN_04_NoHeaderIsRequiredAndReceiptEarnsNothing) {
    answer(frame(Command::connect), "1.0");
    TestClient client(broker);
    client.sends(connect().receipt("r").header("x-other", "y"));
    client.expects(connected("1.2").without("receipt-id"));
    client.expects_nothing();
}

TEST_P(Connecting, P_CONN_04_ReceiptOfARefusedConnectIsIgnored) {
    TestClient client(broker);
    client.sends(connect().receipt("r").header("client-id", std::string(129, 'c')));
    EXPECT_FALSE(client.expects_error("bad-frame").find("receipt-id"));
}

TEST_P(Connecting, P_CONN_05_HostIsOptionalUnlessStrict) {
    answer(frame(Command::connect).header("accept-version", "1.2"), "1.2");
    answer(connect().header("host", "elsewhere"), "1.2");
    broker.limits().protocol.strict = true;
    refuses(frame(Command::connect).header("accept-version", "1.2"), "missing-header");
    refuses(frame(Command::connect).header("accept-version", "1.1"), "missing-header");
    answer(frame(Command::connect).header("accept-version", "1.0"), "1.0");
}

TEST_P(Connecting, P_CONN_06_LoopbackPeersAreGuestOrAnonymous) {
    EXPECT_EQ(answer(connect(), "1.2").value("user-name"), "anonymous");
    EXPECT_EQ(answer(guest("guest", "guest"), "1.2").value("user-name"), "guest");
    refuses(guest("guest", "wrong"), "auth-failed");
    refuses(guest("root", "guest"), "auth-failed");
    refuses(connect().header("login", "guest"), "auth-failed");
    refuses(connect().header("passcode", "guest"), "auth-failed");
    refuses(connect().header("Authorization", "Bearer x"), "auth-failed");
    refuses(guest("guest", "guest").header("Authorization", "Basic x"), "auth-failed");
}

TEST_P(Connecting, P_CONN_06_TheUpgradesAuthorizationCountsToo) {
    TestClient::Options options;
    options.peer.authorization = std::make_shared<const engine::Secret>("Basic Z3Vlc3Q6Z3Vlc3Q=");
    refuses(connect(), "auth-failed", options);
}

TEST_P(Connecting, P_CONN_06_OtherPeersAreRefused) {
    refuses(connect(), "auth-failed", from_afar());
    refuses(guest("guest", "guest"), "auth-failed", from_afar());
    TestClient::Options proxied;
    proxied.peer.is_forwarded = true;
    refuses(guest("guest", "guest"), "auth-failed", proxied);
}

TEST_P(Connecting, P_CONN_07_UnknownUserAndWrongPasscodeReadTheSame) {
    alice.sends(guest("nobody", "guest"));
    bob.sends(guest("guest", "wrong"));
    EXPECT_EQ(alice.expects_error("auth-failed").body, bob.expects_error("auth-failed").body);
    EXPECT_EQ(alice.closing()->code, 1008);
}

TEST_P(Connecting, P_CONN_08_ConnectedHasItsHeadersAndNothingElse) {
    for (const std::string version : {"1.0", "1.1", "1.2"}) {
        const Received frame = answer(connect(version).header("request-id", "q7"), version);
        std::vector<std::string> names;
        for (const auto& header : frame.headers) {
            names.push_back(header.first);
        }
        const std::vector<std::string> expected = {
            "version", "session", "server", "heart-beat", "user-name", "response-id"};
        EXPECT_EQ(names, expected);
        EXPECT_EQ(frame.value("response-id"), "q7");
        EXPECT_EQ(frame.body, "");
    }
    EXPECT_FALSE(answer(connect(), "1.2").find("response-id"));
}

TEST_P(Connecting, P_CONN_09_ValuesArePlain) {
    const Received frame = answer(connect(), "1.2");
    for (const auto& header : frame.headers) {
        EXPECT_TRUE(is_plain(header.second)) << header.first;
    }
    EXPECT_EQ(frame.value("server").substr(0, 9), "stampede/");
    EXPECT_EQ(frame.value("session").size(), 32U);
    EXPECT_EQ(frame.value("session").find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_NE(frame.value("session"), answer(connect(), "1.2").value("session"));
    EXPECT_FALSE(answer(connect().header("request-id", "a b"), "1.2").find("response-id"));
    EXPECT_FALSE(answer(connect().header("request-id", "a:b"), "1.2").find("response-id"));
    EXPECT_FALSE(answer(connect().header("request-id", ""), "1.2").find("response-id"));
}

TEST_P(Connecting, P_CONN_09_TheVersionCanBeHidden) {
    broker.limits().hide_version = true;
    EXPECT_EQ(answer(connect(), "1.2").value("server"), "stampede");
}

TEST_P(Connecting, P_CONN_10_FramesBehindConnectComeAfterConnected) {
    alice.sends_octets(
        connect().encoded(Version::v1_2) +
        subscribe("s", "/topic/a").receipt("r1").encoded(Version::v1_2) +
        send("/topic/a", "x").receipt("r2").encoded(Version::v1_2)
    );
    alice.expects(connected("1.2"));
    alice.expects(receipt("r1"));
    // The message and the second RECEIPT may come in any order.
    EXPECT_EQ(alice.received().size(), 2U);
}

TEST_P(Connecting, P_CONN_10_FramesBehindAFailedConnectHaveNoEffect) {
    bob.connects().sends(subscribe("s", "/topic/a"));
    alice.sends_octets(
        guest("guest", "wrong").encoded(Version::v1_2) +
        send("/topic/a", "x").encoded(Version::v1_2)
    );
    alice.expects_error("auth-failed");
    bob.expects_nothing();
}

TEST_P(Connecting, P_CONN_12_ExtensionsAreIgnored) {
    const Received frame = answer(connect().header("x-stampede-extensions", "all"), "1.2");
    EXPECT_FALSE(frame.find("x-stampede-extensions"));
}

TEST_P(Connecting, P_VER_01_TheHighestCommonVersionCounts) {
    answer(connect("1.0,1.1,1.2"), "1.2");
    answer(connect("1.2, 1.1"), "1.2");
    answer(connect("1.1 , 1.0,2.0"), "1.1");
    answer(connect("1.0"), "1.0");
}

TEST_P(Connecting, P_VER_02_NoAcceptVersionIs10) {
    answer(frame(Command::connect).header("host", "h"), "1.0");
    answer(frame(Command::stomp).header("host", "h"), "1.0");
    TestClient::Options options;
    options.sub_protocol = Version::v1_2;
    TestClient client(broker, options);
    client.sends(frame(Command::connect));
    client.expects(connected("1.0"));
}

TEST_P(Connecting, P_VER_03_NoCommonVersionNamesTheThree) {
    for (const std::string offered : {"", "2.0", "1.3,0.9", "1.2.1"}) {
        TestClient client(broker);
        client.sends(connect(offered));
        const Received frame = client.expects_error("version-unsupported");
        EXPECT_EQ(frame.value("version"), "1.0,1.1,1.2");
        for (const std::string version : {"1.0", "1.1", "1.2"}) {
            EXPECT_NE(frame.body.find(version), std::string::npos);
        }
    }
}

TEST_P(Connecting, P_VER_04_TheEchoedSubProtocolWinsIfListed) {
    TestClient::Options options;
    options.sub_protocol = Version::v1_1;
    TestClient listed(broker, options);
    listed.sends(connect("1.0,1.1,1.2"));
    listed.expects(connected("1.1"));
    TestClient unlisted(broker, options);
    unlisted.sends(connect("1.0,1.2"));
    unlisted.expects(connected("1.2"));
}

TEST_P(Connecting, P_VER_05_NackIsRefusedIn10) {
    alice.connects("1.0").sends(frame(Command::nack).header("message-id", "x").receipt("r"));
    EXPECT_EQ(alice.expects_error("bad-frame").value("receipt-id"), "r");
}

TEST_P(Connecting, P_VER_05_EscapesFollowTheVersion) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"1.0", "a\\cb"}, {"1.1", "a:b"}, {"1.2", "a:b"}};
    for (const auto& entry : cases) {
        TestClient client(broker);
        client.connects(entry.first);
        client.sends_octets(std::string("SEND\ndestination:/queue/a\nreceipt:a\\cb\n\n") + '\0');
        const Received frame = client.expects(receipt(entry.second));
        EXPECT_NE(client.octets().find("receipt-id:a\\cb\n"), std::string::npos);
    }
}

TEST_P(Connecting, P_HB_01_ABrokenHeartBeatIsRefused) {
    refuses(connect().header("heart-beat", "1000"), "bad-header");
    refuses(connect().header("heart-beat", "a,b"), "bad-header");
    refuses(connect().header("heart-beat", "12345678901,0"), "bad-header");
}

TEST_P(Connecting, P_HB_02_TheAnswersOfTheTable) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"10000,10000", "10000,10000"},
        {"0,0", "10000,10000"},
        {"1000,0", "10000,1000"},
        {"0,1000", "1000,10000"},
        {"4000,4000", "4000,10000"},
        {"500,500", "1000,1000"},
        {"120000,0", "10000,0"}};
    for (const auto& entry : cases) {
        EXPECT_EQ(
            answer(connect().header("heart-beat", entry.first), "1.2").value("heart-beat"),
            entry.second
        ) << entry.first;
    }
    EXPECT_EQ(answer(connect("1.0").header("heart-beat", "9,9"), "1.0").value("heart-beat"), "0,0");
}

TEST_P(Connecting, P_HB_03_TheDirectionsAreIndependent) {
    alice.sends(connect().header("heart-beat", "0,4000"));
    EXPECT_EQ(alice.session().heart_beats().send_every, 4000U);
    EXPECT_EQ(alice.session().heart_beats().hear_every, 0U);
    bob.sends(connect().header("heart-beat", "4000,0"));
    EXPECT_EQ(bob.session().heart_beats().send_every, 0U);
    EXPECT_EQ(bob.session().heart_beats().hear_every, 10000U);
    carol.sends(connect().header("heart-beat", "0,120000"));
    EXPECT_EQ(carol.session().heart_beats().send_every, 60000U);
}

RUN_SCRIPTS_ON_SHARDS(Connecting);

}  // namespace support
