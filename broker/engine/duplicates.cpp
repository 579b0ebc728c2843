#include "broker/engine/duplicates.hpp"

#include "broker/engine/counters.hpp"

#include <algorithm>
#include <utility>

namespace engine {

namespace {

constexpr std::chrono::milliseconds watch_interval{10'000};
constexpr std::int64_t overhead = 200;  // Of an id in memory, beside its text.

// No name of a user holds a NUL.
std::string key_of(const std::string& user, const std::string& id) {
    std::string key;
    key.reserve(user.size() + 1 + id.size());
    return key.append(user).append(1, '\0').append(id);
}

std::string record_of(const Asked& asked, std::uint64_t time) {
    std::string record;
    put_field(record, "time", std::to_string(time));
    put_field(record, "user", asked.user);
    put_field(record, "id", asked.dedup_id);
    return record;
}

}  // namespace

Duplicates::Duplicates(Shard& shard, Journal& journal, const Limits& limits)
    : shard_(shard), journal_(journal), limits_(limits), alive_(std::make_shared<char>()) {}

Duplicates::~Duplicates() {
    for (const auto& entry : lines_) {
        const auto& order = entry.second->order;
        for (std::size_t i = 0; i < order.size(); ++i) {
            account(-static_cast<std::int64_t>(order[i].key->size()) - overhead);
        }
    }
}

Duplicates::Line& Duplicates::line_of(const std::string& destination) {
    shard_.assert_current();
    auto& line = lines_[destination];
    if (!line) {
        line = std::make_unique<Line>();
        line->destination = destination;
    }
    return *line;
}

bool Duplicates::knows(const std::string& destination, const Asked& asked) {
    shard_.assert_current();
    forget_old();
    const auto line = lines_.find(destination);
    if (line == lines_.end()) { return false; }
    const auto claim = line->second->claims.find(key_of(asked.user, asked.dedup_id));
    // Those of the last run are not in the order of their age.
    return claim != line->second->claims.end() &&
           shard_.now() - claim->second.at < limits_.duplicate_window;
}

void Duplicates::claim(const std::string& destination, const Asked& asked, bool is_stored) {
    Line& line = line_of(destination);
    storage::Sequence at = 0;
    std::size_t bytes = 0;
    if (is_stored) {
        if (!line.records) {
            line.records = std::make_unique<RecordStore>(journal_, duplicates_kind, destination);
        }
        std::string record = record_of(asked, shard_.wall_clock_ms());
        bytes = record.size();
        at = line.records->append(std::move(record));
    }
    add(line, key_of(asked.user, asked.dedup_id), shard_.now(), at, bytes);
    watch();
}

void Duplicates::add(
    Line& line, std::string key, Instant at, storage::Sequence stored, std::size_t bytes
) {
    account(static_cast<std::int64_t>(key.size()) + overhead);
    // The order of a line is that of its ages, whatever the wall clock did.
    line.newest = std::max(line.newest, at);
    at = line.newest;
    const std::uint64_t serial = ++line.last_serial;
    const auto [claim, is_new] = line.claims.try_emplace(std::move(key));
    claim->second = {at, serial};
    line.order.push_back({&claim->first, serial, stored, static_cast<std::uint32_t>(bytes)});
    ages_.push_back({&line, serial, at});
    if (line.order.size() > limits_.duplicate_ids_max) { forget_oldest(line); }
    const std::size_t all = std::max<std::size_t>(1, limits_.duplicate_ids_all_max / shards_);
    while (ages_.size() > all) {
        pop_age();
    }
}

void Duplicates::forget_oldest(Line& line) {
    const Id id = line.order.pop_front();
    account(-static_cast<std::int64_t>(id.key->size()) - overhead);
    if (id.stored != 0) { line.records->remove(id.stored, id.bytes); }
    const auto claim = line.claims.find(*id.key);
    // A later SEND may have used it again, after the window.
    if (claim->second.serial == id.serial) { line.claims.erase(claim); }
}

void Duplicates::pop_age() {
    shard_.assert_current();
    const Age age = ages_.pop_front();
    Line& line = *age.line;
    if (!line.order.empty() && line.order.front().serial <= age.serial) { forget_oldest(line); }
    const bool is_last = age.serial == line.last_serial;
    if (is_last) { leave(line); }
}

// Nothing is known of the destination any more.
void Duplicates::leave(Line& line) {
    shard_.assert_current();
    if (line.is_loading) { return; }
    if (line.records) { line.records->drop(); }
    const std::string destination = line.destination;
    lines_.erase(destination);
}

void Duplicates::forget_old() {
    while (!ages_.empty() && shard_.now() - ages_.front().at >= limits_.duplicate_window) {
        pop_age();
    }
}

// Gives memory and records back where no more ids come.
void Duplicates::watch() {
    if (is_watching_) { return; }
    is_watching_ = true;
    shard_.after(watch_interval, [this, alive = std::weak_ptr<char>(alive_)] {
        if (alive.expired()) { return; }
        is_watching_ = false;
        forget_old();
        if (!ages_.empty()) { watch(); }
    });
}

void Duplicates::restore(const std::string& destination, const storage::RecoveredQueue& recovered) {
    Line& line = line_of(destination);
    line.records = std::make_unique<RecordStore>(journal_, recovered);
    line.is_loading = true;
    ++loading_;
    line.records->load(
        [this, &line](storage::Sequence at, std::string_view octets) {
            take_record(line, at, octets);
        },
        [this, &line](std::size_t) {
            line.is_loading = false;
            if (line.order.empty()) { leave(line); }
            loaded();
        }
    );
}

// Its age goes by the wall clock, the only one that survives a restart. Where that was set back it
// counts as new.
void Duplicates::take_record(Line& line, storage::Sequence at, std::string_view octets) {
    const std::size_t bytes = octets.size();
    const auto time = take_number(octets, "time");
    const auto user = take_field(octets, "user");
    const auto id = take_field(octets, "id");
    if (!time || !user || !id) { return; }
    const auto age =
        std::max<std::int64_t>(0, static_cast<std::int64_t>(shard_.wall_clock_ms()) - *time);
    add(line, key_of(*user, *id), shard_.now() - Instant(age), at, bytes);
}

void Duplicates::loaded() {
    --loading_;
    if (loading_ != 0) { return; }
    // What has grown too old meanwhile goes first: it may stand behind younger ones.
    std::vector<Age> ages = ages_.take_all();
    std::stable_sort(ages.begin(), ages.end(), [](const Age& one, const Age& other) {
        return one.at < other.at;
    });
    for (const Age& age : ages) {
        ages_.push_back(age);
    }
    forget_old();
    watch();
    while (!waiting_.empty() && loading_ == 0) {
        Work work = waiting_.pop_front();
        work();
    }
}

void Duplicates::when_loaded(Work work) {
    if (!is_loading()) { return work(); }
    waiting_.push_back(std::move(work));
}

}  // namespace engine
