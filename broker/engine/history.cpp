#include "broker/engine/history.hpp"

#include "broker/engine/record_store.hpp"
#include "broker/engine/send_head.hpp"
#include "broker/engine/stored_message.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace engine {

namespace {

constexpr std::size_t chunk_messages = 512;
constexpr std::size_t chunk_bytes = 256 * 1024;
constexpr std::string_view time_field = "time";

// The store keeps when a message came, for replays by time, and its octets. Takes the first.
std::uint64_t time_of(std::string_view& record) {
    const auto time = take_number(record, time_field);
    return time && *time > 0 ? static_cast<std::uint64_t>(*time) : 0;
}

}  // namespace

History::History(
    Shard& shard, Journal& journal, Counters& counters, std::string topic, Options options
)
    : shard_(shard),
      journal_(journal),
      counters_(counters),
      topic_(std::move(topic)),
      options_(options) {}

void History::restore(const storage::RecoveredQueue& recovered) {
    shard_.assert_current();
    queue_ = recovered.id;
    last_ = recovered.last;
    first_ = recovered.messages == 0 ? last_ + 1 : recovered.first;
    shown_ = last_;
    bytes_ = recovered.bytes;
    resident_ = last_ + 1;
    trim();
}

void History::define() {
    if (queue_ != 0) { return; }
    queue_ = journal_.new_queue_id();
    journal_.batch().define({queue_, definition_of(history_kind, topic_)});
}

std::size_t History::store(const MessageRef& message, std::uint64_t time) {
    define();
    const auto record = std::make_shared<std::string>();
    record->reserve(32 + message->size());
    put_field(*record, time_field, std::to_string(time));
    record->append(message->whole());
    journal_.batch().append({queue_, last_, *record, record});
    return record->size();
}

MessageRef History::append(const MessageRef& message) {
    shard_.assert_current();
    ++last_;
    const std::string number = std::to_string(last_);
    const std::array<protocol::Header, 1> offset = {{{"x-stream-offset", number}}};
    MessageRef numbered = remade(*message, offset, message->facts().expires);
    last_time_ = std::max(last_time_, shard_.wall_clock_ms());
    const std::size_t size = options_.is_durable ? store(numbered, last_time_) : numbered->size();
    entries_.push_back({numbered, last_time_, size});
    bytes_ += size;
    memory_bytes_ += size;
    if (options_.is_durable) {
        spill();
    } else {
        shown_ = last_;
    }
    trim();
    return numbered;
}

// What the store has need not stay in memory.
void History::spill() {
    while (memory_bytes_ > options_.memory_max && resident_ <= shown_) {
        Entry& entry = entry_at(resident_++);
        entry.message.reset();
        memory_bytes_ -= entry.bytes;
    }
}

// The oldest message, if it is known.
const History::Entry* History::oldest() const {
    if (size() == 0) { return nullptr; }
    if (first_ >= entries_begin()) { return &entries_[0]; }
    return front_.empty() ? nullptr : &front_[0];
}

bool History::is_over_bounds() const {
    if (size() <= 1 && options_.policy.age.count() == 0) { return false; }
    const HistoryPolicy& policy = options_.policy;
    if (policy.messages != 0 && size() > policy.messages) { return true; }
    // The newest one stays however large it is.
    if (policy.bytes != 0 && bytes_ > policy.bytes && size() > 1) { return true; }
    const bool is_too_much =
        !options_.is_durable && (size() > options_.messages_max || bytes_ > options_.bytes_max);
    if (is_too_much && size() > 1) { return true; }
    const Entry* const entry = oldest();
    if (policy.age.count() == 0 || entry == nullptr || first_ > shown_) { return false; }
    return entry->time + static_cast<std::uint64_t>(policy.age.count()) < shard_.wall_clock_ms();
}

void History::remove_oldest() {
    const Entry entry = first_ >= entries_begin() ? entries_.pop_front() : front_.pop_front();
    if (options_.is_durable) { journal_.batch().remove({queue_, {first_, first_}, entry.bytes}); }
    if (first_ >= resident_) {
        memory_bytes_ -= entry.bytes;
        resident_ = first_ + 1;
    }
    bytes_ -= std::min(bytes_, entry.bytes);
    ++first_;
}

void History::trim() {
    shard_.assert_current();
    while (size() != 0) {
        if (oldest() == nullptr) {
            // Of an earlier run: its size has to be read before it can go.
            const HistoryPolicy& policy = options_.policy;
            if (is_over_bounds() || policy.age.count() != 0) { read_front(); }
            break;
        }
        if (!is_over_bounds()) { break; }
        remove_oldest();
    }
    watch_age();
}

