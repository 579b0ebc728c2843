// Connection: who its client is, if a proxy passes it on, or its certificate is no good.
#include "broker/log/log.hpp"
#include "broker/transport/connection.hpp"
#include "broker/transport/turned_away.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <utility>

namespace transport {

using protocol::LimitKey;

// False if the header is not complete, or the connection is done for. It comes before TLS, so it is
// read past the stream, and not an octet more than it has.
bool Connection::read_proxy_header() {
    if (!context_.http.trusted_proxies.contains(peer().address)) {
        refuse_beginning("Only trusted proxies may connect to this listener.");
        return false;
    }
    const int descriptor = socket_.native_handle();
    std::array<char, 512> buffer;
    for (;;) {
        const ssize_t seen = ::recv(descriptor, buffer.data(), buffer.size(), MSG_PEEK);
        if (seen < 0 && errno == EINTR) { continue; }
        if (seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            wait_readable();
            return false;
        }
        if (seen <= 0) {
            end(seen == 0 ? "closed" : std::strerror(errno));
            return false;
        }
        const auto outcome = proxy_->feed({buffer.data(), static_cast<std::size_t>(seen)});
        (void)::recv(descriptor, buffer.data(), proxy_->consumed(), 0);
        if (outcome == ProxyHeader::Outcome::need_more) { continue; }
        return take_proxy_header();
    }
}

void name_peer(engine::Peer& peer, const IpAddress& address) {
    peer.address = address.text();
    peer.network = address.network();
    peer.is_loopback = address.is_loopback();
}

bool Connection::take_proxy_header() {
    const std::unique_ptr<ProxyHeader> header = std::move(proxy_);
    if (!header->problem().empty()) {
        refuse_beginning(header->problem());
        return false;
    }
    // One that the proxy cannot name, or the proxy itself, is nobody's neighbour (S-BIND-02).
    const bool is_local = header->client() && header->client()->is_loopback();
    const bool is_final = context_.kind == ListenerKind::tcp;
    const LimitKey crossed = meet_client(header->client(), is_final);
    if (crossed != LimitKey::none) {
        turn_away(crossed);
        return false;
    }
    session_->peer().is_forwarded = !is_local;
    return true;
}

// Said as by the listener, which does not speak TLS for it either.
void Connection::turn_away(LimitKey crossed) {
    const protocol::Error error = turned_away_by(crossed);
    if (context_.tls != nullptr) { return end(protocol::token(error.code)); }
    answer_and_close(context_.kind == ListenerKind::tcp ? as_frame(error) : as_response(error));
}

// From now on the client is the peer, for the session and for the limits by address, unless that
// would cross one. `is_final`: no more is to be learnt about it.
LimitKey Connection::meet_client(const std::optional<IpAddress>& client, bool is_final) {
    if (context_.http.trusted_proxies.empty()) { return LimitKey::none; }
    engine::Peer& known = session_->peer();
    engine::Peer found = known;
    if (client) { name_peer(found, *client); }
    const bool is_exempt = context_.census.is_exempt(found.address, found.is_loopback) ||
                           (!is_final && context_.may_be_proxy(found.address));
    // One that the listener took for a proxy, and that names nobody, is a client itself.
    const bool is_new = !is_exempt && (is_exempt_ || found.address != known.address);
    const LimitKey crossed =
        is_new && !context_.rates.admit(found.network, shard_.options(), shard_.now())
            ? LimitKey::connections_per_second_per_ip
            : context_.census.move(known.network, is_exempt_, found.network, is_exempt);
    if (crossed != LimitKey::none) {
        note_refusal(turned_away_by(crossed), found.address);
        return crossed;
    }
    is_exempt_ = is_exempt;
    known = std::move(found);
    return LimitKey::none;
}

// Of TLS itself the client learns little more than that it was refused.
void Connection::log_certificate() {
    const std::string problem = stream_->certificate_problem();
    if (problem.empty()) { return; }
    note_refusal(
        {protocol::ErrorCode::auth_failed, "A client certificate was refused: " + problem, {}, {}},
        peer().address
    );
}

// What came first is wrong: said in the listener's own protocol, but for TLS.
void Connection::refuse_beginning(std::string_view what) {
    proxy_.reset();
    if (context_.tls != nullptr || context_.kind == ListenerKind::web_socket) {
        logging::warn(
            "proxy-refused",
            what,
            {{"remote", peer().address}, {"listener", context_.listener_name}}
        );
    }
    if (context_.tls != nullptr) { return end("bad-frame"); }
    if (context_.kind == ListenerKind::web_socket) {
        return answer_and_close(HttpUpgrade::bad_response(what));
    }
    begin_open();
    refuse(
        protocol::ErrorCode::bad_frame,
        std::string(what),
        "Let the proxy send a PROXY header, and the operator name it in trusted_proxies."
    );
}

void Connection::answer_and_close(const std::string& response) {
    session_->outbox().push_raw(response);
    closes_after_flush_ = true;
    phase_ = Phase::flushing;
    phase_at_ = shard_.now();
    if (!reading_) { wait_readable(); }
    arm();
}

}  // namespace transport
