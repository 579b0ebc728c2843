// Only the first colon separates: values may hold more.
#include "broker/cli/headers.hpp"

#include "broker/cli/exit_code.hpp"

namespace cli {

OwnedHeader parse_header(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        throw Failure(
            ExitCode::usage, "bad header \"" + std::string(text) + "\": write -H name:value"
        );
    }
    return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

OwnedHeaders parse_headers(const std::vector<std::string>& texts) {
    OwnedHeaders headers;
    for (const std::string& text : texts) {
        headers.push_back(parse_header(text));
    }
    return headers;
}

void append_views(std::vector<protocol::Header>& out, const OwnedHeaders& headers) {
    for (const OwnedHeader& header : headers) {
        out.push_back({header.name, header.value});
    }
}

}  // namespace cli
