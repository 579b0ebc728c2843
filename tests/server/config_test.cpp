// What a configuration becomes: defaults, precedence, listeners, S-BIND, policies, printed texts.
#include "broker/server/config.hpp"

#include "broker/server/config_keys.hpp"
#include "broker/server/config_reload.hpp"
#include "tests/server/temporary_file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

namespace server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using transport::ListenerKind;

using Environment = std::map<std::string, std::string>;

LoadedConfig load(std::string_view toml, Flags flags = {}, const Environment& environment = {}) {
    const TemporaryFile file(toml);
    flags.config = file.path();
    return load_config(flags, [&environment](const char* name) -> const char* {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
    });
}

std::string errors_of(const LoadedConfig& loaded) {
    std::string all;
    for (const ConfigError& error : loaded.errors) {
        all += error.text() + "\n";
    }
    return all;
}

TEST(Config, S_BIND_01_WithoutConfigurationBindsLoopbackOnly) {
    const LoadedConfig loaded = load("");
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    ASSERT_EQ(loaded.config.listeners.size(), 2U);
    for (const transport::ListenerOptions& listener : loaded.config.listeners) {
        EXPECT_EQ(listener.host, "127.0.0.1");
        EXPECT_TRUE(listener.also_ipv6_loopback);
        EXPECT_FALSE(listener.tls.is_set());
    }
    EXPECT_EQ(loaded.config.listeners[0].kind, ListenerKind::web_socket);
    EXPECT_EQ(loaded.config.listeners[0].port, 15674);
    EXPECT_THAT(loaded.config.listeners[0].paths, ElementsAre("/ws", "/stomp"));
    EXPECT_EQ(loaded.config.listeners[1].kind, ListenerKind::tcp);
    EXPECT_EQ(loaded.config.listeners[1].port, 61613);
    EXPECT_EQ(loaded.config.admin, (Address{"127.0.0.1", 15680}));
    EXPECT_TRUE(loaded.warnings.empty());
}

TEST(Config, HasThreadsByDefault) {
    const unsigned threads = load("").config.transport.threads;
    EXPECT_GE(threads, 1U);
    EXPECT_LE(threads, 8U);
}

TEST(Config, FlagWinsOverEnvironmentOverFileOverDefault) {
    const char* const toml = "[log]\nlevel = \"debug\"\n[server]\nthreads = 2\n";
    EXPECT_EQ(load(toml).config.log.level, logging::Level::debug);
    const Environment environment{
        {"STAMPEDE_LOG__LEVEL", "warn"}, {"STAMPEDE_SERVER__THREADS", "3"}};
    EXPECT_EQ(load(toml, {}, environment).config.log.level, logging::Level::warn);
    EXPECT_EQ(load(toml, {}, environment).config.transport.threads, 3U);
    Flags flags;
    flags.log_level = "error";
    flags.threads = 4;
    EXPECT_EQ(load(toml, flags, environment).config.log.level, logging::Level::error);
    EXPECT_EQ(load(toml, flags, environment).config.transport.threads, 4U);
}

TEST(Config, FlagsReachTheirFields) {
    Flags flags;
    flags.ports_file = "/run/ports";
    flags.http_dir = "/srv/www";
    flags.test_echo = "/echo";
    flags.admin = "off";
    flags.strict = true;
    const LoadedConfig loaded = load("", flags);
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    EXPECT_EQ(loaded.config.ports_file, "/run/ports");
    EXPECT_EQ(loaded.config.transport.http_dir, "/srv/www");
    EXPECT_EQ(loaded.config.transport.test_echo_path, "/echo");
    EXPECT_FALSE(loaded.config.admin.is_set());
    EXPECT_TRUE(loaded.config.limits.protocol.strict);
}

TEST(Config, TheFileIsNamedByFlagThenByEnvironment) {
    const TemporaryFile file("[server]\nthreads = 7\n");
    const auto getenv = [&file](const char* name) -> const char* {
        static std::string path;
        path = file.path();
        return std::string_view(name) == "STAMPEDE_CONFIG" ? path.c_str() : nullptr;
    };
    const LoadedConfig by_environment = load_config({}, getenv);
    EXPECT_EQ(by_environment.config.transport.threads, 7U);
    EXPECT_EQ(by_environment.file, file.path());
    const TemporaryFile other("[server]\nthreads = 6\n");
    Flags flags;
    flags.config = other.path();
    EXPECT_EQ(load_config(flags, getenv).config.transport.threads, 6U);
}

