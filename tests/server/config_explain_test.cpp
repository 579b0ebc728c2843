// What `check-config --explain` says of a name: values, where each comes from, and who lost.
#include "broker/server/config_explain.hpp"

#include "tests/server/temporary_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

LoadedConfig load(std::string_view toml, Flags flags = {}) {
    const TemporaryFile file(toml);
    flags.config = file.path();
    return load_config(flags, [](const char*) -> const char* { return nullptr; });
}

ExplainedSetting setting(const Explanation& explanation, std::string_view key) {
    const auto found = std::ranges::find_if(explanation.settings, [key](const auto& entry) {
        return entry.key == key;
    });
    EXPECT_NE(found, explanation.settings.end()) << key;
    return found == explanation.settings.end() ? ExplainedSetting{} : *found;
}

Explanation explained(const LoadedConfig& loaded, std::string_view name) {
    auto result = explain(loaded, name);
    EXPECT_TRUE(result.has_value()) << name;
    return result ? *result : Explanation{};
}

constexpr std::string_view three =
    "[limits]\nqueue_bytes = \"1MiB\"\n"
    "[[policy]]\nmatch = \"/queue/**\"\nmessage_ttl = \"10m\"\n"
    "[[policy]]\nmatch = \"/queue/jobs.*\"\nmessage_ttl = \"20m\"\nmax_messages = 5\n"
    "[[policy]]\nmatch = \"/queue/jobs.#\"\npriority = 1\ndead_letter = \"none\"\n";

TEST(Explain, WithoutPolicyEverythingIsADefaultThatClientsMayChange) {
    const Explanation queue = explained(load(""), "jobs");
    EXPECT_TRUE(queue.is_queue);
    EXPECT_EQ(queue.canonical, "/queue/jobs");
    EXPECT_THAT(queue.policies, IsEmpty());
    EXPECT_EQ(setting(queue, "durable").why, "there is no store");
    EXPECT_EQ(setting(queue, "message_ttl").value, "none");
    EXPECT_EQ(setting(queue, "message_ttl").argument, "x-message-ttl");
    EXPECT_EQ(setting(queue, "max_messages").value, "1000000");
    EXPECT_EQ(setting(queue, "max_messages").why, "limits.queue_messages (default)");
    EXPECT_EQ(setting(queue, "dead_letter").value, "\"/queue/DLQ.jobs\"");
    EXPECT_EQ(setting(queue, "overflow").argument, "x-overflow");
    EXPECT_THAT(explanation_text(queue), HasSubstr("no policy matches"));
    EXPECT_THAT(explanation_text(queue), HasSubstr("it can set what no policy sets"));
}

TEST(Explain, ThePolicyThatCountsIsNamedWithItsLine) {
    const LoadedConfig loaded = load(
        "[[policy]]\nmatch = \"/queue/jobs.*\"\nmax_messages = 5\n"
        "[[policy]]\nmatch = \"/queue/**\"\nmessage_ttl = \"10m\"\n"
    );
    const Explanation queue = explained(loaded, "/amq/queue/jobs.eu");
    const std::string policy = "policy[0] \"/queue/jobs.*\" (" + loaded.file + ":3)";
    EXPECT_EQ(setting(queue, "max_messages").value, "5");
    EXPECT_EQ(setting(queue, "max_messages").why, policy);
    EXPECT_EQ(setting(queue, "max_messages").argument, "");
    EXPECT_EQ(setting(queue, "overflow").why, "as " + policy + " sets a bound");
    EXPECT_EQ(setting(queue, "message_ttl").value, "none");
}

