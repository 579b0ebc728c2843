// Puts the settings of one name together as the engine does, and finds where each comes from.
// A policy's key counts as its source if the key was written with a value of its own.
#include "broker/server/config_explain.hpp"

#include "broker/engine/queue_settings.hpp"
#include "broker/server/config_units.hpp"
#include "broker/server/config_value.hpp"
#include "protocol/destination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace server {

namespace {

using protocol::Destination;
using protocol::DestinationKind;

constexpr std::string_view dead_letter_prefix = "/queue/DLQ.";

std::string text(bool value) {
    return value ? "true" : "false";
}

std::string text(std::chrono::milliseconds value) {
    return quote(format_duration(value));
}

std::string count(std::uint64_t value, std::string_view instead_of_zero = "0") {
    return value == 0 ? std::string(instead_of_zero) : std::to_string(value);
}

std::string size(std::uint64_t octets, std::string_view instead_of_zero = "0") {
    return octets == 0 ? std::string(instead_of_zero) : quote(format_size(octets));
}

std::string text(engine::SlowConsumerAction action) {
    switch (action) {
        case engine::SlowConsumerAction::disconnect:
            return quote("disconnect");
        case engine::SlowConsumerAction::drop_oldest:
            return quote("drop-oldest");
        case engine::SlowConsumerAction::drop_newest:
            return quote("drop-newest");
        case engine::SlowConsumerAction::conflate:
            return quote("conflate");
    }
    return {};
}

std::string text(engine::Overflow overflow) {
    switch (overflow) {
        case engine::Overflow::reject:
            return quote("reject");
        case engine::Overflow::drop_head:
            return quote("drop-head");
        case engine::Overflow::block:
            return quote("block");
    }
    return {};
}

std::string why_not(const PolicyPlace& loser, const PolicyPlace& winner) {
    if (loser.priority != winner.priority) {
        return fmt::format(
            "its priority is {}, that of {} is {}", loser.priority, winner.name, winner.priority
        );
    }
    if (loser.generality != winner.generality) {
        return fmt::format("the pattern of {} is more specific", winner.name);
    }
    return fmt::format("{} is as good and comes first", winner.name);
}

class Explainer {
public:
    Explainer(const LoadedConfig& loaded, std::string_view name, const Destination& destination)
        : loaded_(loaded), config_(loaded.config), destination_(destination) {
        explanation_.name = std::string(name);
        explanation_.canonical = destination.canonical();
        explanation_.is_queue = destination.kind == DestinationKind::queue;
    }

    Explanation run() {
        find_policies();
        if (explanation_.is_queue) {
            explain_queue();
        } else {
            explain_topic();
        }
        return std::move(explanation_);
    }

private:
    void find_policies() {
        for (std::size_t i = 0; i < config_.policies.size(); ++i) {
            const engine::Policy& policy = config_.policies[i];
            const bool is_match =
                engine::find_policy({policy}, destination_, config_.limits.protocol) != nullptr;
            if (!is_match) { continue; }
            const PolicyPlace& place = loaded_.policy_places.at(i);
            const bool is_first = policy_ == nullptr;
            if (is_first) {
                policy_ = &policy;
                place_ = &place;
            }
            explanation_.policies.push_back(
                {place.name,
                 policy.match,
                 place.origin,
                 is_first ? std::string() : why_not(place, *place_)}
            );
        }
    }

    /// Where the policy that counts says something about `key`, or nothing.
    [[nodiscard]] std::optional<std::string> said_at(std::string_view key) const {
        if (place_ == nullptr) { return std::nullopt; }
        const auto found = std::ranges::find_if(place_->settings, [key](const auto& setting) {
            return setting.key == key;
        });
        if (found == place_->settings.end()) { return std::nullopt; }
        return fmt::format("{} {} ({})", place_->name, quote(policy_->match), found->origin);
    }

    /// A key of [limits] and where it was set.
    [[nodiscard]] std::string limit(std::string_view key) const {
        const auto found = std::ranges::find_if(loaded_.values, [key](const auto& value) {
            return value.key == key;
        });
        const std::string origin = found == loaded_.values.end() ? "default" : found->origin;
        return fmt::format("{} ({})", key, origin);
    }

    void add(
        std::string_view key,
        std::string value,
        std::string_view argument = {},
        std::string otherwise = "default"
    ) {
        const auto policy = said_at(key);
        explanation_.settings.push_back(
            {std::string(key),
             std::move(value),
             policy ? *policy : std::move(otherwise),
             policy ? std::string() : std::string(argument)}
        );
    }

    [[nodiscard]] bool has_store() const {
        return !config_.storage.directory.empty() &&
               config_.storage.durability != Durability::memory;
    }

    void explain_queue() {
        settings_ = engine::queue_settings(
            explanation_.canonical, config_.limits, policy_, {}, has_store()
        );
        explain_life();
        explain_bounds();
        explain_dead_letters();
        add("redelivery_delay", text(settings_.redelivery.delay));
        add("redelivery_multiplier", count(settings_.redelivery.multiplier));
        const auto delay_max = settings_.redelivery.delay_max;
        add("redelivery_delay_max", delay_max.count() == 0 ? "none" : text(delay_max));
        add("max_priority",
            count(static_cast<std::uint64_t>(settings_.priority_max), "none"),
            "x-max-priority");
        add("single_active_consumer", text(settings_.is_single_active), "activemq.exclusive");
        add("last_value", text(settings_.is_last_value));
    }

