// Destinations: what operators are shown of queues, topics and durable subscriptions.
#include "broker/engine/destinations.hpp"
#include "broker/engine/session.hpp"
#include "broker/engine/subscription.hpp"

#include <algorithm>

namespace engine {

namespace {

constexpr std::size_t samples_max = 10'000;
constexpr std::chrono::milliseconds sample_interval{2'000};
constexpr std::chrono::milliseconds watch_time{10'000};

// Visits whole buckets until `most` entries were seen; true: to the end of the table.
template <class Table, class F>
bool walk_table(const Table& table, DestinationCursor& cursor, std::size_t& most, F visit) {
    cursor.buckets = table.bucket_count();
    for (; cursor.bucket < cursor.buckets; ++cursor.bucket) {
        if (most == 0) { return false; }
        for (auto entry = table.begin(cursor.bucket); entry != table.end(cursor.bucket); ++entry) {
            visit(*entry);
            most -= std::min<std::size_t>(most, 1);
        }
    }
    return true;
}

void enter(DestinationCursor& cursor, DestinationType type) {
    cursor = {type, 0, 0, cursor.rounds};
}

DestinationNumbers numbers_of(const Meter& meter) {
    DestinationNumbers numbers;
    numbers.published = meter.published;
    numbers.delivered = meter.delivered;
    numbers.acked = meter.acked;
    numbers.dropped = meter.dropped;
    numbers.published_rate = static_cast<double>(meter.published_rate);
    numbers.delivered_rate = static_cast<double>(meter.delivered_rate);
    return numbers;
}

}  // namespace

void DestinationNumbers::add(const DestinationNumbers& other) {
    is_durable = is_durable || other.is_durable;
    consumers += other.consumers;
    memory_bytes += other.memory_bytes;
    disk_bytes += other.disk_bytes;
    published += other.published;
    delivered += other.delivered;
    published_rate += other.published_rate;
    delivered_rate += other.delivered_rate;
}

std::int64_t Ages::age_ms(std::string_view id, Instant now) const {
    Instant since = started;
    for (const ArrivalTimes& shard : shards) {
        if (const auto at = shard.find(id)) { since = *at; }
    }
    return std::max<std::int64_t>(0, (now - since).count());
}

std::shared_ptr<Queue> Destinations::find_queue(std::string_view name) const {
    shard_.assert_current();
    const auto queue = queues_.find(name);
    if (queue != queues_.end()) { return queue->second; }
    const auto durable = durables_.find(name);
    return durable != durables_.end() ? durable->second.queue : nullptr;
}

std::shared_ptr<Topic> Destinations::find_topic(std::string_view name) const {
    shard_.assert_current();
    const auto topic = topics_.find(name);
    return topic != topics_.end() ? topic->second : nullptr;
}

bool Destinations::walk(DestinationCursor& cursor, std::size_t most, const Show& show) const {
    shard_.assert_current();
    const auto is_stale = [&cursor](const auto& table) {
        return cursor.buckets != 0 && cursor.buckets != table.bucket_count();
    };
    const auto begin_anew = [&cursor] {
        const unsigned rounds = cursor.rounds + 1;
        cursor = {};
        cursor.rounds = rounds;
        return false;
    };
    if (cursor.type == DestinationType::queue) {
        if (is_stale(queues_)) { return begin_anew(); }
        const bool is_whole = walk_table(queues_, cursor, most, [&](const auto& entry) {
            show({entry.first, DestinationType::queue, entry.second.get(), nullptr, nullptr});
        });
        if (!is_whole) { return false; }
        enter(cursor, DestinationType::durable);
    }
    if (cursor.type == DestinationType::durable) {
        if (is_stale(durables_)) { return begin_anew(); }
        const bool is_whole = walk_table(durables_, cursor, most, [&](const auto& entry) {
            show(
                {entry.first,
                 DestinationType::durable,
                 entry.second.queue.get(),
                 nullptr,
                 &entry.second.name}
            );
        });
        if (!is_whole) { return false; }
        enter(cursor, DestinationType::topic);
    }
    if (is_stale(topics_)) { return begin_anew(); }
    return walk_table(topics_, cursor, most, [&](const auto& entry) {
        show({entry.first, DestinationType::topic, nullptr, entry.second.get(), nullptr});
    });
}

DestinationNumbers Destinations::numbers(const Seen& seen, const Ages& ages) {
    shard_.assert_current();
    if (seen.topic != nullptr) {
        DestinationNumbers numbers = numbers_of(seen.topic->meter());
        numbers.consumers = seen.topic->subscribers(index_);
        if (home_of(seen.name) == shard_.index()) {
            numbers.consumers += seen.topic->bindings(index_).size();
            const History* const history = seen.topic->history();
            numbers.is_durable = history != nullptr && history->is_durable();
            if (history != nullptr) { numbers.memory_bytes = history->memory_bytes(); }
            if (numbers.is_durable) { numbers.disk_bytes = history->bytes(); }
        } else {
            numbers.published = 0;
            numbers.published_rate = 0;
        }
        return numbers;
    }
    const Queue& queue = *seen.queue;
    DestinationNumbers numbers = numbers_of(queue.meter());
    numbers.is_durable = queue.is_durable();
    numbers.consumers = queue.consumers();
    numbers.depth = queue.waiting();
    numbers.bytes = queue.waiting_bytes();
    numbers.unacked = queue.unacked();
    numbers.memory_bytes = queue.resident_bytes();
    numbers.disk_bytes = queue.stored_bytes();
    const MessageRef first = queue.front();
    if (first || queue.is_front_recovered()) {
        numbers.oldest_age_ms = ages.age_ms(first ? first->id() : std::string_view(), shard_.now());
    }
    return numbers;
}

ArrivalTimes Destinations::arrival_times() const {
    shard_.assert_current();
    return {id_prefix_, arrivals_.marks()};
}

std::vector<ConsumerFigures> Destinations::subscribers_of(Topic& topic, std::size_t most) {
    shard_.assert_current();
    std::vector<ConsumerFigures> found;
    topic.for_each_subscriber(index_, [&](const Subscription& subscription) {
        if (found.size() >= most) { return; }
        const Session& session = subscription.session();
        found.push_back(
            {session.name(), session.user(), subscription.id(), subscription.outstanding()}
        );
    });
    return found;
}

// Rates of destinations are known as long as somebody asks: the first samples are taken now.
void Destinations::watch() {
    shard_.assert_current();
    watched_until_ = shard_.now() + watch_time;
    if (is_sampling_) { return; }
    is_sampling_ = true;
    sampled_at_ = shard_.now();
    sample({}, std::chrono::milliseconds(0));
}

void Destinations::sample(DestinationCursor cursor, std::chrono::milliseconds since) {
    shard_.assert_current();
    const bool is_whole = walk(cursor, samples_max, [since](const Seen& seen) {
        if (seen.topic != nullptr) { return seen.topic->sample(since); }
        seen.queue->sample(since);
    });
    const auto alive = std::weak_ptr<char>(alive_);
    if (!is_whole) {
        return shard_.post([this, alive, cursor, since] {
            if (!alive.expired()) { sample(cursor, since); }
        });
    }
    shard_.after(sample_interval, [this, alive] {
        if (alive.expired()) { return; }
        is_sampling_ = shard_.now() < watched_until_;
        if (!is_sampling_) { return; }
        const auto before = std::exchange(sampled_at_, shard_.now());
        sample({}, sampled_at_ - before);
    });
}

}  // namespace engine
