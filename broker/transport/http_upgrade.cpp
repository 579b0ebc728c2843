#include "broker/transport/http_upgrade.hpp"

#include "broker/transport/text.hpp"
#include "protocol/error.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http.hpp>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <sstream>

namespace transport {

using protocol::LimitKey;

namespace {

namespace http = boost::beast::http;

constexpr std::string_view accept_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t user_agent_max = 128;

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

std::string accept_key(std::string_view key) {
    const std::string text = std::string(key).append(accept_guid);
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::array<unsigned char, 32> encoded{};
    const int size =
        EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
    return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

// 16 octets in base64 (RFC 6455, 4.1).
bool is_good_key(std::string_view key) {
    const auto is_base64 = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '+' || c == '/';
    };
    return key.size() == 24 && key.ends_with("==") &&
           std::all_of(key.begin(), key.end() - 2, is_base64);
}

template <class Message>
std::string serialised(const Message& message) {
    std::ostringstream out;
    out << message;
    return std::move(out).str();
}

std::string plain_response(
    unsigned status, std::string_view text, std::string_view field, std::string_view value
) {
    http::response<http::string_body> response(static_cast<http::status>(status), 11);
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.set(http::field::connection, "close");
    response.set(http::field::cache_control, "no-store");
    if (!field.empty()) {
        response.set(
            boost::beast::string_view(field.data(), field.size()),
            boost::beast::string_view(value.data(), value.size())
        );
    }
    response.body() = std::string(text) + "\n";
    response.prepare_payload();
    return serialised(response);
}

// A TLS record and other binary octets are refused without waiting for the rest.
bool may_begin_request(char octet) {
    return octet == '\r' || octet == '\n' || (octet >= ' ' && octet < 0x7F);
}

// User information may be a passcode.
std::string loggable_origin(std::string_view origin) {
    const bool is_shown = origin.find('@') == std::string_view::npos;
    return is_shown ? protocol::quoted(origin) : "(redacted)";
}

// Items that may hold tokens are not logged (P-WS-04).
std::string loggable(std::string_view offered) {
    std::string text;
    for (const auto item :
         http::token_list(boost::beast::string_view(offered.data(), offered.size()))) {
        if (!text.empty()) { text += ", "; }
        const std::string_view name = view(item);
        text += name.size() > 32 || name.find('.') != std::string_view::npos ? "(redacted)"
                                                                             : std::string(name);
    }
    return text;
}

}  // namespace

struct HttpUpgrade::Head {
    http::request_parser<http::empty_body> parser;

    [[nodiscard]] const http::request<http::empty_body>& request() const { return parser.get(); }

