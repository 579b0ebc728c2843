// Queue: what waits leaves for another reason than being consumed: purged, or moved elsewhere.
#include "broker/engine/queue.hpp"

namespace engine {

std::size_t Queue::purge(std::size_t most) {
    shard_.assert_current();
    std::size_t removed = 0;
    while (removed < most && !backlog_.empty()) {
        if (store_ && store_->is_behind_page(backlog_.front())) { break; }
        leave(backlog_.pop());
        ++removed;
    }
    if (removed == most || !store_ || !store_->has_page()) { return removed; }
    const QueueStore::Purged page = store_->purge_page(backlog_);
    const std::size_t messages = std::min(messages_, page.messages);
    const std::size_t bytes = std::min(bytes_, page.bytes);
    count_out(messages, bytes, messages, bytes);
    if (!blocked_.empty()) { let_publishers_go(); }
    return removed + messages;
}

bool Queue::take(const Shown& shown) {
    shard_.assert_current();
    if (backlog_.find(shown.place) != nullptr) {
        (void)backlog_.take(shown.place);
        return true;
    }
    if (!store_) { return false; }
    const std::uint64_t sequence = shown.place.sequence;
    if (store_->take_from_tail(sequence)) { return true; }
    if (!store_->is_on_page(sequence)) { return false; }
    store_->take_from_page(sequence, shown.delivery.message->size());
    return true;
}

void Queue::moved(const Settled& settled) {
    shard_.assert_current();
    settle(settled);
}

}  // namespace engine
