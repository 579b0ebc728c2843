// One connection: a stream with readiness, its framing, its session, its deadlines.
// WebSocket and plain TCP, with and without TLS, are this class. Lives on one shard. Bounded by
// transport::Options and engine::Limits; an idle connection holds no buffer.
#pragma once

#include "broker/engine/session.hpp"
#include "broker/tls/server_context.hpp"
#include "broker/transport/census.hpp"
#include "broker/transport/connection_facts.hpp"
#include "broker/transport/http_upgrade.hpp"
#include "broker/transport/io_shard.hpp"
#include "broker/transport/keepalive.hpp"
#include "broker/transport/options.hpp"
#include "broker/transport/proxy_protocol.hpp"
#include "broker/transport/rates.hpp"
#include "broker/transport/stream.hpp"
#include "broker/transport/tap.hpp"
#include "broker/transport/timer_wheel.hpp"
#include "protocol/parser.hpp"
#include "protocol/web_socket.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace transport {

class ConnectionSet;

/// A socket bound to its shard's own executor: no type erasure on the data path.
using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// What the connections of one listener have in common; outlives them.
struct ConnectionContext {
    engine::Authenticator& authenticator;
    Census& census;
    RateLimits& rates;
    ListenerKind kind = ListenerKind::tcp;
    const tls::ServerContext* tls = nullptr;
    HttpEndpoint http;
    std::string listener_name;  ///< For the log.
    bool needs_proxy_header = false;
    engine::CredentialSources sources = engine::CredentialSources::all();
    std::size_t number = 0;  ///< Of the listener, for counting: an index of Counters::listeners.

    /// Whether another address may yet turn out to be the client's (S-BIND-06).
    [[nodiscard]] bool may_be_proxy(const std::string& address) const {
        return (needs_proxy_header || kind == ListenerKind::web_socket) &&
               http.trusted_proxies.contains(address);
    }
};

/// Whose connection it is, in all that Peer says of an address.
void name_peer(engine::Peer& peer, const IpAddress& address);

class Connection : public std::enable_shared_from_this<Connection>, private Timed {
public:
    /// `is_exempt`: as said to the census.
    Connection(
        IoShard& shard,
        const ConnectionContext& context,
        ConnectionSet& set,
        Socket socket,
        engine::Peer peer,
        bool is_exempt
    );
    ~Connection() override;

    /// Begins with the handshake; once, after construction. `octets` have been read already: of a
    /// plain connection only.
    void start(std::string octets = {});
    /// One gathered write of what is pending, at the end of the shard's turn. SEND path, stop 7
    /// of 7.
    void flush();
    /// Drain: tells the client and closes (P-ERR-06).
    void shut_down();
    /// An operator sends it away: ERROR `kicked` with `reason`, then close. False, and without
    /// effect, if it leaves already.
    bool kick(std::string_view reason);
    /// Closes one that has not logged in yet, to make room (S-RATE-03).
    void make_room();

    /// Ends it at once: its shard has stopped.
    void cut() { end("shutdown"); }

    [[nodiscard]] bool is_connected() const { return is_authenticated_; }

    [[nodiscard]] const engine::Peer& peer() const { return session_->peer(); }

    [[nodiscard]] engine::Session& session() const { return *session_; }

    /// Shows its frames through `tap` from now on. False if it is not connected, or has a tap.
    [[nodiscard]] bool attach(std::unique_ptr<Tap> tap);

    /// Nothing happens if it has another tap, or none.
    void detach(std::uint64_t tap) {
        if (tap_ && tap_->id() == tap) { tap_.reset(); }
    }

    /// As Tap::seen(), of the tap with this id.
    void tap_seen(std::uint64_t tap, std::size_t weight) {
        if (tap_ && tap_->id() == tap) { tap_->seen(weight); }
    }

    // For operators.

    [[nodiscard]] const std::string& listener() const { return context_.listener_name; }

    [[nodiscard]] engine::Instant accepted_at() const { return accepted_at_; }

    /// SEND frames.
    [[nodiscard]] std::uint64_t messages_in() const { return messages_in_; }

