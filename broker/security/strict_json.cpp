#include "broker/security/strict_json.hpp"

#include "protocol/utf8.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <utility>

namespace security {

namespace {

namespace json = boost::json;

bool refuse(json::error_code& ec) {
    ec = json::error::syntax;
    return false;
}

/// Members that are sorted by name have two of one name.
bool has_twins(const std::vector<Json>& members) {
    return std::ranges::adjacent_find(members, {}, &Json::name) != members.end();
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Behind the closing quote of the string that opens at `open`, in valid JSON.
std::size_t string_end(std::string_view text, std::size_t open) {
    std::size_t at = open + 1;
    while (at < text.size() && text[at] != '"') {
        at += text[at] == '\\' ? 2U : 1U;
    }
    return std::min(at + 1, text.size());
}

bool hides_ascii(std::string_view quoted) {
    for (std::size_t at = 0; at + 3 < quoted.size(); ++at) {
        if (quoted[at] != '\\') { continue; }
        ++at;
        if (quoted.substr(at, 3) == "u00" && at + 3 < quoted.size() && quoted[at + 3] < '8') {
            return true;
        }
    }
    return false;
}

/// Some name writes an ASCII character as an escape. Only for valid JSON.
bool has_hidden_name(std::string_view text) {
    std::size_t at = text.find('"');
    while (at != std::string_view::npos) {
        const std::size_t end = string_end(text, at);
        std::size_t next = end;
        while (next < text.size() && is_space(text[next])) {
            ++next;
        }
        const bool is_name = next < text.size() && text[next] == ':';
        if (is_name && hides_ascii(text.substr(at, end - at))) { return true; }
        at = text.find('"', end);
    }
    return false;
}

}  // namespace

/// The events of Boost's parser, made a tree.
class JsonReader {
public:
    static constexpr std::size_t max_array_size = ~std::size_t{0};
    static constexpr std::size_t max_object_size = ~std::size_t{0};
    static constexpr std::size_t max_string_size = ~std::size_t{0};
    static constexpr std::size_t max_key_size = ~std::size_t{0};

    explicit JsonReader(std::size_t values_max) : values_left_(values_max) {}

    [[nodiscard]] Json take() { return std::move(root_); }

    static bool on_document_begin(json::error_code&) { return true; }

    bool on_document_end(json::error_code& ec) {
        return root_.kind() == Json::Kind::object || refuse(ec);
    }

    bool on_array_begin(json::error_code& ec) { return open(Json::Kind::array, ec); }

    bool on_array_end(std::size_t, json::error_code&) { return close(); }

    bool on_object_begin(json::error_code& ec) { return open(Json::Kind::object, ec); }

    bool on_object_end(std::size_t, json::error_code& ec) {
        std::vector<Json>& members = open_.back().items_;
        std::ranges::sort(members, {}, &Json::name);
        return has_twins(members) ? refuse(ec) : close();
    }

    bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
        text_.append(part.data(), part.size());
        return true;
    }

    bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
        Json value = leaf(Json::Kind::string);
        value.text_ = std::exchange(text_, {}).append(part.data(), part.size());
        return add(std::move(value), ec);
    }

    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        name_.append(part.data(), part.size());
        return true;
    }

    bool on_key(json::string_view part, std::size_t, json::error_code&) {
        name_.append(part.data(), part.size());
        return true;
    }

    static bool on_number_part(json::string_view, json::error_code&) { return true; }

    bool on_int64(std::int64_t integer, json::string_view, json::error_code& ec) {
        Json value = leaf(Json::Kind::integer);
        value.integer_ = integer;
        return add(std::move(value), ec);
    }

    /// 2^63 and more.
    bool on_uint64(std::uint64_t, json::string_view, json::error_code& ec) {
        return add(leaf(Json::Kind::number), ec);
    }

    /// With fraction or exponent, or 2^64 and more.
    bool on_double(double, json::string_view, json::error_code& ec) {
        return add(leaf(Json::Kind::number), ec);
    }

    bool on_bool(bool is_true, json::error_code& ec) {
        Json value = leaf(Json::Kind::boolean);
        value.integer_ = is_true ? 1 : 0;
        return add(std::move(value), ec);
    }

    bool on_null(json::error_code& ec) { return add(leaf(Json::Kind::null), ec); }

    static bool on_comment_part(json::string_view, json::error_code&) { return true; }

    static bool on_comment(json::string_view, json::error_code&) { return true; }

private:
    Json leaf(Json::Kind kind) {
        Json value;
        value.kind_ = kind;
        value.name_ = std::exchange(name_, {});
        return value;
    }

    bool open(Json::Kind kind, json::error_code& ec) {
        if (values_left_-- == 0) { return refuse(ec); }
        open_.push_back(leaf(kind));
        return true;
    }

    bool close() {
        Json value = std::move(open_.back());
        open_.pop_back();
        put(std::move(value));
        return true;
    }

    bool add(Json value, json::error_code& ec) {
        if (values_left_-- == 0) { return refuse(ec); }
        put(std::move(value));
        return true;
    }

    void put(Json value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else {
            open_.back().items_.push_back(std::move(value));
        }
    }

    std::size_t values_left_;
    std::string name_;
    std::string text_;
    std::vector<Json> open_;
    Json root_;
};

const std::string* Json::string() const {
    return kind_ == Kind::string ? &text_ : nullptr;
}

std::optional<std::int64_t> Json::integer() const {
    if (kind_ != Kind::integer) { return std::nullopt; }
    return integer_;
}

const Json* Json::find(std::string_view name) const {
    if (kind_ != Kind::object) { return nullptr; }
    const auto it = std::ranges::lower_bound(items_, name, {}, [](const Json& item) {
        return std::string_view(item.name_);
    });
    return it != items_.end() && it->name_ == name ? &*it : nullptr;
}

std::optional<Json> parse_strict_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.octets_max || !protocol::is_utf8(text)) { return std::nullopt; }
    json::parse_options options;
    options.max_depth = limits.depth_max;
    json::basic_parser<JsonReader> parser(options, limits.values_max);
    json::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    if (ec.failed() || !parser.done() || used != text.size()) { return std::nullopt; }
    if (has_hidden_name(text)) { return std::nullopt; }
    return parser.handler().take();
}

}  // namespace security
