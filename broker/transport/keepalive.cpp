#include "broker/transport/keepalive.hpp"

#include <algorithm>

namespace transport {

namespace {

constexpr std::uint64_t slow_beats_ms = 10'000;
constexpr std::uint32_t ping_before_slow_deadline_ms = 15'000;

std::uint32_t narrow(std::uint64_t milliseconds) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(milliseconds, 0xFFFF'FFFFU));
}

}  // namespace

void Keepalive::start(
    const protocol::Agreed& agreed, bool pings, const Options& options, engine::Instant now
) {
    started_ = true;
    heard_ = sent_ = now;
    beat_after_ms_ = agreed.send_every == 0 ? 0 : narrow(protocol::beat_after(agreed.send_every));
    if (agreed.hear_every != 0) {
        dead_after_ms_ = narrow(protocol::dead_after(agreed.hear_every));
        // A throttled browser tab still answers pings (P-HB-06).
        ping_after_ms_ =
            pings && agreed.hear_every >= slow_beats_ms ? ping_before_slow_deadline_ms : 0;
    } else if (pings) {
        dead_after_ms_ = narrow(static_cast<std::uint64_t>(options.dead_after.count()));
        ping_after_ms_ = narrow(static_cast<std::uint64_t>(options.ping_after.count()));
    }
}

engine::Instant Keepalive::beat_at() const {
    return beat_after_ms_ == 0 ? engine::Instant::max() : sent_ + engine::Instant(beat_after_ms_);
}

engine::Instant Keepalive::ping_at() const {
    return ping_after_ms_ == 0 || pinged_ ? engine::Instant::max()
                                          : heard_ + engine::Instant(ping_after_ms_);
}

engine::Instant Keepalive::dead_at() const {
    return dead_after_ms_ == 0 ? engine::Instant::max() : heard_ + engine::Instant(dead_after_ms_);
}

Keepalive::Due Keepalive::due(engine::Instant now) const {
    if (!started_) { return Due::nothing; }
    if (now >= dead_at()) { return Due::dead; }
    if (now >= ping_at()) { return Due::ping; }
    return now >= beat_at() ? Due::beat : Due::nothing;
}

engine::Instant Keepalive::next() const {
    return started_ ? std::min({beat_at(), ping_at(), dead_at()}) : engine::Instant::max();
}

}  // namespace transport
