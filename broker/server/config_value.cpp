// From a written value to a field and back.
// Every refusal is one sentence that says what would be right.
#include "broker/server/config_value.hpp"

#include "broker/server/config_units.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cstdlib>
#include <type_traits>

namespace server {

namespace {

using Problem = std::optional<std::string>;

constexpr std::uint32_t floor_percent_max = 90;

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& letter : result) {
        if (letter >= 'a' && letter <= 'z') { letter = static_cast<char>(letter - 'a' + 'A'); }
    }
    return result;
}

Strings split(std::string_view text, char separator) {
    Strings parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) { return parts; }
        text.remove_prefix(end + 1);
    }
}

std::string_view expectation(Unit unit) {
    switch (unit) {
        case Unit::boolean:
            return "true or false";
        case Unit::text:
            return "a text in quotes";
        case Unit::url:
            return "a URL in quotes";
        case Unit::file:
            return "the path of a file, or \"credential:NAME\", in quotes";
        case Unit::count:
            return "a whole number";
        case Unit::size:
            return "a size with its unit, such as \"64KiB\" or \"1MiB\"";
        case Unit::space:
            return "a size or a percentage, such as \"2GiB\" or \"5%\"";
        case Unit::duration:
            return "a duration with its unit, such as \"250ms\", \"10s\" or \"5m\"";
        case Unit::percent:
            return "a percentage, such as \"60%\"";
        case Unit::address:
            return "an address such as \"127.0.0.1:61613\" or \"[::1]:61613\" (an IP address, "
                   "\"localhost\" or \"*\", and a port)";
        case Unit::choice:
            return "one of";
        case Unit::list:
            return "a list of texts";
    }
    return {};
}

std::string show(const Raw& raw) {
    if (const auto* const flag = std::get_if<bool>(&raw)) { return *flag ? "true" : "false"; }
    if (const auto* const number = std::get_if<std::int64_t>(&raw)) {
        return std::to_string(*number);
    }
    if (const auto* const text = std::get_if<std::string>(&raw)) {
        return quote(std::string_view(*text).substr(0, 100));
    }
    return std::holds_alternative<Strings>(raw) ? "a list" : "a value of another type";
}

// Listeners whose `word` is the default can be switched off as well.
bool has_off(const Key& key) {
    return key.unit == Unit::address && !key.word.empty() && key.word != "off";
}

std::string format_choices(const Key& key) {
    Strings choices = split(key.choices, '|');
    const std::string last = choices.back();
    choices.pop_back();
    return fmt::format("{} or {}", fmt::join(choices, ", "), last);
}

// What may be written instead of a value.
std::string format_words(const Key& key) {
    std::string words;
    for (const std::string_view word : {key.word, key.none}) {
        if (!word.empty()) { words += (words.empty() ? "or " : " or ") + quote(word); }
    }
    return words;
}

Problem expected(const Key& key, const Raw& raw) {
    std::string what(expectation(key.unit));
    if (key.unit == Unit::choice) { what += " " + format_choices(key); }
    if (const std::string words = format_words(key); !words.empty()) { what += " " + words; }
    if (has_off(key)) { what += " or \"off\""; }
    return fmt::format("expected {}, found {}", what, show(raw));
}

std::string format_number(Unit unit, std::uint64_t number) {
    switch (unit) {
        case Unit::size:
        case Unit::space:
            return format_size(number);
        case Unit::percent:
            return fmt::format("{}%", number);
        case Unit::duration:
            return format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(number)));
        default:
            return std::to_string(number);
    }
}

// The number that `raw` means in the key's unit.
std::optional<std::uint64_t> to_number(const Key& key, const Raw& raw) {
    if (key.unit == Unit::count) {
        const auto* const number = std::get_if<std::int64_t>(&raw);
        if (number == nullptr || *number < 0) { return std::nullopt; }
        return static_cast<std::uint64_t>(*number);
    }
    const auto* const text = std::get_if<std::string>(&raw);
    if (text == nullptr) { return std::nullopt; }
    if (key.unit == Unit::size || key.unit == Unit::space) { return parse_size(*text); }
    if (key.unit == Unit::percent) { return parse_percent(*text); }
    const auto duration = parse_duration(*text);
    if (!duration) { return std::nullopt; }
    return static_cast<std::uint64_t>(duration->count());
}

Problem out_of_range(const Key& key, std::uint64_t number) {
    const bool is_zero = number == 0 && key.unit != Unit::percent;
    return fmt::format(
        "{} is out of range: allowed is {}{}",
        format_number(key.unit, number),
        format_range(key),
        is_zero ? "; zero never means unlimited" : ""
    );
}

