// What is printed about keys: default-config, print-config and the manual's table.
// All of it from the tables of keys.
#include "broker/server/config_keys.hpp"

#include <fmt/format.h>

namespace server {

namespace {

std::string describe(const Key& key) {
    const std::string range = format_range(key);
    return range.empty() ? std::string(key.summary) : fmt::format("{} [{}]", key.summary, range);
}

template <class Owner>
void append_key(std::string& text, const Row<Owner>& row, Owner& defaults) {
    text += fmt::format(
        "# {}\n#{} = {}\n",
        describe(row.key),
        row.key.name,
        format_value(row.key, row.target(defaults))
    );
}

template <class Owner>
void append_repeated(std::string& text, std::span<const Row<Owner>> rows, Owner example) {
    text += fmt::format("\n#[[{}]]\n", rows.front().key.section);
    for (const Row<Owner>& row : rows) {
        append_key(text, row, example);
    }
}

ListenerDraft example_listener() {
    ListenerDraft listener;
    listener.kind = transport::ListenerKind::web_socket;
    listener.address = {"127.0.0.1", 61614};
    return listener;
}

PolicyDraft example_policy() {
    PolicyDraft draft;
    draft.policy.match = "/topic/prices.**";
    draft.policy.slow_consumer = {engine::SlowConsumerAction::conflate, "symbol"};
    return draft;
}

AclDraft example_access_rule() {
    return {{{"role:editors"}, {"publish", "subscribe"}, {}, {"/topic/news.#"}}};
}

tls::PairFiles example_pair() {
    return {"/etc/stampede/other.pem", "/etc/stampede/other-key.pem"};
}

security::CertificateUser example_certificate() {
    return {"uri:spiffe://example.org/orders", "orders", {"services"}};
}

// `limits` of `limits.frame`, `listener[0]` of `listener[0].kind`.
std::string_view section_of(std::string_view key) {
    return key.substr(0, key.rfind('.'));
}

std::string heading(std::string_view section) {
    const std::size_t bracket = section.find('[');
    if (bracket == std::string_view::npos) { return fmt::format("[{}]", section); }
    return fmt::format("[[{}]]", section.substr(0, bracket));
}

template <class Owner>
void describe_all(
    std::vector<KeyDescription>& all,
    std::span<const Row<Owner>> rows,
    Owner defaults,
    bool has_variables
) {
    for (const Row<Owner>& row : rows) {
        all.push_back(
            {row.key.full_name(),
             format_value(row.key, row.target(defaults)),
             format_range(row.key),
             has_variables ? row.key.environment_name() : "",
             std::string(row.key.summary)}
        );
    }
}

}  // namespace

std::string default_config_text() {
    std::string text =
        "# Every key of Stampede with its default. A flag wins over the environment\n"
        "# (STAMPEDE_SECTION__KEY), the environment over this file, this file over the default.\n";
    Config defaults = default_config();
    std::string_view section;
    for (const Row<Config>& row : config_rows()) {
        if (row.key.section != section) { text += fmt::format("\n[{}]\n", row.key.section); }
        section = row.key.section;
        append_key(text, row, defaults);
    }
    text += "\n# Sockets; any such entry replaces the default listeners.\n";
    append_repeated(text, listener_rows(), example_listener());
    text += "\n# What happens to slow subscribers of a topic, and which queues are durable.\n";
    append_repeated(text, policy_rows(), example_policy());
    text += "\n# Who may do what where. A rule either allows or denies; deny overrides.\n";
    append_repeated(text, acl_rows(), example_access_rule());
    text +=
        "\n# Further certificates for listeners with tls = true, chosen by the name asked for.\n";
    append_repeated(text, pair_rows(), example_pair());
    text += "\n# Which client certificate is which user.\n";
    append_repeated(text, certificate_rows(), example_certificate());
    return text;
}

std::string effective_config_text(const LoadedConfig& loaded) {
    std::string text;
    std::string_view section;
    for (const EffectiveValue& value : loaded.values) {
        const std::string_view own = section_of(value.key);
        if (own != section) {
            text += fmt::format("{}{}\n", text.empty() ? "" : "\n", heading(own));
        }
        section = own;
        text += fmt::format(
            "{} = {}  # {}\n", value.key.substr(own.size() + 1), value.value, value.origin
        );
    }
    return text;
}

std::string key_table_markdown() {
    std::string text = "| Key | Default | Range | Environment | Meaning |\n|---|---|---|---|---|\n";
    for (KeyDescription& key : key_descriptions()) {
        for (std::size_t at = 0; (at = key.range.find('|', at)) != std::string::npos; at += 2) {
            key.range.insert(at, 1, '\\');
        }
        text += fmt::format(
            "| `{}` | `{}` | {} | {} | {} |\n",
            key.name,
            key.default_value,
            key.range,
            key.environment.empty() ? "" : "`" + key.environment + "`",
            key.meaning
        );
    }
    return text;
}

std::vector<KeyDescription> key_descriptions() {
    std::vector<KeyDescription> all;
    describe_all(all, config_rows(), default_config(), true);
    describe_all(all, listener_rows(), ListenerDraft{}, false);
    describe_all(all, policy_rows(), PolicyDraft{}, false);
    describe_all(all, acl_rows(), AclDraft{}, false);
    describe_all(all, pair_rows(), tls::PairFiles{}, false);
    describe_all(all, certificate_rows(), security::CertificateUser{}, false);
    return all;
}

}  // namespace server
