// One STOMP session: an explicit state machine, one handler per command.
// Lives on its connection's shard; never logs, never touches a socket. Bounded by Limits.
#pragma once

#include "broker/engine/authenticator.hpp"
#include "broker/engine/deliveries.hpp"
#include "broker/engine/destinations.hpp"
#include "broker/engine/fifo.hpp"
#include "broker/engine/limits.hpp"
#include "broker/engine/outbox.hpp"
#include "broker/engine/send_head.hpp"
#include "broker/engine/send_options.hpp"
#include "broker/engine/subscription.hpp"
#include "broker/engine/temporary.hpp"
#include "broker/engine/transaction.hpp"
#include "protocol/frame.hpp"
#include "protocol/heart_beat.hpp"
#include "protocol/request.hpp"
#include "protocol/version.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engine {

/// Why and how a session ends; the transport flushes the output first.
struct Closing {
    std::uint16_t code = 1000;
    protocol::ErrorCode reason = protocol::ErrorCode::internal;
    bool is_error = false;  ///< An ERROR was queued.
    bool is_disconnect =
        false;  ///< The client asked for it: it gets 2 s to close first (P-RCPT-06).
};

class Session : public std::enable_shared_from_this<Session> {
public:
    enum class State : std::uint8_t {
        accepted,    ///< Only CONNECT or STOMP.
        connecting,  ///< The credentials are being checked: nothing is read (S-AUTH-01).
        connected,
        failing,  ///< Refused; RECEIPTs of earlier frames are awaited, at most 2 s (P-ERR-02).
        disconnecting,  ///< DISCONNECT seen; what was queued before is flushed (P-RCPT-05).
        closing,        ///< closing() says how.
        ended,
    };

    Session(Shard& shard, Destinations& router, Authenticator& authenticator, Peer peer);
    ~Session();

    // For the transport.

    [[nodiscard]] Outbox& outbox() { return outbox_; }

    [[nodiscard]] const Outbox& outbox() const { return outbox_; }

    [[nodiscard]] State state() const { return state_; }

    /// CONNECTED has been queued, or it will never be.
    [[nodiscard]] bool is_connected() const {
        return state_ != State::accepted && state_ != State::connecting;
    }

    [[nodiscard]] protocol::Version version() const { return version_; }

    [[nodiscard]] const protocol::Agreed& heart_beats() const { return heart_beats_; }

    /// Null before CONNECTED.
    [[nodiscard]] const PrincipalRef& principal() const { return principal_; }

    [[nodiscard]] const std::string& user() const { return user_; }

    [[nodiscard]] const std::string& client_id() const { return client_id_; }

    [[nodiscard]] const Peer& peer() const { return peer_; }

    [[nodiscard]] Peer& peer() { return peer_; }

    [[nodiscard]] const std::string& name() const { return name_; }

    /// Tells sessions of all shards apart; never 0.
    [[nodiscard]] std::uint64_t number() const { return number_; }

    /// The refusal, for the log.
    [[nodiscard]] const protocol::Error& refusal() const { return refusal_; }

    [[nodiscard]] std::size_t subscription_count() const {
        shard_.assert_current();
        return subscriptions_.size();
    }

    [[nodiscard]] std::size_t outstanding() const {
        shard_.assert_current();
        return deliveries_.size();
    }

    /// Calls visit(const Outstanding&) for each delivery in a client mode that is not settled.
    template <class F>
    void for_each_outstanding(F visit) const {
        shard_.assert_current();
        deliveries_.for_each(visit);
    }

    [[nodiscard]] std::size_t transaction_count() const {
        shard_.assert_current();
        return transactions_.size();
    }

    template <class F>
    void for_each_subscription(F visit) const {
        shard_.assert_current();
        for (const auto& [key, subscription] : subscriptions_) {
            visit(std::as_const(*subscription));
        }
    }

    /// The version whose WebSocket sub-protocol was echoed; before the first frame.
    void set_sub_protocol(protocol::Version version) { sub_protocol_ = version; }

    /// Processes one frame, which must have been read while accepts_frames(). Afterwards look at
    /// may_read() and closing().
    void handle(const protocol::Frame& frame);

    [[nodiscard]] bool accepts_frames() const {
        return waits_ == 0 && (state_ == State::accepted || state_ == State::connected);
    }

    /// False while an answer from another shard is awaited, while the client does not take what it
    /// asked for (RECEIPTs are always queued), and when nothing more will be read.
    [[nodiscard]] bool may_read() const {
        return accepts_frames() && outbox_.ahead() <= outbox_.limits().outbound_bytes_max;
    }

