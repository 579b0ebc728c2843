// Arguments of queues alone: how they are read, kept in the store, overridden by policies, and
// compared with what a queue has (P-SUB-14). What they do is told by the scripts.
#include "broker/engine/queue_settings.hpp"

#include "broker/engine/queue_arguments.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

namespace {

using protocol::ErrorCode;
using protocol::Header;
using std::chrono::milliseconds;
using Headers = std::vector<Header>;

constexpr std::string_view queue = "/queue/a";

protocol::Result<QueueArguments> read(const Headers& headers, bool is_subscribe = true) {
    return queue_arguments(headers, is_subscribe);
}

QueueArguments arguments_of(const Headers& headers) {
    const auto arguments = read(headers);
    EXPECT_TRUE(arguments.has_value());
    return arguments ? *arguments : QueueArguments{};
}

// The code of what is refused and named, or internal.
ErrorCode refusal(std::string_view name, std::string_view value) {
    const auto arguments = read({{name, value}});
    if (arguments) { return ErrorCode::internal; }
    const protocol::Error error = arguments.error();
    EXPECT_NE(error.what.find(name), std::string::npos) << error.what;
    EXPECT_FALSE(error.remedy.empty());
    return error.code;
}

QueueArguments all_arguments() {
    return arguments_of(
        {{"durable", "false"},
         {"auto-delete", "true"},
         {"exclusive", "true"},
         {"x-expires", "300000"},
         {"x-message-ttl", "0"},
         {"x-max-length", "5"},
         {"x-max-length-bytes", "1000000000000"},
         {"x-overflow", "drop-head"},
         {"x-max-priority", "255"},
         {"x-dead-letter-exchange", "amq.topic"},
         {"x-dead-letter-routing-key", "a=1:2\nb"}}
    );
}

QueueSettings settings_of(
    const QueueArguments& arguments, const Policy* policy = nullptr, bool has_store = true
) {
    return queue_settings(queue, Limits{}, policy, arguments, has_store);
}

// What the queue made with `made_with` answers to `asked`: the first line, or nothing.
std::string conflict(
    const QueueArguments& made_with, const QueueArguments& asked, const Policy* policy = nullptr
) {
    const auto result =
        check_arguments(queue, asked, settings_of(made_with, policy), made_with, policy, true);
    if (result) { return {}; }
    EXPECT_EQ(result.error().code, ErrorCode::bad_header);
    return result.error().what;
}

}  // namespace

