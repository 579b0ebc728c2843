// Messages a second of each connection of one shard: sampled every 2 s while somebody asks, and
// for 10 s after. Lives on the shard; bounded by its connections, empty while nobody asks.
#pragma once

#include "broker/transport/connection.hpp"
#include "broker/transport/listener.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace admin {

class RateTable : public std::enable_shared_from_this<RateTable> {
public:
    static constexpr std::chrono::milliseconds interval{2000};
    static constexpr std::chrono::milliseconds memory{10'000};

    struct Rates {
        double in = 0;
        double out = 0;
    };

    explicit RateTable(const transport::Post& post) : post_(post) {}

    /// Somebody asks: goes on sampling, or begins.
    void note_asked();
    /// 0 until there are two samples.
    [[nodiscard]] Rates of(const transport::Connection& connection) const;

private:
    struct Sample {
        std::uint64_t in = 0;
        std::uint64_t out = 0;
        Rates rates = {};
        std::uint64_t round = 0;
    };

    void sample();
    void sample(const transport::Connection& connection, double seconds);
    void go_on();

    const transport::Post post_;
    std::unordered_map<std::uint64_t, Sample> samples_;  ///< By Session::number().
    engine::Instant asked_at_{0};
    engine::Instant sampled_at_{0};
    std::uint64_t round_ = 0;
    bool is_sampling_ = false;
};

}  // namespace admin
