// Messages as a store keeps them: the same octets come back, anything else is no message.
#include "broker/engine/stored_message.hpp"

#include "broker/engine/send_head.hpp"
#include "protocol/request.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace engine {

namespace {

using protocol::Header;
using protocol::Version;

MessageRef made(const std::vector<Header>& headers, std::string_view body) {
    protocol::Send request;
    request.destination = headers.front().value;
    request.headers = headers;
    SendOptions options = *send_options(request, true, false);
    HeadContext context;
    context.destination = request.destination;
    context.is_queue = true;
    context.user = "anonymous";
    SendHead head = make_send_head(request, options, context);
    if (options.expires()) { set_expiry(head, options.expiry(1'700'000'000'000)); }
    return Message::make("Ab1234567", head, body);
}

std::vector<MessageRef> examples() {
    const std::string binary("\0\n\n\xFF\0", 5);
    return {
        made({{"destination", "/queue/a"}}, ""),
        made({{"destination", "/queue/a"}, {"empty", ""}, {"b", "c"}}, "hello"),
        made({{"destination", "/queue/a:b"}, {"c:d", "e\\f\ng\rh"}}, "x\n\ny"),
        made({{"destination", "/queue/a"}, {"content-type", "text/plain"}}, binary),
        made({{"destination", "/queue/\xC3\xA9"}}, "\xE2\x98\x83"),
        made({{"destination", "/queue/a"}}, std::string(100'000, 'x')),
        made({{"destination", "/queue/a"}, {"ttl", "5000"}, {"priority", "7"}}, "x"),
        made({{"destination", "/queue/a"}, {"ttl", "5000"}, {"a:b", "c\\d"}}, "x"),
    };
}

}  // namespace

TEST(StoredMessage, D_CONTRACT_2_TheSameMessageComesBack) {
    for (const MessageRef& message : examples()) {
        const MessageRef back = restore_message(message->whole());
        ASSERT_TRUE(back);
        EXPECT_EQ(back->whole(), message->whole());
        EXPECT_EQ(back->id(), message->id());
        EXPECT_EQ(back->body(), message->body());
        EXPECT_EQ(back->size(), message->size());
        EXPECT_EQ(back->is_text(), message->is_text());
        EXPECT_EQ(back->is_same_for_all(), message->is_same_for_all());
        EXPECT_TRUE(back->is_persistent());
        EXPECT_EQ(back->facts().expires, message->facts().expires);
        EXPECT_EQ(back->facts().priority, message->facts().priority);
        for (const Version version : {Version::v1_0, Version::v1_1, Version::v1_2}) {
            EXPECT_EQ(back->head(version), message->head(version));
        }
    }
}

TEST(StoredMessage, P_ACK_11_ADeadLetterComesBackToo) {
    const std::vector<Header> headers = {{"x-death-queue", "/queue/a:b"}, {"x-death-count", "3"}};
    for (const MessageRef& message : examples()) {
        const MessageRef letter = remade(*message, headers, 0);
        const MessageRef back = restore_message(letter->whole());
        ASSERT_TRUE(back);
        for (const Version version : {Version::v1_0, Version::v1_1, Version::v1_2}) {
            EXPECT_EQ(back->head(version), letter->head(version));
        }
        EXPECT_EQ(back->find("x-death-count"), "3");
    }
}

TEST(StoredMessage, P_ACK_11_WhatDiesTwiceSaysSoOnce) {
    const std::vector<Header> once = {{"x-death-queue", "/queue/a:b"}, {"x-death-count", "3"}};
    const std::vector<Header> again = {{"x-death-queue", "/queue/c"}, {"x-death-count", "4"}};
    for (const MessageRef& message : examples()) {
        const MessageRef letter = remade(*remade(*message, once, 0), again, 0);
        const MessageRef only = remade(*message, again, 0);
        for (const Version version : {Version::v1_0, Version::v1_1, Version::v1_2}) {
            EXPECT_EQ(letter->head(version), only->head(version));
        }
        EXPECT_EQ(remade(*message, {}, 0)->body(), message->body());
    }
}

TEST(StoredMessage, D_ROCK_01_APartOfAMessageIsNone) {
    for (const MessageRef& message : examples()) {
        const std::string_view whole = message->whole();
        for (std::size_t size = 0; size < std::min<std::size_t>(whole.size(), 300); ++size) {
            EXPECT_EQ(restore_message(whole.substr(0, size)), nullptr);
        }
        EXPECT_EQ(restore_message(whole.substr(0, whole.size() - 1)), nullptr);
        EXPECT_EQ(restore_message(std::string(whole) + "x"), nullptr);
        EXPECT_EQ(restore_message(whole.substr(1)), nullptr);
    }
    EXPECT_EQ(restore_message("gone"), nullptr);
    EXPECT_EQ(restore_message(""), nullptr);
}

TEST(StoredMessage, D_ROCK_01_BrokenOctetsDoNoHarm) {
    std::mt19937 random(1);
    for (const MessageRef& message : examples()) {
        for (int i = 0; i < 500; ++i) {
            std::string octets(message->whole());
            for (std::size_t flips = 1 + random() % 3; flips > 0; --flips) {
                octets[random() % std::min<std::size_t>(octets.size(), 120)] =
                    static_cast<char>(random());
            }
            const MessageRef back = restore_message(octets);
            // What is taken for a message is written as it was read.
            if (back) { EXPECT_EQ(back->whole(), octets); }
        }
    }
}

TEST(StoredMessage, D_ROCK_01_NumbersInAnotherFormAreNoMessage) {
    const auto stored = [](const std::string& length, const std::string& expires) {
        return "message-id:a1\ncontent-length:" + length + "\nexpires:" + expires +
               "\ndestination:/queue/a\n\n" + std::string(1, '\0');
    };
    EXPECT_TRUE(restore_message(stored("0", "1700000000000")));
    EXPECT_EQ(restore_message(stored("00", "1700000000000")), nullptr);
    EXPECT_EQ(restore_message(stored("0", "17000000\t0000")), nullptr);
    EXPECT_EQ(restore_message(stored("0", "17000000 0000")), nullptr);
}

}  // namespace engine
