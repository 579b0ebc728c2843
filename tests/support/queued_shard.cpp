#include "tests/support/queued_shard.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace support {

namespace {

// What a test works for between turns: nobody's shard, on which nothing may be used.
class Outside final : public engine::Shard {
public:
    Outside() : Shard(~0U) {}

    void post(engine::Work) override { std::abort(); }

    [[nodiscard]] engine::Instant now() const override { std::abort(); }

    [[nodiscard]] std::uint64_t wall_clock_ms() const override { std::abort(); }

    void after(std::chrono::milliseconds, engine::Work) override { std::abort(); }

    void random(std::span<std::byte>) override { std::abort(); }
};

Outside outside;

}  // namespace

void QueuedShard::post(engine::Work work) {
    group_.post(index(), std::move(work));
}

engine::Instant QueuedShard::now() const {
    return group_.now();
}

std::uint64_t QueuedShard::wall_clock_ms() const {
    return static_cast<std::uint64_t>(group_.wall_clock().count());
}

void QueuedShard::after(std::chrono::milliseconds delay, engine::Work work) {
    assert(is_current());
    group_.after(index(), delay, std::move(work));
}

void QueuedShard::random(std::span<std::byte> out) {
    for (std::byte& octet : out) {
        octet = static_cast<std::byte>(group_.random()() & 255U);
    }
}

ShardGroup::ShardGroup(unsigned count, std::uint64_t seed, WorkOrder order)
    : order_(order), random_(seed), mailboxes_((count + 1) * count) {
    for (unsigned index = 0; index < count; ++index) {
        shards_.push_back(std::make_unique<QueuedShard>(*this, index));
    }
    if (QueuedShard::current() == nullptr) { QueuedShard::enter(&outside); }
}

void ShardGroup::post(unsigned target, engine::Work work) {
    const unsigned source = current_ == nobody ? size() : current_;
    mailboxes_[source * size() + target].push_back({++last_serial_, target, std::move(work)});
    ++posted_;
}

void ShardGroup::after(unsigned target, std::chrono::milliseconds delay, engine::Work work) {
    timers_.emplace(now_ + delay, Timer{target, std::move(work)});
}

std::size_t ShardGroup::choose() const {
    std::size_t best = mailboxes_.size();
    for (std::size_t i = 0; i < mailboxes_.size(); ++i) {
        if (mailboxes_[i].empty()) { continue; }
        const bool is_older = best == mailboxes_.size() ||
                              mailboxes_[i].front().serial < mailboxes_[best].front().serial;
        if (is_older) { best = i; }
    }
    return best;
}

std::size_t ShardGroup::choose_any() {
    std::vector<std::size_t> filled;
    for (std::size_t i = 0; i < mailboxes_.size(); ++i) {
        if (!mailboxes_[i].empty()) { filled.push_back(i); }
    }
    return filled[random_() % filled.size()];
}

void ShardGroup::run_one() {
    assert(has_work());
    const std::size_t chosen = order_ == WorkOrder::random ? choose_any() : choose();
    Posted posted = std::move(mailboxes_[chosen].front());
    mailboxes_[chosen].pop_front();
    --posted_;
    on(posted.target, [&] { posted.work(); });
}

bool ShardGroup::run_timer(engine::Instant deadline) {
    if (timers_.empty() || timers_.begin()->first > deadline) {
        now_ = std::max(now_, deadline);
        return false;
    }
    auto due = timers_.extract(timers_.begin());
    now_ = std::max(now_, due.key());
    on(due.mapped().target, [&] { due.mapped().work(); });
    return true;
}

void ShardGroup::clear() {
    timers_.clear();
    for (Mailbox& mailbox : mailboxes_) {
        mailbox.clear();
    }
    posted_ = 0;
}

}  // namespace support
