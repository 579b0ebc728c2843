#include "broker/transport/connection.hpp"

#include "broker/log/log.hpp"
#include "broker/transport/turned_away.hpp"

#include <algorithm>
#include <iterator>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unordered_map>
#include <utility>

namespace transport {

using engine::Instant;
using protocol::ErrorCode;
using protocol::LimitKey;
using State = engine::Session::State;

namespace {

Transport transport_of(const ConnectionContext& context) {
    const bool is_tls = context.tls != nullptr;
    if (context.kind == ListenerKind::tcp) { return is_tls ? Transport::tls : Transport::tcp; }
    return is_tls ? Transport::wss : Transport::ws;
}

}  // namespace

Connection::Connection(
    IoShard& shard,
    const ConnectionContext& context,
    ConnectionSet& set,
    Socket socket,
    engine::Peer peer,
    bool is_exempt
)
    : shard_(shard),
      context_(context),
      set_(set),
      socket_(std::move(socket)),
      stream_(
          context.tls != nullptr ? make_tls_stream(socket_.native_handle(), *context.tls->current())
                                 : make_plain_stream(socket_.native_handle())
      ),
      session_(std::make_shared<engine::Session>(
          shard, shard.router(), context.authenticator, std::move(peer)
      )),
      parser_(shard.limits().protocol, shard.parser_scratch()),
      proxy_(context.needs_proxy_header ? std::make_unique<ProxyHeader>() : nullptr),
      transport_(transport_of(context)),
      is_exempt_(is_exempt),
      accepted_at_(shard.now()),
      phase_at_(shard.now()) {
    session_->outbox().set_owner(this);
    session_->peer().sources = context.sources;
}

Connection::~Connection() {
    session_->end();
}

void Connection::start(std::string octets) {
    ++shard_.counters().listeners[context_.number].open;
    if (!octets.empty()) {
        stash_ = std::make_unique<Stash>();
        stash_->raw = std::move(octets);
    }
    guard(&Connection::continue_handshake);
    arm();
}

// The boundary that no exception crosses: it costs this connection, never the shard (S-PROC-02).
void Connection::guard(void (Connection::*work)()) {
    const auto self = shared_from_this();
    try {
        (this->*work)();
    } catch (const std::exception& error) {
        logging::error(
            "handler-failed",
            "A connection's handler failed.",
            {{"remote", peer().address}, {"err", error.what()}}
        );
        end("internal");
    }
}

void Connection::begin_open() {
    phase_ = Phase::open;
    phase_at_ = shard_.now();
    session_->outbox().set_framing(
        is_web_socket() ? engine::Framing::web_socket : engine::Framing::stream
    );
}

void Connection::flush() {
    guard(&Connection::write_output);
}

void Connection::write_output() {
    if (phase_ == Phase::ended || phase_ == Phase::handshake) { return; }
    const bool has_session = phase_ != Phase::http;
    if (has_session) { session_->flushed(); }
    if (!drain_output(has_session)) { return; }
    engine::Outbox& outbox = session_->outbox();
    if (phase_ == Phase::open) {
        note_connected();
        if (session_->closing()) { begin_closing(); }
        if (paused_ == Paused::session && session_->may_read()) {
            unpause();
            shard_.next_turn([self = shared_from_this()] { self->guard(&Connection::resume); });
        }
    }
    const bool is_last =
        phase_ == Phase::flushing || (closes_after_flush_ && !session_->awaits_answers());
    if (is_last && outbox.ahead() == 0 && !outbox.is_waiting()) { finish_flushing(); }
}

// False if the connection was lost. What a flush makes possible is sent too, within a bound.
bool Connection::drain_output(bool has_session) {
    constexpr int rounds_max = 8;
    engine::Outbox& outbox = session_->outbox();
    for (int round = 0; !writing_ && outbox.ahead() != 0; ++round) {
        if (round == rounds_max) {
            outbox.mark_dirty();
            break;
        }
        const IoResult result = stream_->write(outbox.segments());
        if (result.status == IoStatus::failed || result.status == IoStatus::end) {
            end(stream_->failure());
            return false;
        }
        if (result.octets != 0) {
            if (tap_) { tap_out(result.octets); }
            outbox.sent(result.octets);
            shard_.counters().sent[static_cast<std::size_t>(transport_)] += result.octets;
            // Scripts in browsers see no pings and pongs: these do not stand for a beat.
            if (result.octets > control_octets_) { keepalive_.sent(shard_.now()); }
            control_octets_ -= std::min(control_octets_, result.octets);
            stalled_at_ = Instant(0);
            if (has_session) { session_->flushed(); }
        }
        if (result.status == IoStatus::want_write) {
            if (stalled_at_ == Instant(0)) {
                stalled_at_ = shard_.now();
                stalled_queue_ = unacknowledged();
            }
            wait_writable();
            arm();
        }
    }
    return true;
}

void Connection::push_control_frame(std::string_view frame) {
    control_octets_ += frame.size();
    session_->outbox().push_raw(frame);
}

// A peer that takes octets slowly is not stalled: the kernel tells of room only once much of its
// buffer is free, but how much the peer has not acknowledged can be asked.
bool Connection::peer_takes_octets() {
    const int before = std::exchange(stalled_queue_, unacknowledged());
    if (stalled_queue_ >= before) { return false; }
    stalled_at_ = shard_.now();
    return true;
}

int Connection::unacknowledged() {
    int octets = 0;
    return ::ioctl(socket_.native_handle(), SIOCOUTQ, &octets) == 0 ? octets : 0;
}

void Connection::arm() {
    const Instant at = next_deadline();
    if (at != Instant::max()) { shard_.wheel().arm(*this, at); }
}

Instant Connection::next_deadline() const {
    const Options& options = shard_.options();
    Instant at = Instant::max();
    switch (phase_) {
        case Phase::handshake:
            at = phase_at_ + options.tls_handshake_time;
            break;
        case Phase::http:
            at = phase_at_ + options.upgrade_time;
            break;
        case Phase::open:
            at = keepalive_.next();
            break;
        case Phase::echo:
            break;
        case Phase::flushing:
            at = phase_at_ + options.close_time;
            break;
        case Phase::awaiting:
            at = phase_at_ + (is_web_socket() && web_socket_->close_sent ? options.close_time
                                                                         : options.linger_time);
            break;
        case Phase::ended:
            return at;
    }
    const bool is_setting_up =
        phase_ == Phase::handshake || phase_ == Phase::http || phase_ == Phase::open;
    if (!is_authenticated_ && is_setting_up) {
        at = std::min(at, accepted_at_ + options.connect_time);
    }
    if (partial_at_ != Instant(0)) {
        at = std::min(at, std::max(partial_at_ + options.frame_time, shard_.now() + Instant(1000)));
    }
    if (missing_nul_at_ != Instant(0)) { at = std::min(at, missing_nul_at_ + Instant(2000)); }
    if (stalled_at_ != Instant(0)) {
        at = std::min(at, stalled_at_ + shard_.limits().outbound_stall);
    }
    if (paused_ == Paused::memory) { at = std::min(at, shard_.now() + Instant(100)); }
    if (paused_ == Paused::rate) { at = std::min(at, paused_until_); }
    return at;
}

void Connection::on_deadline() {
    guard(&Connection::check_deadlines);
}

void Connection::check_deadlines() {
    const Instant now = shard_.now();
    if (phase_ == Phase::flushing || phase_ == Phase::awaiting) {
        const bool is_late = now >= next_deadline();
        if (is_late && phase_ == Phase::awaiting && is_web_socket() && sends_bye_) {
            // After DISCONNECT the client had its time to close first (P-RCPT-06).
            send_close_frame(bye_code_, bye_reason_);
            phase_at_ = now;
        } else if (is_late) {
            return end("closed");
        }
        return arm();
    }
    if (check_setup_time() || check_frame_time() || check_keepalive()) { return; }
    const auto stall = shard_.limits().outbound_stall;
    if (stalled_at_ != Instant(0) && now >= stalled_at_ + stall && !peer_takes_octets()) {
        refuse(
            ErrorCode::slow_consumer,
            "This connection took no octets for " + std::to_string(stall.count()) + " ms.",
            "Read faster, subscribe to less, or let the operator raise limits.outbound_stall.",
            LimitKey::outbound_stall
        );
        stalled_at_ = Instant(0);
    }
    if (paused_ == Paused::memory || paused_ == Paused::rate) { resume(); }
    arm();
}

// Accept to CONNECTED, with what is allowed for its steps (P-CONN-11). True if the connection is
// done for.
bool Connection::check_setup_time() {
    const Options& options = shard_.options();
    const Instant now = shard_.now();
    if (is_authenticated_ || phase_ == Phase::echo) { return false; }
    const bool is_late = now >= accepted_at_ + options.connect_time;
    if (phase_ == Phase::handshake && (is_late || now >= phase_at_ + options.tls_handshake_time)) {
        if (stream_->is_tls()) { ++shard_.counters().handshakes_late; }
        note_timeout(is_late ? LimitKey::connect_time : LimitKey::tls_handshake_time);
        end("connect-timeout");
        return true;
    }
    if (phase_ == Phase::http && (is_late || now >= phase_at_ + options.upgrade_time)) {
        note_timeout(is_late ? LimitKey::connect_time : LimitKey::upgrade_time);
        session_->outbox().push_raw(HttpUpgrade::timeout_response());
        closes_after_flush_ = true;
        phase_ = Phase::flushing;
        phase_at_ = now;
        arm();
        return true;
    }
    if (phase_ == Phase::open && is_late) {
        refuse(
            ErrorCode::connect_timeout,
            "No CONNECT within " + std::to_string(options.connect_time.count()) + " ms.",
            "Send CONNECT at once; limits.connect_time is the limit.",
            LimitKey::connect_time
        );
        arm();
        return true;
    }
    return false;
}

// Of the steps before there is a session to refuse.
void Connection::note_timeout(LimitKey limit) {
    note_refusal(
        {ErrorCode::connect_timeout,
         "A connection took too long to come in.",
         "Look at " + std::string(name_of(limit)) + ".",
         "P-CONN-11",
         limit},
        peer().address
    );
}

bool Connection::check_frame_time() {
    const Instant now = shard_.now();
    if (missing_nul_at_ != Instant(0) && now >= missing_nul_at_ + Instant(2000)) {
        missing_nul_at_ = Instant(0);
        if (parser_.is_connect_without_nul()) {
            refuse(
                ErrorCode::bad_frame,
                "The NUL at the end of CONNECT is missing.",
                "In React Native set forceBinaryWSFrames and appendMissingNULLonIncoming."
            );
            arm();
            return true;
        }
    }
    if (partial_at_ == Instant(0) || paused_ != Paused::no) { return false; }
    const Options& options = shard_.options();
    const Instant age = now - partial_at_;
    const bool is_slow =
        partial_octets_ < options.frame_rate_min * static_cast<std::size_t>(age.count()) / 1000;
    if (age < options.frame_time || (!is_slow && age < options.frame_time_max)) { return false; }
    partial_at_ = Instant(0);
    const LimitKey limit = is_slow ? LimitKey::frame_time : LimitKey::frame_time_max;
    refuse(
        ErrorCode::frame_timeout,
        "A frame was not complete after " + std::to_string(age.count()) + " ms.",
        "Send whole frames, and at the pace of limits.frame_rate or faster; " +
            std::string(name_of(limit)) + " is the limit.",
        limit
    );
    arm();
    return true;
}

bool Connection::check_keepalive() {
    engine::Outbox& outbox = session_->outbox();
    if (phase_ != Phase::open || session_->closing()) { return false; }
    if (paused_ != Paused::no) { keepalive_.resume(shard_.now()); }
    Keepalive::Due due = keepalive_.due(shard_.now());
    if (due == Keepalive::Due::dead && reading_) {
        // Before acting, read what the socket already holds (P-HB-09).
        read_some();
        if (phase_ != Phase::open || session_->closing()) { return true; }
        due = keepalive_.due(shard_.now());
    }
    switch (due) {
        case Keepalive::Due::nothing:
            break;
        case Keepalive::Due::beat:
            if (outbox.ahead() == 0) {
                outbox.framing() == engine::Framing::stream ? outbox.push_raw("\n")
                                                            : outbox.push_control("\n");
            }
            keepalive_.sent(shard_.now());
            break;
        case Keepalive::Due::ping: {
            std::string frame;
            protocol::append_web_socket_frame(frame, protocol::Opcode::ping, {});
            push_control_frame(frame);
            keepalive_.pinged();
            break;
        }
        case Keepalive::Due::dead:
            refuse(
                ErrorCode::heartbeat_timeout,
                "Nothing was heard from this client for too long.",
                "Send heart-beats as agreed in CONNECTED, or ask for longer ones."
            );
            arm();
            return true;
    }
    return false;
}

void Connection::refuse(ErrorCode code, std::string what, std::string remedy, LimitKey limit) {
    session_->fail({code, std::move(what), std::move(remedy), {}, limit});
    write_output();
}

void Connection::shut_down() {
    if (phase_ == Phase::open && session_->is_connected()) {
        if (is_web_socket()) {
            session_->close(ErrorCode::shutdown);
        } else {
            session_->fail(
                {ErrorCode::shutdown,
                 "The broker is shutting down.",
                 "Connect again in a few seconds."}
            );
        }
        flush();
    } else if (phase_ == Phase::open && is_web_socket()) {
        refused_as_ = ErrorCode::shutdown;
        close_without_error(1012, "shutdown");
    } else if (phase_ != Phase::flushing && phase_ != Phase::awaiting) {
        end("shutdown");
    }
}

bool Connection::kick(std::string_view reason) {
    if (phase_ == Phase::handshake || phase_ == Phase::http || phase_ == Phase::echo) {
        end("kicked");
        return true;
    }
    if (phase_ != Phase::open || is_leaving()) { return false; }
    const std::string why = reason.empty() ? "." : ": " + std::string(reason);
    refuse(
        ErrorCode::kicked,
        "An operator has closed this connection" + why,
        "Ask the operator before you connect again."
    );
    arm();
    return true;
}

void Connection::make_room() {
    note_refusal(turned_away_by(LimitKey::unauthenticated), peer().address);
    end("limit-connections");
}

void ConnectionSet::add(const std::shared_ptr<Connection>& connection) {
    waiting_room_.push_back(connection.get());
    connection->waiting_place = std::prev(waiting_room_.end());
    connection->place = connections_.size();
    try {
        connections_.push_back(connection);
    } catch (...) {
        waiting_room_.pop_back();
        throw;
    }
    waiting_.store(waiting_room_.size(), std::memory_order_relaxed);
}

void ConnectionSet::stops_waiting(Connection& connection) {
    if (!connection.waiting_place) { return; }
    waiting_room_.erase(*connection.waiting_place);
    connection.waiting_place.reset();
    waiting_.store(waiting_room_.size(), std::memory_order_relaxed);
}

void ConnectionSet::remove(Connection& connection) {
    stops_waiting(connection);
    const std::size_t place = connection.place;
    if (place >= connections_.size() || connections_[place].get() != &connection) { return; }
    std::swap(connections_[place], connections_.back());
    connections_[place]->place = place;
    connections_.pop_back();
}

void ConnectionSet::end_all() {
    while (!connections_.empty()) {
        const auto last = connections_.back();
        last->cut();
    }
}

void ConnectionSet::make_room() {
    std::unordered_map<std::string_view, std::size_t> held;
    for (const Connection* const connection : waiting_room_) {
        ++held[connection->peer().network];
    }
    const auto most =
        std::ranges::max_element(held, {}, [](const auto& entry) { return entry.second; });
    if (most == held.end()) { return; }
    const auto oldest = std::ranges::find_if(waiting_room_, [&](const Connection* connection) {
        return connection->peer().network == most->first;
    });
    (*oldest)->make_room();
}

}  // namespace transport
