#include "broker/admin/destinations.hpp"

#include "broker/admin/json_input.hpp"
#include "broker/admin/rounded.hpp"
#include "protocol/utf8.hpp"

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using engine::DestinationType;

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_backlog(std::string_view text) {
    return text.starts_with("/durable/") || text.starts_with("/shared/");
}

std::string_view name_of(DestinationType type) {
    switch (type) {
        case DestinationType::queue:
            return "queue";
        case DestinationType::topic:
            return "topic";
        case DestinationType::durable:
            return "durable";
    }
    return {};
}

// The octets of the sequence that begins `text`, or 1 if that is none.
std::size_t sequence_size(std::string_view text) {
    for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
        if (protocol::is_utf8(text.substr(0, size))) { return size; }
    }
    return 0;
}

}  // namespace

std::string destination_name(const Shards& shards, const std::string& text) {
    if (is_backlog(text)) { return text; }
    const std::string whole = text.starts_with('/') ? text : "/queue/" + text;
    const auto parsed = protocol::parse_destination(whole, shards.first().limits().protocol);
    if (parsed) { return parsed->canonical(); }
    // The broker's own may be looked at.
    if (parsed.error().code == protocol::ErrorCode::access_denied) { return whole; }
    throw Refused(parsed.error());
}

std::string queue_name(const Shards& shards, const std::string& text) {
    std::string name = destination_name(shards, text);
    const auto parsed = protocol::parse_destination(name, shards.first().limits().protocol);
    const bool is_queue = parsed && parsed->kind == protocol::DestinationKind::queue;
    if (is_queue || is_backlog(name)) { return name; }
    throw Refused(400, "This is no queue: give its name, such as orders or %2Fqueue%2Forders.");
}

std::string plain_queue_name(const Shards& shards, const std::string& text) {
    std::string name = queue_name(shards, text);
    if (is_backlog(name)) {
        throw Refused(
            400, "Durable subscriptions have a call of their own: /durable-subscriptions."
        );
    }
    return name;
}

std::string lasting_name(const Shards& shards, const std::string& text) {
    const std::string whole = text.starts_with('/') ? text : "/queue/" + text;
    const auto parsed = protocol::parse_destination(whole, shards.first().limits().protocol);
    if (!parsed) { throw Refused(parsed.error()); }
    using protocol::DestinationKind;
    const bool is_lasting =
        parsed->kind == DestinationKind::queue || parsed->kind == DestinationKind::topic;
    if (!is_lasting) { throw Refused(400, "The destination must be a queue or a topic."); }
    return parsed->canonical();
}

engine::QueueArguments declared_arguments(const json::value& value, const std::string& where) {
    std::vector<std::pair<std::string, std::string>> texts;
    if (!value.is_null()) { texts = JsonInput(value, where, {"arguments"}).texts("arguments"); }
    std::vector<protocol::Header> headers;
    for (const auto& [name, text] : texts) {
        if (!engine::is_queue_argument(name)) {
            throw Refused(
                400, where + ": " + protocol::quoted(name) + " is no argument of queues."
            );
        }
        headers.push_back({name, text});
    }
    auto arguments = engine::queue_arguments(headers, true);
    if (!arguments) { throw Refused(arguments.error()); }
    if (arguments->exclusive == true) {
        throw Refused(400, where + ": an exclusive queue belongs to a connection.");
    }
    // Without any argument it would go as soon as nobody uses it (P-DEST-10).
    if (*arguments == engine::QueueArguments{}) { arguments->durable = true; }
    return *arguments;
}

Refused declaration_refused(const protocol::Error& error) {
    if (error.code != protocol::ErrorCode::bad_header) { return Refused(error); }
    return {409, error.what + " " + error.remedy, std::string(protocol::token(error.code))};
}

Refused no_destination(const std::string& name) {
    return {404, "There is no " + protocol::quoted(name) + "."};
}

std::string_view kind_of(const engine::DurableName& name) {
    if (name.is_shared) { return "shared"; }
    return name.is_by_name ? "name" : "id";
}

std::size_t home_of(const Shards& shards, const std::string& name) {
    return shards.first().router().home_of(name);
}

asio::awaitable<std::shared_ptr<const engine::Ages>> ages(const Shards& shards) {
    auto all = std::make_shared<engine::Ages>();
    all->started = shards.first().router().started();
    auto awaited = shards.ask_all([](const transport::Post& post) {
        return post.shard->router().arrival_times();
    });
    all->shards = co_await std::move(awaited);
    co_return all;
}

asio::awaitable<void> all_stored(const Shards& shards) {
    for (const transport::Post& post : shards.posts()) {
        auto awaited = shards.receive<bool>([post](std::function<void(bool)> done) {
            post.shard->post([post, done = std::move(done)] {
                engine::Journal& journal = post.shard->router().journal();
                journal.when_stored([&journal, done] { done(journal.has_failed()); });
            });
        });
        const bool has_failed = co_await std::move(awaited);
        if (has_failed) { throw Refused(503, "The message store has failed.", "storage-failed"); }
    }
}

json::object DestinationItem::to_json() const {
    return {
        {"name", as_utf8(name)},
        {"type", name_of(type)},
        {"shard", home},
        {"durable", numbers.is_durable},
        {"policy", as_utf8(policy)},
        {"consumers", numbers.consumers},
        {"depth", numbers.depth},
        {"bytes", numbers.bytes},
        {"unacked", numbers.unacked},
        {"memory_bytes", numbers.memory_bytes},
        {"disk_bytes", numbers.disk_bytes},
        {"oldest_age_ms", numbers.oldest_age_ms},
        {"published", numbers.published},
        {"delivered", numbers.delivered},
        {"acked", numbers.acked},
        {"published_rate", rounded(numbers.published_rate)},
        {"delivered_rate", rounded(numbers.delivered_rate)},
        {"dropped", numbers.dropped}};
}

std::string as_utf8(std::string_view text) {
    if (protocol::is_utf8(text)) { return std::string(text); }
    std::string out;
    while (!text.empty()) {
        const std::size_t size = sequence_size(text);
        out.append(size == 0 ? replacement : text.substr(0, size));
        text.remove_prefix(std::max<std::size_t>(1, size));
    }
    return out;
}

}  // namespace admin
