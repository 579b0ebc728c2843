// SEND and the MESSAGE that becomes of it (P-SEND, P-MSG, section 10).
#include "tests/support/script.hpp"

#include <set>
#include <string>
#include <vector>

namespace support {

namespace {

using protocol::Command;

class Sending : public SessionScript {
protected:
    Sending() {
        alice.connects();
        bob.connects();
        carol.connects();
    }
};

bool is_message_id(const std::string& text) {
    return !text.empty() && text.size() <= 64 &&
           text.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
           ) == std::string::npos;
}

}  // namespace

TEST_P(Sending, P_SEND_01_DestinationIsRequiredAndABodyIsNot) {
    bob.sends(subscribe("1", "/queue/a"));
    alice.sends(send("/queue/a"));
    bob.expects(message("1", "").header("content-length", "0"));
    alice.sends(frame(Command::send).receipt("r"));
    EXPECT_EQ(alice.expects_error("missing-header").value("receipt-id"), "r");
    carol.sends(send(""));
    carol.expects_error("missing-header");
}

TEST_P(Sending, P_SEND_02_FramesTakeEffectInTheirOrder) {
    bob.sends(subscribe("q", "/queue/a"));
    carol.sends(subscribe("t", "/topic/a"));
    for (int i = 0; i < 50; ++i) {
        alice.writes(send("/queue/a", std::to_string(i)).encoded(alice.version()));
        alice.writes(send("/topic/a", std::to_string(i)).encoded(alice.version()));
    }
    for (int i = 0; i < 50; ++i) {
        bob.expects(message("q", std::to_string(i)));
        carol.expects(message("t", std::to_string(i)));
    }
}

TEST_P(Sending, P_SEND_03_S_ACL_12_TheBrokersOwnFactsAreRemoved) {
    bob.sends(subscribe("1", "/topic/a"));
    alice.sends(send("/topic/a", "x")
                    .header("message-id", "forged")
                    .header("subscription", "forged")
                    .header("ack", "forged")
                    .header("redelivered", "true")
                    .header("retained", "true")
                    .header("x-delivery-count", "7")
                    .header("x-stream-offset", "7")
                    .header("x-death-reason", "rejected")
                    .header("x-death-anything", "1")
                    .header("user-id", "root")
                    .header("JMSXUserID", "root")
                    .header("x-mine", "kept"));
    const Received got = bob.expects(message("1", "x").header("x-mine", "kept"));
    EXPECT_EQ(got.headers.size(), 5U) << got.describe();
    EXPECT_TRUE(is_message_id(got.value("message-id")));
    EXPECT_NE(got.value("message-id"), "forged");
}

TEST_P(Sending, P_SEND_03_S_ACL_12_CVE_2026_33223_InAnyEscapedOrRepeatedSpelling) {
    bob.sends(subscribe("1", "/topic/a"));
    alice.sends_octets(
        std::string("SEND\ndestination:/topic/a\nx-death-\\creason:1\nack:1\nack:2\n\nx") + '\0'
    );
    EXPECT_EQ(bob.expects(message("1", "x")).headers.size(), 4U);
}

TEST_P(Sending, P_SEND_03_TheUsersOwnNamePasses) {
    bob.sends(subscribe("1", "/topic/a"));
    alice.sends(
        send("/topic/a", "x").header("user-id", "anonymous").header("JMSXUserID", "anonymous")
    );
    bob.expects(message("1").header("user-id", "anonymous").header("JMSXUserID", "anonymous"));
}

TEST_P(Sending, P_SEND_04_WhatIsUsedIsNotForwarded) {
    bob.sends(subscribe("1", "/queue/a"));
    alice.sends(begin("t"));
    alice.sends(send("/queue/a", "x").receipt("r").transaction("t").header("content-length", "1"));
    alice.sends(commit("t"));
    bob.expects(
        message("1", "x").without("receipt").without("transaction").header("content-length", "1")
    );
}

TEST_P(Sending, P_SEND_04_QueueArgumentsStayWithTheQueue) {
    const auto with_arguments = [](const std::string& destination) {
        return send(destination, "x")
            .header("durable", "true")
            .header("auto-delete", "false")
            .header("exclusive", "false")
            .header("x-queue-type", "classic")
            .header("persistent", "true");
    };
    bob.sends(subscribe("1", "/queue/a"));
    alice.sends(with_arguments("/queue/a"));
    bob.expects(message("1", "x")
                    .without("durable")
                    .without("auto-delete")
                    .without("exclusive")
                    .without("x-queue-type")
                    .header("persistent", "true"));
    carol.sends(subscribe("2", "/topic/a"));
    alice.sends(with_arguments("/topic/a"));
    carol.expects(message("2", "x").header("durable", "true").header("auto-delete", "false"));
}