TEST(Config, AddressByFlagIsExactlyOneSocket) {
    Flags flags;
    flags.tcp = "[::1]:0";
    const LoadedConfig loaded = load("", flags);
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    ASSERT_EQ(loaded.config.listeners.size(), 2U);
    const transport::ListenerOptions& tcp = loaded.config.listeners[1];
    EXPECT_EQ(tcp.kind, ListenerKind::tcp);
    EXPECT_EQ(tcp.host, "::1");
    EXPECT_EQ(tcp.port, 0);
    EXPECT_FALSE(tcp.also_ipv6_loopback);
    EXPECT_TRUE(loaded.config.listeners[0].also_ipv6_loopback);
}

TEST(Config, OffRemovesTheListenersOfAKind) {
    Flags flags;
    flags.ws = "off";
    const LoadedConfig loaded = load("[server]\ntcp = \"127.0.0.1:7\"\n", flags);
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    ASSERT_EQ(loaded.config.listeners.size(), 1U);
    EXPECT_EQ(loaded.config.listeners[0].port, 7);
    EXPECT_THAT(effective_config_text(loaded), HasSubstr("ws = \"off\""));
}

TEST(Config, ListenersOfTheFileReplaceTheDefaults) {
    const LoadedConfig loaded = load(
        "[[listener]]\nkind = \"ws\"\naddress = \"127.0.0.1:61614\"\npaths = [\"/stomp\"]\n"
        "[[listener]]\nkind = \"ws\"\naddress = \"127.0.0.2:61614\"\n"
    );
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    ASSERT_EQ(loaded.config.listeners.size(), 2U);
    EXPECT_EQ(loaded.config.listeners[0].port, 61614);
    EXPECT_THAT(loaded.config.listeners[0].paths, ElementsAre("/stomp"));
    EXPECT_FALSE(loaded.config.listeners[0].also_ipv6_loopback);
    EXPECT_EQ(loaded.config.listeners[1].host, "127.0.0.2");
}

TEST(Config, AddressByFlagKeepsPathsAndTlsOfTheFile) {
    Flags flags;
    flags.ws = "127.0.0.1:9000";
    const LoadedConfig loaded = load(
        "[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n"
        "[[listener]]\nkind = \"ws\"\naddress = \"127.0.0.1:1\"\ntls = true\npaths = [\"/a\"]\n"
        "[[listener]]\nkind = \"ws\"\naddress = \"127.0.0.1:2\"\n",
        flags
    );
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    ASSERT_EQ(loaded.config.listeners.size(), 1U);
    EXPECT_EQ(loaded.config.listeners[0].port, 9000);
    EXPECT_EQ(loaded.config.listeners[0].tls.pairs.at(0).certificate_file, "c.pem");
    EXPECT_EQ(loaded.config.listeners[0].tls.pairs.at(0).key_file, "k.pem");
    EXPECT_THAT(loaded.config.listeners[0].paths, ElementsAre("/a"));
}

TEST(Config, S_BIND_03_RefusesPublicListenerWithoutAuthenticationAndTls) {
    for (const char* const address : {"0.0.0.0:61613", "[::]:61613", "10.0.0.1:1", "*:1"}) {
        Flags flags;
        flags.tcp = address;
        const LoadedConfig loaded = load("", flags);
        ASSERT_EQ(loaded.errors.size(), 2U) << errors_of(loaded);
        EXPECT_EQ(loaded.errors[0].source, "--tcp");
        EXPECT_THAT(loaded.errors[0].message, HasSubstr("--insecure-no-auth"));
        EXPECT_THAT(loaded.errors[1].message, HasSubstr("--insecure-no-tls"));
    }
}

