#include "broker/security/argon2id.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace security {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t text_max = 512;
constexpr std::size_t salt_min = 8;
constexpr std::size_t digest_min = 16;
constexpr std::size_t octets_max = 64;

/// Base64 without padding, in its one form only.
std::optional<std::string> decode(std::string_view text) {
    std::string octets;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : text) {
        const std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos) { return std::nullopt; }
        bits = (bits << 6U | static_cast<std::uint32_t>(value)) & 0xFFFFFU;
        held += 6;
        if (held < 8) { continue; }
        held -= 8;
        octets.push_back(static_cast<char>(bits >> held & 0xFFU));
    }
    const bool is_canonical = held < 6 && (bits & ((1U << held) - 1U)) == 0;
    return is_canonical ? std::optional(octets) : std::nullopt;
}

std::string encode(std::string_view octets) {
    std::string text;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : octets) {
        bits = (bits << 8U | static_cast<unsigned char>(c)) & 0xFFFFFU;
        held += 8;
        for (; held >= 6; held -= 6) {
            text.push_back(alphabet[bits >> (held - 6U) & 63U]);
        }
    }
    if (held > 0) { text.push_back(alphabet[bits << (6U - held) & 63U]); }
    return text;
}

/// Reads a text from left to right; once something is not there, it has failed.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    void expect(std::string_view word) {
        if (text_.starts_with(word)) { return text_.remove_prefix(word.size()); }
        failed_ = true;
    }

    std::uint32_t number() {
        std::uint32_t value = 0;
        const bool has_zero_in_front = text_.starts_with('0');
        const auto [end, ec] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
        failed_ = failed_ || ec != std::errc() || has_zero_in_front;
        text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
        return value;
    }

    std::string octets(std::string_view end) {
        const std::string_view field =
            text_.substr(0, end.empty() ? text_.size() : text_.find(end));
        text_.remove_prefix(field.size());
        const auto decoded = decode(field);
        failed_ = failed_ || !decoded;
        return decoded.value_or("");
    }

    [[nodiscard]] bool is_done() const { return !failed_ && text_.empty(); }

private:
    std::string_view text_;
    bool failed_ = false;
};

bool is_between(std::size_t value, std::size_t low, std::size_t high) {
    return low <= value && value <= high;
}

}  // namespace

std::optional<Argon2id> parse_argon2id(std::string_view text) {
    if (text.size() > text_max) { return std::nullopt; }
    Argon2id hash;
    Reader reader(text);
    reader.expect("$argon2id$v=19$m=");
    hash.memory_kib = reader.number();
    reader.expect(",t=");
    hash.passes = reader.number();
    reader.expect(",p=");
    hash.lanes = reader.number();
    reader.expect("$");
    hash.salt = reader.octets("$");
    reader.expect("$");
    hash.digest = reader.octets("");
    return reader.is_done() ? std::optional(hash) : std::nullopt;
}

std::string argon2id_fault(const Argon2id& hash) {
    if (!is_between(hash.passes, 1, argon2id_passes_max)) {
        return "asks for more than 10 passes (t) of argon2id";
    }
    if (!is_between(hash.lanes, 1, argon2id_lanes_max)) {
        return "asks for more than 64 lanes (p) of argon2id";
    }
    if (hash.memory_kib > argon2id_memory_kib_max) {
        return "asks for more than 256 MiB (m) of argon2id";
    }
    if (hash.memory_kib < 8 * hash.lanes) {
        return "asks for less memory (m) than argon2id needs for its lanes (p), 8 KiB each";
    }
    if (std::uint64_t{hash.memory_kib} * hash.passes > argon2id_work_kib_max) {
        return "asks for too much work of argon2id: memory times passes (m times t) above 1 GiB";
    }
    if (!is_between(hash.salt.size(), salt_min, octets_max)) {
        return "has an argon2id salt that is not of 8 to 64 octets";
    }
    if (!is_between(hash.digest.size(), digest_min, octets_max)) {
        return "has an argon2id digest that is not of 16 to 64 octets";
    }
    return {};
}

std::string to_string(const Argon2id& hash) {
    return fmt::format(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        hash.memory_kib,
        hash.passes,
        hash.lanes,
        encode(hash.salt),
        encode(hash.digest)
    );
}

}  // namespace security
