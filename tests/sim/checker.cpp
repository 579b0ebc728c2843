#include "tests/sim/checker.hpp"

#include <algorithm>

namespace sim {

MessageNumber Checker::publish(
    unsigned publisher, std::string destination, bool is_queue, unsigned transaction
) {
    Published message;
    message.publisher = publisher;
    message.destination = std::move(destination);
    message.is_queue = is_queue;
    message.transaction = transaction;
    messages_.push_back(std::move(message));
    return messages_.size() - 1;
}

void Checker::takes_effect(MessageNumber number) {
    Published& message = messages_[number];
    message.stamp = ++last_stamp_;
    if (message.is_queue) {
        message.epoch = epochs_.try_emplace(message.destination, 1).first->second;
    }
}

void Checker::accepted(MessageNumber number) {
    messages_[number].fate = Published::Fate::accepted;
}

void Checker::refused(MessageNumber number) {
    messages_[number].fate = Published::Fate::refused;
}

void Checker::received(
    MessageNumber number, unsigned subscription, unsigned count, bool is_automatic
) {
    if (number >= messages_.size()) { return fails("a message that nobody sent"); }
    Published& message = messages_[number];
    // The first delivery is one for all lives: a later one is marked (C6).
    const bool is_repeated =
        message.is_queue && ++message.counts[{count == 1 ? 0 : life_, count}] > 1;
    const bool is_unmarked = message.is_queue && count == 1 && message.seen_in < life_;
    message.seen_in = std::min(message.seen_in, life_);
    message.is_seen = true;
    if (message.stamp == 0) {
        fails("seen before its transaction was committed: " + describe(number));
    }
    if (message.settled_in < life_) { fails("settled, and delivered again: " + describe(number)); }
    if (message.is_gone) { fails("not persistent, and back: " + describe(number)); }
    if (is_repeated || is_unmarked) {
        fails("delivered twice as delivery " + std::to_string(count) + ": " + describe(number));
    }
    if (message.is_queue && is_automatic) { settled(number, true); }
    if (count == 1) { check_order(number, subscription); }
}

void Checker::check_order(MessageNumber number, unsigned subscription) {
    const Published& message = messages_[number];
    if (message.is_queue && (message.epoch == 0 || message.epoch != epochs_[message.destination])) {
        return;
    }
    Seen& seen = seen_[{subscription, message.publisher, message.destination}];
    const bool is_comparable = !message.is_queue || messages_[seen.last].epoch == message.epoch;
    if (seen.last_stamp >= message.stamp && is_comparable) {
        fails(
            "out of order or twice at subscription " + std::to_string(subscription) + ": " +
            describe(number) + " after " + describe(seen.last)
        );
    }
    seen = {message.stamp, number};
    if (!message.is_queue) { topics_[message.destination][subscription].push_back(number); }
}

void Checker::settled(MessageNumber number, bool is_definite) {
    messages_[number].is_settled = true;
    messages_[number].is_definite |= is_definite;
    if (is_definite) {
        messages_[number].settled_in = std::min(messages_[number].settled_in, life_);
    }
}

void Checker::restarted() {
    ++life_;
    for (const MessageNumber number : in_memory_) {
        messages_[number].is_gone = true;
        if (messages_[number].fate == Published::Fate::accepted) {
            messages_[number].fate = Published::Fate::unknown;
        }
    }
    in_memory_.clear();
}

void Checker::drained(MessageNumber number) {
    if (number >= messages_.size()) { return fails("a message that nobody sent"); }
    Published& message = messages_[number];
    message.is_seen = true;
    if (++message.drained > 1) { fails("left twice: " + describe(number)); }
    if (message.is_definite) { fails("settled, and left: " + describe(number)); }
    if (message.is_gone) { fails("not persistent, and left: " + describe(number)); }
    if (message.stamp == 0) { fails("left without COMMIT: " + describe(number)); }
}

void Checker::must_have_received(MessageNumber number, unsigned subscription) {
    const auto& of_topic = topics_[messages_[number].destination][subscription];
    if (std::find(of_topic.begin(), of_topic.end(), number) == of_topic.end()) {
        fails("missed by subscription " + std::to_string(subscription) + ": " + describe(number));
    }
}

void Checker::disturbed(const std::string& queue) {
    epochs_[queue] = 0;
}

void Checker::rests() {
    for (auto& entry : epochs_) {
        if (entry.second == 0) { entry.second = ++last_epoch_; }
    }
}

void Checker::receipt(const std::string& got, const std::string& expected) {
    if (got != expected) { fails("RECEIPT " + got + " instead of " + expected); }
}

void Checker::fails(const std::string& what) {
    violations_.push_back(what);
}

void Checker::finish() {
    for (MessageNumber number = 0; number < messages_.size(); ++number) {
        check_loss(number);
    }
    check_transactions();
    check_total_order();
}

void Checker::check_loss(MessageNumber number) {
    const Published& message = messages_[number];
    if (message.fate == Published::Fate::refused && message.is_seen) {
        fails("refused, and seen: " + describe(number));
    }
    const bool is_safe = !message.is_queue || message.drained != 0 || message.is_settled;
    if (message.fate == Published::Fate::accepted && !is_safe) {
        fails("lost: " + describe(number));
    }
}

// All of a transaction, or nothing (P-TX-04); of topics nobody may have listened.
void Checker::check_transactions() {
    std::map<unsigned, std::pair<bool, bool>> seen_and_unseen;
    for (const Published& message : messages_) {
        if (message.transaction == 0 || !message.is_queue) { continue; }
        auto& entry = seen_and_unseen[message.transaction];
        (message.is_seen ? entry.first : entry.second) = true;
    }
    for (const auto& entry : seen_and_unseen) {
        if (entry.second.first && entry.second.second) {
            fails("a part of transaction " + std::to_string(entry.first));
        }
    }
}

// What two subscriptions both got of one topic, they got in the same order.
void Checker::check_total_order() {
    for (const auto& topic : topics_) {
        for (auto one = topic.second.begin(); one != topic.second.end(); ++one) {
            std::map<MessageNumber, std::size_t> places;
            for (const MessageNumber number : one->second) {
                places.emplace(number, places.size());
            }
            for (auto other = std::next(one); other != topic.second.end(); ++other) {
                std::size_t last = 0;
                for (const MessageNumber number : other->second) {
                    const auto place = places.find(number);
                    if (place == places.end()) { continue; }
                    if (place->second < last) { fails("another order: " + describe(number)); }
                    last = place->second;
                }
            }
        }
    }
}

std::string Checker::describe(MessageNumber number) const {
    const Published& message = messages_[number];
    return "message " + std::to_string(number) + " of publisher " +
           std::to_string(message.publisher) + " to " + message.destination;
}

}  // namespace sim
