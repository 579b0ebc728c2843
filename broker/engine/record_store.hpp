// Records that the broker keeps in the store about a destination, beside its messages: a store
// queue of their own, on the destination's home shard. What they say is their owner's business.
// Keeps nothing in memory; the owner bounds how many there are.
#pragma once

#include "broker/engine/journal.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace engine {

/// Kinds of records, as a queue's name begins and its attributes say: `/delayed/queue/a`,
/// `kind=delayed`.
inline constexpr std::string_view delayed_kind = "delayed";
inline constexpr std::string_view duplicates_kind = "dedup";
inline constexpr std::string_view retained_kind = "retained";
inline constexpr std::string_view history_kind = "history";

class RecordStore {
public:
    /// Sees one record. `size` octets belong to it in remove().
    using Take = std::function<void(storage::Sequence at, std::string_view octets)>;
    using Done = std::function<void(std::size_t damaged)>;

    /// Records of `kind` about `destination` (canonical). Nothing is stored before the first.
    RecordStore(Journal& journal, std::string_view kind, const std::string& destination);
    RecordStore(Journal& journal, storage::RecoveredQueue recovered);

    /// Stores a record behind all others; its place.
    [[nodiscard]] storage::Sequence append(std::string octets);

    void remove(storage::Sequence at, std::size_t bytes) { remove({at, at}, bytes); }

    void remove(storage::SequenceRange range, std::size_t bytes);
    /// The store forgets all of them.
    void drop();

    /// Shows what the last run left, in order, then calls `done`. Once; `this` must stay until
    /// then. Nothing more after the store has failed.
    void load(Take take, Done done);

private:
    void read_page();
    [[nodiscard]] bool has_left(storage::Sequence at) const;

    // Constant after construction.
    Journal& journal_;
    const storage::RecoveredQueue recovered_;

    storage::QueueId id_ = 0;  ///< 0: not in the store.
    storage::Sequence last_ = 0;
    storage::Sequence next_ = 0;  ///< To be read.
    std::size_t missing_ = 0;
    Take take_;
    Done done_;
};

/// A record's `name:value` LF, escaped as in STOMP 1.2; take_field() takes it off the front of
/// `text`, or nothing if it is not there.
void put_field(std::string& out, std::string_view name, std::string_view value);
[[nodiscard]] std::optional<std::string> take_field(std::string_view& text, std::string_view name);
[[nodiscard]] std::optional<std::int64_t> take_number(
    std::string_view& text, std::string_view name
);

/// The destination (canonical) that records of `kind` are kept about in the queue that `definition`
/// describes, or nothing if that is something else.
[[nodiscard]] std::optional<std::string> subject_of(
    const storage::QueueDefinition& definition, std::string_view kind
);

/// What subject_of() takes apart.
[[nodiscard]] storage::QueueDefinition definition_of(
    std::string_view kind, const std::string& destination
);

/// The name whose home shard a stored queue belongs to.
[[nodiscard]] std::string home_name(const storage::QueueDefinition& definition);

}  // namespace engine
