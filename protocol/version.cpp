// Version negotiation over lists separated by commas.
// Blanks around items are ignored, unknown items too.
#include "protocol/version.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace protocol {

namespace {

constexpr std::array<Version, 3> highest_first{Version::v1_2, Version::v1_1, Version::v1_0};
constexpr std::array<std::string_view, 3> names{"1.0", "1.1", "1.2"};
constexpr std::array<std::string_view, 3> sub_protocol_names{"v10.stomp", "v11.stomp", "v12.stomp"};

std::string_view trimmed(std::string_view item) {
    constexpr std::string_view blanks = " \t";
    const std::size_t begin = item.find_first_not_of(blanks);
    if (begin == std::string_view::npos) { return {}; }
    return item.substr(begin, item.find_last_not_of(blanks) - begin + 1);
}

bool lists(std::string_view list, std::string_view wanted) {
    while (true) {
        const std::size_t comma = list.find(',');
        if (trimmed(list.substr(0, comma)) == wanted) { return true; }
        if (comma == std::string_view::npos) { return false; }
        list.remove_prefix(comma + 1);
    }
}

template <class Name>
std::optional<Version> highest_listed(std::string_view list, Name name) {
    const auto* const found =
        std::find_if(highest_first.begin(), highest_first.end(), [&](Version version) {
            return lists(list, name(version));
        });
    return found == highest_first.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::string_view to_string(Version version) {
    assert(static_cast<std::size_t>(version) < names.size());
    return names[static_cast<std::size_t>(version)];
}

std::optional<Version> negotiate(
    std::optional<std::string_view> accept_version, std::optional<Version> sub_protocol
) {
    if (!accept_version) { return Version::v1_0; }
    if (sub_protocol && lists(*accept_version, to_string(*sub_protocol))) { return sub_protocol; }
    return highest_listed(*accept_version, [](Version version) { return to_string(version); });
}

std::string_view sub_protocol_name(Version version) {
    assert(static_cast<std::size_t>(version) < sub_protocol_names.size());
    return sub_protocol_names[static_cast<std::size_t>(version)];
}

std::optional<Version> choose_sub_protocol(std::string_view offered) {
    return highest_listed(offered, sub_protocol_name);
}

}  // namespace protocol
