// Header entries that own their text, as given by -H on the command line.
// The codec works with views: view_of() makes them.
#pragma once

#include "protocol/frame.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct OwnedHeader {
    std::string name;
    std::string value;
};

using OwnedHeaders = std::vector<OwnedHeader>;

/// Reads `name:value`, cut at the first colon. Throws Failure (usage) if there is none or no name.
[[nodiscard]] OwnedHeader parse_header(std::string_view text);

[[nodiscard]] OwnedHeaders parse_headers(const std::vector<std::string>& texts);

/// Appends views of `headers`; they live as long as `headers` is not changed.
void append_views(std::vector<protocol::Header>& out, const OwnedHeaders& headers);

}  // namespace cli