    [[nodiscard]] const std::optional<Closing>& closing() const { return closing_; }

    /// RECEIPTs are still to come from other shards.
    [[nodiscard]] bool awaits_answers() const { return waits_ != 0 || !receipts_.empty(); }

    /// Octets left, or there is room again: settles automatic deliveries, encodes what waited.
    void flushed();
    /// Refuses: the one function that makes an ERROR frame and closes.
    void fail(
        protocol::Error error, std::string_view receipt = {}, std::string_view subscription = {}
    );
    /// Ends without ERROR, as the transport found it necessary (a dead peer; a shutdown over
    /// WebSocket, which waits for RECEIPTs that are still to come, at most 2 s).
    void close(protocol::ErrorCode reason);
    /// The peer leaves or is sent away without ERROR: serves nobody any more. Octets already
    /// encoded may still be sent; end() follows.
    void leave();
    /// The connection is gone: everything it held returns to its queues. Idempotent.
    void end();

    // For subscriptions and routers.

    /// Takes the connection's next delivery number for a delivery in a client mode.
    [[nodiscard]] std::uint64_t track(Subscription& subscription, const Delivery& delivery);
    /// The frame of delivery `number` ends where the encoded octets end now.
    void track_encoded(std::uint64_t number);
    /// Forgets a delivery that was not sent; false if the client has settled it, or a transaction
    /// has taken it.
    [[nodiscard]] bool untrack(std::uint64_t number);
    /// Settles `delivery` once the octets encoded so far have left.
    void track_unsent(Subscription& subscription, Delivery delivery);
    /// The subscription wants unblock() when the output has drained.
    void block(Subscription& subscription);
    /// Over budget, or stuck: the connection is cut at the next flush, not within a fan-out.
    void cut_slow_consumer(const std::string& destination);

    [[nodiscard]] Instant now() const { return shard_.now(); }

    [[nodiscard]] std::uint64_t wall_clock_ms() const { return shard_.wall_clock_ms(); }

    [[nodiscard]] Destinations& router() const { return router_; }

    /// A queue that it sent to is full: nothing more is read until unblock().
    void block();
    void unblock();

    /// The credentials are valid no longer (S-AUTH-12).
    void expire();
    /// Another access list holds, or the principal has other rights (S-ACL-11).
    void access_changed();
    /// Its place in the router's list; the router's own.
    std::size_t place = 0;

    /// Calls subscription.delay_is_over() after `delay`, if it still lives then.
    void delay(Subscription& subscription, std::chrono::milliseconds delay);
    /// The home shard's answer to a SEND. `is_stored`: once its store had it.
    void answered(
        std::uint64_t ticket, std::optional<protocol::Error> error, bool is_stored = false
    );

private:
    struct Unsent {
        std::uint64_t position = 0;
        Subscription* subscription = nullptr;
        Delivery delivery;
    };

    /// What CONNECT has settled already while its credentials are checked.
    struct Connecting {
        protocol::Version version = protocol::Version::v1_0;
        protocol::HeartBeat beats;
        std::string client_id;
        std::optional<std::string> request_id;
        LoginMethod method = LoginMethod::none;
        std::uint64_t since = 0;  ///< Shard::clock_us().
    };

    /// A SUBSCRIBE whose RECEIPT is behind others: nothing may reach it before (P-SUB-04).
    struct Starting {
        std::string key;
        std::shared_ptr<Subscription> subscription;
        std::uint64_t ticket = 0;
    };

    /// Waits for the answer to `ticket`, or, if that is 0, for the journal's batch `position`.
    struct PendingReceipt {
        std::string id;
        std::uint64_t ticket = 0;
        std::uint64_t position = 0;
        bool is_due = false;
        bool is_silent = false;   ///< Nothing is sent: DISCONNECT waits for it.
        bool is_stored = false;   ///< A store was waited for.
        std::uint32_t since = 0;  ///< As stamp_of(), if it is timed.
    };

    /// A shard that got messages. Of topics' it may have sent copies on to other shards.
    struct SentTo {
        unsigned shard = 0;
        bool has_topics = false;
    };

    /// The last SEND's derivations: hold for a SEND whose head is the same octets, or has the same
    /// headers but for what is the frame's own (receipt, transaction, content-length).
    struct Prepared {
        Route route;
        SendHead head;
        SendOptions options = {};
        bool is_plain = true;  ///< Neither receipt nor transaction.
        std::string headers =
            {};  ///< Names and values of the others, each with its size before it.

