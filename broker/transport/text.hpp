// What HTTP compares without regard to case.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace transport {

/// `text` with ASCII's letters in lower case.
[[nodiscard]] inline std::string to_lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') { c = static_cast<char>(c - 'A' + 'a'); }
    }
    return result;
}

}  // namespace transport
