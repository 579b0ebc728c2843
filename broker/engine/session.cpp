#include "broker/engine/session.hpp"

#include "broker/engine/attendance.hpp"
#include "broker/engine/refusals.hpp"
#include "protocol/encoder.hpp"
#include "protocol/escape.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>

namespace engine {

namespace {

using protocol::Command;
using protocol::Error;
using protocol::ErrorCode;
using protocol::Header;
using protocol::LimitKey;
using protocol::Version;

constexpr std::chrono::milliseconds receipts_wait = std::chrono::seconds(2);  // P-ERR-02

std::string session_name(Shard& shard) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::array<std::byte, 16> octets;
    shard.random(octets);
    std::string name;
    for (const std::byte octet : octets) {
        name.push_back(hex[std::to_integer<unsigned>(octet) >> 4U]);
        name.push_back(hex[std::to_integer<unsigned>(octet) & 15U]);
    }
    return name;
}

// What CONNECTED may carry: `[!-9;-~]+` (P-CONN-09).
bool is_plain(std::string_view value) {
    const auto is_good = [](char c) { return c >= '!' && c <= '~' && c != ':'; };
    return !value.empty() && std::all_of(value.begin(), value.end(), is_good);
}

}  // namespace

Session::Session(Shard& shard, Destinations& router, Authenticator& authenticator, Peer peer)
    : shard_(shard),
      router_(router),
      authenticator_(authenticator),
      peer_(std::move(peer)),
      name_(session_name(shard)),
      number_(std::stoull(name_.substr(0, 16), nullptr, 16) | 1U),
      outbox_(router.output(), router.limits()) {}

Session::~Session() {
    assert(subscriptions_.empty() && "end() comes before destruction");
}

void Session::handle(const protocol::Frame& frame) {
    shard_.assert_current();
    assert(accepts_frames());
    // A publisher that repeats its head: nothing about it has to be looked at again.
    if (frame.repeats_head && prepared_ && prepared_->is_plain) {
        publish(*prepared_, frame.body, frame.is_utf8, std::nullopt);
    } else {
        process(frame);
    }
    if (state_ == State::connected) { return; }
    refusal_.trace = frame.find("traceparent").value_or("");
}

void Session::process(const protocol::Frame& frame) {
    const auto request = protocol::to_request(frame, version_, router_.limits().protocol);
    const Receipt receipt = frame.find("receipt");
    const bool is_connect = frame.command == Command::connect || frame.command == Command::stomp;
    if (is_connect != (state_ == State::accepted)) {
        return refuse(
            {ErrorCode::bad_state,
             is_connect ? "CONNECT on a session that is connected already."
                        : std::string(protocol::to_string(frame.command)) + " before CONNECT.",
             is_connect ? "Open a new connection for a new session."
                        : "Send CONNECT first and wait for CONNECTED.",
             is_connect ? "P-CONN-03" : "P-CONN-01"},
            is_connect ? std::nullopt : receipt
        );
    }
    if (!request) {
        const bool is_short = receipt && receipt->size() <= router_.limits().protocol.id_bytes_max;
        return refuse(request.error(), is_short && !is_connect ? receipt : std::nullopt);
    }
    std::visit([this](const auto& typed) { on(typed); }, *request);
}

void Session::on(const protocol::Connect& request) {
    const auto version = protocol::negotiate(request.accept_version, sub_protocol_);
    if (!version) {
        return fail(
            {ErrorCode::version_unsupported,
             "No STOMP version in common: the client offers " +
                 protocol::quoted(*request.accept_version) + ".",
             "Offer at least one of 1.0, 1.1 and 1.2 in accept-version.",
             "P-VER-03"}
        );
    }
    if (router_.limits().protocol.strict && !request.host && *version != Version::v1_0) {
        return fail(
            {ErrorCode::missing_header,
             "CONNECT has no header host.",
             "Add the header host.",
             "P-CONN-05"}
        );
    }
    const auto beats = protocol::parse_heart_beat(request.heart_beat);
    if (!beats) { return fail(beats.error()); }
    const bool has_blank = request.heart_beat && request.heart_beat->find(' ') != std::string::npos;
    if (router_.limits().protocol.strict && has_blank) {
        return fail(
            {ErrorCode::bad_header,
             "The header heart-beat has blanks: " + protocol::quoted(*request.heart_beat) + ".",
             "Write it without, such as heart-beat:10000,10000.",
             "P-HB-01"}
        );
    }
    connecting_ = std::make_unique<Connecting>();
    connecting_->version = *version;
    connecting_->beats = *beats;
    connecting_->client_id = request.client_id.value_or("");
    if (request.request_id) { connecting_->request_id = *request.request_id; }
    authenticate(request);
}

