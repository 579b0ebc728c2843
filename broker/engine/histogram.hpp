// A histogram with fixed buckets: plain numbers of one thread, copied as a value.
// At most 16 buckets; an observation is a short search and two additions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace engine {

/// `bounds`: the greatest value of each bucket, rising; what is above the last has one more.
template <const auto& bounds>
class Histogram {
public:
    static constexpr std::size_t size = bounds.size() + 1;
    static_assert(size <= 16);

    using Counts = std::array<std::uint64_t, size>;

    void observe(std::uint64_t value, std::uint64_t times = 1) {
        std::size_t bucket = 0;
        while (bucket < bounds.size() && value > bounds[bucket]) {
            ++bucket;
        }
        counts_[bucket] += times;
        sum_ += value * times;
    }

    /// How many values each bucket alone has.
    [[nodiscard]] const Counts& counts() const { return counts_; }

    [[nodiscard]] std::uint64_t sum() const { return sum_; }

    void add(const Histogram& other) {
        for (std::size_t i = 0; i < size; ++i) {
            counts_[i] += other.counts_[i];
        }
        sum_ += other.sum_;
    }

private:
    Counts counts_{};
    std::uint64_t sum_ = 0;
};

/// Microseconds: what happens within the broker, or on its disk.
inline constexpr std::array<std::uint64_t, 15> short_times{
    20,
    50,
    100,
    200,
    500,
    1'000,
    2'000,
    5'000,
    10'000,
    20'000,
    50'000,
    100'000,
    200'000,
    500'000,
    2'000'000};

/// Milliseconds: what waits for a client, or for others.
inline constexpr std::array<std::uint64_t, 13> long_times{
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000};

/// Numbers of things that go together.
inline constexpr std::array<std::uint64_t, 13> group_sizes{
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1'024, 2'048, 4'096};

using ShortTimes = Histogram<short_times>;
using LongTimes = Histogram<long_times>;
using GroupSizes = Histogram<group_sizes>;

}  // namespace engine
