// Heart-beat header and arithmetic (P-HB-01 to -06). Milliseconds throughout; pure.
#pragma once

#include "protocol/error.hpp"
#include "protocol/version.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace protocol {

/// The `heart-beat` header: what its sender can do and what it wants, in ms, 0 for nothing.
struct HeartBeat {
    std::uint64_t can_send = 0;
    std::uint64_t wants = 0;
};

struct HeartBeatOptions {
    std::uint32_t offer_ms = 10'000;
    std::uint32_t floor_ms = 1'000;
    std::uint32_t cap_ms = 60'000;
};

/// What was agreed, both ends known; 0 means that this direction has no beats.
struct Agreed {
    HeartBeat answer;              ///< The broker's own header in CONNECTED (P-HB-02).
    std::uint64_t send_every = 0;  ///< Broker to client (P-HB-03), at most the cap.
    std::uint64_t hear_every = 0;  ///< Client to broker.
};

/// Two decimal integers of at most 10 digits with a comma, blanks around them tolerated; anything
/// else is `bad-header`. Missing is 0,0 (P-HB-01).
[[nodiscard]] Result<HeartBeat> parse_heart_beat(std::optional<std::string_view> header);

[[nodiscard]] Agreed agree(HeartBeat client, Version version, const HeartBeatOptions& options);

/// Silence after which a peer that owes beats every `hear_every` ms is dead (P-HB-05).
[[nodiscard]] std::uint64_t dead_after(std::uint64_t hear_every);

/// Own silence after which the broker sends a beat: within 0.5 to 0.8 of the interval (P-HB-04).
[[nodiscard]] std::uint64_t beat_after(std::uint64_t send_every);

}  // namespace protocol
