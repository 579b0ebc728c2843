#include "broker/engine/refusals.hpp"

#include "broker/engine/journal.hpp"

#include <array>
#include <string_view>

namespace engine {

using protocol::Error;
using protocol::ErrorCode;
using protocol::LimitKey;

Error queue_full(const std::string& queue, LimitKey limit) {
    return {
        ErrorCode::queue_full,
        "The queue " + protocol::quoted(queue) + " is full.",
        "Let its consumers catch up and send again later, or raise limits.queue_messages or "
        "limits.queue_bytes.",
        "P-SEND-08",
        limit,
        false,
        queue};
}

Error schedule_full(const std::string& destination, LimitKey limit) {
    return {
        ErrorCode::queue_full,
        "Too many delayed messages wait for " + protocol::quoted(destination) +
            ", or too many octets for all destinations.",
        "Send again when some have become due, cancel some on the admin listener, or raise "
        "limits.scheduled or limits.queue_bytes.",
        "P-QOS-03",
        limit,
        false,
        destination};
}

Error too_many_queues(std::size_t limit) {
    return {
        ErrorCode::limit_queues,
        "There are already " + std::to_string(limit) + " queues.",
        "Remove unused queues, or raise limits.queues.",
        "P-LIM-01",
        LimitKey::queues};
}

Error queue_removed(const std::string& queue) {
    return {
        ErrorCode::revoked,
        "The queue " + protocol::quoted(queue) + " was removed.",
        "Subscribe again if you still need it: that makes a new queue.",
        "P-SUB-13"};
}

Error queue_exclusive(const std::string& queue) {
    return {
        ErrorCode::access_denied,
        "The queue " + protocol::quoted(queue) + " is exclusive to another connection.",
        "Use a queue of your own, or make it without the header exclusive.",
        "P-SUB-10",
        LimitKey::none,
        false,
        queue};
}

Error not_allowed(Action action, const std::string& destination) {
    constexpr std::array<std::string_view, 4> verbs = {
        "publish to", "subscribe to", "create", "browse"};
    constexpr std::array<std::string_view, 4> names = {"publish", "subscribe", "create", "browse"};
    const auto index = static_cast<std::size_t>(action);
    return {
        ErrorCode::access_denied,
        "You may not " + std::string(verbs[index]) + " " + protocol::quoted(destination) + ".",
        "Use another destination or login, or let the operator add an [[acl]] entry that allows `" +
            std::string(names[index]) + "` there.",
        "S-ACL-05",
        LimitKey::none,
        false,
        destination};
}

Error login_revoked() {
    return {
        ErrorCode::revoked,
        "The login that this connection was opened with holds no longer.",
        "Connect again with a login of now.",
        "S-ACL-11"};
}

Error allowed_no_more(const std::string& destination) {
    return {
        ErrorCode::revoked,
        "The right to subscribe to " + protocol::quoted(destination) + " was taken away.",
        "Connect again without this subscription, or ask the operator for the right.",
        "S-ACL-11",
        LimitKey::none,
        false,
        destination};
}

Error no_appends(const Journal& journal) {
    return journal.has_failed() ? storage_failed() : disk_full();
}

Error disk_full() {
    return {
        ErrorCode::disk_full,
        "The broker's disk is nearly full: it stores no new messages.",
        "Send again later; consumers go on. The operator frees space, or lowers "
        "storage.disk_floor.",
        "D-FULL-01"};
}

Error storage_failed() {
    return {
        ErrorCode::storage_failed,
        "The broker's message store has failed: what was not confirmed may be lost.",
        "Connect again later and send what was not confirmed once more; the operator finds the "
        "cause in the broker's log.",
        "D-FS-01"};
}

Error no_dead_letter_destination(std::string_view name) {
    return {
        ErrorCode::bad_header,
        "The headers x-dead-letter-exchange and x-dead-letter-routing-key name " +
            protocol::quoted(name) + ", which is no destination.",
        "Name a queue by an empty exchange and its name as routing key, or a topic by amq.topic.",
        "P-SUB-14"};
}

}  // namespace engine