    void explain_life() {
        if (has_store()) {
            add("durable", text(settings_.is_durable), "durable", "default, with a store");
        } else {
            explanation_.settings.push_back({"durable", "false", "there is no store", ""});
        }
        add("message_ttl",
            settings_.message_ttl ? text(*settings_.message_ttl) : "none",
            "x-message-ttl");
        if (settings_.idle_life.count() != 0) {
            add("idle_life", text(settings_.idle_life));
        } else {
            add("idle_life",
                text(config_.limits.unused_destination_life) + " while empty",
                "x-expires",
                limit("limits.unused_destination_life"));
        }
        add("auto_delete", text(settings_.is_auto_delete), "auto-delete");
    }

    void explain_bounds() {
        // What is stored is bounded by the disk alone unless somebody says so.
        const std::string of = settings_.is_durable && !settings_.bounds_stored ? " in memory" : "";
        add("max_messages",
            count(settings_.messages_max) + of,
            "x-max-length",
            limit("limits.queue_messages"));
        add("max_bytes",
            size(settings_.bytes_max) + of,
            "x-max-length-bytes",
            limit("limits.queue_bytes"));
        const auto bounds =
            said_at("max_messages") ? said_at("max_messages") : said_at("max_bytes");
        add("overflow",
            text(settings_.overflow),
            bounds ? "" : "x-overflow",
            bounds ? "as " + *bounds + " sets a bound" : "default");
    }

    void explain_dead_letters() {
        const std::string& name = explanation_.canonical;
        if (name.starts_with(dead_letter_prefix)) {
            explanation_.settings.push_back(
                {"dead_letter", "none", "queues named DLQ.* have no dead letters", ""}
            );
            return;
        }
        const std::string own = std::string(dead_letter_prefix).append(destination_.key);
        const std::string target = settings_.dead_letter.value_or(own);
        add("dead_letter",
            target.empty() ? "none" : quote(target),
            "x-dead-letter-exchange, x-dead-letter-routing-key");
        const std::string_view argument = settings_.dead_letter ? "" : "x-dead-letter-*";
        add("dead_letter_expired", text(settings_.dead_letters_expired), argument);
        add("dead_letter_overflow", text(settings_.dead_letters_overflow), argument);
        add("deliveries",
            count(settings_.delivery_limit, "unlimited"),
            "",
            limit("limits.deliveries"));
    }

    void explain_topic() {
        static const engine::Policy none;
        const engine::Policy& policy = policy_ == nullptr ? none : *policy_;
        add("slow_consumer", text(policy.slow_consumer.action));
        const std::string& key = policy.slow_consumer.conflate_key;
        add("conflate_key", key.empty() ? "none" : quote(key));
        add("history_messages", count(policy.history.messages, "none"));
        add("history_bytes", size(policy.history.bytes, "none"));
        const auto age = policy.history.age;
        add("history_age", age.count() == 0 ? "none" : text(age));
        if (!policy.history.keeps()) { return; }
        if (has_store()) {
            add("durable", text(policy.durable.value_or(true)), "", "default, with a store");
        } else {
            explanation_.settings.push_back({"durable", "false", "there is no store", ""});
        }
    }

    const LoadedConfig& loaded_;
    const Config& config_;
    const Destination& destination_;
    const engine::Policy* policy_ = nullptr;  ///< The one that counts.
    const PolicyPlace* place_ = nullptr;
    engine::QueueSettings settings_;
    Explanation explanation_;
};

}  // namespace

protocol::Result<Explanation> explain(const LoadedConfig& loaded, std::string_view name) {
    const auto destination = protocol::parse_destination(name, loaded.config.limits.protocol);
    if (!destination) { return destination.error(); }
    const bool has_policies =
        destination->kind == DestinationKind::queue || destination->kind == DestinationKind::topic;
    if (!has_policies) {
        return protocol::Error{
            protocol::ErrorCode::bad_destination,
            "Destination \"" + protocol::quoted(name) +
                "\" is temporary, a reply address or a user's: no policy applies to it.",
            "Name a queue or a topic."};
    }
    return Explainer(loaded, name, *destination).run();
}

std::string explanation_text(const Explanation& explanation) {
    std::string all = fmt::format(
        "{} is the {} {}\n",
        explanation.name,
        explanation.is_queue ? "queue" : "topic",
        explanation.canonical
    );
    for (const ExplainedPolicy& policy : explanation.policies) {
        all += fmt::format(
            "  {} {} ({}): {}\n",
            policy.name,
            quote(policy.match),
            policy.origin,
            policy.why_not.empty() ? "counts" : "matches, but does not count: " + policy.why_not
        );
    }
    if (explanation.policies.empty()) { all += "  no policy matches\n"; }
    std::size_t width = 0;
    for (const ExplainedSetting& setting : explanation.settings) {
        width = std::max(width, setting.value.size());
    }
    for (const ExplainedSetting& setting : explanation.settings) {
        const std::string argument =
            setting.argument.empty() ? "" : "; a client may set " + setting.argument;
        all += fmt::format(
            "  {:<22}  {:<{}}  {}{}\n", setting.key, setting.value, width, setting.why, argument
        );
    }
    if (!explanation.is_queue) { return all; }
    return all +
           "  What the client that makes the queue says is not known here: it can set what no "
           "policy sets.\n";
}

}  // namespace server
