// Metrics of the broker as a whole and of its process.
#include "broker/admin/metric_groups.hpp"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace admin {

namespace {

struct ProcessState {
    double cpu_seconds = 0;
    double started_at = 0;
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t threads = 0;
};

double time_of(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// The fields of /proc/self/stat behind the name, which may hold blanks and parentheses: field 3 is
// the first of them.
ProcessState process_state() {
    ProcessState state;
    std::ifstream file("/proc/self/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) { return state; }
    unsigned long user = 0;
    unsigned long kernel = 0;
    unsigned long threads = 0;
    unsigned long long start = 0;
    unsigned long size = 0;
    long resident = 0;
    const int found = std::sscanf(
        text.c_str() + name_end + 1,
        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %lu %*d %llu %lu %ld",
        &user,
        &kernel,
        &threads,
        &start,
        &size,
        &resident
    );
    if (found != 6) { return state; }
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const double booted_at = time_of(CLOCK_REALTIME) - time_of(CLOCK_BOOTTIME);
    state.cpu_seconds = static_cast<double>(user + kernel) / ticks;
    state.started_at = booted_at + static_cast<double>(start) / ticks;
    state.virtual_bytes = size;
    state.resident_bytes =
        static_cast<std::uint64_t>(resident) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    state.threads = threads;
    return state;
}

// Since Linux 6.2 the directory's size is their number; counting many thousands takes milliseconds.
std::uint64_t open_descriptors() {
    constexpr const char* directory = "/proc/self/fd";

    struct stat status {};

    if (::stat(directory, &status) == 0 && status.st_size > 0) {
        return static_cast<std::uint64_t>(status.st_size);
    }
    std::uint64_t count = 0;
    std::error_code ec;
    for (auto it = std::filesystem::directory_iterator(directory, ec);
         !ec && it != std::filesystem::directory_iterator();
         it.increment(ec)) {
        ++count;
    }
    return count;
}

}  // namespace

void add_broker(Families& out, const Gathered& from) {
    const Figures& figures = from.figures;
    out.gauge("stampede_build_info", "Always 1; the label tells the version.");
    out.value(1, {{"version", STAMPEDE_VERSION}});
    out.gauge("stampede_start_time_seconds", "When the broker was started, since 1970.");
    out.value(from.started_at);
    out.gauge("stampede_ready", "1: /readyz says ok.");
    out.value(figures.is_ready ? 1 : 0);
    out.gauge("stampede_draining", "1: connections are told to leave, new ones are not taken.");
    out.value(figures.is_draining ? 1 : 0);
    out.histogram(
        "stampede_loop_lag_seconds",
        "How late an event loop did what was due, looked at ten times a second while it is busy."
    );
    out.value(from.shards.connections.lag, 1e6);
    out.counter("stampede_config_reloads_total", "Reloads of the configuration.");
    out.value(figures.reloads_good, {{"result", "success"}});
    out.value(figures.reloads_failed, {{"result", "failure"}});
    out.gauge(
        "stampede_config_last_success_timestamp_seconds",
        "When the configuration in force was taken over, since 1970."
    );
    out.value(figures.configured_at);
    out.counter("stampede_log_lines_suppressed_total", "Log lines left out by their rate limit.");
    out.value(figures.log_lines_suppressed);
    out.counter(
        "stampede_log_lines_lost_total", "Log lines lost because the output lagged behind."
    );
    out.value(figures.log_lines_lost);
}

void add_process(Families& out) {
    const ProcessState state = process_state();
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    out.counter("process_cpu_seconds_total", "Processor time, of user and kernel.");
    out.value(state.cpu_seconds);
    out.gauge("process_start_time_seconds", "When the process began, since 1970.");
    out.value(state.started_at);
    out.gauge("process_virtual_memory_bytes", "Virtual memory.");
    out.value(state.virtual_bytes);
    out.gauge("process_resident_memory_bytes", "Resident memory.");
    out.value(state.resident_bytes);
    out.gauge("process_threads", "Threads.");
    out.value(state.threads);
    out.gauge("process_open_fds", "Open file descriptors.");
    out.value(open_descriptors());
    out.gauge("process_max_fds", "How many file descriptors may be open.");
    out.value(files.rlim_cur);
}

}  // namespace admin
