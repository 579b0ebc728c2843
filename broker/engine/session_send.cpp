// Session: SEND and transactions.
#include "broker/engine/refusals.hpp"
#include "broker/engine/send_head.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/user_destination.hpp"

#include <algorithm>
#include <cstring>

namespace engine {

namespace {

using protocol::DestinationKind;
using protocol::Error;
using protocol::ErrorCode;
using protocol::LimitKey;
using protocol::Result;

bool is_temporary(DestinationKind kind) {
    return kind == DestinationKind::temp_queue || kind == DestinationKind::temp_topic;
}

bool is_frames_own(const protocol::Header& header) {
    return header.name == "receipt" || header.name == "transaction" ||
           header.name == "content-length";
}

void put_sized(std::string& out, std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&size), sizeof size);
    out.append(text);
}

// Takes `text`, as put_sized() wrote it, off the front of `rest`; false if it is not there.
bool take_sized(std::string_view& rest, std::string_view text) {
    std::uint32_t size = 0;
    if (rest.size() < sizeof size + text.size()) { return false; }
    std::memcpy(&size, rest.data(), sizeof size);
    if (size != text.size() || rest.substr(sizeof size, size) != text) { return false; }
    rest.remove_prefix(sizeof size + size);
    return true;
}

}  // namespace

void Session::Prepared::remember(const protocol::Send& request) {
    for (const protocol::Header& header : request.headers) {
        if (is_frames_own(header)) { continue; }
        put_sized(headers, header.name);
        put_sized(headers, header.value);
    }
}

// A publisher that wants receipts repeats everything but their ids.
bool Session::Prepared::covers(const protocol::Send& request) const {
    std::string_view rest = headers;
    for (const protocol::Header& header : request.headers) {
        if (is_frames_own(header)) { continue; }
        if (!take_sized(rest, header.name) || !take_sized(rest, header.value)) { return false; }
    }
    return rest.empty();
}

// SEND path, stop 3 of 7.
void Session::on(const protocol::Send& request) {
    if (!prepared_ || !(request.repeats_head || prepared_->covers(request))) {
        prepared_.reset();
        auto prepared = prepare(request);
        if (!prepared) { return refuse(prepared.error(), request.receipt); }
        if (const auto good = ask_home(*prepared); !good) {
            return refuse(good.error(), request.receipt);
        }
        prepared_ = std::make_unique<Prepared>(std::move(*prepared));
        prepared_->remember(request);
    }
    prepared_->is_plain = !request.receipt && !request.transaction;
    return request.transaction
               ? buffer(*prepared_, request)
               : publish(*prepared_, request.body, request.is_utf8, request.receipt);
}

Result<Session::Prepared> Session::prepare(const protocol::Send& request) {
    const auto destination =
        protocol::parse_destination(request.destination, router_.limits().protocol);
    if (!destination) { return destination.error(); }
    if (auto error = check_publish(*destination)) { return *std::move(error); }
    const auto reply_to = reply_address(request);
    if (!reply_to) { return reply_to.error(); }
    const bool is_user = destination->kind == DestinationKind::user;
    const bool is_queue = !is_user && destination->kind != DestinationKind::topic &&
                          destination->kind != DestinationKind::temp_topic;
    auto options = send_options(request, is_queue, is_user);
    if (!options) { return options.error(); }
    if (is_user) { return prepare_to_user(request, *destination, *reply_to, std::move(*options)); }
    const HeadContext context{request.destination, is_queue, false, user_, *reply_to, number()};
    SendHead head = make_send_head(request, *options, context);
    Prepared prepared{{}, std::move(head), std::move(*options)};
    if (is_temporary(destination->kind)) {
        if (!temporary_) { temporary_ = std::make_unique<TemporaryDestinations>(router_); }
        const auto temporary = temporary_->open(*destination);
        if (!temporary) { return temporary.error(); }
        prepared.route = (*temporary)->route;
        return prepared;
    }
    if (destination->kind == DestinationKind::reply_queue) {
        prepared.route = router_.reply_route(destination->key);
        return prepared;
    }
    if (auto error = check_dead_letters(prepared.options.arguments, destination->canonical())) {
        return *std::move(error);
    }
    const Asker asker{number(), may(Action::create, *destination)};
    auto route =
        router_.route(*destination, prepared.options.arguments, asker, prepared.options.retain);
    if (!route) { return route.error(); }
    if (prepared.options.arguments.exclusive == true) { own(destination->canonical()); }
    prepared.route = std::move(*route);
    prepared.head.facts.policy = prepared.route.policy;
    return prepared;
}

