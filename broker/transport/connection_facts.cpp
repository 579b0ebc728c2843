// Connection: what an operator gets to see.
#include "broker/transport/connection_facts.hpp"

#include "broker/transport/connection.hpp"

#include <array>

namespace transport {

std::string_view Connection::state_name() const {
    switch (phase_) {
        case Phase::handshake:
        case Phase::http:
            return "handshake";
        case Phase::echo:
            return "connected";
        case Phase::open:
            break;
        case Phase::flushing:
        case Phase::awaiting:
        case Phase::ended:
            return "closing";
    }
    if (is_leaving()) { return "closing"; }
    return is_authenticated_ ? "connected" : "connecting";
}

ConnectionFacts Connection::facts() const {
    constexpr std::array<std::string_view, 4> pauses{"no", "session", "memory", "rate"};
    ConnectionFacts facts;
    facts.id = session_->name();
    facts.user = session_->user();
    facts.client_id = session_->client_id();
    facts.address = peer().address;
    boost::system::error_code ec;
    const auto remote = socket_.remote_endpoint(ec);
    if (!ec && remote.address().to_string() == facts.address) { facts.port = remote.port(); }
    facts.listener = context_.listener_name;
    facts.is_web_socket = context_.kind == ListenerKind::web_socket;
    facts.is_tls = context_.tls != nullptr;
    if (is_authenticated_) { facts.version = to_string(session_->version()); }
    facts.state = state_name();
    facts.accepted_at = accepted_at_;
    facts.send_every_ms = session_->heart_beats().send_every;
    facts.hear_every_ms = session_->heart_beats().hear_every;
    facts.subscriptions = session_->subscription_count();
    facts.unacked = session_->outstanding();
    facts.transactions = session_->transaction_count();
    facts.messages_in = messages_in_;
    facts.messages_out = session_->outbox().messages_total();
    facts.octets_in = octets_in_;
    facts.octets_out = session_->outbox().sent_total();
    facts.pending = session_->outbox().pending();
    facts.paused = pauses.at(static_cast<std::size_t>(paused_));
    if (web_socket_) { facts.user_agent = web_socket_->user_agent; }
    const bool is_known = session_->principal() != nullptr;
    facts.voucher = to_string(is_known ? session_->principal()->voucher : engine::Voucher::nobody);
    return facts;
}

}  // namespace transport
