#include "broker/transport/forwarded.hpp"

#include "broker/transport/text.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

namespace transport {

namespace {

constexpr std::size_t hops_max = 32;
constexpr std::string_view space = " \t";

/// One proxy's words about whom it got the request from.
struct Hop {
    std::optional<IpAddress> address = {};  ///< Nothing: unknown, hidden, or not said.
    bool has_for = false;
    std::optional<bool> is_https = {};
    std::optional<Authority> host = {};
};

using Hops = std::vector<Hop>;

std::string_view trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(space);
    if (begin == std::string_view::npos) { return {}; }
    return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

bool is_alphanumeric(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 0x80;
}

bool is_hidden(std::string_view text) {
    return text.size() > 1 && text.front() == '_' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
           });
}

bool is_node_port(std::string_view text) {
    const bool is_number = !text.empty() && text.size() <= 5 &&
                           text.find_first_not_of("0123456789") == std::string_view::npos;
    return is_number || is_hidden(text);
}

// An address, with a port or without, in brackets or not; or a word for one that is not told.
bool parse_node(std::string_view text, Hop& hop) {
    hop.has_for = true;
    hop.address = IpAddress::parse(text);
    if (hop.address) { return true; }
    const bool has_brackets = text.starts_with('[');
    const std::size_t name_end = text.find(has_brackets ? ']' : ':');
    if (has_brackets && name_end == std::string_view::npos) { return false; }
    const std::string_view name =
        has_brackets ? text.substr(1, name_end - 1) : text.substr(0, name_end);
    const std::string_view rest =
        text.substr(std::min(text.size(), has_brackets ? name_end + 1 : name_end));
    if (!rest.empty() && (rest.front() != ':' || !is_node_port(rest.substr(1)))) { return false; }
    if (!has_brackets && (is_hidden(name) || to_lower(name) == "unknown")) { return true; }
    const bool is_v6 = name.find(':') != std::string_view::npos;
    if (is_v6 != has_brackets) { return false; }
    hop.address = IpAddress::parse(name);
    return hop.address.has_value();
}

std::optional<bool> parse_scheme(std::string_view text) {
    const std::string scheme = to_lower(text);
    if (scheme == "https" || scheme == "wss") { return true; }
    if (scheme == "http" || scheme == "ws") { return false; }
    return std::nullopt;
}

// Calls `take` for each item of a comma-separated list; false if one is refused or too many.
template <class Take>
bool each_item(std::string_view list, Take take) {
    for (std::size_t count = 0; count < hops_max; ++count) {
        const std::size_t comma = list.find(',');
        if (!take(trim(list.substr(0, comma)))) { return false; }
        if (comma == std::string_view::npos) { return true; }
        list.remove_prefix(comma + 1);
    }
    return false;
}

bool parse_x_for(std::string_view list, Hops& hops) {
    return each_item(list, [&hops](std::string_view item) {
        return parse_node(item, hops.emplace_back());
    });
}

// The right-most was written by the proxy that is trusted; a client may have written the others.
bool parse_x_proto(std::string_view list, std::optional<bool>& is_https) {
    return each_item(list, [&is_https](std::string_view item) {
        is_https = parse_scheme(item);
        return is_https.has_value();
    });
}

bool parse_x_host(std::string_view list, std::optional<Authority>& host) {
    return each_item(list, [&host](std::string_view item) {
        host = parse_authority(item);
        return host.has_value();
    });
}

/// RFC 7239, section 4: pairs joined by `;`, elements joined by `,`, values that may be quoted.
class ForwardedParser {
public:
    explicit ForwardedParser(std::string_view text) : text_(text) {}

    bool parse(Hops& hops) {
        do {
            if (hops.size() == hops_max || !parse_element(hops.emplace_back())) { return false; }
        } while (take(','));
        return at_ == text_.size();
    }

private:
    bool parse_element(Hop& hop) {
        do {
            if (!parse_pair(hop)) { return false; }
        } while (take(';'));
        return true;
    }

