// A shard of the real broker: one io_context, one thread, and the loop that is the performance
// design (architecture, section 4): run ready handlers, flush every dirty connection once, then
// wait.
#pragma once

#include "broker/engine/destinations.hpp"
#include "broker/engine/outbox.hpp"
#include "broker/engine/shard.hpp"
#include "broker/transport/counters.hpp"
#include "broker/transport/memory_gauge.hpp"
#include "broker/transport/options.hpp"
#include "broker/transport/refusal_record.hpp"
#include "broker/transport/timer_wheel.hpp"
#include "protocol/parser.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <span>
#include <vector>

namespace transport {

class Connection;
class SystemEvents;

/// What a shard tells other threads, refreshed about every 100 ms.
struct ShardReport {
    engine::Counters counters;
    Counters connections;
    protocol::Tolerances tolerances;
    std::size_t queues = 0;
    std::size_t topics = 0;
    std::vector<engine::QueueFigures> queue_figures;  ///< By Policy::number.

    void add(const ShardReport& other);
};

class CAPABILITY("shard") IoShard : public engine::Shard {
public:
    IoShard(unsigned index, engine::RouterSettings settings, Options options);
    ~IoShard() override;

    // Any thread.

    void post(engine::Work work) override;

    [[nodiscard]] boost::asio::io_context& io() { return io_; }

    /// The loop, on the calling thread, until stop().
    void run();
    void stop();
    /// After stop() and end_all(): releases what handlers, timers and mailboxes still hold.
    void wind_down();
    [[nodiscard]] ShardReport report() const;
    /// Connections handed to this shard and not ended; for choosing the least loaded.
    std::atomic<std::size_t> load{0};

    // On the shard.

    [[nodiscard]] engine::Instant now() const override {
        if (is_clock_old_) { read_clock(); }
        return now_;
    }

    [[nodiscard]] std::uint64_t clock_us() const override;
    [[nodiscard]] std::uint64_t wall_clock_ms() const override;
    void after(std::chrono::milliseconds delay, engine::Work work) override;
    void random(std::span<std::byte> out) override;

    [[nodiscard]] engine::TurnOutput& output() { return output_; }

    [[nodiscard]] Counters& counters() { return counters_; }

    /// Of its connections that had logged in.
    [[nodiscard]] RefusalRecord& refusals() { return refusals_; }

    [[nodiscard]] engine::Destinations& router() { return *router_; }

    [[nodiscard]] protocol::ParserScratch& parser_scratch() { return scratch_; }

    [[nodiscard]] TimerWheel& wheel() { return wheel_; }

    /// The one large buffer that every readable connection is read into. Its content lasts one
    /// handler.
    [[nodiscard]] std::span<char> read_buffer() { return {buffer_.get(), buffer_size}; }

    /// This turn has read or produced enough: what is left waits for the next.
    [[nodiscard]] bool is_turn_full() const {
        return turn_read_ >= turn_read_max || output_.bytes >= turn_output_max;
    }

    void count_read(std::size_t octets) { turn_read_ += octets; }

    /// Runs `work` in the next turn.
    void next_turn(engine::Work work) { later_.push_back(std::move(work)); }

    /// Other shards lag behind: nothing new is read meanwhile.
    [[nodiscard]] bool is_mail_congested() const { return mail_congested_; }

    /// This shard's own copies, so that a reload exchanges them between two turns.
    [[nodiscard]] const engine::Limits& limits() const { return settings_.limits; }

    [[nodiscard]] const Options& options() const { return options_; }

    /// From now on. What was agreed with a client, such as its heart-beats, stays.
    void set_limits(const engine::Limits& limits, const Options& options) {
        settings_.limits = limits;
        options_ = options;
        ++limits_generation_;
    }

    /// Another one after each set_limits().
    [[nodiscard]] std::uint32_t limits_generation() const { return limits_generation_; }

    /// Memory of all shards: 1: beyond alarm 1, publishers pause; 2: beyond alarm 2 (S-RATE-04).
    [[nodiscard]] int memory_alarm() const { return memory_ == nullptr ? 0 : memory_->level(); }

    /// The disk lags behind: publishers pause (D-COM-05).
    [[nodiscard]] bool is_store_congested() const { return router_->is_store_congested(); }

    /// Null: memory has no limit.
    void set_memory_gauge(MemoryGauge* gauge) { memory_ = gauge; }

    /// Null: nobody is told what happens here.
    [[nodiscard]] SystemEvents* events() const { return events_; }

    void set_events(SystemEvents* events) { events_ = events; }

    void set_peers(std::vector<IoShard*> peers);

private:
    static constexpr std::size_t buffer_size = 64 * 1024;
    static constexpr std::size_t turn_read_max = 256 * 1024;
    static constexpr std::size_t turn_output_max = 8 * 1024 * 1024;
    static constexpr engine::Instant report_interval{100};
    static constexpr int turn_handlers_max = 256;
    static constexpr int turn_mail_max = 256;
    /// Works in a mailbox before those who send to it stop reading.
    static constexpr std::size_t inbox_high = 4 * 1024;

    struct Timer {
        engine::Instant at;
        std::uint64_t serial;
        engine::Work work;
    };

    struct IsLater {
        bool operator()(const Timer& a, const Timer& b) const {
            return a.at != b.at ? a.at > b.at : a.serial > b.serial;
        }
    };

    void turn();
    void run_later();
    void receive_mail();
    void run_mail();
    void deliver(std::vector<engine::Work>& works);
    void send_mail();
    void flush();
    void read_clock() const;
    void run_timers();
    void arm_clock();
    void gauge_memory();
    void publish_report(bool was_due);
    [[nodiscard]] std::uint64_t late_us(engine::Instant due) const;

    engine::RouterSettings settings_;
    Options options_;
    std::uint32_t limits_generation_ = 0;
    boost::asio::io_context io_;
    boost::asio::steady_timer clock_;
    bool is_clock_armed_ = false;
    engine::Instant clock_at_{0};
    bool stopped_ = false;
    mutable engine::Instant now_{0};
    mutable bool is_clock_old_ = false;  ///< A wait lies between: the next who asks reads it.

    engine::TurnOutput output_;
    Counters counters_;
    RefusalRecord refusals_;
    protocol::ParserScratch scratch_;
    std::unique_ptr<char[]> buffer_;
    std::size_t turn_read_ = 0;
    std::vector<engine::Work> later_;
    std::vector<Timer> timers_;  ///< A heap.
    std::uint64_t last_timer_ = 0;
    TimerWheel wheel_;
    std::unique_ptr<engine::Destinations> router_;
    MemoryGauge* memory_ = nullptr;
    std::int64_t gauged_ = 0;  ///< What memory_ knows of this shard.
    SystemEvents* events_ = nullptr;

    // The mailbox: filled by other shards in batches, one lock and one wake-up each.
    std::vector<IoShard*> peers_;
    std::vector<std::vector<engine::Work>> outgoing_;  ///< By target shard.
    bool mail_congested_ = false;
    std::mutex inbox_mutex_;
    std::vector<engine::Work> inbox_;
    std::atomic<std::size_t> inbox_size_{0};  ///< Works not run yet, those in mail_ included.
    engine::Fifo<engine::Work> mail_;         ///< Received; run a part per turn.

    mutable std::mutex report_mutex_;
    ShardReport report_;
    engine::Instant reported_{0};
    engine::Instant surveyed_{0};
    bool is_report_due_ = false;  ///< There were turns since.
};

}  // namespace transport
