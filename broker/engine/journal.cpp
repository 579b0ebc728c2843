#include "broker/engine/journal.hpp"

#include <cassert>
#include <utility>

namespace engine {

Journal::Journal(Shard& shard, storage::MessageStore* store)
    : shard_(shard), store_(store), alive_(std::make_shared<char>()) {
    if (store_ != nullptr) { batch_ = std::make_unique<storage::Batch>(); }
}

Journal::~Journal() = default;

void Journal::when_stored(Work work) {
    shard_.assert_current();
    const std::uint64_t at = position();
    if (is_stored(at) || has_failed()) { return work(); }
    batch_->set_urgent();
    waiters_.push_back({at, std::move(work)});
}

std::uint64_t Journal::new_transaction() {
    constexpr unsigned shard_bits = 16;
    return ++last_transaction_ << shard_bits | shard_.index();
}

void Journal::read(storage::ReadRequest request, Answer answer) {
    shard_.assert_current();
    if (has_failed()) { return; }
    answers_.push_back(std::move(answer));
    store_->read(shard_.index(), std::move(request));
}

void Journal::end_turn() {
    // An empty one that is urgent hurries those before it on.
    if (!batch_ || (batch_->empty() && !batch_->is_urgent())) { return; }
    shard_.assert_current();
    if (has_failed()) { return batch_->clear(); }
    ++handed_over_;
    pending_bytes_ += batch_->bytes();
    times_.push_back({shard_.now(), batch_->bytes()});
    if (times_.size() == 1) { oldest_ = shard_.now(); }
    store_->store(shard_.index(), std::move(batch_));
    if (spares_.empty()) {
        batch_ = std::make_unique<storage::Batch>();
    } else {
        batch_ = std::move(spares_.back());
        spares_.pop_back();
    }
}

void Journal::stored(std::vector<std::unique_ptr<storage::Batch>> batches) {
    // The batches hold messages, which are released on the shard that made them.
    shard_.post([this, alive = std::weak_ptr<char>(alive_), batches = std::move(batches)](
                ) mutable {
        if (!alive.expired()) { take_stored(batches); }
    });
}

void Journal::take_stored(std::vector<std::unique_ptr<storage::Batch>>& batches) {
    shard_.assert_current();
    if (has_failed()) { return; }
    for (std::unique_ptr<storage::Batch>& batch : batches) {
        pending_bytes_ -= times_.pop_front().bytes;
        batch->clear();
        if (spares_.size() < spares_max) { spares_.push_back(std::move(batch)); }
    }
    stored_ += batches.size();
    assert(stored_ <= handed_over_);
    if (!times_.empty()) { oldest_ = times_.front().at; }
    run_waiters();
}

void Journal::run_waiters() {
    while (!waiters_.empty() && (has_failed() || waiters_.front().position <= stored_)) {
        Waiter waiter = waiters_.pop_front();
        waiter.work();
    }
}

void Journal::read(storage::ReadResult result) {
    shard_.post([this, alive = std::weak_ptr<char>(alive_), result = std::move(result)]() mutable {
        if (alive.expired() || has_failed()) { return; }
        Answer answer = answers_.pop_front();
        answer(std::move(result));
    });
}

void Journal::failed(std::string reason) {
    shard_.post([this, alive = std::weak_ptr<char>(alive_), reason = std::move(reason)]() mutable {
        if (!alive.expired()) { take_failure(std::move(reason)); }
    });
}

void Journal::take_failure(std::string reason) {
    shard_.assert_current();
    if (has_failed()) { return; }
    failure_ = reason.empty() ? "unknown" : std::move(reason);
    answers_ = {};
    pending_bytes_ = 0;
    run_waiters();
}

}  // namespace engine