TEST_P(Sending, P_SEND_05_EveryOtherHeaderPassesInItsOrder) {
    bob.sends(subscribe("1", "/topic/a"));
    const Headers sent = {
        {"content-type", "text/plain;charset=utf-8"},
        {"correlation-id", "c:1"},
        {"type", ""},
        {"priority", "4"},
        {"transformation", "jms-map-json"},
        {"JMSType", "x"},
        {"NMSXGroup", "y"},
        {"AMQ_custom", "z"},
        {"traceparent", "00-1-2-3"},
        {"\xC3\xA9t\xC3\xA9", "\xE2\x98\x83\\\n:"},
        {" padded ", "  spaces  "}};
    Outgoing outgoing = send("/topic/a", "x");
    for (const auto& header : sent) {
        outgoing.header(header.first, header.second);
    }
    alice.sends(outgoing);
    const Received got = bob.expects(message("1", "x"));
    ASSERT_EQ(got.headers.size(), sent.size() + 4);
    EXPECT_TRUE(std::equal(sent.begin(), sent.end(), got.headers.end() - 11)) << got.describe();
}

TEST_P(Sending, P_SEND_06_WhatTheBrokerDoesNotOfferIsRefused) {
    alice.sends(send("/topic/a", "x").header("AMQ_SCHEDULED_CRON", "* * * * *").receipt("r"));
    const Received refusal = alice.expects_error("unsupported");
    EXPECT_NE(refusal.body.find("AMQ_SCHEDULED_CRON"), std::string::npos);
    EXPECT_EQ(refusal.value("receipt-id"), "r");
}

TEST_P(Sending, P_SEND_07_ATopicWithoutSubscribersIsSuccess) {
    alice.sends(send("/topic/nobody", "x").receipt("r"));
    alice.expects(receipt("r"));
}

TEST_P(Sending, P_SEND_07_AFailedSendRefusesWithoutReceiptToo) {
    broker.limits().queue_messages_max = 1;
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c", "/queue/d"}) {
        TestClient client(broker);
        client.connects().sends(send(queue, "1")).sends(send(queue, "2"));
        EXPECT_FALSE(client.expects_error("queue-full").find("receipt-id"));
    }
}

TEST_P(Sending, P_SEND_08_AFullQueueRefuses) {
    broker.limits().queue_messages_max = 3;
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        TestClient client(broker);
        client.connects();
        for (int i = 0; i < 3; ++i) {
            client.sends(send(queue, "x").receipt("r"));
            client.expects(receipt("r"));
        }
        client.sends(send(queue, "x").receipt("last"));
        const Received refusal = client.expects_error("queue-full");
        EXPECT_EQ(refusal.value("receipt-id"), "last");
        EXPECT_NE(refusal.body.find(queue), std::string::npos);
    }
}

TEST_P(Sending, P_SEND_08_OctetsFillAQueueToo) {
    broker.limits().queue_bytes_max = 2000;
    alice.sends(send("/queue/a", std::string(900, 'x')).receipt("r1"));
    alice.expects(receipt("r1"));
    alice.sends(send("/queue/a", std::string(1200, 'x')).receipt("r2"));
    alice.expects_error("queue-full");
}

TEST_P(Sending, P_SEND_08_MessagesInFlightCount) {
    broker.limits().queue_messages_max = 2;
    bob.sends(subscribe("1", "/queue/a", "client-individual"));
    alice.sends(send("/queue/a", "1").receipt("r"));
    alice.expects(receipt("r"));
    alice.sends(send("/queue/a", "2").receipt("r"));
    alice.expects(receipt("r"));
    bob.sends(ack(bob.expects(message("1", "1")).token()));
    alice.sends(send("/queue/a", "3").receipt("r"));
    alice.expects(receipt("r"));
    alice.sends(send("/queue/a", "4").receipt("r"));
    alice.expects_error("queue-full");
}

TEST_P(Sending, Section10_HeadersInTheirOrder) {
    bob.sends(subscribe("s", "/queue/a", "client"));
    alice.sends(send("/queue/a", "body").header("x", "y"));
    const Received got = bob.expects(message("s", "body"));
    std::vector<std::string> names;
    for (const auto& header : got.headers) {
        names.push_back(header.first);
    }
    const std::vector<std::string> expected = {
        "subscription", "message-id", "ack", "content-length", "destination", "x"};
    EXPECT_EQ(names, expected);
    EXPECT_EQ(got.value("content-length"), "4");
}

TEST_P(Sending, Section10_AckStandsInClientModesOnlyInEveryVersion) {
    for (const std::string version : {"1.0", "1.1", "1.2"}) {
        TestClient client(broker);
        client.connects(version);
        client.sends(subscribe("auto", "/topic/a"));
        client.sends(subscribe("client", "/topic/b", "client"));
        client.sends(subscribe("single", "/topic/c", "client-individual"));
        alice.sends(send("/topic/a", "x"));
        alice.sends(send("/topic/b", "x"));
        alice.sends(send("/topic/c", "x"));
        std::set<std::string> seen;
        while (!client.received().empty()) {
            const Received got = client.take();
            const std::string id = got.value("message-id");
            EXPECT_LE(id.size(), 64U);
            if (got.value("subscription") == "auto") {
                EXPECT_FALSE(got.find("ack"));
                EXPECT_TRUE(is_message_id(id));
            } else {
                EXPECT_EQ(got.value("ack"), id);
                EXPECT_TRUE(is_message_id(id.substr(0, id.find('-'))));
            }
            seen.insert(got.value("subscription"));
        }
        EXPECT_EQ(seen.size(), 3U);
    }
}

