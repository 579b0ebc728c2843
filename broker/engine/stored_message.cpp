#include "broker/engine/stored_message.hpp"

#include "protocol/encoder.hpp"
#include "protocol/escape.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace engine {

namespace {

using protocol::Version;

constexpr std::string_view id_name = "message-id:";
constexpr std::string_view length_name = "content-length:";

// Takes the value of the line `name` VALUE LF off the front of `text`.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !text.starts_with(name)) { return std::nullopt; }
    const std::string_view value = text.substr(name.size(), end - name.size());
    text.remove_prefix(end + 1);
    return value;
}

std::optional<std::string> unescaped(std::string_view text) {
    std::string value(text);
    const auto size = protocol::unescape_in_place(value.data(), value.size(), Version::v1_2, false);
    if (!size) { return std::nullopt; }
    value.resize(*size);
    return value;
}

// Header lines as 1.2 writes them, written for `version`; nullopt if they are none.
std::optional<std::string> rewritten(std::string_view lines, Version version) {
    std::string out;
    while (lines != "\n") {
        const std::size_t end = lines.find('\n');
        const std::string_view line = lines.substr(0, end);
        const std::size_t colon = line.find(':');
        if (end == std::string_view::npos || colon == std::string_view::npos) {
            return std::nullopt;
        }
        const auto name = unescaped(line.substr(0, colon));
        const auto value = unescaped(line.substr(colon + 1));
        if (!name || !value) { return std::nullopt; }
        protocol::append_header(out, *name, *value, version);
        lines.remove_prefix(end + 1);
    }
    return out.append("\n");
}

std::optional<SendHead> head_of(std::string_view lines) {
    SendHead head;
    head.lines = std::string(lines);
    head.facts = facts_of(lines);
    // The broker writes it first, and in this form only.
    if (head.facts.expires != 0 &&
        (!lines.starts_with("expires:") || lines.find('\n') != expires_line.size() - 1)) {
        return std::nullopt;
    }
    if (lines.find('\\') == std::string_view::npos) { return head; }
    auto v1_0 = rewritten(lines, Version::v1_0);
    auto v1_1 = rewritten(lines, Version::v1_1);
    if (!v1_0 || !v1_1) { return std::nullopt; }
    head.older = std::make_shared<const SendHead::Older>(SendHead::Older{
        std::move(*v1_0), std::move(*v1_1)});
    return head;
}

}  // namespace

MessageRef restore_message(std::string_view stored, std::uint16_t policy) {
    std::string_view octets = stored;
    const auto id = take_line(octets, id_name);
    const auto length = take_line(octets, length_name);
    if (!id || id->empty() || id->size() > 64 || !length) { return nullptr; }
    std::size_t size = 0;
    const char* const end = length->data() + length->size();
    const auto [stop, ec] = std::from_chars(length->data(), end, size);
    if (ec != std::errc() || stop != end || size >= octets.size()) { return nullptr; }
    const std::size_t body = octets.size() - 1 - size;
    const std::string_view lines = octets.substr(0, body);
    const bool is_whole =
        octets.back() == '\0' &&
        (lines == "\n" || (lines.ends_with("\n\n") && lines.find("\n\n") == lines.size() - 2));
    if (!is_whole) { return nullptr; }
    auto head = head_of(lines);
    if (!head) { return nullptr; }
    head->facts.policy = policy;
    MessageRef message = Message::make(*id, *head, octets.substr(body, size));
    // Numbers in another form than the broker's would come out as others.
    return message->whole() == stored ? message : nullptr;
}

}  // namespace engine