void Session::authenticate(const protocol::Connect& request) {
    const auto secret = [](const std::optional<std::string_view>& text) {
        return text ? std::make_shared<const Secret>(*text) : SecretRef();
    };
    Credentials credentials;
    if (request.login) { credentials.login = std::string(*request.login); }
    credentials.passcode = secret(request.passcode);
    credentials.authorization = secret(request.authorization);
    credentials.peer = peer_;
    credentials.client_id = connecting_->client_id;
    credentials.host = request.host.value_or("");
    credentials.session = name_;
    drop_unwanted(credentials);
    peer_.authorization.reset();
    peer_.listener = {};
    peer_.origin = {};
    peer_.certificate.reset();
    connecting_->method = login_method(credentials);
    connecting_->since = shard_.clock_us();
    state_ = State::connecting;
    ++waits_;
    authenticator_.authenticate(
        shard_,
        std::move(credentials),
        [weak = weak_from_this()](protocol::Result<PrincipalRef> principal) {
            if (const auto self = weak.lock()) { self->authenticated(std::move(principal)); }
        }
    );
}

// The client may have left meanwhile, or have been sent away for being late.
void Session::authenticated(protocol::Result<PrincipalRef> principal) {
    shard_.assert_current();
    if (state_ != State::connecting) { return; }
    if (waits_ > 0) { --waits_; }
    count_login(principal);
    if (!principal) { return fail(principal.error()); }
    if (!take_seat(**principal)) { return; }
    const auto connecting = std::exchange(connecting_, nullptr);
    version_ = connecting->version;
    principal_ = std::move(*principal);
    user_ = principal_->user;
    access_ = router_.access_of(principal_);
    router_.join(*this);
    client_id_ = std::move(connecting->client_id);
    heart_beats_ = protocol::agree(connecting->beats, version_, router_.limits().heart_beat);
    state_ = State::connected;
    send_connected(connecting->request_id);
    outbox_.mark_dirty();
    if (principal_->expires_at != 0) { router_.expiry_watch().add(*this, principal_->expires_at); }
}

void Session::count_login(const protocol::Result<PrincipalRef>& principal) {
    const LoginMethod method = principal ? method_of((*principal)->voucher) : connecting_->method;
    LoginCounters& logins = router_.counters().logins[static_cast<std::size_t>(method)];
    ++(principal ? logins.accepted : logins.refused);
    logins.time.observe((shard_.clock_us() - connecting_->since) / 1000);
}

bool Session::take_seat(const Principal& principal) {
    Attendance* const attendance = router_.attendance();
    if (attendance == nullptr || !is_own_name(principal.voucher)) { return true; }
    if (attendance->enter(principal.user)) {
        is_seated_ = true;
        return true;
    }
    fail(
        {ErrorCode::limit_connections,
         "The user " + protocol::quoted(principal.user) +
             " has as many connections as it may have.",
         "Close some, or let the operator raise limits.connections_per_user.",
         "S-RATE-01",
         LimitKey::connections_per_user}
    );
    return false;
}

void Session::expire() {
    fail(
        {ErrorCode::token_expired,
         "The token or certificate that this connection was opened with has expired.",
         "Connect again with a new one.",
         "S-AUTH-12"}
    );
}

