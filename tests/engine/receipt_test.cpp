// RECEIPT, DISCONNECT and ERROR (P-RCPT, P-ERR).
#include "tests/support/script.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace support {

namespace {

using protocol::Command;
using protocol::ErrorCode;
using protocol::Version;
using Texts = std::vector<std::string>;

class Ending : public SessionScript {
protected:
    Ending() {
        alice.connects();
        bob.connects();
        carol.connects();
    }

    void fails(TestClient& client, protocol::Error error) {
        broker.shards().on(client.shard(), [&] { client.session().fail(std::move(error)); });
        broker.settle();
    }

    /// A queue whose home is not the shard of `client`, if there is another.
    std::string far_queue(TestClient& client) {
        for (int i = 0;; ++i) {
            const std::string key = "far" + std::to_string(i);
            const protocol::Destination name{protocol::DestinationKind::queue, "/queue/", key};
            const bool is_far = broker.shards().on(client.shard(), [&] {
                return broker.router(client.shard()).route(name)->home != client.shard();
            });
            if (is_far || GetParam() == 1) { return "/queue/" + key; }
        }
    }
};

}  // namespace

TEST_P(Ending, P_RCPT_01_EveryFrameThatAsks) {
    bob.sends(subscribe("1", "/queue/a", "client-individual").receipt("subscribe"));
    bob.expects(receipt("subscribe"));
    alice.sends(send("/queue/a", "1").receipt("send"));
    alice.expects(receipt("send"));
    alice.sends(send("/queue/a", "2"));
    bob.sends(ack(bob.expects(message("1")).token()).receipt("ack"));
    const std::string second = bob.expects(message("1")).token();
    bob.expects(receipt("ack"));
    bob.sends(nack(second).header("requeue", "false").receipt("nack"));
    bob.expects(receipt("nack"));
    bob.sends(begin("t").receipt("begin"));
    bob.expects(receipt("begin"));
    bob.sends(abort("t").receipt("abort"));
    bob.expects(receipt("abort"));
    bob.sends(begin("t")).sends(commit("t").receipt("commit"));
    bob.expects(receipt("commit"));
    bob.sends(unsubscribe("1").receipt("unsubscribe"));
    bob.expects(receipt("unsubscribe"));
    bob.sends(disconnect().receipt("disconnect"));
    bob.expects(receipt("disconnect"));
    bob.expects_closed(1000);
}

TEST_P(Ending, P_RCPT_01_TheIdIsVerbatim) {
    for (const std::string id : {"", " a ", "a:b\\c\nd\re", "\xE2\x98\x83"}) {
        alice.sends(send("/queue/a").receipt(id));
        alice.expects(receipt(id));
    }
    alice.sends(send("/queue/a").receipt(std::string(128, 'r')));
    alice.expects(receipt(std::string(128, 'r')));
    alice.sends(send("/queue/a").receipt(std::string(129, 'r')));
    EXPECT_FALSE(alice.expects_error("bad-frame").find("receipt-id"));
}

TEST_P(Ending, P_RCPT_01_ARefusalAnswersAnEmptyIdToo) {
    alice.sends(send("/queue/*").receipt(""));
    EXPECT_EQ(alice.expects_error("bad-destination").find("receipt-id"), "");
}

TEST_P(Ending, P_RCPT_02_TheMessageIsEnqueuedByThen) {
    for (const std::string queue : {"/queue/a", "/queue/b", "/queue/c"}) {
        alice.sends(send(queue, "x").receipt("r"));
        alice.expects(receipt("r"));
        TestClient reader(broker);
        reader.connects().sends(subscribe("1", queue));
        reader.expects(message("1", "x"));
    }
}

