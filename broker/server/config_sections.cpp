// The keys of the repeated sections, and the search for the key that was meant.
// Edit distance over the few hundred names of the tables; only run to explain an error.
#include "broker/server/config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace server {

namespace {

constexpr std::uint64_t ki = 1024;
constexpr std::uint64_t gi = ki * ki * ki;
constexpr std::uint64_t count_max = 1'000'000'000;
constexpr std::uint64_t day = 24ULL * 3600 * 1000;
constexpr std::uint64_t year = 365 * day;

// One key, three lines.
// clang-format off
const Row<ListenerDraft> listeners[] = {
    {{"listener", "kind", Unit::choice, {}, "", "tcp|ws",
      "STOMP over plain TCP, or over WebSocket."},
     [](ListenerDraft& d) -> Target { return &d.kind; }},
    {{"listener", "name", Unit::text, {}, "", "",
      "Name of its own, by which the service manager passes sockets (FileDescriptorName=); empty: its kind."},
     [](ListenerDraft& d) -> Target { return &d.name; }},
    {{"listener", "address", Unit::address, {}, "", "",
      "The one socket that it listens on; port 0 is any free port."},
     [](ListenerDraft& d) -> Target { return &d.address; }},
    {{"listener", "tls", Unit::boolean, {}, "", "",
      "TLS with the certificate and key of [tls]."},
     [](ListenerDraft& d) -> Target { return &d.use_tls; }},
    {{"listener", "tls_certificate", Unit::file, {}, "", "",
      "PEM file with a certificate chain for this listener."},
     [](ListenerDraft& d) -> Target { return &d.tls.certificate_file; }},
    {{"listener", "tls_key", Unit::file, {}, "", "",
      "PEM file with its private key."},
     [](ListenerDraft& d) -> Target { return &d.tls.key_file; }},
    {{"listener", "client_certificates", Unit::choice, {}, "", "off|optional|required",
      "Whether clients are asked for certificates; what is given must be valid."},
     [](ListenerDraft& d) -> Target { return &d.client_certificates; }},
    {{"listener", "client_ca", Unit::file, {}, "", "",
      "PEM file with the CAs of client certificates; empty: tls.client_ca."},
     [](ListenerDraft& d) -> Target { return &d.client_ca; }},
    {{"listener", "crl", Unit::list, {}, "default", "",
      "As tls.crl, for this listener; default: those."},
     [](ListenerDraft& d) -> Target { return &d.crl; }},
    {{"listener", "credentials", Unit::list, {}, "", "",
      "Sources of credentials that count here: \"certificate\", \"upgrade\", \"authorization\", \"passcode\"; others are ignored."},
     [](ListenerDraft& d) -> Target { return &d.credentials; }},
    {{"listener", "paths", Unit::list, {}, "", "",
      "Paths of the WebSocket endpoint, each also as PATH/websocket."},
     [](ListenerDraft& d) -> Target { return &d.paths; }},
    {{"listener", "allowed_origins", Unit::list, {}, "default", "",
      "As server.allowed_origins, for this listener; default: those."},
     [](ListenerDraft& d) -> Target { return &d.allowed_origins; }},
    {{"listener", "allow_missing_origin", Unit::boolean, {}, "default", "",
      "As server.allow_missing_origin."},
     [](ListenerDraft& d) -> Target { return &d.allow_missing_origin; }},
    {{"listener", "allow_loopback_origins", Unit::boolean, {}, "default", "",
      "As server.allow_loopback_origins."},
     [](ListenerDraft& d) -> Target { return &d.allow_loopback_origins; }},
    {{"listener", "external_hosts", Unit::list, {}, "default", "",
      "As server.external_hosts."},
     [](ListenerDraft& d) -> Target { return &d.external_hosts; }},
    {{"listener", "trusted_proxies", Unit::list, {}, "default", "",
      "As server.trusted_proxies."},
     [](ListenerDraft& d) -> Target { return &d.trusted_proxies; }},
    {{"listener", "proxy_protocol", Unit::boolean, {}, "", "",
      "Its connections begin with a PROXY header, version 1 or 2; only trusted proxies may connect."},
     [](ListenerDraft& d) -> Target { return &d.proxy_protocol; }},
};

const Row<PolicyDraft> policies[] = {
    {{"policy", "match", Unit::text, {}, "", "",
      "Pattern of topics or of queues, such as \"/topic/chat.**\" or \"/queue/jobs.*\"."},
     [](PolicyDraft& p) -> Target { return &p.policy.match; }},
    {{"policy", "priority", Unit::count, {0, 1'000'000}, "", "",
      "The highest matching policy wins, among equals the more specific pattern."},
     [](PolicyDraft& p) -> Target { return &p.priority; }},
    {{"policy", "slow_consumer", Unit::choice, {}, "", "disconnect|drop-oldest|drop-newest|conflate",
      "What becomes of messages for a subscriber that is too slow."},
     [](PolicyDraft& p) -> Target { return &p.policy.slow_consumer.action; }},
    {{"policy", "conflate_key", Unit::text, {}, "", "",
      "Header of which conflate keeps the latest message per value."},
     [](PolicyDraft& p) -> Target { return &p.policy.slow_consumer.conflate_key; }},
    {{"policy", "history_messages", Unit::count, {1, count_max}, "none", "",
      "Messages that a topic keeps for replay; no history without one of the three bounds."},
     [](PolicyDraft& p) -> Target { return &p.policy.history.messages; }},
    {{"policy", "history_bytes", Unit::size, {1 * ki, 1'024 * gi}, "none", "",
      "Octets of its messages that a topic keeps."},
     [](PolicyDraft& p) -> Target { return &p.policy.history.bytes; }},
    {{"policy", "history_age", Unit::duration, {1, year}, "none", "",
      "How long a topic keeps a message."},
     [](PolicyDraft& p) -> Target { return &p.policy.history.age; }},
    {{"policy", "durable", Unit::boolean, {}, "default", "",
      "Whether the queues, or the topics' history, are stored; default: as far as there is a store."},
     [](PolicyDraft& p) -> Target { return &p.policy.durable; }},
    {{"policy", "message_ttl", Unit::duration, {1, year}, "default", "",
      "Longest life of a message in a queue; default: as the message says."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.message_ttl; }},
    {{"policy", "idle_life", Unit::duration, {1, year}, "default", "",
      "A queue is removed, with what it holds, after so long without consumer; default: only when empty."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.idle_life; }},
    {{"policy", "max_messages", Unit::count, {1, count_max}, "default", "",
      "Messages of a queue, stored ones too; default: limits.queue_messages of those only in memory."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.messages_max; }},
    {{"policy", "max_bytes", Unit::size, {256, 1'024 * gi}, "default", "",
      "Octets of a queue, stored ones too; default: limits.queue_bytes of those only in memory."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.bytes_max; }},
    {{"policy", "overflow", Unit::choice, {}, "default", "reject|drop-head|block",
      "A full queue refuses the next message, drops its oldest, or makes the publisher wait."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.overflow; }},
    {{"policy", "max_priority", Unit::count, {1, 255}, "default", "",
      "Turns priorities on, up to this one; default: first in, first out."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.priority_max; }},
    {{"policy", "dead_letter", Unit::text, {}, "default", "",
      "Destination of dead letters; default: /queue/DLQ. and the queue's name.", "none"},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.dead_letter; }},
    {{"policy", "dead_letter_expired", Unit::boolean, {}, "", "",
      "Expired messages become dead letters; false: unless an argument names their destination."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.dead_letters_expired; }},
    {{"policy", "dead_letter_overflow", Unit::boolean, {}, "", "",
      "Messages that drop-head drops become dead letters; false: as above."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.dead_letters_overflow; }},
    {{"policy", "deliveries", Unit::count, {1, 1'000}, "default", "",
      "Deliveries of a message before it is a dead letter; default: limits.deliveries.", "unlimited"},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.delivery_limit; }},
    {{"policy", "redelivery_delay", Unit::duration, {0, day}, "", "",
      "Wait before a message that came back is delivered again."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.redelivery.delay; }},
    {{"policy", "redelivery_multiplier", Unit::count, {1, 100}, "", "",
      "Each further wait is so many times the one before."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.redelivery.multiplier; }},
    {{"policy", "redelivery_delay_max", Unit::duration, {1, day}, "none", "",
      "Longest such wait; none: a day."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.redelivery.delay_max; }},
    {{"policy", "auto_delete", Unit::boolean, {}, "default", "",
      "A queue is removed when its last consumer leaves."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.auto_delete; }},
    {{"policy", "single_active_consumer", Unit::boolean, {}, "", "",
      "One consumer of a queue gets all messages; the next takes over when it leaves."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.is_single_active; }},
    {{"policy", "last_value", Unit::boolean, {}, "", "",
      "A message replaces the waiting one with the same _AMQ_LVQ_NAME."},
     [](PolicyDraft& p) -> Target { return &p.policy.queue.is_last_value; }},
};

const Row<AclDraft> access_rules[] = {
    {{"acl", "who", Unit::list, {}, "", "",
      "Whom the rule is for, any of: \"user:NAME\", \"role:NAME\", \"claim:KEY=VALUE\", \"anonymous\", \"authenticated\"."},
     [](AclDraft& d) -> Target { return &d.rule.who; }},
    {{"acl", "allow", Unit::list, {}, "", "",
      "What they may do: \"publish\", \"subscribe\", \"create\", \"browse\"; what no rule allows is refused."},
     [](AclDraft& d) -> Target { return &d.rule.allow; }},
    {{"acl", "deny", Unit::list, {}, "", "",
      "Instead of allow: what they may not do, whatever other rules allow."},
     [](AclDraft& d) -> Target { return &d.rule.deny; }},
    {{"acl", "on", Unit::list, {}, "", "",
      "Names and patterns of topics and queues; a level %u is the user's name, %{KEY} a claim of its token."},
     [](AclDraft& d) -> Target { return &d.rule.on; }},
};

const Row<tls::PairFiles> pairs[] = {
    {{"tls.pair", "certificate", Unit::file, {}, "", "",
      "PEM file with a further certificate chain, for clients that ask for one of its DNS names."},
     [](tls::PairFiles& p) -> Target { return &p.certificate_file; }},
    {{"tls.pair", "key", Unit::file, {}, "", "",
      "PEM file with its private key."},
     [](tls::PairFiles& p) -> Target { return &p.key_file; }},
};

const Row<security::CertificateUser> certificates[] = {
    {{"certificate", "identity", Unit::text, {}, "", "",
      "What a client certificate says, as a whole: \"uri:...\", \"email:...\" or \"dn:...\"."},
     [](security::CertificateUser& c) -> Target { return &c.identity; }},
    {{"certificate", "user", Unit::text, {}, "", "",
      "The user that its owner is."},
     [](security::CertificateUser& c) -> Target { return &c.user; }},
    {{"certificate", "roles", Unit::list, {}, "", "",
      "That user's roles."},
     [](security::CertificateUser& c) -> Target { return &c.roles; }},
};

// clang-format on

std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

// The name with the least distance so far, if that is near enough to be what was meant.
class Nearest {
public:
    explicit Nearest(std::string_view written)
        : written_(written.substr(0, longest)),
          worst_(std::max<std::size_t>(2, written_.size() / 3)) {}

    /// A name that `is_here`, where the operator wrote, wins among equally near ones.
    void offer(std::string_view name, std::string_view shown, bool is_here) {
        const std::size_t distance = edit_distance(written_, name);
        const std::size_t score = 2 * distance + (is_here ? 0 : 1);
        if (distance > worst_ || distance >= name.size() || score >= score_) { return; }
        score_ = score;
        shown_ = shown;
    }

    [[nodiscard]] std::string sentence() const {
        return shown_.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", shown_);
    }

private:
    static constexpr std::size_t longest = 64;

    std::string_view written_;
    std::size_t worst_;
    std::size_t score_ = std::string_view::npos;
    std::string shown_;
};

void offer_key(Nearest& nearest, const Key& key, std::string_view section) {
    const bool is_here = key.section == section;
    nearest.offer(key.name, is_here ? std::string(key.name) : key.full_name(), is_here);
}

}  // namespace

std::span<const Row<ListenerDraft>> listener_rows() {
    return listeners;
}

std::span<const Row<PolicyDraft>> policy_rows() {
    return policies;
}

std::span<const Row<AclDraft>> acl_rows() {
    return access_rules;
}

std::span<const Row<tls::PairFiles>> pair_rows() {
    return pairs;
}

std::span<const Row<security::CertificateUser>> certificate_rows() {
    return certificates;
}

std::string suggest_key(std::string_view section, std::string_view name) {
    Nearest nearest(name);
    for (const auto& row : config_rows()) {
        offer_key(nearest, row.key, section);
    }
    for (const auto& row : listener_rows()) {
        offer_key(nearest, row.key, section);
    }
    for (const auto& row : policy_rows()) {
        offer_key(nearest, row.key, section);
    }
    for (const auto& row : acl_rows()) {
        offer_key(nearest, row.key, section);
    }
    for (const auto& row : pair_rows()) {
        offer_key(nearest, row.key, section);
    }
    for (const auto& row : certificate_rows()) {
        offer_key(nearest, row.key, section);
    }
    return nearest.sentence();
}

std::string suggest_section(std::string_view section) {
    Nearest nearest(section);
    for (const auto& row : config_rows()) {
        nearest.offer(row.key.section, row.key.section, true);
    }
    nearest.offer("listener", "listener", true);
    nearest.offer("policy", "policy", true);
    nearest.offer("acl", "acl", true);
    nearest.offer("certificate", "certificate", true);
    return nearest.sentence();
}

}  // namespace server
