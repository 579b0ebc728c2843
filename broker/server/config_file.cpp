// Reads the TOML file: walks its tables by the tables of keys and notes the place of each value.
// The only file that knows TOML.
#define TOML_EXCEPTIONS 0
// Its assertions do not hold for every text (`[[[a]]]`); without them it refuses these as others.
#define TOML_ASSERT(expr) static_assert(true)
#include "broker/server/config_draft.hpp"
#include "broker/server/toml_octets.hpp"
#include "protocol/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <toml++/toml.h>

namespace server {

namespace {

constexpr std::array<std::string_view, 2> later_sections{"cluster", "trace"};

Origin origin_at(const toml::source_region& region, const std::string& path) {
    return {path, region.begin.line, region.begin.column};
}

std::optional<Strings> to_strings(const toml::array& array) {
    Strings strings;
    for (const toml::node& node : array) {
        const auto text = node.value_exact<std::string>();
        if (!text) { return std::nullopt; }
        strings.push_back(*text);
    }
    return strings;
}

Raw to_raw(const toml::node& node) {
    if (const auto flag = node.value_exact<bool>()) { return *flag; }
    if (const auto number = node.value_exact<std::int64_t>()) { return *number; }
    if (auto text = node.value_exact<std::string>()) { return std::move(*text); }
    if (const toml::array* const array = node.as_array()) {
        if (auto strings = to_strings(*array)) { return std::move(*strings); }
    }
    return Other{};
}

bool is_directory(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_directory(path, ignored);
}

bool is_section(std::string_view name) {
    return std::ranges::any_of(config_rows(), [name](const auto& row) {
        return row.key.section == name;
    });
}

class FileReader {
public:
    FileReader(Draft& draft, const std::string& path) : draft_(draft), path_(path) {}

    void read(const toml::table& root);

private:
    void read_section(const toml::key& name, const toml::node& node);
    void refuse_section(const toml::key& name);

    template <class Owner>
    void read_keys(
        const toml::table& table,
        std::string_view section,
        const std::string& shown_section,
        std::span<const Row<Owner>> rows,
        Owner& owner
    );

    template <class Owner>
    void read_entries(
        const toml::key& name,
        const toml::node& node,
        std::span<const Row<Owner>> rows,
        std::vector<Entry<Owner>>& entries
    );

    [[nodiscard]] Origin origin(const toml::key& key) const {
        return origin_at(key.source(), path_);
    }

    Draft& draft_;
    const std::string& path_;
};

void FileReader::read(const toml::table& root) {
    for (const auto& [name, node] : root) {
        read_section(name, node);
    }
}

void FileReader::read_section(const toml::key& name, const toml::node& node) {
    if (name == "listener") { return read_entries(name, node, listener_rows(), draft_.listeners); }
    if (name == "policy") { return read_entries(name, node, policy_rows(), draft_.policies); }
    if (name == "acl") { return read_entries(name, node, acl_rows(), draft_.access_rules); }
    if (name == "certificate") {
        return read_entries(name, node, certificate_rows(), draft_.certificates);
    }
    if (!is_section(name.str())) { return refuse_section(name); }
    const std::string section(name.str());
    if (const toml::table* const table = node.as_table()) {
        return read_keys(*table, section, section, config_rows(), draft_.loaded.config);
    }
    draft_.fail(origin(name), section, fmt::format("expected a section: write [{}]", section));
}

// Settings that would protect the broker must not be skipped because this version lacks them.
void FileReader::refuse_section(const toml::key& name) {
    const bool is_later = std::ranges::find(later_sections, name.str()) != later_sections.end();
    const std::string message = is_later ? "this section is not part of this version yet"
                                         : "unknown section" + suggest_section(name.str());
    draft_.fail(origin(name), name.str(), message);
}

template <class Owner>
void FileReader::read_keys(
    const toml::table& table,
    std::string_view section,
    const std::string& shown_section,
    std::span<const Row<Owner>> rows,
    Owner& owner
) {
    for (const auto& entry : table) {
        const toml::key& name = entry.first;
        const std::string full_name = fmt::format("{}.{}", shown_section, name.str());
        const auto row = std::ranges::find_if(rows, [&](const Row<Owner>& candidate) {
            return candidate.key.section == section && candidate.key.name == name.str();
        });
        if (row == rows.end() && full_name == "tls.pair") {
            read_entries(name, entry.second, pair_rows(), draft_.tls_pairs);
            continue;
        }
        if (row == rows.end()) {
            draft_.fail(origin(name), full_name, "unknown key" + suggest_key(section, name.str()));
            continue;
        }
        const Origin where = origin_at(entry.second.source(), path_);
        draft_.set(row->key, row->target(owner), full_name, to_raw(entry.second), where);
    }
}

template <class Owner>
void FileReader::read_entries(
    const toml::key& name,
    const toml::node& node,
    std::span<const Row<Owner>> rows,
    std::vector<Entry<Owner>>& entries
) {
    const std::string_view section = rows.front().key.section;
    const toml::array* const array = node.as_array();
    const bool is_list = array != nullptr && array->is_homogeneous(toml::node_type::table);
    if (!is_list) {
        const auto message = fmt::format("expected a repeated section: write [[{}]]", section);
        return draft_.fail(origin(name), section, message);
    }
    for (const toml::node& element : *array) {
        Entry<Owner> entry{
            Owner{},
            fmt::format("{}[{}]", section, entries.size()),
            origin_at(element.source(), path_)};
        read_keys(*element.as_table(), section, entry.name, rows, entry.value);
        entries.push_back(std::move(entry));
    }
}

}  // namespace

void read_config_file(Draft& draft, const std::string& path, bool is_wanted) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream.is_open() && errno == ENOENT && !is_wanted) { return; }
    if (!stream.is_open() || is_directory(path)) {
        const std::string reason = std::strerror(stream.is_open() ? EISDIR : errno);
        return draft.fail({path}, "", "cannot read the configuration file: " + reason);
    }
    std::ostringstream text;
    text << stream.rdbuf();
    draft.loaded.file = path;
    if (const auto stray = stray_octet(text.view())) {
        const auto before = text.view().substr(0, *stray);
        const auto lines = static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
        return draft.fail(
            {path, lines + 1, static_cast<std::uint32_t>(*stray - (before.rfind('\n') + 1) + 1)},
            "",
            "this is not TOML: outside quotes and comments only ASCII may stand"
        );
    }
    // toml++ 3.3 is undefined for some letters beyond ASCII behind an error: errors are looked for
    // where each octet of them is another letter.
    toml::parse_result result = toml::parse(in_ascii(text.view()), path);
    if (result) { result = toml::parse(text.view(), path); }
    if (!result) {
        const toml::parse_error& error = result.error();
        const auto message =
            fmt::format("this is not TOML: {}", protocol::quoted(error.description()));
        return draft.fail(origin_at(error.source(), path), "", message);
    }
    FileReader(draft, path).read(result.table());
}

}  // namespace server
