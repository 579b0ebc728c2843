#include "broker/transport/static_files.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace transport {

namespace {

struct Type {
    std::string_view extension;
    std::string_view name;
};

constexpr std::array<Type, 12> types = {{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".txt", "text/plain; charset=utf-8"},
    {".md", "text/plain; charset=utf-8"},
    {".woff2", "font/woff2"},
}};

int hex_value(char c) {
    if (c >= '0' && c <= '9') { return c - '0'; }
    if (c >= 'a' && c <= 'f') { return c - 'a' + 10; }
    if (c >= 'A' && c <= 'F') { return c - 'A' + 10; }
    return -1;
}

bool is_safe(std::string_view path) {
    if (path.empty() || path.front() != '/' || path.find('\\') != std::string_view::npos) {
        return false;
    }
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at + 1), path.size());
        // No `..`, and nothing hidden.
        if (end > at + 1 && path[at + 1] == '.') { return false; }
        at = end;
    }
    return true;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view path) {
    std::string decoded;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            decoded.push_back(path[i]);
            continue;
        }
        if (i + 2 >= path.size()) { return std::nullopt; }
        const int high = hex_value(path[i + 1]);
        const int low = hex_value(path[i + 2]);
        if (high < 0 || low < 0 || (high == 0 && low == 0)) { return std::nullopt; }
        decoded.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return decoded;
}

std::optional<StaticFiles::File> StaticFiles::read(std::string_view path) const {
    const auto decoded = percent_decoded(path);
    if (!is_on() || !decoded || !is_safe(*decoded)) { return std::nullopt; }
    std::error_code ec;
    const std::filesystem::path root = std::filesystem::canonical(directory_, ec);
    if (ec) { return std::nullopt; }
    std::filesystem::path file = std::filesystem::canonical(root / decoded->substr(1), ec);
    if (ec) { return std::nullopt; }
    if (std::filesystem::is_directory(file, ec)) {
        file = std::filesystem::canonical(file / "index.html", ec);
    }
    if (ec || !std::filesystem::is_regular_file(file, ec)) { return std::nullopt; }
    // A symbolic link must not lead out of the directory.
    const auto relative = file.lexically_relative(root);
    if (relative.empty() || *relative.begin() == "..") { return std::nullopt; }
    if (std::filesystem::file_size(file, ec) > file_max || ec) { return std::nullopt; }
    std::ifstream in(file, std::ios::binary);
    if (!in) { return std::nullopt; }
    File result{std::string(std::istreambuf_iterator<char>(in), {}), "application/octet-stream"};
    const std::string extension = file.extension().string();
    for (const Type& type : types) {
        if (type.extension == extension) { result.content_type = type.name; }
    }
    return result;
}

}  // namespace transport
