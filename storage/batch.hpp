// What one shard wants stored in one piece: all of a batch is on disk after a crash, or none of it.
// A plain value; not bounded itself: its owner hands it over at the end of each turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

/// A queue in the store; never used twice. 0: none.
using QueueId = std::uint64_t;

/// A stored message's place in its queue: 1, 2, 3 ... without gaps. 0: none.
using Sequence = std::uint64_t;

/// Both ends included.
struct SequenceRange {
    Sequence first = 0;
    Sequence last = 0;

    friend bool operator==(const SequenceRange&, const SequenceRange&) = default;
};

/// What a queue is, for those who find it again. `attributes` belong to the caller.
struct QueueDefinition {
    std::string name;  ///< Canonical: `/queue/a`.
    std::string attributes;

    friend bool operator==(const QueueDefinition&, const QueueDefinition&) = default;
};

/// Changes in order. A change names its queue, which a batch before it, or it itself, has created.
class Batch {
public:
    /// A new message: `sequence` is the queue's last plus one. `octets` lie in what `owner` keeps
    /// alive; the batch shares it until it is cleared.
    struct Append {
        QueueId queue = 0;
        Sequence sequence = 0;
        std::string_view octets;
        std::shared_ptr<const void> owner;
    };

    /// Messages that leave the queue for good: acknowledged, moved, purged. `bytes`: the sum of
    /// their octets. Each message leaves once, after it was appended.
    struct Remove {
        QueueId queue = 0;
        SequenceRange messages;
        std::uint64_t bytes = 0;
    };

    /// The number of deliveries so far of a message that is back in its queue.
    struct Deliveries {
        QueueId queue = 0;
        Sequence sequence = 0;
        std::uint32_t count = 0;
    };

    /// After a crash, messages up to `bound` may have been seen by a consumer. Replaces the bound
    /// before; it may fall, too.
    struct DispatchBound {
        QueueId queue = 0;
        Sequence bound = 0;
    };

    /// A new queue, or a new definition of one that is there.
    struct Define {
        QueueId queue = 0;
        QueueDefinition definition;
    };

    /// The queue and all that is in it.
    struct Drop {
        QueueId queue = 0;
    };

    /// This batch holds one of `parts` parts of a transaction that spans shards: the batches that
    /// hold them are stored together or not at all. All of them will come.
    struct Part {
        std::uint64_t transaction = 0;
        unsigned parts = 0;
    };

    void append(Append change) {
        bytes_ += change.octets.size();
        appends_.push_back(std::move(change));
    }

    /// What follows the last removal of the same queue joins it.
    void remove(const Remove& change) {
        ++removed_;
        if (!removes_.empty()) {
            Remove& last = removes_.back();
            if (last.queue == change.queue && last.messages.last + 1 == change.messages.first) {
                last.messages.last = change.messages.last;
                last.bytes += change.bytes;
                return;
            }
        }
        removes_.push_back(change);
    }

    void set_deliveries(const Deliveries& change) { deliveries_.push_back(change); }

    void set_dispatch_bound(const DispatchBound& change) { bounds_.push_back(change); }

    void define(Define change) { defines_.push_back(std::move(change)); }

    void drop(const Drop& change) { drops_.push_back(change); }

    void join(const Part& part) { parts_.push_back(part); }

    /// Somebody waits for it, or for a batch before it: it is stored without delay. Others may be
    /// kept some milliseconds, so that they ride along with the next that is urgent.
    void set_urgent() { is_urgent_ = true; }

    [[nodiscard]] bool is_urgent() const { return is_urgent_; }

    // A store applies a batch kind by kind: definitions, appends, removes, counts and bounds,
    // drops.

    [[nodiscard]] const std::vector<Define>& defines() const { return defines_; }

    [[nodiscard]] const std::vector<Append>& appends() const { return appends_; }

    [[nodiscard]] const std::vector<Remove>& removes() const { return removes_; }

    [[nodiscard]] const std::vector<Deliveries>& deliveries() const { return deliveries_; }

    [[nodiscard]] const std::vector<DispatchBound>& dispatch_bounds() const { return bounds_; }

    [[nodiscard]] const std::vector<Drop>& drops() const { return drops_; }

    [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }

    [[nodiscard]] std::size_t records() const {
        return defines_.size() + appends_.size() + removes_.size() + deliveries_.size() +
               bounds_.size() + drops_.size();
    }

    /// Rises with each change, also with one that has joined another.
    [[nodiscard]] std::size_t changes() const { return records() - removes_.size() + removed_; }

    [[nodiscard]] bool empty() const { return records() == 0 && parts_.empty(); }

    /// Octets of the messages appended.
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    /// For reuse: lets go of all owners, keeps memory.
    void clear() {
        defines_.clear();
        appends_.clear();
        removes_.clear();
        deliveries_.clear();
        bounds_.clear();
        drops_.clear();
        parts_.clear();
        bytes_ = 0;
        removed_ = 0;
        is_urgent_ = false;
    }

private:
    std::vector<Define> defines_;
    std::vector<Append> appends_;
    std::vector<Remove> removes_;
    std::vector<Deliveries> deliveries_;
    std::vector<DispatchBound> bounds_;
    std::vector<Drop> drops_;
    std::vector<Part> parts_;
    std::size_t bytes_ = 0;
    std::size_t removed_ = 0;
    bool is_urgent_ = false;
};

}  // namespace storage