    [[nodiscard]] ConnectionFacts facts() const;

    /// Whose it is.
    [[nodiscard]] Client client() const {
        return {session_->user(), session_->client_id(), peer().address};
    }

    /// Its places in the set of the shard's connections; kept by the set.
    std::size_t place = 0;
    std::optional<std::list<Connection*>::iterator> waiting_place;

private:
    enum class Phase : std::uint8_t {
        handshake,  ///< PROXY header, TLS.
        http,       ///< Requests until the upgrade.
        open,       ///< STOMP octets flow.
        echo,       ///< Test-only echo of WebSocket messages.
        flushing,   ///< Nothing more is read as STOMP; ERROR and close frame are on their way.
        awaiting,   ///< All is sent: the peer has some time to close.
        ended,
    };
    enum class Paused : std::uint8_t { no, session, memory, rate };

    // connection.cpp
    void on_deadline() override;
    void check_deadlines();
    void arm();
    [[nodiscard]] engine::Instant next_deadline() const;
    bool check_setup_time();
    void note_timeout(protocol::LimitKey limit);
    bool check_frame_time();
    bool check_keepalive();
    void write_output();
    bool drain_output(bool has_session);
    void push_control_frame(std::string_view frame);
    bool peer_takes_octets();
    [[nodiscard]] int unacknowledged();
    void begin_open();
    void guard(void (Connection::*work)());
    void refuse(
        protocol::ErrorCode code,
        std::string what,
        std::string remedy,
        protocol::LimitKey limit = protocol::LimitKey::none
    );

    // connection_read.cpp
    void wait_readable();
    void wait_writable();
    void on_readable();
    void read_some();
    void continue_handshake();
    bool has_too_many_rekeys();
    bool process(std::span<char> input);
    void process_http(std::span<char> input);
    void begin_web_socket(std::span<char> input);
    void log_answer();
    bool process_web_socket(std::span<char> input);
    bool process_stomp(std::span<char> input, bool is_utf8 = false);
    bool handle_event(protocol::Parser::Event event);
    bool handle_frame();
    bool handle_data();
    bool handle_control(protocol::WebSocketDecoder::Event event);
    bool count_barren_frame();
    bool check_barren();
    void echo_data();
    void note_connected();
    void on_end_of_input();
    void note_partial(std::size_t octets);
    void discard_input();
    [[nodiscard]] bool is_leaving() const;

    [[nodiscard]] bool is_web_socket() const { return web_socket_ != nullptr; }

    // connection_pause.cpp
    [[nodiscard]] static protocol::Error short_of_memory();
    void take_toll();
    bool pay_toll(std::size_t octets);
    void pause(Paused reason);
    void unpause();
    void resume();
    bool resume_stash();

    // connection_facts.cpp
    [[nodiscard]] std::string_view state_name() const;

    // connection_proxy.cpp
    bool read_proxy_header();
    bool take_proxy_header();
    protocol::LimitKey meet_client(const std::optional<IpAddress>& client, bool is_final);
    void turn_away(protocol::LimitKey crossed);
    void log_certificate();
    void refuse_beginning(std::string_view what);
    void answer_and_close(const std::string& response);

    // connection_tap.cpp
    void tap_in();
    void tap_beat();
    void tap_out(std::size_t octets);

    // connection_close.cpp
    void begin_closing();
    void send_close_frame(std::uint16_t code, std::string_view reason);
    void close_without_error(std::uint16_t code, std::string_view reason);
    void close_for_violation();
    void close_for(protocol::ErrorCode code, std::string_view what, protocol::LimitKey limit);
    void note_refusal(
        const protocol::Error& refusal, std::string_view remote, std::string_view why = {}
    );
    void keep_refusal(const protocol::Error& refusal);
    void finish_flushing();
    void on_peer_close(std::uint16_t code, std::string_view reason);
    void end(std::string_view reason);
    void count_end(std::string_view reason);
    void log_login();
    void log_refusal();
    void tell_connected();
    void tell_disconnected(std::string_view reason);

    struct WebSocket {
        explicit WebSocket(std::size_t message_max)
            : decoder(protocol::WebSocketDecoder::Role::broker, message_max) {}

