// How calls about destinations find and show them: by name on their home shards, by page on all.
// Used from coroutines on the first shard.
#pragma once

#include "broker/admin/query.hpp"
#include "broker/admin/shards.hpp"
#include "broker/engine/destination_figures.hpp"
#include "broker/engine/queue_arguments.hpp"
#include "protocol/destination.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace admin {

/// The canonical name of the destination that a call names; a bare name is a queue's. Refuses 400.
/// Names of durable subscriptions' backlogs (`/durable/...`, `/shared/...`) stay as they are.
[[nodiscard]] std::string destination_name(const Shards& shards, const std::string& text);
/// As destination_name(); refuses what is no queue and no such backlog.
[[nodiscard]] std::string queue_name(const Shards& shards, const std::string& text);

/// As destination_name(); refuses what is no queue that can be declared.
[[nodiscard]] std::string plain_queue_name(const Shards& shards, const std::string& text);
/// As destination_name(); refuses what is neither a queue nor a topic that anyone may publish to.
[[nodiscard]] std::string lasting_name(const Shards& shards, const std::string& text);

/// `{"arguments": {...}}`, or null: the arguments of a queue that is to stay until it is deleted.
[[nodiscard]] engine::QueueArguments declared_arguments(
    const boost::json::value& value, const std::string& where
);

/// What declaring was refused with: 409 if what is there differs.
[[nodiscard]] Refused declaration_refused(const protocol::Error& error);

/// 404: there is no destination of this name.
[[nodiscard]] Refused no_destination(const std::string& name);

/// `name`, `id` or `shared`: by what a durable subscription is known.
[[nodiscard]] std::string_view kind_of(const engine::DurableName& name);

/// The number of its home.
[[nodiscard]] std::size_t home_of(const Shards& shards, const std::string& name);

/// For the ages of messages; asks all shards.
[[nodiscard]] boost::asio::awaitable<std::shared_ptr<const engine::Ages>> ages(const Shards& shards
);

/// Waits until what all shards have done so far is stored; refuses 503 if the store has failed.
[[nodiscard]] boost::asio::awaitable<void> all_stored(const Shards& shards);

/// An object of `Destination` in the API's description.
struct DestinationItem {
    std::string name;
    engine::DestinationType type = engine::DestinationType::queue;
    std::size_t home = 0;
    std::string policy;
    engine::DestinationNumbers numbers;

    [[nodiscard]] boost::json::object to_json() const;
};

/// Throws nothing; returns the text as it is if it is UTF-8, else with U+FFFD for what is not.
[[nodiscard]] std::string as_utf8(std::string_view text);

}  // namespace admin