bool is_word(std::string_view word, const Raw& raw) {
    const auto* const text = std::get_if<std::string>(&raw);
    return text != nullptr && !word.empty() && *text == word;
}

template <class Number>
Problem assign_number(const Key& key, Number& target, const Raw& raw) {
    if (is_word(key.word, raw)) {
        target = Number{};
        return std::nullopt;
    }
    const auto number = to_number(key, raw);
    if (!number) { return expected(key, raw); }
    if (*number < key.range.min || *number > key.range.max) { return out_of_range(key, *number); }
    if constexpr (std::is_same_v<Number, std::chrono::milliseconds>) {
        target = std::chrono::milliseconds(static_cast<std::int64_t>(*number));
    } else {
        target = static_cast<Number>(*number);
    }
    return std::nullopt;
}

template <class Choice>
Problem assign_choice(const Key& key, Choice& target, const Raw& raw) {
    const auto* const text = std::get_if<std::string>(&raw);
    const Strings choices = split(key.choices, '|');
    for (std::size_t i = 0; text != nullptr && i < choices.size(); ++i) {
        if (choices[i] != *text) { continue; }
        target = static_cast<Choice>(i);
        return std::nullopt;
    }
    return expected(key, raw);
}

template <class Value>
Problem assign_same(const Key& key, Value& target, const Raw& raw) {
    const auto* const value = std::get_if<Value>(&raw);
    if (value == nullptr) { return expected(key, raw); }
    target = *value;
    return std::nullopt;
}

Problem assign_address(const Key& key, Address& target, const Raw& raw) {
    if (is_word(key.word, raw)) {
        target = Address{};
        return std::nullopt;
    }
    const auto* const text = std::get_if<std::string>(&raw);
    if (text != nullptr && *text == "off" && has_off(key)) {
        target = Address{{}, 0, true};
        return std::nullopt;
    }
    if (text != nullptr && text->starts_with("unix:")) {
        return "Unix sockets are not part of this version yet";
    }
    const auto address = text == nullptr ? std::nullopt : parse_address(*text);
    if (!address) { return expected(key, raw); }
    target = *address;
    return std::nullopt;
}

Problem assign_floor(const Key& key, DiskFloor& target, const Raw& raw) {
    const auto* const text = std::get_if<std::string>(&raw);
    const auto percent = text == nullptr ? std::nullopt : parse_percent(*text);
    if (!percent) {
        std::uint64_t octets = 0;
        auto problem = assign_number(key, octets, raw);
        if (!problem) { target = {octets, 0}; }
        return problem;
    }
    if (*percent < 1 || *percent > floor_percent_max) {
        return fmt::format(
            "{}% is out of range: allowed is 1% to {}%", *percent, floor_percent_max
        );
    }
    target = {0, *percent};
    return std::nullopt;
}

// What systemd's LoadCredential= or a container's runtime has put aside for this process alone.
Problem assign_file(const Key& key, std::string& path, const Raw& raw) {
    constexpr std::string_view scheme = "credential:";
    const auto* const text = std::get_if<std::string>(&raw);
    if (text == nullptr || !text->starts_with(scheme)) { return assign_same(key, path, raw); }
    const std::string name = text->substr(scheme.size());
    const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
        return fmt::format("{} names no credential: write \"credential:NAME\"", quote(*text));
    }
    if (directory == nullptr || *directory == '\0') {
        return fmt::format(
            "{} is a systemd credential, but CREDENTIALS_DIRECTORY is not set: add "
            "LoadCredential={}:FILE to the service, or name a file",
            quote(*text),
            name
        );
    }
    path = fmt::format("{}/{}", directory, name);
    return std::nullopt;
}

struct Assign {
    const Key& key;
    const Raw& raw;

    Problem operator()(bool* target) const { return assign_same(key, *target, raw); }

    Problem operator()(std::string* target) const {
        if (key.unit == Unit::file) { return assign_file(key, *target, raw); }
        return assign_same(key, *target, raw);
    }

    Problem operator()(Strings* target) const { return assign_same(key, *target, raw); }

    // Nothing but the word leaves it open.
    template <class T>
    Problem operator()(std::optional<T>* target) const {
        if (is_word(key.word, raw)) {
            target->reset();
            return std::nullopt;
        }
        T value{};
        auto problem = is_word(key.none, raw) ? std::nullopt : (*this)(&value);
        if (!problem) { *target = std::move(value); }
        return problem;
    }

    Problem operator()(DiskFloor* target) const { return assign_floor(key, *target, raw); }

