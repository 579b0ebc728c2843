// The shards' ears, called one at a time, and the one failure of the store.
// Any thread.
#pragma once

#include "storage/intake.hpp"
#include "storage/message_store.hpp"

#include <memory>
#include <string>
#include <vector>

namespace storage {

class Listeners {
public:
    Listeners();
    ~Listeners();
    Listeners(const Listeners&) = delete;
    Listeners& operator=(const Listeners&) = delete;

    /// If the store has failed by now, they hear of it at once.
    void set(std::vector<StoreListener*> listeners);
    /// One call per shard that has batches in `group`; none after a failure.
    void stored(Group group);
    void read(unsigned shard, ReadResult result);
    /// The first failure is told to every listener; later ones are dropped. Returns whether it was
    /// the first.
    bool fail(const std::string& reason);
    [[nodiscard]] bool has_failed() const;
    [[nodiscard]] std::string failure() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace storage