TEST_P(Ending, P_RCPT_04_ReceiptsLeaveInTheOrderAsked) {
    Texts asked;
    for (int i = 0; i < 40; ++i) {
        const std::string id = std::to_string(i);
        const std::string key = std::to_string(i % 7);
        asked.push_back(id);
        const std::string target = (i % 2 == 0 ? "/queue/" : "/topic/") + key;
        alice.writes(send(target, "x").receipt(id).encoded(Version::v1_2));
        if (i % 10 == 5) {
            asked.push_back("u" + id);
            alice.writes(unsubscribe("none").receipt("u" + id).encoded(Version::v1_2));
        }
    }
    broker.settle();
    Texts got;
    while (!alice.received().empty()) {
        got.push_back(alice.take().value("receipt-id"));
    }
    EXPECT_EQ(got, asked);
}

TEST_P(Ending, P_RCPT_05_TheReceiptOfDisconnectIsTheLastFrame) {
    bob.sends(subscribe("1", "/topic/a"));
    bob.writes(send(far_queue(bob), "x").receipt("s").encoded(Version::v1_2));
    bob.writes(disconnect().receipt("d").encoded(Version::v1_2));
    bob.writes(send("/queue/after", "x").receipt("no").encoded(Version::v1_2));
    alice.sends(send("/topic/a", "late"));
    bob.expects(receipt("s"));
    bob.expects(receipt("d"));
    bob.expects_closed(1000);
    carol.sends(subscribe("1", "/queue/after"));
    carol.expects_nothing();
}

