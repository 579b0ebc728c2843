#include "broker/admin/time_text.hpp"

#include <fmt/format.h>

#include <ctime>

namespace admin {

using std::chrono::milliseconds;

std::string time_text(std::chrono::sys_time<milliseconds> time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t calendar = second.time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&calendar, &parts);
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        parts.tm_year + 1900,
        parts.tm_mon + 1,
        parts.tm_mday,
        parts.tm_hour,
        parts.tm_min,
        parts.tm_sec,
        (time - second).count()
    );
}

std::string time_text(engine::Instant moment) {
    // Once: the two clocks drift apart, and a list would be another one each time.
    static const auto offset =
        std::chrono::floor<milliseconds>(std::chrono::system_clock::now()).time_since_epoch() -
        std::chrono::floor<milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
    return time_text(std::chrono::sys_time<milliseconds>(offset + moment));
}

}  // namespace admin
