// Selectors: whatever is accepted is exactly one of TRUE, FALSE and NULL, and the index agrees.
// Input: an octet of choices (limits), a selector up to NUL, then the header lines of a message.
#include "broker/engine/selector_index.hpp"
#include "tests/fuzz/choices.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace {

using engine::Selector;
using engine::SelectorLimits;
using engine::SelectorRef;
using fuzz::require;

constexpr std::string_view column_mark = "column ";

SelectorLimits limits_from(std::uint8_t choice) {
    switch (choice % 3) {
        case 0:
            return {};
        case 1:
            return engine::selector_limits_max;
        default:
            return {4U + choice, 1U + choice % 16U, choice % 5U};
    }
}

/// The lines up to a blank one, as a message holds them.
engine::MessageRef message_from(std::string_view lines) {
    engine::SendHead head;
    while (!lines.empty() && lines.front() != '\n') {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        head.lines.append(line).push_back('\n');
        lines.remove_prefix(line.size() < lines.size() ? line.size() + 1 : line.size());
    }
    head.lines += '\n';
    return engine::Message::make("m1", head, "");
}

void check_refusal(const protocol::Error& error, std::string_view text) {
    require(error.code == protocol::ErrorCode::bad_selector, "refused as a selector");
    require(!error.remedy.empty(), "a refusal says what to do");
    const std::size_t at = error.what.find(column_mark);
    require(at != std::string::npos, "a refusal tells the column");
    const std::size_t column = std::stoul(error.what.substr(at + column_mark.size()));
    require(column >= 1 && column <= text.size() + 1, "the column is in the text");
}

/// The selector as part of another one, which limits may forbid.
bool is_true(const std::string& text, const engine::MessageHeaders& headers, bool& is_known) {
    const auto parsed = Selector::parse(text, engine::selector_limits_max);
    is_known = is_known && parsed.has_value();
    return parsed && (*parsed)->selects(headers);
}

void check_logic(std::string_view text, bool selected, const engine::MessageHeaders& headers) {
    const std::string inside = "(" + std::string(text) + "\n)";
    bool is_known = true;
    const bool is_false = is_true("NOT " + inside, headers, is_known);
    const bool is_null = is_true("(" + inside + " AND TRUE) IS NULL", headers, is_known);
    const bool is_same = is_true("FALSE OR " + inside, headers, is_known);
    if (!is_known) { return; }
    require(int{selected} + int{is_false} + int{is_null} == 1, "one of TRUE, FALSE and NULL");
    require(selected == is_same, "the same as a part of something larger");
}

void check_index(
    const SelectorRef& selector, bool selected, const engine::MessageHeaders& headers
) {
    engine::SelectorIndex index;
    const auto id = index.add(selector);
    std::vector<engine::SelectorIndex::Id> found;
    index.match(headers, found);
    require(found.size() == (selected ? 1U : 0U), "the index agrees");
    // With many names it goes another way.
    for (int i = 0; i < 10; ++i) {
        index.add(*Selector::parse("\"\n" + std::to_string(i) + "\" = ''", {}));
    }
    found.clear();
    index.match(headers, found);
    require((std::erase(found, id) == 1) == selected, "the index agrees among many");
    index.remove(id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices choices(data, size);
    const SelectorLimits limits = limits_from(choices.octet());
    const std::string_view text = choices.rest().substr(0, choices.rest().find('\0'));
    const bool has_message = text.size() < choices.rest().size();
    const auto message =
        message_from(has_message ? choices.rest().substr(text.size() + 1) : std::string_view());
    const auto parsed = Selector::parse(text, limits);
    if (!parsed) {
        check_refusal(parsed.error(), text);
        return 0;
    }
    require((*parsed)->text() == text, "the text is kept");
    const engine::MessageHeaders headers(*message);
    const bool selected = (*parsed)->selects(headers);
    require(selected == (*parsed)->selects(engine::MessageHeaders(*message)), "it is stable");
    check_logic(text, selected, headers);
    check_index(*parsed, selected, headers);
    return 0;
}