        void remember(const protocol::Send& request);
        [[nodiscard]] bool covers(const protocol::Send& request) const;
    };

    using Receipt = std::optional<std::string_view>;
    using Error = protocol::Error;

    void process(const protocol::Frame& frame);
    void on(const protocol::Connect& request);
    void on(const protocol::Send& request);
    void on(const protocol::Subscribe& request);
    void on(const protocol::Unsubscribe& request);
    void on(const protocol::Settle& request);
    void on(const protocol::Begin& request);
    void on(const protocol::Commit& request);
    void on(const protocol::Abort& request);
    void on(const protocol::Disconnect& request);

    // session.cpp
    void fail_with(protocol::Error error, const Receipt& receipt, std::string_view subscription);
    void authenticate(const protocol::Connect& request);
    void authenticated(protocol::Result<PrincipalRef> principal);
    void count_login(const protocol::Result<PrincipalRef>& principal);
    [[nodiscard]] bool take_seat(const Principal& principal);
    void send_connected(const std::optional<std::string>& request_id);
    void grant(const Receipt& receipt);
    void grant_stored(const Receipt& receipt, unsigned home);
    void await_journal();
    void stored();
    void note_home(unsigned home, bool is_topic = false);
    void await_homes();
    std::uint64_t expect(const Receipt& receipt);
    void end_receipts(std::size_t index, Error error);
    [[nodiscard]] std::uint32_t receipt_stamp();
    void push_receipt(std::string_view id);
    void push_due_receipts();
    void begin_failing();
    void finish_failing();
    void finish_disconnecting();
    void encode_waiting();
    void settle_sent();
    void drop_everything();
    void return_outstanding(bool is_lost = false);
    void finish_end();
    void set_closing(Closing closing);

    void refuse(const protocol::Error& error, const Receipt& receipt) {
        fail_with(error, receipt, {});
    }

    // session_access.cpp
    [[nodiscard]] bool may(Action action, const protocol::Destination& destination) const {
        return !access_ || access_->allows(action, destination);
    }

    [[nodiscard]] bool may(Action action, const protocol::Pattern& pattern) const;
    void set_access(Subscription& subscription, const protocol::Pattern& pattern) const;
    [[nodiscard]] std::optional<Error> check_publish(const protocol::Destination& destination
    ) const;
    [[nodiscard]] std::optional<Error> check_dead_letters(
        const QueueArguments& arguments, const std::string& queue
    ) const;
    [[nodiscard]] std::optional<Error> check_subscribe(
        const protocol::Pattern& pattern, const SubscriptionOptions& options
    ) const;
    [[nodiscard]] std::optional<Error> check_commit(const Transaction& transaction) const;

    // session_send.cpp
    [[nodiscard]] protocol::Result<Prepared> prepare(const protocol::Send& request);
    [[nodiscard]] protocol::Result<Prepared> prepare_to_user(
        const protocol::Send& request,
        const protocol::Destination& destination,
        const std::string& reply_to,
        SendOptions options
    );
    [[nodiscard]] protocol::Result<void> ask_home(Prepared& prepared) const;
    [[nodiscard]] protocol::Result<std::string> reply_address(const protocol::Send& request);
    void own(std::string queue);
    [[nodiscard]] MessageRef make_message(Prepared& prepared, std::string_view body, bool is_utf8);
    void publish(Prepared& prepared, std::string_view body, bool is_utf8, const Receipt& receipt);
    void buffer(Prepared& prepared, const protocol::Send& request);
    Transaction* transaction(std::string_view id, const Receipt& receipt, std::string_view command);
    bool count_in(Transaction& transaction, std::size_t bytes, const Receipt& receipt);
    void watch_transaction(std::string id, std::uint64_t serial);
    void committed(Transaction transaction, std::uint64_t ticket, std::optional<Error> error);
    [[nodiscard]] std::vector<unsigned> homes_of(const Transaction& transaction);
    void apply(const Transaction& transaction, GatheredWork& gathered);
    void undo(Transaction transaction);
    void abort_transactions();

