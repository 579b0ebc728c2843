// The PROXY header, versions 1 and 2, with which a proxy says whose connection it passes on.
// Pure and incremental: octets in, an address out. Holds at most 107 octets; skips at most 4 KiB.
#pragma once

#include "broker/transport/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace transport {

class ProxyHeader {
public:
    /// Octets of a version 2 header behind its first 16: addresses and what is skipped.
    static constexpr std::size_t rest_max = 4096;

    enum class Outcome : std::uint8_t { need_more, done, failed };

    /// Takes octets up to the header's end; consumed() tells how many of `input` those are. Once
    /// done or failed it takes no more.
    [[nodiscard]] Outcome feed(std::span<const char> input);

    [[nodiscard]] std::size_t consumed() const { return consumed_; }

    /// Who connected to the proxy. Nothing if it connected by itself (LOCAL), or cannot say
    /// (UNKNOWN, UNSPEC, a Unix socket).
    [[nodiscard]] const std::optional<IpAddress>& client() const { return client_; }

    /// After `failed`: a sentence.
    [[nodiscard]] std::string_view problem() const { return problem_; }

private:
    Outcome take(char octet);
    Outcome take_line(char octet);
    Outcome take_binary();
    Outcome check_binary_head();
    Outcome finish_line(std::string_view line);
    Outcome finish_binary();
    Outcome fail(std::string_view problem);

    static constexpr std::size_t line_max = 107;  ///< With CR and LF.

    Outcome outcome_ = Outcome::need_more;
    std::array<char, line_max> held_{};
    std::size_t size_ = 0;  ///< Octets of the header so far; the first `line_max` are held.
    std::size_t consumed_ = 0;
    std::size_t rest_ = 0;  ///< Version 2: what its length says.
    std::optional<IpAddress> client_;
    std::string_view problem_;
};

}  // namespace transport