        protocol::WebSocketDecoder decoder;
        std::string echo;  ///< The message being gathered, on the echo path.
        std::string user_agent;
        bool close_sent = false;
        bool close_received = false;
        std::uint32_t control_frames = 0;  ///< In the second that began at control_second.
        engine::Instant control_second{0};
    };

    /// Input that could not be processed when it was read.
    struct Stash {
        std::string stomp;  ///< Unmasked.
        std::string raw;
    };

    // Constant after construction.
    IoShard& shard_;
    const ConnectionContext& context_;
    ConnectionSet& set_;

    // Lives on the shard.
    Socket socket_;
    std::unique_ptr<Stream> stream_;
    std::shared_ptr<engine::Session> session_;
    protocol::Parser parser_;
    std::unique_ptr<ProxyHeader> proxy_;  ///< While it is awaited.
    std::unique_ptr<HttpUpgrade> http_;
    std::unique_ptr<WebSocket> web_socket_;
    std::unique_ptr<Stash> stash_;
    std::uint32_t rates_of_ = 0;  ///< Which limits of the shard `toll_` was made for.
    std::unique_ptr<Toll> toll_;  ///< Null: nothing limits its rates.
    Keepalive keepalive_;
    std::unique_ptr<Tap> tap_;  ///< Null, but while somebody looks.
    Phase phase_ = Phase::handshake;
    Paused paused_ = Paused::no;
    const Transport transport_;
    std::optional<protocol::ErrorCode> refused_as_;  ///< Not by its session.
    bool is_authenticated_ = false;
    bool is_exempt_;        ///< Not counted at its address.
    bool reading_ = false;  ///< A wait for readability is under way.
    bool writing_ = false;  ///< A wait for writability is under way.
    bool input_ended_ = false;
    bool closes_after_flush_ = false;
    bool sends_bye_ = true;  ///< A close frame is still to be sent (WebSocket).
    std::uint16_t bye_code_ = 1000;
    std::string bye_reason_;
    engine::Instant accepted_at_{0};
    engine::Instant phase_at_{0};
    engine::Instant partial_at_{0};  ///< When the frame being received began; 0: none.
    engine::Instant stalled_at_{0};  ///< When the socket stopped taking octets; 0: it takes them.
    int stalled_queue_ = 0;          ///< Octets that the peer had not acknowledged then.
    engine::Instant paused_at_{0};
    engine::Instant paused_until_{0};  ///< By its rate.
    engine::Instant missing_nul_at_{0};
    std::size_t control_octets_ = 0;  ///< Of pings and pongs, not sent yet.
    std::size_t partial_octets_ = 0;
    std::size_t barren_octets_ = 0;
    std::size_t barren_frames_ = 0;
    std::uint64_t messages_in_ = 0;
    std::uint64_t octets_in_ = 0;
    engine::Instant rekey_second_{0};
    std::size_t rekeys_seen_ = 0;
    std::size_t rekeys_at_second_ = 0;
};

/// The connections of one shard: owns them until they end.
class ConnectionSet {
public:
    void add(const std::shared_ptr<Connection>& connection);
    void remove(Connection& connection);

    [[nodiscard]] const std::vector<std::shared_ptr<Connection>>& all() const {
        return connections_;
    }

    /// It got CONNECTED, or it ends.
    void stops_waiting(Connection& connection);
    /// Closes the oldest unauthenticated connection of the address that holds most here
    /// (S-RATE-03). Time linear in those that wait.
    void make_room();

    /// How many have not got CONNECTED yet; any thread.
    [[nodiscard]] std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

    /// The one whose session has this name; null: there is none. Time linear in the connections.
    [[nodiscard]] std::shared_ptr<Connection> find(std::string_view session) const;

    /// Ends all of them at once: the shards have stopped.
    void end_all();

private:
    std::vector<std::shared_ptr<Connection>> connections_;
    std::list<Connection*> waiting_room_;  ///< The oldest first.
    std::atomic<std::size_t> waiting_{0};
};

}  // namespace transport
