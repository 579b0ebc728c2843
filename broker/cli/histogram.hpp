// Log-linear histogram of durations: constant time to record, under 1 % error, fixed memory.
// Pure; values are nanoseconds by convention, but it does not matter.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace cli {

class Histogram {
public:
    void record(std::uint64_t value) {
        ++counts_[bucket_of(value)];
        ++count_;
        if (value > max_) { max_ = value; }
    }

    [[nodiscard]] std::uint64_t count() const { return count_; }

    [[nodiscard]] std::uint64_t max() const { return max_; }

    /// A value that `share` (0 to 1) of the recorded ones do not exceed, but for the bucket's
    /// width; never above max(). 0 if nothing was recorded.
    [[nodiscard]] std::uint64_t quantile(double share) const;

    void clear() { *this = Histogram{}; }

private:
    // Each power of two is cut into 128 equal buckets; values below 256 have one each.
    static constexpr unsigned sub_bits = 7;
    static constexpr std::size_t bucket_count = (64 - sub_bits + 1) << sub_bits;

    static std::size_t bucket_of(std::uint64_t value) {
        const auto width = static_cast<unsigned>(std::bit_width(value));
        const unsigned shift = width > sub_bits + 1 ? width - (sub_bits + 1) : 0;
        return (std::size_t{shift} << sub_bits) + static_cast<std::size_t>(value >> shift);
    }

    static std::uint64_t highest_in(std::size_t bucket);

    std::array<std::uint64_t, bucket_count> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace cli
