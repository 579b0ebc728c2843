#include "broker/engine/subscription.hpp"

#include "broker/engine/message_headers.hpp"
#include "broker/engine/replay.hpp"
#include "broker/engine/session.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <iterator>

namespace engine {

namespace {

using protocol::AckMode;

char* put(char* out, std::string_view text) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

char* put(char* out, std::uint64_t number) {
    return std::to_chars(out, out + 20, number).ptr;
}

// The header lines that differ between deliveries of one message, from `message-id` on.
class DeliveryLines {
public:
    DeliveryLines(std::string_view id, std::uint32_t count, std::uint64_t number) {
        char* out = put(lines_, "message-id:");
        out = put(out, id);
        if (number != 0) {
            *out++ = '-';
            out = put(out, number);
            out = put(out, "\nack:");
            out = put(out, id);
            *out++ = '-';
            out = put(out, number);
        }
        *out++ = '\n';
        if (count > 1) {
            out = put(out, "redelivered:true\nx-delivery-count:");
            out = put(out, std::uint64_t{count});
            *out++ = '\n';
        }
        size_ = static_cast<std::size_t>(out - lines_);
    }

    [[nodiscard]] std::string_view text() const { return {lines_, size_}; }

private:
    char lines_[320];  // Two ids of 64, two numbers of 20, and the names.
    std::size_t size_;
};

std::size_t size_of(const std::vector<Delivery>& deliveries) {
    std::size_t bytes = 0;
    for (const Delivery& delivery : deliveries) {
        bytes += delivery.message->size();
    }
    return bytes;
}

std::string prefix_of(const std::string& id, protocol::Version version) {
    std::string prefix = "MESSAGE\n";
    if (!id.empty() || version != protocol::Version::v1_0) {
        protocol::append_header(prefix, "subscription", id, version);
    }
    return prefix;
}

}  // namespace

Subscription::Subscription(
    Session& session, std::string id, std::string destination, SubscriptionOptions options
)
    : session_(session),
      outbox_(session.outbox()),
      id_(std::move(id)),
      destination_(std::move(destination)),
      options_(options),
      version_(session.version()),
      publisher_(session.number()),
      prefix_(prefix_of(id_, version_)) {}

bool Subscription::wants(const Message& message) const {
    if (options_.no_local && has_sent(message)) { return false; }
    return selects(selector_, message);
}

void Subscription::set_access(AccessRef access) {
    access_ = std::move(access);
    if (!queue_.is_set()) { return; }
    queue_.post([access = access_](Queue& queue, Consumer& consumer) {
        queue.set_access(consumer, access);
    });
}

// SEND path, stop 6 of 7.
void Subscription::publish(const MessageRef& message, const SlowConsumerPolicy& policy) {
    if (!is_live_) { return publish_early(message, policy); }
    if (options_.ack != AckMode::automatic) { return publish_tracked(message, policy); }
    if (outbox_.can_encode(prefix_.size() + message->size())) { return encode(message, 1, 0); }
    const bool is_conflated = policy.action == SlowConsumerAction::conflate &&
                              outbox_.conflate(*this, policy.conflate_key, message);
    if (is_conflated) {
        ++dropped_;
        ++outbox_.turn().counters.messages_conflated;
    } else if (make_room(message->size(), policy)) {
        outbox_.wait({{message, 0, 1}, this, 0, false});
    }
}

// In client modes: sent within the window, else kept in the backlog.
void Subscription::publish_tracked(const MessageRef& message, const SlowConsumerPolicy& policy) {
    const bool is_first = !backlog_ || backlog_->empty();
    if (is_first && has_window(message->size()) && !outbox_.is_congested()) {
        return send({message, ++last_sequence_, 1});
    }
    if (!make_room(message->size(), policy)) { return; }
    keep({message, ++last_sequence_, 0});
    check_congestion();
}

// Treats a message for which there is no budget as `policy` says; false if it is not to be taken.
bool Subscription::make_room(std::size_t size, const SlowConsumerPolicy& policy) {
    Counters& counters = outbox_.turn().counters;
    if (outbox_.is_over_budget(size)) { drop_expired(); }
    while (outbox_.is_over_budget(size)) {
        if (policy.action == SlowConsumerAction::disconnect) {
            session_.cut_slow_consumer(destination_);
            return false;
        }
        ++dropped_;
        const bool is_newest = policy.action == SlowConsumerAction::drop_newest;
        if (is_newest || !drop_oldest()) {
            ++counters.messages_dropped_newest;
            return false;
        }
        ++counters.messages_dropped_oldest;
    }
    return true;
}

bool Subscription::drop_oldest() {
    if (!backlog_ || backlog_->empty()) {
        return options_.ack == AckMode::automatic && outbox_.withdraw_oldest(*this);
    }
    const Delivery dropped = backlog_->pop();
    outbox_.charge(-static_cast<std::int64_t>(dropped.message->size()));
    return true;
}

// Client-mode topic messages beyond the window, counted in the connection's budget (P-LIM-03).
void Subscription::keep(Delivery delivery) {
    if (!backlog_) { backlog_ = std::make_unique<Backlog>(); }
    outbox_.charge(static_cast<std::int64_t>(delivery.message->size()));
    backlog_->push(std::move(delivery));
}

// What the client has let wait for too long makes room (P-QOS-02).
void Subscription::drop_expired() {
    while (backlog_ && !backlog_->empty() && backlog_->front().message->is_expired_by(session_)) {
        const Delivery expired = backlog_->pop();
        outbox_.charge(-static_cast<std::int64_t>(expired.message->size()));
        ++outbox_.turn().counters.messages_expired;
    }
}

void Subscription::pump() {
    while (is_open_ && backlog_ && !backlog_->empty() &&
           has_window(backlog_->front().message->size())) {
        if (backlog_->front().message->is_expired_by(session_)) {
            drop_expired();
            continue;
        }
        Delivery delivery = backlog_->pop();
        outbox_.charge(-static_cast<std::int64_t>(delivery.message->size()));
        ++delivery.count;
        send(std::move(delivery));
    }
    if (feed_) { feed_on(); }
}

bool Subscription::has_window(std::size_t size) const {
    if (outstanding_ == 0) { return true; }
    return outstanding_ < options_.window_messages &&
           outstanding_bytes_ + size <= options_.window_bytes;
}

void Subscription::take(Delivery delivery) {
    if (!is_open_) { return hand_back(std::move(delivery)); }
    send(std::move(delivery));
    check_congestion();
}

void Subscription::send(Delivery delivery) {
    std::uint64_t number = 0;
    if (options_.ack != AckMode::automatic) {
        ++outstanding_;
        outstanding_bytes_ += delivery.message->size();
        number = session_.track(*this, delivery);
    }
    const bool now = outbox_.can_encode(prefix_.size() + delivery.message->size());
    if (!now) { return outbox_.wait({std::move(delivery), this, number, queue_.is_set()}); }
    encode(delivery.message, delivery.count, number);
    encoded(std::move(delivery), number);
}

void Subscription::resume(Waiting waiting) {
    if (waiting.delivery.message->is_expired_by(session_)) { return expire(std::move(waiting)); }
    encode(waiting.delivery.message, waiting.delivery.count, waiting.number);
    encoded(std::move(waiting.delivery), waiting.number);
}

// It has waited for the socket for too long (P-QOS-02): what a queue sent goes back there to die.
void Subscription::expire(Waiting waiting) {
    Delivery& delivery = waiting.delivery;
    const std::size_t size = delivery.message->size();
    if (waiting.number != 0) {
        // The client may settle what it has not seen yet.
        if (!session_.untrack(waiting.number)) { return; }
        --outstanding_;
        outstanding_bytes_ -= size;
    }
    if (!waiting.is_from_queue) {
        ++outbox_.turn().counters.messages_expired;
        return pump();
    }
    hand_back(std::move(delivery));
}

// To its queue, as if it had not been delivered.
void Subscription::hand_back(Delivery delivery) {
    queue_.post([delivery = std::move(delivery)](Queue& queue, Consumer& consumer) mutable {
        queue.release(consumer, 1, delivery.message->size());
        std::vector<Delivery> one;
        one.push_back(std::move(delivery));
        queue.give_back(std::move(one), Return::unseen);
        queue.dispatch();
    });
}

// Remembers where the frame ends: until its octets are gone the delivery did not happen.
void Subscription::encoded(Delivery&& delivery, std::uint64_t number) {
    if (number != 0) { return session_.track_encoded(number); }
    if (queue_.is_set()) { return session_.track_unsent(*this, std::move(delivery)); }
}

void Subscription::encode(const MessageRef& message, std::uint32_t count, std::uint64_t number) {
    TurnOutput& turn = outbox_.turn();
    ++turn.counters.policies.data()[message->facts().policy].delivered;
    // What a browser is shown has been there for long.
    if (message->stamp() != 0 && count == 1 && !browsing_) [[unlikely]] {
        turn.counters.delivery_time.observe(time_since(session_.router().shard(), message->stamp())
        );
    }
    if (options_.sequence_header.empty()) { return encode_plain(message, count, number); }
    // With the number in a header of the client's choice, too (P-QOS-11).
    encode_plain(with_sequence(message, options_.sequence_header), count, number);
}

void Subscription::encode_plain(const MessageRef& ref, std::uint32_t count, std::uint64_t number) {
    const Message& message = *ref;
    const DeliveryLines lines(message.id(), count, number);
    const std::string_view length_line = message.length_line();
    const std::string_view head = message.head(version_);
    const std::string_view body = message.body_with_nul();
    const bool by_reference = message.body().size() >= outbox_.limits().large_body;
    const std::size_t head_size =
        prefix_.size() + lines.text().size() + length_line.size() + head.size();
    const std::size_t copied = head_size + (by_reference ? 0 : body.size());

    char header[protocol::web_socket_header_max];
    std::size_t header_size = 0;
    if (framing() == Framing::web_socket) {
        const auto opcode = message.is_text() ? protocol::Opcode::text : protocol::Opcode::binary;
        header_size = protocol::write_web_socket_header(header, opcode, head_size + body.size());
    }
    char* out = outbox_.extend(header_size + copied);
    count_delivered();
    out = put(put(put(out, {header, header_size}), prefix_), lines.text());
    out = put(put(out, length_line), head);
    if (by_reference) {
        outbox_.append_body(ref);
    } else {
        put(out, body);
    }
}

void Subscription::check_congestion() {
    if (is_blocking_ || !outbox_.is_congested()) { return; }
    is_blocking_ = true;
    session_.block(*this);
    if (queue_.is_set()) {
        queue_.post([](Queue& queue, Consumer& consumer) { queue.set_blocked(consumer, true); });
    }
}

void Subscription::unblock() {
    is_blocking_ = false;
    if (!is_open_) { return; }
    if (browsing_) { return browse_on(); }
    if (!queue_.is_set()) { return pump(); }
    if (outbox_.is_congested()) {
        // Backlogs of topics, which the client has to work off.
        is_blocking_ = true;
        return session_.block(*this);
    }
    queue_.post([](Queue& queue, Consumer& consumer) { queue.set_blocked(consumer, false); });
}

void Subscription::browse(std::string name) {
    browsing_ = std::make_unique<Browsing>(Browsing{std::move(name)});
    browse_on();
}

void Subscription::browse_on() {
    constexpr std::size_t octets = 64 * 1024;
    if (!is_open_ || browsing_->is_asking || browsing_->is_done) { return; }
    check_congestion();
    if (is_blocking_) { return; }
    browsing_->is_asking = true;
    session_.router().browse(
        browsing_->queue,
        browsing_->after,
        {octets},
        [weak = weak_from_this()](const Queue::Page& page) {
            if (const auto self = weak.lock()) { self->show(page); }
        }
    );
}

void Subscription::show(const Queue::Page& page) {
    browsing_->is_asking = false;
    if (!is_open_) { return; }
    Shard& shard = session_.router().shard();
    const std::uint64_t now = shard.wall_clock_ms();
    for (const Queue::Shown& shown : page.messages) {
        const MessageRef& message = shown.delivery.message;
        if (selects(selector_, *message) && !message->is_expired(now)) { send_copy(message); }
    }
    browsing_->after = page.next;
    if (!page.is_end) {
        // Others have their turns, however long the queue is.
        return shard.post([weak = weak_from_this()] {
            if (const auto self = weak.lock()) { self->browse_on(); }
        });
    }
    browsing_->is_done = true;
    SendHead head;
    protocol::append_header(head.lines, "destination", destination_, protocol::Version::v1_2);
    head.lines.append("browser:end\n\n");
    send_copy(session_.router().make_message(head, {}, true));
}

// A message that the client need not settle, and that no queue waits for.
void Subscription::send_copy(const MessageRef& message) {
    if (!outbox_.can_encode(prefix_.size() + message->size())) {
        return outbox_.wait({{message, 0, 1}, this, 0, false});
    }
    encode(message, 1, 0);
}

void Subscription::stop() {
    if (!is_open_) { return; }
    is_open_ = false;
    is_live_ = false;
    if (queue_.is_set()) {
        queue_.post([](Queue& queue, Consumer& consumer) { queue.close(consumer); });
    }
}

void Subscription::close() {
    if (is_closed_) { return; }
    is_closed_ = true;
    stop();
    drop_feed();
    if (backlog_) {
        outbox_.charge(-static_cast<std::int64_t>(backlog_->bytes()));
        backlog_.reset();
    }
    if (put_off_) {
        for (const auto& entry : *put_off_) {
            outbox_.charge(-static_cast<std::int64_t>(entry.second.message->size()));
        }
        put_off_.reset();
    }
    // There may be room for what waits for it.
    outbox_.mark_dirty();
    if (queue_.is_set()) {
        withheld_ = withdraw_waiting();
    } else {
        (void)withdraw_waiting();
    }
}

// What waits for the socket and is not settled: a client may settle what it has not seen yet.
std::vector<Delivery> Subscription::withdraw_waiting() {
    std::vector<Delivery> deliveries;
    for (Waiting& waiting : outbox_.withdraw(*this)) {
        if (waiting.number != 0) {
            if (!session_.untrack(waiting.number)) { continue; }
            --outstanding_;
            outstanding_bytes_ -= waiting.delivery.message->size();
        }
        deliveries.push_back(std::move(waiting.delivery));
    }
    return deliveries;
}

void Subscription::succeed(Subscription& old) {
    const bool is_tracked = options_.ack != AckMode::automatic;
    feed_ = std::move(old.feed_);
    // An answer on its way is the old one's: it is asked for again.
    if (feed_ && feed_->past) { feed_->past->is_asking = false; }
    is_live_ = is_open_ && !feed_;
    for (Delivery& delivery : old.surrender()) {
        if (!wants(*delivery.message)) { continue; }
        if (delivery.message->is_expired_by(session_)) {
            ++outbox_.turn().counters.messages_expired;
            continue;
        }
        if (is_tracked) {
            delivery.sequence = ++last_sequence_;
            keep(std::move(delivery));
            continue;
        }
        ++delivery.count;
        delivery.sequence = 0;
        if (!outbox_.can_encode(prefix_.size() + delivery.message->size())) {
            outbox_.wait({std::move(delivery), this, 0, false});
            continue;
        }
        encode(delivery.message, delivery.count, 0);
    }
    pump();
}

// Closes it, and gives what it has not sent, oldest first; counts are those of the deliveries made.
std::vector<Delivery> Subscription::surrender() {
    std::vector<Delivery> deliveries = withdraw_waiting();
    for (Delivery& delivery : deliveries) {
        --delivery.count;
    }
    const auto take = [&](Delivery delivery) {
        outbox_.charge(-static_cast<std::int64_t>(delivery.message->size()));
        deliveries.push_back(std::move(delivery));
    };
    while (backlog_ && !backlog_->empty()) {
        take(backlog_->pop());
    }
    while (put_off_ && !put_off_->empty()) {
        take(std::move(put_off_->extract(put_off_->begin()).mapped()));
    }
    const auto is_older = [](const Delivery& a, const Delivery& b) {
        return a.sequence < b.sequence;
    };
    std::stable_sort(deliveries.begin(), deliveries.end(), is_older);
    close();
    return deliveries;
}

void Subscription::outstanding_no_more(const std::vector<Delivery>& deliveries) {
    outstanding_ -= deliveries.size();
    outstanding_bytes_ -= size_of(deliveries);
}

void Subscription::give_back(std::vector<Delivery> counted, std::vector<Delivery> unseen) {
    std::move(withheld_.begin(), withheld_.end(), std::back_inserter(unseen));
    withheld_.clear();
    if (counted.empty() && unseen.empty()) { return; }
    if (!queue_.is_set()) {
        discard_or_keep(std::move(counted), Return::requeue);
        discard_or_keep(std::move(unseen), Return::unseen);
        return pump();
    }
    queue_.post([counted = std::move(counted),
                 unseen = std::move(unseen)](Queue& queue, Consumer& consumer) mutable {
        queue.release(consumer, counted.size(), size_of(counted));
        queue.release(consumer, unseen.size(), size_of(unseen));
        queue.give_back(std::move(counted), Return::requeue);
        queue.give_back(std::move(unseen), Return::unseen);
        queue.dispatch();
    });
}

template <class F>
void Subscription::tell_queue(F work, GatheredWork* gathered) {
    if (gathered == nullptr) { return queue_.post(std::move(work)); }
    (*gathered)[queue_.home()].push_back(queue_.bind(std::move(work)));
}

void Subscription::settled_automatically(Settled settled) {
    queue_.post([settled = std::move(settled)](Queue& queue, Consumer& consumer) {
        queue.release(consumer, settled.messages, settled.bytes);
        queue.acknowledged(settled);
        queue.dispatch();
    });
}

void Subscription::acknowledged(Settled settled, GatheredWork* gathered) {
    outbox_.turn().counters.messages_acked += settled.messages;
    if (gathered == nullptr) {
        outstanding_ -= settled.messages;
        outstanding_bytes_ -= settled.bytes;
        if (!queue_.is_set()) { return pump(); }
        return settled_automatically(std::move(settled));
    }
    if (!queue_.is_set()) { return; }
    tell_queue(
        [settled = std::move(settled)](Queue& queue, Consumer&) {
            queue.acknowledged(settled);
            queue.dispatch();
        },
        gathered
    );
}

void Subscription::taken(std::size_t messages, std::size_t bytes) {
    outstanding_ -= messages;
    outstanding_bytes_ -= bytes;
    if (!queue_.is_set()) { return pump(); }
    queue_.post([messages, bytes](Queue& queue, Consumer& consumer) {
        queue.release(consumer, messages, bytes);
        queue.dispatch();
    });
}

void Subscription::untaken(std::size_t messages, std::size_t bytes) {
    outstanding_ += messages;
    outstanding_bytes_ += bytes;
    if (!queue_.is_set()) { return; }
    queue_.post([messages, bytes](Queue& queue, Consumer& consumer) {
        queue.charge(consumer, messages, bytes);
    });
}

void Subscription::returned(
    std::vector<Delivery> deliveries, Return how, std::int64_t delay_ms, GatheredWork* gathered
) {
    if (deliveries.empty()) { return; }
    const bool was_taken = gathered != nullptr;
    const std::size_t bytes = size_of(deliveries);
    const std::size_t messages = deliveries.size();
    if (!was_taken) { outstanding_no_more(deliveries); }
    if (!queue_.is_set()) {
        if (delay_ms != 0 && how == Return::requeue) {
            put_off(std::move(deliveries), std::chrono::milliseconds(delay_ms));
        } else {
            discard_or_keep(std::move(deliveries), how);
        }
        return pump();
    }
    tell_queue(
        [=, deliveries = std::move(deliveries)](Queue& queue, Consumer& consumer) mutable {
            if (!was_taken) { queue.release(consumer, messages, bytes); }
            if (delay_ms == 0 || how != Return::requeue) {
                queue.give_back(std::move(deliveries), how);
            } else {
                for (Delivery& delivery : deliveries) {
                    queue.give_back_later(std::move(delivery), std::chrono::milliseconds(delay_ms));
                }
            }
            queue.dispatch();
        },
        gathered
    );
}

// A topic subscription has no dead-letter queue: what may not come again is discarded and counted
// (P-ACK-10).
void Subscription::discard_or_keep(std::vector<Delivery> deliveries, Return how) {
    if (!is_open_) { return; }
    if (!backlog_) { backlog_ = std::make_unique<Backlog>(); }
    for (Delivery& delivery : deliveries) {
        const bool is_over = delivery.count >= outbox_.limits().delivery_limit;
        if (how == Return::unseen) {
            --delivery.count;
        } else if (how == Return::rejected || is_over) {
            ++outbox_.turn().counters.messages_discarded;
            continue;
        }
        outbox_.charge(static_cast<std::int64_t>(delivery.message->size()));
        backlog_->give_back(std::move(delivery));
    }
}

// Counted in the connection's budget meanwhile: a client could put off message after message.
void Subscription::put_off(std::vector<Delivery> deliveries, std::chrono::milliseconds delay) {
    if (!is_open_) { return; }
    if (!put_off_) { put_off_ = std::make_unique<std::multimap<Instant, Delivery>>(); }
    for (Delivery& delivery : deliveries) {
        outbox_.charge(static_cast<std::int64_t>(delivery.message->size()));
        put_off_->emplace(session_.now() + delay, std::move(delivery));
    }
    session_.delay(*this, delay);
    if (outbox_.is_over_budget(0)) { session_.cut_slow_consumer(destination_); }
}

void Subscription::delay_is_over() {
    std::vector<Delivery> due;
    while (put_off_ && !put_off_->empty() && put_off_->begin()->first <= session_.now()) {
        due.push_back(std::move(put_off_->extract(put_off_->begin()).mapped()));
        outbox_.charge(-static_cast<std::int64_t>(due.back().message->size()));
    }
    discard_or_keep(std::move(due), Return::requeue);
    pump();
}

void Subscription::detach() {
    assert(outstanding_ == 0);
    if (!queue_.is_set()) { return; }
    queue_.post([](Queue& queue, Consumer& consumer) { queue.detach(consumer); });
    queue_ = QueueLink();
}

}  // namespace engine
