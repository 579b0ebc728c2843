#include "tests/sim/actor.hpp"

#include "protocol/destination.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace sim {

namespace {

using protocol::Command;
using support::Outgoing;
using support::Received;
using support::TestClient;

constexpr std::size_t body_max = 6000;

std::string random_version(Scene& scene) {
    const std::vector<std::string> versions = {"1.0", "1.1", "1.2", "1.2"};
    return scene.any_of(versions);
}

std::string body_of(MessageNumber number, std::size_t size) {
    std::string body = std::to_string(number) + ";";
    body.resize(std::max(body.size(), size), '.');
    return body;
}

bool covers(const std::string& pattern, const std::string& topic) {
    if (pattern == topic) { return true; }
    const protocol::Limits limits;
    const auto parsed = protocol::parse_pattern(pattern, limits);
    const auto name = protocol::parse_destination(topic, limits);
    return parsed->is_wildcard && parsed->destination.space == name->space &&
           protocol::matches(parsed->destination.key, parsed->separator, name->key);
}

}  // namespace

Actor::Actor(Scene& scene)
    : scene_(scene),
      number_(++scene.last_publisher),
      client_(scene.broker, random_options(scene, scene.broker)),
      version_(random_version(scene)) {
    unwritten_ = support::connect(version_).encoded(protocol::Version::v1_2);
}

bool Actor::is_quiet() const {
    return is_gone() || (unwritten_.empty() && !client_.has_input());
}

