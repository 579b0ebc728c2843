// The load generator: opens the peers of a pattern, drives them, measures a stretch of time.
// One thread, one epoll; windowed (as fast as deliveries come back) or at a fixed rate.
#pragma once

#include "broker/cli/load_peer.hpp"
#include "broker/cli/process.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace cli {

enum class LoadPattern : std::uint8_t {
    fanout,   ///< Publishers to one topic, every subscriber gets all.
    pairs,    ///< Each publisher has its own topic and subscriber.
    queue,    ///< Publishers to one queue, consumers share it.
    idle,     ///< Subscribers that get nothing.
    connect,  ///< Connections that end as soon as they are logged in.
};

struct LoadOptions {
    LoadPattern pattern = LoadPattern::fanout;
    TargetFlags target;
    std::string destination;  ///< Empty: a new one for this run.
    std::size_t publishers = 1;
    std::size_t subscribers = 10;
    std::size_t connections = 1000;  ///< Of idle and connect.
    std::size_t in_flight = 64;      ///< Connections being set up at a time.
    unsigned sources = 0;
    bool shared_topic = false;  ///< Of idle: one topic instead of one each.
    std::size_t body_size = 128;
    double seconds = 5;
    double warmup = 1;
    std::uint64_t messages = 0;  ///< Ends measuring after that many; 0: only time does.
    std::uint32_t seed = 0x9e3779b9U;
    std::uint64_t window =
        256;          ///< Published and not yet delivered, over all publishers of a destination.
    double rate = 0;  ///< Messages a second, all publishers together; 0: windowed.
    LoadAck ack = LoadAck::automatic;
    std::uint64_t receipt_every = 0;
    std::uint64_t receipt_window = 100;  ///< Outstanding receipts of a publisher.
    std::vector<std::string> send_headers;
    std::vector<std::string> subscribe_headers;
    std::vector<int> pids;  ///< The broker's processes.
    bool shows_progress = false;
};

struct LoadReport {
    double seconds = 0;  ///< Of measuring.
    std::uint64_t connected = 0;
    std::uint64_t failed = 0;
    std::uint64_t lost_connections = 0;  ///< After they were ready.
    double setup_seconds = 0;
    std::uint64_t published = 0;  ///< This and the next four: while measuring.
    std::uint64_t delivered = 0;
    std::uint64_t receipts = 0;
    std::uint64_t bytes_in = 0;
    double broker_cpu_seconds = 0;
    double own_cpu_seconds = 0;
    std::uint64_t missing = 0;  ///< Of the whole run, after draining.
    std::uint64_t misplaced = 0;
    std::uint64_t stalls = 0;
    std::uint64_t errors = 0;
    std::string first_error;
    double setup_cpu_seconds = 0;  ///< The broker's, while connections were set up.
    std::uint64_t resident_before = 0;
    std::uint64_t resident_after = 0;
};

class Load {
public:
    /// Throws Failure for a target that cannot be used (TLS, unknown host).
    explicit Load(const LoadOptions& options);
    ~Load();

    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    /// Runs the whole pattern. Throws Failure if not all connections that are needed came up.
    [[nodiscard]] LoadReport run();

    [[nodiscard]] const Tally& tally() const { return tally_; }

private:
    struct Snapshot;

    void add_peers();
    void add_subscriber(const std::string& destination);
    void add_publisher(const std::string& destination);
    void open_all();
    void check_peers() const;

    void turn(std::uint64_t wait_ns);
    void flush_dirty();
    void run_for(double seconds);
    void measure();
    [[nodiscard]] std::uint64_t messages_so_far() const;
    void publish();
    void publish_windows();
    void publish_due();
    [[nodiscard]] std::uint64_t room_of(std::size_t publisher) const;
    [[nodiscard]] std::uint64_t next_wait() const;
    void watch_for_stall();
    void drain();
    [[nodiscard]] std::uint64_t copies() const;
    [[nodiscard]] std::uint64_t expected_deliveries() const;

    [[nodiscard]] Snapshot snapshot() const;
    void report_difference(const Snapshot& before, const Snapshot& after);
    void show_progress();

    const LoadOptions options_;
    LoadPlan plan_;
    Tally tally_;
    LoadReport report_;
    int epoll_ = -1;
    std::string destination_;
    std::vector<std::unique_ptr<LoadPeer>> peers_;
    std::vector<LoadPeer*> publishers_;
    std::vector<LoadPeer*> subscribers_;

    std::vector<std::uint64_t> forgiven_;  ///< Deliveries by publisher that will never come.
    std::uint64_t messages_end_ = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t scheduled_ = 0;  ///< Messages of the fixed rate that were sent.
    std::uint64_t rate_begin_ns_ = 0;
    std::uint64_t progress_ns_ = 0;    ///< When something last came back ...
    std::uint64_t progress_mark_ = 0;  ///< ... and how much had by then.
    std::uint64_t shown_ns_ = 0;
    std::uint64_t shown_delivered_ = 0;
};

}  // namespace cli