TEST(QueueArguments, P_SUB_14_EachIsRead) {
    const QueueArguments arguments = all_arguments();
    EXPECT_EQ(arguments.durable, false);
    EXPECT_EQ(arguments.auto_delete, true);
    EXPECT_EQ(arguments.exclusive, true);
    EXPECT_EQ(arguments.idle_life, milliseconds(300'000));
    EXPECT_EQ(arguments.message_ttl, milliseconds(0));
    EXPECT_EQ(arguments.messages_max, 5U);
    EXPECT_EQ(arguments.bytes_max, 1'000'000'000'000U);
    EXPECT_EQ(arguments.overflow, Overflow::drop_head);
    EXPECT_EQ(arguments.priority_max, 255);
    EXPECT_EQ(arguments.dead_letter_exchange, "amq.topic");
    EXPECT_EQ(arguments.dead_letter_key, "a=1:2\nb");
}

TEST(QueueArguments, P_SUB_14_WhatIsAbsentIsNoOpinion) {
    EXPECT_EQ(arguments_of({}), QueueArguments{});
    EXPECT_EQ(arguments_of({{"priority", "4"}, {"x-anything", "?"}}), QueueArguments{});
    EXPECT_EQ(arguments_of({{"x-queue-type", "classic"}}), QueueArguments{});
    EXPECT_EQ(arguments_of({{"x-queue-type", "quorum"}}), QueueArguments{});
}

TEST(QueueArguments, P_SUB_14_PersistentMeansDurableInSubscribeOnly) {
    const Headers persistent{{"persistent", "false"}};
    EXPECT_EQ(read(persistent, true)->durable, false);
    EXPECT_EQ(read(persistent, false)->durable, std::nullopt);
    EXPECT_TRUE(read({{"persistent", "perhaps"}}, false).has_value());
    EXPECT_EQ(refusal("persistent", "perhaps"), ErrorCode::bad_header);
}

TEST(QueueArguments, P_SUB_11_DurableCountsBeforePersistentInAnyOrder) {
    EXPECT_EQ(arguments_of({{"durable", "false"}, {"persistent", "true"}}).durable, false);
    EXPECT_EQ(arguments_of({{"persistent", "true"}, {"durable", "false"}}).durable, false);
}

TEST(QueueArguments, P_SUB_11_BooleansAreOfFourWords) {
    for (const std::string_view name : {"durable", "auto-delete", "exclusive"}) {
        for (const std::string_view good : {"true", "True", "false", "False"}) {
            EXPECT_EQ(refusal(name, good), ErrorCode::internal) << name << ":" << good;
        }
        for (const std::string_view bad : {"", "1", "yes", "TRUE", " true"}) {
            EXPECT_EQ(refusal(name, bad), ErrorCode::bad_header) << name << ":" << bad;
        }
    }
}

TEST(QueueArguments, P_SUB_14_NumbersHaveBounds) {
    struct Bounds {
        std::string_view name;
        std::string_view below;
        std::string_view least;
        std::string_view most;
        std::string_view above;
    };

    constexpr std::array<Bounds, 5> all{
        {{"x-expires", "0", "1", "4294967295", "4294967296"},
         {"x-message-ttl", "-1", "0", "4294967295", "4294967296"},
         {"x-max-length", "-1", "0", "1000000000000", "1000000000001"},
         {"x-max-length-bytes", "-1", "0", "1000000000000", "1000000000001"},
         {"x-max-priority", "0", "1", "255", "256"}}};
    for (const Bounds& bounds : all) {
        EXPECT_EQ(refusal(bounds.name, bounds.below), ErrorCode::bad_header) << bounds.name;
        EXPECT_EQ(refusal(bounds.name, bounds.least), ErrorCode::internal) << bounds.name;
        EXPECT_EQ(refusal(bounds.name, bounds.most), ErrorCode::internal) << bounds.name;
        EXPECT_EQ(refusal(bounds.name, bounds.above), ErrorCode::bad_header) << bounds.name;
        for (const std::string_view bad :
             {"", "five", "5 ", "0x5", "5.0", "99999999999999999999"}) {
            EXPECT_EQ(refusal(bounds.name, bad), ErrorCode::bad_header) << bounds.name << bad;
        }
    }
}

TEST(QueueArguments, P_SUB_14_OverflowAndTypeAreWords) {
    EXPECT_EQ(arguments_of({{"x-overflow", "reject-publish"}}).overflow, Overflow::reject);
    EXPECT_EQ(arguments_of({{"x-overflow", "block"}}).overflow, Overflow::block);
    for (const std::string_view bad : {"", "reject", "Drop-Head", "drop-tail"}) {
        EXPECT_EQ(refusal("x-overflow", bad), ErrorCode::bad_header) << bad;
    }
    EXPECT_EQ(refusal("x-queue-type", "stream"), ErrorCode::unsupported);
    EXPECT_EQ(refusal("x-queue-type", ""), ErrorCode::unsupported);
    EXPECT_EQ(refusal("x-max-age", "1D"), ErrorCode::unsupported);
    EXPECT_EQ(refusal("x-max-age", "classic"), ErrorCode::unsupported);
}

TEST(QueueArguments, P_SEND_04_TheirNamesAreKnown) {
    for (const std::string_view name :
         {"durable",
          "auto-delete",
          "exclusive",
          "x-expires",
          "x-message-ttl",
          "x-max-length",
          "x-max-length-bytes",
          "x-overflow",
          "x-max-priority",
          "x-dead-letter-exchange",
          "x-dead-letter-routing-key",
          "x-queue-type",
          "x-max-age"}) {
        EXPECT_TRUE(is_queue_argument(name)) << name;
    }
    for (const std::string_view name : {"persistent", "priority", "x-delay", "X-Expires", ""}) {
        EXPECT_FALSE(is_queue_argument(name)) << name;
    }
}

TEST(QueueArguments, AttributesComeBackFromTheStore) {
    const QueueArguments all = all_arguments();
    EXPECT_EQ(QueueArguments::from_attributes(all.attributes()), all);
    EXPECT_EQ(QueueArguments{}.attributes(), "");
    EXPECT_EQ(QueueArguments::from_attributes(""), QueueArguments{});
    for (const Headers& one :
         {Headers{{"durable", "true"}},
          Headers{{"auto-delete", "false"}},
          Headers{{"exclusive", "false"}},
          Headers{{"x-expires", "1"}},
          Headers{{"x-message-ttl", "4294967295"}},
          Headers{{"x-max-length", "0"}},
          Headers{{"x-max-length-bytes", "7"}},
          Headers{{"x-overflow", "block"}},
          Headers{{"x-max-priority", "1"}},
          Headers{{"x-dead-letter-exchange", ""}},
          Headers{{"x-dead-letter-routing-key", "\n=:\n"}}}) {
        const QueueArguments arguments = arguments_of(one);
        EXPECT_NE(arguments, QueueArguments{}) << one.front().name;
        const std::string text = arguments.attributes();
        EXPECT_EQ(QueueArguments::from_attributes(text), arguments) << text;
    }
}

TEST(QueueArguments, DamagedAttributesAreNoArguments) {
    const std::string whole = all_arguments().attributes();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        static_cast<void>(QueueArguments::from_attributes(std::string_view(whole).substr(0, size)));
    }
    for (const std::string_view text :
         {"x",
          "=:",
          "durable",
          "durable=-1:1",
          "durable=99999999999999999999:1",
          ":=",
          "a=1:",
          "\n"}) {
        static_cast<void>(QueueArguments::from_attributes(text));
    }
    EXPECT_EQ(QueueArguments::from_attributes("later=3:abc\ndurable=1:1\n").durable, true);
}

TEST(QueueArguments, P_ACK_11_DeadLettersGoWhereRabbitMqSendsThem) {
    const auto target = [](const Headers& headers) {
        return dead_letter_destination(arguments_of(headers), queue);
    };
    EXPECT_EQ(target({}), std::nullopt);
    EXPECT_EQ(target({{"x-dead-letter-exchange", ""}}), "/queue/a");
    EXPECT_EQ(target({{"x-dead-letter-routing-key", "d"}}), "/queue/d");
    EXPECT_EQ(
        target({{"x-dead-letter-exchange", "amq.topic"}, {"x-dead-letter-routing-key", "d"}}),
        "/topic/d"
    );
    EXPECT_EQ(target({{"x-dead-letter-exchange", "amq.topic"}}), "/topic/a");
    EXPECT_EQ(target({{"x-dead-letter-exchange", "amq.direct"}}), "/exchange/amq.direct/a");
}

TEST(QueueSettings, DefaultsAreTheLimits) {
    Limits limits;
    limits.queue_messages_max = 3;
    limits.queue_bytes_max = 4;
    limits.delivery_limit = 5;
    const QueueSettings settings = queue_settings(queue, limits, nullptr, {}, true);
    EXPECT_TRUE(settings.is_durable);
    EXPECT_EQ(settings.messages_max, 3U);
    EXPECT_EQ(settings.bytes_max, 4U);
    EXPECT_FALSE(settings.bounds_stored);
    EXPECT_EQ(settings.overflow, Overflow::reject);
    EXPECT_EQ(settings.delivery_limit, 5U);
    EXPECT_EQ(settings.dead_letter, std::nullopt);
    EXPECT_EQ(settings.message_ttl, std::nullopt);
    EXPECT_EQ(settings.priority_max, 0);
    EXPECT_FALSE(settings.is_reordered());
}

TEST(QueueSettings, P_DEST_11_DurableNeedsAStoreAndNoExclusiveOwner) {
    Policy policy;
    EXPECT_FALSE(settings_of({}, nullptr, false).is_durable);
    EXPECT_FALSE(settings_of(arguments_of({{"durable", "false"}})).is_durable);
    EXPECT_FALSE(settings_of(arguments_of({{"exclusive", "true"}})).is_durable);
    policy.durable = true;
    EXPECT_TRUE(settings_of(arguments_of({{"durable", "false"}}), &policy).is_durable);
    EXPECT_FALSE(settings_of(arguments_of({{"exclusive", "true"}}), &policy).is_durable);
    EXPECT_FALSE(settings_of({}, &policy, false).is_durable);
    policy.durable = false;
    EXPECT_FALSE(settings_of(arguments_of({{"durable", "true"}}), &policy).is_durable);
}

TEST(QueueSettings, P_SUB_14_ArgumentsArrive) {
    const QueueSettings settings = settings_of(all_arguments());
    EXPECT_TRUE(settings.is_auto_delete);
    EXPECT_TRUE(settings.is_exclusive);
    EXPECT_EQ(settings.idle_life, milliseconds(300'000));
    EXPECT_EQ(settings.message_ttl, milliseconds(0));
    EXPECT_EQ(settings.messages_max, 5U);
    EXPECT_EQ(settings.bytes_max, 1'000'000'000'000U);
    EXPECT_TRUE(settings.bounds_stored);
    EXPECT_EQ(settings.priority_max, 255);
    EXPECT_EQ(settings.priority_default, 0);
    EXPECT_TRUE(settings.is_reordered());
    EXPECT_EQ(settings.dead_letter, "/topic/a=1:2\nb");
    EXPECT_TRUE(settings.dead_letters_expired);
    EXPECT_TRUE(settings.dead_letters_overflow);
}

TEST(QueueSettings, P_SEND_08_ArgumentsDropTheHeadAndPoliciesRefuse) {
    Policy policy;
    const QueueArguments by_argument = arguments_of({{"x-max-length", "5"}});
    EXPECT_EQ(settings_of(by_argument).overflow, Overflow::drop_head);
    policy.queue.messages_max = 7;
    EXPECT_EQ(settings_of({}, &policy).overflow, Overflow::reject);
    EXPECT_EQ(settings_of(by_argument, &policy).overflow, Overflow::reject);
    EXPECT_EQ(settings_of(by_argument, &policy).messages_max, 7U);
    EXPECT_TRUE(settings_of({}, &policy).bounds_stored);
    policy.queue.overflow = Overflow::block;
    EXPECT_EQ(settings_of(by_argument, &policy).overflow, Overflow::block);
}

TEST(QueueSettings, P_SUB_14_PoliciesOverrideArguments) {
    Policy policy;
    policy.queue.message_ttl = milliseconds(1);
    policy.queue.idle_life = milliseconds(2);
    policy.queue.messages_max = 3;
    policy.queue.bytes_max = 4;
    policy.queue.overflow = Overflow::block;
    policy.queue.priority_max = 5;
    policy.queue.dead_letter = "";
    policy.queue.delivery_limit = 0;
    policy.queue.redelivery = {milliseconds(6), 7, milliseconds(8)};
    policy.queue.auto_delete = false;
    policy.queue.is_single_active = true;
    policy.queue.is_last_value = true;
    const QueueSettings settings = settings_of(all_arguments(), &policy);
    EXPECT_EQ(settings.message_ttl, milliseconds(1));
    EXPECT_EQ(settings.idle_life, milliseconds(2));
    EXPECT_EQ(settings.messages_max, 3U);
    EXPECT_EQ(settings.bytes_max, 4U);
    EXPECT_EQ(settings.overflow, Overflow::block);
    EXPECT_EQ(settings.priority_max, 5);
    EXPECT_EQ(settings.priority_default, 4);  // P-QOS-04: JMS's, under a policy.
    EXPECT_EQ(settings.dead_letter, "");
    EXPECT_EQ(settings.delivery_limit, 0U);
    EXPECT_EQ(settings.redelivery, policy.queue.redelivery);
    EXPECT_FALSE(settings.is_auto_delete);
    EXPECT_TRUE(settings.is_single_active);
    EXPECT_TRUE(settings.is_last_value);
}

TEST(QueueSettings, P_ACK_12_ExpiredAndDroppedMessagesAreDeadLettersWhereAsked) {
    Policy policy;
    EXPECT_FALSE(settings_of({}, &policy).dead_letters_expired);
    policy.queue.dead_letters_expired = true;
    EXPECT_TRUE(settings_of({}, &policy).dead_letters_expired);
    EXPECT_FALSE(settings_of({}, &policy).dead_letters_overflow);
    policy.queue.dead_letters_overflow = true;
    EXPECT_TRUE(settings_of({}, &policy).dead_letters_overflow);
}

TEST(CheckArguments, P_SUB_14_ADifferenceIsRefusedWithBothValues) {
    struct Case {
        Headers made_with;
        Headers asked;
        std::string_view text;
    };

    const std::vector<Case> all{
        {{}, {{"durable", "false"}}, "durable:true, not false."},
        {{{"auto-delete", "true"}}, {{"auto-delete", "false"}}, "auto-delete:true, not false."},
        {{}, {{"exclusive", "true"}}, "exclusive:false, not true."},
        {{{"x-expires", "1"}}, {{"x-expires", "2"}}, "x-expires:1, not 2."},
        {{}, {{"x-expires", "2"}}, "no x-expires, not 2."},
        {{{"x-message-ttl", "0"}}, {{"x-message-ttl", "2"}}, "x-message-ttl:0, not 2."},
        {{}, {{"x-message-ttl", "0"}}, "no x-message-ttl, not 0."},
        {{{"x-max-length", "1"}}, {{"x-max-length", "2"}}, "x-max-length:1, not 2."},
        {{}, {{"x-max-length", "1000000"}}, "no x-max-length, not 1000000."},
        {{{"x-max-length-bytes", "1"}},
         {{"x-max-length-bytes", "2"}},
         "x-max-length-bytes:1, not 2."},
        {{{"x-max-length", "1"}}, {{"x-overflow", "block"}}, "x-overflow:drop-head, not block."},
        {{}, {{"x-overflow", "drop-head"}}, "x-overflow:reject-publish, not drop-head."},
        {{{"x-max-priority", "9"}}, {{"x-max-priority", "10"}}, "x-max-priority:9, not 10."},
        {{}, {{"x-max-priority", "9"}}, "no x-max-priority, not 9."},
        {{{"x-dead-letter-exchange", "e"}},
         {{"x-dead-letter-exchange", "f"}},
         "x-dead-letter-exchange:e, not f."},
        {{}, {{"x-dead-letter-routing-key", "k"}}, "no x-dead-letter-routing-key, not k."},
    };
    for (const Case& one : all) {
        EXPECT_EQ(
            conflict(arguments_of(one.made_with), arguments_of(one.asked)),
            "The queue /queue/a has " + std::string(one.text)
        );
    }
}

TEST(CheckArguments, P_SUB_14_WhatIsNotAskedDoesNotMatter) {
    QueueArguments made_with = all_arguments();
    made_with.exclusive = false;
    EXPECT_EQ(conflict(made_with, {}), "");
    EXPECT_EQ(conflict(made_with, arguments_of({{"x-max-priority", "255"}})), "");
}

TEST(CheckArguments, P_SUB_14_WhatAPolicyOverridesIsNotCompared) {
    struct Case {
        Headers asked;
        void (*set)(Policy& policy);
    };

    const std::vector<Case> all{
        {{{"durable", "false"}}, [](Policy& p) { p.durable = true; }},
        {{{"auto-delete", "true"}}, [](Policy& p) { p.queue.auto_delete = false; }},
        {{{"x-expires", "2"}}, [](Policy& p) { p.queue.idle_life = milliseconds(1); }},
        {{{"x-message-ttl", "2"}}, [](Policy& p) { p.queue.message_ttl = milliseconds(1); }},
        {{{"x-max-length", "2"}}, [](Policy& p) { p.queue.messages_max = 1; }},
        {{{"x-max-length-bytes", "2"}}, [](Policy& p) { p.queue.bytes_max = 1; }},
        {{{"x-overflow", "drop-head"}}, [](Policy& p) { p.queue.overflow = Overflow::block; }},
        {{{"x-overflow", "drop-head"}}, [](Policy& p) { p.queue.messages_max = 1; }},
        {{{"x-overflow", "drop-head"}}, [](Policy& p) { p.queue.bytes_max = 1; }},
        {{{"x-max-priority", "2"}}, [](Policy& p) { p.queue.priority_max = 1; }},
        {{{"x-dead-letter-exchange", "e"}}, [](Policy& p) { p.queue.dead_letter = "/queue/d"; }},
        {{{"x-dead-letter-routing-key", "k"}}, [](Policy& p) { p.queue.dead_letter = ""; }}};
    for (const Case& one : all) {
        Policy policy;
        EXPECT_NE(conflict({}, arguments_of(one.asked), &policy), "") << one.asked[0].name;
        one.set(policy);
        EXPECT_EQ(conflict({}, arguments_of(one.asked), &policy), "") << one.asked[0].name;
    }
}

TEST(CheckArguments, P_SUB_14_DurableIsNoQuestionWithoutAStore) {
    const QueueArguments asked = arguments_of({{"durable", "true"}});
    const QueueSettings has = settings_of({}, nullptr, false);
    EXPECT_TRUE(check_arguments(queue, asked, has, {}, nullptr, false).has_value());
}

// Whoever made a queue can name it again in the same words, whatever a policy made of them.
TEST(CheckArguments, P_SUB_14_ItsOwnArgumentsNeverConflict) {
    std::mt19937 random(11);
    const auto one_in_three = [&random] { return random() % 3 == 0; };
    const QueueArguments all = all_arguments();
    for (int round = 0; round < 5'000; ++round) {
        QueueArguments some;
        if (one_in_three()) { some.durable = one_in_three(); }
        if (one_in_three()) { some.auto_delete = one_in_three(); }
        if (one_in_three()) { some.exclusive = one_in_three(); }
        if (one_in_three()) { some.idle_life = all.idle_life; }
        if (one_in_three()) { some.message_ttl = all.message_ttl; }
        if (one_in_three()) { some.messages_max = all.messages_max; }
        if (one_in_three()) { some.bytes_max = all.bytes_max; }
        if (one_in_three()) { some.overflow = static_cast<Overflow>(random() % 3); }
        if (one_in_three()) { some.priority_max = all.priority_max; }
        if (one_in_three()) { some.dead_letter_exchange = all.dead_letter_exchange; }
        if (one_in_three()) { some.dead_letter_key = all.dead_letter_key; }
        Policy policy;
        if (one_in_three()) { policy.durable = one_in_three(); }
        if (one_in_three()) { policy.queue.auto_delete = one_in_three(); }
        if (one_in_three()) { policy.queue.idle_life = milliseconds(1); }
        if (one_in_three()) { policy.queue.message_ttl = milliseconds(1); }
        if (one_in_three()) { policy.queue.messages_max = 1; }
        if (one_in_three()) { policy.queue.bytes_max = 1; }
        if (one_in_three()) { policy.queue.overflow = static_cast<Overflow>(random() % 3); }
        if (one_in_three()) { policy.queue.priority_max = 1; }
        if (one_in_three()) { policy.queue.dead_letter = "/queue/d"; }
        ASSERT_EQ(conflict(some, some, one_in_three() ? nullptr : &policy), "") << round;
        ASSERT_EQ(QueueArguments::from_attributes(some.attributes()), some) << round;
    }
}

}  // namespace engine
