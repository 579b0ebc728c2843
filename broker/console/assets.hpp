// The web console: its files, compressed, as part of the program, and the headers they are to be
// served with. Limits: less than 200 KiB compressed in all, kept by build.mjs.
#pragma once

#include <span>
#include <string_view>

namespace console {

/// One file of the console.
struct Asset {
    std::string_view path;          ///< As in the request: "/" is the page itself.
    std::string_view content_type;  ///< With charset.
    std::string_view etag;          ///< Quoted; changes with the content.
    std::string_view gzip_bytes;    ///< To be sent with `Content-Encoding: gzip`.
    bool immutable;                 ///< Its path holds its hash: may be cached for ever.
};

/// A header that every file of the console is served with.
struct Header {
    std::string_view name;
    std::string_view value;
};

/// What the browser may do for the page: nothing but with this host. The page has no inline script
/// or style, and sizes that it sets from script (CSSOM) need no exception.
inline constexpr Header headers[] = {
    {"Content-Security-Policy",
     "default-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri "
     "'none'; "
     "form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

/// `Cache-Control` of a file.
constexpr std::string_view cache_control(const Asset& asset) noexcept {
    return asset.immutable ? "public, max-age=31536000, immutable" : "no-cache";
}

/// All files; none in a program that was built without the console.
std::span<const Asset> assets() noexcept;

/// The file for the path of a request, without query; nullptr: there is none.
const Asset* find_asset(std::string_view path) noexcept;

}  // namespace console