    // session_subscribe.cpp
    [[nodiscard]] protocol::Result<SubscriptionOptions> wanted_options(
        const protocol::Subscribe& request, const protocol::Pattern& pattern
    ) const;
    void subscribe_new(
        std::string id,
        const protocol::Subscribe& request,
        const protocol::Pattern& pattern,
        const SubscriptionOptions& options
    );
    void begin_subscribing(
        std::string key, std::shared_ptr<Subscription> subscription, const Receipt& receipt
    );
    void connect(
        const std::string& key,
        const std::shared_ptr<Subscription>& subscription,
        std::uint64_t ticket
    );
    void connect_to_user(
        const std::shared_ptr<Subscription>& subscription,
        std::string_view key,
        std::uint64_t ticket
    );
    void connect_temporary(
        const std::shared_ptr<Subscription>& subscription, const protocol::Destination& name
    );
    void subscribed(
        const std::shared_ptr<Subscription>& subscription,
        std::uint64_t ticket,
        std::optional<protocol::Error> error
    );
    void replace(
        const std::string& key,
        const std::shared_ptr<Subscription>& subscription,
        std::uint64_t ticket
    );
    [[nodiscard]] std::shared_ptr<Subscription> find_replaced(
        const std::string& key, std::string_view destination
    ) const;
    std::shared_ptr<Subscription> remove_subscription(const std::string& key);
    [[nodiscard]] std::int64_t& subscribed_now(
        const protocol::Pattern& pattern, const SubscriptionOptions& options
    );
    void forget(const Subscription& subscription);
    bool check_subscription_limits(
        const protocol::Subscribe& request, const protocol::Pattern& pattern, bool is_durable
    );
    [[nodiscard]] protocol::Result<std::optional<DurableName>> deleted_durable(
        const protocol::Unsubscribe& request, const std::string& key
    );
    void bury(std::shared_ptr<Subscription> subscription);
    void forget_settled();

    // session_settle.cpp
    [[nodiscard]] protocol::Result<std::vector<std::uint64_t>> named_deliveries(
        const protocol::Settle& request
    );
    std::optional<unsigned> settle(
        const std::vector<std::uint64_t>& numbers,
        const Transaction::Settlement& how,
        GatheredWork* gathered
    );
    void watch_ack_time(Subscription& subscription);
    void check_ack_time(Subscription& subscription);

    // Constant after construction.
    Shard& shard_;
    Destinations& router_;
    Authenticator& authenticator_;
    Peer peer_;
    const std::string name_;  ///< CONNECTED's `session`.
    const std::uint64_t number_;

    // Lives on the shard.
    Outbox outbox_;
    State state_ = State::accepted;
    protocol::Version version_ = protocol::Version::v1_0;
    std::optional<protocol::Version> sub_protocol_;
    protocol::Agreed heart_beats_;
    std::unique_ptr<Connecting> connecting_;
    PrincipalRef principal_;
    AccessRef access_;  ///< Null: everything is allowed.
    std::string user_;
    std::string client_id_;
    std::optional<Closing> closing_;
    protocol::Error refusal_;
    std::optional<std::string> refusal_receipt_;
    std::string refusal_subscription_;
    bool is_seated_ = false;              ///< It counts as a connection of its user.
    bool is_quiet_ = false;               ///< It ends without ERROR.
    bool is_cut_ = false;                 ///< A slow consumer, to be failed at the next flush.
    unsigned commits_ = 0;                ///< COMMITs whose outcome is not known yet.
    unsigned blocks_ = 0;                 ///< Queues that hold it back; counted in waits_, too.
    std::vector<std::string> exclusive_;  ///< Queues to be removed with it.
    unsigned waits_ = 0;  ///< Answers of other shards without which no frame is read.

    std::map<std::string, std::shared_ptr<Subscription>, std::less<>> subscriptions_
        GUARDED_BY(shard_);
    std::vector<std::shared_ptr<Subscription>>
        buried_;  ///< Unsubscribed, with deliveries outstanding.
    std::size_t wildcards_ = 0;
    std::unique_ptr<Starting> starting_;
    std::unique_ptr<TemporaryDestinations> temporary_;
    Deliveries deliveries_ GUARDED_BY(shard_);
    Fifo<Unsent> unsent_;
    std::vector<std::weak_ptr<Subscription>> blocked_;
    std::map<std::string, Transaction, std::less<>> transactions_ GUARDED_BY(shard_);
    std::uint64_t last_serial_ = 0;
    Fifo<PendingReceipt> receipts_;
    std::uint64_t awaited_ = 0;    ///< The journal's batch that this session waits for.
    std::uint64_t sent_ = 0;       ///< The journal's batch with the last that it sent.
    std::vector<SentTo> sent_to_;  ///< Shards whose store may hold what it sent.
    std::uint64_t last_ticket_ = 0;
    std::optional<std::string> disconnect_receipt_;
    std::unique_ptr<Prepared> prepared_;
};

}  // namespace engine