TEST(Config, S_BIND_03_EachFlagAllowsItsPartOnlyAndWarns) {
    Flags flags;
    flags.ws = "0.0.0.0:0";
    flags.insecure_no_auth = true;
    EXPECT_EQ(load("", flags).errors.size(), 1U);
    flags.insecure_no_tls = true;
    const LoadedConfig loaded = load("", flags);
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    EXPECT_TRUE(loaded.config.transport.insecure_no_auth);
    ASSERT_EQ(loaded.warnings.size(), 2U);
    EXPECT_THAT(loaded.warnings[0], HasSubstr("--insecure-no-auth"));
    EXPECT_THAT(loaded.warnings[0], HasSubstr("0.0.0.0:0"));
    EXPECT_THAT(loaded.warnings[1], HasSubstr("--insecure-no-tls"));
    flags.insecure_no_auth = false;
    EXPECT_EQ(load("", flags).errors.size(), 1U);
}

TEST(Config, S_BIND_03_TlsSatisfiesItsPart) {
    Flags flags;
    flags.insecure_no_auth = true;
    const LoadedConfig loaded = load(
        "[[listener]]\nkind = \"tcp\"\naddress = \"0.0.0.0:61614\"\n"
        "tls_certificate = \"c.pem\"\ntls_key = \"k.pem\"\n",
        flags
    );
    EXPECT_TRUE(loaded.ok()) << errors_of(loaded);
}

TEST(Config, S_BIND_03_ATrustedProxyMayEndTls) {
    Flags flags;
    flags.insecure_no_auth = true;
    flags.ws = "0.0.0.0:15674";
    EXPECT_EQ(load("", flags).errors.size(), 1U);
    const LoadedConfig loaded = load("[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n", flags);
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    const auto find = [&](ListenerKind kind) {
        return *std::ranges::find(loaded.config.listeners, kind, &transport::ListenerOptions::kind);
    };
    EXPECT_TRUE(find(ListenerKind::web_socket).trusted_proxies.contains("10.1.2.3"));
    EXPECT_TRUE(find(ListenerKind::tcp).trusted_proxies.contains("10.1.2.3"));
    EXPECT_FALSE(find(ListenerKind::tcp).trusted_proxies.contains("11.1.2.3"));
}

TEST(Config, S_BIND_03_AListenerWithoutProxiesOfItsOwnNeedsTls) {
    Flags flags;
    flags.insecure_no_auth = true;
    const LoadedConfig loaded = load(
        "[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n"
        "[[listener]]\nkind = \"ws\"\naddress = \"0.0.0.0:1\"\ntrusted_proxies = []\n",
        flags
    );
    ASSERT_EQ(loaded.errors.size(), 1U) << errors_of(loaded);
    EXPECT_THAT(loaded.errors[0].message, HasSubstr("trusted_proxies"));
}

TEST(Config, S_BIND_04_AllowAnonymousIsAKey) {
    EXPECT_TRUE(load("").config.allow_anonymous);
    EXPECT_FALSE(load("[server]\nallow_anonymous = false\n").config.allow_anonymous);
}

TEST(Config, S_WEB_01_ListenersInheritOrOverride) {
    const LoadedConfig loaded = load(
        "[server]\nallowed_origins = [\"https://a.example\"]\nallow_missing_origin = false\n"
        "external_hosts = [\"broker.example\"]\n"
        "[[listener]]\nkind = \"ws\"\naddress = \"127.0.0.1:1\"\n"
        "[[listener]]\nkind = \"ws\"\naddress = \"127.0.0.1:2\"\n"
        "allowed_origins = [\"https://b.example\"]\nallow_missing_origin = true\n"
        "allow_loopback_origins = false\nexternal_hosts = []\n"
    );
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    const transport::WebPolicy& heir = loaded.config.listeners.at(0).web;
    const transport::WebPolicy& own = loaded.config.listeners.at(1).web;
    const auto a = transport::parse_origin("https://a.example");
    const auto b = transport::parse_origin("https://b.example");
    EXPECT_TRUE(heir.allowed_origins.contains(*a));
    EXPECT_FALSE(own.allowed_origins.contains(*a));
    EXPECT_TRUE(own.allowed_origins.contains(*b));
    EXPECT_FALSE(heir.allow_missing_origin);
    EXPECT_TRUE(own.allow_missing_origin);
    EXPECT_TRUE(heir.allow_loopback_origins);
    EXPECT_FALSE(own.allow_loopback_origins);
    EXPECT_TRUE(heir.external_hosts.contains("broker.example"));
    EXPECT_TRUE(own.external_hosts.empty());
}