    bool parse_pair(Hop& hop) {
        skip_space();
        const std::string name = to_lower(take_token());
        if (name.empty() || at_ == text_.size() || text_[at_] != '=') { return false; }
        ++at_;
        const auto value = take_value();
        if (!value) { return false; }
        if (name == "for") { return !hop.has_for && parse_node(*value, hop); }
        if (name == "proto") {
            if (hop.is_https) { return false; }
            hop.is_https = parse_scheme(*value);
            return hop.is_https.has_value();
        }
        if (name == "host") {
            if (hop.host) { return false; }
            hop.host = parse_authority(*value);
            return hop.host.has_value();
        }
        return true;
    }

    std::string_view take_token() {
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
        const std::size_t begin = at_;
        while (at_ < text_.size() &&
               (is_alphanumeric(text_[at_]) || marks.find(text_[at_]) != std::string_view::npos)) {
            ++at_;
        }
        return text_.substr(begin, at_ - begin);
    }

    std::optional<std::string> take_value() {
        if (at_ == text_.size() || text_[at_] != '"') {
            const std::string_view token = take_token();
            if (token.empty()) { return std::nullopt; }
            return std::string(token);
        }
        std::string value;
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"') {
                ++at_;
                return value;
            }
            if (text_[at_] == '\\' && ++at_ == text_.size()) { break; }
            value += text_[at_];
        }
        return std::nullopt;
    }

    bool take(char mark) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != mark) { return false; }
        ++at_;
        return true;
    }

    void skip_space() {
        while (at_ < text_.size() && space.find(text_[at_]) != std::string_view::npos) {
            ++at_;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// From the right: everyone further left could have been invented by the first who is not trusted.
const Hop& hop_of_client(const Hops& hops, const Networks& trusted) {
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        if (!hop->address || !trusted.contains(*hop->address)) { return *hop; }
    }
    return hops.front();
}

Forwarding malformed(std::string_view problem) {
    Forwarding result;
    result.problem = problem;
    return result;
}

}  // namespace

bool ForwardedFields::is_any() const {
    return forwarded || x_for || x_proto || x_host || has_other;
}

Forwarding resolve_forwarded(
    const ForwardedFields& fields, const IpAddress& peer, const Networks& trusted
) {
    Forwarding result;
    if (!trusted.contains(peer)) { return result; }
    Hops hops;
    if (fields.forwarded && !ForwardedParser(*fields.forwarded).parse(hops)) {
        return malformed("The Forwarded field is malformed.");
    }
    if (!hops.empty()) {
        const Hop& hop = hop_of_client(hops, trusted);
        result.client = hop.address;
        result.is_https = hop.is_https;
        result.host = hop.host;
    }
    if (fields.x_for) {
        Hops others;
        if (!parse_x_for(*fields.x_for, others)) {
            return malformed("The X-Forwarded-For field is malformed.");
        }
        const std::optional<IpAddress> client = hop_of_client(others, trusted).address;
        const bool has_for =
            std::any_of(hops.begin(), hops.end(), [](const Hop& hop) { return hop.has_for; });
        // A proxy that writes one of them lets the client's own version of the other pass.
        if (has_for && client != result.client) {
            return malformed("X-Forwarded-For and Forwarded name different clients.");
        }
        result.client = client;
    }
    std::optional<bool> is_https;
    if (fields.x_proto && !parse_x_proto(*fields.x_proto, is_https)) {
        return malformed("The X-Forwarded-Proto field is malformed.");
    }
    std::optional<Authority> host;
    if (fields.x_host && !parse_x_host(*fields.x_host, host)) {
        return malformed("The X-Forwarded-Host field is malformed.");
    }
    if (is_https) { result.is_https = is_https; }
    if (host) { result.host = host; }
    return result;
}

}  // namespace transport
