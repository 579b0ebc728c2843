// Phases: open, warm up, measure, drain. A turn is: events, publish what the window or the clock
// allows, one write per connection that has output.
#include "broker/cli/load.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/cli/refusals.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <netdb.h>
#include <numeric>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace cli {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint64_t idle_wait_ns = 20'000'000;
constexpr std::uint64_t setup_silence_ns = 10 * second_ns;
constexpr std::uint64_t stall_ns = 2 * second_ns;
constexpr double drain_seconds = 2;
constexpr std::size_t batch_bytes = 1024 * 1024;  // Of one publisher in one turn.
constexpr std::size_t backlog_bytes = 4 * 1024 * 1024;
constexpr std::uint64_t unbounded_batch = 256;  // Messages a turn where nothing comes back.

LoadPlan plan_for(const LoadOptions& options) {
    LoadPlan plan;
    plan.target = make_target(options.target);
    plan.body_size = options.body_size;
    plan.ack = options.ack;
    plan.receipt_every = options.receipt_every;
    plan.send_headers = parse_headers(options.send_headers);
    plan.subscribe_headers = parse_headers(options.subscribe_headers);
    plan.sources = options.sources;
    plan.seed = options.seed;
    plan.is_ordered = options.pattern != LoadPattern::queue && options.publishers != 0;
    plan.close_when_ready = options.pattern == LoadPattern::connect;
    return plan;
}

void resolve(LoadPlan& plan) {
    const Url& url = plan.target.url;
    if (url.is_tls) {
        throw Failure(ExitCode::usage, "bench knows ws:// and stomp:// only, no TLS");
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error =
        ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
    if (error != 0) {
        throw Failure(
            ExitCode::failure, "cannot resolve " + url.host + ": " + ::gai_strerror(error)
        );
    }
    std::copy_n(
        reinterpret_cast<const char*>(found->ai_addr),
        found->ai_addrlen,
        reinterpret_cast<char*>(&plan.address)
    );
    plan.address_size = found->ai_addrlen;
    ::freeaddrinfo(found);
}

std::string new_destination(const LoadOptions& options) {
    if (!options.destination.empty()) { return options.destination; }
    const char* const kind =
        options.pattern == LoadPattern::queue ? "/queue/bench-" : "/topic/bench-";
    return kind + std::to_string(::getpid()) + '-' + std::to_string(steady_ns() % second_ns);
}

double to_seconds(std::uint64_t ns) {
    return static_cast<double>(ns) / 1e9;
}

std::uint64_t to_ns(double seconds) {
    return static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e9);
}

}  // namespace

struct Load::Snapshot {
    std::uint64_t time_ns = 0;
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;
    std::uint64_t receipts = 0;
    std::uint64_t bytes_in = 0;
    double broker_cpu = 0;
    double own_cpu = 0;
};