void Session::send_connected(const std::optional<std::string>& request_id) {
    const std::string beats = std::to_string(heart_beats_.answer.can_send) + "," +
                              std::to_string(heart_beats_.answer.wants);
    constexpr std::string_view server = "stampede/" STAMPEDE_VERSION;
    std::vector<Header> headers = {
        {"version", protocol::to_string(version_)},
        {"session", name_},
        {"server", router_.limits().hide_version ? server.substr(0, server.find('/')) : server},
        {"heart-beat", beats},
    };
    if (is_plain(user_)) { headers.push_back({"user-name", user_}); }
    if (request_id && is_plain(*request_id)) { headers.push_back({"response-id", *request_id}); }
    std::string frame;
    protocol::append_frame(frame, Command::connected, headers, {}, version_);
    ++router_.counters().connected;
    outbox_.push_control(frame);
}

void Session::push_receipt(std::string_view id) {
    ++router_.counters().receipts;
    std::string frame = "RECEIPT\n";
    protocol::append_header(frame, "receipt-id", id, version_);
    frame.append("\n\0", 2);
    outbox_.push_control(frame);
}

// RECEIPTs leave in the order of the frames that asked for them (P-RCPT-04).
void Session::grant(const Receipt& receipt) {
    if (!receipt) { return; }
    const std::uint32_t since = receipt_stamp();
    if (!receipts_.empty()) {
        return receipts_.push_back({std::string(*receipt), 0, 0, true, false, false, since});
    }
    if (since != 0) { router_.counters().receipt_time.observe(0); }
    push_receipt(*receipt);
}

// One RECEIPT of a turn is timed: not 0.
std::uint32_t Session::receipt_stamp() {
    if (!router_.output().times_receipt) { return 0; }
    router_.output().times_receipt = false;
    return stamp_of(shard_);
}

// Sends the RECEIPT once all that this session has asked of shard `home` so far is stored
// (P-RCPT-02, D contract 1).
void Session::grant_stored(const Receipt& receipt, unsigned home) {
    if (home != shard_.index()) {
        note_home(home);
        if (!receipt) { return; }
        router_.await_store(home, {Remote<Session>(shard_, shared_from_this()), expect(receipt)});
        return;
    }
    sent_ = router_.journal().position();
    if (!receipt) { return; }
    if (router_.journal().is_stored(sent_)) { return grant(receipt); }
    receipts_.push_back({std::string(*receipt), 0, sent_, false, false, true, receipt_stamp()});
    await_journal();
}

void Session::await_journal() {
    const std::uint64_t position = router_.journal().position();
    if (awaited_ == position) { return; }
    awaited_ = position;
    router_.journal().when_stored([weak = weak_from_this()] {
        if (const auto self = weak.lock()) { self->stored(); }
    });
}

void Session::stored() {
    shard_.assert_current();
    if (state_ == State::closing || state_ == State::ended) { return; }
    const Journal& journal = router_.journal();
    for (std::size_t i = 0; i < receipts_.size(); ++i) {
        PendingReceipt& pending = receipts_[i];
        if (pending.position == 0 || pending.is_due) { continue; }
        if (journal.is_stored(pending.position)) {
            pending.is_due = true;
        } else if (journal.has_failed()) {
            return end_receipts(i, storage_failed());
        } else {
            break;
        }
    }
    push_due_receipts();
}

void Session::note_home(unsigned home, bool is_topic) {
    const auto is_it = [home](const SentTo& other) { return other.shard == home; };
    const auto found = std::find_if(sent_to_.begin(), sent_to_.end(), is_it);
    if (found == sent_to_.end()) { return sent_to_.push_back({home, is_topic}); }
    found->has_topics = found->has_topics || is_topic;
}

// The RECEIPT of DISCONNECT says that all before it is stored (D contract 8).
void Session::await_homes() {
    Journal& journal = router_.journal();
    if (!journal.has_store()) { return; }
    for (const SentTo& to : sent_to_) {
        const std::uint64_t ticket = expect(std::string_view());
        receipts_.back().is_silent = true;
        const ReplyTo reply{Remote<Session>(shard_, shared_from_this()), ticket, true};
        router_.await_store(to.shard, reply, to.has_topics);
        if (state_ != State::connected) { return; }
    }
    if (journal.is_stored(sent_)) { return; }
    receipts_.push_back({{}, 0, sent_, false, true});
    if (journal.has_failed()) { return stored(); }
    await_journal();
}

