// One lock around all calls: a listener only posts and returns.
// After a failure nothing is confirmed (D-FS-01).
#include "storage/listeners.hpp"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>

namespace storage {

struct Listeners::Impl {
    mutable std::mutex mutex;
    std::vector<StoreListener*> listeners;
    std::string failure;
    std::atomic<bool> has_failed = false;
};

Listeners::Listeners() : impl_(std::make_unique<Impl>()) {}

Listeners::~Listeners() = default;

void Listeners::set(std::vector<StoreListener*> listeners) {
    const std::lock_guard lock(impl_->mutex);
    impl_->listeners = std::move(listeners);
    if (!impl_->has_failed) { return; }
    for (StoreListener* const listener : impl_->listeners) {
        listener->failed(impl_->failure);
    }
}

void Listeners::stored(Group group) {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->has_failed) { return; }
    for (std::size_t shard = 0; shard < group.size(); ++shard) {
        if (group[shard].empty()) { continue; }
        impl_->listeners[shard]->stored(std::move(group[shard]));
    }
}

void Listeners::read(unsigned shard, ReadResult result) {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->has_failed) { impl_->listeners[shard]->read(std::move(result)); }
}

bool Listeners::fail(const std::string& reason) {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->has_failed) { return false; }
    impl_->failure = reason;
    impl_->has_failed = true;
    for (StoreListener* const listener : impl_->listeners) {
        listener->failed(reason);
    }
    return true;
}

bool Listeners::has_failed() const {
    return impl_->has_failed;
}

std::string Listeners::failure() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->failure;
}

}  // namespace storage
