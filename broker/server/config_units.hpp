// Values with units as operators write them: durations, sizes, percentages, addresses.
// Pure; every parser takes the whole text or nothing, and notices overflow.
#pragma once

#include "broker/server/config.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace server {

/// `250ms`, `10s`, `5m`, `24h`.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Octets: `512B`, `64KiB`, `1MiB`, `2GiB`.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// `60%`, at most 100.
[[nodiscard]] std::optional<std::uint32_t> parse_percent(std::string_view text);

/// `1.2.3.4:port`, `[::1]:port`, `localhost:port` (127.0.0.1), `*:port` (0.0.0.0). No other names:
/// what a name stands for may change after S-BIND-03 was checked.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

/// The shortest text that parses to the same value.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds value);
[[nodiscard]] std::string format_size(std::uint64_t octets);
[[nodiscard]] std::string format_address(const Address& address);

/// Whether only this machine can reach `host`: 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104.
[[nodiscard]] bool is_loopback(const std::string& host);

/// `host` as it stands in a URL: IPv6 addresses in brackets.
[[nodiscard]] std::string url_host(const std::string& host);

}  // namespace server
