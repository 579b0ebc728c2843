#include "broker/security/pattern_inclusion.hpp"

#include "protocol/destination.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace security {

namespace {

using protocol::LevelKind;

/// Where in a pattern one may be after some levels: bit n stands for "before level n".
using Positions = std::uint64_t;

constexpr std::size_t levels_max = 63;

constexpr Positions at(std::size_t position) {
    return Positions{1} << position;
}

/// `wide` as an automaton that reads levels.
class Reader {
public:
    explicit Reader(std::span<const std::string_view> pattern) : pattern_(pattern) {}

    [[nodiscard]] Positions begin() const { return close(at(0)); }

    [[nodiscard]] bool is_end(Positions positions) const {
        return (positions & at(pattern_.size())) != 0;
    }

    /// After a level that is `literal`, or, without one, that no literal of the pattern equals.
    [[nodiscard]] Positions read(Positions from, std::optional<std::string_view> literal) const {
        const bool is_hidden = literal && literal->starts_with('$');
        Positions to = 0;
        for (std::size_t i = 0; i < pattern_.size(); ++i) {
            if ((from & at(i)) == 0) { continue; }
            const LevelKind kind = protocol::level_kind(pattern_[i]);
            if (kind == LevelKind::many && !is_hidden) { to |= at(i); }
            if (kind == LevelKind::one && !is_hidden) { to |= at(i + 1); }
            if (kind == LevelKind::literal && literal == pattern_[i]) { to |= at(i + 1); }
        }
        return close(to);
    }

private:
    /// A level for any number may be for none.
    [[nodiscard]] Positions close(Positions positions) const {
        for (std::size_t i = 0; i < pattern_.size(); ++i) {
            const bool is_many = protocol::level_kind(pattern_[i]) == LevelKind::many;
            if (is_many && (positions & at(i)) != 0) { positions |= at(i + 1); }
        }
        return positions;
    }

    std::span<const std::string_view> pattern_;
};

/// Walks through all that `narrow` can match. Its wildcards are tried with a level that occurs
/// nowhere in `wide`: wherever that one may stand, any other may.
class Search {
public:
    Search(Reader wide, std::span<const std::string_view> narrow) : wide_(wide), narrow_(narrow) {}

    bool run() {
        reach(0, wide_.begin());
        while (!open_.empty()) {
            if (reached_.size() > inclusion_steps_max) { return false; }
            const auto [level, positions] = open_.back();
            open_.pop_back();
            if (positions == 0) { return false; }
            if (level < narrow_.size()) {
                go_on(level, positions);
            } else if (!wide_.is_end(positions)) {
                return false;
            }
        }
        return true;
    }

private:
    void go_on(std::size_t level, Positions positions) {
        switch (protocol::level_kind(narrow_[level])) {
            case LevelKind::literal:
                return reach(level + 1, wide_.read(positions, narrow_[level]));
            case LevelKind::one:
                return reach(level + 1, wide_.read(positions, std::nullopt));
            case LevelKind::many:
                reach(level, wide_.read(positions, std::nullopt));
                return reach(level + 1, positions);
        }
    }

    void reach(std::size_t level, Positions positions) {
        if (reached_.emplace(level, positions).second) { open_.emplace_back(level, positions); }
    }

    Reader wide_;
    std::span<const std::string_view> narrow_;
    std::set<std::pair<std::size_t, Positions>> reached_;
    std::vector<std::pair<std::size_t, Positions>> open_;
};

}  // namespace

bool includes(std::span<const std::string_view> wide, std::span<const std::string_view> narrow) {
    return wide.size() <= levels_max && Search(Reader(wide), narrow).run();
}

}  // namespace security
