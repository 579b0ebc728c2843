// The writer: spdlog's sink for stderr or a file, direct or behind its asynchronous queue.
// The queue holds 8,192 lines and loses its oldest when full: a slow log never stops a shard.
#include "broker/log/log.hpp"

#include "broker/log/rate_limit.hpp"
#include "broker/log/record.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/periodic_worker.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace logging {

namespace {

constexpr std::size_t queue_lines = 1024;
constexpr std::chrono::seconds summary_period{10};

std::atomic<std::uint64_t> suppressed_lines{0};

bool is_json(const Options& options) {
    if (options.format != Format::automatic) { return options.format == Format::json; }
    return !options.file.empty() || ::isatty(STDERR_FILENO) == 0;
}

/// What a sink for `options` is made of: one that can be exchanged while lines are written.
using Sinks = std::vector<spdlog::sink_ptr>;

Sinks open_sinks(const std::string& file) {
    if (file.empty()) { return {std::make_shared<spdlog::sinks::stderr_sink_st>()}; }
    // The library would let everybody read it.
    const int descriptor =
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    if (descriptor < 0) {
        throw std::runtime_error("log.file: cannot open " + file + ": " + std::strerror(errno));
    }
    ::close(descriptor);
    try {
        return {std::make_shared<spdlog::sinks::basic_file_sink_st>(file)};
    } catch (const spdlog::spdlog_ex& error) {
        throw std::runtime_error(std::string("log.file: ") + error.what());
    }
}

/// For the admin API; lives as long as the process, so that a reload forgets none.
class RecentLines {
public:
    void add(std::string line) {
        const std::lock_guard lock(mutex_);
        lines_[next_++ % lines_.size()].swap(line);
    }

    [[nodiscard]] std::vector<std::string> all() {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> all;
        for (std::size_t i = next_ < lines_.size() ? 0 : next_ - lines_.size(); i < next_; ++i) {
            all.push_back(lines_[i % lines_.size()]);
        }
        return all;
    }

private:
    std::mutex mutex_;
    std::array<std::string, 1000> lines_;
    std::size_t next_ = 0;
};

RecentLines recent_lines;

spdlog::level::level_enum to_spdlog(Level level) {
    static_assert(static_cast<int>(Level::error) == static_cast<int>(spdlog::level::err));
    return static_cast<spdlog::level::level_enum>(level);
}

std::string_view address_of(Fields fields) {
    for (const Field& field : fields) {
        if (field.name() == "remote") { return without_port(field.text()); }
    }
    return {};
}

class Writer {
public:
    explicit Writer(const Options& options);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void write(Level level, std::string_view event, std::string_view message, Fields fields);

    [[nodiscard]] std::string reopen();

    [[nodiscard]] std::uint64_t overruns() const { return pool_ ? pool_->overrun_counter() : 0; }

private:
    [[nodiscard]] bool admit(std::string_view event, Fields fields);
    void emit(Level level, std::string_view event, std::string_view message, Fields fields);
    void emit_summaries();

    const bool json_;
    const std::string file_;
    const std::shared_ptr<spdlog::sinks::dist_sink_mt> sink_;
    std::shared_ptr<spdlog::details::thread_pool> pool_;
    std::shared_ptr<spdlog::logger> logger_;
    std::mutex mutex_;
    RateLimit rate_limit_;  ///< Under mutex_.
    std::unique_ptr<spdlog::details::periodic_worker> summarizer_;
};

Writer::Writer(const Options& options)
    : json_(is_json(options)),
      file_(options.file),
      sink_(std::make_shared<spdlog::sinks::dist_sink_mt>(open_sinks(options.file))) {
    if (options.async) {
        pool_ = std::make_shared<spdlog::details::thread_pool>(queue_lines, 1);
        logger_ = std::make_shared<spdlog::async_logger>(
            "stampede", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest
        );
    } else {
        logger_ = std::make_shared<spdlog::logger>("stampede", sink_);
    }
    logger_->set_level(spdlog::level::trace);
    logger_->set_pattern("%v");
    logger_->flush_on(spdlog::level::trace);
    summarizer_ = std::make_unique<spdlog::details::periodic_worker>(
        [this] { emit_summaries(); }, summary_period
    );
}

Writer::~Writer() {
    summarizer_.reset();
    emit_summaries();
    logger_->flush();
    pool_.reset();  // Ends the writer thread after its last line, before the logger goes.
}

void Writer::write(Level level, std::string_view event, std::string_view message, Fields fields) {
    if (admit(event, fields)) { emit(level, event, message, fields); }
}

std::string Writer::reopen() {
    if (file_.empty()) { return {}; }
    try {
        Sinks sinks = open_sinks(file_);
        sinks.front()->set_pattern("%v");
        sink_->set_sinks(std::move(sinks));
    } catch (const std::runtime_error& error) { return error.what(); }
    return {};
}

bool Writer::admit(std::string_view event, Fields fields) {
    const std::string_view address = address_of(fields);
    if (address.empty()) { return true; }
    const std::lock_guard lock(mutex_);
    if (rate_limit_.admit(event, address, std::chrono::steady_clock::now())) { return true; }
    suppressed_lines.fetch_add(1, std::memory_order_relaxed);
    return false;
}

void Writer::emit(Level level, std::string_view event, std::string_view message, Fields fields) {
    const auto now =
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    const Record record{now, level, event, message, fields};
    std::string line = json_ ? to_json(record) : to_text(record);
    logger_->log(to_spdlog(level), spdlog::string_view_t(line));
    recent_lines.add(json_ ? std::move(line) : to_json(record));
}

void Writer::emit_summaries() {
    std::vector<Summary> summaries;
    {
        const std::lock_guard lock(mutex_);
        summaries = rate_limit_.take_summaries(std::chrono::steady_clock::now());
    }
    for (const Summary& summary : summaries) {
        emit(
            Level::warn,
            "log-suppressed",
            "lines left out: more than 10 a second from one source",
            {{"suppressed_event", summary.event},
             {"remote", summary.address},
             {"count", summary.suppressed}}
        );
    }
}

std::unique_ptr<Writer> writer;

}  // namespace

void init(const Options& options) {
    shutdown();
    writer = std::make_unique<Writer>(options);
    set_level(options.level);
}

void shutdown() {
    detail::threshold.store(Level::off, std::memory_order_relaxed);
    writer.reset();
}

std::string reopen() {
    return writer ? writer->reopen() : std::string();
}

void set_level(Level level) {
    detail::threshold.store(writer ? level : Level::off, std::memory_order_relaxed);
}

void write(Level level, std::string_view event, std::string_view message, Fields fields) {
    if (is_enabled(level) && writer) { writer->write(level, event, message, fields); }
}

Level level() {
    return detail::threshold.load(std::memory_order_relaxed);
}

std::vector<std::string> recent() {
    return recent_lines.all();
}

std::uint64_t suppressed_total() {
    return suppressed_lines.load(std::memory_order_relaxed);
}

std::uint64_t overrun_total() {
    return writer ? writer->overruns() : 0;
}

}  // namespace logging
