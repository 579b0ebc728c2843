// Runs a Parser over octets cut in any way and keeps what it saw.
// Each piece is a heap block of its own that dies after need_more, so that sanitizers see stale
// views.
#pragma once

#include "protocol/parser.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace protocol::test {

using OwnedHeaders = std::vector<std::pair<std::string, std::string>>;

struct OwnedFrame {
    Command command = Command::send;
    OwnedHeaders headers;
    std::string body;

    friend bool operator==(const OwnedFrame&, const OwnedFrame&) = default;

    [[nodiscard]] std::optional<std::string> find(std::string_view name) const {
        for (const auto& header : headers) {
            if (header.first == name) { return header.second; }
        }
        return std::nullopt;
    }
};

struct Conditions {
    std::optional<Version> version = Version::v1_2;  ///< Nothing: before CONNECTED.
    Limits limits = {};
    Parser::Role role = Parser::Role::broker;
};

struct Outcome {
    std::vector<OwnedFrame> frames;
    std::vector<bool> repeated;
    std::optional<ErrorCode> error;
    std::string what;
    std::string remedy;
    std::string rule;
    std::string failed_receipt;
    Tolerances tolerances;
    std::size_t line_ends = 0;
    std::size_t consumed = 0;  ///< Octets fed, the failing piece included.
    std::size_t held_bytes_max = 0;
    bool is_mid_frame = false;
};

/// Gives the size of the next piece of the `left` octets.
using Cut = std::function<std::size_t(std::size_t left)>;

inline Cut whole() {
    return [](std::size_t left) { return left; };
}

inline Cut pieces_of(std::size_t size) {
    return [size](std::size_t left) { return size < left ? size : left; };
}

/// Two pieces, the first of `size` octets.
inline Cut cut_at(std::size_t size) {
    return [size, first = true](std::size_t left) mutable {
        return std::exchange(first, false) && size < left ? size : left;
    };
}

inline Cut random_pieces(std::mt19937& random, std::size_t most) {
    return [&random, most](std::size_t left) {
        const std::size_t size = std::uniform_int_distribution<std::size_t>(1, most)(random);
        return size < left ? size : left;
    };
}

inline OwnedFrame own(const Frame& frame) {
    OwnedFrame owned{frame.command, {}, std::string(frame.body)};
    for (const Header& header : frame.headers) {
        owned.headers.emplace_back(header.name, header.value);
    }
    return owned;
}

/// Takes all events of what was fed; true while the parser lives.
inline bool drain(Parser& parser, Outcome& outcome) {
    while (true) {
        switch (parser.next()) {
            case Parser::Event::need_more:
                return true;
            case Parser::Event::end_of_line:
                ++outcome.line_ends;
                break;
            case Parser::Event::frame:
                outcome.frames.push_back(own(parser.frame()));
                outcome.repeated.push_back(parser.frame().repeats_head);
                break;
            case Parser::Event::failed:
                outcome.error = parser.error().code;
                outcome.what = parser.error().what;
                outcome.remedy = parser.error().remedy;
                outcome.rule = parser.error().rule;
                outcome.failed_receipt = parser.failed_receipt();
                return false;
        }
    }
}

inline Outcome parse(
    std::string_view octets, const Conditions& conditions = {}, const Cut& cut = whole()
) {
    ParserScratch scratch;
    Parser parser(conditions.limits, scratch, conditions.role);
    if (conditions.version) { parser.connected(*conditions.version); }
    Outcome outcome;
    while (outcome.consumed < octets.size()) {
        const std::size_t size = cut(octets.size() - outcome.consumed);
        const std::string_view piece = octets.substr(outcome.consumed, size);
        std::vector<char> block(piece.begin(), piece.end());
        outcome.consumed += size;
        parser.feed(block);
        if (!drain(parser, outcome)) { break; }
        outcome.held_bytes_max = std::max(outcome.held_bytes_max, parser.held_bytes());
    }
    outcome.is_mid_frame = parser.is_mid_frame();
    outcome.tolerances = parser.tolerances();
    return outcome;
}

/// `lines` joined with LF, a blank line, `body` and NUL.
inline std::string frame_text(
    const std::vector<std::string>& lines,
    std::string_view body = {},
    std::string_view line_end = "\n"
) {
    std::string out;
    for (const std::string& line : lines) {
        out.append(line).append(line_end);
    }
    return out.append(line_end).append(body).append(1, '\0');
}

inline Conditions in_version(std::optional<Version> version) {
    Conditions conditions;
    conditions.version = version;
    return conditions;
}

inline Conditions strict(std::optional<Version> version = Version::v1_2) {
    Conditions conditions = in_version(version);
    conditions.limits.strict = true;
    return conditions;
}

inline Conditions lenient(std::optional<Version> version = Version::v1_2) {
    Conditions conditions = in_version(version);
    conditions.limits.lenient_escapes = true;
    return conditions;
}

}  // namespace protocol::test
