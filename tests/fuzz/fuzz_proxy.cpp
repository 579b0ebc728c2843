// PROXY headers and forwarded fields: any cut gives the same client, and nobody but a trusted proxy
// names it. Input: two octets of choices (what, cuts), then what a peer sends; fields one a line.
#include "broker/transport/forwarded.hpp"
#include "broker/transport/proxy_protocol.hpp"
#include "tests/fuzz/choices.hpp"

#include <array>
#include <string>
#include <string_view>

namespace {

using fuzz::require;
using transport::ForwardedFields;
using transport::Forwarding;
using transport::IpAddress;
using transport::Networks;
using transport::ProxyHeader;

struct Outcome {
    ProxyHeader::Outcome outcome = ProxyHeader::Outcome::need_more;
    std::size_t octets = 0;
    std::optional<IpAddress> client;
    std::string problem;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

template <class Next>
Outcome run(std::string_view input, Next next) {
    ProxyHeader header;
    Outcome result;
    while (result.outcome == ProxyHeader::Outcome::need_more && result.octets < input.size()) {
        const std::string block(input.substr(result.octets, next(input.size() - result.octets)));
        result.outcome = header.feed(block);
        result.octets += header.consumed();
        require(header.consumed() <= block.size(), "no more is taken than there is");
        require(
            result.outcome != ProxyHeader::Outcome::need_more || header.consumed() == block.size(),
            "who needs more takes all"
        );
    }
    result.client = header.client();
    result.problem = header.problem();
    return result;
}

// The client, read again in the plainest way.
void require_named(std::string_view header, const IpAddress& client) {
    if (header.starts_with("PROXY ")) {
        const std::size_t begin = header.find(' ', 6) + 1;
        const std::string_view word = header.substr(begin, header.find(' ', begin) - begin);
        require(IpAddress::parse(word) == client, "the client is the line's first address");
        return;
    }
    require(header[12] == '\x21', "only PROXY names a client");
    const bool is_v4 = header[13] == '\x11';
    const std::string_view octets = header.substr(16, is_v4 ? 4 : 16);
    const auto& found = client.octets();
    const std::string_view all(reinterpret_cast<const char*>(found.data()), found.size());
    require(all.substr(is_v4 ? 12 : 0) == octets, "the client is the first address");
}

void check_header(std::string_view input, fuzz::Cuts& cuts) {
    const Outcome whole = run(input, [](std::size_t left) { return left; });
    require(
        whole == run(input, [&](std::size_t left) { return cuts.next(left); }) &&
            whole == run(input, [](std::size_t) { return std::size_t{1}; }),
        "the same however the input is cut"
    );
    const bool is_done = whole.outcome == ProxyHeader::Outcome::done;
    require(whole.octets <= 16 + ProxyHeader::rest_max, "a header is bounded");
    require(is_done || !whole.client, "only a whole header names a client");
    require(
        (whole.outcome == ProxyHeader::Outcome::failed) == !whole.problem.empty(),
        "a failure says why, and nothing else does"
    );
    if (whole.client) { require_named(input.substr(0, whole.octets), *whole.client); }
}

Networks proxies() {
    Networks list;
    (void)list.add("10.0.0.0/8");
    (void)list.add("127.0.0.1");
    return list;
}

ForwardedFields read_fields(std::string_view text) {
    ForwardedFields fields;
    const std::array targets{&fields.x_for, &fields.forwarded, &fields.x_proto, &fields.x_host};
    for (auto* const target : targets) {
        const std::size_t end = text.find('\n');
        if (end != 0) { *target = std::string(text.substr(0, end)); }
        if (end == std::string_view::npos) { break; }
        text.remove_prefix(end + 1);
    }
    return fields;
}

// Whatever a client sends ahead of what the proxy adds, it does not choose its own address.
void check_prefix(const ForwardedFields& sent, const Networks& trusted) {
    const auto proxy = *IpAddress::parse("10.0.0.1");
    const auto client = *IpAddress::parse("203.0.113.7");
    const auto require_honest = [&](const ForwardedFields& fields) {
        const Forwarding found = resolve_forwarded(fields, proxy, trusted);
        require(!found.problem.empty() || found.client == client, "the proxy's word is the last");
    };
    for (const char* const added : {"203.0.113.7", "203.0.113.7:80", "[::ffff:203.0.113.7]:80"}) {
        ForwardedFields fields;
        fields.x_for = sent.x_for.value_or("") + ", " + added;
        require_honest(fields);
    }
    for (const char* const added :
         {"for=203.0.113.7",
          "for=\"203.0.113.7:80\";proto=https",
          "for=203.0.113.7, for=10.9.9.9"}) {
        ForwardedFields fields;
        fields.forwarded = sent.forwarded.value_or("") + ", " + added;
        require_honest(fields);
        // A proxy that knows only one of the two fields passes the other on as it came.
        fields = sent;
        fields.forwarded.reset();
        fields.x_for = "203.0.113.7";
        require_honest(fields);
        fields.forwarded = sent.forwarded;
        require_honest(fields);
    }
}

// Nor the scheme or the host: the last of each is the proxy's.
void check_suffix(const ForwardedFields& sent, const Networks& trusted) {
    const auto proxy = *IpAddress::parse("10.0.0.1");
    const auto list = [](const std::optional<std::string>& before, std::string_view added) {
        return before ? *before + ", " + std::string(added) : std::string(added);
    };
    for (const bool is_https : {false, true}) {
        ForwardedFields fields = sent;
        fields.x_proto = list(sent.x_proto, is_https ? "https" : "http");
        fields.x_host = list(sent.x_host, "App.Example:8443");
        const Forwarding found = resolve_forwarded(fields, proxy, trusted);
        if (!found.problem.empty()) { continue; }
        require(found.is_https == is_https, "the proxy's scheme is the last");
        require(found.host == transport::Authority{"app.example", 8443}, "so is its host");
    }
}

void check_fields(std::string_view input) {
    const Networks trusted = proxies();
    const ForwardedFields fields = read_fields(input);
    const Forwarding believed = resolve_forwarded(fields, *IpAddress::parse("10.0.0.1"), trusted);
    const Forwarding ignored = resolve_forwarded(fields, *IpAddress::parse("11.0.0.1"), trusted);
    require(
        !ignored.client && !ignored.is_https && !ignored.host && ignored.problem.empty(),
        "a stranger's words count for nothing"
    );
    const bool is_bad = !believed.problem.empty();
    require(!is_bad || (!believed.client && !believed.host), "malformed fields tell nothing");
    if (believed.host) {
        const std::string port =
            believed.host->port == 0 ? "" : ":" + std::to_string(believed.host->port);
        require(
            transport::parse_authority(believed.host->host + port) == believed.host,
            "what was read as a host can be read again"
        );
    }
    check_prefix(fields, trusted);
    check_suffix(fields, trusted);
}

void check_origin(std::string_view input) {
    const auto origin = transport::parse_origin(input);
    if (!origin) { return; }
    const std::string port = origin->port == 0 ? "" : ":" + std::to_string(origin->port);
    require(
        transport::parse_origin(origin->scheme + "://" + origin->host + port) == origin,
        "what was read as an origin can be read again"
    );
    require(
        input.find_first_of("@/?#\\", origin->scheme.size() + 3) == std::string_view::npos,
        "no more than host and port"
    );
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices choices(data, size);
    const std::uint8_t what = choices.octet() % 3;
    fuzz::Cuts cuts(choices.octet());
    const std::string_view input = choices.rest();
    if (what == 0) { check_header(input, cuts); }
    if (what == 1) { check_fields(input); }
    if (what == 2) { check_origin(input); }
    return 0;
}
