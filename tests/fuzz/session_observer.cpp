#include "tests/fuzz/session_observer.hpp"

#include "tests/fuzz/choices.hpp"

#include <algorithm>

namespace fuzz {

namespace {

using protocol::Command;
using support::Received;

constexpr std::size_t tokens_max = 8;

// Replies come under an id that nobody has asked for (P-TEMP-06).
bool is_implicit(const std::string& subscription) {
    return subscription.starts_with("/temp-queue/");
}

}  // namespace

void SessionObserver::sends(
    Command command,
    const std::optional<std::string>& subscription,
    const std::optional<std::string>& receipt
) {
    ++frames_;
    if (command == Command::subscribe && subscription) {
        subscribed_[*subscription] = frames_;
        ended_.erase(*subscription);
    }
    if (!receipt) { return; }
    if (command == Command::connect || command == Command::stomp) {
        of_connects_.insert(*receipt);
    } else {
        asked_.push_back({*receipt, command, subscription, frames_});
    }
}

void SessionObserver::receives(const Received& frame) {
    require(!has_failed_, "nothing comes after ERROR");
    require(!has_left_, "nothing comes after the RECEIPT of DISCONNECT");
    switch (frame.command) {
        case Command::connected:
            return receives_connected(frame);
        case Command::message:
            return receives_message(frame);
        case Command::receipt:
            return receives_receipt(frame);
        case Command::error:
            return receives_error(frame);
        default:
            require(false, "the broker sends frames of a broker");
    }
}

void SessionObserver::receives_connected(const Received& frame) {
    require(!is_connected_, "CONNECTED comes once");
    is_connected_ = true;
    user_ = frame.value("user-name");
}

void SessionObserver::receives_message(const Received& frame) {
    require(is_connected_, "nothing is delivered before CONNECTED");
    require(frame.find("message-id").has_value(), "a MESSAGE has its id");
    require(frame.find("destination").has_value(), "a MESSAGE has its destination");
    if (const auto token = frame.find("ack")) {
        require(seen_tokens_.insert(*token).second, "each delivery has a token of its own");
        tokens_.push_back(*token);
        if (tokens_.size() > tokens_max) { tokens_.pop_front(); }
    }
    const auto subscription = frame.find("subscription");
    if (is_wild_ || !subscription || is_implicit(*subscription)) { return; }
    require(subscribed_.contains(*subscription), "a MESSAGE is for a subscription asked for");
    require(!ended_.contains(*subscription), "no MESSAGE after the RECEIPT of UNSUBSCRIBE");
}

void SessionObserver::receives_receipt(const Received& frame) {
    require(is_connected_, "no RECEIPT before CONNECTED");
    if (is_wild_) { return; }
    require(!asked_.empty(), "a RECEIPT was asked for");
    const Asked asked = asked_.front();
    asked_.pop_front();
    require(frame.value("receipt-id") == asked.receipt, "RECEIPTs come once, in the order asked");
    if (asked.command == Command::disconnect) { has_left_ = true; }
    if (asked.command != Command::unsubscribe || !asked.subscription) { return; }
    const auto last = subscribed_.find(*asked.subscription);
    const bool is_again = last != subscribed_.end() && last->second > asked.frame;
    if (!is_again) { ended_.insert(*asked.subscription); }
}

void SessionObserver::receives_error(const Received& frame) {
    has_failed_ = true;
    require(!frame.value("message").empty() && !frame.body.empty(), "an ERROR says why");
    const auto receipt = frame.find("receipt-id");
    if (is_wild_ || !receipt || of_connects_.contains(*receipt)) { return; }
    const bool is_asked = std::any_of(asked_.begin(), asked_.end(), [&](const Asked& asked) {
        return asked.receipt == *receipt;
    });
    require(is_asked, "an ERROR names a receipt that has not come");
}

}  // namespace fuzz
