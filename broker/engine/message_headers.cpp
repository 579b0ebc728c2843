#include "broker/engine/message_headers.hpp"

#include "protocol/escape.hpp"

#include <cassert>

namespace engine {

// `first_` is written before it is read, entry by entry: clearing it would cost more than a
// look-up.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
MessageHeaders::MessageHeaders(const Message& message)
    : rest_(message.head(protocol::Version::v1_2)) {}

std::optional<std::string_view> MessageHeaders::find(std::string_view name) const {
    for (std::size_t index = 0; index < count_ || read_line(); ++index) {
        Entry& candidate = entry(index);
        if (std::string_view(candidate.name, candidate.name_size) == name) {
            return value(candidate);
        }
    }
    return std::nullopt;
}

std::size_t MessageHeaders::size() const {
    while (read_line()) {}
    return count_;
}

std::string_view MessageHeaders::name(std::size_t index) const {
    const Entry& found = entry(index);
    return {found.name, found.name_size};
}

std::optional<std::string_view> MessageHeaders::value_if_first(std::size_t index) const {
    const std::string_view wanted = name(index);
    for (std::size_t earlier = 0; earlier < index; ++earlier) {
        if (name(earlier) == wanted) { return std::nullopt; }
    }
    return value(entry(index));
}

bool MessageHeaders::read_line() const {
    if (rest_.empty() || rest_.front() == '\n') { return false; }
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(line.size() < rest_.size() ? line.size() + 1 : line.size());
    const std::size_t colon = line.find(':');
    std::string_view name = line.substr(0, colon);
    if (name.find('\\') != std::string_view::npos) { name = unescaped(name); }
    const auto value =
        colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    remember(
        {name.data(),
         value.data(),
         static_cast<std::uint32_t>(name.size()),
         static_cast<std::uint32_t>(value.size()),
         false}
    );
    return true;
}

MessageHeaders::Entry& MessageHeaders::entry(std::size_t index) const {
    assert(index < count_);
    return index < inline_max ? first_[index] : more_[index - inline_max];
}

void MessageHeaders::remember(const Entry& entry) const {
    if (count_ < inline_max) {
        first_[count_] = entry;
    } else {
        more_.push_back(entry);
    }
    ++count_;
}

std::string_view MessageHeaders::value(Entry& entry) const {
    std::string_view text(entry.value, entry.value_size);
    if (entry.is_unescaped) { return text; }
    if (text.find('\\') != std::string_view::npos) {
        text = unescaped(text);
        entry.value = text.data();
        entry.value_size = static_cast<std::uint32_t>(text.size());
    }
    entry.is_unescaped = true;
    return text;
}

std::string_view MessageHeaders::unescaped(std::string_view text) const {
    std::string& copy = unescaped_.emplace_front(text);
    const auto size =
        protocol::unescape_in_place(copy.data(), copy.size(), protocol::Version::v1_2, true);
    copy.resize(size.value_or(copy.size()));
    return copy;
}

}  // namespace engine
