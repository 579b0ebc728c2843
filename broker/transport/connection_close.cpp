// Connection: how it ends.
#include "broker/log/audit.hpp"
#include "broker/log/log.hpp"
#include "broker/transport/connection.hpp"
#include "broker/transport/system_events.hpp"
#include "broker/transport/turned_away.hpp"

#include <string>

namespace transport {

using engine::Instant;
using protocol::LimitKey;
using protocol::SystemEvent;

// The session is over: its ERROR or last RECEIPT is in the output, which is flushed first
// (P-ERR-05).
void Connection::begin_closing() {
    const engine::Closing closing = *session_->closing();
    log_refusal();
    bye_code_ = closing.code;
    bye_reason_ = closing.is_disconnect ? "" : std::string(protocol::token(closing.reason));
    discard_input();
    phase_ = Phase::flushing;
    phase_at_ = shard_.now();
    partial_at_ = missing_nul_at_ = stalled_at_ = Instant(0);
    unpause();
    const std::unique_ptr<Stash> stash = std::move(stash_);
    // After DISCONNECT the client closes first, within its time (P-RCPT-06).
    if (is_web_socket() && (!closing.is_disconnect || web_socket_->close_received)) {
        send_close_frame(bye_code_, bye_reason_);
    }
    if (is_web_socket() && stash) { (void)process_web_socket(stash->raw); }
    session_->outbox().mark_dirty();
    if (!reading_) { wait_readable(); }
    arm();
}

void Connection::log_login() {
    logging::audit({
        .event = "auth-ok",
        .message = "A client has logged in.",
        .reason = to_string(session_->principal()->voucher),
        .conn = session_->name(),
        .user = session_->user(),
        .remote = peer().address,
        .listener = context_.listener_name,
    });
}

void Connection::tell_connected() {
    tell(
        shard_,
        SystemEvent::connect,
        peer().address,
        {{"connection", session_->name()},
         {"user", session_->user()},
         {"address", peer().address},
         {"listener", context_.listener_name},
         {"version", to_string(session_->version())},
         {"reason", to_string(session_->principal()->voucher)}}
    );
}

// `reason`: why the transport ends it; what the session says comes first.
void Connection::tell_disconnected(std::string_view reason) {
    if (session_->closing()) {
        const engine::Closing& closing = *session_->closing();
        reason = closing.is_disconnect ? "disconnect" : protocol::token(closing.reason);
    }
    tell(
        shard_,
        SystemEvent::disconnect,
        peer().address,
        {{"connection", session_->name()},
         {"user", session_->user()},
         {"address", peer().address},
         {"listener", context_.listener_name},
         {"reason", reason},
         {"seconds", (shard_.now() - accepted_at_).count() / 1000}}
    );
}

void Connection::log_refusal() {
    const engine::Closing closing = *session_->closing();
    // Neither is the client's fault, and a drain has log lines of its own.
    if (closing.is_disconnect || closing.reason == protocol::ErrorCode::shutdown) { return; }
    keep_refusal(session_->refusal());
    transport::note_refusal(
        shard_,
        session_->refusal(),
        {peer().address, context_.listener_name, session_->name(), session_->user()}
    );
}

// Of a client that its session does not refuse.
void Connection::note_refusal(
    const protocol::Error& refusal, std::string_view remote, std::string_view why
) {
    shard_.output().counters.count(refusal);
    refused_as_ = refusal.code;
    keep_refusal(refusal);
    transport::note_refusal(
        shard_, refusal, {remote, context_.listener_name, session_->name(), session_->user(), why}
    );
}

// Refused logins are no client's yet, and would displace the others.
void Connection::keep_refusal(const protocol::Error& refusal) {
    if (!is_authenticated_) { return; }
    shard_.refusals().add(
        client(), {shard_.now(), refusal.code, refusal.what, refusal.destination, session_->name()}
    );
}

void Connection::send_close_frame(std::uint16_t code, std::string_view reason) {
    if (web_socket_->close_sent) { return; }
    web_socket_->close_sent = true;
    sends_bye_ = false;
    std::string frame;
    protocol::append_close_frame(frame, code, reason);
    session_->outbox().push_raw(frame);
}

// What is wrong below STOMP ends with a close frame only.
void Connection::close_without_error(std::uint16_t code, std::string_view reason) {
    if (phase_ == Phase::ended) { return; }
    send_close_frame(code, reason);
    session_->leave();
    phase_ = Phase::flushing;
    phase_at_ = shard_.now();
    closes_after_flush_ = true;
    session_->outbox().mark_dirty();
    arm();
}

// What the decoder found: the token first, then what it was (P-WS-16).
void Connection::close_for_violation() {
    const protocol::WebSocketDecoder& decoder = web_socket_->decoder;
    auto code = protocol::ErrorCode::bad_frame;
    if (decoder.close_code() == 1007) { code = protocol::ErrorCode::bad_utf8; }
    if (decoder.close_code() == 1009) { code = protocol::ErrorCode::frame_too_large; }
    auto limit = LimitKey::none;
    if (code == protocol::ErrorCode::frame_too_large) {
        limit = is_authenticated_ ? LimitKey::web_socket_message
                                  : LimitKey::web_socket_message_before_connected;
    }
    close_for(code, decoder.reason(), limit);
}

void Connection::close_for(protocol::ErrorCode code, std::string_view what, LimitKey limit) {
    note_refusal({code, std::string(what), {}, {}, limit}, peer().address);
    const std::string reason = std::string(protocol::token(code)).append(" ").append(what);
    close_without_error(protocol::close_code(code), reason);
}

void Connection::on_peer_close(std::uint16_t code, std::string_view reason) {
    (void)reason;
    web_socket_->close_received = true;
    // Its ERROR or last RECEIPT goes first.
    if (is_leaving()) { return session_->outbox().mark_dirty(); }
    if (!web_socket_->close_sent) {
        // A close without DISCONNECT is a normal event (P-WS-15).
        logging::info(
            "left",
            "A client closed its WebSocket without DISCONNECT.",
            {{"code", code},
             {"conn", session_->name()},
             {"user", session_->user()},
             {"remote", peer().address}}
        );
        send_close_frame(code == 1005 ? 1000 : code, {});
    }
    session_->leave();
    if (phase_ != Phase::awaiting) { phase_at_ = shard_.now(); }
    phase_ = Phase::flushing;
    closes_after_flush_ = true;
    session_->outbox().mark_dirty();
    arm();
}

// All octets have left: shut down the sending side where that is the farewell, and give the peer
// its time.
void Connection::finish_flushing() {
    const bool is_over = input_ended_ || (is_web_socket() && web_socket_->close_received);
    if (phase_ == Phase::awaiting) { return; }
    const bool awaits_client = !closes_after_flush_ && !is_over && session_->closing() &&
                               session_->closing()->is_disconnect;
    if (!awaits_client &&
        (!is_web_socket() || web_socket_->close_received || closes_after_flush_)) {
        stream_->shut_down_writing();
    }
    if (is_over) { return end("closed"); }
    phase_ = Phase::awaiting;
    phase_at_ = shard_.now();
    if (!reading_) { wait_readable(); }
    arm();
}

void Connection::end(std::string_view reason) {
    if (phase_ == Phase::ended) { return; }
    const auto self = shared_from_this();
    count_end(reason);
    phase_ = Phase::ended;
    unpause();
    discard_input();
    if (is_authenticated_) { tell_disconnected(reason); }
    if (tap_) { tap_->end("The connection has ended."); }
    session_->end();
    shard_.wheel().disarm(*this);
    boost::system::error_code ec;
    socket_.close(ec);
    context_.census.left(peer().network, is_exempt_, is_authenticated_);
    shard_.load.fetch_sub(1, std::memory_order_relaxed);
    logging::debug(
        "ended",
        "A connection has ended.",
        {{"conn", session_->name()}, {"reason", reason}, {"remote", peer().address}}
    );
    set_.remove(*this);
}

// Before the phase changes.
void Connection::count_end(std::string_view reason) {
    Counters& counters = shard_.counters();
    --counters.listeners[context_.number].open;
    if (!is_authenticated_) { ++counters.listeners[context_.number].nameless; }
    const auto& closing = session_->closing();
    if (closing && !closing->is_disconnect) { refused_as_ = closing->reason; }
    if (reason == "shutdown") { refused_as_ = protocol::ErrorCode::shutdown; }
    if (reason == "internal") { refused_as_ = protocol::ErrorCode::internal; }
    if (refused_as_) { return void(++counters.closed[static_cast<std::size_t>(*refused_as_)]); }
    Ending ending = Ending::left;
    if (closing) {
        ending = Ending::disconnect;
    } else if (reason != "closed") {
        ending = Ending::lost;
    } else if (http_ && !is_web_socket()) {
        ending = Ending::http;
    }
    ++counters.ended[static_cast<std::size_t>(ending)];
}

}  // namespace transport