TEST(Config, S_BIND_03_HoldsForTheAdminListener) {
    Flags flags;
    flags.admin = "0.0.0.0:15680";
    EXPECT_EQ(load("", flags).errors.size(), 2U);
    flags.insecure_no_auth = true;
    flags.insecure_no_tls = true;
    EXPECT_TRUE(load("", flags).ok());
}

TEST(Config, S_BIND_03_TheFlagsAreNotKeys) {
    EXPECT_FALSE(load("[server]\ninsecure_no_auth = true\n").ok());
    Flags flags;
    flags.tcp = "0.0.0.0:1";
    const LoadedConfig loaded = load("", flags, {{"STAMPEDE_SERVER__INSECURE_NO_AUTH", "true"}});
    EXPECT_EQ(loaded.errors.size(), 2U);
}

TEST(Config, S_BIND_03_RefusesTestEchoWithAPublicAddress) {
    Flags flags;
    flags.ws = "0.0.0.0:0";
    flags.insecure_no_auth = true;
    flags.insecure_no_tls = true;
    flags.test_echo = "/echo";
    const LoadedConfig loaded = load("", flags);
    ASSERT_EQ(loaded.errors.size(), 1U) << errors_of(loaded);
    EXPECT_THAT(loaded.errors[0].message, HasSubstr("--test-echo"));
}

TEST(Config, PoliciesAreOrderedByPriorityThenBySpecificity) {
    const LoadedConfig loaded = load(
        "[[policy]]\nmatch = \"/topic/**\"\nslow_consumer = \"drop-oldest\"\n"
        "[[policy]]\nmatch = \"/topic/a/*\"\nslow_consumer = \"drop-newest\"\n"
        "[[policy]]\nmatch = \"/topic/a/b\"\nslow_consumer = \"conflate\"\nconflate_key = \"k\"\n"
        "[[policy]]\nmatch = \"/topic/z/**\"\npriority = 1\n"
    );
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    std::vector<std::string> order;
    for (const engine::Policy& policy : loaded.config.policies) {
        order.push_back(policy.match);
    }
    EXPECT_THAT(order, ElementsAre("/topic/z/**", "/topic/a/b", "/topic/a/*", "/topic/**"));
    const LoadedConfig parts = load(
        "[[policy]]\nmatch = \"/queue/*\"\n[[policy]]\nmatch = \"/queue/*-user*\"\n"
        "[[policy]]\nmatch = \"/queue/a\"\n"
    );
    ASSERT_TRUE(parts.ok()) << errors_of(parts);
    EXPECT_EQ(parts.config.policies[0].match, "/queue/a");
    EXPECT_EQ(parts.config.policies[1].match, "/queue/*-user*");
    EXPECT_EQ(loaded.config.policies[1].slow_consumer.action, engine::SlowConsumerAction::conflate);
    EXPECT_EQ(loaded.config.policies[1].slow_consumer.conflate_key, "k");
}

TEST(Config, PoliciesOfQueuesSayWhetherTheyAreDurable) {
    const LoadedConfig loaded = load(
        "[[policy]]\nmatch = \"/queue/**\"\ndurable = true\n"
        "[[policy]]\nmatch = \"/queue/cache.*\"\ndurable = false\n"
        "[[policy]]\nmatch = \"/queue/cache.a\"\n"
    );
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    ASSERT_EQ(loaded.config.policies.size(), 3U);
    EXPECT_EQ(loaded.config.policies[0].match, "/queue/cache.a");
    EXPECT_EQ(loaded.config.policies[0].durable, std::nullopt);
    EXPECT_EQ(loaded.config.policies[1].durable, false);
    EXPECT_EQ(loaded.config.policies[2].durable, true);
    EXPECT_THAT(effective_config_text(loaded), HasSubstr("durable = \"default\""));
    EXPECT_TRUE(load(effective_config_text(loaded)).ok());
}