// A RECEIPT that waits for an answer with this ticket.
std::uint64_t Session::expect(const Receipt& receipt) {
    const std::uint64_t ticket = ++last_ticket_;
    if (receipt) {
        const std::uint32_t since = receipt_stamp();
        receipts_.push_back({std::string(*receipt), ticket, 0, false, false, false, since});
    }
    return ticket;
}

void Session::answered(std::uint64_t ticket, std::optional<Error> error, bool is_stored) {
    shard_.assert_current();
    // Nothing follows the last frame.
    if (state_ == State::closing || state_ == State::ended) { return; }
    for (std::size_t i = 0; i < receipts_.size(); ++i) {
        if (receipts_[i].ticket != ticket) { continue; }
        if (error) { return end_receipts(i, std::move(*error)); }
        receipts_[i].is_due = true;
        receipts_[i].is_stored = is_stored;
        break;
    }
    if (!error) { return push_due_receipts(); }
    end_receipts(receipts_.size(), std::move(*error));
}

// The frame whose RECEIPT is at `index` has failed, or one without: what was asked for later is not
// answered any more.
void Session::end_receipts(std::size_t index, Error error) {
    std::optional<std::string> receipt;
    if (index < receipts_.size()) {
        PendingReceipt& pending = receipts_[index];
        if (pending.is_silent) {
            receipt = disconnect_receipt_;
        } else {
            receipt = std::move(pending.id);
        }
        starting_.reset();
        while (receipts_.size() > index) {
            receipts_.pop_back();
        }
    }
    if (state_ != State::failing) { return refuse(error, receipt); }
    // The frame that failed came before the one that is being refused: its failure counts.
    refusal_ = std::move(error);
    refusal_receipt_ = std::move(receipt);
    refusal_subscription_.clear();
    is_quiet_ = false;
    push_due_receipts();
}

void Session::push_due_receipts() {
    while (!receipts_.empty() && receipts_.front().is_due) {
        const PendingReceipt due = receipts_.pop_front();
        if (due.is_silent) { continue; }
        if (due.since != 0) {
            Counters& counters = router_.counters();
            (due.is_stored ? counters.stored_receipt_time : counters.receipt_time)
                .observe(time_since(shard_, due.since));
        }
        push_receipt(due.id);
    }
    if (starting_ && receipts_.front().ticket == starting_->ticket) {
        const auto starting = std::exchange(starting_, nullptr);
        return connect(starting->key, starting->subscription, starting->ticket);
    }
    if (!receipts_.empty()) { return; }
    receipts_.idle();
    if (state_ == State::failing) { finish_failing(); }
    if (state_ == State::disconnecting) { finish_disconnecting(); }
}

void Session::fail(Error error, std::string_view receipt, std::string_view subscription) {
    fail_with(
        std::move(error), receipt.empty() ? std::nullopt : std::optional(receipt), subscription
    );
}

void Session::fail_with(Error error, const Receipt& receipt, std::string_view subscription) {
    if (state_ == State::failing || state_ == State::closing || state_ == State::ended) { return; }
    refusal_ = std::move(error);
    refusal_receipt_.reset();
    // Before CONNECTED nobody knows how to write what needs escapes (P-ERR-03).
    if (receipt && (is_connected() || !protocol::needs_escape(*receipt))) {
        refusal_receipt_ = std::string(*receipt);
    }
    refusal_subscription_ = subscription;
    is_quiet_ = false;
    begin_failing();
}

void Session::begin_failing() {
    drop_everything();
    return_outstanding();
    state_ = State::failing;
    outbox_.mark_dirty();
    if (receipts_.empty()) { return finish_failing(); }
    shard_.after(receipts_wait, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->state_ == State::failing) { self->finish_failing(); }
    });
}