// To the connections of a user, wherever they are (P-USER-02).
Result<Session::Prepared> Session::prepare_to_user(
    const protocol::Send& request,
    const protocol::Destination& destination,
    const std::string& reply_to,
    SendOptions options
) {
    const UserAddress address = UserAddress::of(destination.key, options.session);
    const HeadContext context{address.destination, false, true, user_, reply_to, number()};
    SendHead head = make_send_head(request, options, context);
    Prepared prepared{router_.nowhere(), std::move(head), std::move(options)};
    if (address.topic.empty()) { return prepared; }
    auto route = router_.route(address.name());
    if (!route) { return route.error(); }
    prepared.route = std::move(*route);
    return prepared;
}

// What the destination's home is asked beyond routing (P-QOS-03, -06).
Result<void> Session::ask_home(Prepared& prepared) const {
    const SendOptions& options = prepared.options;
    if (!options.delay && options.dedup_id.empty()) { return {}; }
    const auto now = static_cast<std::int64_t>(shard_.wall_clock_ms());
    auto asked = asked_by(options, user_, number_, now);
    if (!asked) { return asked.error(); }
    prepared.route.asked = std::move(*asked);
    return {};
}

// The address that replaces a private `reply-to`, which also gets its implicit subscription
// (P-TEMP-02); else empty.
Result<std::string> Session::reply_address(const protocol::Send& request) {
    for (const protocol::Header& header : request.headers) {
        if (header.name != "reply-to" || !header.value.starts_with("/temp-")) { continue; }
        const auto name = protocol::parse_destination(header.value, router_.limits().protocol);
        if (!name) { return name.error(); }
        if (!is_temporary(name->kind)) { break; }
        if (!may(Action::subscribe, *name)) {
            return router_.denied(Action::subscribe, name->canonical());
        }
        if (!temporary_) { temporary_ = std::make_unique<TemporaryDestinations>(router_); }
        const auto temporary = temporary_->open(*name);
        if (!temporary) { return temporary.error(); }
        const auto is_its_own = [&](const auto& entry) {
            return entry.second->destination() == header.value;
        };
        shard_.assert_current();
        if (std::none_of(subscriptions_.begin(), subscriptions_.end(), is_its_own)) {
            const std::string id(header.value);
            const auto subscription =
                std::make_shared<Subscription>(*this, id, id, SubscriptionOptions{});
            subscription->is_implicit = true;
            begin_subscribing("i" + id, subscription, std::nullopt);
        }
        return "/reply-queue/" + (*temporary)->token;
    }
    return std::string();
}

void Session::publish(
    Prepared& prepared, std::string_view body, bool is_utf8, const Receipt& receipt
) {
    if (prepared.route.queue && prepared.route.queue->is_dropped()) {
        auto renewed = router_.complete(prepared.route);
        if (!renewed) { return refuse(renewed.error(), receipt); }
        prepared.route = std::move(*renewed);
    }
    // One place for each policy is there from the start.
    ++router_.counters().policies.data()[prepared.head.facts.policy].published;
    const MessageRef message = make_message(prepared, body, is_utf8);
    ReplyTo reply;
    const bool is_answered_later = router_.is_answered_later(prepared.route);
    if (is_answered_later) {
        note_home(prepared.route.home, !prepared.route.name->is_queue);
        reply.session = Remote<Session>(shard_, shared_from_this());
        reply.wants_success = receipt.has_value();
        reply.ticket = expect(receipt);
    }
    const auto published = router_.publish(prepared.route, message, reply);
    if (!published) { return refuse(published.error(), receipt); }
    if (is_answered_later) { return; }
    const auto& queue = prepared.route.queue;
    if (queue && queue->wants_to_block()) {
        queue->block(Remote<Session>(shard_, shared_from_this()));
        block();
    }
    return *published == Published::stored ? grant_stored(receipt, shard_.index()) : grant(receipt);
}

