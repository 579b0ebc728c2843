#include "broker/engine/schedule.hpp"

#include "broker/engine/refusals.hpp"
#include "broker/engine/stored_message.hpp"
#include "broker/engine/user_destination.hpp"

#include <algorithm>
#include <chrono>

namespace engine {

namespace {

using protocol::Result;

constexpr std::int64_t retry_ms = 1000;
constexpr std::size_t fired_at_once = 1000;
constexpr std::int64_t overhead = 256;  // Of a message that waits, beside its octets.

/// Also the time after which a wall clock that was set is noticed.
constexpr std::chrono::milliseconds sweep_interval{5000};

std::string record_of(const Delay& delay, const Route& route, const Message& message) {
    std::string record;
    put_field(record, "due", std::to_string(*delay.at_ms));
    put_field(record, "period", std::to_string(delay.period_ms));
    put_field(record, "repeats", std::to_string(delay.repeats));
    put_field(record, "arguments", route.name->arguments.attributes());
    return record.append(message.whole());
}

struct Record {
    Delay delay;
    QueueArguments arguments;
    MessageRef message;
};

std::optional<Record> record_in(std::string_view octets) {
    const auto due = take_number(octets, "due");
    const auto period = take_number(octets, "period");
    const auto repeats = take_number(octets, "repeats");
    const auto arguments = take_field(octets, "arguments");
    if (!due || !period || !repeats || !arguments) { return std::nullopt; }
    Record record;
    record.message = restore_message(octets);
    if (!record.message) { return std::nullopt; }
    record.delay = {0, *due, *period, static_cast<std::uint32_t>(*repeats)};
    record.arguments = QueueArguments::from_attributes(*arguments);
    return record;
}

// A canonical name that was stored. Topics behind user destinations are no client's to name.
std::optional<Route::Name> name_in(std::string_view canonical, const protocol::Limits& limits) {
    if (canonical.starts_with(user_space)) {
        const std::string_view key = canonical.substr(user_space.size());
        return Route::Name::of({protocol::DestinationKind::topic, user_space, key});
    }
    const auto parsed = protocol::parse_destination(canonical, limits);
    if (!parsed) { return std::nullopt; }
    return Route::Name::of(*parsed);
}

}  // namespace

Schedule::Schedule(Destinations& router)
    : router_(router), shard_(router.shard()), alive_(std::make_shared<char>()) {}

Schedule::~Schedule() {
    account(-overhead * static_cast<std::int64_t>(by_id_.size()));
}

std::int64_t Schedule::now_ms() const {
    return static_cast<std::int64_t>(shard_.wall_clock_ms());
}

Schedule::Line& Schedule::line_of(const std::string& name, const Route& route) {
    shard_.assert_current();
    auto& line = lines_[name];
    if (!line) {
        line = std::make_unique<Line>();
        line->name = name;
        line->number = ++last_number_;
        line->route = route;
        line->route.asked = nullptr;
        // Others are looked up when they are needed; a temporary one is nowhere else.
        if (!Destinations::is_temporary(route)) {
            line->route.queue = nullptr;
            line->route.topic = nullptr;
        }
    }
    return *line;
}

Result<void> Schedule::admits(const std::string& name, const Route& route, const Message& message) {
    shard_.assert_current();
    const Limits& limits = router_.limits();
    const auto line = lines_.find(name);
    const std::size_t waiting =
        line == lines_.end() ? 0 : line->second->entries.size() + line->second->reserved;
    const bool is_long = waiting >= limits.scheduled_max;
    if (is_long || bytes_ + message.size() > limits.queue_bytes_max) {
        using protocol::LimitKey;
        return schedule_full(
            route.name->space + route.name->key,
            is_long ? LimitKey::scheduled : LimitKey::queue_bytes
        );
    }
    Journal& journal = router_.journal();
    if (!router_.stores_delayed(route, message) || journal.accepts_appends()) { return {}; }
    return no_appends(journal);
}

Result<Published> Schedule::add(
    const std::string& name, const Route& route, const MessageRef& message, const Delay& delay
) {
    if (const auto good = reserve(name, route, *message); !good) { return good.error(); }
    add_reserved(name, route, message, delay);
    return router_.stores_delayed(route, *message) ? Published::stored : Published::done;
}

Result<void> Schedule::reserve(
    const std::string& name, const Route& route, const Message& message
) {
    if (const auto good = admits(name, route, message); !good) { return good.error(); }
    ++line_of(name, route).reserved;
    bytes_ += message.size();
    arm();
    return {};
}

void Schedule::cancel_reservation(const std::string& name, const Message& message) {
    shard_.assert_current();
    --lines_.at(name)->reserved;
    bytes_ -= message.size();
}

void Schedule::add_reserved(
    const std::string& name, const Route& route, const MessageRef& message, const Delay& delay
) {
    cancel_reservation(name, *message);
    Line& line = line_of(name, route);
    if (!(route.name->arguments == QueueArguments{})) { line.route.name = route.name; }
    Entry entry{message, delay};
    entry.delay.at_ms = delay.due(now_ms());
    if (router_.stores_delayed(route, *message)) { store(line, entry); }
    insert(line, std::move(entry));
    place(line);
    arm();
}

void Schedule::store(Line& line, Entry& entry) {
    if (!line.records) {
        const Route::Name& name = *line.route.name;
        line.records =
            std::make_unique<RecordStore>(router_.journal(), delayed_kind, name.space + name.key);
    }
    std::string record = record_of(entry.delay, line.route, *entry.message);
    entry.bytes = record.size();
    entry.stored = line.records->append(std::move(record));
}

void Schedule::unstore(Line& line, const Entry& entry) {
    if (entry.stored != 0) { line.records->remove(entry.stored, entry.bytes); }
}

void Schedule::insert(Line& line, Entry entry) {
    bytes_ += entry.message->size();
    account(overhead);
    const std::int64_t expires = entry.message->facts().expires;
    const std::int64_t due = *entry.delay.at_ms;
    const Key key{expires == 0 ? due : std::min(due, expires), ++last_number_};
    by_id_[entry.message->id()] = {&line, key};
    line.entries.emplace(key, std::move(entry));
}

void Schedule::erase(Line& line, std::map<Key, Entry>::iterator entry) {
    bytes_ -= entry->second.message->size();
    account(-overhead);
    by_id_.erase(entry->second.message->id());
    line.entries.erase(entry);
}

void Schedule::restore(const std::string& destination, const storage::RecoveredQueue& recovered) {
    const auto name = name_in(destination, router_.limits().protocol);
    if (!name) { return; }
    Route route;
    route.home = shard_.index();
    route.name = std::make_shared<const Route::Name>(*name);
    Line& line = line_of(destination, route);
    line.records = std::make_unique<RecordStore>(router_.journal(), recovered);
    line.is_loading = true;
    is_held_ = true;
    line.records->load(
        [this, &line](storage::Sequence at, std::string_view octets) {
            take_record(line, at, octets);
        },
        [this, &line](std::size_t damaged) {
            line.is_loading = false;
            line.has_damaged = line.has_damaged || damaged != 0;
            router_.counters().messages_damaged += damaged;
            arm();
        }
    );
}

void Schedule::take_record(Line& line, storage::Sequence at, std::string_view octets) {
    auto record = record_in(octets);
    if (!record) {
        line.has_damaged = true;
        ++router_.counters().messages_damaged;
        return;
    }
    if (!(record->arguments == line.route.name->arguments)) {
        Route::Name name = *line.route.name;
        name.arguments = std::move(record->arguments);
        line.route.name = std::make_shared<const Route::Name>(std::move(name));
    }
    insert(line, {std::move(record->message), record->delay, at, octets.size()});
    place(line);
    arm();
}

void Schedule::release() {
    is_held_ = false;
    arm();
}

// Puts the line where it belongs among those that wait for a time.
void Schedule::place(Line& line) {
    shard_.assert_current();
    if (line.wake != 0) { wakes_.erase({line.wake, line.number}); }
    line.wake = 0;
    if (line.entries.empty()) { return; }
    line.wake = std::max(line.entries.begin()->first.first, line.retry_at);
    wakes_.emplace(Key{line.wake, line.number}, &line);
}

void Schedule::arm() {
    shard_.assert_current();
    if (lines_.empty()) { return; }
    Instant at = shard_.now() + sweep_interval;
    if (!wakes_.empty() && !is_held_) {
        const auto wait = Instant(wakes_.begin()->first.first - now_ms());
        at = std::min(at, shard_.now() + std::max(wait, Instant(0)));
    }
    if (has_timer_ && timer_at_ <= at) { return; }
    has_timer_ = true;
    timer_at_ = at;
    const std::uint64_t timer = ++timer_;
    shard_.after(at - shard_.now(), [this, timer, alive = std::weak_ptr<char>(alive_)] {
        if (!alive.expired() && timer == timer_) { wake(); }
    });
}

void Schedule::wake() {
    shard_.assert_current();
    has_timer_ = false;
    const std::int64_t now = now_ms();
    for (std::size_t i = 0; i < fired_at_once && !is_held_; ++i) {
        if (wakes_.empty() || wakes_.begin()->first.first > now) { break; }
        Line& line = *wakes_.begin()->second;
        fire(line, now);
        place(line);
    }
    if (shard_.now() - swept_ >= sweep_interval) { sweep(); }
    arm();
}

// What the destination refuses is tried again, and what waits behind it stays behind it.
void Schedule::fire(Line& line, std::int64_t now) {
    const auto first = line.entries.begin();
    const Entry& entry = first->second;
    if (entry.message->is_expired(static_cast<std::uint64_t>(now))) {
        ++router_.counters().messages_expired;
        unstore(line, entry);
        return erase(line, first);
    }
    const MessageRef message =
        entry.delay.period_ms == 0 ? entry.message : router_.renamed(*entry.message);
    if (!router_.publish_due(line.route, message)) {
        line.retry_at = now + retry_ms;
        return;
    }
    go_on(line, first, now);
}

// In the turn in which it was routed: the store gets both in one batch.
void Schedule::go_on(Line& line, std::map<Key, Entry>::iterator fired, std::int64_t now) {
    Entry next = fired->second;
    unstore(line, next);
    erase(line, fired);
    if (next.delay.period_ms == 0) { return; }
    // Times that were missed are not made up for.
    const std::int64_t late = std::max<std::int64_t>(0, now - *next.delay.at_ms);
    const std::int64_t times = late / next.delay.period_ms + 1;
    if (times > next.delay.repeats) { return; }
    *next.delay.at_ms += times * next.delay.period_ms;
    next.delay.repeats -= static_cast<std::uint32_t>(times);
    if (next.stored != 0) { store(line, next); }
    insert(line, std::move(next));
}

// A temporary destination whose connection has gone.
bool Schedule::is_ownerless(const Line& line) {
    return (line.route.queue && line.route.queue.use_count() == 1) ||
           (line.route.topic && line.route.topic.use_count() == 1);
}

void Schedule::sweep() {
    shard_.assert_current();
    swept_ = shard_.now();
    for (auto entry = lines_.begin(); entry != lines_.end();) {
        Line& line = *entry->second;
        while (is_ownerless(line) && !line.entries.empty()) {
            erase(line, line.entries.begin());
        }
        place(line);
        const bool is_empty =
            line.entries.empty() && line.reserved == 0 && !line.is_loading && !line.has_damaged;
        if (!is_empty || !line.was_empty) {
            line.was_empty = is_empty;
            ++entry;
            continue;
        }
        if (line.records) { line.records->drop(); }
        entry = lines_.erase(entry);
    }
}

std::vector<ScheduledMessage> Schedule::list(
    std::string_view destination, std::size_t limit, std::size_t& total
) const {
    shard_.assert_current();
    std::vector<ScheduledMessage> found;
    total = 0;
    const auto parsed = protocol::parse_destination(destination, router_.limits().protocol);
    const std::string wanted = parsed ? parsed->canonical() : std::string(destination);
    for (const auto& [name, line] : lines_) {
        const std::string whole = line->route.name->space + line->route.name->key;
        if (!wanted.empty() && wanted != whole) { continue; }
        total += line->entries.size();
        std::size_t left = limit;
        for (const auto& [key, entry] : line->entries) {
            if (left-- == 0) { break; }
            const Delay& delay = entry.delay;
            found.push_back(
                {std::string(entry.message->id()),
                 whole,
                 *delay.at_ms,
                 delay.period_ms,
                 delay.repeats,
                 entry.message->body().size(),
                 entry.stored != 0}
            );
        }
    }
    std::sort(found.begin(), found.end());
    if (found.size() > limit) { found.resize(limit); }
    return found;
}

bool Schedule::cancel(std::string_view id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) { return false; }
    Line& line = *found->second.line;
    const auto entry = line.entries.find(found->second.key);
    unstore(line, entry->second);
    erase(line, entry);
    place(line);
    return true;
}

}  // namespace engine