TEST(Config, KeysOfPoliciesReachTheirFields) {
    const LoadedConfig loaded = load(
        "[storage]\ndirectory = \"/srv/a\"\n"
        "[[policy]]\nmatch = \"/queue/a\"\ndurable = true\nmessage_ttl = \"10m\"\nidle_life = "
        "\"5m\"\n"
        "max_messages = 7\nmax_bytes = \"2MiB\"\noverflow = \"drop-head\"\nmax_priority = 9\n"
        "dead_letter = \"/topic/dead\"\ndead_letter_expired = true\ndead_letter_overflow = true\n"
        "deliveries = 3\nredelivery_delay = \"1s\"\nredelivery_multiplier = 2\n"
        "redelivery_delay_max = \"1m\"\nauto_delete = true\nsingle_active_consumer = true\n"
        "[[policy]]\nmatch = \"/topic/a\"\ndurable = false\nhistory_messages = 5\n"
        "history_bytes = \"64KiB\"\nhistory_age = \"1h\"\n"
    );
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    EXPECT_TRUE(loaded.warnings.empty());
    const engine::Policy& policy = loaded.config.policies.at(0);
    EXPECT_EQ(policy.durable, true);
    engine::QueuePolicy queue;
    queue.message_ttl = std::chrono::minutes(10);
    queue.idle_life = std::chrono::minutes(5);
    queue.messages_max = 7;
    queue.bytes_max = 2 * 1024 * 1024;
    queue.overflow = engine::Overflow::drop_head;
    queue.priority_max = 9;
    queue.dead_letter = "/topic/dead";
    queue.dead_letters_expired = true;
    queue.dead_letters_overflow = true;
    queue.delivery_limit = 3;
    queue.redelivery = {std::chrono::seconds(1), 2, std::chrono::minutes(1)};
    queue.auto_delete = true;
    queue.is_single_active = true;
    EXPECT_EQ(policy.queue, queue);
    const engine::Policy& topic = loaded.config.policies.at(1);
    EXPECT_EQ(topic.durable, false);
    EXPECT_EQ(topic.history, (engine::HistoryPolicy{5, 64 * 1024, std::chrono::hours(1)}));
    const LoadedConfig again = load(effective_config_text(loaded));
    ASSERT_TRUE(again.ok()) << errors_of(again);
    EXPECT_EQ(again.config.policies.at(0).queue, queue);
    EXPECT_EQ(again.config.policies.at(1).history, topic.history);
}

TEST(Config, WordsOfPoliciesStandForNothing) {
    const LoadedConfig loaded = load(
        "[[policy]]\nmatch = \"/queue/a\"\nlast_value = true\ndead_letter = \"none\"\n"
        "deliveries = \"unlimited\"\nmessage_ttl = \"default\"\nredelivery_delay_max = \"none\"\n"
    );
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    const engine::QueuePolicy& queue = loaded.config.policies.at(0).queue;
    EXPECT_TRUE(queue.is_last_value);
    EXPECT_EQ(queue.dead_letter, "");
    EXPECT_EQ(queue.delivery_limit, 0U);
    EXPECT_EQ(queue.message_ttl, std::nullopt);
    EXPECT_EQ(queue.redelivery, engine::RedeliveryPolicy{});
    const std::string text = effective_config_text(loaded);
    EXPECT_THAT(text, HasSubstr("dead_letter = \"none\""));
    EXPECT_THAT(text, HasSubstr("deliveries = \"unlimited\""));
    EXPECT_EQ(load(text).config.policies.at(0).queue, queue);
}

TEST(Config, ADurablePolicyWithoutStoreIsNotSilent) {
    const char* const toml = "[[policy]]\nmatch = \"/queue/a\"\ndurable = true\n";
    const LoadedConfig loaded = load(toml);
    ASSERT_EQ(loaded.warnings.size(), 1U);
    EXPECT_THAT(loaded.warnings[0], HasSubstr(":3: policy[0].durable: true, but without a store"));
    Flags flags;
    flags.data = "/srv/a";
    EXPECT_TRUE(load(toml, flags).warnings.empty());
}

/// An environment variable of this process, for the life of a test.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }

    ~Variable() { ::unsetenv(name_); }

    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
};

