// Buckets back to values.
#include "broker/cli/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace cli {

std::uint64_t Histogram::highest_in(std::size_t bucket) {
    constexpr std::size_t per_octave = std::size_t{1} << sub_bits;
    if (bucket < 2 * per_octave) { return bucket; }
    const std::size_t shift = (bucket >> sub_bits) - 1;
    const std::uint64_t top = bucket - (shift << sub_bits);
    return (top << shift) + ((std::uint64_t{1} << shift) - 1);
}

std::uint64_t Histogram::quantile(double share) const {
    if (count_ == 0) { return 0; }
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
        seen += counts_[bucket];
        if (seen >= std::max<std::uint64_t>(wanted, 1)) {
            return std::min(highest_in(bucket), max_);
        }
    }
    return max_;
}

}  // namespace cli
