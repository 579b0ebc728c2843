// Upgrade requests: any cut gives the same answers, each of them well-formed; limits hold; and who
// is let in has said all that a slow reading of the same head demands.
// Input: three octets of choices (endpoint, peer, cuts), then what a peer sends.
#include "broker/transport/http_upgrade.hpp"
#include "tests/fuzz/choices.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using fuzz::require;
using transport::HttpEndpoint;
using transport::HttpUpgrade;
using Outcome = HttpUpgrade::Outcome;

constexpr std::size_t requests_max = 8;
constexpr std::string_view outside = "what lies outside";

/// A directory to be served, and a file beside it that must not be.
class Folder {
public:
    Folder() {
        std::string name = "/tmp/fuzz-http-XXXXXX";
        require(::mkdtemp(name.data()) != nullptr, "there is room for files");
        root_ = name;
        std::filesystem::create_directory(root_ / "served");
        std::ofstream(root_ / "served" / "index.html") << "inside";
        std::ofstream(root_ / "secret") << outside;
        std::filesystem::create_symlink(root_ / "secret", root_ / "served" / "link");
    }

    ~Folder() { std::filesystem::remove_all(root_); }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] std::string served() const { return root_ / "served"; }

private:
    std::filesystem::path root_;
};

struct Setting {
    transport::Options options;
    HttpEndpoint endpoint{{"/ws", "/stomp"}, false, false, "0.0.0.0", transport::StaticFiles("")};
    std::string peer;
    bool is_trusted = false;
};

void set(Setting& setting, std::uint8_t choice, std::uint8_t who) {
    static const Folder folder;
    HttpEndpoint& endpoint = setting.endpoint;
    endpoint.is_loopback = choice % 2 != 0;
    endpoint.is_tls = choice % 4 >= 2;
    if (choice & 4U) { endpoint.files = transport::StaticFiles(folder.served()); }
    if (choice & 8U) { setting.options.test_echo_path = "/echo"; }
    if (choice & 16U) { endpoint.web.allow_missing_origin = false; }
    if (choice & 32U) { require(!endpoint.web.external_hosts.add("broker.example"), "a name"); }
    if (choice & 64U) { require(!endpoint.web.allowed_origins.add("https://app.example"), "one"); }
    if (choice & 128U) {
        setting.options.upgrade_head_max = 256;
        setting.options.upgrade_fields_max = 8;
    }
    require(!endpoint.trusted_proxies.add("10.0.0.0/8"), "a network");
    constexpr std::array<std::string_view, 4> peers = {
        "203.0.113.1", "10.0.0.1", "127.0.0.1", "::1"};
    setting.peer = peers[who % peers.size()];
    setting.is_trusted = setting.peer.starts_with("10.");
}

/// What one request got.
struct Answer {
    Outcome outcome{};
    unsigned status = 0;
    std::string response;
    std::size_t end = 0;  ///< Of the head, in the input.

    friend bool operator==(const Answer&, const Answer&) = default;
};