TEST(Config, S_SEC_02_FilesMayBeCredentialsOfTheService) {
    const Variable directory("CREDENTIALS_DIRECTORY", "/run/credentials/stampede.service");
    const LoadedConfig loaded = load("[auth]\nusers_file = \"credential:users\"\n");
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    EXPECT_EQ(loaded.config.auth.users_file, "/run/credentials/stampede.service/users");
    for (const char* bad : {"credential:", "credential:..", "credential:../../etc/passwd"}) {
        const auto refused = load(fmt::format("[auth]\nusers_file = \"{}\"\n", bad));
        EXPECT_THAT(errors_of(refused), HasSubstr("names no credential")) << bad;
    }
}

TEST(Config, S_SEC_02_QueriesOfUrlsAreNotPrinted) {
    const LoadedConfig loaded = load("[hook]\nurl = \"https://id.example/a?key=canary\"\n");
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    EXPECT_EQ(loaded.config.auth.hook.url, "https://id.example/a?key=canary");
    EXPECT_THAT(effective_config_text(loaded), HasSubstr("url = \"https://id.example/a?***\""));
    EXPECT_THAT(effective_config_text(loaded), testing::Not(HasSubstr("canary")));
}

TEST(Config, S_SEC_02_CredentialsWithoutServiceSayWhatIsMissing) {
    const LoadedConfig loaded = load("[admin]\ntoken_file = \"credential:token\"\n");
    EXPECT_THAT(errors_of(loaded), HasSubstr("CREDENTIALS_DIRECTORY is not set"));
    EXPECT_THAT(errors_of(loaded), HasSubstr("LoadCredential=token:FILE"));
}

TEST(Config, StorageIsOffByDefault) {
    const LoadedConfig loaded = load("");
    EXPECT_TRUE(loaded.config.storage.directory.empty());
    EXPECT_EQ(loaded.config.storage.durability, Durability::sync);
    EXPECT_EQ(loaded.config.storage.disk_floor, DiskFloor{});
    EXPECT_EQ(loaded.config.storage.on_failure, OnFailure::exit);
    EXPECT_EQ(loaded.config.limits.queue_memory_bytes, 8U * 1024 * 1024);
    EXPECT_FALSE(loaded.config.limits.early_delivery);
}

TEST(Config, StorageKeysReachTheirFields) {
    const LoadedConfig loaded = load(
        "[storage]\ndirectory = \"/srv/a\"\ndurability = \"relaxed\"\nrelaxed_interval = \"1s\"\n"
        "commit_delay = \"2ms\"\ndisk_floor = \"64MiB\"\nqueue_memory = \"64KiB\"\n"
        "early_delivery = true\nallow_unsafe_filesystem = true\non_failure = \"serve-memory\"\n"
        "ready_requires_disk = true\n"
    );
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    const StorageOptions& storage = loaded.config.storage;
    EXPECT_EQ(storage.directory, "/srv/a");
    EXPECT_EQ(storage.durability, Durability::relaxed);
    EXPECT_EQ(storage.relaxed_interval, std::chrono::seconds(1));
    EXPECT_EQ(storage.commit_delay, std::chrono::milliseconds(2));
    EXPECT_EQ(storage.disk_floor, (DiskFloor{64 * 1024 * 1024, 0}));
    EXPECT_TRUE(storage.allow_unsafe_filesystem);
    EXPECT_EQ(storage.on_failure, OnFailure::serve_memory);
    EXPECT_TRUE(storage.ready_requires_disk);
    EXPECT_EQ(loaded.config.limits.queue_memory_bytes, 64U * 1024);
    EXPECT_TRUE(loaded.config.limits.early_delivery);
    EXPECT_TRUE(loaded.warnings.empty());
}

TEST(Config, D_FULL_01_TheFloorMayBeAShare) {
    const LoadedConfig loaded = load("[storage]\ndisk_floor = \"7%\"\n");
    ASSERT_TRUE(loaded.ok()) << errors_of(loaded);
    EXPECT_EQ(loaded.config.storage.disk_floor, (DiskFloor{0, 7}));
    EXPECT_THAT(effective_config_text(loaded), HasSubstr("disk_floor = \"7%\""));
    EXPECT_EQ(load("[storage]\ndisk_floor = \"auto\"\n").config.storage.disk_floor, DiskFloor{});
}

