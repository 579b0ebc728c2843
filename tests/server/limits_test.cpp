// The table of limits: what docs/security.md promises is what the keys do, every limit that an
// ERROR can name is a key, and each row has a test that reaches it from both sides.
#include "broker/server/config.hpp"
#include "broker/server/config_keys.hpp"
#include "protocol/limit_key.hpp"
#include "tests/server/temporary_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace server {
namespace {

using protocol::LimitKey;

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::filesystem::path root() {
    return STAMPEDE_SOURCE_ROOT;
}

struct DocumentedLimit {
    std::string key;
    std::string standard;
    std::string maximum;
};

std::string without_ticks(std::string cell) {
    const std::size_t begin = cell.find_first_not_of(" `");
    const std::size_t end = cell.find_last_not_of(" `");
    return begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1);
}

// The rows between the heading and the next one that have a key in their first cell.
std::vector<DocumentedLimit> documented() {
    const std::string page = text_of(root() / "docs/security.md");
    const std::size_t begin = page.find("\n## Limits\n");
    std::istringstream lines(page.substr(begin, page.find("\n## ", begin + 1) - begin));
    std::vector<DocumentedLimit> rows;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("| `")) { continue; }
        std::istringstream cells(line.substr(1));
        DocumentedLimit row;
        std::getline(cells, row.key, '|');
        std::getline(cells, row.standard, '|');
        std::getline(cells, row.maximum, '|');
        rows.push_back(
            {without_ticks(row.key), without_ticks(row.standard), without_ticks(row.maximum)}
        );
    }
    return rows;
}

// `1 to 64MiB, or "unlimited"`: 64MiB.
std::string maximum_of(const Key& key) {
    const std::string range = format_range(key);
    const std::size_t begin = range.find(" to ") + 4;
    return range.substr(begin, range.find(',', begin) - begin);
}

TEST(LimitsTable, S_RATE_01_DocumentsWhatTheKeysDo) {
    Config defaults = default_config();
    const std::vector<DocumentedLimit> rows = documented();
    EXPECT_GT(rows.size(), 60U);
    for (const DocumentedLimit& documented_row : rows) {
        const Row<Config>* const row = find_row(documented_row.key);
        ASSERT_NE(row, nullptr) << documented_row.key;
        EXPECT_EQ(format_value(row->key, row->target(defaults)), documented_row.standard)
            << documented_row.key;
        EXPECT_EQ(maximum_of(row->key), documented_row.maximum) << documented_row.key;
    }
}

TEST(LimitsTable, S_RATE_01_EveryLimitThatRefusesIsAKeyAndInTheTable) {
    std::set<std::string> keys;
    for (const DocumentedLimit& row : documented()) {
        EXPECT_TRUE(keys.insert(row.key).second) << row.key << " is there twice";
    }
    for (std::size_t i = 1; i < protocol::limit_key_count; ++i) {
        const std::string name(protocol::name_of(static_cast<LimitKey>(i)));
        EXPECT_NE(find_row(name), nullptr) << name;
        EXPECT_TRUE(keys.contains(name)) << "docs/security.md lacks " << name;
    }
    EXPECT_EQ(protocol::name_of(LimitKey::none), "");
}