TEST(Explain, PoliciesThatLoseSayWhy) {
    const LoadedConfig loaded = load(three);
    const Explanation queue = explained(loaded, "/queue/jobs.eu");
    ASSERT_THAT(queue.policies, SizeIs(3));
    EXPECT_EQ(queue.policies[0].name, "policy[2]");
    EXPECT_EQ(queue.policies[0].why_not, "");
    EXPECT_EQ(queue.policies[1].name, "policy[1]");
    EXPECT_EQ(queue.policies[1].why_not, "its priority is 0, that of policy[2] is 1");
    EXPECT_EQ(queue.policies[2].name, "policy[0]");
    EXPECT_EQ(setting(queue, "dead_letter").value, "none");
    EXPECT_EQ(setting(queue, "message_ttl").value, "none");
    EXPECT_EQ(setting(queue, "max_bytes").why, "limits.queue_bytes (" + loaded.file + ":2)");
}

TEST(Explain, LessSpecificAndLaterPoliciesLose) {
    const LoadedConfig loaded = load(
        "[[policy]]\nmatch = \"/queue/**\"\n[[policy]]\nmatch = \"/queue/a\"\n"
        "[[policy]]\nmatch = \"/queue/a\"\n"
    );
    const Explanation queue = explained(loaded, "/queue/a");
    ASSERT_THAT(queue.policies, SizeIs(3));
    EXPECT_EQ(queue.policies[1].why_not, "policy[1] is as good and comes first");
    EXPECT_EQ(queue.policies[2].why_not, "the pattern of policy[1] is more specific");
    EXPECT_THAT(explanation_text(queue), HasSubstr("matches, but does not count"));
}

TEST(Explain, DurableFollowsTheStore) {
    Flags flags;
    flags.data = "/srv/a";
    const Explanation by_default = explained(load("", flags), "/queue/a");
    EXPECT_EQ(setting(by_default, "durable").value, "true");
    EXPECT_EQ(setting(by_default, "durable").why, "default, with a store");
    EXPECT_EQ(setting(by_default, "max_messages").value, "1000000 in memory");
    const char* const toml = "[[policy]]\nmatch = \"/queue/a\"\ndurable = false\n";
    EXPECT_EQ(setting(explained(load(toml, flags), "/queue/a"), "durable").value, "false");
}

TEST(Explain, P_ACK_12_DeadLetterQueuesHaveNoDeadLetters) {
    const Explanation queue = explained(load(""), "/queue/DLQ.jobs");
    EXPECT_EQ(setting(queue, "dead_letter").value, "none");
}

TEST(Explain, TopicsHaveTheirOwnSettings) {
    const LoadedConfig loaded = load(
        "[[policy]]\nmatch = \"/topic/p/**\"\nhistory_age = \"1h\"\nslow_consumer = \"conflate\"\n"
        "conflate_key = \"k\"\n"
    );
    const Explanation topic = explained(loaded, "/topic/p/q");
    EXPECT_FALSE(topic.is_queue);
    EXPECT_EQ(setting(topic, "slow_consumer").value, "\"conflate\"");
    EXPECT_EQ(setting(topic, "conflate_key").value, "\"k\"");
    EXPECT_EQ(setting(topic, "history_age").value, "\"1h\"");
    EXPECT_EQ(setting(topic, "history_messages").value, "none");
    EXPECT_EQ(setting(topic, "durable").why, "there is no store");
    EXPECT_THAT(explanation_text(topic), Not(HasSubstr("client")));
}

TEST(Explain, NamesAreReadAsASendReadsThem) {
    const LoadedConfig loaded = load("");
    for (const char* const name : {"/queue/a.*", "/topic/**", "/topic//x", "", "/queue/"}) {
        const auto result = explain(loaded, name);
        ASSERT_FALSE(result.has_value()) << name;
        EXPECT_EQ(result.error().code, protocol::ErrorCode::bad_destination) << name;
    }
    for (const char* const name : {"/temp-queue/a", "/reply-queue/a"}) {
        const auto result = explain(loaded, name);
        ASSERT_FALSE(result.has_value()) << name;
        EXPECT_THAT(result.error().what, HasSubstr("no policy applies"));
    }
}

}  // namespace
}  // namespace server