void Session::finish_failing() {
    router_.counters().count(refusal_);
    if (is_quiet_) {
        return set_closing({protocol::close_code(refusal_.code), refusal_.code, false, false});
    }
    std::string body = refusal_.what + "\n" + refusal_.remedy + "\n";
    if (router_.limits().protocol.strict && !refusal_.rule.empty()) {
        body += std::string(refusal_.rule) + "\n";
    }
    const std::string length = std::to_string(body.size());
    std::vector<Header> headers = {
        {"message", protocol::token(refusal_.code)},
        {"content-type", "text/plain"},
        {"content-length", length}};
    if (refusal_.code == ErrorCode::version_unsupported) {
        headers.push_back({"version", "1.0,1.1,1.2"});
    }
    ++router_.counters().errors;
    if (refusal_receipt_) {
        ++router_.counters().receipts_refused;
        headers.push_back({"receipt-id", *refusal_receipt_});
    }
    if (!refusal_subscription_.empty()) {
        headers.push_back({"subscription", refusal_subscription_});
    }
    std::string frame;
    protocol::append_frame(frame, Command::error, headers, body, version_);
    outbox_.push_control(frame);
    set_closing({protocol::close_code(refusal_.code), refusal_.code, true, false});
}

// RECEIPTs of what is being stored still go out, unless nobody is there to read them.
void Session::close(ErrorCode reason) {
    if (state_ == State::closing || state_ == State::ended) { return; }
    // Its ERROR is on the way already.
    if (state_ == State::failing && reason == ErrorCode::shutdown) { return; }
    refusal_.code = reason;
    is_quiet_ = true;
    if (reason == ErrorCode::shutdown) { return begin_failing(); }
    drop_everything();
    return_outstanding();
    finish_failing();
}

void Session::set_closing(Closing closing) {
    state_ = State::closing;
    closing_ = closing;
    outbox_.mark_dirty();
}

void Session::cut_slow_consumer(const std::string& destination) {
    if (is_cut_ || state_ != State::connected) { return; }
    is_cut_ = true;
    refusal_ = {
        ErrorCode::slow_consumer,
        "This connection does not read fast enough: more than " +
            std::to_string(router_.limits().outbound_bytes_max) + " octets are pending, last for " +
            protocol::quoted(destination) + ".",
        "Read faster, subscribe to less, use acknowledgements with a small prefetch-count, or let "
        "the operator choose "
        "a slow_consumer policy that drops messages or raise limits.outbound_bytes.",
        "P-LIM-03",
        LimitKey::outbound_bytes,
        false,
        destination};
    outbox_.mark_dirty();
}

// No new message is dispatched; what waits already is still sent (P-RCPT-05).
void Session::on(const protocol::Disconnect& request) {
    shard_.assert_current();
    disconnect_receipt_ =
        request.receipt ? std::optional<std::string>(*request.receipt) : std::nullopt;
    abort_transactions();
    for (const auto& [key, subscription] : subscriptions_) {
        subscription->stop();
    }
    await_homes();
    outbox_.mark_dirty();
    if (state_ != State::connected) { return; }
    state_ = State::disconnecting;
    finish_disconnecting();
}

// After all that was queued before: the RECEIPT is the last frame (P-RCPT-05).
void Session::finish_disconnecting() {
    if (outbox_.is_waiting() || !receipts_.empty()) { return; }
    drop_everything();
    return_outstanding();
    if (disconnect_receipt_) { push_receipt(*disconnect_receipt_); }
    set_closing({1000, ErrorCode::shutdown, false, true});
}

void Session::leave() {
    if (state_ == State::closing || state_ == State::ended) { return; }
    drop_everything();
    return_outstanding();
    state_ = State::closing;
}

void Session::flushed() {
    shard_.assert_current();
    if (is_cut_ && state_ == State::connected) { return fail(Error(refusal_)); }
    settle_sent();
    if (state_ == State::ended) { return; }
    encode_waiting();
    if (state_ == State::disconnecting) { finish_disconnecting(); }
    if (blocked_.empty() || outbox_.queued() > router_.limits().outbound_bytes_max / 2) { return; }
    for (const auto& weak : std::exchange(blocked_, {})) {
        if (const auto subscription = weak.lock()) { subscription->unblock(); }
    }
}

// Automatic deliveries are settled once their last octet has left (P-ACK-01).
void Session::settle_sent() {
    const std::uint64_t sent = outbox_.sent_total();
    while (!unsent_.empty() && unsent_.front().position <= sent) {
        Subscription* const subscription = unsent_.front().subscription;
        Settled settled;
        while (!unsent_.empty() && unsent_.front().position <= sent &&
               unsent_.front().subscription == subscription) {
            settled.add(unsent_.pop_front().delivery);
        }
        subscription->unsent -= settled.messages;
        subscription->settled_automatically(std::move(settled));
    }
    forget_settled();
}