    [[nodiscard]] std::string_view field(http::field name) const {
        const auto found = request().find(name);
        return found == request().end() ? std::string_view() : view(found->value());
    }
};

HttpUpgrade::HttpUpgrade(
    const HttpEndpoint& endpoint, const Options& options, std::string_view peer
)
    : endpoint_(endpoint),
      options_(options),
      head_(std::make_unique<Head>()),
      peer_(IpAddress::parse(peer).value_or(IpAddress())) {}

HttpUpgrade::~HttpUpgrade() = default;

std::string HttpUpgrade::timeout_response() {
    return plain_response(408, "The request took too long.", {}, {});
}

std::string HttpUpgrade::try_later_response(unsigned status, std::string_view text) {
    return plain_response(status, text, "Retry-After", "5");
}

std::string HttpUpgrade::bad_response(std::string_view text) {
    return plain_response(400, text, {}, {});
}

HttpUpgrade::Outcome HttpUpgrade::refuse(
    unsigned status, std::string_view text, std::string_view field, std::string_view value
) {
    status_ = status;
    response_ = plain_response(status, text, field, value);
    return Outcome::respond_and_close;
}

HttpUpgrade::Outcome HttpUpgrade::refuse_size(LimitKey limit, std::string_view what) {
    limit_ = limit;
    const std::string text =
        "The request " + std::string(what) + " than " + std::string(name_of(limit)) + ".";
    return refuse(431, text);
}

// Beast gets a head once it is whole; until then only its size and line ends are looked at.
HttpUpgrade::Outcome HttpUpgrade::feed(std::span<const char> input) {
    consumed_ = 0;
    const std::size_t limit = options_.upgrade_head_max;
    const std::size_t had = pending_.size();
    pending_.append(input.data(), std::min(input.size(), limit + 1 - std::min(had, limit)));
    if (!pending_.empty() && !may_begin_request(pending_.front())) {
        return refuse(400, "This is no HTTP. A listener without TLS is spoken to as http or ws.");
    }
    const std::size_t end = pending_.find("\r\n\r\n");
    const bool is_whole = end != std::string::npos;
    const std::size_t size = is_whole ? end + 4 : pending_.size();
    if (size > limit) { return refuse_size(LimitKey::upgrade_head, "head is larger"); }
    // The lines before the blank one, so that it does not matter in which pieces they come.
    const auto last = pending_.begin() + static_cast<std::ptrdiff_t>(is_whole ? end + 2 : size);
    if (std::count(pending_.begin(), last, '\n') >
        static_cast<std::ptrdiff_t>(options_.upgrade_fields_max) + 1) {
        return refuse_size(LimitKey::upgrade_fields, "has more fields");
    }
    if (!is_whole) {
        consumed_ = input.size();
        return Outcome::need_more;
    }
    consumed_ = size - had;
    const std::string head = pending_.substr(0, size);
    pending_.clear();
    return parse(head);
}

HttpUpgrade::Outcome HttpUpgrade::parse(const std::string& head) {
    boost::beast::error_code ec;
    head_ = std::make_unique<Head>();
    head_->parser.header_limit(static_cast<std::uint32_t>(options_.upgrade_head_max));
    head_->parser.put(boost::asio::buffer(head), ec);
    if (ec == http::error::need_more) { ec = {}; }
    if (ec == http::error::bad_version) { return refuse(505, "Only HTTP/1.1 is spoken here."); }
    if (ec || !head_->parser.is_header_done()) {
        return refuse(400, "This is not a well-formed HTTP request.");
    }
    return answer();
}

HttpUpgrade::Outcome HttpUpgrade::answer() {
    const auto& request = head_->request();
    if (request.version() != 11) { return refuse(505, "Only HTTP/1.1 is spoken here."); }
    const auto fields = static_cast<std::size_t>(std::distance(request.begin(), request.end()));
    if (fields > options_.upgrade_fields_max) {
        return refuse_size(LimitKey::upgrade_fields, "has more fields");
    }
    const std::string_view length = head_->field(http::field::content_length);
    const bool has_body = request.count(http::field::transfer_encoding) != 0 ||
                          request.count(http::field::trailer) != 0 ||
                          (!length.empty() && length != "0");
    if (has_body) { return refuse(400, "A request here has no body."); }
    take_forwarding();
    if (!forwarding_.problem.empty()) { return refuse(400, forwarding_.problem); }
    if (const auto refused = refuse_host()) { return *refused; }
    const std::string_view target = view(request.target());
    const std::string_view path = target.substr(0, target.find('?'));
    if (is_web_socket_path(path)) { return answer_upgrade(path); }
    return answer_file(path);
}

bool HttpUpgrade::is_web_socket_path(std::string_view path) const {
    if (!options_.test_echo_path.empty() && path == options_.test_echo_path) { return true; }
    const auto serves = [&](std::string_view own) {
        return path == own || (path.starts_with(own) && path.substr(own.size()) == "/websocket");
    };
    return std::any_of(endpoint_.paths.begin(), endpoint_.paths.end(), serves);
}

// Other people's words about the client. They make it nobody's neighbour (S-BIND-02), and more only
// if a trusted proxy says them (S-BIND-06).
void HttpUpgrade::take_forwarding() {
    ForwardedFields fields;
    const auto add = [](std::optional<std::string>& to, std::string_view value) {
        to = to ? *to + "," + std::string(value) : std::string(value);
    };
    for (const auto& field : head_->request()) {
        const std::string name = to_lower(view(field.name_string()));
        const std::string_view value = view(field.value());
        if (name == "forwarded") { add(fields.forwarded, value); }
        if (!name.starts_with("x-forwarded-")) { continue; }
        if (name == "x-forwarded-for") { add(fields.x_for, value); }
        if (name == "x-forwarded-proto") { add(fields.x_proto, value); }
        if (name == "x-forwarded-host") { add(fields.x_host, value); }
        fields.has_other = true;
    }
    forwarding_ = resolve_forwarded(fields, peer_, endpoint_.trusted_proxies);
    const bool is_local = forwarding_.client && forwarding_.client->is_loopback();
    is_forwarded_ = fields.is_any() && !is_local;
}

// Nothing for exactly one Host that is served here (S-WEB-04). A trusted proxy may have put its own
// in place of the client's; a list of names is about the client's.
std::optional<HttpUpgrade::Outcome> HttpUpgrade::refuse_host() {
    const bool is_one = head_->request().count(http::field::host) == 1;
    const auto sent =
        is_one ? parse_authority(head_->field(http::field::host)) : std::optional<Authority>();
    if (!sent) {
        return refuse(
            400,
            "A request needs one Host field: the broker's name or address, with its port, like "
            "\"Host: broker.example:15674\"."
        );
    }
    host_ = forwarding_.host.value_or(*sent);
    const BoundTo bound_to{endpoint_.is_loopback, endpoint_.bound_host};
    const bool has_list = !endpoint_.web.external_hosts.empty();
    const std::string& judged = has_list ? host_.host : sent->host;
    if (is_served_host(endpoint_.web, bound_to, judged)) { return std::nullopt; }
    why_ = "Host " + judged;
    remedy_ = "List it in server.external_hosts, or in those of its [[listener]].";
    // Without a list only loopback listeners refuse.
    return refuse(
        421,
        endpoint_.is_loopback
            ? "This Host is not served on a loopback listener: use localhost, bind a public "
              "address, or list the name in server.external_hosts (or in those of its "
              "[[listener]])."
            : "This Host is not among those that the operator lists in server.external_hosts (or "
              "in those of its [[listener]])."
    );
}

// S-WEB-01 to -03.
OriginVerdict HttpUpgrade::judge_page() const {
    const std::size_t count = head_->request().count(http::field::origin);
    const bool is_https = forwarding_.is_https.value_or(endpoint_.is_tls);
    return judge_origin(
        endpoint_.web,
        {count,
         head_->field(http::field::origin),
         host_,
         is_https,
         endpoint_.is_loopback && !is_forwarded_}
    );
}

HttpUpgrade::Outcome HttpUpgrade::refuse_page(OriginVerdict verdict) {
    if (verdict == OriginVerdict::missing) {
        why_ = "no Origin";
        remedy_ = "Set server.allow_missing_origin = true, or that of its [[listener]].";
        return refuse(
            403, "A request without Origin is refused here (server.allow_missing_origin)."
        );
    }
    const bool is_one = head_->request().count(http::field::origin) == 1;
    why_ = is_one ? "Origin " + loggable_origin(head_->field(http::field::origin))
                  : "more than one Origin";
    remedy_ = verdict == OriginVerdict::bad
                  ? "Serve the page by http or https: server.allowed_origins takes no such Origin."
                  : "List it in server.allowed_origins, or in those of its [[listener]].";
    return refuse(
        403,
        verdict == OriginVerdict::bad
            ? "This Origin names no page's scheme, host and port, so it may not connect."
            : "This Origin may not connect: serve the page from the broker's own host and port, or "
              "list it in server.allowed_origins."
    );
}

void HttpUpgrade::choose_sub_protocol() {
    std::string offered;
    const auto range = head_->request().equal_range(http::field::sec_websocket_protocol);
    for (auto field = range.first; field != range.second; ++field) {
        if (!offered.empty()) { offered += ","; }
        offered += view(field->value());
    }
    if (offered.empty()) { return; }
    sub_protocol_ = protocol::choose_sub_protocol(offered);
    if (!sub_protocol_) { strange_ = loggable(offered); }
}

// Nothing for an upgrade that says all that RFC 6455 (4.1, 11.3) wants, once; and credentials at
// most once, since it is not for the broker to choose (S-AUTH-03).
std::optional<HttpUpgrade::Outcome> HttpUpgrade::refuse_handshake() {
    const auto& request = head_->request();
    if (request.method() != http::verb::get) {
        return refuse(405, "Only GET is allowed here.", "Allow", "GET");
    }
    const bool is_upgrade = http::token_list(request[http::field::upgrade]).exists("websocket") &&
                            http::token_list(request[http::field::connection]).exists("upgrade");
    if (!is_upgrade) {
        return refuse(
            426,
            "This is a WebSocket endpoint: connect with ws:// or wss://.",
            "Sec-WebSocket-Version",
            "13"
        );
    }
    if (request.count(http::field::sec_websocket_version) > 1) {
        return refuse(400, "There is more than one Sec-WebSocket-Version: send one, 13.");
    }
    if (head_->field(http::field::sec_websocket_version) != "13") {
        return refuse(
            426, "Only WebSocket version 13 is spoken here.", "Sec-WebSocket-Version", "13"
        );
    }
    if (request.count(http::field::sec_websocket_key) > 1) {
        return refuse(400, "There is more than one Sec-WebSocket-Key: send one.");
    }
    if (!is_good_key(head_->field(http::field::sec_websocket_key))) {
        return refuse(400, "Sec-WebSocket-Key must be 16 octets in base64.");
    }
    if (request.count(http::field::authorization) > 1) {
        return refuse(400, "There is more than one Authorization: send one.");
    }
    return std::nullopt;
}

HttpUpgrade::Outcome HttpUpgrade::answer_upgrade(std::string_view path) {
    if (const auto refused = refuse_handshake()) { return *refused; }
    if (const OriginVerdict verdict = judge_page(); !is_allowed(verdict)) {
        return refuse_page(verdict);
    }
    is_echo_ = !options_.test_echo_path.empty() && path == options_.test_echo_path;
    origin_ = std::string(head_->field(http::field::origin));
    user_agent_ = std::string(head_->field(http::field::user_agent).substr(0, user_agent_max));
    if (head_->request().count(http::field::authorization) != 0) {
        authorization_ =
            std::make_shared<const engine::Secret>(head_->field(http::field::authorization));
    }
    if (!is_echo_) { choose_sub_protocol(); }
    switch_protocols(head_->field(http::field::sec_websocket_key));
    return Outcome::upgrade;
}

void HttpUpgrade::switch_protocols(std::string_view key) {
    http::response<http::empty_body> response(http::status::switching_protocols, 11);
    response.set(http::field::upgrade, "websocket");
    response.set(http::field::connection, "Upgrade");
    response.set(http::field::sec_websocket_accept, accept_key(key));
    if (sub_protocol_) {
        const std::string_view name = protocol::sub_protocol_name(*sub_protocol_);
        response.set(
            http::field::sec_websocket_protocol, boost::beast::string_view(name.data(), name.size())
        );
    }
    status_ = 101;
    response_ = serialised(response);
}

HttpUpgrade::Outcome HttpUpgrade::answer_file(std::string_view path) {
    const auto& request = head_->request();
    if (!endpoint_.files.is_on()) {
        return refuse(
            404, "Nothing is here: WebSocket clients connect to " + endpoint_.paths.front() + "."
        );
    }
    const bool is_head = request.method() == http::verb::head;
    if (request.method() != http::verb::get && !is_head) {
        return refuse(405, "Only GET is allowed here.", "Allow", "GET, HEAD");
    }
    auto file = endpoint_.files.read(path);
    if (!file) { return refuse(404, "There is no such file."); }
    http::response<http::string_body> response(http::status::ok, 11);
    response.set(
        http::field::content_type,
        boost::beast::string_view(file->content_type.data(), file->content_type.size())
    );
    response.set(http::field::cache_control, "no-cache");
    response.set("X-Content-Type-Options", "nosniff");
    response.keep_alive(request.keep_alive());
    response.body() = std::move(file->body);
    response.prepare_payload();
    status_ = 200;
    response_ = serialised(response);
    if (is_head) { response_.resize(response_.find("\r\n\r\n") + 4); }
    return request.keep_alive() ? Outcome::respond : Outcome::respond_and_close;
}

}  // namespace transport
