// Finding a file of the console.
// Limits: none of its own; there are about four files.
#include "broker/console/assets.hpp"

#include <algorithm>

namespace console {

const Asset* find_asset(std::string_view path) noexcept {
    const auto all = assets();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Asset& a) { return a.path == path; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace console
