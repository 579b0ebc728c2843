#include "broker/engine/queue_settings.hpp"

#include <utility>

namespace engine {

namespace {

using protocol::Error;
using protocol::ErrorCode;
using protocol::Result;

constexpr int priority_of_policies = 4;  // Absent: JMS's default (P-QOS-04).

template <class T>
void override_with(T& value, const std::optional<T>& stronger) {
    if (stronger) { value = *stronger; }
}

void apply(QueueSettings& settings, const QueueArguments& arguments, std::string_view name) {
    override_with(settings.is_auto_delete, arguments.auto_delete);
    override_with(settings.is_exclusive, arguments.exclusive);
    override_with(settings.idle_life, arguments.idle_life);
    if (arguments.message_ttl) { settings.message_ttl = arguments.message_ttl; }
    override_with(settings.priority_max, arguments.priority_max);
    // RabbitMQ drops the oldest unless told otherwise.
    if (arguments.messages_max || arguments.bytes_max) {
        settings.bounds_stored = true;
        settings.overflow = Overflow::drop_head;
    }
    override_with(settings.messages_max, arguments.messages_max);
    override_with(settings.bytes_max, arguments.bytes_max);
    override_with(settings.overflow, arguments.overflow);
    if (const auto destination = dead_letter_destination(arguments, name)) {
        settings.dead_letter = *destination;
        settings.dead_letters_expired = true;
        settings.dead_letters_overflow = true;
    }
}

void apply(QueueSettings& settings, const QueuePolicy& policy) {
    override_with(settings.is_auto_delete, policy.auto_delete);
    override_with(settings.idle_life, policy.idle_life);
    if (policy.message_ttl) { settings.message_ttl = policy.message_ttl; }
    if (policy.priority_max) {
        settings.priority_max = *policy.priority_max;
        settings.priority_default = priority_of_policies;
    }
    if (policy.messages_max || policy.bytes_max) { settings.bounds_stored = true; }
    override_with(settings.messages_max, policy.messages_max);
    override_with(settings.bytes_max, policy.bytes_max);
    if (policy.messages_max || policy.bytes_max || policy.overflow) {
        settings.overflow = policy.overflow.value_or(Overflow::reject);
    }
    if (policy.dead_letter) { settings.dead_letter = policy.dead_letter; }
    settings.dead_letters_expired = settings.dead_letters_expired || policy.dead_letters_expired;
    settings.dead_letters_overflow = settings.dead_letters_overflow || policy.dead_letters_overflow;
    override_with(settings.delivery_limit, policy.delivery_limit);
    settings.redelivery = policy.redelivery;
    settings.is_single_active = policy.is_single_active;
    settings.is_last_value = policy.is_last_value;
}

std::string text(bool value) {
    return value ? "true" : "false";
}

std::string text(std::uint64_t value) {
    return std::to_string(value);
}

std::string text(int value) {
    return std::to_string(value);
}

std::string text(std::chrono::milliseconds value) {
    return std::to_string(value.count());
}

std::string text(Overflow value) {
    return std::string(name_of(value));
}

std::string text(const std::string& value) {
    return protocol::quoted(value);
}

// Compares argument by argument; the first that differs is remembered.
class Comparison {
public:
    explicit Comparison(std::string_view queue) : queue_(queue) {}

    template <class T>
    void compare(
        std::string_view header,
        const std::optional<T>& asked,
        const std::optional<T>& has,
        bool is_overridden = false
    ) {
        if (!asked || is_overridden || asked == has || error_) { return; }
        error_ = Error{
            ErrorCode::bad_header,
            "The queue " + protocol::quoted(queue_) + " has " +
                (has ? std::string(header) + ":" + text(*has) : "no " + std::string(header)) +
                ", not " + text(*asked) + ".",
            "Leave the header " + std::string(header) +
                " out, or give the value that the queue has.",
            "P-SUB-14"};
    }

    [[nodiscard]] Result<void> result() const {
        if (error_) { return *error_; }
        return {};
    }

private:
    std::string_view queue_;
    std::optional<Error> error_;
};

template <class T>
std::optional<T> unless_zero(T value) {
    return value == T{} ? std::nullopt : std::optional<T>(value);
}

}  // namespace

QueueSettings queue_settings(
    std::string_view name,
    const Limits& limits,
    const Policy* policy,
    const QueueArguments& arguments,
    bool has_store
) {
    QueueSettings settings;
    settings.messages_max = limits.queue_messages_max;
    settings.bytes_max = limits.queue_bytes_max;
    settings.delivery_limit = limits.delivery_limit;
    apply(settings, arguments, name);
    if (policy != nullptr) {
        apply(settings, policy->queue);
        settings.policy = policy->number;
    }
    std::optional<bool> durable = arguments.durable;
    if (policy != nullptr && policy->durable) { durable = policy->durable; }
    settings.is_durable = has_store && !settings.is_exclusive && durable.value_or(true);
    return settings;
}

Result<void> check_arguments(
    std::string_view name,
    const QueueArguments& asked,
    const QueueSettings& has,
    const QueueArguments& made_with,
    const Policy* policy,
    bool has_store
) {
    if (asked == QueueArguments{}) { return {}; }
    static const QueuePolicy none;
    const QueuePolicy& rules = policy == nullptr ? none : policy->queue;
    const bool is_durability_set =
        !has_store || has.is_exclusive || (policy != nullptr && policy->durable);
    Comparison comparison(name);
    comparison.compare("durable", asked.durable, std::optional(has.is_durable), is_durability_set);
    comparison.compare(
        "auto-delete",
        asked.auto_delete,
        std::optional(has.is_auto_delete),
        rules.auto_delete.has_value()
    );
    comparison.compare("exclusive", asked.exclusive, std::optional(has.is_exclusive));
    comparison.compare(
        "x-expires", asked.idle_life, unless_zero(has.idle_life), rules.idle_life.has_value()
    );
    comparison.compare(
        "x-message-ttl", asked.message_ttl, has.message_ttl, rules.message_ttl.has_value()
    );
    comparison.compare(
        "x-max-length", asked.messages_max, made_with.messages_max, rules.messages_max.has_value()
    );
    comparison.compare(
        "x-max-length-bytes", asked.bytes_max, made_with.bytes_max, rules.bytes_max.has_value()
    );
    // A policy that bounds the queue also says what happens then, if only by its default.
    const bool is_overflow_set = rules.overflow || rules.messages_max || rules.bytes_max;
    comparison.compare("x-overflow", asked.overflow, std::optional(has.overflow), is_overflow_set);
    comparison.compare(
        "x-max-priority",
        asked.priority_max,
        unless_zero(has.priority_max),
        rules.priority_max.has_value()
    );
    const bool has_dead_letter = rules.dead_letter.has_value();
    comparison.compare(
        "x-dead-letter-exchange",
        asked.dead_letter_exchange,
        made_with.dead_letter_exchange,
        has_dead_letter
    );
    comparison.compare(
        "x-dead-letter-routing-key",
        asked.dead_letter_key,
        made_with.dead_letter_key,
        has_dead_letter
    );
    return comparison.result();
}

}  // namespace engine
