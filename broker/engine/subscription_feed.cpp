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
        if (access_ && !engine::may_read(*access_, *message)) { continue; }
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

void Subscription::begin_at(std::string topic, unsigned home, std::uint64_t offset) {
    if (is_closed_) { return; }
    feed_ = std::make_unique<Feed>();
    feed_->past = std::make_unique<Past>(Past{std::move(topic), home, offset});
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
    if (is_open_ && feed_->past) { return; }
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

// Whether there are messages in the feed; if not, and there will be none, it is done with.
bool Subscription::has_fed() {
    while (is_open_ && feed_ && feed_->messages.empty()) {
        Past* const past = feed_->past.get();
        if (past == nullptr || past->is_head) {
            feed_.reset();
            is_live_ = true;
            return false;
        }
        if (past->is_asking) { return false; }
        past->is_asking = true;
        session_.router().read_history(
            past->home,
            past->topic,
            past->next,
            [weak = weak_from_this()](History::Chunk chunk) {
                if (const auto self = weak.lock()) { self->take_past(std::move(chunk)); }
            }
        );
    }
    return is_open_ && feed_ != nullptr;
}

// What is published from now on comes behind the chunk: answers and messages of the topic's home
// keep their order. If all of it can be sent at once, and nothing is behind it, messages are taken
// as they are published.
void Subscription::take_past(History::Chunk chunk) {
    if (!feed_ || !feed_->past || !feed_->past->is_asking) { return; }
    Past& past = *feed_->past;
    past.is_asking = false;
    past.next = chunk.next;
    past.is_head = chunk.is_head;
    feed_->earlier += chunk.messages.size();
    for (MessageRef& message : chunk.messages) {
        feed_->messages.push_back(std::move(message));
    }
    if (!is_feeding_) { pump(); }
}

void Subscription::feed_on() {
    if (is_feeding_) { return; }
    is_feeding_ = true;
    while (has_fed()) {
        const Message& next = *feed_->messages.front();
        const bool is_own = options_.no_local && feed_->past && has_sent(next);
        const bool is_wanted = !is_own && selects(selector_, next);
        if (!is_wanted || next.is_expired_by(session_)) {
            if (is_wanted) { ++outbox_.turn().counters.messages_expired; }
            (void)take_fed();
            continue;
        }
        if (!may_feed(next.size())) {
            // Until there is room more may be published, which is ignored: it is asked for then.
            if (feed_->past) { feed_->past->is_head = false; }
            break;
        }
        publish_now(take_fed());
    }
    is_feeding_ = false;
}

void Subscription::publish_now(const MessageRef& message) {
    if (options_.ack != protocol::AckMode::automatic) {
        return send({message, ++last_sequence_, 1});
    }
    send_copy(message);
}

}  // namespace engine
