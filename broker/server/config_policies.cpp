// Policies: what each may say of its kind of destination, and in which order they are asked.
// A key counts as written if its value differs from the default: printed configurations load again.
#include "broker/server/config_draft.hpp"
#include "broker/server/config_units.hpp"
#include "protocol/destination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace server {

namespace {

using protocol::DestinationKind;

constexpr std::array<std::string_view, 5> topic_keys{
    "slow_consumer", "conflate_key", "history_messages", "history_bytes", "history_age"};
constexpr std::array<std::string_view, 3> common_keys{"match", "priority", "durable"};

template <std::size_t N>
bool has(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

std::string value_in(const Row<PolicyDraft>& row, PolicyDraft policy) {
    return format_value(row.key, row.target(policy));
}

bool is_written(const Row<PolicyDraft>& row, const PolicyDraft& policy) {
    return value_in(row, policy) != value_in(row, PolicyDraft{});
}

bool is_header_name(std::string_view name) {
    return std::ranges::all_of(name, [](char letter) {
        return letter != ':' && static_cast<unsigned char>(letter) >= 0x20 && letter != 0x7F;
    });
}

class PolicyCheck {
public:
    PolicyCheck(Draft& draft, const Entry<PolicyDraft>& entry)
        : draft_(draft),
          entry_(entry),
          policy_(entry.value.policy),
          queue_(policy_.queue),
          limits_(draft.loaded.config.limits.protocol),
          pattern_(engine::parse_match(policy_.match, limits_)) {}

    void run() {
        check_match();
        check_kinds();
        check_slow_consumer();
        check_history();
        check_order();
        check_dead_letters();
        check_redelivery();
        warn_durable();
    }

private:
    void fail(std::string_view key, std::string message) {
        draft_.fail(place_of(key), full_name(key), std::move(message));
    }

    [[nodiscard]] std::string full_name(std::string_view key) const {
        return fmt::format("{}.{}", entry_.name, key);
    }

    /// Where the key was written, or else its policy.
    [[nodiscard]] Origin place_of(std::string_view key) const {
        const std::string name = full_name(key);
        return draft_.has(name) ? draft_.origin_of(name) : entry_.origin;
    }

    [[nodiscard]] bool is(DestinationKind kind) const {
        return pattern_ && pattern_->destination.kind == kind;
    }

    void check_match() {
        if (is(DestinationKind::topic) || is(DestinationKind::queue)) { return; }
        fail(
            "match",
            fmt::format(
                "{} is no topic, queue or pattern such as \"/topic/chat.**\" or \"/queue/jobs.*\"",
                quote(policy_.match)
            )
        );
    }

    // A policy is for topics or for queues, and says nothing that the other kind has not.
    void check_kinds() {
        for (const Row<PolicyDraft>& row : policy_rows()) {
            const std::string_view name = row.key.name;
            if (has(common_keys, name) || !is_written(row, entry_.value)) { continue; }
            const bool is_of_topics = has(topic_keys, name);
            const auto other = is_of_topics ? DestinationKind::queue : DestinationKind::topic;
            if (!is(other)) { continue; }
            fail(
                name,
                fmt::format(
                    "only {} have this, and {} stands for {}: write a policy of its own",
                    is_of_topics ? "topics" : "queues",
                    quote(policy_.match),
                    is_of_topics ? "queues" : "topics"
                )
            );
        }
    }

    void check_slow_consumer() {
        const engine::SlowConsumerPolicy& slow = policy_.slow_consumer;
        if ((slow.action == engine::SlowConsumerAction::conflate) == slow.conflate_key.empty()) {
            fail(
                "conflate_key",
                "slow_consumer = \"conflate\" and conflate_key, the header to conflate by, go "
                "together"
            );
        }
        if (!is_header_name(slow.conflate_key)) {
            fail("conflate_key", "this cannot be a header's name");
        }
    }

    void check_history() {
        if (!is(DestinationKind::topic) || !policy_.durable || policy_.history.keeps()) { return; }
        fail(
            "durable",
            "only queues and the history of topics can be durable: add history_messages, "
            "history_bytes or history_age"
        );
    }

    void check_order() {
        if (queue_.is_last_value && queue_.priority_max) {
            fail(
                "last_value",
                "last_value and max_priority do not go together: a message would have to replace "
                "one of another priority"
            );
        }
    }

    void check_dead_letters() {
        check_dead_letter_destination();
        const bool has_none = queue_.dead_letter && queue_.dead_letter->empty();
        for (const auto& [key, is_on] :
             {std::pair("dead_letter_expired", queue_.dead_letters_expired),
              std::pair("dead_letter_overflow", queue_.dead_letters_overflow)}) {
            if (has_none && is_on) {
                fail(key, "dead_letter = \"none\" leaves these messages nowhere to go");
            }
        }
        const bool is_bounded = queue_.messages_max || queue_.bytes_max;
        const bool drops =
            queue_.overflow ? *queue_.overflow == engine::Overflow::drop_head : !is_bounded;
        if (queue_.dead_letters_overflow && !drops) {
            fail(
                "dead_letter_overflow",
                "only overflow = \"drop-head\" drops messages: a queue that refuses or waits has "
                "none"
            );
        }
    }

    void check_dead_letter_destination() {
        if (!queue_.dead_letter || queue_.dead_letter->empty()) { return; }
        const auto destination = protocol::parse_destination(*queue_.dead_letter, limits_);
        if (!destination) {
            const protocol::Error error = destination.error();
            return fail("dead_letter", fmt::format("{} {}", error.what, error.remedy));
        }
        const bool is_kept = destination->kind == DestinationKind::queue ||
                             destination->kind == DestinationKind::topic;
        if (!is_kept) {
            fail(
                "dead_letter",
                fmt::format(
                    "{} is neither a queue nor a topic: give one, or \"none\"",
                    quote(*queue_.dead_letter)
                )
            );
        }
        if (is(DestinationKind::queue) && !pattern_->is_wildcard &&
            destination->canonical() == pattern_->destination.canonical()) {
            fail("dead_letter", "this is the queue itself: its dead letters would never leave it");
        }
    }

    void check_redelivery() {
        const engine::RedeliveryPolicy& redelivery = queue_.redelivery;
        if (redelivery.delay.count() == 0) {
            if (redelivery.multiplier != 1) {
                fail("redelivery_multiplier", "there is no redelivery_delay to multiply");
            }
            if (redelivery.delay_max.count() != 0) {
                fail("redelivery_delay_max", "there is no redelivery_delay to bound");
            }
            return;
        }
        if (redelivery.delay_max.count() == 0 || redelivery.delay <= redelivery.delay_max) {
            return;
        }
        fail(
            "redelivery_delay_max",
            fmt::format(
                "redelivery_delay ({}) must not be above redelivery_delay_max ({})",
                format_duration(redelivery.delay),
                format_duration(redelivery.delay_max)
            )
        );
    }

    void warn_durable() {
        const StorageOptions& storage = draft_.loaded.config.storage;
        const bool has_store =
            !storage.directory.empty() && storage.durability != Durability::memory;
        if (has_store || policy_.durable != true) { return; }
        draft_.loaded.warnings.push_back(fmt::format(
            "{}: {}: true, but without a store nothing is durable: give storage.directory or "
            "--data",
            place_of("durable").text(),
            full_name("durable")
        ));
    }

    Draft& draft_;
    const Entry<PolicyDraft>& entry_;
    const engine::Policy& policy_;
    const engine::QueuePolicy& queue_;
    const protocol::Limits& limits_;
    std::optional<protocol::Pattern> pattern_;
};

// Levels for any number, then for one, then for part of one, then the longer text.
std::array<std::ptrdiff_t, 4> generality(
    const engine::Policy& policy, const protocol::Limits& limits
) {
    std::ptrdiff_t many = 0;
    std::ptrdiff_t one = 0;
    std::ptrdiff_t part = 0;
    const auto pattern = engine::parse_match(policy.match, limits);
    if (pattern && pattern->is_wildcard) {
        for (const auto level :
             protocol::split_levels(pattern->destination.key, pattern->separator)) {
            many += protocol::level_kind(level) == protocol::LevelKind::many ? 1 : 0;
            one += protocol::level_kind(level) == protocol::LevelKind::one ? 1 : 0;
            part += engine::is_part_pattern(level) ? 1 : 0;
        }
    }
    return {many, one, part, -static_cast<std::ptrdiff_t>(policy.match.size())};
}

PolicyPlace place_of(const Draft& draft, const Entry<PolicyDraft>& entry) {
    PolicyPlace place;
    place.name = entry.name;
    place.origin = entry.origin.text();
    place.priority = entry.value.priority;
    place.generality = generality(entry.value.policy, draft.loaded.config.limits.protocol);
    for (const Row<PolicyDraft>& row : policy_rows()) {
        if (!is_written(row, entry.value)) { continue; }
        const std::string name = fmt::format("{}.{}", entry.name, row.key.name);
        place.settings.push_back(
            {std::string(row.key.name), value_in(row, entry.value), draft.origin_of(name).text()}
        );
    }
    return place;
}

}  // namespace

void settle_policies(Draft& draft) {
    const protocol::Limits& limits = draft.loaded.config.limits.protocol;
    for (const auto& entry : draft.policies) {
        PolicyCheck(draft, entry).run();
    }
    std::ranges::stable_sort(draft.policies, [&limits](const auto& left, const auto& right) {
        if (left.value.priority != right.value.priority) {
            return left.value.priority > right.value.priority;
        }
        return generality(left.value.policy, limits) < generality(right.value.policy, limits);
    });
    for (const auto& entry : draft.policies) {
        draft.loaded.config.policies.push_back(entry.value.policy);
        draft.loaded.policy_places.push_back(place_of(draft, entry));
    }
}

}  // namespace server
