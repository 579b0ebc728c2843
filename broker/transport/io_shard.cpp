#include "broker/transport/io_shard.hpp"

#include "broker/log/log.hpp"
#include "broker/transport/connection.hpp"

#include <boost/asio/post.hpp>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace transport {

void ShardReport::add(const ShardReport& other) {
    counters.add(other.counters);
    connections.add(other.connections);
    tolerances.add(other.tolerances);
    queues += other.queues;
    topics += other.topics;
    queue_figures.resize(std::max(queue_figures.size(), other.queue_figures.size()));
    for (std::size_t i = 0; i < other.queue_figures.size(); ++i) {
        const engine::QueueFigures& figures = other.queue_figures[i];
        queue_figures[i].messages += figures.messages;
        queue_figures[i].bytes += figures.bytes;
        queue_figures[i].stored_bytes += figures.stored_bytes;
        queue_figures[i].unacknowledged += figures.unacknowledged;
        queue_figures[i].oldest = std::max(queue_figures[i].oldest, figures.oldest);
    }
}

IoShard::IoShard(unsigned index, engine::RouterSettings settings, Options options)
    : Shard(index),
      settings_(std::move(settings)),
      options_(std::move(options)),
      io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      clock_(io_),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_size)),
      peers_{this},
      outgoing_(1) {
    read_clock();
    wheel_.advance(now_);
    router_ = std::make_unique<engine::Destinations>(*this, output_, settings_);
}

IoShard::~IoShard() = default;

void IoShard::set_peers(std::vector<IoShard*> peers) {
    outgoing_.resize(peers.size());
    std::vector<engine::Destinations*> routers;
    for (IoShard* const peer : peers) {
        routers.push_back(peer->router_.get());
    }
    router_->set_peers(std::move(routers));
    peers_ = std::move(peers);
}

void IoShard::read_clock() const {
    is_clock_old_ = false;
    now_ = std::chrono::duration_cast<engine::Instant>(
        std::chrono::steady_clock::now().time_since_epoch()
    );
}

std::uint64_t IoShard::clock_us() const {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(since).count()
    );
}

std::uint64_t IoShard::wall_clock_ms() const {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count()
    );
}

void IoShard::random(std::span<std::byte> out) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) !=
        1) {
        throw std::runtime_error("OpenSSL has no random octets to give.");
    }
}

void IoShard::post(engine::Work work) {
    auto* const from = static_cast<IoShard*>(current());
    if (from != nullptr && from != this && index() < from->outgoing_.size()) {
        from->outgoing_[index()].push_back(std::move(work));
        return;
    }
    if (from == this) { return later_.push_back(std::move(work)); }
    std::vector<engine::Work> one;
    one.push_back(std::move(work));
    deliver(one);
}

// Appends to the inbox of this shard, from any thread; wakes it once per batch.
void IoShard::deliver(std::vector<engine::Work>& works) {
    bool was_empty = false;
    inbox_size_.fetch_add(works.size(), std::memory_order_relaxed);
    {
        const std::lock_guard lock(inbox_mutex_);
        was_empty = inbox_.empty();
        if (was_empty) {
            inbox_.swap(works);
        } else {
            inbox_.insert(
                inbox_.end(),
                std::make_move_iterator(works.begin()),
                std::make_move_iterator(works.end())
            );
        }
    }
    works.clear();
    if (was_empty) {
        boost::asio::post(io_, [this] { receive_mail(); });
    }
}

void IoShard::receive_mail() {
    std::vector<engine::Work> works;
    {
        const std::lock_guard lock(inbox_mutex_);
        works.swap(inbox_);
    }
    for (engine::Work& work : works) {
        mail_.push_back(std::move(work));
    }
}

// A bounded part of what came from other shards: the rest waits for the next turn, behind a flush.
void IoShard::run_mail() {
    for (int i = 0; i < turn_mail_max && !mail_.empty() && !is_turn_full(); ++i) {
        engine::Work work = mail_.pop_front();
        inbox_size_.fetch_sub(1, std::memory_order_relaxed);
        work();
    }
}

void IoShard::send_mail() {
    mail_congested_ = false;
    for (std::size_t target = 0; target < outgoing_.size(); ++target) {
        if (!outgoing_[target].empty()) { peers_[target]->deliver(outgoing_[target]); }
        if (target == index()) { continue; }
        mail_congested_ = mail_congested_ ||
                          peers_[target]->inbox_size_.load(std::memory_order_relaxed) > inbox_high;
    }
}

void IoShard::stop() {
    boost::asio::post(io_, [this] { stopped_ = true; });
}

void IoShard::run() {
    enter(this);
    const auto keep = boost::asio::make_work_guard(io_);
    while (!stopped_) {
        try {
            turn();
        } catch (const std::exception& error) {
            // A handler's failure has cost its connection already (S-PROC-02); this is the last
            // net.
            logging::error("handler-failed", "A handler failed.", {{"err", error.what()}});
        }
    }
    enter(nullptr);
}