// Where each limit is reached from both sides: a name of a test, or of a case in its table.
const std::map<std::string, std::vector<std::string_view>> proofs = {
    {"tests/e2e/test_limits.py",
     {"limits.connections test_S_RATE_01_connections",
      "limits.connections_per_ip test_S_RATE_01_connections_per_address",
      "limits.connections_per_user test_S_RATE_01_connections_of_a_user",
      "limits.connections_per_second_per_ip test_S_RATE_02_new_connections_of_an_address",
      "limits.messages_per_second_per_ip test_S_RATE_02_messages_of_an_address",
      "limits.messages_per_second_per_user test_S_RATE_02_beyond_it_nothing_is_read",
      "limits.bytes_per_second_per_user test_S_RATE_02_large_frames",
      "limits.subscribes_per_second_per_user test_S_RATE_02_subscribes",
      "limits.unauthenticated test_S_RATE_03_silent_peers",
      "limits.unauthenticated_per_ip test_S_RATE_01_unauthenticated_per_address",
      "limits.before_connected test_P_LIM_01_before_connected",
      "limits.header_line \"header_line\"",
      "limits.header_count \"header_count\"",
      "limits.header_bytes \"header_bytes\"",
      "limits.frame \"frame\"",
      "limits.destination_bytes \"destination_bytes\"",
      "limits.destination_levels \"destination_levels\"",
      "limits.id_bytes \"id_bytes\"",
      "limits.subscriptions \"subscriptions\"",
      "limits.wildcard_subscriptions \"wildcards\"",
      "limits.temporary_destinations \"temporary\"",
      "limits.transactions \"transactions\"",
      "limits.transaction_frames \"transaction_frames\"",
      "limits.transaction_bytes \"transaction_bytes\"",
      "limits.web_socket_message test_P_LIM_01_websocket_message",
      "limits.web_socket_message_before_connected test_P_LIM_01_websocket_message",
      "limits.frame_time test_P_LIM_01_too_slow_is_refused",
      "limits.frame_time_max test_P_LIM_01_never_beyond_the_maximum",
      "limits.barren_bytes test_S_RATE_01_octets_without_content",
      "limits.memory_alarm_1 test_S_RATE_04_publishers_pause_and_go_on",
      "limits.memory_pause test_S_RATE_04_too_long_is_refused",
      "limits.memory_alarm_2 test_S_RATE_04_alarm_2"}},
    {"tests/transport/rates_test.cpp",
     {"limits.bytes_per_second_per_ip TheStricterCounts",
      "limits.subscribes_per_second_per_ip TheStricterCounts"}},
    {"tests/protocol/parser_limits_test.cpp",
     {"limits.header_line_before_connected P_LIM_01_HeaderLineBeforeConnected"}},
    {"tests/e2e/test_connect.py",
     {"limits.upgrade_head test_S_RATE_01_the_head_just_below_and_above",
      "limits.upgrade_fields test_S_RATE_01_fields_just_below_and_above",
      "limits.upgrade_time test_P_CONN_11_silence_before_the_upgrade",
      "limits.control_frames_per_second test_P_WS_09_twenty_are_allowed"}},
    {"tests/e2e/test_keepalive.py",
     {"limits.connect_time test_P_CONN_11_the_time_to_connect",
      "heartbeat.ping_after test_P_HB_06_silent_websocket_peers_get_a_ping",
      "heartbeat.dead_after test_P_HB_06"}},
    {"tests/e2e/test_tls.py", {"limits.tls_handshake_time test_S_TLS_01_a_slow_handshake"}},
    {"tests/e2e/test_hostile.py", {"limits.barren_frames test_S_RATE_01_endless_empty_messages"}},
    {"tests/e2e/test_session.py",
     {"limits.transaction_idle test_P_TX_07_idle", "limits.ack_time test_P_ACK_09_the_ack_time"}},
    {"tests/e2e/test_slow_consumers.py",
     {"limits.outbound_stall test_P_LIM_03_no_progress_for_the_stall_time"}},
    {"tests/e2e/test_storage.py", {"storage.disk_floor test_D_FULL_01_below_the_floor"}},
    {"tests/e2e/test_auth.py", {"auth.failed_logins test_S_AUTH_16_refusals_wait"}},
    {"tests/engine/selector_refusal_test.cpp",
     {"limits.selector_bytes P_LIM_01_OctetsJustBelowAndAbove",
      "limits.selector_nodes P_LIM_01_NodesJustBelowAndAbove",
      "limits.selector_depth P_LIM_01_DepthJustBelowAndAbove"}},
    {"tests/engine/durable_subscription_test.cpp",
     {"limits.durable_subscriptions P_LIM_01_DurableSubscriptionsOfAUserAreLimited"}},
    {"tests/engine/subscribe_test.cpp",
     {"limits.prefetch_messages P_SUB_07_TheDefaultWindowIs256",
      "limits.prefetch_bytes P_SUB_07_TheWindowCountsOctetsToo"}},
    {"tests/engine/dead_letter_test.cpp", {"limits.deliveries P_ACK_10_ALimitOfAPolicy"}},
    {"tests/engine/slow_consumer_test.cpp",
     {"limits.outbound_bytes P_LIM_03_OverTheBudgetTheConnectionIsCut"}},
    {"tests/engine/send_test.cpp",
     {"limits.queue_messages P_SEND_08_AFullQueueRefuses",
      "limits.queue_bytes P_SEND_08_AFullQueueRefuses"}},
    {"tests/engine/destination_test.cpp", {"limits.queues P_LIM_01_QueuesInAll"}},
    {"tests/engine/retained_test.cpp", {"limits.retained P_LIM_01_ThereAreOnlySoManyOfThem"}},
    {"tests/engine/schedule_test.cpp", {"limits.scheduled P_QOS_03_BoundedByDestination"}},
    {"tests/security/gate_hook_test.cpp",
     {"hook.in_flight S_AUTH_14_OneTooManyAtOnceIsToldOverload"}},
    {"tests/security/hash_pool_test.cpp",
     {"auth.hash_queue S_AUTH_08_AFullQueueRefusesWithoutBlocking",
      "auth.hash_threads S_AUTH_08_RunsAsManyJobsAtOnceAsItHasThreads"}},
};

TEST(LimitsTable, S_RATE_01_EachRowHasATestFromBothSides) {
    std::set<std::string> proven;
    for (const auto& [file, tests] : proofs) {
        const std::string text = text_of(root() / file);
        for (const std::string_view proof : tests) {
            const std::size_t space = proof.find(' ');
            proven.insert(std::string(proof.substr(0, space)));
            EXPECT_NE(text.find(proof.substr(space + 1)), std::string::npos)
                << file << ": " << proof;
        }
    }
    for (const DocumentedLimit& row : documented()) {
        EXPECT_TRUE(proven.contains(row.key)) << "no test is named for " << row.key;
    }
}

std::string zero_of(Unit unit) {
    switch (unit) {
        case Unit::size:
        case Unit::space:
            return "\"0B\"";
        case Unit::duration:
            return "\"0ms\"";
        case Unit::percent:
            return "\"0%\"";
        default:
            return "0";
    }
}

// A limit of nothing is an error with a name, never the absence of a limit.
TEST(LimitsTable, CVE_2026_67235_ZeroIsInvalidForEveryLimit) {
    std::size_t count = 0;
    for (const Row<Config>& row : config_rows()) {
        const Key& key = row.key;
        if (key.section != "limits" || key.range.max == 0) { continue; }
        ++count;
        EXPECT_GE(key.range.min, 1U) << key.full_name();
        const TemporaryFile file(
            "[limits]\n" + std::string(key.name) + " = " + zero_of(key.unit) + "\n"
        );
        Flags flags;
        flags.config = file.path();
        const LoadedConfig loaded =
            load_config(flags, [](const char*) -> const char* { return nullptr; });
        ASSERT_FALSE(loaded.errors.empty()) << key.full_name();
        EXPECT_NE(loaded.errors.front().text().find(key.name), std::string::npos)
            << loaded.errors.front().text();
    }
    EXPECT_GT(count, 60U);
}

}  // namespace
}  // namespace server
