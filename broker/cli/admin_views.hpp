// Which columns tables about the broker have, for `admin` and `top`; and pages put together.
// At most as many rows as asked for are fetched.
#pragma once

#include "broker/cli/admin_client.hpp"
#include "broker/cli/table.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace cli {

/// A list of the API.
struct View {
    const char* path;   ///< `/connections`
    const char* title;  ///< `Connections`
    std::span<const Column> columns;
    std::span<const char* const> sorts;  ///< What the list can be sorted by; the first by default.
};

[[nodiscard]] const View& connections_view();
[[nodiscard]] const View& destinations_view();
[[nodiscard]] const View& subscriptions_view();

/// The first `rows` of a list: `total`, and `items` of as many pages as that takes.
[[nodiscard]] boost::json::object fetch_list(
    const AdminClient& client, const std::string& path, AdminQuery query, std::uint64_t rows
);

}  // namespace cli