// loop: run ready handlers (up to a budget), flush every connection that has output, wait if
// nothing was ready.
void IoShard::turn() {
    int handlers = 0;
    is_clock_old_ = true;
    if (later_.empty() && mail_.empty() && io_.poll_one() == 0) {
        arm_clock();
        io_.run_one();
    }
    read_clock();
    run_later();
    run_mail();
    while (handlers < turn_handlers_max && !is_turn_full() && io_.poll_one() != 0) {
        ++handlers;
    }
    run_timers();
    router_->end_turn();
    flush();
    // What was sent is settled now: that is stored, too.
    router_->end_turn();
    send_mail();
    gauge_memory();
    turn_read_ = 0;
    const bool was_report_due = std::exchange(is_report_due_, true);
    if (now_ - reported_ >= report_interval) { publish_report(was_report_due); }
}

void IoShard::run_later() {
    if (later_.empty()) { return; }
    std::vector<engine::Work> works;
    works.swap(later_);
    for (engine::Work& work : works) {
        work();
    }
    works.clear();
    if (later_.empty()) { later_.swap(works); }
}

// One gathered write for each connection with output. What a flush makes possible (settled
// deliveries, waiting messages) is flushed in the same turn, within a bound.
void IoShard::flush() {
    constexpr int rounds_max = 4;
    std::vector<engine::Outbox*> dirty;
    for (int round = 0; round < rounds_max && !output_.dirty.empty(); ++round) {
        dirty.swap(output_.dirty);
        for (engine::Outbox*& outbox : dirty) {
            outbox->clear_dirty();
            const auto connection = static_cast<Connection*>(outbox->owner())->shared_from_this();
            connection->flush();
        }
        dirty.clear();
    }
    output_.next_turn();
    if (!output_.dirty.empty()) {
        later_.push_back([] {});
    }
}

void IoShard::after(std::chrono::milliseconds delay, engine::Work work) {
    timers_.push_back(
        {now() + std::max(delay, std::chrono::milliseconds(1)), ++last_timer_, std::move(work)}
    );
    std::push_heap(timers_.begin(), timers_.end(), IsLater());
}

void IoShard::run_timers() {
    while (!timers_.empty() && timers_.front().at <= now_) {
        std::pop_heap(timers_.begin(), timers_.end(), IsLater());
        Timer timer = std::move(timers_.back());
        timers_.pop_back();
        timer.work();
    }
    wheel_.advance(now_);
}

// Before waiting: wake up for the next timer or the wheel's next tick.
void IoShard::arm_clock() {
    using engine::Instant;
    Instant at = Instant::max();
    if (!timers_.empty()) { at = timers_.front().at; }
    if (!wheel_.empty()) {
        at = std::min(at, now_ / TimerWheel::tick * TimerWheel::tick + TimerWheel::tick);
    }
    // What was done since the last report is to be seen before long, whatever comes next.
    if (is_report_due_) { at = std::min(at, reported_ + report_interval); }
    if (at == Instant::max() || (is_clock_armed_ && clock_at_ <= at)) { return; }
    clock_at_ = at;
    is_clock_armed_ = true;
    clock_.expires_at(std::chrono::steady_clock::time_point(at));
    clock_.async_wait([this, at](const boost::system::error_code& ec) {
        if (!ec && at == clock_at_) { is_clock_armed_ = false; }
    });
}

void IoShard::wind_down() {
    io_.restart();
    io_.poll();
    later_.clear();
    timers_.clear();
    inbox_.clear();
    mail_ = {};
    for (auto& works : outgoing_) {
        works.clear();
    }
    output_.dirty.clear();
    output_.shared.clear();
}

void IoShard::gauge_memory() {
    const std::int64_t octets = engine::accounted_bytes();
    if (octets == gauged_ || memory_ == nullptr) { return; }
    memory_->add(octets - gauged_);
    gauged_ = octets;
}

// `was_due`: the loop has waited for this moment, or was busy past it. How late it is then is how
// late anything else would have been.
void IoShard::publish_report(bool was_due) {
    if (was_due) { counters_.lag.observe(late_us(reported_ + report_interval)); }
    reported_ = now_;
    // Looking at all queues may take a while where there are many: the less often it is done.
    const auto queues = static_cast<engine::Instant::rep>(router_->queue_count());
    is_report_due_ = now_ - surveyed_ < report_interval * (1 + queues / 1000);
    const std::lock_guard lock(report_mutex_);
    if (!is_report_due_) {
        surveyed_ = now_;
        router_->survey(report_.queue_figures);
    }
    report_.tolerances = scratch_.tolerances;
    report_.counters = output_.counters;
    report_.connections = counters_;
    report_.queues = router_->queue_count();
    report_.topics = router_->topic_count();
}

std::uint64_t IoShard::late_us(engine::Instant due) const {
    const std::uint64_t at = static_cast<std::uint64_t>(due.count()) * 1000;
    const std::uint64_t now = clock_us();
    return now < at ? 0 : now - at;
}

ShardReport IoShard::report() const {
    const std::lock_guard lock(report_mutex_);
    return report_;
}

}  // namespace transport
