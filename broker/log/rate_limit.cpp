// The table of sources and its clean-up.
// A full table is swept at most once a second, so that many addresses do not make logging slow.
#include "broker/log/rate_limit.hpp"

namespace logging {

namespace {

constexpr std::chrono::seconds period{1};
constexpr std::size_t key_part_max = 64;

std::string key_of(std::string_view event, std::string_view address) {
    std::string key(event.substr(0, key_part_max));
    key += '\n';
    key += address.substr(0, key_part_max);
    return key;
}

}  // namespace

bool RateLimit::Source::admit(Time now) {
    Time& oldest = written[next];
    if (oldest != Time{} && now - oldest < period) {
        ++summary.suppressed;
        return false;
    }
    oldest = now;
    next = (next + 1) % written.size();
    return true;
}

bool RateLimit::Source::is_idle(Time now) const {
    const Time& newest = written[(next + written.size() - 1) % written.size()];
    return summary.suppressed == 0 && now - newest >= period;
}

bool RateLimit::admit(std::string_view event, std::string_view address, Time now) {
    return find(event, address, now).admit(now);
}

RateLimit::Source& RateLimit::find(std::string_view event, std::string_view address, Time now) {
    std::string key = key_of(event, address);
    if (const auto found = sources_.find(key); found != sources_.end()) { return found->second; }
    if (sources_.size() >= sources_max) { forget_idle(now); }
    if (sources_.size() >= sources_max) { return others_; }
    Source& source = sources_[std::move(key)];
    source.summary.event = event.substr(0, key_part_max);
    source.summary.address = address.substr(0, key_part_max);
    return source;
}

void RateLimit::forget_idle(Time now) {
    if (swept_ != Time{} && now - swept_ < period) { return; }
    swept_ = now;
    std::erase_if(sources_, [now](const auto& entry) { return entry.second.is_idle(now); });
}

std::vector<Summary> RateLimit::take_summaries(Time now) {
    std::vector<Summary> summaries;
    const auto take = [&summaries](Source& source) {
        if (source.summary.suppressed == 0) { return; }
        summaries.push_back(source.summary);
        source.summary.suppressed = 0;
    };
    for (auto& entry : sources_) {
        take(entry.second);
    }
    take(others_);
    std::erase_if(sources_, [now](const auto& entry) { return entry.second.is_idle(now); });
    return summaries;
}

std::string_view without_port(std::string_view remote) {
    if (remote.starts_with('[')) {
        const std::size_t end = remote.find(']');
        return end == std::string_view::npos ? remote : remote.substr(1, end - 1);
    }
    const std::size_t colon = remote.find(':');
    const bool is_one =
        colon != std::string_view::npos && remote.find(':', colon + 1) == remote.npos;
    return is_one ? remote.substr(0, colon) : remote;
}

}  // namespace logging