// An exclusive queue goes with the connection, unless it belongs to another.
void Session::own(std::string queue) {
    if (std::find(exclusive_.begin(), exclusive_.end(), queue) != exclusive_.end()) { return; }
    exclusive_.push_back(std::move(queue));
}

MessageRef Session::make_message(Prepared& prepared, std::string_view body, bool is_utf8) {
    if (prepared.options.expires()) {
        const auto now = static_cast<std::int64_t>(shard_.wall_clock_ms());
        set_expiry(prepared.head, prepared.options.expiry(now));
    }
    return router_.make_message(prepared.head, body, is_utf8);
}

void Session::buffer(Prepared& prepared, const protocol::Send& request) {
    Transaction* const open = transaction(*request.transaction, request.receipt, "SEND");
    if (open == nullptr) { return; }
    ++router_.counters().policies.data()[prepared.head.facts.policy].published;
    MessageRef message = make_message(prepared, request.body, request.is_utf8);
    if (!count_in(*open, message->size(), request.receipt)) { return; }
    open->sends.push_back({prepared.route, std::move(message)});
    grant(request.receipt);
}

// The open transaction `id`, or null after a refusal.
Transaction* Session::transaction(
    std::string_view id, const Receipt& receipt, std::string_view command
) {
    shard_.assert_current();
    const auto found = transactions_.find(id);
    if (found != transactions_.end()) {
        found->second.last_used = shard_.now();
        return &found->second;
    }
    refuse(
        {ErrorCode::bad_state,
         std::string(command) + " names the transaction " + protocol::quoted(id) +
             ", which is not open.",
         "Send BEGIN with that transaction first; COMMIT and ABORT end it.",
         "P-TX-01"},
        receipt
    );
    return nullptr;
}

bool Session::count_in(Transaction& open, std::size_t bytes, const Receipt& receipt) {
    const Limits& limits = router_.limits();
    ++open.frames;
    open.bytes += bytes;
    const bool is_long = open.frames > limits.transaction_frames_max;
    if (!is_long && open.bytes <= limits.transaction_bytes_max) { return true; }
    refuse(
        {ErrorCode::limit_transaction,
         "A transaction holds more than " + std::to_string(limits.transaction_frames_max) +
             " frames or " + std::to_string(limits.transaction_bytes_max) + " octets.",
         "Commit in smaller portions, or raise limits.transaction_frames or "
         "limits.transaction_bytes.",
         "P-TX-07",
         is_long ? LimitKey::transaction_frames : LimitKey::transaction_bytes},
        receipt
    );
    return false;
}

void Session::on(const protocol::Begin& request) {
    shard_.assert_current();
    if (transactions_.contains(request.transaction)) {
        return refuse(
            {ErrorCode::bad_state,
             "BEGIN of the transaction " + protocol::quoted(request.transaction) +
                 ", which is open already.",
             "Use another id, or COMMIT or ABORT the first.",
             "P-TX-01"},
            request.receipt
        );
    }
    if (transactions_.size() >= router_.limits().transactions_max) {
        return refuse(
            {ErrorCode::limit_transaction,
             "More than " + std::to_string(router_.limits().transactions_max) +
                 " transactions are open.",
             "COMMIT or ABORT some, or raise limits.transactions.",
             "P-TX-07",
             LimitKey::transactions},
            request.receipt
        );
    }
    Transaction& open = transactions_[std::string(request.transaction)];
    ++router_.counters().transactions_open;
    open.serial = ++last_serial_;
    open.last_used = shard_.now();
    watch_transaction(std::string(request.transaction), open.serial);
    grant(request.receipt);
}

// Refuses when nobody has named the transaction for too long (P-TX-07).
void Session::watch_transaction(std::string id, std::uint64_t serial) {
    shard_.assert_current();
    const auto found = transactions_.find(id);
    if (found == transactions_.end() || found->second.serial != serial) { return; }
    const auto idle = shard_.now() - found->second.last_used;
    const auto limit = router_.limits().transaction_idle;
    if (idle >= limit) {
        return fail(
            {ErrorCode::limit_transaction,
             "The transaction " + protocol::quoted(id) + " was idle for " +
                 std::to_string(limit.count()) + " ms.",
             "COMMIT or ABORT sooner, or raise limits.transaction_idle.",
             "P-TX-07",
             LimitKey::transaction_idle}
        );
    }
    shard_.after(limit - idle, [weak = weak_from_this(), id = std::move(id), serial] {
        if (const auto self = weak.lock()) { self->watch_transaction(id, serial); }
    });
}

