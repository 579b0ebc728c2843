#include "broker/engine/outbox.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace engine {

std::uint32_t stamp_of(const Shard& shard) {
    return static_cast<std::uint32_t>(shard.clock_us()) | 1U;
}

std::uint64_t time_since(const Shard& shard, std::uint32_t stamp) {
    return stamp_of(shard) - stamp;
}

Outbox::~Outbox() {
    if (is_dirty_) { std::erase(turn_.dirty, this); }
    turn_.counters.outbound_bytes -= static_cast<std::int64_t>(pending());
}

// SEND path, stop 7 of 7: octets wait here for the flush at the end of the turn.
char* Outbox::extend(std::size_t size) {
    if (!fits_last(size) && !enlarge_last(size)) {
        // The first block of a connection is small: most turns bring a frame or two.
        const std::size_t wanted =
            segments_.empty() ? size : std::max<std::size_t>(size, BlockPool::standard);
        segments_.push_back({BlockRef(turn_.pool.take(wanted)), nullptr, 0, 0});
    }
    Segment& segment = segments_.back();
    char* const out = segment.block->data() + segment.end;
    segment.end += static_cast<std::uint32_t>(size);
    segment.block->size = segment.end;
    added(size);
    return out;
}

// The last segment ends its block, which is ours alone and has room.
bool Outbox::fits_last(std::size_t size) const {
    if (segments_.empty() || segments_.back().message != nullptr) { return false; }
    const Segment& last = segments_.back();
    return last.block->references == 1 && last.end == last.block->size &&
           last.block->room() >= size;
}

// A lone small block that is full moves into a standard one: one piece to send costs less than two.
bool Outbox::enlarge_last(std::size_t size) {
    if (segments_.size() != 1 || segments_.back().message != nullptr) { return false; }
    Segment& last = segments_.back();
    if (last.block->capacity > BlockPool::small || last.size() + size > BlockPool::standard) {
        return false;
    }
    const BlockRef larger(turn_.pool.take(BlockPool::standard));
    std::memcpy(larger->data(), last.data(), last.size());
    larger->size = static_cast<std::uint32_t>(last.size());
    last = {larger, nullptr, 0, larger->size};
    return true;
}

void Outbox::append_body(const MessageRef& message) {
    const std::size_t size = message->body_with_nul().size();
    segments_.push_back({BlockRef(), message, 0, static_cast<std::uint32_t>(size)});
    added(size);
}

void Outbox::push_control(std::string_view frame) {
    if (framing_ == Framing::stream) { return push_raw(frame); }
    char header[protocol::web_socket_header_max];
    // Control frames carry UTF-8 only (P-FRAME-14).
    const std::size_t size =
        protocol::write_web_socket_header(header, protocol::Opcode::text, frame.size());
    char* const out = extend(size + frame.size());
    std::memcpy(out, header, size);
    std::memcpy(out + size, frame.data(), frame.size());
}

void Outbox::push_raw(std::string_view octets) {
    std::memcpy(extend(octets.size()), octets.data(), octets.size());
}

void Outbox::wait(Waiting waiting) {
    add_waiting(static_cast<std::int64_t>(waiting.delivery.message->size()));
    if (waiting.is_from_queue) { waiting_from_queues_ += waiting.delivery.message->size(); }
    waiting_.push_back(std::move(waiting));
    mark_dirty();
}

Waiting Outbox::take_waiting() {
    while (!waiting_.empty()) {
        Waiting waiting = waiting_.pop_front();
        if (waiting.subscription == nullptr) { continue; }
        count_out(waiting);
        return waiting;
    }
    return {};
}

void Outbox::add_waiting(std::int64_t octets) {
    waiting_bytes_ += static_cast<std::size_t>(octets);
    turn_.counters.outbound_bytes += octets;
}

void Outbox::count_out(const Waiting& waiting) {
    add_waiting(-static_cast<std::int64_t>(waiting.delivery.message->size()));
    if (waiting.is_from_queue) { waiting_from_queues_ -= waiting.delivery.message->size(); }
}

void Outbox::skip_withdrawn() {
    while (!waiting_.empty() && waiting_.front().subscription == nullptr) {
        (void)waiting_.pop_front();
    }
}

Waiting Outbox::withdraw_at(std::size_t index) {
    count_out(waiting_[index]);
    return std::exchange(waiting_[index], Waiting());
}

std::vector<Waiting> Outbox::withdraw(const Subscription& subscription) {
    std::vector<Waiting> withdrawn;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (waiting_[i].subscription == &subscription) { withdrawn.push_back(withdraw_at(i)); }
    }
    skip_withdrawn();
    return withdrawn;
}

bool Outbox::withdraw_oldest(const Subscription& subscription) {
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (waiting_[i].subscription != &subscription) { continue; }
        (void)withdraw_at(i);
        skip_withdrawn();
        return true;
    }
    return false;
}

bool Outbox::conflate(
    const Subscription& subscription, std::string_view key, const MessageRef& message
) {
    const std::string_view value = message->find(key);
    if (value.empty()) { return false; }
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        Waiting& waiting = waiting_[i];
        if (waiting.subscription != &subscription || waiting.delivery.message->find(key) != value) {
            continue;
        }
        const std::size_t size = waiting.delivery.message->size();
        if (message->size() > size && is_over_budget(message->size() - size)) { return false; }
        add_waiting(static_cast<std::int64_t>(message->size()) - static_cast<std::int64_t>(size));
        waiting.delivery.message = message;
        return true;
    }
    return false;
}

std::size_t Outbox::waiting_bytes(const Subscription& subscription) const {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (waiting_[i].subscription == &subscription) {
            bytes += waiting_[i].delivery.message->size();
        }
    }
    return bytes;
}

std::vector<Waiting> Outbox::withdraw_all() {
    add_waiting(-static_cast<std::int64_t>(waiting_bytes_));
    waiting_from_queues_ = 0;
    std::vector<Waiting> all = waiting_.take_all();
    std::erase_if(all, [](const Waiting& waiting) { return waiting.subscription == nullptr; });
    return all;
}

void Outbox::idle() {
    waiting_.idle();
    if (segments_.empty()) { std::vector<Segment>().swap(segments_); }
}

void Outbox::sent(std::size_t octets) {
    assert(octets <= ahead_);
    ahead_ -= octets;
    sent_total_ += octets;
    turn_.counters.outbound_bytes -= static_cast<std::int64_t>(octets);
    while (octets > 0) {
        Segment& segment = segments_[first_];
        const std::size_t part = std::min(octets, segment.size());
        segment.begin += static_cast<std::uint32_t>(part);
        octets -= part;
        if (segment.size() != 0) { break; }
        segment.block = BlockRef();
        segment.message.reset();
        ++first_;
    }
    if (first_ == segments_.size()) {
        segments_.clear();
        first_ = 0;
        if (segments_.capacity() > 8) { std::vector<Segment>().swap(segments_); }
    } else if (first_ > 64) {
        segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
}

}  // namespace engine
