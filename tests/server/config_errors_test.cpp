// What an operator can get wrong: every error is found, has its place, and says what would be
// right.
#include "broker/server/config.hpp"
#include "broker/server/config_keys.hpp"
#include "tests/server/temporary_file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

LoadedConfig load(std::string_view toml, Flags flags = {}) {
    const TemporaryFile file(toml);
    flags.config = file.path();
    return load_config(flags, [](const char*) -> const char* { return nullptr; });
}

std::string errors_of(const LoadedConfig& loaded) {
    std::string all;
    for (const ConfigError& error : loaded.errors) {
        all += error.text() + "\n";
    }
    return all;
}

// The text of the only error of `toml`.
std::string error_of(std::string_view toml) {
    const LoadedConfig loaded = load(toml);
    EXPECT_EQ(loaded.errors.size(), 1U) << toml << "\n" << errors_of(loaded);
    return loaded.errors.empty() ? "" : loaded.errors.front().message;
}

TEST(ConfigErrors, EachHasItsPlaceAndAllAreReported) {
    const LoadedConfig loaded = load(
        "[limits]\n"
        "  frame = 7\n"
        "  fraem = \"1MiB\"\n"
        "[sever]\n"
        "[server]\n"
        "strict = \"yes\"\n"
        "threads = 0\n"
    );
    ASSERT_EQ(loaded.errors.size(), 5U) << errors_of(loaded);
    const std::string all = errors_of(loaded);
    for (const char* const start :
         {":2:11: limits.frame: expected a size",
          ":3:3: limits.fraem: unknown key",
          ":4:2: sever: unknown section",
          ":6:10: server.strict: expected true or false",
          ":7:11: server.threads: 0 is out of range"}) {
        EXPECT_THAT(all, HasSubstr(loaded.file + start));
    }
}

TEST(ConfigErrors, WhatIsMissingIsToldWhereItsSectionIs) {
    const LoadedConfig loaded = load("[jwt]\nissuer = \"a\"\naudience = \"b\"\n");
    ASSERT_EQ(loaded.errors.size(), 1U) << errors_of(loaded);
    EXPECT_THAT(errors_of(loaded), HasSubstr(loaded.file + ":3:12: jwt.keys_file: expected the"));
}

TEST(ConfigErrors, NameTheNearestKey) {
    EXPECT_THAT(
        error_of("[limits]\nprefetch_byte = \"1MiB\"\n"),
        EndsWith("(did you mean \"prefetch_bytes\"?)")
    );
    EXPECT_THAT(
        error_of("[limits]\nspraed = \"1s\"\n"), EndsWith("(did you mean \"drain.spread\"?)")
    );
    EXPECT_THAT(error_of("[limit]\n"), EndsWith("(did you mean \"limits\"?)"));
    EXPECT_THAT(
        error_of("[[listeners]]\nkind = \"ws\"\n"), EndsWith("(did you mean \"listener\"?)")
    );
    EXPECT_EQ(error_of("[limits]\nxyzzy = 1\n"), "unknown key");
}

TEST(ConfigErrors, BareNumbersNeedTheirUnit) {
    EXPECT_THAT(error_of("[drain]\nspread = 10\n"), HasSubstr("with its unit, such as \"250ms\""));
    EXPECT_THAT(error_of("[drain]\nspread = \"10\"\n"), HasSubstr("with its unit"));
    EXPECT_THAT(error_of("[limits]\nframe = 1048576\n"), HasSubstr("such as \"64KiB\""));
    EXPECT_THAT(error_of("[limits]\nmemory_alarm_1 = 60\n"), HasSubstr("\"60%\""));
}

TEST(ConfigErrors, ZeroIsNeverUnlimited) {
    EXPECT_THAT(error_of("[limits]\nqueues = 0\n"), HasSubstr("zero never means unlimited"));
    EXPECT_THAT(error_of("[limits]\nconnections_per_ip = 0\n"), HasSubstr("or \"unlimited\""));
    EXPECT_THAT(error_of("[limits]\nframe = \"0B\"\n"), HasSubstr("256B to 64MiB"));
}

TEST(ConfigErrors, UnlimitedOnlyWhereTheTableSaysSo) {
    EXPECT_FALSE(error_of("[limits]\nframe = \"unlimited\"\n").empty());
    EXPECT_FALSE(error_of("[limits]\nqueues = \"unlimited\"\n").empty());
}

