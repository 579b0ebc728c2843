// Columns and sort keys are those of broker/admin/openapi.json.
#include "broker/cli/admin_views.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace cli {
namespace {

using Kind = ColumnKind;

constexpr std::uint64_t page_max = 1000;

constexpr auto connection_columns = std::to_array<Column>({
    {"ID", "id"},
    {"USER", "user", Kind::text, 24},
    {"ADDRESS", "address", Kind::text, 39},
    {"VIA", "listener", Kind::text, 12},
    {"STOMP", "version"},
    {"SUBS", "subscriptions", Kind::count},
    {"UNACKED", "unacked", Kind::count},
    {"IN/S", "messages_in_rate", Kind::rate},
    {"OUT/S", "messages_out_rate", Kind::rate},
    {"WAITING", "outbound_bytes", Kind::bytes},
    {"PAUSED", "paused"},
});

constexpr auto connection_sorts = std::to_array<const char*>(
    {"connected_at",
     "user",
     "address",
     "messages_in_rate",
     "messages_out_rate",
     "outbound_bytes",
     "unacked",
     "subscriptions"}
);

constexpr auto destination_columns = std::to_array<Column>({
    {"NAME", "name"},
    {"TYPE", "type"},
    {"DEPTH", "depth", Kind::count},
    {"UNACKED", "unacked", Kind::count},
    {"CONSUMERS", "consumers", Kind::count},
    {"IN/S", "published_rate", Kind::rate},
    {"OUT/S", "delivered_rate", Kind::rate},
    {"SIZE", "bytes", Kind::bytes},
    {"DISK", "disk_bytes", Kind::bytes},
    {"OLDEST", "oldest_age_ms", Kind::age_ms},
    {"DROPPED", "dropped", Kind::count},
    {"POLICY", "policy", Kind::text, 20},
});

constexpr auto destination_sorts = std::to_array<const char*>(
    {"name",
     "depth",
     "bytes",
     "unacked",
     "memory_bytes",
     "disk_bytes",
     "consumers",
     "oldest_age_ms",
     "published_rate",
     "delivered_rate"}
);

constexpr auto subscription_columns = std::to_array<Column>({
    {"DESTINATION", "destination"},
    {"CONNECTION", "connection"},
    {"USER", "user", Kind::text, 24},
    {"ID", "id", Kind::text, 24},
    {"ACK", "ack"},
    {"DELIVERED", "delivered", Kind::count},
    {"UNACKED", "unacked", Kind::count},
    {"LAG", "lag", Kind::count},
    {"DROPPED", "dropped", Kind::count},
    {"DURABLE", "durable", Kind::text, 24},
});

constexpr auto subscription_sorts =
    std::to_array<const char*>({"destination", "unacked", "dropped", "lag", "delivered"});

}  // namespace

const View& connections_view() {
    static const View view{"/connections", "Connections", connection_columns, connection_sorts};
    return view;
}

const View& destinations_view() {
    static const View view{"/destinations", "Destinations", destination_columns, destination_sorts};
    return view;
}

const View& subscriptions_view() {
    static const View view{
        "/subscriptions", "Subscriptions", subscription_columns, subscription_sorts};
    return view;
}

boost::json::object fetch_list(
    const AdminClient& client, const std::string& path, AdminQuery query, std::uint64_t rows
) {
    boost::json::object list;
    boost::json::array items;
    query.emplace_back("cursor", "");
    std::string& cursor = query.back().second;
    do {
        AdminQuery page = query;
        page.emplace_back("limit", std::to_string(std::min(page_max, rows - items.size())));
        const boost::json::value answer = client.get(path, page);
        if (!answer.is_object()) { break; }
        const boost::json::object& object = answer.as_object();
        if (const auto* const total = object.if_contains("total")) { list["total"] = *total; }
        const boost::json::value* const part = object.if_contains("items");
        if (part == nullptr || !part->is_array() || part->as_array().empty()) { break; }
        for (const boost::json::value& item : part->as_array()) {
            items.push_back(item);
        }
        cursor = text_of(object, "next");
    } while (!cursor.empty() && items.size() < rows);
    list["items"] = std::move(items);
    return list;
}

}  // namespace cli
