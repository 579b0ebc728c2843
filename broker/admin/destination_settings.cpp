#include "broker/admin/destination_settings.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace admin {

namespace {

namespace json = boost::json;
using engine::SlowConsumerAction;

std::string text(bool value) {
    return value ? "true" : "false";
}

std::string text(std::uint64_t value) {
    return std::to_string(value);
}

std::string text(std::chrono::milliseconds value) {
    return std::to_string(value.count()) + "ms";
}

std::string text(const std::string& value) {
    return value;
}

template <class T>
std::string text_or(const T& value, bool is_set, const char* otherwise) {
    return is_set ? text(value) : std::string(otherwise);
}

std::string_view text(engine::Overflow overflow) {
    switch (overflow) {
        case engine::Overflow::reject:
            return "reject";
        case engine::Overflow::drop_head:
            return "drop-head";
        case engine::Overflow::block:
            return "block";
    }
    return {};
}

std::string_view text(SlowConsumerAction action) {
    switch (action) {
        case SlowConsumerAction::disconnect:
            return "disconnect";
        case SlowConsumerAction::drop_oldest:
            return "drop-oldest";
        case SlowConsumerAction::drop_newest:
            return "drop-newest";
        case SlowConsumerAction::conflate:
            return "conflate";
    }
    return {};
}

std::string dead_letters_of(const engine::QueueSettings& settings) {
    if (!settings.dead_letter) { return "default"; }
    return text_or(*settings.dead_letter, !settings.dead_letter->empty(), "none");
}

}  // namespace

json::object settings_of_queue(const engine::QueueSettings& settings) {
    const auto ttl = settings.message_ttl.value_or(std::chrono::milliseconds(0));
    const engine::RedeliveryPolicy& redelivery = settings.redelivery;
    const auto priority = static_cast<std::uint64_t>(settings.priority_max);
    return {
        {"durable", text(settings.is_durable)},
        {"message_ttl", text_or(ttl, settings.message_ttl.has_value(), "none")},
        {"idle_life", text_or(settings.idle_life, settings.idle_life.count() != 0, "none")},
        {"max_messages", text(settings.messages_max)},
        {"max_bytes", text(settings.bytes_max)},
        {"overflow", text(settings.overflow)},
        {"max_priority", text_or(priority, priority != 0, "none")},
        {"dead_letter", dead_letters_of(settings)},
        {"dead_letter_expired", text(settings.dead_letters_expired)},
        {"dead_letter_overflow", text(settings.dead_letters_overflow)},
        {"deliveries",
         text_or(
             std::uint64_t{settings.delivery_limit}, settings.delivery_limit != 0, "unlimited"
         )},
        {"redelivery_delay", text(redelivery.delay)},
        {"redelivery_multiplier", text(std::uint64_t{redelivery.multiplier})},
        {"redelivery_delay_max",
         text_or(redelivery.delay_max, redelivery.delay_max.count() != 0, "none")},
        {"auto_delete", text(settings.is_auto_delete)},
        {"single_active_consumer", text(settings.is_single_active)},
        {"last_value", text(settings.is_last_value)}};
}

json::object settings_of_topic(const engine::Policy* policy, bool is_durable) {
    static const engine::Policy none;
    const engine::Policy& rules = policy == nullptr ? none : *policy;
    const engine::HistoryPolicy& history = rules.history;
    return {
        {"slow_consumer", text(rules.slow_consumer.action)},
        {"conflate_key", rules.slow_consumer.conflate_key},
        {"history_messages", text_or(history.messages, history.messages != 0, "none")},
        {"history_bytes", text_or(history.bytes, history.bytes != 0, "none")},
        {"history_age", text_or(history.age, history.age.count() != 0, "none")},
        {"durable", text(is_durable)}};
}

}  // namespace admin