void Session::on(const protocol::Commit& request) {
    Transaction* const open = transaction(request.transaction, request.receipt, "COMMIT");
    if (open == nullptr) { return; }
    if (const auto error = check_commit(*open)) { return refuse(*error, request.receipt); }
    shard_.assert_current();
    // Kept until its SENDs are in place: a refusal aborts it as a whole.
    const auto taken = std::make_shared<Transaction>(std::move(*open));
    transactions_.erase(transactions_.find(request.transaction));
    --router_.counters().transactions_open;
    const std::uint64_t ticket = expect(request.receipt);
    ++waits_;
    ++commits_;
    Commitment commitment;
    commitment.sends = std::exchange(taken->sends, {});
    commitment.settlement_homes = homes_of(*taken);
    // The session stays until the outcome is known, so that its acknowledgements share it.
    commitment.settle = [self = shared_from_this(), taken](GatheredWork& gathered) {
        self->apply(*taken, gathered);
    };
    commitment.applied = [self = shared_from_this(), taken, ticket](std::optional<Error> error) {
        if (error) { error->what = "COMMIT was not applied. " + error->what; }
        self->committed(std::move(*taken), ticket, std::move(error));
    };
    if (request.receipt) {
        commitment.stored = {Remote<Session>(shard_, shared_from_this()), ticket, true};
    }
    for (const Transaction::BufferedSend& send : commitment.sends) {
        if (send.route.home != shard_.index()) { note_home(send.route.home); }
    }
    commit(router_, std::move(commitment));
}

void Session::committed(Transaction transaction, std::uint64_t ticket, std::optional<Error> error) {
    --commits_;
    if (waits_ > 0) { --waits_; }
    if (error) { undo(std::move(transaction)); }
    if (state_ == State::ended) { return finish_end(); }
    outbox_.mark_dirty();
    if (error) { return answered(ticket, std::move(error)); }
    if (router_.journal().has_store()) { sent_ = router_.journal().position(); }
    forget_settled();
}

// The home shards of the queues whose deliveries it settles.
std::vector<unsigned> Session::homes_of(const Transaction& transaction) {
    shard_.assert_current();
    std::vector<unsigned> homes;
    for (const Transaction::Settlement& settlement : transaction.settlements) {
        for (const std::uint64_t number : settlement.numbers) {
            const Outstanding* const record = deliveries_.find(number);
            if (record == nullptr || !record->subscription->queue().is_set()) { continue; }
            const unsigned home = record->subscription->queue().home();
            if (std::find(homes.begin(), homes.end(), home) == homes.end()) {
                homes.push_back(home);
            }
        }
    }
    return homes;
}

void Session::apply(const Transaction& transaction, GatheredWork& gathered) {
    ++router_.counters().transactions_committed;
    for (const Transaction::Settlement& settlement : transaction.settlements) {
        settle(settlement.numbers, settlement, &gathered);
    }
}

void Session::on(const protocol::Abort& request) {
    Transaction* const open = transaction(request.transaction, request.receipt, "ABORT");
    if (open == nullptr) { return; }
    shard_.assert_current();
    Transaction taken = std::move(*open);
    transactions_.erase(transactions_.find(request.transaction));
    --router_.counters().transactions_open;
    undo(std::move(taken));
    grant(request.receipt);
}

// The taken deliveries are outstanding again (P-TX-05).
void Session::undo(Transaction transaction) {
    shard_.assert_current();
    ++router_.counters().transactions_aborted;
    for (const Transaction::Settlement& settlement : transaction.settlements) {
        for (const std::uint64_t number : settlement.numbers) {
            Outstanding* const record = deliveries_.find(number);
            if (record == nullptr) { continue; }
            record->transaction = 0;
            Subscription& subscription = *record->subscription;
            subscription.untaken(1, record->delivery.message->size());
            subscription.last_settled = shard_.now();
            watch_ack_time(subscription);
        }
    }
}

void Session::abort_transactions() {
    shard_.assert_current();
    for (auto& [id, open] : std::exchange(transactions_, {})) {
        --router_.counters().transactions_open;
        undo(std::move(open));
    }
}

}  // namespace engine