TEST_P(Ending, P_RCPT_05_WhatWasQueuedBeforeIsFlushed) {
    for (const std::string name : {"/queue/a", "/topic/a"}) {
        for (const std::string mode : {"auto", "client"}) {
            TestClient client(broker);
            client.connects().sends(subscribe("1", name, mode).receipt("s"));
            client.expects(receipt("s"));
            client.stops_reading();
            for (int i = 0; i < 20; ++i) {
                alice.sends(send(name, std::string(20'000, 'x')));
            }
            client.sends(disconnect().receipt("d"));
            // What comes now is for others.
            alice.sends(send(name, "late"));
            client.reads_all();
            for (int i = 0; i < 20; ++i) {
                client.expects(message("1"));
            }
            client.expects(receipt("d"));
            client.expects_closed(1000);
            TestClient reader(broker);
            reader.connects().sends(subscribe("r", name));
            if (name == "/queue/a") {
                const bool is_auto = mode == "auto";
                EXPECT_EQ(reader.received().size(), is_auto ? 1U : 21U) << mode;
            }
        }
    }
}

TEST_P(Ending, P_RCPT_05_LostWhileFlushing) {
    for (const std::string mode : {"auto", "client"}) {
        TestClient client(broker);
        const std::string queue = "/queue/" + mode;
        client.connects().sends(subscribe("1", queue, mode).receipt("s"));
        client.expects(receipt("s"));
        client.stops_reading();
        for (int i = 0; i < 20; ++i) {
            alice.sends(send(queue, std::to_string(i) + std::string(20'000, ' ')));
        }
        client.sends(disconnect());
        client.drops();
        TestClient reader(broker);
        reader.connects().sends(subscribe("r", queue));
        for (int i = 0; i < 20; ++i) {
            const Received got = reader.expects(message("r").without("redelivered"));
            EXPECT_EQ(std::stoi("0" + got.body), i);
        }
    }
}

TEST_P(Ending, P_RCPT_06_DisconnectWithoutReceipt) {
    alice.sends(disconnect());
    alice.expects_closed(1000);
    EXPECT_TRUE(alice.closing()->is_disconnect);
    EXPECT_FALSE(alice.closing()->is_error);
}

TEST_P(Ending, P_ERR_01_NothingIsProcessedAfterTheOffendingFrame) {
    bob.sends(subscribe("1", "/queue/a"));
    alice.sends_octets(
        begin("t").encoded(Version::v1_2) + begin("t").encoded(Version::v1_2) +
        send("/queue/a", "x").receipt("r").encoded(Version::v1_2)
    );
    alice.expects_error("bad-state");
    bob.expects_nothing();
}

TEST_P(Ending, P_ERR_01_NoFrameFollowsTheError) {
    bob.sends(subscribe("1", "/topic/a"));
    bob.stops_reading();
    bob.sends(send("/queue/*"));
    alice.sends(send("/topic/a", "x"));
    bob.reads_all();
    bob.expects_error("bad-destination");
}

TEST_P(Ending, P_ERR_02_EarlierReceiptsComeFirst) {
    alice.sends_octets(
        send(far_queue(alice), "x").receipt("1").encoded(Version::v1_2) +
        send("/queue/b", "x").receipt("2").encoded(Version::v1_2) +
        send("/queue/*", "x").receipt("3").encoded(Version::v1_2)
    );
    alice.expects(receipt("1"));
    alice.expects(receipt("2"));
    EXPECT_EQ(alice.expects_error("bad-destination").value("receipt-id"), "3");
}

TEST_P(Ending, P_ERR_02_TheyAreAwaitedFor2Seconds) {
    if (GetParam() == 1) { return; }
    alice.writes(send(far_queue(alice), "x").receipt("1").encoded(Version::v1_2));
    alice.writes(send("/queue/*").receipt("2").encoded(Version::v1_2));
    // The other shard is busy: only time passes.
    while (broker.shards().run_timer(broker.shards().now() + std::chrono::seconds(2))) {}
    broker.end_turn(alice.shard());
    ASSERT_EQ(alice.received().size(), 1U);
    EXPECT_EQ(alice.take().command, Command::error);
    // The RECEIPT comes too late: nothing follows an ERROR.
    alice.expects_nothing();
}

TEST_P(Ending, P_ERR_02_AnEarlierFailureIsTheOneReported) {
    broker.limits().queue_messages_max = 1;
    const std::string queue = far_queue(alice);
    carol.sends(send(queue, "x"));
    alice.sends_octets(
        send(queue, "y").receipt("1").encoded(Version::v1_2) +
        send("/topic/a").receipt("2").encoded(Version::v1_2) +
        send("/queue/*").receipt("3").encoded(Version::v1_2)
    );
    EXPECT_EQ(alice.expects_error("queue-full").value("receipt-id"), "1");
}

TEST_P(Ending, P_ERR_02_AlsoIfASubscribeWaitsBehindIt) {
    broker.limits().queue_messages_max = 1;
    const std::string queue = far_queue(alice);
    carol.sends(send(queue, "x"));
    alice.sends_octets(
        send(queue, "y").receipt("1").encoded(Version::v1_2) +
        subscribe("s", "/topic/a").receipt("2").encoded(Version::v1_2)
    );
    EXPECT_EQ(alice.expects_error("queue-full").value("receipt-id"), "1");
}

TEST_P(Ending, P_ERR_02_ARefusalWhileASubscribeWaits) {
    alice.writes(send(far_queue(alice), "y").receipt("1").encoded(Version::v1_2));
    alice.writes(subscribe("s", "/topic/a").receipt("2").encoded(Version::v1_2));
    fails(alice, {ErrorCode::kicked, "Out.", "Go.", {}});
    alice.expects(receipt("1"));
    if (GetParam() == 1) { alice.expects(receipt("2")); }
    alice.expects_error("kicked");
}

TEST_P(Ending, P_ERR_03_Headers) {
    alice.sends(send("/queue/*").receipt("a:b"));
    const Received refusal = alice.expects_error("bad-destination");
    EXPECT_EQ(refusal.value("content-type"), "text/plain");
    EXPECT_EQ(refusal.value("content-length"), std::to_string(refusal.body.size()));
    EXPECT_EQ(refusal.value("receipt-id"), "a:b");
    EXPECT_FALSE(refusal.find("version"));
    EXPECT_FALSE(refusal.find("subscription"));
}

TEST_P(Ending, P_ERR_03_TheSubscriptionIsNamed) {
    bob.sends(subscribe("1", "/queue/a"));
    broker.shards().on(bob.shard(), [&] {
        bob.session().fail({ErrorCode::revoked, "Gone.", "Ask.", {}}, {}, "1");
    });
    EXPECT_EQ(bob.expects_error("revoked").value("subscription"), "1");
}

TEST_P(Ending, P_ERR_03_BeforeConnectedOnlyReceiptsWithoutEscapes) {
    TestClient plain(broker);
    plain.sends_octets(std::string("SEND\nreceipt:r\ndestination:/queue/a\n\n") + '\0');
    EXPECT_EQ(plain.expects_error("bad-state").value("receipt-id"), "r");
    for (const std::string id : {"a\\\\cb", "a:b"}) {
        TestClient client(broker);
        client.sends_octets("SEND\nreceipt:" + id + "\ndestination:/queue/a\n\n" + '\0');
        EXPECT_FALSE(client.expects_error("bad-state").find("receipt-id")) << id;
    }
}

TEST_P(Ending, P_ERR_04_TwoLinesAndARuleIfStrict) {
    alice.sends(send("/queue/*"));
    const Received plain = alice.expects_error("bad-destination");
    EXPECT_EQ(std::count(plain.body.begin(), plain.body.end(), '\n'), 2);
    broker.limits().protocol.strict = true;
    bob.sends(begin("t")).sends(begin("t"));
    const Received strict = bob.expects_error("bad-state");
    EXPECT_EQ(std::count(strict.body.begin(), strict.body.end(), '\n'), 3);
    EXPECT_NE(strict.body.find("P-TX-01"), std::string::npos);
}

TEST_P(Ending, P_ERR_04_QuotesAreCut) {
    alice.sends(begin(std::string(100, 'x') + "\n")).sends(begin(std::string(100, 'x') + "\n"));
    const Received refusal = alice.expects_error("bad-state");
    EXPECT_EQ(std::count(refusal.body.begin(), refusal.body.end(), '\n'), 2);
}

TEST_P(Ending, P_ERR_04_CredentialsAreNeverQuoted) {
    TestClient client(broker);
    client.sends(connect().header("login", "guest").header("passcode", "s3cret"));
    const Received refusal = client.expects_error("auth-failed");
    EXPECT_EQ(refusal.body.find("s3cret"), std::string::npos);
}

TEST_P(Ending, P_ERR_06_ACloseWithoutError) {
    bob.sends(subscribe("1", "/topic/a"));
    broker.shards().on(bob.shard(), [&] { bob.session().close(ErrorCode::shutdown); });
    alice.sends(send("/topic/a", "x"));
    bob.expects_closed(1012);
    EXPECT_FALSE(bob.closing()->is_error);
}

TEST_P(Ending, P_ERR_07_RefusalsAreCountedByToken) {
    alice.sends(send("/queue/*"));
    bob.sends(begin("t")).sends(begin("t"));
    const auto refusals = broker.counters().refusals;
    EXPECT_EQ(refusals[static_cast<std::size_t>(ErrorCode::bad_destination)], 1U);
    EXPECT_EQ(refusals[static_cast<std::size_t>(ErrorCode::bad_state)], 1U);
}

TEST_P(Ending, P_ERR_08_TheCodesOfTheTable) {
    for (std::size_t i = 0; i < protocol::error_code_count; ++i) {
        const auto code = static_cast<ErrorCode>(i);
        TestClient client(broker);
        client.connects();
        fails(client, {code, "What.", "Remedy.", {}});
        client.expects_error(std::string(protocol::token(code)));
        EXPECT_EQ(client.closing()->code, protocol::close_code(code));
        EXPECT_TRUE(client.closing()->is_error);
    }
}

TEST_P(Ending, P_ERR_05_ARefusalOfTheParserEndsTheSessionToo) {
    alice.sends_octets("HELLO\n");
    alice.expects_error("bad-frame");
    bob.sends(subscribe("1", "/queue/a"));
    bob.sends_octets(std::string("SEND\nreceipt:r\nbroken\n\n") + '\0');
    bob.expects_error("bad-frame");
}

RUN_SCRIPTS_ON_SHARDS(Ending);

}  // namespace support
