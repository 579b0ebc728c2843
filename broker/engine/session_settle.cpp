// Session: ACK and NACK, and the time by which one of them must come.
#include "broker/engine/session.hpp"

#include <algorithm>
#include <charconv>

namespace engine {

namespace {

using protocol::AckMode;
using protocol::Error;
using protocol::ErrorCode;
using protocol::Result;

constexpr std::int64_t delay_max_ms = 86'400'000;

struct Token {
    std::string_view message;
    std::uint64_t number = 0;  ///< 0: an automatic delivery's `M`.
};

bool is_message_id(std::string_view text) {
    const auto is_good = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    };
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), is_good);
}

std::optional<Token> parse_token(std::string_view text) {
    const std::size_t hyphen = text.rfind('-');
    Token token{text.substr(0, hyphen), 0};
    if (!is_message_id(token.message)) { return std::nullopt; }
    if (hyphen == std::string_view::npos) { return token; }
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data() + hyphen + 1, end, token.number);
    if (ec != std::errc() || stop != end || token.number == 0) { return std::nullopt; }
    return token;
}

Error not_outstanding(std::string_view command, std::string_view token) {
    return {
        ErrorCode::bad_state,
        std::string(command) + " names " + protocol::quoted(token) +
            ", which was not delivered on this connection.",
        "Send back the value of the MESSAGE's ack header, on the connection that it came on.",
        "P-ACK-03"};
}

Result<Transaction::Settlement> settlement_of(const protocol::Settle& request, bool requeues) {
    Transaction::Settlement settlement;
    settlement.is_ack = !request.is_nack;
    if (!request.is_nack) { return settlement; }
    for (const protocol::Header& header : request.headers) {
        if (header.name == "requeue") {
            const auto value = protocol::parse_boolean(header.name, header.value);
            if (!value) { return value.error(); }
            requeues = *value;
        } else if (header.name == "delay") {
            const auto value = protocol::parse_integer(header.name, header.value, 0, delay_max_ms);
            if (!value) { return value.error(); }
            settlement.delay_ms = *value;
        }
    }
    settlement.how = requeues ? Return::requeue : Return::rejected;
    return settlement;
}

}  // namespace

void Session::on(const protocol::Settle& request) {
    auto settlement = settlement_of(request, router_.limits().nack_requeues);
    if (!settlement) { return refuse(settlement.error(), request.receipt); }
    Transaction* open = nullptr;
    if (request.transaction) {
        open = transaction(*request.transaction, request.receipt, request.is_nack ? "NACK" : "ACK");
        if (open == nullptr) { return; }
    }
    auto numbers = named_deliveries(request);
    if (!numbers) { return refuse(numbers.error(), request.receipt); }
    if (open == nullptr) {
        const auto home = settle(*numbers, *settlement, nullptr);
        return home ? grant_stored(request.receipt, *home) : grant(request.receipt);
    }
    if (!count_in(*open, 0, request.receipt)) { return; }
    shard_.assert_current();
    for (const std::uint64_t number : *numbers) {
        Outstanding* const record = deliveries_.find(number);
        record->transaction = open->serial;
        record->subscription->last_settled = shard_.now();
        record->subscription->taken(1, record->delivery.message->size());
    }
    settlement->numbers = std::move(*numbers);
    open->settlements.push_back(std::move(*settlement));
    grant(request.receipt);
}

// What the frame settles: one delivery, or in mode `client` all of its subscription before it too.
Result<std::vector<std::uint64_t>> Session::named_deliveries(const protocol::Settle& request) {
    shard_.assert_current();
    const std::string_view command = request.is_nack ? "NACK" : "ACK";
    const auto token = parse_token(request.token);
    if (!token || token->number > deliveries_.last_number()) {
        return not_outstanding(command, request.token);
    }
    if (token->number == 0) {
        ++router_.counters().tolerances;
        return std::vector<std::uint64_t>();
    }
    const Outstanding* const record = deliveries_.find(token->number);
    if (record == nullptr) { return std::vector<std::uint64_t>(); }
    if (record->delivery.message->id() != token->message) {
        return not_outstanding(command, request.token);
    }
    const Subscription& subscription = *record->subscription;
    if (request.subscription && *request.subscription != subscription.id()) {
        return Error{
            ErrorCode::bad_state,
            std::string(command) + " names the subscription " +
                protocol::quoted(*request.subscription) + ", but the delivery belongs to " +
                protocol::quoted(subscription.id()) + ".",
            "Send the MESSAGE's own subscription header, or none.",
            "P-ACK-02"};
    }
    if (subscription.options().ack == AckMode::client) {
        return deliveries_.outstanding_up_to(token->number, subscription);
    }
    if (record->transaction != 0) { return std::vector<std::uint64_t>(); }
    return std::vector<std::uint64_t>{token->number};
}

// All `numbers` belong to one subscription. What transactions had taken goes to `gathered`. Returns
// the shard whose store holds what was settled, if there is one.
std::optional<unsigned> Session::settle(
    const std::vector<std::uint64_t>& numbers,
    const Transaction::Settlement& how,
    GatheredWork* gathered
) {
    shard_.assert_current();
    Subscription* subscription = nullptr;
    Settled settled;
    std::vector<Delivery> deliveries;
    for (const std::uint64_t number : numbers) {
        const Outstanding* const record = deliveries_.find(number);
        if (record == nullptr) { continue; }
        subscription = record->subscription;
        Delivery delivery = deliveries_.remove(number);
        settled.add(delivery);
        if (!how.is_ack) { deliveries.push_back(std::move(delivery)); }
    }
    if (subscription == nullptr) { return std::nullopt; }
    subscription->last_settled = shard_.now();
    std::optional<unsigned> home;
    if (!settled.stored.empty()) { home = subscription->queue().home(); }
    if (!how.is_ack) {
        router_.counters().messages_nacked += settled.messages;
        subscription->returned(std::move(deliveries), how.how, how.delay_ms, gathered);
    } else {
        subscription->acknowledged(std::move(settled), gathered);
    }
    forget_settled();
    return home;
}

void Session::delay(Subscription& subscription, std::chrono::milliseconds delay) {
    shard_.after(delay, [weak = subscription.weak_from_this()] {
        const auto alive = weak.lock();
        if (alive && alive->is_open()) { alive->delay_is_over(); }
    });
}

// A consumer that settles nothing for too long loses what it holds; the connection stays
// (P-ACK-09).
void Session::watch_ack_time(Subscription& subscription) {
    if (subscription.is_watched) { return; }
    subscription.is_watched = true;
    const auto left = router_.limits().ack_time - (shard_.now() - subscription.last_settled);
    shard_.after(
        left,
        [weak = weak_from_this(), weak_subscription = subscription.weak_from_this()] {
            const auto self = weak.lock();
            const auto watched = weak_subscription.lock();
            if (self && watched && self->state_ != State::ended) { self->check_ack_time(*watched); }
        }
    );
}

void Session::check_ack_time(Subscription& subscription) {
    shard_.assert_current();
    subscription.is_watched = false;
    if (subscription.outstanding() == 0) { return; }
    if (shard_.now() - subscription.last_settled < router_.limits().ack_time) {
        return watch_ack_time(subscription);
    }
    // What still waits for the socket must not be sent as a delivery that is not outstanding.
    std::vector<Delivery> waiting = subscription.withdraw_waiting();
    std::vector<Delivery> counted = deliveries_.remove_all_of(subscription);
    subscription.outstanding_no_more(counted);
    subscription.give_back(std::move(counted), std::move(waiting));
    forget_settled();
}

}  // namespace engine
