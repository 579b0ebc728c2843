// Connection: from readable to processed.
#include "broker/log/log.hpp"
#include "broker/transport/connection.hpp"
#include "broker/transport/turned_away.hpp"

#include <algorithm>
#include <utility>

namespace transport {

using engine::Instant;
using protocol::ErrorCode;
using protocol::LimitKey;
using protocol::WebSocketDecoder;

void Connection::wait_readable() {
    if (reading_ || phase_ == Phase::ended || input_ended_) { return; }
    reading_ = true;
    socket_.async_wait(
        boost::asio::socket_base::wait_read,
        [self = shared_from_this()](const boost::system::error_code& ec) {
            self->reading_ = false;
            if (!ec) { self->guard(&Connection::on_readable); }
        }
    );
}

void Connection::wait_writable() {
    if (writing_ || phase_ == Phase::ended) { return; }
    writing_ = true;
    socket_.async_wait(
        boost::asio::socket_base::wait_write,
        [self = shared_from_this()](const boost::system::error_code& ec) {
            self->writing_ = false;
            if (ec) { return; }
            if (self->phase_ == Phase::handshake) {
                self->guard(&Connection::continue_handshake);
            } else {
                self->session_->outbox().mark_dirty();
            }
        }
    );
}

void Connection::continue_handshake() {
    if (proxy_ != nullptr && !read_proxy_header()) { return; }
    switch (stream_->handshake()) {
        case IoStatus::ok:
            if (stream_->is_tls()) { ++shard_.counters().handshakes; }
            break;
        case IoStatus::want_read:
            return wait_readable();
        case IoStatus::want_write:
            return wait_writable();
        case IoStatus::end:
        case IoStatus::failed:
            if (stream_->is_tls()) { ++shard_.counters().handshakes_failed; }
            log_certificate();
            return end(stream_->failure());
    }
    session_->peer().certificate = stream_->client_certificate();
    if (context_.kind == ListenerKind::tcp) {
        begin_open();
    } else {
        phase_ = Phase::http;
        phase_at_ = shard_.now();
        http_ = std::make_unique<HttpUpgrade>(context_.http, shard_.options(), peer().address);
    }
    if (stash_) {
        const auto early = std::exchange(stash_, nullptr);
        if (!process(early->raw)) { return; }
    }
    on_readable();
}

// SEND path, stop 1 of 7: a readable connection is read until empty, within the turn's bound.
void Connection::on_readable() {
    if (phase_ == Phase::handshake) { return continue_handshake(); }
    if (paused_ != Paused::no) { return; }
    if (shard_.is_mail_congested() && phase_ == Phase::open) {
        shard_.after(std::chrono::milliseconds(1), [weak = weak_from_this()] {
            if (const auto self = weak.lock()) { self->guard(&Connection::on_readable); }
        });
        return;
    }
    read_some();
    arm();
}

void Connection::read_some() {
    for (;;) {
        if (phase_ == Phase::ended || paused_ != Paused::no) { return; }
        std::span<char> buffer = shard_.read_buffer();
        if (is_authenticated_ && rates_of_ != shard_.limits_generation()) { take_toll(); }
        if (toll_) { buffer = buffer.first(toll_->read_max(buffer.size(), shard_.options())); }
        const IoResult result = stream_->read(buffer);
        if (has_too_many_rekeys()) {
            note_refusal(
                {ErrorCode::abuse, "Too many key updates in a second.", {}, "S-TLS-02"},
                peer().address
            );
            return end("abuse");
        }
        switch (result.status) {
            case IoStatus::ok:
                break;
            case IoStatus::want_read:
                return wait_readable();
            case IoStatus::want_write:
                return wait_writable();
            case IoStatus::end:
                return on_end_of_input();
            case IoStatus::failed:
                return end(stream_->failure());
        }
        shard_.count_read(result.octets);
        shard_.counters().received[static_cast<std::size_t>(transport_)] += result.octets;
        octets_in_ += result.octets;
        keepalive_.heard(shard_.now());
        const bool goes_on = process(buffer.first(result.octets));
        if (toll_ && !pay_toll(result.octets)) { return; }
        if (!goes_on) { return; }
        const bool is_drained = result.octets < buffer.size() && !stream_->is_tls();
        if (is_drained) { return wait_readable(); }
        if (!shard_.is_turn_full()) { continue; }
        // The budget ended the loop: octets already inside TLS would raise no event.
        if (!stream_->has_buffered_input()) { return wait_readable(); }
        return shard_.next_turn([self = shared_from_this()] {
            self->guard(&Connection::on_readable);
        });
    }
}

// KeyUpdates cost their sender less than us (S-TLS-02).
bool Connection::has_too_many_rekeys() {
    const std::size_t seen = stream_->late_handshakes();
    if (seen == rekeys_seen_) { return false; }
    const Instant now = shard_.now();
    if (now - rekey_second_ >= Instant(1000)) {
        rekey_second_ = now;
        rekeys_at_second_ = rekeys_seen_;
    }
    rekeys_seen_ = seen;
    return seen - rekeys_at_second_ > shard_.options().rekeys_per_second_max;
}

// False if nothing more is to be read now.
bool Connection::process(std::span<char> input) {
    switch (phase_) {
        case Phase::http:
            process_http(input);
            break;
        case Phase::open:
            if (is_leaving()) {
                // What still comes is discarded, but for the peer's close frame.
                if (is_web_socket()) { (void)process_web_socket(input); }
                break;
            }
            [[fallthrough]];
        case Phase::echo:
            if (is_web_socket() ? process_web_socket(input) : process_stomp(input)) {
                note_partial(input.size());
            }
            break;
        case Phase::flushing:
        case Phase::awaiting:
            // Only the peer's close frame is of interest now.
            if (is_web_socket() && !web_socket_->close_received && !closes_after_flush_) {
                (void)process_web_socket(input);
            }
            break;
        case Phase::handshake:
        case Phase::ended:
            return false;
    }
    return phase_ != Phase::ended && paused_ == Paused::no;
}

void Connection::process_http(std::span<char> input) {
    while (!input.empty() && phase_ == Phase::http && !closes_after_flush_) {
        const auto outcome = http_->feed(input);
        input = input.subspan(std::min(http_->consumed(), input.size()));
        if (outcome == HttpUpgrade::Outcome::need_more) { return; }
        const bool is_upgrade = outcome == HttpUpgrade::Outcome::upgrade;
        if (is_upgrade) {
            const LimitKey crossed = meet_client(http_->client(), true);
            if (crossed != LimitKey::none) {
                return answer_and_close(as_response(turned_away_by(crossed)));
            }
        }
        session_->outbox().push_raw(http_->response());
        if (outcome == HttpUpgrade::Outcome::respond) {
            phase_at_ = shard_.now();
            continue;
        }
        if (outcome == HttpUpgrade::Outcome::respond_and_close) {
            log_answer();
            closes_after_flush_ = true;
            phase_ = Phase::flushing;
            phase_at_ = shard_.now();
            return;
        }
        return begin_web_socket(input);
    }
}

// The request has become a WebSocket; `input` came behind it.
void Connection::begin_web_socket(std::span<char> input) {
    if (!http_->strange_sub_protocols().empty()) {
        logging::warn(
            "sub-protocol-unknown",
            "No STOMP sub-protocol among those offered: browsers will fail the connection; offer "
            "v12.stomp, v11.stomp, v10.stomp or nothing.",
            {{"remote", peer().address}, {"offered", http_->strange_sub_protocols()}}
        );
    }
    session_->peer().is_forwarded |= http_->is_forwarded();
    session_->peer().authorization = http_->authorization();
    session_->peer().origin = http_->origin();
    if (http_->sub_protocol()) { session_->set_sub_protocol(*http_->sub_protocol()); }
    const bool is_echo = http_->is_echo();
    std::string user_agent = http_->user_agent();
    http_.reset();
    const protocol::Limits& limits = shard_.limits().protocol;
    web_socket_ = std::make_unique<WebSocket>(
        is_echo ? limits.web_socket_message_max : limits.web_socket_message_before_connected_max
    );
    web_socket_->user_agent = std::move(user_agent);
    begin_open();
    if (is_echo) { phase_ = Phase::echo; }
    if (!input.empty()) { (void)process_web_socket(input); }
}

// What is forbidden or too large is a matter of the audit, everything else is not.
void Connection::log_answer() {
    const unsigned status = http_->status();
    const bool is_denied = status == 403 || status == 421;
    if (status == 403) { ++shard_.counters().origins_rejected; }
    if (is_denied || http_->limit() != LimitKey::none) {
        const auto code = is_denied ? ErrorCode::access_denied : ErrorCode::header_too_large;
        const std::string text = "An HTTP request was answered " + std::to_string(status) + ".";
        return note_refusal(
            {code, text, http_->remedy(), {}, http_->limit()}, peer().address, http_->why()
        );
    }
    logging::info(
        "http-answer",
        "An HTTP request was answered without an upgrade.",
        {{"remote", peer().address}, {"listener", context_.listener_name}, {"status", status}}
    );
}

bool Connection::process_web_socket(std::span<char> input) {
    WebSocketDecoder& decoder = web_socket_->decoder;
    barren_octets_ += input.size();
    decoder.feed(input);
    for (;;) {
        const WebSocketDecoder::Event event = decoder.next();
        switch (event) {
            case WebSocketDecoder::Event::need_more:
                return phase_ != Phase::open || check_barren();
            case WebSocketDecoder::Event::data:
                if (handle_data()) { break; }
                if (stash_) {
                    const std::span<char> rest = decoder.take_rest();
                    stash_->raw.assign(rest.data(), rest.size());
                    return false;
                }
                // Refused or leaving: data is ignored, but the peer's close frame still counts.
                if (phase_ != Phase::open) { return false; }
                break;
            case WebSocketDecoder::Event::ping:
            case WebSocketDecoder::Event::pong:
                if (!handle_control(event)) { return false; }
                break;
            case WebSocketDecoder::Event::close:
                on_peer_close(
                    decoder.close_code(), {decoder.payload().data(), decoder.payload().size()}
                );
                return false;
            case WebSocketDecoder::Event::failed:
                if (!is_leaving()) { close_for_violation(); }
                return false;
        }
    }
}

bool Connection::handle_data() {
    WebSocketDecoder& decoder = web_socket_->decoder;
    const std::span<char> payload = decoder.payload();
    if (phase_ == Phase::echo) {
        echo_data();
        return true;
    }
    if (phase_ != Phase::open || is_leaving()) { return true; }
    if (payload.empty()) { return count_barren_frame(); }
    barren_frames_ = 0;
    barren_octets_ = 0;
    if (!process_stomp(payload, decoder.is_text())) { return false; }
    if (!is_authenticated_ && decoder.is_message_end() && parser_.is_connect_without_nul()) {
        if (shard_.options().tolerate_missing_nul) {
            parser_.supply_missing_nul();
            parser_.feed({});
            return handle_event(parser_.next());
        }
        missing_nul_at_ = shard_.now();
        arm();
    }
    return true;
}

void Connection::echo_data() {
    WebSocketDecoder& decoder = web_socket_->decoder;
    web_socket_->echo.append(decoder.payload().data(), decoder.payload().size());
    if (!decoder.is_message_end()) { return; }
    std::string frame;
    const auto opcode = decoder.is_text() ? protocol::Opcode::text : protocol::Opcode::binary;
    protocol::append_web_socket_frame(frame, opcode, web_socket_->echo);
    session_->outbox().push_raw(frame);
    web_socket_->echo.clear();
}

bool Connection::handle_control(WebSocketDecoder::Event event) {
    const Instant now = shard_.now();
    if (now - web_socket_->control_second >= Instant(1000)) {
        web_socket_->control_second = now;
        web_socket_->control_frames = 0;
    }
    const bool is_limited = phase_ != Phase::echo;
    if (is_limited &&
        ++web_socket_->control_frames > shard_.limits().protocol.control_frames_per_second_max) {
        close_for(
            ErrorCode::abuse,
            "more control frames than limits.control_frames_per_second",
            LimitKey::control_frames_per_second
        );
        return false;
    }
    if (event == WebSocketDecoder::Event::ping && !web_socket_->close_sent) {
        const std::span<char> payload = web_socket_->decoder.payload();
        std::string frame;
        protocol::append_web_socket_frame(
            frame, protocol::Opcode::pong, {payload.data(), payload.size()}
        );
        push_control_frame(frame);
    }
    return true;
}

// Octets or frames in a row that bring no STOMP octet are an attack on the processor.
bool Connection::count_barren_frame() {
    ++barren_frames_;
    return check_barren();
}

bool Connection::check_barren() {
    const Options& options = shard_.options();
    if (barren_frames_ <= options.barren_frames_max && barren_octets_ <= options.barren_bytes_max) {
        return true;
    }
    const bool is_frames = barren_frames_ > options.barren_frames_max;
    const LimitKey limit = is_frames ? LimitKey::barren_frames : LimitKey::barren_bytes;
    close_for(
        ErrorCode::abuse, "frames without content, beyond " + std::string(name_of(limit)), limit
    );
    return false;
}

// SEND path, stop 2 of 7. False if processing must stop here.
bool Connection::process_stomp(std::span<char> input, bool is_utf8) {
    missing_nul_at_ = Instant(0);
    parser_.feed(input, is_utf8);
    for (;;) {
        const protocol::Parser::Event event = parser_.next();
        if (event == protocol::Parser::Event::need_more) { return true; }
        if (!handle_event(event)) { return false; }
    }
}

bool Connection::handle_event(protocol::Parser::Event event) {
    switch (event) {
        case protocol::Parser::Event::need_more:
            return true;
        case protocol::Parser::Event::end_of_line:
            if (tap_) { tap_beat(); }
            return true;
        case protocol::Parser::Event::frame:
            return handle_frame();
        case protocol::Parser::Event::failed:
            break;
    }
    session_->fail(parser_.error(), parser_.failed_receipt());
    discard_input();
    return false;
}

bool Connection::handle_frame() {
    const protocol::Command command = parser_.frame().command;
    const bool is_send = command == protocol::Command::send;
    partial_at_ = Instant(0);
    ++shard_.output().counters.frames_received[static_cast<std::size_t>(command)];
    if (tap_) { tap_in(); }
    if (is_send) { ++messages_in_; }
    session_->handle(parser_.frame());
    note_connected();
    const bool owes = toll_ && toll_->note(command, shard_.options());
    if (session_->may_read()) {
        if (owes && !pay_toll(0)) { return false; }
        if (!is_send) { return true; }
        if (shard_.is_store_congested() && session_->outstanding() == 0) {
            pause(Paused::memory);
            return false;
        }
        if (shard_.memory_alarm() == 0) { return true; }
        // One with deliveries outstanding is not paused: its ACKs would be stuck (S-RATE-04).
        if (session_->outstanding() == 0) {
            pause(Paused::memory);
            return false;
        }
        session_->fail(short_of_memory());
    }
    const auto state = session_->state();
    const bool may_go_on =
        state == engine::Session::State::connected || state == engine::Session::State::connecting;
    if (may_go_on) {
        pause(Paused::session);
        return false;
    }
    discard_input();
    return false;
}

// The session reads no more, but its last frames are still to come.
bool Connection::is_leaving() const {
    const auto state = session_->state();
    return phase_ == Phase::open && session_->is_connected() &&
           state != engine::Session::State::connected;
}

void Connection::discard_input() {
    (void)parser_.take_rest();
}

// Rates that a reload has set hold for those who are connected, too.
void Connection::take_toll() {
    rates_of_ = shard_.limits_generation();
    const bool has_user = engine::is_own_name(session_->principal()->voucher);
    toll_ = context_.rates.toll(
        is_exempt_ ? std::string() : peer().network,
        has_user ? session_->user() : std::string(),
        shard_.options(),
        shard_.now()
    );
}

// The credentials may have been checked at once, or elsewhere meanwhile.
void Connection::note_connected() {
    if (is_authenticated_ || session_->state() != engine::Session::State::connected) { return; }
    is_authenticated_ = true;
    parser_.connected(session_->version());
    context_.census.authenticated(peer().network, is_exempt_);
    set_.stops_waiting(*this);
    const auto version = static_cast<std::size_t>(session_->version());
    ++shard_.counters().listeners[context_.number].connected[version];
    shard_.counters().connect_time.observe(
        static_cast<std::uint64_t>((shard_.now() - accepted_at_).count())
    );
    take_toll();
    if (is_web_socket()) {
        web_socket_->decoder.set_message_max(shard_.limits().protocol.web_socket_message_max);
    }
    keepalive_.start(session_->heart_beats(), is_web_socket(), shard_.options(), shard_.now());
    log_login();
    tell_connected();
}

// Half-close ends the input only: what was received before is processed and answered (P-TCP-03).
void Connection::on_end_of_input() {
    input_ended_ = true;
    const bool was_leaving = phase_ == Phase::awaiting || phase_ == Phase::flushing;
    if (was_leaving && session_->outbox().ahead() != 0) { return; }
    if (phase_ != Phase::open || is_web_socket()) { return end("closed"); }
    closes_after_flush_ = true;
    phase_at_ = shard_.now();
    session_->outbox().mark_dirty();
}

// The age of a frame counts from its first octet (S: "age of a partial frame").
void Connection::note_partial(std::size_t octets) {
    const bool is_partial =
        parser_.is_mid_frame() || (is_web_socket() && web_socket_->decoder.is_mid_message());
    if (!is_partial) {
        partial_at_ = Instant(0);
        return;
    }
    if (partial_at_ == Instant(0)) {
        partial_at_ = shard_.now();
        partial_octets_ = 0;
    }
    partial_octets_ += octets;
}

}  // namespace transport