TEST(ConfigErrors, ThreadsByFlagAreChecked) {
    Flags flags;
    flags.threads = 0;
    const LoadedConfig loaded = load("", flags);
    ASSERT_EQ(loaded.errors.size(), 1U);
    EXPECT_EQ(
        loaded.errors[0].text(),
        "--threads: server.threads: 0 is out of range: allowed is 1 to "
        "256, or \"auto\"; zero never means unlimited"
    );
}

// `value` as one writes it for `key`.
std::string written(const Key& key, std::uint64_t value) {
    switch (key.unit) {
        case Unit::size:
        case Unit::space:
            return fmt::format("\"{}B\"", value);
        case Unit::duration:
            return fmt::format("\"{}ms\"", value);
        case Unit::percent:
            return fmt::format("\"{}%\"", value);
        default:
            return fmt::format("{}", value);
    }
}

bool is_out_of_range(const Key& key, std::uint64_t value) {
    const std::string toml =
        fmt::format("[{}]\n{} = {}\n", key.section, key.name, written(key, value));
    const std::string all = errors_of(load(toml));
    return all.find("is out of range") != std::string::npos;
}

TEST(ConfigErrors, EveryRangeHoldsAtBothEnds) {
    for (const Row<Config>& row : config_rows()) {
        const Key& key = row.key;
        if (key.range.max == 0) { continue; }
        EXPECT_FALSE(is_out_of_range(key, key.range.min)) << key.full_name();
        EXPECT_FALSE(is_out_of_range(key, key.range.max)) << key.full_name();
        EXPECT_TRUE(is_out_of_range(key, key.range.max + 1)) << key.full_name();
        if (key.range.min > 0) {
            EXPECT_TRUE(is_out_of_range(key, key.range.min - 1)) << key.full_name();
        }
    }
}