TEST(Config, TheDirectoryByFlagWins) {
    const Environment environment{{"STAMPEDE_STORAGE__DIRECTORY", "/srv/b"}};
    const char* const toml = "[storage]\ndirectory = \"/srv/a\"\n";
    EXPECT_EQ(load(toml, {}, environment).config.storage.directory, "/srv/b");
    Flags flags;
    flags.data = "/srv/c";
    const LoadedConfig loaded = load(toml, flags, environment);
    EXPECT_EQ(loaded.config.storage.directory, "/srv/c");
    EXPECT_THAT(effective_config_text(loaded), HasSubstr("directory = \"/srv/c\"  # --data\n"));
}

TEST(Config, AWeakStoreIsNeverSilent) {
    Flags flags;
    flags.data = "/srv/a";
    const LoadedConfig memory = load("[storage]\ndurability = \"memory\"\n", flags);
    ASSERT_EQ(memory.warnings.size(), 1U);
    EXPECT_THAT(memory.warnings[0], HasSubstr("\"/srv/a\" is not opened"));
    flags.accept_data_loss = true;
    const LoadedConfig accepting = load("", flags);
    EXPECT_TRUE(accepting.config.storage.accept_data_loss);
    ASSERT_EQ(accepting.warnings.size(), 1U);
    EXPECT_THAT(accepting.warnings[0], HasSubstr("--accept-data-loss"));
}

TEST(Config, WordsStandForZero) {
    const LoadedConfig loaded = load(
        "[limits]\nconnections_per_ip = \"unlimited\"\nconnections = \"auto\"\n"
        "[server]\nthreads = \"auto\"\n[admin]\naddress = \"off\"\n"
    );
    EXPECT_TRUE(loaded.ok()) << errors_of(loaded);
    EXPECT_EQ(loaded.config.transport.connections_per_ip_max, 0U);
}

// Every key of default-config with its sign of a comment taken away, repeated sections included.
std::string uncommented(std::string text) {
    for (std::size_t at = 0; (at = text.find("\n#", at)) != std::string::npos;) {
        ++at;
        if (text.at(at + 1) != ' ') { text.erase(at, 1); }
    }
    return text;
}

std::string without_origins(const LoadedConfig& loaded) {
    std::string all;
    for (const EffectiveValue& value : loaded.values) {
        const bool is_repeated = value.key.find('[') != std::string::npos;
        if (!is_repeated) { all += value.key + " = " + value.value + "\n"; }
    }
    return all;
}

TEST(Config, DefaultConfigIsTheDefault) {
    const LoadedConfig as_printed = load(default_config_text());
    EXPECT_TRUE(as_printed.ok()) << errors_of(as_printed);
    EXPECT_EQ(without_origins(as_printed), without_origins(load("")));
    // Further pairs need a first one.
    const Environment pair{
        {"STAMPEDE_TLS__CERTIFICATE", "/a.pem"}, {"STAMPEDE_TLS__KEY", "/a.key"}};
    const LoadedConfig in_full = load(uncommented(default_config_text()), {}, pair);
    EXPECT_TRUE(in_full.ok()) << errors_of(in_full);
    EXPECT_EQ(without_origins(in_full), without_origins(load("", {}, pair)));
    EXPECT_EQ(in_full.config.policies.size(), 1U);
}