Load::Load(const LoadOptions& options)
    : options_(options),
      plan_(plan_for(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      destination_(new_destination(options)) {
    resolve(plan_);
    if (epoll_ < 0) { throw Failure(ExitCode::failure, "cannot create an epoll descriptor"); }
    // Sleeps of a fixed rate should end when they are to end, not 50 microseconds later.
    ::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
}

Load::~Load() {
    peers_.clear();
    if (epoll_ >= 0) { ::close(epoll_); }
}

// ---- Peers.

void Load::add_subscriber(const std::string& destination) {
    peers_.push_back(std::make_unique<LoadPeer>(plan_, tally_, epoll_));
    peers_.back()->make_subscriber(destination);
    subscribers_.push_back(peers_.back().get());
}

void Load::add_publisher(const std::string& destination) {
    peers_.push_back(std::make_unique<LoadPeer>(plan_, tally_, epoll_));
    peers_.back()->make_publisher(destination, static_cast<std::uint32_t>(publishers_.size()));
    publishers_.push_back(peers_.back().get());
}

void Load::add_peers() {
    switch (options_.pattern) {
        case LoadPattern::fanout:
        case LoadPattern::queue:
            for (std::size_t n = 0; n < options_.subscribers; ++n) {
                add_subscriber(destination_);
            }
            for (std::size_t n = 0; n < options_.publishers; ++n) {
                add_publisher(destination_);
            }
            break;
        case LoadPattern::pairs:
            for (std::size_t n = 0; n < options_.publishers; ++n) {
                add_subscriber(destination_ + '-' + std::to_string(n));
            }
            for (std::size_t n = 0; n < options_.publishers; ++n) {
                add_publisher(destination_ + '-' + std::to_string(n));
            }
            break;
        case LoadPattern::idle:
            for (std::size_t n = 0; n < options_.connections; ++n) {
                add_subscriber(
                    options_.shared_topic ? destination_ : destination_ + '-' + std::to_string(n)
                );
            }
            break;
        case LoadPattern::connect:
            for (std::size_t n = 0; n < options_.connections; ++n) {
                peers_.push_back(std::make_unique<LoadPeer>(plan_, tally_, epoll_));
            }
            break;
    }
    // At least one for `bench sub`, whose publishers are elsewhere.
    tally_.delivered_by.assign(std::max<std::size_t>(publishers_.size(), 64), 0);
    forgiven_.assign(publishers_.size(), 0);
    const std::uint64_t files = raise_file_limit();
    if (peers_.size() + 32 > files && !plan_.close_when_ready) {
        throw Failure(
            ExitCode::failure,
            std::to_string(peers_.size()) + " connections need more open files than the limit of " +
                std::to_string(files) + "; raise it with ulimit -n"
        );
    }
}

void Load::open_all() {
    const std::uint64_t begin = steady_ns();
    std::uint64_t last_change = begin;
    std::uint64_t settled = 0;
    std::size_t opened = 0;
    while (settled < peers_.size()) {
        tally_.now_ns = steady_ns();
        while (opened < peers_.size() && opened - settled < options_.in_flight) {
            peers_[opened]->open(static_cast<unsigned>(opened));
            ++opened;
        }
        turn(idle_wait_ns);
        flush_dirty();
        if (tally_.ready + tally_.failed != settled) { last_change = tally_.now_ns; }
        settled = tally_.ready + tally_.failed;
        if (steady_ns() - last_change > setup_silence_ns) { break; }
        show_progress();
    }
    report_.setup_seconds = to_seconds(steady_ns() - begin);
}

void Load::check_peers() const {
    const std::string where = plan_.target.url.text();
    const std::string why = tally_.first_error.empty() ? "no answer" : tally_.first_error;
    if (tally_.ready == 0) {
        throw Failure(
            exit_code_for(tally_.first_error), "no connection to " + where + " came up: " + why
        );
    }
    const auto is_ready = [](const LoadPeer* peer) { return peer->is_ready(); };
    if (!std::all_of(publishers_.begin(), publishers_.end(), is_ready) ||
        !std::all_of(subscribers_.begin(), subscribers_.end(), is_ready)) {
        throw Failure(
            ExitCode::failure,
            "only " + std::to_string(tally_.ready) + " of " + std::to_string(peers_.size()) +
                " connections to " + where + " came up: " + why
        );
    }
}

// ---- The loop.

void Load::turn(std::uint64_t wait_ns) {
    std::array<epoll_event, 1024> events;
    const timespec wait{
        static_cast<time_t>(wait_ns / second_ns), static_cast<long>(wait_ns % second_ns)};
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    tally_.now_ns = steady_ns();
    for (int n = 0; n < count; ++n) {
        const epoll_event& event = events[static_cast<std::size_t>(n)];
        static_cast<LoadPeer*>(event.data.ptr)->on_event(event.events);
    }
}

void Load::flush_dirty() {
    // A flush may lose a peer but adds none to the list.
    for (LoadPeer* const peer : tally_.dirty) {
        peer->flush();
    }
    tally_.dirty.clear();
}

void Load::run_for(double seconds) {
    const std::uint64_t end = steady_ns() + to_ns(seconds);
    while (steady_ns() < end && tally_.closed < peers_.size() && messages_so_far() < messages_end_
    ) {
        turn(next_wait());
        publish();
        flush_dirty();
        show_progress();
    }
}

/// What `--msgs` counts: published ones, or, where others publish, delivered ones.
std::uint64_t Load::messages_so_far() const {
    return publishers_.empty() ? tally_.delivered : tally_.published;
}

void Load::measure() {
    run_for(options_.warmup);
    tally_.is_measuring = true;
    if (options_.messages != 0) { messages_end_ = messages_so_far() + options_.messages; }
    const Snapshot before = snapshot();
    run_for(options_.seconds);
    // A number of messages is measured to the last delivery, a time is over when it is over.
    if (options_.messages != 0) { drain(); }
    report_difference(before, snapshot());
    tally_.is_measuring = false;
    if (options_.messages == 0) { drain(); }
}

std::uint64_t Load::next_wait() const {
    if (options_.rate <= 0) {
        // Without subscribers and receipts nothing wakes us but the sockets' room.
        const bool is_open_loop = subscribers_.empty() && options_.receipt_every == 0;
        return is_open_loop && !publishers_.empty() ? 1'000'000 : idle_wait_ns;
    }
    const std::uint64_t due =
        rate_begin_ns_ + to_ns(static_cast<double>(scheduled_) / options_.rate);
    const std::uint64_t now = steady_ns();
    return due <= now ? 0 : std::min(due - now, idle_wait_ns);
}

// ---- Publishing.

void Load::publish() {
    if (options_.rate > 0) {
        publish_due();
    } else {
        publish_windows();
        watch_for_stall();
    }
}

void Load::publish_windows() {
    const std::uint64_t now = steady_ns();
    for (std::size_t n = 0; n < publishers_.size(); ++n) {
        LoadPeer& peer = *publishers_[n];
        // What the socket has not taken yet comes first.
        if (!peer.is_ready() || peer.pending_bytes() != 0) { continue; }
        const std::uint64_t most = std::max<std::uint64_t>(1, batch_bytes / peer.message_size());
        const std::uint64_t room = std::min({room_of(n), most, messages_end_ - messages_so_far()});
        for (std::uint64_t m = 0; m < room; ++m) {
            peer.publish(now);
        }
    }
}

/// How many messages publisher number `publisher` may send now.
std::uint64_t Load::room_of(std::size_t publisher) const {
    const LoadPeer& peer = *publishers_[publisher];
    std::uint64_t room = unbounded_batch;
    if (!subscribers_.empty()) {
        const bool is_shared = options_.pattern != LoadPattern::pairs;
        const std::uint64_t share =
            std::max<std::uint64_t>(1, options_.window / (is_shared ? publishers_.size() : 1));
        const std::uint64_t back =
            (tally_.delivered_by[publisher] + forgiven_[publisher]) / copies();
        const std::uint64_t open = peer.sent() > back ? peer.sent() - back : 0;
        room = open < share ? share - open : 0;
        // Rather a batch later than a trickle now: that is how a loaded publisher behaves.
        if (room < std::max<std::uint64_t>(1, share / 8)) { return 0; }
    }
    if (options_.receipt_every != 0) {
        const std::uint64_t open = peer.receipts_outstanding();
        const std::uint64_t left =
            open < options_.receipt_window ? options_.receipt_window - open : 0;
        room = std::min(room, left * options_.receipt_every);
    }
    return room;
}

// Stamped with the time when it was due: a stall of ours or the broker's shows in the latency.
void Load::publish_due() {
    if (rate_begin_ns_ == 0) { rate_begin_ns_ = steady_ns(); }
    const std::uint64_t now = steady_ns();
    while (true) {
        const std::uint64_t due =
            rate_begin_ns_ + to_ns(static_cast<double>(scheduled_) / options_.rate);
        if (due > now || messages_so_far() >= messages_end_) { return; }
        LoadPeer& peer = *publishers_[scheduled_ % publishers_.size()];
        if (peer.pending_bytes() > backlog_bytes) { return; }
        if (peer.is_ready()) { peer.publish(due); }
        ++scheduled_;
    }
}

// A broker that drops messages must not stop the run: what is missing is counted and forgiven.
void Load::watch_for_stall() {
    if (publishers_.empty()) { return; }
    const std::uint64_t mark = tally_.delivered + tally_.receipts + tally_.published;
    const std::uint64_t now = steady_ns();
    if (mark != progress_mark_ || progress_ns_ == 0) {
        progress_mark_ = mark;
        progress_ns_ = now;
    }
    if (now - progress_ns_ < stall_ns) { return; }
    progress_ns_ = now;
    ++report_.stalls;
    for (std::size_t n = 0; n < publishers_.size(); ++n) {
        const std::uint64_t sent = publishers_[n]->sent() * copies();
        if (sent > tally_.delivered_by[n]) { forgiven_[n] = sent - tally_.delivered_by[n]; }
    }
}

/// Deliveries that one message causes.
std::uint64_t Load::copies() const {
    const bool multiplies = options_.pattern == LoadPattern::fanout;
    return multiplies ? std::max<std::uint64_t>(1, subscribers_.size()) : 1;
}

std::uint64_t Load::expected_deliveries() const {
    return subscribers_.empty() ? 0 : tally_.published * copies();
}

void Load::drain() {
    const std::uint64_t end = steady_ns() + to_ns(drain_seconds);
    const auto is_done = [this] {
        const auto owes = [](const LoadPeer* peer) { return peer->receipts_outstanding() != 0; };
        return tally_.delivered >= expected_deliveries() &&
               std::none_of(publishers_.begin(), publishers_.end(), owes);
    };
    while (!is_done() && steady_ns() < end) {
        turn(idle_wait_ns);
        flush_dirty();
    }
}

// ---- Measuring.

Load::Snapshot Load::snapshot() const {
    return {
        steady_ns(),
        tally_.published,
        tally_.delivered,
        tally_.receipts,
        tally_.bytes_in,
        usage_of(options_.pids).cpu_seconds,
        own_cpu_seconds()};
}

void Load::report_difference(const Snapshot& before, const Snapshot& after) {
    report_.seconds = to_seconds(after.time_ns - before.time_ns);
    report_.published = after.published - before.published;
    report_.delivered = after.delivered - before.delivered;
    report_.receipts = after.receipts - before.receipts;
    report_.bytes_in = after.bytes_in - before.bytes_in;
    report_.broker_cpu_seconds = after.broker_cpu - before.broker_cpu;
    report_.own_cpu_seconds = after.own_cpu - before.own_cpu;
}

void Load::show_progress() {
    const std::uint64_t now = steady_ns();
    if (!options_.shows_progress || now - shown_ns_ < second_ns) { return; }
    const double rate =
        static_cast<double>(tally_.delivered - shown_delivered_) / to_seconds(now - shown_ns_);
    std::fprintf(
        stderr,
        "\r%llu connections, %llu published, %.0f deliveries/s\x1b[K",
        static_cast<unsigned long long>(tally_.ready - (tally_.closed - tally_.failed)),
        static_cast<unsigned long long>(tally_.published),
        shown_ns_ == 0 ? 0.0 : rate
    );
    shown_ns_ = now;
    shown_delivered_ = tally_.delivered;
}

LoadReport Load::run() {
    const ProcessUsage at_begin = usage_of(options_.pids);
    add_peers();
    open_all();
    const ProcessUsage at_ready = usage_of(options_.pids);
    report_.connected = tally_.ready;
    report_.failed = tally_.failed;
    report_.setup_cpu_seconds = at_ready.cpu_seconds - at_begin.cpu_seconds;
    report_.resident_before = at_begin.resident_bytes;

    if (options_.pattern != LoadPattern::connect) {
        check_peers();
        measure();
    }
    report_.resident_after = usage_of(options_.pids).resident_bytes;
    report_.lost_connections = tally_.closed - tally_.failed;
    report_.misplaced = tally_.misplaced;
    report_.errors = tally_.errors;
    report_.first_error = tally_.first_error;
    const std::uint64_t expected = publishers_.empty() ? tally_.delivered : expected_deliveries();
    report_.missing = expected > tally_.delivered ? expected - tally_.delivered : 0;
    if (options_.shows_progress) { std::fputs("\r\x1b[K", stderr); }
    return report_;
}

}  // namespace cli
