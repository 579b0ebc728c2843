// The tap of a connection: each command in both directions, what is masked, and its bounds (O-6).
#include "broker/transport/tap.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace transport {

namespace {

using protocol::Command;
using protocol::Header;

class Tapped : public ::testing::TestWithParam<engine::Framing> {
protected:
    Tapped() { outbox.set_framing(GetParam()); }

    [[nodiscard]] Tap make(Tap::Options options = {}) {
        return Tap(
            shard,
            outbox,
            protocol::Version::v1_2,
            options,
            [this](TappedFrame frame) { shown.push_back(std::move(frame)); },
            [this](std::string_view why) { endings.emplace_back(why); }
        );
    }

    // The socket takes what is there, `step` octets at a time.
    bool flush(Tap& tap, std::size_t step = 1) {
        bool goes_on = true;
        while (goes_on && outbox.ahead() != 0) {
            const std::size_t octets = std::min(step, outbox.ahead());
            goes_on = tap.out(outbox.segments(), octets);
            outbox.sent(octets);
        }
        return goes_on;
    }

    [[nodiscard]] static std::vector<std::string> commands(const std::vector<TappedFrame>& frames) {
        std::vector<std::string> all;
        for (const TappedFrame& frame : frames) {
            all.push_back((frame.is_in ? "in " : "out ") + frame.command);
        }
        return all;
    }

    [[nodiscard]] static protocol::Frame frame_of(
        Command command, const std::vector<Header>& headers, std::string_view body = {}
    ) {
        protocol::Frame frame;
        frame.command = command;
        frame.headers = headers;
        frame.body = body;
        return frame;
    }

    IoShard shard{0, engine::RouterSettings(), Options()};
    engine::Limits limits;
    engine::Outbox outbox{shard.output(), limits};
    std::vector<TappedFrame> shown;
    std::vector<std::string> endings;
};

constexpr std::string_view message_frame(
    "MESSAGE\nsubscription:a\nmessage-id:1\ncontent-length:5\nx:a\\cb\n\nhello\0", 67
);

}  // namespace

TEST_P(Tapped, O_6_ShowsWhatGoesHoweverTheSocketTakesIt) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
        shown.clear();
        Tap tap = make({true});
        outbox.push_control(std::string_view("CONNECTED\nversion:1.2\n\n\0", 24));
        outbox.push_control(message_frame);
        outbox.push_control(std::string_view("RECEIPT\nreceipt-id:r\n\n\0", 23));
        GetParam() == engine::Framing::stream ? outbox.push_raw("\n") : outbox.push_control("\n");
        outbox.push_control(std::string_view("ERROR\nmessage:x\n\nwhy\0", 21));
        EXPECT_TRUE(flush(tap, step));
        EXPECT_EQ(
            commands(shown),
            (std::vector<std::string>{
                "out CONNECTED", "out MESSAGE", "out RECEIPT", "out heart-beat", "out ERROR"})
        );
        ASSERT_EQ(shown.size(), 5U);
        EXPECT_EQ(shown[1].size, 5U);
        EXPECT_EQ(shown[1].body, "hello");
        EXPECT_EQ(shown[1].headers.back().second, "a:b");
        EXPECT_GT(shown[1].at, 1'600'000'000'000U);
    }
    EXPECT_TRUE(endings.empty());
}

TEST_P(Tapped, O_6_BeginsBehindWhatIsOnItsWay) {
    outbox.push_control(message_frame);
    outbox.sent(9);
    Tap tap = make();
    outbox.push_control(std::string_view("RECEIPT\nreceipt-id:r\n\n\0", 23));
    EXPECT_TRUE(flush(tap, 5));
    EXPECT_EQ(commands(shown), (std::vector<std::string>{"out RECEIPT"}));
}

TEST_P(Tapped, O_6_ShowsWhatComes) {
    Tap tap = make();
    for (const Command command :
         {Command::send,
          Command::subscribe,
          Command::unsubscribe,
          Command::ack,
          Command::nack,
          Command::begin,
          Command::commit,
          Command::abort,
          Command::disconnect}) {
        EXPECT_TRUE(tap.in(frame_of(command, {{"id", "1"}}, "body")));
        EXPECT_EQ(shown.back().command, protocol::to_string(command));
        EXPECT_TRUE(shown.back().is_in);
        EXPECT_EQ(shown.back().size, 4U);
        EXPECT_FALSE(shown.back().body);
    }
    EXPECT_TRUE(tap.in_beat());
    EXPECT_EQ(shown.back().command, "heart-beat");
}

TEST_P(Tapped, O_6_SecretsAreMasked) {
    Tap tap = make();
    for (const char* name :
         {"passcode",
          "Passcode",
          "Authorization",
          "x-auth-token",
          "password",
          "client-secret",
          "Cookie",
          "x-api-key"}) {
        EXPECT_TRUE(tap.in(frame_of(Command::send, {{name, "canary"}})));
        EXPECT_EQ(shown.back().headers.front().second, "***") << name;
    }
    // The control.
    EXPECT_TRUE(tap.in(frame_of(Command::send, {{"login", "anna"}, {"x-author", "canary"}})));
    EXPECT_EQ(shown.back().headers.front().second, "anna");
    EXPECT_EQ(shown.back().headers.back().second, "canary");
}

TEST_P(Tapped, O_6_BodiesAreShownTo4KiBIfAsked) {
    Tap tap = make({true});
    const std::string body(5000, 'x');
    EXPECT_TRUE(tap.in(frame_of(Command::send, {}, body)));
    EXPECT_EQ(shown.back().size, 5000U);
    EXPECT_EQ(shown.back().body, body.substr(0, 4096));
}

TEST_P(Tapped, O_6_EndsWhenTheReaderLags) {
    Tap tap = make({true});
    const std::string body(4096, 'x');
    int frames = 0;
    while (tap.in(frame_of(Command::send, {}, body))) {
        ASSERT_LT(++frames, 300);
    }
    EXPECT_GT(frames, 200);
    EXPECT_EQ(endings, (std::vector<std::string>{"The reader lags behind by 1 MiB."}));
    EXPECT_FALSE(tap.in_beat());
    EXPECT_EQ(shown.size(), static_cast<std::size_t>(frames));
}

TEST_P(Tapped, O_6_EndsAfter10MiB) {
    Tap tap = make({true});
    const std::string body(4096, 'x');
    int frames = 0;
    while (tap.in(frame_of(Command::send, {}, body))) {
        ASSERT_LT(++frames, 3000);
        tap.seen(shown.back().weight());
    }
    EXPECT_GT(frames, 2400);
    EXPECT_EQ(endings, (std::vector<std::string>{"10 MiB were shown."}));
}

TEST_P(Tapped, O_6_EndsAfterItsTime) {
    Tap tap = make({false, std::chrono::milliseconds(0)});
    EXPECT_FALSE(tap.in_beat());
    EXPECT_EQ(endings, (std::vector<std::string>{"The time is over."}));
    tap.end("Another reason.");
    EXPECT_EQ(endings.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Framings, Tapped, ::testing::Values(engine::Framing::stream, engine::Framing::web_socket)
);

}  // namespace transport