TEST(Config, S_RATE_01_AReloadTakesAllLimitsAndNothingElse) {
    Config running = load("[server]\nnack_requeues = false\n").config;
    const char* const limits =
        "[limits]\nframe = \"2KiB\"\nconnections_per_ip = 7\nsubscriptions = 5\nmemory = \"1GiB\"\n"
        "outbound_stall = \"3s\"\nexempt = [\"10.0.0.0/8\"]\n[heartbeat]\ncap = \"20s\"\n";
    take_limits(running, load(limits).config);
    EXPECT_EQ(running.limits.protocol.frame_bytes_max, 2048U);
    EXPECT_EQ(running.limits.subscriptions_max, 5U);
    EXPECT_EQ(running.limits.outbound_stall, std::chrono::seconds(3));
    EXPECT_EQ(running.limits.heart_beat.cap_ms, 20'000U);
    EXPECT_EQ(running.transport.connections_per_ip_max, 7U);
    EXPECT_EQ(running.transport.memory_limit, 1U << 30U);
    EXPECT_TRUE(running.transport.exempt.contains("10.1.2.3"));
    EXPECT_FALSE(running.limits.nack_requeues);
}

TEST(Config, S_BIND_05_AReloadNamesWhatNeedsARestart) {
    const auto keys = [](const char* running, const char* fresh) {
        return keys_for_restart(load(running).values, load(fresh).values);
    };
    EXPECT_THAT(
        keys("", "[limits]\nframe = \"2KiB\"\n[log]\nlevel = \"warn\"\n"), testing::IsEmpty()
    );
    EXPECT_THAT(
        keys("[server]\ntcp = \"off\"\n", "[drain]\nspread = \"1s\"\n"),
        testing::ElementsAre("drain.spread", "listener[1]", "server.tcp")
    );
    EXPECT_THAT(
        keys("", "[[policy]]\nmatch = \"/queue/a\"\nmax_messages = 5\n"),
        testing::ElementsAre("policy[0]")
    );
}

TEST(Config, O_2_WhatAReloadTakesOverIsShownThen) {
    const char* const running = "[limits]\nframe = \"2KiB\"\n[drain]\nspread = \"1s\"\n";
    const char* const fresh = "[limits]\nframe = \"4KiB\"\n[drain]\nspread = \"2s\"\n";
    const auto values = values_after_reload(load(running).values, load(fresh).values);
    const auto value_of = [&values](std::string_view key) {
        const auto found = std::ranges::find(values, key, &EffectiveValue::key);
        return found == values.end() ? "missing" : found->value;
    };
    EXPECT_EQ(value_of("limits.frame"), "\"4KiB\"");
    EXPECT_EQ(value_of("drain.spread"), "\"1s\"");
    EXPECT_EQ(values.size(), load(running).values.size());
}

TEST(Config, PrintConfigTellsWhereEachValueComesFrom) {
    Flags flags;
    flags.threads = 2;
    const LoadedConfig loaded =
        load("[limits]\n\nframe = \"2MiB\"\n", flags, {{"STAMPEDE_LOG__LEVEL", "debug"}});
    const std::string text = effective_config_text(loaded);
    EXPECT_THAT(text, HasSubstr("frame = \"2MiB\"  # " + loaded.file + ":3\n"));
    EXPECT_THAT(text, HasSubstr("threads = 2  # --threads\n"));
    EXPECT_THAT(text, HasSubstr("level = \"debug\"  # STAMPEDE_LOG__LEVEL\n"));
    EXPECT_THAT(text, HasSubstr("header_line = \"4KiB\"  # default\n"));
    EXPECT_THAT(text, HasSubstr("[[listener]]\nkind = \"ws\"  # default\n"));
}

TEST(Config, PrintedConfigurationLoadsAgain) {
    const LoadedConfig first =
        load("[[policy]]\nmatch = \"/topic/a\"\n[heartbeat]\ncap = \"30s\"\n");
    const LoadedConfig second = load(effective_config_text(first));
    EXPECT_TRUE(second.ok()) << errors_of(second);
    EXPECT_EQ(without_origins(second), without_origins(first));
    EXPECT_EQ(second.config.policies.size(), 1U);
    EXPECT_EQ(second.config.listeners.size(), 2U);
}

TEST(Config, TheTableOfKeysHasARowForEach) {
    const std::string table = key_table_markdown();
    for (const Row<Config>& row : config_rows()) {
        EXPECT_THAT(table, HasSubstr("| `" + row.key.full_name() + "` |"));
        EXPECT_THAT(table, HasSubstr("`" + row.key.environment_name() + "`"));
    }
    EXPECT_THAT(table, HasSubstr("| `limits.frame` | `\"1MiB\"` | 256B to 64MiB | "));
}

}  // namespace
}  // namespace server
