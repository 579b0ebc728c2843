// When to send life, when to expect it: STOMP heart-beats and WebSocket pings as one mechanism
// (P-HB-03 to -09). Pure arithmetic over a connection's two times; no timer of its own.
#pragma once

#include "broker/engine/shard.hpp"
#include "broker/transport/options.hpp"
#include "protocol/heart_beat.hpp"

#include <cstdint>

namespace transport {

class Keepalive {
public:
    /// What is due now.
    enum class Due : std::uint8_t { nothing, beat, ping, dead };

    /// Once CONNECTED is queued. `pings`: the peer speaks WebSocket.
    void start(
        const protocol::Agreed& agreed, bool pings, const Options& options, engine::Instant now
    );

    [[nodiscard]] bool is_started() const { return started_; }

    /// Any octet received is life and answers a ping.
    void heard(engine::Instant now) {
        heard_ = now;
        pinged_ = false;
    }

    /// Any octet of STOMP sent restarts the time until the next beat.
    void sent(engine::Instant now) { sent_ = now; }

    /// The broker itself did not read: the peer's silence begins anew (P-HB-09).
    void resume(engine::Instant now) { heard_ = now; }

    void pinged() { pinged_ = true; }

    [[nodiscard]] Due due(engine::Instant now) const;
    /// When due() can next answer something; Instant::max() if never.
    [[nodiscard]] engine::Instant next() const;

private:
    [[nodiscard]] engine::Instant beat_at() const;
    [[nodiscard]] engine::Instant ping_at() const;
    [[nodiscard]] engine::Instant dead_at() const;

    engine::Instant heard_{0};
    engine::Instant sent_{0};
    std::uint32_t beat_after_ms_ = 0;  ///< 0: no beats.
    std::uint32_t ping_after_ms_ = 0;
    std::uint32_t dead_after_ms_ = 0;
    bool pinged_ = false;
    bool started_ = false;
};

}  // namespace transport
