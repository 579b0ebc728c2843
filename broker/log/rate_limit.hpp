// At most ten lines a second for each event and address; the rest is counted (S-LOG-02).
// No clock and no lock of its own; remembers at most 1,024 sources, all others share one.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace logging {

/// What was left out since the last summary; event and address are empty for the shared source.
struct Summary {
    std::string event;
    std::string address;
    std::uint64_t suppressed = 0;
};

class RateLimit {
public:
    using Time = std::chrono::steady_clock::time_point;

    static constexpr std::size_t lines_per_second = 10;
    static constexpr std::size_t sources_max = 1024;

    /// Whether the line may be written now; if not, it is counted. `now` never goes back.
    [[nodiscard]] bool admit(std::string_view event, std::string_view address, Time now);

    /// The sources that lost lines, and starts counting anew; forgets those that are idle.
    [[nodiscard]] std::vector<Summary> take_summaries(Time now);

    [[nodiscard]] std::size_t sources() const { return sources_.size(); }

private:
    struct Source {
        std::array<Time, lines_per_second> written{};  ///< Ring; a default Time is long ago.
        std::size_t next = 0;
        Summary summary;

        [[nodiscard]] bool admit(Time now);
        [[nodiscard]] bool is_idle(Time now) const;
    };

    [[nodiscard]] Source& find(std::string_view event, std::string_view address, Time now);
    void forget_idle(Time now);

    std::unordered_map<std::string, Source> sources_;
    Source others_;
    Time swept_{};
};

/// The address in `1.2.3.4:567` or `[::1]:567`; the whole text if it has no such form.
[[nodiscard]] std::string_view without_port(std::string_view remote);

}  // namespace logging
