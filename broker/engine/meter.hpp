// What one destination has counted, and how fast that grew between the last two samples.
// Plain numbers of its shard; rates are as old as the last sample.
#pragma once

#include <chrono>
#include <cstdint>

namespace engine {

struct Meter {
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;  ///< Redeliveries included.
    std::uint64_t acked = 0;
    std::uint64_t dropped = 0;  ///< Expired, or made room for others.
    float published_rate = 0;   ///< A second.
    float delivered_rate = 0;

    /// `since`: the time since the sample before this one; 0: there was none.
    void sample(std::chrono::milliseconds since) {
        published_rate = rate(published - sampled_published_, since);
        delivered_rate = rate(delivered - sampled_delivered_, since);
        sampled_published_ = published;
        sampled_delivered_ = delivered;
    }

private:
    [[nodiscard]] static float rate(std::uint64_t count, std::chrono::milliseconds time) {
        if (time.count() <= 0) { return 0; }
        return static_cast<float>(count) * 1000 / static_cast<float>(time.count());
    }

    std::uint64_t sampled_published_ = 0;
    std::uint64_t sampled_delivered_ = 0;
};

}  // namespace engine
