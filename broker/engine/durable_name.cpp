#include "broker/engine/durable_name.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace engine {

namespace {

using Text = std::string_view;

constexpr std::array<Text, 3> names = {
    "activemq.subscriptionName", "durable-subscription-name", "durable-subscriber-name"};

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

// As in URLs, so that no part can pose as two.
std::string encoded(Text text) {
    constexpr Text hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (is_plain(c)) {
            out.push_back(c);
            continue;
        }
        const auto octet = static_cast<unsigned char>(c);
        out.push_back('%');
        out.push_back(hex[octet >> 4U]);
        out.push_back(hex[octet & 15U]);
    }
    return out;
}

std::optional<unsigned> digit(char c) {
    if (c >= '0' && c <= '9') { return static_cast<unsigned>(c - '0'); }
    if (c >= 'A' && c <= 'F') { return static_cast<unsigned>(c - 'A' + 10); }
    return std::nullopt;
}

std::optional<std::string> decoded(Text text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        if (i + 2 >= text.size()) { return std::nullopt; }
        const auto high = digit(text[i + 1]);
        const auto low = digit(text[i + 2]);
        if (!high || !low) { return std::nullopt; }
        out.push_back(static_cast<char>(*high << 4U | *low));
        i += 2;
    }
    return out;
}

std::chrono::milliseconds duration(Text text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::chrono::milliseconds(value);
}

}  // namespace

protocol::Result<std::optional<DurableRequest>> durable_request(
    std::span<const protocol::Header> headers
) {
    std::optional<DurableRequest> request;
    for (const protocol::Header& header : headers) {
        if (header.name == "durable" || header.name == "persistent") {
            const auto wanted = protocol::parse_boolean(header.name, header.value);
            if (!wanted) { return wanted.error(); }
            if (*wanted && !request) { request = DurableRequest{}; }
            continue;
        }
        for (const Text name : names) {
            if (header.name != name) { continue; }
            if (header.value.empty()) {
                return protocol::Error{
                    protocol::ErrorCode::bad_header,
                    "The header " + std::string(name) + " is empty.",
                    "Give the durable subscription a name.",
                    "P-DUR-01"};
            }
            if (!request || !request->is_by_name) { request = DurableRequest{true, header.value}; }
        }
    }
    return request;
}

// An encoded part never holds the `=` of `=shared`: no client-id can pose as it.
std::string DurableName::canonical() const {
    const std::string owner = (is_durable ? "/durable/" : "/shared/") + encoded(user) + "/";
    std::string text = owner + (is_shared ? "=shared" : encoded(client_id)) + "/";
    if (!is_by_name || !is_durable) { text += encoded(destination) + "/"; }
    return text + encoded(name);
}

std::string DurableName::attributes() const {
    std::string text = "kind=durable-subscription\nuser=" + encoded(user) +
                       "\nclient-id=" + encoded(client_id) + "\nname=" + encoded(name) +
                       "\ndestination=" + encoded(destination) +
                       "\nby=" + (is_by_name ? "name" : "destination-and-id") + "\n";
    if (is_shared) { text += "shared=true\n"; }
    if (!selector.empty()) { text += "selector=" + encoded(selector) + "\n"; }
    if (idle_life.count() != 0) { text += "expires=" + std::to_string(idle_life.count()) + "\n"; }
    return text;
}

std::optional<DurableName> DurableName::from_attributes(Text text) {
    DurableName out;
    bool is_durable = false;
    while (!text.empty()) {
        const Text line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::size_t equals = line.find('=');
        if (equals == Text::npos) { continue; }
        const Text key = line.substr(0, equals);
        auto value = decoded(line.substr(equals + 1));
        if (!value) { return std::nullopt; }
        if (key == "kind") { is_durable = *value == "durable-subscription"; }
        if (key == "user") { out.user = std::move(*value); }
        if (key == "client-id") { out.client_id = std::move(*value); }
        if (key == "name") { out.name = std::move(*value); }
        if (key == "destination") { out.destination = std::move(*value); }
        if (key == "by") { out.is_by_name = *value == "name"; }
        if (key == "shared") { out.is_shared = *value == "true"; }
        if (key == "selector") { out.selector = std::move(*value); }
        if (key == "expires") { out.idle_life = duration(line.substr(equals + 1)); }
    }
    if (!is_durable) { return std::nullopt; }
    return out;
}

}  // namespace engine
