// When the messages of a shard were made, known from the numbers in their ids: to the second for
// recent ones, less exactly for old ones. Lives on its shard; at most some hundred marks.
#pragma once

#include "broker/engine/shard.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

/// A copy for whoever asks; any thread.
class ArrivalTimes {
public:
    /// Messages from number `first` on were made at `at` or later.
    struct Mark {
        std::uint64_t first = 0;
        Instant at{0};
    };

    ArrivalTimes() = default;

    ArrivalTimes(std::string prefix, std::vector<Mark> marks)
        : prefix_(std::move(prefix)), marks_(std::move(marks)) {}

    /// When the message of this id was made; nothing if another shard, or another run, has.
    [[nodiscard]] std::optional<Instant> find(std::string_view id) const;

private:
    std::string prefix_;
    std::vector<Mark> marks_;
};

class Arrivals {
public:
    static constexpr std::size_t marks_max = 512;
    static constexpr Instant step{1000};

    /// A turn ends in which messages up to number `last` were made.
    void end_turn(std::uint64_t last, const Shard& shard) {
        if (last != last_) { note(last, shard.now()); }
    }

    [[nodiscard]] const std::vector<ArrivalTimes::Mark>& marks() const { return marks_; }

private:
    void note(std::uint64_t last, Instant now);

    std::uint64_t last_ = 0;
    std::vector<ArrivalTimes::Mark> marks_;
};

}  // namespace engine
