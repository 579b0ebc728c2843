#include "broker/admin/console_files.hpp"

#include "broker/console/assets.hpp"

namespace admin {

std::optional<Response> find_console_file(std::string_view path) {
    const console::Asset* const asset = console::find_asset(path);
    if (asset == nullptr) { return std::nullopt; }
    Response response;
    response.body = asset->gzip_bytes;
    response.fields = {
        {"Content-Type", std::string(asset->content_type)},
        {"Content-Encoding", "gzip"},
        {"ETag", std::string(asset->etag)},
        {"Cache-Control", std::string(console::cache_control(*asset))}};
    for (const console::Header& header : console::headers) {
        response.fields.emplace_back(header.name, header.value);
    }
    return response;
}

}  // namespace admin