TEST_P(Sending, Section10_TheMessageHasOneNameInAllDeliveries) {
    bob.sends(subscribe("b", "/topic/a"));
    carol.sends(subscribe("c", "/topic/a", "client"));
    alice.sends(send("/topic/a", "x"));
    const std::string name = bob.expects(message("b")).value("message-id");
    const std::string delivery = carol.expects(message("c")).value("message-id");
    EXPECT_EQ(delivery, name + "-1");
}

TEST_P(Sending, Section10_BodiesAreOctets) {
    std::string body;
    for (int c = 0; c < 256; ++c) {
        body.push_back(static_cast<char>(c));
    }
    bob.sends(subscribe("b", "/topic/a"));
    carol.sends(subscribe("c", "/queue/a", "client"));
    alice.sends(send("/topic/a", body));
    alice.sends(send("/queue/a", body));
    const Received got = bob.expects(message("b", body).header("content-length", "256"));
    EXPECT_FALSE(got.is_text);
    carol.expects(message("c", body));
    alice.sends(send("/topic/a", "\xE2\x98\x83"));
    EXPECT_TRUE(bob.expects(message("b", "\xE2\x98\x83")).is_text);
}

TEST_P(Sending, Section10_LargeBodiesArriveWhole) {
    bob.sends(subscribe("b", "/topic/a"));
    carol.sends(subscribe("c", "/topic/a", "client"));
    TestClient dave(broker, web_socket());
    dave.connects().sends(subscribe("b", "/topic/a"));
    for (const std::size_t size : {8191U, 8192U, 8193U, 40'000U, 700'000U}) {
        std::string body(size, 'x');
        body.back() = 'y';
        alice.sends(send("/topic/a", body));
        bob.expects(message("b", body));
        carol.expects(message("c", body));
        dave.expects(message("b", body));
    }
}

TEST_P(Sending, P_MSG_01_NothingIsAdded) {
    bob.sends(subscribe("b", "/topic/a"));
    alice.sends(send("/topic/a", "x"));
    EXPECT_EQ(bob.expects(message("b")).headers.size(), 4U);
}

TEST_P(Sending, P_MSG_03_DeliveryNumbersAreNeverReused) {
    bob.sends(subscribe("1", "/topic/a", "client"));
    bob.sends(subscribe("2", "/topic/a", "client-individual"));
    bob.sends(subscribe("3", "/queue/a", "client-individual"));
    std::set<std::string> seen;
    for (int i = 0; i < 5; ++i) {
        alice.sends(send("/topic/a", "x"));
        alice.sends(send("/queue/a", "x"));
        for (int each = 0; each < 3; ++each) {
            const Received got = bob.expects(frame_is(Command::message));
            EXPECT_TRUE(seen.insert(got.token()).second);
            if (got.value("subscription") == "3") { bob.sends(nack(got.token())); }
        }
        const Received again = bob.expects(message("3").header("redelivered", "true"));
        EXPECT_TRUE(seen.insert(again.token()).second);
        bob.sends(ack(again.token()));
    }
}

TEST_P(Sending, P_FRAME_18_HeadersThatAVersionCannotCarryAreLeftOut) {
    TestClient old(broker);
    old.connects("1.0").sends(subscribe("o", "/topic/a"));
    TestClient middle(broker);
    middle.connects("1.1").sends(subscribe("m", "/topic/a"));
    bob.sends(subscribe("b", "/topic/a"));
    alice.sends(send("/topic/a", "x")
                    .header("lines", "a\nb")
                    .header("returns", "a\rb")
                    .header("na:me", "v")
                    .header("colon", "a:b\\"));
    old.expects(message("o").without("lines").without("returns").header("colon", "a:b\\"));
    middle.expects(message("m")
                       .header("lines", "a\nb")
                       .without("returns")
                       .header("na:me", "v")
                       .header("colon", "a:b\\"));
    bob.expects(message("b").header("lines", "a\nb").header("returns", "a\rb"));
}

TEST_P(Sending, P_FRAME_19_NoNameOccursTwice) {
    bob.sends(subscribe("b", "/topic/a"));
    alice.sends_octets(
        std::string("SEND\ndestination:/topic/a\nx:1\nx:2\ndestination:/topic/b\n\n") + '\0'
    );
    const Received got = bob.expects(message("b").header("x", "1"));
    std::set<std::string> names;
    for (const auto& header : got.headers) {
        EXPECT_TRUE(names.insert(header.first).second) << header.first;
    }
}

RUN_SCRIPTS_ON_SHARDS(Sending);

}  // namespace support