void Actor::act() {
    if (is_gone()) { return; }
    if (unwritten_.size() > 20'000) { return write_some(scene_, client_, unwritten_); }
    const std::size_t choice = scene_.below(100);
    if (choice < 30) { return send(); }
    if (choice < 38) { return subscribe(); }
    if (choice < 40) { return resubscribe(); }
    if (choice < 42) { return unsubscribe(); }
    if (choice < 60) { return settle(); }
    if (choice < 63) { return begin(); }
    if (choice < 67) { return end_transaction(scene_.chance(75)); }
    if (choice < 82) { return read_some(scene_, client_); }
    if (choice < 98) { return write_some(scene_, client_, unwritten_); }
    if (scene_.chance(30)) { leave(); }
}

void Actor::writes(Outgoing frame, Granted granted) {
    if (granted || scene_.chance(20)) { return asks(std::move(frame), std::move(granted)); }
    unwritten_ += frame.encoded(
        version_ == "1.0"   ? protocol::Version::v1_0
        : version_ == "1.1" ? protocol::Version::v1_1
                            : protocol::Version::v1_2
    );
}

void Actor::asks(Outgoing frame, Granted granted) {
    const std::string id = "r" + std::to_string(++last_receipt_);
    receipts_.emplace_back(id, std::move(granted));
    unwritten_ += frame.receipt(id).encoded(
        version_ == "1.2" ? protocol::Version::v1_2 : protocol::Version::v1_1
    );
}

void Actor::send() {
    const bool is_queue = scene_.chance(55);
    const std::string& destination = scene_.any_of(is_queue ? scene_.queues : scene_.topics);
    Transaction* transaction = nullptr;
    std::string name;
    if (!transactions_.empty() && scene_.chance(50)) {
        auto any = transactions_.begin();
        std::advance(any, scene_.below(transactions_.size()));
        name = any->first;
        transaction = &any->second;
    }
    const MessageNumber number = scene_.checker.publish(
        number_, destination, is_queue, transaction != nullptr ? transaction->number : 0
    );
    const std::size_t size = scene_.chance(80) ? scene_.below(100) : scene_.below(body_max);
    Outgoing frame = support::send(destination, body_of(number, size));
    if (transaction != nullptr) {
        transaction->sends.push_back(number);
        return writes(frame.transaction(name));
    }
    scene_.checker.takes_effect(number);
    sends_.push_back(number);
    if (scene_.chance(50)) { return writes(frame); }
    asks(frame, [this, number] { scene_.checker.accepted(number); });
}

void Actor::subscribe() {
    if (subscriptions_.size() >= 5) { return; }
    Subscription subscription;
    subscription.number = ++scene_.last_subscription;
    subscription.is_queue = scene_.chance(55);
    subscription.destination =
        scene_.any_of(subscription.is_queue ? scene_.queues : scene_.patterns);
    const std::vector<std::string> modes = {"auto", "client", "client-individual"};
    subscription.mode = scene_.any_of(modes);
    const std::string id = "s" + std::to_string(subscription.number);
    Outgoing frame = support::subscribe(id, subscription.destination, subscription.mode);
    if (scene_.chance(70)) { frame.header("prefetch-count", std::to_string(1 + scene_.below(12))); }
    subscriptions_[id] = subscription;
    all_subscriptions_[id] = subscription;
    asks(frame, [this, id] {
        const auto found = subscriptions_.find(id);
        if (found != subscriptions_.end()) { found->second.since = scene_.checker.now(); }
    });
}

// The same id and destination with another wish: the subscription goes on (P-SUB-02).
void Actor::resubscribe() {
    if (subscriptions_.empty()) { return; }
    auto any = subscriptions_.begin();
    std::advance(any, scene_.below(subscriptions_.size()));
    Subscription& subscription = any->second;
    const std::vector<std::string> modes = {"auto", "client", "client-individual"};
    if (subscription.is_queue) { scene_.checker.disturbed(subscription.destination); }
    is_disturbed_ = true;
    const std::string& mode = scene_.any_of(modes);
    // What comes before the RECEIPT still belongs to the one that is replaced. Each wish is a new
    // one: an equal one would change nothing.
    asks(
        support::subscribe(any->first, subscription.destination, mode)
            .header("prefetch-count", std::to_string(100 + ++subscription.replacements)),
        [this, id = any->first, mode] {
            Subscription& replaced = all_subscriptions_[id];
            replaced.mode = mode;
            ++replaced.incarnation;
        }
    );
}

void Actor::unsubscribe() {
    if (subscriptions_.empty()) { return; }
    auto any = subscriptions_.begin();
    std::advance(any, scene_.below(subscriptions_.size()));
    if (any->second.is_queue) { scene_.checker.disturbed(any->second.destination); }
    is_disturbed_ = true;
    const std::string id = any->first;
    subscriptions_.erase(any);
    writes(support::unsubscribe(id));
}

void Actor::settle() {
    if (outstanding_.empty()) { return; }
    const Outstanding chosen = outstanding_[scene_.below(outstanding_.size())];
    const bool is_nack = version_ != "1.0" && scene_.chance(25);
    const auto stop = std::find_if(outstanding_.begin(), outstanding_.end(), [&](const auto& one) {
        return one.token == chosen.token;
    });
    std::vector<Outstanding> affected;
    if (chosen.is_cumulative) {
        for (auto one = outstanding_.begin(); one <= stop; ++one) {
            const bool is_same =
                one->subscription == chosen.subscription && one->incarnation == chosen.incarnation;
            if (is_same) { affected.push_back(*one); }
        }
    } else {
        affected.push_back(chosen);
    }
    std::erase_if(outstanding_, [&](const Outstanding& one) {
        return std::any_of(affected.begin(), affected.end(), [&](const auto& gone) {
            return gone.token == one.token;
        });
    });
    Outgoing frame = is_nack ? support::nack(chosen.token) : support::ack(chosen.token);
    if (is_nack && scene_.rejects && scene_.chance(15)) { frame.header("requeue", "false"); }
    if (is_nack && scene_.chance(20)) { frame.header("delay", std::to_string(scene_.below(200))); }
    if (!transactions_.empty() && scene_.chance(40)) {
        auto any = transactions_.begin();
        std::advance(any, scene_.below(transactions_.size()));
        for (const Outstanding& one : affected) {
            any->second.taken.push_back(one);
            if (is_nack) { continue; }
            any->second.acked.push_back(one);
        }
        return writes(frame.transaction(any->first));
    }
    if (is_nack) { return writes(frame); }
    may_have_settled(chosen);
    writes(frame, [this, affected] {
        for (const Outstanding& one : affected) {
            if (one.is_queue) { scene_.checker.settled(one.message, scene_.is_settling_sure); }
        }
    });
}

// A cumulative ACK also settles deliveries whose own NACK came too late to have an effect.
void Actor::may_have_settled(const Outstanding& named) {
    for (const Outstanding& one : delivered_) {
        const bool is_before = named.is_cumulative && one.subscription == named.subscription &&
                               one.incarnation == named.incarnation;
        const bool is_it = one.token == named.token;
        if (is_before || is_it) { scene_.checker.settled(one.message, false); }
        if (is_it) { return; }
    }
}

void Actor::begin() {
    if (transactions_.size() >= 3) { return; }
    const unsigned number = ++scene_.last_transaction;
    const std::string name = "t" + std::to_string(number);
    transactions_[name].number = number;
    writes(support::begin(name));
}

void Actor::end_transaction(bool commits) {
    if (transactions_.empty()) { return; }
    auto any = transactions_.begin();
    std::advance(any, scene_.below(transactions_.size()));
    const std::string name = any->first;
    const Transaction transaction = std::move(any->second);
    transactions_.erase(any);
    if (!commits) {
        for (const MessageNumber number : transaction.sends) {
            scene_.checker.refused(number);
        }
        outstanding_.insert(outstanding_.end(), transaction.taken.begin(), transaction.taken.end());
        // In the order in which they were delivered, which `client` mode goes by.
        const auto number = [](const Outstanding& one) {
            return std::stoull(one.token.substr(one.token.rfind('-') + 1));
        };
        std::sort(outstanding_.begin(), outstanding_.end(), [&](const auto& a, const auto& b) {
            return number(a) < number(b);
        });
        return writes(support::abort(name));
    }
    for (const MessageNumber number : transaction.sends) {
        scene_.checker.takes_effect(number);
        sends_.push_back(number);
    }
    for (const Outstanding& one : transaction.acked) {
        may_have_settled(one);
    }
    writes(support::commit(name), [this, transaction] {
        for (const MessageNumber number : transaction.sends) {
            scene_.checker.accepted(number);
        }
        for (const Outstanding& one : transaction.acked) {
            if (one.is_queue) { scene_.checker.settled(one.message, scene_.is_settling_sure); }
        }
    });
}

void Actor::leave() {
    if (is_gone()) { return; }
    is_leaving();
    if (scene_.chance(50)) { return client_.vanishes(); }
    asks(support::disconnect(), {});
    write_all();
    client_.allows(TestClient::unlimited);
}

// Its consumers leave their queues: what they have not seen comes back.
void Actor::is_leaving() {
    is_disturbed_ = true;
    for (const auto& entry : all_subscriptions_) {
        if (entry.second.is_queue) { scene_.checker.disturbed(entry.second.destination); }
    }
}

void Actor::observe() {
    if (is_over_) { return; }
    const bool is_lively =
        client_.is_open() && client_.session().state() <= engine::Session::State::connected;
    // The ack time takes back deliveries at any moment.
    if (is_disturbed_ || !is_lively || !scene_.is_settling_sure) { is_leaving(); }
    if (is_quiet()) { is_disturbed_ = false; }
    if (client_.is_open()) { check_memory(); }
}

void Actor::check_memory() {
    const engine::Limits& limits = scene_.broker.limits();
    const std::size_t frame = body_max + 1000;
    const std::size_t windows = limits.outbound_bytes_max * 8;
    engine::Outbox& outbox = client_.outbox();
    if (outbox.pending() > limits.outbound_bytes_max + windows) {
        scene_.checker.fails("pending: " + std::to_string(outbox.pending()));
    }
    if (outbox.is_over_budget(0) && outbox.ahead() < limits.outbound_ahead_max &&
        !outbox.is_over_budget(frame)) {
        scene_.checker.fails("over the budget: " + std::to_string(outbox.pending()));
    }
    if (outbox.ahead() > limits.outbound_ahead_max + frame + 20'000) {
        scene_.checker.fails("ahead: " + std::to_string(outbox.ahead()));
    }
}

void Actor::receive() {
    if (!client_.fault().empty()) {
        scene_.checker.fails("decoding: " + client_.fault());
        is_over_ = true;
    }
    while (!client_.received().empty() && !is_over_) {
        const Received frame = client_.take();
        switch (frame.command) {
            case Command::message:
                receive_message(frame);
                break;
            case Command::receipt: {
                if (receipts_.empty()) {
                    scene_.checker.receipt(frame.value("receipt-id"), "none");
                    break;
                }
                const auto expected = std::move(receipts_.front());
                receipts_.pop_front();
                scene_.checker.receipt(frame.value("receipt-id"), expected.first);
                if (expected.second) { expected.second(); }
                break;
            }
            case Command::error: {
                const std::string token = frame.value("message");
                const bool is_limit = token == "slow-consumer" || token == "queue-full";
                if (!is_limit) { scene_.checker.fails(frame.describe()); }
                is_leaving();
                is_over_ = true;
                break;
            }
            default:
                break;
        }
    }
}

void Actor::receive_message(const Received& frame) {
    const std::string id = frame.value("subscription");
    const auto found = all_subscriptions_.find(id);
    if (found == all_subscriptions_.end()) {
        return scene_.checker.fails("no such subscription: " + frame.describe());
    }
    const Subscription& subscription = found->second;
    const MessageNumber number = std::stoull("0" + frame.body);
    const std::string count = frame.value("x-delivery-count");
    const bool is_again = frame.find("redelivered").has_value();
    if (is_again != !count.empty()) { scene_.checker.fails(frame.describe()); }
    const std::string token = frame.token();
    scene_.checker.received(
        number,
        subscription.number,
        count.empty() ? 1U : static_cast<unsigned>(std::stoul(count)),
        token.empty()
    );
    if (token.empty()) { return; }
    outstanding_.push_back(
        {token,
         id,
         subscription.incarnation,
         subscription.mode == "client",
         number,
         subscription.is_queue}
    );
    if (subscription.is_queue) { delivered_.push_back(outstanding_.back()); }
}

void Actor::write_all() {
    if (is_gone()) { return; }
    client_.writes(std::exchange(unwritten_, {}));
}

void Actor::read_all() {
    if (!is_gone()) { client_.allows(TestClient::unlimited); }
}

void Actor::abort_all() {
    while (!is_gone() && !transactions_.empty()) {
        end_transaction(false);
    }
}

bool Actor::settle_all() {
    if (is_gone() || outstanding_.empty()) { return false; }
    for (const Outstanding& one : std::exchange(outstanding_, {})) {
        may_have_settled(one);
        asks(support::ack(one.token), [this, one] {
            if (one.is_queue) { scene_.checker.settled(one.message, scene_.is_settling_sure); }
        });
    }
    write_all();
    return true;
}

void Actor::account() {
    if (is_gone()) { return; }
    if (!receipts_.empty()) { scene_.checker.fails("no RECEIPT for " + receipts_.front().first); }
    for (const MessageNumber number : sends_) {
        scene_.checker.accepted(number);
    }
    for (const auto& entry : subscriptions_) {
        const Subscription& subscription = entry.second;
        if (subscription.is_queue || !subscription.since) { continue; }
        for (MessageNumber number = 0; number < scene_.checker.size(); ++number) {
            const Published& message = scene_.checker.message(number);
            const bool is_due = !message.is_queue && message.stamp > *subscription.since &&
                                message.fate == Published::Fate::accepted &&
                                covers(subscription.destination, message.destination);
            if (is_due) { scene_.checker.must_have_received(number, subscription.number); }
        }
    }
}

}  // namespace sim
