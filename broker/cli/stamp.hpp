// The first sixteen octets of a benchmark's message: publisher, sequence number, time of sending.
// Printable ASCII, six bits an octet, converted eight octets at a time without a loop.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cli {

static_assert(std::endian::native == std::endian::little);

struct Stamp {
    static constexpr std::size_t size = 16;
    static constexpr unsigned publisher_bits = 12;
    static constexpr unsigned sequence_bits = 36;

    std::uint32_t publisher = 0;  ///< Below 4096.
    std::uint64_t sequence = 0;   ///< Modulo 2^36.
    std::uint64_t time_ns = 0;    ///< Modulo 2^48, of a clock that both ends share.

    /// How long before `now_ns` it was made; 0 if that clock has not come so far.
    [[nodiscard]] std::uint64_t age_at(std::uint64_t now_ns) const {
        constexpr std::uint64_t range = std::uint64_t{1} << 48;
        const std::uint64_t age = (now_ns - time_ns) & (range - 1);
        return age < range / 2 ? age : 0;
    }

    friend bool operator==(const Stamp&, const Stamp&) = default;
};

namespace detail {

inline constexpr std::uint64_t digit_zero = 0x3030303030303030U;

/// The low 48 bits of `number` as eight octets of '0' to 'o'.
inline std::uint64_t to_digits(std::uint64_t number) {
    number = (number & 0xffffffU) | (number & 0xffffff000000U) << 8U;
    number = (number & 0x00000fff00000fffU) | (number & 0x00fff00000fff000U) << 4U;
    number = (number & 0x003f003f003f003fU) | (number & 0x0fc00fc00fc00fc0U) << 2U;
    return number + digit_zero;
}

inline std::uint64_t from_digits(std::uint64_t digits) {
    digits -= digit_zero;
    digits = (digits & 0x003f003f003f003fU) | (digits & 0x3f003f003f003f00U) >> 2U;
    digits = (digits & 0x00000fff00000fffU) | (digits & 0x0fff00000fff0000U) >> 4U;
    return (digits & 0xffffffU) | (digits & 0x00ffffff00000000U) >> 8U;
}

}  // namespace detail

/// Writes Stamp::size octets.
inline void write_stamp(char* out, const Stamp& stamp) {
    const std::uint64_t words[2] = {
        detail::to_digits(stamp.sequence << Stamp::publisher_bits | stamp.publisher),
        detail::to_digits(stamp.time_ns)};
    std::memcpy(out, words, sizeof words);
}

inline Stamp read_stamp(const char* in) {
    std::uint64_t words[2];
    std::memcpy(words, in, sizeof words);
    const std::uint64_t first = detail::from_digits(words[0]);
    return {
        static_cast<std::uint32_t>(first & ((1U << Stamp::publisher_bits) - 1)),
        first >> Stamp::publisher_bits & ((std::uint64_t{1} << Stamp::sequence_bits) - 1),
        detail::from_digits(words[1])};
}

}  // namespace cli