void Session::encode_waiting() {
    while (outbox_.is_waiting() && outbox_.has_room()) {
        Waiting waiting = outbox_.take_waiting();
        if (waiting.subscription == nullptr) { break; }
        Subscription* const subscription = waiting.subscription;
        subscription->resume(std::move(waiting));
    }
}

std::uint64_t Session::track(Subscription& subscription, const Delivery& delivery) {
    shard_.assert_current();
    if (subscription.outstanding() == 1) {
        subscription.last_settled = shard_.now();
        watch_ack_time(subscription);
    }
    return deliveries_.add(subscription, delivery);
}

void Session::track_encoded(std::uint64_t number) {
    shard_.assert_current();
    Outstanding* const record = deliveries_.find(number);
    if (record != nullptr) { record->end = outbox_.encoded_total(); }
}

bool Session::untrack(std::uint64_t number) {
    shard_.assert_current();
    const Outstanding* const record = deliveries_.find(number);
    if (record == nullptr || record->transaction != 0) { return false; }
    (void)deliveries_.remove(number);
    return true;
}

void Session::track_unsent(Subscription& subscription, Delivery delivery) {
    ++subscription.unsent;
    unsent_.push_back({outbox_.encoded_total(), &subscription, std::move(delivery)});
}

void Session::block(Subscription& subscription) {
    blocked_.push_back(subscription.weak_from_this());
}

// Nothing is delivered or routed for this session any more; what is encoded stays.
void Session::drop_everything() {
    shard_.assert_current();
    abort_transactions();
    if (starting_) {
        starting_.reset();
        receipts_.pop_back();
    }
    while (!subscriptions_.empty()) {
        remove_subscription(subscriptions_.begin()->first);
    }
    waits_ = 0;
    blocks_ = 0;
}

void Session::block() {
    if (state_ != State::connected) { return; }
    ++blocks_;
    ++waits_;
}

void Session::unblock() {
    if (blocks_ == 0) { return; }
    --blocks_;
    --waits_;
    outbox_.mark_dirty();
}

// What will not be settled any more goes back, the oldest first (P-ACK-08). Of a connection that is
// lost, what never left goes back as if it had not been delivered.
void Session::return_outstanding(bool is_lost) {
    shard_.assert_current();
    std::map<Subscription*, std::vector<Delivery>> unsent;
    while (is_lost && !unsent_.empty()) {
        Unsent next = unsent_.pop_front();
        --next.subscription->unsent;
        unsent[next.subscription].push_back(std::move(next.delivery));
    }
    for (const auto& subscription : buried_) {
        std::vector<Delivery> unseen;
        if (is_lost) { unseen = deliveries_.remove_all_of(*subscription, outbox_.sent_total()); }
        std::vector<Delivery> counted = deliveries_.remove_all_of(*subscription);
        subscription->outstanding_no_more(unseen);
        subscription->outstanding_no_more(counted);
        auto& automatic = unsent[subscription.get()];
        std::move(automatic.begin(), automatic.end(), std::back_inserter(unseen));
        subscription->give_back(std::move(counted), std::move(unseen));
    }
    forget_settled();
}

void Session::end() {
    if (state_ == State::ended) { return; }
    if (principal_) {
        router_.leave(*this);
        if (principal_->expires_at != 0) { router_.expiry_watch().remove(*this); }
        if (is_seated_) { router_.attendance()->leave(user_); }
    }
    settle_sent();
    drop_everything();
    return_outstanding(true);
    (void)outbox_.withdraw_all();
    state_ = State::ended;
    receipts_ = {};
    blocked_.clear();
    prepared_.reset();
    finish_end();
}

// What a COMMIT under way still needs outlives the end until its outcome is known.
void Session::finish_end() {
    if (commits_ != 0) { return; }
    return_outstanding();
    for (const auto& subscription : buried_) {
        subscription->detach();
    }
    buried_.clear();
    temporary_.reset();
    for (const std::string& name : std::exchange(exclusive_, {})) {
        router_.delete_exclusive(name, number_);
    }
}

}  // namespace engine