    Problem operator()(Address* target) const { return assign_address(key, *target, raw); }

    template <class T>
    Problem operator()(T* target) const {
        if constexpr (std::is_enum_v<T>) {
            return assign_choice(key, *target, raw);
        } else {
            return assign_number(key, *target, raw);
        }
    }
};

// What is printed may be mailed to others (S-SEC-02).
std::string without_secrets(const std::string& url) {
    const std::size_t query = url.find('?');
    return query == std::string::npos ? url : url.substr(0, query) + "?***";
}

std::string format_as_toml(const Key& key, std::uint64_t number) {
    if (number == 0 && !key.word.empty()) { return quote(key.word); }
    const std::string text = format_number(key.unit, number);
    return key.unit == Unit::count ? text : quote(text);
}

std::string format_list(const Strings& list) {
    Strings quoted;
    for (const std::string& entry : list) {
        quoted.push_back(quote(entry));
    }
    return fmt::format("[{}]", fmt::join(quoted, ", "));
}

struct Format {
    const Key& key;

    std::string operator()(bool* value) const { return *value ? "true" : "false"; }

    template <class T>
    std::string operator()(std::optional<T>* value) const {
        if (!value->has_value()) { return quote(key.word); }
        if (!key.none.empty() && **value == T{}) { return quote(key.none); }
        return (*this)(&**value);
    }

    std::string operator()(int* value) const { return std::to_string(*value); }

    std::string operator()(DiskFloor* value) const {
        if (value->percent != 0) { return quote(format_number(Unit::percent, value->percent)); }
        return format_as_toml(key, value->octets);
    }

    std::string operator()(std::string* value) const {
        return quote(key.unit == Unit::url ? without_secrets(*value) : *value);
    }

    std::string operator()(Strings* value) const { return format_list(*value); }

    std::string operator()(Address* value) const {
        if (value->is_off) { return quote("off"); }
        return quote(value->is_set() ? format_address(*value) : std::string(key.word));
    }

    template <class T>
    std::string operator()(T* value) const {
        if constexpr (std::is_enum_v<T>) {
            return quote(split(key.choices, '|').at(static_cast<std::size_t>(*value)));
        } else {
            return format_as_toml(key, number_in(value));
        }
    }
};

}  // namespace

std::string Key::full_name() const {
    return fmt::format("{}.{}", section, name);
}

std::string Key::environment_name() const {
    return fmt::format("STAMPEDE_{}__{}", upper(section), upper(name));
}

Raw raw_from_text(const Key& key, std::string_view text) {
    if (key.unit == Unit::list) { return split(text, ','); }
    if (key.unit == Unit::boolean && (text == "true" || text == "false")) { return text == "true"; }
    if (key.unit == Unit::count) {
        std::int64_t number = 0;
        const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
        if (result.ec == std::errc{} && result.ptr == text.data() + text.size()) { return number; }
    }
    return std::string(text);
}

std::optional<std::string> assign(const Key& key, const Target& target, const Raw& raw) {
    return std::visit(Assign{key, raw}, target);
}

std::string format_value(const Key& key, const Target& target) {
    return std::visit(Format{key}, target);
}

std::string format_range(const Key& key) {
    const std::string words = format_words(key);
    if (key.unit == Unit::choice) {
        return format_choices(key) + (words.empty() ? "" : ", " + words);
    }
    if (has_off(key)) { return fmt::format("or {} or \"off\"", quote(key.word)); }
    if (key.range.max == 0) { return words; }
    std::string text = fmt::format(
        "{} to {}", format_number(key.unit, key.range.min), format_number(key.unit, key.range.max)
    );
    if (key.unit == Unit::space) { text += fmt::format(", 1% to {}%", floor_percent_max); }
    return words.empty() ? text : text + ", " + words;
}

std::uint64_t number_in(const Target& target) {
    if (const auto* const small = std::get_if<std::uint32_t*>(&target)) { return **small; }
    if (const auto* const size = std::get_if<std::size_t*>(&target)) { return **size; }
    if (const auto* const time = std::get_if<std::chrono::milliseconds*>(&target)) {
        return static_cast<std::uint64_t>((*time)->count());
    }
    if (const auto* const floor = std::get_if<DiskFloor*>(&target)) { return (*floor)->octets; }
    return 0;
}

std::string quote(std::string_view text) {
    std::string result = "\"";
    for (const char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (code < 0x20 || code == 0x7F) {
            result += fmt::format("\\u{:04X}", code);
            continue;
        }
        if (letter == '"' || letter == '\\') { result += '\\'; }
        result += letter;
    }
    return result + "\"";
}

}  // namespace server
