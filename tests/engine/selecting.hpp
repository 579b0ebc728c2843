// What tests of selectors share: messages of a few headers, and conditions as a person reads them.
// Plain functions; a selector that should be accepted and is not fails the test that names it.
#pragma once

#include "broker/engine/selector.hpp"
#include "protocol/encoder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace selecting {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A message as a SEND with these headers makes it.
inline engine::MessageRef message_with(const Headers& headers) {
    engine::SendHead head;
    for (const auto& header : headers) {
        protocol::append_header(head.lines, header.first, header.second, protocol::Version::v1_2);
    }
    head.lines += '\n';
    return engine::Message::make("m1", head, "body");
}

inline engine::SelectorRef selector(std::string_view text) {
    const auto parsed = engine::Selector::parse(text, engine::selector_limits_max);
    if (!parsed) {
        ADD_FAILURE() << parsed.error().what;
        return *engine::Selector::parse("FALSE", {});
    }
    return *parsed;
}

inline bool selects(std::string_view text, const Headers& headers) {
    const auto message = message_with(headers);
    return selector(text)->selects(engine::MessageHeaders(*message));
}

/// "TRUE", "FALSE" or "NULL"; anything else if the three disagree.
inline std::string truth(const std::string& condition, const Headers& headers) {
    std::string found;
    if (selects(condition, headers)) { found += "TRUE"; }
    if (selects("NOT (" + condition + ")", headers)) { found += "FALSE"; }
    // AND makes a condition of a header that is there, but says neither true nor false.
    if (selects("((" + condition + ") AND TRUE) IS NULL", headers)) { found += "NULL"; }
    return found;
}

/// One line of a table: a condition, and what it is for the headers of the table.
struct Fact {
    std::string condition;
    std::string truth;
};

inline void expect_facts(const Headers& headers, const std::vector<Fact>& facts) {
    for (const Fact& fact : facts) {
        EXPECT_EQ(truth(fact.condition, headers), fact.truth) << fact.condition;
    }
}

}  // namespace selecting