// The limits table of docs/security.md.
TEST(ConfigErrors, S_RATE_01_HardMaximaAreThoseOfTheTable) {
    constexpr std::uint64_t ki = 1024;
    constexpr std::uint64_t mi = ki * ki;
    const std::map<std::string, std::uint64_t> maxima{
        {"limits.unauthenticated", 16'384},
        {"limits.unauthenticated_per_ip", 4'096},
        {"limits.tls_handshake_time", 30'000},
        {"limits.upgrade_head", 16 * ki},
        {"limits.upgrade_fields", 128},
        {"limits.upgrade_time", 30'000},
        {"limits.connect_time", 60'000},
        {"limits.before_connected", 64 * ki},
        {"limits.header_line", 64 * ki},
        {"limits.header_count", 1'000},
        {"limits.header_bytes", 256 * ki},
        {"limits.frame", 64 * mi},
        {"limits.web_socket_message", 128 * mi},
        {"limits.frame_time_max", 300'000},
        {"limits.barren_bytes", 1 * mi},
        {"limits.barren_frames", 10'000},
        {"limits.control_frames_per_second", 100},
        {"heartbeat.dead_after", 300'000},
        {"limits.destination_bytes", 255},
        {"limits.id_bytes", 128},
        {"limits.subscriptions", 10'000},
        {"limits.wildcard_subscriptions", 1'000},
        {"limits.temporary_destinations", 256},
        {"limits.durable_subscriptions", 1'000'000},
        {"limits.transactions", 64},
        {"limits.transaction_frames", 10'000},
        {"limits.transaction_bytes", 64 * mi},
        {"limits.transaction_idle", 600'000},
        {"limits.prefetch_messages", 65'535},
        {"limits.prefetch_bytes", 64 * mi},
        {"limits.ack_time", 86'400'000},
        {"limits.deliveries", 1'000},
        {"limits.selector_bytes", 4 * ki},
        {"limits.selector_nodes", 512},
        {"limits.selector_depth", 32},
        {"limits.outbound_bytes", 64 * mi},
        {"limits.outbound_stall", 60'000},
        {"limits.queues", 1'000'000},
        {"limits.memory_alarm_1", 80},
        {"limits.memory_alarm_2", 95},
    };
    for (const auto& [name, maximum] : maxima) {
        const Row<Config>* const row = find_row(name);
        ASSERT_NE(row, nullptr) << name;
        EXPECT_EQ(row->key.range.max, maximum) << name;
    }
}

TEST(ConfigErrors, EveryDefaultIsInItsRange) {
    Config defaults = default_config();
    for (const Row<Config>& row : config_rows()) {
        const std::uint64_t number = number_in(row.target(defaults));
        if (row.key.range.max == 0 || (number == 0 && !row.key.word.empty())) { continue; }
        EXPECT_GE(number, row.key.range.min) << row.key.full_name();
        EXPECT_LE(number, row.key.range.max) << row.key.full_name();
    }
}

TEST(ConfigErrors, PairsMustBeInOrder) {
    EXPECT_THAT(
        error_of("[limits]\nmemory_alarm_2 = \"50%\"\n"),
        HasSubstr(
            "limits.memory_alarm_1 (\"60%\") must not be above limits.memory_alarm_2 (\"50%\")"
        )
    );
    EXPECT_THAT(error_of("[heartbeat]\noffer = \"2m\"\n"), HasSubstr("heartbeat.cap"));
    EXPECT_THAT(error_of("[drain]\nspread = \"31s\"\n"), HasSubstr("drain.timeout"));
}

TEST(ConfigErrors, AddressesSayWhatWouldBeRight) {
    const char* const listener = "[[listener]]\nkind = \"tcp\"\naddress = ";
    EXPECT_THAT(error_of(std::string(listener) + "\"61613\"\n"), HasSubstr("127.0.0.1:61613"));
    EXPECT_THAT(
        error_of(std::string(listener) + "\"broker.example:1\"\n"), HasSubstr("an IP address")
    );
    EXPECT_THAT(error_of(std::string(listener) + "\"unix:/run/s\"\n"), HasSubstr("Unix sockets"));
}

TEST(ConfigErrors, ListenersNeedKindAndAddress) {
    EXPECT_EQ(load("[[listener]]\ntls = false\n").errors.size(), 2U);
    EXPECT_THAT(error_of("[listener]\nkind = \"ws\"\n"), HasSubstr("write [[listener]]"));
    EXPECT_THAT(
        error_of("[[listener]]\nkind = \"udp\"\naddress = \"127.0.0.1:1\"\n"),
        HasSubstr("expected one of tcp or ws")
    );
    EXPECT_THAT(
        error_of("[[listener]]\nkind = \"ws\"\naddress = \"127.0.0.1:1\"\npaths = [\"ws\"]\n"),
        HasSubstr("beginning with \"/\"")
    );
}

TEST(ConfigErrors, CertificateAndKeyGoTogether) {
    const char* const listener = "[[listener]]\nkind = \"ws\"\naddress = \"127.0.0.1:1\"\n";
    EXPECT_THAT(
        error_of(std::string(listener) + "tls_certificate = \"c.pem\"\n"), HasSubstr("name both")
    );
    EXPECT_THAT(error_of(std::string(listener) + "tls = true\n"), HasSubstr("in [tls]"));
    EXPECT_THAT(error_of("[tls]\nkey = \"k.pem\"\n"), HasSubstr("name both"));
}

TEST(ConfigErrors, PoliciesAreChecked) {
    EXPECT_THAT(error_of("[[policy]]\nmatch = \"/chat\"\n"), HasSubstr("no topic"));
    EXPECT_THAT(error_of("[[policy]]\nslow_consumer = \"drop-newest\"\n"), HasSubstr("no topic"));
    EXPECT_THAT(
        error_of("[[policy]]\nmatch = \"/topic/a\"\nslow_consumer = \"conflate\"\n"),
        HasSubstr("go together")
    );
    EXPECT_THAT(
        error_of("[[policy]]\nmatch = \"/topic/a\"\nconflate_key = \"k\"\n"),
        HasSubstr("go together")
    );
}

TEST(ConfigErrors, LaterSectionsAreNotSkipped) {
    for (const char* const toml : {"[trace]\n", "[cluster]\nname = \"x\"\n"}) {
        EXPECT_THAT(error_of(toml), HasSubstr("not part of this version")) << toml;
    }
}

TEST(ConfigErrors, P_DEST_11_PoliciesOfQueuesAndTopicsAreNotMixed) {
    EXPECT_THAT(
        error_of("[[policy]]\nmatch = \"/topic/a\"\ndurable = true\n"), HasSubstr("only queues")
    );
    EXPECT_THAT(
        error_of("[[policy]]\nmatch = \"/queue/*\"\nslow_consumer = \"drop-oldest\"\n"),
        HasSubstr("only topics have this")
    );
    EXPECT_THAT(
        error_of("[[policy]]\nmatch = \"/queue/a\"\ndurable = \"yes\"\n"),
        HasSubstr("expected true or false or \"default\"")
    );
    EXPECT_THAT(error_of("[[policy]]\nmatch = \"/temp-queue/*\"\n"), HasSubstr("no topic"));
    EXPECT_THAT(error_of("[[policy]]\nmatch = \"/queue/\"\n"), HasSubstr("no topic"));
}

// The whole text of the only error of a policy for `match` that says `lines`.
std::string policy_error(std::string_view match, std::string_view lines) {
    const LoadedConfig loaded = load(fmt::format("[[policy]]\nmatch = \"{}\"\n{}\n", match, lines));
    EXPECT_EQ(loaded.errors.size(), 1U) << lines << "\n" << errors_of(loaded);
    return loaded.errors.empty() ? "" : loaded.errors.front().text();
}

constexpr std::array<std::string_view, 17> queue_lines{
    "message_ttl = \"1s\"",
    "idle_life = \"5m\"",
    "max_messages = 1",
    "max_bytes = \"1KiB\"",
    "overflow = \"block\"",
    "max_priority = 9",
    "dead_letter = \"/queue/dead\"",
    "dead_letter = \"none\"",
    "dead_letter_expired = true",
    "dead_letter_overflow = true",
    "deliveries = \"unlimited\"",
    "deliveries = 3",
    "redelivery_delay = \"1s\"",
    "auto_delete = false",
    "single_active_consumer = true",
    "last_value = true",
    "max_messages = 1\noverflow = \"drop-head\"\ndead_letter_overflow = true"};
constexpr std::array<std::string_view, 5> topic_lines{
    "slow_consumer = \"drop-newest\"",
    "history_messages = 1",
    "history_bytes = \"1KiB\"",
    "history_age = \"1s\"",
    "history_age = \"1s\"\ndurable = false"};

TEST(ConfigErrors, EachKeyOfAPolicyIsForQueuesOrForTopics) {
    for (const std::string_view lines : queue_lines) {
        EXPECT_TRUE(load(fmt::format("[[policy]]\nmatch = \"/queue/a\"\n{}\n", lines)).ok())
            << lines;
        const std::string toml = fmt::format("[[policy]]\nmatch = \"/topic/a\"\n{}\n", lines);
        EXPECT_THAT(
            errors_of(load(toml)),
            HasSubstr("only queues have this, and \"/topic/a\" stands for topics")
        ) << lines;
    }
    for (const std::string_view lines : topic_lines) {
        EXPECT_TRUE(load(fmt::format("[[policy]]\nmatch = \"/topic/a\"\n{}\n", lines)).ok())
            << lines;
        const std::string toml = fmt::format("[[policy]]\nmatch = \"/queue/*\"\n{}\n", lines);
        EXPECT_THAT(
            errors_of(load(toml)),
            HasSubstr("only topics have this, and \"/queue/*\" stands for queues")
        ) << lines;
    }
}

TEST(ConfigErrors, WrongKeysOfAPolicyHaveTheirPlace) {
    const LoadedConfig loaded = load(
        "[[policy]]\nmatch = \"/topic/a\"\n\n[[policy]]\nmatch = \"/topic/b\"\n  max_bytes = "
        "\"1MiB\"\n"
    );
    EXPECT_EQ(
        errors_of(loaded),
        loaded.file +
            ":6:15: policy[1].max_bytes: only queues have this, and \"/topic/b\" stands for "
            "topics: write a policy of its own\n"
    );
}

TEST(ConfigErrors, RangesOfPoliciesHoldAtBothEnds) {
    for (const Row<PolicyDraft>& row : policy_rows()) {
        const Key& key = row.key;
        if (key.range.max == 0) { continue; }
        const auto is_refused = [&key](std::uint64_t value) {
            const auto loaded = load(fmt::format(
                "[[policy]]\nmatch = \"/queue/a\"\n{} = {}\n", key.name, written(key, value)
            ));
            return errors_of(loaded).find("is out of range") != std::string::npos;
        };
        EXPECT_FALSE(is_refused(key.range.min)) << key.full_name();
        EXPECT_FALSE(is_refused(key.range.max)) << key.full_name();
        EXPECT_TRUE(is_refused(key.range.max + 1)) << key.full_name();
        if (key.range.min > 0) { EXPECT_TRUE(is_refused(key.range.min - 1)) << key.full_name(); }
    }
}

TEST(ConfigErrors, ZeroDeliveriesAreNotUnlimited) {
    EXPECT_THAT(
        policy_error("/queue/a", "deliveries = 0"),
        HasSubstr("1 to 1000, or \"default\" or \"unlimited\"; zero never means unlimited")
    );
    EXPECT_THAT(
        policy_error("/queue/a", "overflow = \"reject-publish\""),
        HasSubstr("expected one of reject, drop-head or block or \"default\"")
    );
}

TEST(ConfigErrors, P_ACK_11_DeadLettersNeedADestinationThatExists) {
    EXPECT_THAT(
        policy_error("/queue/a", "dead_letter = \"/queue/*\""), HasSubstr("has a wildcard level")
    );
    EXPECT_THAT(
        policy_error("/queue/a", "dead_letter = \"/queue//x\""), HasSubstr("an empty level")
    );
    EXPECT_THAT(
        policy_error("/queue/a", "dead_letter = \"/temp-queue/x\""),
        HasSubstr("neither a queue nor a topic")
    );
    EXPECT_THAT(
        policy_error("/queue/a", "dead_letter = \"/amq/queue/a\""), HasSubstr("the queue itself")
    );
    EXPECT_THAT(policy_error("/queue/a", "dead_letter = true"), HasSubstr("\"none\""));
    EXPECT_THAT(
        policy_error("/queue/a", "dead_letter = \"none\"\ndead_letter_expired = true"),
        HasSubstr(":4:23: policy[0].dead_letter_expired: dead_letter = \"none\" leaves")
    );
}

TEST(ConfigErrors, WhatContradictsItselfIsRefused) {
    EXPECT_THAT(
        policy_error("/queue/a", "last_value = true\nmax_priority = 9"),
        HasSubstr("last_value and max_priority do not go together")
    );
    EXPECT_THAT(
        policy_error("/queue/a", "redelivery_delay = \"2s\"\nredelivery_delay_max = \"1s\""),
        HasSubstr("redelivery_delay (2s) must not be above redelivery_delay_max (1s)")
    );
    EXPECT_THAT(
        policy_error("/queue/a", "redelivery_multiplier = 2"), HasSubstr("no redelivery_delay")
    );
    EXPECT_THAT(
        policy_error("/queue/a", "redelivery_delay_max = \"1s\""), HasSubstr("no redelivery_delay")
    );
    for (const char* const bound :
         {"max_messages = 3",
          "max_bytes = \"1KiB\"\noverflow = \"block\"",
          "overflow = \"reject\""}) {
        EXPECT_THAT(
            policy_error("/queue/a", std::string(bound) + "\ndead_letter_overflow = true"),
            HasSubstr("only overflow = \"drop-head\" drops")
        );
    }
}

TEST(ConfigErrors, P_QOS_10_TopicsStoreNothingButTheirHistory) {
    EXPECT_THAT(
        policy_error("/topic/a", "durable = false"),
        HasSubstr("add history_messages, history_bytes")
    );
}

TEST(ConfigErrors, D_FULL_01_TheFloorIsASizeOrAShare) {
    EXPECT_THAT(
        error_of("[storage]\ndisk_floor = \"much\"\n"),
        HasSubstr("expected a size or a percentage, such as \"2GiB\" or \"5%\" or \"auto\"")
    );
    EXPECT_THAT(error_of("[storage]\ndisk_floor = 5\n"), HasSubstr("found 5"));
    EXPECT_THAT(error_of("[storage]\ndisk_floor = \"0%\"\n"), HasSubstr("1% to 90%"));
    EXPECT_THAT(error_of("[storage]\ndisk_floor = \"91%\"\n"), HasSubstr("1% to 90%"));
    EXPECT_THAT(
        error_of("[storage]\ndisk_floor = \"1KiB\"\n"),
        HasSubstr("1MiB to 1024GiB, 1% to 90%, or \"auto\"")
    );
}

TEST(ConfigErrors, StorageSaysWhatWouldBeRight) {
    EXPECT_THAT(
        error_of("[storage]\ndurability = \"replicated\"\n"),
        HasSubstr("expected one of sync, relaxed or memory")
    );
    EXPECT_THAT(error_of("[storage]\non_failure = \"abort\"\n"), HasSubstr("exit or serve-memory"));
    EXPECT_THAT(
        error_of("[storage]\ndirectry = \"/x\"\n"), HasSubstr("did you mean \"directory\"?")
    );
    EXPECT_THAT(error_of("[storage]\naccept_data_loss = true\n"), HasSubstr("unknown key"));
}

TEST(ConfigErrors, BrokenTomlHasItsPlace) {
    const LoadedConfig loaded = load("[server]\nthreads = \n");
    ASSERT_EQ(loaded.errors.size(), 1U) << errors_of(loaded);
    EXPECT_THAT(loaded.errors[0].text(), HasSubstr(loaded.file + ":2:"));
    EXPECT_THAT(loaded.errors[0].message, HasSubstr("not TOML"));
}

TEST(ConfigErrors, BrokenHeadersDoNotEndTheProcess) {
    for (const std::string_view toml :
         {std::string_view("[[[policy]]]\n"),
          std::string_view("[\0]\n", 4),
          std::string_view("[[=")}) {
        EXPECT_THAT(error_of(toml), HasSubstr("not TOML"));
    }
}

TEST(ConfigErrors, AreOneLineEachWhateverTheFileHolds) {
    for (const std::string_view toml :
         {"[server]\nstrict = tru\n", "[server]\n\"a\\nb\" = 1\n", "[\"a\\nb\"]\n"}) {
        const LoadedConfig loaded = load(toml);
        ASSERT_EQ(loaded.errors.size(), 1U) << errors_of(loaded);
        EXPECT_EQ(loaded.errors[0].text().find('\n'), std::string::npos) << errors_of(loaded);
    }
}

TEST(ConfigErrors, ANamedFileMustBeThere) {
    Flags flags;
    flags.config = testing::TempDir() + "no/such/stampede.toml";
    const LoadedConfig loaded =
        load_config(flags, [](const char*) -> const char* { return nullptr; });
    ASSERT_EQ(loaded.errors.size(), 1U);
    EXPECT_THAT(
        loaded.errors[0].text(), HasSubstr("cannot read the configuration file: No such file")
    );
    flags.config = testing::TempDir();
    EXPECT_FALSE(load_config(flags, [](const char*) -> const char* { return nullptr; }).ok());
}

TEST(ConfigErrors, EnvironmentIsNamed) {
    const LoadedConfig loaded = load_config({}, [](const char* name) -> const char* {
        return std::string_view(name) == "STAMPEDE_LIMITS__FRAME" ? "huge" : nullptr;
    });
    ASSERT_EQ(loaded.errors.size(), 1U) << errors_of(loaded);
    EXPECT_THAT(
        loaded.errors[0].text(), HasSubstr("STAMPEDE_LIMITS__FRAME: limits.frame: expected a size")
    );
}

TEST(ConfigErrors, S_BIND_05_NetworksOriginsAndHostsHaveTheirPlace) {
    const LoadedConfig loaded = load(
        "[server]\n"
        "trusted_proxies = [\"10.0.0.0/8\", \"10.0.0.1/8\"]\n"
        "allowed_origins = [\"https://app.example/\"]\n"
        "external_hosts = [\"broker.example:443\"]\n"
        "[limits]\n"
        "exempt = [\"10.0.0\"]\n"
        "[[listener]]\n"
        "kind = \"ws\"\n"
        "address = \"127.0.0.1:0\"\n"
        "allowed_origins = [\"*\", \"null\"]\n"
    );
    ASSERT_EQ(loaded.errors.size(), 5U) << errors_of(loaded);
    const std::string all = errors_of(loaded);
    for (const char* const start :
         {":2:19: server.trusted_proxies: \"10.0.0.1/8\": has bits set beyond its first 8: write ",
          ":3:19: server.allowed_origins: \"https://app.example/\": an origin has no path",
          ":4:18: server.external_hosts: \"broker.example:443\": the port is not compared",
          ":6:10: limits.exempt: \"10.0.0\": expected an address or a network",
          ":10:19: listener[0].allowed_origins: \"null\": \"*\" lets every page connect"}) {
        EXPECT_THAT(all, HasSubstr(loaded.file + start));
    }
}

TEST(ConfigErrors, S_BIND_06_AProxyHeaderNeedsTrustedProxies) {
    EXPECT_THAT(
        error_of("[[listener]]\nkind = \"tcp\"\naddress = \"127.0.0.1:0\"\nproxy_protocol = true\n"
        ),
        HasSubstr("server.trusted_proxies")
    );
}

}  // namespace
}  // namespace server
