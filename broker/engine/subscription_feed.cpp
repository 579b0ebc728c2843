// Subscription: what it gets of topics before and while it begins (P-QOS-09).
#include "broker/engine/message_headers.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/subscription.hpp"

#include <cassert>
#include <utility>

namespace engine {

void Subscription::gather(unsigned shards) {
    gathering_ = std::make_unique<Gathering>();
    gathering_->has_answered.resize(shards);
}

void Subscription::gathered_from(unsigned shard, std::vector<MessageRef> retained) {
    if (!gathering_) { return; }
    gathering_->has_answered[shard] = true;
    for (MessageRef& message : retained) {
        gathering_->retained.push_back(std::move(message));
    }
}

void Subscription::begin_with(std::vector<MessageRef> retained) {
    if (is_closed_ || retained.empty()) { return; }
    feed_ = std::make_unique<Feed>();
    feed_->earlier = retained.size();
    for (MessageRef& message : retained) {
        feed_->messages.push_back(std::move(message));
    }
}

void Subscription::begin() {
    if (const auto gathering = std::exchange(gathering_, nullptr)) {
        begin_with(std::move(gathering->retained));
        for (const MessageRef& message : gathering->later) {
            if (!feed_) { feed_ = std::make_unique<Feed>(); }
            hold(message);
        }
    }
    is_live_ = is_open_ && !feed_;
    if (feed_) { pump(); }
}

// A message of a topic for a subscription that is not, or not yet, served straight away.
void Subscription::publish_early(const MessageRef& message, const SlowConsumerPolicy& policy) {
    if (is_open_) {
        if (make_room(message->size(), policy)) { hold(message); }
        return;
    }
    // Of shards that have not answered: older than their retained messages (P-QOS-09).
    if (!gathering_ || !gathering_->has_answered[session_.router().fanning_from()]) { return; }
    gathering_->later_bytes += message->size();
    if (gathering_->later_bytes > outbox_.limits().outbound_bytes_max) {
        return session_.cut_slow_consumer(destination_);
    }
    gathering_->later.push_back(message);
}

void Subscription::hold(const MessageRef& message) {
    outbox_.charge(static_cast<std::int64_t>(message->size()));
    feed_->messages.push_back(message);
}

MessageRef Subscription::take_fed() {
    MessageRef message = feed_->messages.pop_front();
    if (feed_->earlier != 0) {
        --feed_->earlier;
    } else {
        outbox_.charge(-static_cast<std::int64_t>(message->size()));
    }
    return message;
}

void Subscription::drop_feed() {
    while (feed_ && !feed_->messages.empty()) {
        (void)take_fed();
    }
    feed_.reset();
    gathering_.reset();
    is_live_ = false;
}

// The socket sets the pace: what waits here is older than the client's reading, not too much.
bool Subscription::may_feed(std::size_t size) {
    const bool is_tracked = options_.ack != protocol::AckMode::automatic;
    if (is_tracked && ((backlog_ && !backlog_->empty()) || !has_window(size))) { return false; }
    if (outbox_.queued() <= outbox_.limits().outbound_bytes_max / 2) { return true; }
    if (!is_blocking_) {
        is_blocking_ = true;
        session_.block(*this);
    }
    return false;
}

void Subscription::feed_on() {
    while (is_open_ && feed_ && !feed_->messages.empty()) {
        const Message& next = *feed_->messages.front();
        const bool is_wanted = !selector_ || selector_->selects(MessageHeaders(next));
        if (!is_wanted || is_expired(next)) {
            if (is_wanted) { ++outbox_.turn().counters.messages_expired; }
            (void)take_fed();
            continue;
        }
        if (!may_feed(next.size())) { return; }
        publish_now(take_fed());
    }
    if (!is_open_ || !feed_) { return; }
    feed_.reset();
    is_live_ = true;
}

void Subscription::publish_now(const MessageRef& message) {
    if (options_.ack != protocol::AckMode::automatic) {
        return send({message, ++last_sequence_, 1});
    }
    send_copy(message);
}

}  // namespace engine
