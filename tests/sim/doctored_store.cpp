#include "tests/sim/doctored_store.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sim {

using storage::Batch;
using storage::MemoryStore;
using storage::ReadResult;

/// Between the store and a shard: sees what is stored, and keeps it to itself if that has been told
/// before.
class DoctoredStore::Ear : public storage::StoreListener {
public:
    Ear(DoctoredStore& owner, storage::StoreListener& shard) : owner_(owner), shard_(shard) {}

    void stored(std::vector<std::unique_ptr<Batch>> batches) override {
        for (const auto& batch : batches) {
            owner_.note_stored(*batch);
        }
        if (owner_.fault_ != Fault::confirms_early) { shard_.stored(std::move(batches)); }
    }

    void read(ReadResult result) override { shard_.read(std::move(result)); }

    void failed(std::string reason) override { shard_.failed(std::move(reason)); }

private:
    DoctoredStore& owner_;
    storage::StoreListener& shard_;
};

DoctoredStore::DoctoredStore(Fault fault, std::unique_ptr<MemoryStore> store)
    : fault_(fault), store_(std::move(store)) {}

DoctoredStore::~DoctoredStore() = default;

std::vector<storage::RecoveredQueue> DoctoredStore::take_recovered() {
    return store_->take_recovered();
}

void DoctoredStore::start(std::vector<storage::StoreListener*> listeners) {
    listeners_ = std::move(listeners);
    std::vector<storage::StoreListener*> ears;
    for (storage::StoreListener* const listener : listeners_) {
        ears_.push_back(std::make_unique<Ear>(*this, *listener));
        ears.push_back(ears_.back().get());
    }
    store_->start(std::move(ears));
}

void DoctoredStore::store(unsigned shard, std::unique_ptr<Batch> batch) {
    store_->store(shard, doctored(*batch));
    if (fault_ != Fault::confirms_early) { return; }
    std::vector<std::unique_ptr<Batch>> told;
    told.push_back(std::move(batch));
    listeners_[shard]->stored(std::move(told));
}

void DoctoredStore::read(unsigned shard, storage::ReadRequest request) {
    store_->read(shard, request);
}

std::unique_ptr<Batch> DoctoredStore::doctored(const Batch& batch) const {
    auto out = std::make_unique<Batch>();
    const auto copy = [&](const auto& changes, auto add) {
        std::for_each(changes.begin(), changes.end(), add);
    };
    copy(batch.defines(), [&](const auto& change) { out->define(change); });
    copy(batch.appends(), [&](const auto& change) { out->append(change); });
    copy(batch.deliveries(), [&](const auto& change) { out->set_deliveries(change); });
    copy(batch.drops(), [&](const auto& change) { out->drop(change); });
    if (fault_ != Fault::loses_acks) {
        copy(batch.removes(), [&](const auto& change) { out->remove(change); });
    }
    if (fault_ != Fault::loses_bounds) {
        copy(batch.dispatch_bounds(), [&](const auto& change) { out->set_dispatch_bound(change); });
    }
    if (fault_ != Fault::splits_transactions) {
        copy(batch.parts(), [&](const auto& part) { out->join(part); });
    }
    return out;
}

void DoctoredStore::note_stored(const Batch& batch) {
    if (fault_ != Fault::cursor_first || batch.appends().empty()) { return; }
    last_.clear();
    for (const Batch::Append& change : batch.appends()) {
        last_.push_back({change.queue, {change.sequence, change.sequence}, change.octets.size()});
    }
}

std::unique_ptr<DoctoredStore> DoctoredStore::crash() {
    auto survivor = store_->crash();
    if (fault_ == Fault::cursor_first) { survivor = without_last(std::move(survivor)); }
    return std::make_unique<DoctoredStore>(fault_, std::move(survivor));
}

std::unique_ptr<MemoryStore> DoctoredStore::without_last(std::unique_ptr<MemoryStore> survivor
) const {
    class Deaf : public storage::StoreListener {
    public:
        void stored(std::vector<std::unique_ptr<Batch>>) override {}

        void read(ReadResult) override {}

        void failed(std::string) override {}
    };

    Deaf deaf;
    auto batch = std::make_unique<Batch>();
    for (const storage::RecoveredQueue& queue : survivor->take_recovered()) {
        for (const Batch::Remove& change : last_) {
            const storage::Sequence at = change.messages.first;
            const bool is_hole =
                std::any_of(queue.holes.begin(), queue.holes.end(), [at](const auto& hole) {
                    return hole.first <= at && at <= hole.last;
                });
            const bool is_there = change.queue == queue.id && at >= queue.first && !is_hole;
            if (is_there) { batch->remove(change); }
        }
    }
    survivor->start({&deaf});
    survivor->store(0, std::move(batch));
    survivor->commit_all();
    return survivor->crash();
}

}  // namespace sim
