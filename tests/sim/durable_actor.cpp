#include "tests/sim/durable_actor.hpp"

#include <algorithm>
#include <utility>

namespace sim {

namespace {

using protocol::Command;
using support::Outgoing;
using support::Received;
using support::TestClient;

std::uint64_t number_of(const std::string& token) {
    return std::stoull(token.substr(token.rfind('-') + 1));
}

}  // namespace

std::string sealed_body(std::size_t number, std::size_t size) {
    std::string body = std::to_string(number) + ";" + std::to_string(size) + ";";
    for (std::size_t i = 0; i < size; ++i) {
        body.push_back(static_cast<char>('a' + (number * 7 + i * 3) % 26));
    }
    return body;
}

std::optional<std::size_t> opened_body(const std::string& body) {
    const std::size_t first = body.find(';');
    if (first == std::string::npos || first == 0) { return std::nullopt; }
    const std::size_t number = std::stoull(body.substr(0, first));
    const std::size_t size = std::stoull("0" + body.substr(first + 1, body.find(';', first + 1)));
    if (size > body.size() || sealed_body(number, size) != body) { return std::nullopt; }
    return number;
}

Outgoing subscribe_to(const Place& place, const std::string& id, const std::string& mode) {
    Outgoing frame = support::subscribe(id, place.destination, mode);
    if (!place.is_queue) { frame.header("activemq.subscriptionName", place.name); }
    return frame;
}

void disturb_order(Checker& checker, const Place& place) {
    for (const std::string& source : place.sources) {
        checker.disturbed(place.stream(source));
    }
}

DurableActor::DurableActor(DurableScene& scene, support::TestBroker& broker)
    : scene_(scene),
      number_(++scene.last_publisher),
      client_(broker, random_options(scene, broker)) {
    unwritten_ = support::connect().encoded(protocol::Version::v1_2);
}

bool DurableActor::is_quiet() const {
    return is_gone() || (unwritten_.empty() && !client_.has_input());
}

void DurableActor::act() {
    if (is_gone() || has_left_) { return; }
    if (unwritten_.size() > 20'000) { return write_some(scene_, client_, unwritten_); }
    const std::size_t choice = scene_.below(100);
    if (choice < 30) { return send(); }
    if (choice < 37) { return subscribe(); }
    if (choice < 39) { return unsubscribe(); }
    if (choice < 60) { return settle(); }
    if (choice < 63) { return begin(); }
    if (choice < 68) { return end_transaction(scene_.chance(75)); }
    if (choice < 73) { return transact(); }
    if (choice < 80) { return read_some(scene_, client_); }
    if (choice < 99) { return write_some(scene_, client_, unwritten_); }
    if (scene_.chance(50)) { leave(); }
}

void DurableActor::writes(const Outgoing& frame) {
    unwritten_ += frame.encoded(protocol::Version::v1_2);
}

void DurableActor::asks(
    Outgoing frame, std::function<void()> granted, std::function<void()> refused
) {
    const std::string id = "r" + std::to_string(++last_receipt_);
    asked_.push_back({id, std::move(granted), std::move(refused)});
    writes(frame.receipt(id));
}

void DurableActor::accept(const std::vector<MessageNumber>& copies) {
    for (const MessageNumber copy : copies) {
        scene_.checker.accepted(copy);
    }
    scene_.confirmed += copies.size();
}

void DurableActor::refuse(const std::vector<MessageNumber>& copies) {
    for (const MessageNumber copy : copies) {
        scene_.checker.refused(copy);
    }
    scene_.refused += copies.size();
}

DurableActor::Transaction* DurableActor::any_transaction(std::string& name) {
    if (transactions_.empty()) { return nullptr; }
    auto any = transactions_.begin();
    std::advance(any, scene_.below(transactions_.size()));
    name = any->first;
    return &any->second;
}

void DurableActor::send() {
    const std::string& destination = scene_.any_of(scene_.destinations);
    std::string name;
    Transaction* const transaction = scene_.chance(50) ? any_transaction(name) : nullptr;
    const std::size_t number = scene_.copies.size();
    scene_.copies.emplace_back();
    std::vector<MessageNumber> copies;
    for (std::size_t i = 0; i < scene_.places.size(); ++i) {
        const auto& sources = scene_.places[i].sources;
        if (std::find(sources.begin(), sources.end(), destination) == sources.end()) { continue; }
        const MessageNumber copy = scene_.checker.publish(
            number_,
            scene_.places[i].stream(destination),
            true,
            transaction != nullptr ? transaction->number : 0
        );
        scene_.copies.back()[i] = copy;
        copies.push_back(copy);
    }
    const std::size_t size = scene_.below(scene_.chance(90) ? 60 : scene_.body_max);
    Outgoing frame = support::send(destination, sealed_body(number, size));
    frame.header("odd:name", "a\\b:" + std::to_string(number));
    if (transaction != nullptr) {
        auto& sends = transaction->sends;
        sends.insert(sends.end(), copies.begin(), copies.end());
        return writes(frame.transaction(name));
    }
    if (scene_.chance(10)) {
        frame.header("persistent", "false");
        std::for_each(copies.begin(), copies.end(), [&](auto copy) {
            scene_.checker.not_persistent(copy);
        });
    }
    for (const MessageNumber copy : copies) {
        scene_.checker.takes_effect(copy);
        sends_.push_back(copy);
    }
    if (scene_.chance(50)) { return writes(frame); }
    asks(
        frame, [this, copies] { accept(copies); }, [this, copies] { refuse(copies); }
    );
}

void DurableActor::subscribe() {
    if (subscriptions_.size() >= 4) { return; }
    Subscription subscription;
    subscription.place = scene_.below(scene_.places.size());
    subscription.number = ++scene_.last_subscription;
    const std::vector<std::string> modes = {"auto", "client", "client-individual"};
    subscription.mode = scene_.any_of(modes);
    const std::string id = "s" + std::to_string(subscription.number);
    Outgoing frame = subscribe_to(scene_.places[subscription.place], id, subscription.mode);
    if (scene_.chance(80)) { frame.header("prefetch-count", std::to_string(1 + scene_.below(12))); }
    subscriptions_[id] = subscription;
    all_subscriptions_[id] = subscription;
    scene_.chance(50) ? writes(frame) : asks(frame);
}

void DurableActor::unsubscribe() {
    if (subscriptions_.empty()) { return; }
    auto any = subscriptions_.begin();
    std::advance(any, scene_.below(subscriptions_.size()));
    disturb(any->second.place);
    is_disturbed_ = true;
    const std::string id = any->first;
    subscriptions_.erase(any);
    writes(support::unsubscribe(id));
}

/// What an ACK of one of them settles; they are outstanding no more.
std::vector<DurableActor::Outstanding> DurableActor::take_affected(std::size_t chosen) {
    const Outstanding named = outstanding_[chosen];
    const bool is_cumulative = all_subscriptions_[named.subscription].mode == "client";
    std::vector<Outstanding> affected;
    std::vector<Outstanding> others;
    for (std::size_t i = 0; i < outstanding_.size(); ++i) {
        const bool is_before =
            is_cumulative && i < chosen && outstanding_[i].subscription == named.subscription;
        (i == chosen || is_before ? affected : others).push_back(outstanding_[i]);
    }
    outstanding_ = std::move(others);
    return affected;
}

void DurableActor::settle() {
    if (outstanding_.empty()) { return; }
    const std::vector<Outstanding> affected = take_affected(scene_.below(outstanding_.size()));
    const Outstanding& named = affected.back();
    const bool is_nack = scene_.chance(25);
    Outgoing frame = is_nack ? support::nack(named.token) : support::ack(named.token);
    if (is_nack && named.is_rejectable && scene_.chance(25)) {
        frame.header("requeue", "false");
    } else if (is_nack && scene_.chance(20)) {
        frame.header("delay", std::to_string(scene_.below(100)));
    }
    std::string name;
    if (Transaction* const transaction = scene_.chance(40) ? any_transaction(name) : nullptr) {
        auto& taken = transaction->taken;
        auto& acked = transaction->acked;
        taken.insert(taken.end(), affected.begin(), affected.end());
        if (!is_nack) { acked.insert(acked.end(), affected.begin(), affected.end()); }
        return writes(frame.transaction(name));
    }
    if (is_nack) { return scene_.chance(50) ? writes(frame) : asks(frame); }
    may_settle(affected);
    if (scene_.chance(40)) { return writes(frame); }
    asks(frame, [this, affected] {
        for (const Outstanding& one : affected) {
            scene_.checker.settled(one.copy, true);
        }
    });
}

void DurableActor::may_settle(const std::vector<Outstanding>& some) {
    for (const Outstanding& one : some) {
        scene_.checker.settled(one.copy, false);
    }
}

void DurableActor::begin() {
    if (transactions_.size() >= 2 || !scene_.has_transactions) { return; }
    const unsigned number = ++scene_.last_transaction;
    const std::string name = "t" + std::to_string(number);
    transactions_[name].number = number;
    writes(support::begin(name));
}

// A whole transaction in one go.
void DurableActor::transact() {
    begin();
    for (std::size_t frames = 1 + scene_.below(6); frames > 0; --frames) {
        scene_.chance(60) ? send() : settle();
    }
    end_transaction(true);
    write_some(scene_, client_, unwritten_);
}

void DurableActor::end_transaction(bool commits) {
    std::string name;
    Transaction* const open = any_transaction(name);
    if (open == nullptr) { return; }
    const Transaction transaction = std::move(*open);
    transactions_.erase(name);
    if (!commits) {
        refuse(transaction.sends);
        outstanding_.insert(outstanding_.end(), transaction.taken.begin(), transaction.taken.end());
        // In the order in which they were delivered, which `client` mode goes by.
        std::sort(outstanding_.begin(), outstanding_.end(), [](const auto& a, const auto& b) {
            return number_of(a.token) < number_of(b.token);
        });
        return writes(support::abort(name));
    }
    for (const MessageNumber copy : transaction.sends) {
        scene_.checker.takes_effect(copy);
        sends_.push_back(copy);
    }
    may_settle(transaction.acked);
    const auto granted = [this, transaction] {
        accept(transaction.sends);
        for (const Outstanding& one : transaction.acked) {
            scene_.checker.settled(one.copy, true);
        }
    };
    if (scene_.chance(30)) { return writes(support::commit(name)); }
    asks(support::commit(name), granted, [this, transaction] { refuse(transaction.sends); });
}

void DurableActor::finish_writing() {
    if (is_gone() || has_left_) { return; }
    while (!transactions_.empty()) {
        end_transaction(false);
    }
    client_.allows(TestClient::unlimited);
    client_.writes(std::exchange(unwritten_, {}));
}

void DurableActor::leave() {
    if (is_gone() || has_left_) { return; }
    is_leaving();
    if (scene_.chance(50)) { return client_.vanishes(); }
    has_left_ = true;
    // The RECEIPT covers all that was sent (contract 8).
    asks(support::disconnect(), [this] { accept(sends_); });
    client_.writes(std::exchange(unwritten_, {}));
    client_.allows(TestClient::unlimited);
}

void DurableActor::account() {
    if (is_gone() || has_left_) { return; }
    if (!asked_.empty()) { scene_.checker.fails("no RECEIPT for " + asked_.front().receipt); }
    accept(sends_);
}

void DurableActor::disturb(std::size_t place) {
    disturb_order(scene_.checker, scene_.places[place]);
}

// Its consumers leave their places: what they have not seen comes back.
void DurableActor::is_leaving() {
    is_disturbed_ = true;
    for (const auto& entry : all_subscriptions_) {
        disturb(entry.second.place);
    }
}

void DurableActor::observe() {
    if (is_over_) { return; }
    const bool is_lively =
        client_.is_open() && client_.session().state() <= engine::Session::State::connected;
    if (is_disturbed_ || !is_lively) { is_leaving(); }
    if (is_quiet()) { is_disturbed_ = false; }
}

void DurableActor::receive() {
    if (!client_.fault().empty()) {
        scene_.checker.fails("decoding: " + client_.fault());
        is_over_ = true;
    }
    while (!client_.received().empty() && !is_over_) {
        const Received frame = client_.take();
        if (frame.command == Command::message) { receive_message(frame); }
        if (frame.command == Command::receipt) { receive_receipt(frame); }
        if (frame.command == Command::error) { receive_error(frame); }
    }
}

void DurableActor::receive_receipt(const Received& frame) {
    const std::string id = frame.value("receipt-id");
    if (asked_.empty()) { return scene_.checker.receipt(id, "none"); }
    const Asked asked = std::move(asked_.front());
    asked_.pop_front();
    scene_.checker.receipt(id, asked.receipt);
    if (asked.granted) { asked.granted(); }
}

// Only the disk refuses. Its RECEIPTs so far have come before.
void DurableActor::receive_error(const Received& frame) {
    if (frame.value("message") != "disk-full") { scene_.checker.fails(frame.describe()); }
    const std::string id = frame.value("receipt-id");
    if (!id.empty() && !asked_.empty()) {
        scene_.checker.receipt(id, asked_.front().receipt);
        if (asked_.front().refused) { asked_.front().refused(); }
    }
    is_leaving();
    is_over_ = true;
}

void DurableActor::receive_message(const Received& frame) {
    const std::string id = frame.value("subscription");
    const auto found = all_subscriptions_.find(id);
    const auto number = opened_body(frame.body);
    if (found == all_subscriptions_.end() || !number || *number >= scene_.copies.size() ||
        frame.value("odd:name") != "a\\b:" + std::to_string(*number)) {
        return scene_.checker.fails("not as it was sent: " + frame.describe());
    }
    const Subscription& subscription = found->second;
    const auto copy = scene_.copies[*number].find(subscription.place);
    if (copy == scene_.copies[*number].end()) {
        return scene_.checker.fails("not sent there: " + frame.describe());
    }
    const std::string count = frame.value("x-delivery-count");
    scene_.checker.received(
        copy->second,
        subscription.number,
        count.empty() ? 1U : static_cast<unsigned>(std::stoul(count)),
        false
    );
    const std::string token = frame.token();
    // An automatic settlement is stored at some time.
    if (token.empty()) { return scene_.checker.settled(copy->second, false); }
    outstanding_.push_back({token, id, copy->second, scene_.places[subscription.place].is_queue});
}

}  // namespace sim