void check_response(const Answer& answer) {
    const std::string& text = answer.response;
    require(
        text.starts_with("HTTP/1.1 " + std::to_string(answer.status) + " "), "it has its status"
    );
    const std::size_t end = text.find("\r\n\r\n");
    require(end != std::string::npos, "its head ends");
    require(
        std::all_of(
            text.begin(),
            text.begin() + static_cast<std::ptrdiff_t>(end),
            [](char c) { return (c >= ' ' && c <= '~') || c == '\r' || c == '\n'; }
        ),
        "its head is text"
    );
    require(text.find(outside) == std::string::npos, "no file outside the directory");
    const bool is_bounded = text.size() <= 4096;
    require(is_bounded, "it is short");
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

/// How many lines of `head` begin with field `name`, which is in lower case.
std::ptrdiff_t count_of(std::string_view head, std::string_view name) {
    const std::string text = lower(head);
    const std::string wanted = "\n" + std::string(name) + ":";
    std::ptrdiff_t count = 0;
    for (std::size_t at = text.find(wanted); at != std::string::npos;
         at = text.find(wanted, at + 1)) {
        ++count;
    }
    return count;
}

void check_upgrade(const Setting& setting, const HttpUpgrade& upgrade, std::string_view head) {
    const transport::Options& options = setting.options;
    require(head.size() <= options.upgrade_head_max, "its head is within the limit");
    require(
        std::count(head.begin(), head.end(), '\n') <=
            static_cast<std::ptrdiff_t>(options.upgrade_fields_max) + 2,
        "its fields are within the limit"
    );
    const std::string text = lower(head);
    require(text.find("get ") < 5, "only GET");
    require(count_of(head, "host") == 1, "one Host");
    require(count_of(head, "sec-websocket-key") == 1, "one key");
    require(count_of(head, "sec-websocket-version") == 1, "one version");
    require(count_of(head, "authorization") <= 1, "one Authorization at most");
    require(count_of(head, "origin") <= 1, "one Origin at most");
    require(
        setting.endpoint.web.allow_missing_origin || count_of(head, "origin") == 1,
        "an Origin where one is demanded"
    );
    require(count_of(head, "transfer-encoding") == 0, "no body");
    require(setting.is_trusted || !upgrade.client(), "only trusted proxies name clients");
    const bool says_forwarded = text.find("\nforwarded:") != std::string::npos ||
                                text.find("\nx-forwarded-") != std::string::npos;
    require(
        !says_forwarded || upgrade.is_forwarded() || setting.is_trusted,
        "others' words count against it"
    );
    const bool is_secret = upgrade.authorization() != nullptr;
    require(is_secret == (count_of(head, "authorization") != 0), "credentials are kept");
    if (!upgrade.sub_protocol()) { return; }
    const auto name = protocol::sub_protocol_name(*upgrade.sub_protocol());
    require(head.find(name) != std::string_view::npos, "the sub-protocol was offered");
}

/// Who may not come in is named in the log, with the key that would let it in.
void check_denial(const HttpUpgrade& upgrade, std::string_view head) {
    const bool is_host = upgrade.status() == 421;
    const std::string_view begin = is_host ? "Host " : "";
    const std::string_view key = is_host ? "server.external_hosts" : "server.allow";
    require(!upgrade.why().empty() && upgrade.why().starts_with(begin), "it is named");
    require(upgrade.remedy().find(key) != std::string::npos, "the key is named");
    require(count_of(head, "host") == 1, "only one Host can be refused for its name");
}

template <class Next>
std::vector<Answer> run(const Setting& setting, std::string_view input, Next next) {
    HttpUpgrade upgrade(setting.endpoint, setting.options, setting.peer);
    std::vector<Answer> answers;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < input.size() && answers.size() < requests_max;) {
        const std::size_t size = next(input.size() - at);
        // What one piece holds may be several requests.
        for (const std::size_t end = at + size; at < end;) {
            const std::vector<char> block(
                input.begin() + static_cast<std::ptrdiff_t>(at),
                input.begin() + static_cast<std::ptrdiff_t>(end)
            );
            const Outcome outcome = upgrade.feed(block);
            require(upgrade.consumed() <= block.size(), "no more is taken than there is");
            if (outcome == Outcome::need_more) {
                require(upgrade.consumed() == block.size(), "all is taken when more is needed");
                at = end;
                continue;
            }
            at += upgrade.consumed();
            answers.push_back({outcome, upgrade.status(), upgrade.response(), at});
            check_response(answers.back());
            require(
                (outcome == Outcome::upgrade) == (upgrade.status() == 101), "101 is an upgrade"
            );
            if (outcome == Outcome::upgrade) {
                check_upgrade(setting, upgrade, input.substr(begin, at - begin));
            }
            if (upgrade.status() == 403 || upgrade.status() == 421) {
                check_denial(upgrade, input.substr(begin, at - begin));
            }
            if (outcome != Outcome::respond) { return answers; }
            begin = at;
            if (answers.size() == requests_max) { return answers; }
        }
    }
    return answers;
}

/// Where a refused head ends depends on the cut, and what a head that is wrong in two ways is told.
void require_same(const std::vector<Answer>& whole, const std::vector<Answer>& cut) {
    require(whole.size() == cut.size(), "as many answers however the input is cut");
    for (std::size_t i = 0; i < whole.size(); ++i) {
        require(whole[i].outcome == cut[i].outcome, "the same outcome however the input is cut");
        require(whole[i].status == cut[i].status, "the same status however the input is cut");
        const bool is_refused = whole[i].outcome == Outcome::respond_and_close;
        require(is_refused || whole[i] == cut[i], "the same answer however the input is cut");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices choices(data, size);
    Setting setting;
    const std::uint8_t choice = choices.octet();
    set(setting, choice, choices.octet());
    fuzz::Cuts cuts(choices.octet());
    const std::string_view input = choices.rest();
    const auto whole = run(setting, input, [](std::size_t left) { return left; });
    require_same(whole, run(setting, input, [&](std::size_t left) { return cuts.next(left); }));
    require_same(whole, run(setting, input, [](std::size_t) { return std::size_t{1}; }));
    return 0;
}