void History::read_front() {
    if (is_reading_front_ || journal_.has_failed()) { return; }
    is_reading_front_ = true;
    storage::ReadRequest request;
    request.queue = queue_;
    request.from = first_;
    request.to = entries_begin() - 1;
    journal_.read(request, [weak = weak_from_this()](const storage::ReadResult& result) {
        if (const auto self = weak.lock()) { self->take_front(result); }
    });
}

void History::take_front(const storage::ReadResult& result) {
    is_reading_front_ = false;
    std::uint64_t at = first_;
    for (const storage::ReadResult::Stored& stored : result.messages) {
        // What is damaged goes with those around it.
        for (; at < stored.sequence; ++at) {
            front_.push_back({});
        }
        std::string_view record = result.record(stored);
        front_.push_back({nullptr, time_of(record), stored.size});
        ++at;
    }
    for (; at < result.next; ++at) {
        front_.push_back({});
    }
    trim();
}

void History::watch_age() {
    constexpr std::chrono::milliseconds shortest = std::chrono::seconds(1);
    constexpr std::chrono::milliseconds longest = std::chrono::minutes(1);
    if (options_.policy.age.count() == 0 || size() == 0 || is_age_watched_) { return; }
    is_age_watched_ = true;
    const auto interval = std::clamp(options_.policy.age / 4, shortest, longest);
    shard_.after(interval, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) { return; }
        self->is_age_watched_ = false;
        self->trim();
    });
}

void History::find_start(const Replay& replay, Start start) {
    shard_.assert_current();
    trim();
    switch (replay.from) {
        case Replay::From::live:
            return start(shown_ + 1);
        case Replay::From::first:
            return start(first_);
        case Replay::From::last:
            return start(std::max(first_, shown_));
        case Replay::From::offset:
            return start(std::clamp(replay.value, first_, std::max(first_, shown_ + 1)));
        case Replay::From::time:
            break;
    }
    // Times rise: those of this run are known, older ones have to be looked up.
    std::size_t low = 0;
    std::size_t high = entries_.size();
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (entries_[middle].time < replay.value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const std::uint64_t begin = entries_begin();
    if (low != 0 || first_ >= begin) { return start(begin + low); }
    search(first_, begin, replay.value, std::move(start));
}

// The first message in [low, high) that is not older than `time`, or `high`.
void History::search(std::uint64_t low, std::uint64_t high, std::uint64_t time, Start start) {
    if (low >= high) { return start(high); }
    const std::uint64_t middle = low + (high - low) / 2;
    storage::ReadRequest request;
    request.queue = queue_;
    request.from = middle;
    request.to = middle;
    journal_.read(
        request,
        [weak = weak_from_this(), low, high, middle, time, start = std::move(start)](
            const storage::ReadResult& result
        ) mutable {
            const auto self = weak.lock();
            if (!self) { return; }
            std::uint64_t found = 0;
            if (!result.messages.empty()) {
                std::string_view record = result.record(result.messages.front());
                found = time_of(record);
            }
            // What has gone meanwhile, or is damaged, counts as older.
            if (found < time) {
                self->search(middle + 1, high, time, std::move(start));
            } else {
                self->search(low, middle, time, std::move(start));
            }
        }
    );
}

void History::read(std::uint64_t from, Answer answer) {
    shard_.assert_current();
    from = std::max(from, first_);
    if (from > shown_) { return answer({{}, from, true}); }
    if (from < resident_) {
        return read_disk(from, std::min(resident_ - 1, shown_), std::move(answer));
    }
    Chunk chunk;
    std::size_t bytes = 0;
    for (; from <= shown_ && bytes < chunk_bytes && chunk.messages.size() < chunk_messages;
         ++from) {
        const MessageRef& message = entry_at(from).message;
        bytes += message->size();
        chunk.messages.push_back(message);
    }
    chunk.next = from;
    chunk.is_head = from > shown_;
    answer(std::move(chunk));
}

void History::read_disk(std::uint64_t from, std::uint64_t to, Answer answer) {
    storage::ReadRequest request;
    request.queue = queue_;
    request.from = from;
    request.to = to;
    request.messages_max = chunk_messages;
    request.bytes_max = chunk_bytes;
    journal_.read(
        request,
        [weak = weak_from_this(),
         answer = std::move(answer)](const storage::ReadResult& result) mutable {
            const auto self = weak.lock();
            if (!self) { return; }
            Chunk chunk;
            self->counters_.messages_damaged += result.damaged.size();
            for (const storage::ReadResult::Stored& stored : result.messages) {
                std::string_view record = result.record(stored);
                (void)time_of(record);
                if (MessageRef message = restore_message(record, self->options_.number)) {
                    chunk.messages.push_back(std::move(message));
                } else {
                    ++self->counters_.messages_damaged;
                }
            }
            chunk.next = result.next;
            chunk.is_head = result.next > self->shown_;
            std::exchange(answer, nullptr)(std::move(chunk));
        }
    );
}

}  // namespace engine
