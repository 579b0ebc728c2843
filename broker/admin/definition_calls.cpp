#include "broker/admin/definition_calls.hpp"

#include "broker/admin/destinations.hpp"
#include "broker/admin/json_input.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using engine::DeclarationTrial;
using engine::Declared;
using engine::Destinations;
using engine::DurableName;
using engine::QueueArguments;

constexpr std::size_t body_max = 16 * 1024 * 1024;
constexpr std::size_t step = 1000;  // Looked at in one go.
constexpr std::size_t text_max = 128;

struct QueueDefinition {
    std::string name;
    QueueArguments arguments;
};

using Definition = std::variant<QueueDefinition, DurableName>;

// A part of what one shard has.
struct Exported {
    engine::DestinationCursor cursor;
    bool is_whole = false;
    std::vector<Definition> definitions;
};

Exported export_some(const Destinations& router, engine::DestinationCursor cursor) {
    Exported part;
    part.is_whole = router.walk(cursor, step, [&part](const Destinations::Seen& seen) {
        if (seen.durable != nullptr && seen.durable->is_durable) {
            part.definitions.emplace_back(*seen.durable);
        } else if (seen.type == engine::DestinationType::queue) {
            const QueueArguments& arguments = seen.queue->arguments();
            // What nobody declared comes and goes with its use.
            if (arguments == QueueArguments{} || arguments.exclusive == true) { return; }
            part.definitions.emplace_back(QueueDefinition{std::string(seen.name), arguments});
        }
    });
    part.is_whole = part.is_whole || cursor.type == engine::DestinationType::topic;
    part.cursor = cursor;
    return part;
}

json::object to_json(const QueueDefinition& queue) {
    json::object arguments;
    for (const auto& [name, text] : queue.arguments.headers()) {
        arguments[name] = as_utf8(text);
    }
    return {{"name", as_utf8(queue.name)}, {"arguments", std::move(arguments)}};
}

json::object to_json(const DurableName& name) {
    return {
        {"user", as_utf8(name.user)},
        {"client", as_utf8(name.client_id)},
        {"name", as_utf8(name.name)},
        {"destination", as_utf8(name.destination)},
        {"selector", as_utf8(name.selector)},
        {"kind", kind_of(name)},
        {"idle_life_ms", name.idle_life.count()}};
}

asio::awaitable<Response> export_all(const Shards& shards, const Call& call) {
    call.query.allow({});
    std::map<std::string, json::object> queues;
    std::map<std::string, json::object> durables;
    for (std::size_t shard = 0; shard < shards.count(); ++shard) {
        Exported part;
        while (!part.is_whole) {
            auto awaited = shards.ask(shard, [cursor = part.cursor](const transport::Post& post) {
                return export_some(post.shard->router(), cursor);
            });
            part = co_await std::move(awaited);
            for (const Definition& definition : part.definitions) {
                if (const auto* const queue = std::get_if<QueueDefinition>(&definition)) {
                    queues[queue->name] = to_json(*queue);
                } else {
                    const auto& durable = std::get<DurableName>(definition);
                    durables[durable.canonical()] = to_json(durable);
                }
            }
        }
    }
    json::array queue_list;
    json::array durable_list;
    for (auto& entry : queues) {
        queue_list.push_back(std::move(entry.second));
    }
    for (auto& entry : durables) {
        durable_list.push_back(std::move(entry.second));
    }
    co_return json_response(json::object{
        {"version", 1},
        {"queues", std::move(queue_list)},
        {"durable_subscriptions", std::move(durable_list)}});
}

QueueDefinition queue_of(const Shards& shards, const json::value& value, const std::string& where) {
    const JsonInput input(value, where, {"name", "arguments"});
    json::object arguments;
    if (input.has("arguments")) { arguments["arguments"] = value.at("arguments"); }
    return {plain_queue_name(shards, input.text("name")), declared_arguments(arguments, where)};
}

void check_texts(const DurableName& name, const std::string& where) {
    const auto is_good = [](const std::string& text) {
        return text.size() <= text_max && text.find('\0') == text.npos;
    };
    const bool is_whole = !name.user.empty() && !name.name.empty();
    if (is_whole && is_good(name.user) && is_good(name.name) && is_good(name.client_id)) { return; }
    throw Refused(
        400, where + ": user, client and name have 1 to 128 octets, client may be empty."
    );
}

DurableName durable_of(const Shards& shards, const json::value& value, const std::string& where) {
    const JsonInput input(
        value, where, {"user", "client", "name", "destination", "selector", "kind", "idle_life_ms"}
    );
    const std::string kind = input.optional_text("kind").value_or("name");
    if (kind != "name" && kind != "id" && kind != "shared") {
        throw Refused(400, where + ": kind must be name, id or shared.");
    }
    DurableName name;
    name.user = input.text("user");
    name.client_id = input.text("client");
    name.name = input.text("name");
    name.destination = input.text("destination");
    name.selector = input.optional_text("selector").value_or("");
    name.is_by_name = kind != "id";
    name.is_shared = kind == "shared";
    constexpr std::size_t idle_max = 365ULL * 24 * 3600 * 1000;
    name.idle_life =
        std::chrono::milliseconds(input.optional_number("idle_life_ms", 0, idle_max).value_or(0));
    check_texts(name, where);
    Destinations& router = shards.first().router();
    const auto pattern = protocol::parse_pattern(name.destination, router.limits().protocol);
    if (!pattern) { throw Refused(pattern.error()); }
    if (pattern->destination.kind != protocol::DestinationKind::topic) {
        throw Refused(400, where + ": the destination must be a topic or a pattern of topics.");
    }
    if (!name.selector.empty()) {
        const auto selector = router.selector(name.selector);
        if (!selector) { throw Refused(selector.error()); }
    }
    return name;
}

std::string name_of(const Definition& definition) {
    const auto* const queue = std::get_if<QueueDefinition>(&definition);
    return queue != nullptr ? queue->name : std::get<DurableName>(definition).canonical();
}

void add_name(
    std::set<std::string>& names, const Definition& definition, const std::string& where
) {
    const auto [name, is_new] = names.insert(name_of(definition));
    if (!is_new) { throw Refused(400, where + ": " + protocol::quoted(*name) + " comes twice."); }
}

std::vector<Definition> definitions_of(const Shards& shards, const json::value& body) {
    // Policies and users are for reading: they are changed in files.
    const JsonInput input(
        body, "The body", {"version", "queues", "durable_subscriptions", "policies", "users"}
    );
    if (input.optional_number("version", 1, 1) != std::size_t{1}) {
        throw Refused(400, "version must be 1.");
    }
    std::vector<Definition> all;
    std::set<std::string> names;
    for (const json::value& value : input.list("queues")) {
        const std::string where = "queues[" + std::to_string(all.size()) + "]";
        all.emplace_back(queue_of(shards, value, where));
        add_name(names, all.back(), where);
    }
    const std::size_t queues = all.size();
    for (const json::value& value : input.list("durable_subscriptions")) {
        const std::string where =
            "durable_subscriptions[" + std::to_string(all.size() - queues) + "]";
        all.emplace_back(durable_of(shards, value, where));
        add_name(names, all.back(), where);
    }
    return all;
}

protocol::Result<Declared> declare(
    Destinations& router, const Definition& definition, DeclarationTrial* trial
) {
    if (const auto* const queue = std::get_if<QueueDefinition>(&definition)) {
        return router.declare(queue->name, queue->arguments, trial);
    }
    return router.declare(std::get<DurableName>(definition), trial);
}

// What was made goes, but not if it is in use by now.
void undo(Destinations& router, const Definition& definition, Declared declared) {
    if (declared == Declared::kept) { return router.undeclare(name_of(definition)); }
    const auto queue = router.find_queue(name_of(definition));
    if (!queue || !queue->is_unused()) { return; }
    if (const auto* const of_queue = std::get_if<QueueDefinition>(&definition)) {
        return router.delete_queue(of_queue->name);
    }
    router.delete_durable(std::get<DurableName>(definition).canonical());
}

using DefinitionsRef = std::shared_ptr<const std::vector<Definition>>;

// What was done, or would be, by place; up to the error.
struct Declarations {
    std::vector<Declared> done;
    std::optional<protocol::Error> error;
};

// Those of one shard, some at a time.
asio::awaitable<Declarations> declare_all(const Shards& shards, DefinitionsRef all, bool is_trial) {
    Declarations declared;
    declared.done.resize(all->size());
    std::map<std::size_t, std::vector<std::size_t>> homes;
    for (std::size_t i = 0; i < all->size(); ++i) {
        homes[home_of(shards, name_of((*all)[i]))].push_back(i);
    }
    for (const auto& [home, places] : homes) {
        // Shared, for a shard may answer too late.
        const auto trial = is_trial ? std::make_shared<DeclarationTrial>() : nullptr;
        for (std::size_t from = 0; from < places.size() && !declared.error; from += step) {
            const std::vector<std::size_t> some(
                places.begin() + static_cast<std::ptrdiff_t>(from),
                places.begin() + static_cast<std::ptrdiff_t>(std::min(from + step, places.size()))
            );
            auto awaited = shards.ask(home, [all, some, trial](const transport::Post& post) {
                std::vector<protocol::Result<Declared>> found;
                for (const std::size_t i : some) {
                    found.push_back(declare(post.shard->router(), (*all)[i], trial.get()));
                    if (!found.back()) { break; }
                }
                return found;
            });
            const auto results = co_await std::move(awaited);
            for (std::size_t i = 0; i < results.size(); ++i) {
                if (!results[i]) {
                    declared.error = results[i].error();
                } else {
                    declared.done[some[i]] = *results[i];
                }
            }
        }
    }
    co_return declared;
}

// What was done before something could not be.
asio::awaitable<void> undo_all(const Shards& shards, DefinitionsRef all, Declarations declared) {
    for (std::size_t i = 0; i < all->size(); ++i) {
        const Declared done = declared.done[i];
        if (done == Declared::unchanged) { continue; }
        const std::size_t home = home_of(shards, name_of((*all)[i]));
        auto awaited = shards.ask(home, [all, i, done](const transport::Post& post) {
            undo(post.shard->router(), (*all)[i], done);
            return true;
        });
        co_await std::move(awaited);
    }
}

asio::awaitable<Response> import_all(const Shards& shards, const Call& call) {
    call.query.allow({"dry_run"});
    const bool is_dry_run = call.query.flag("dry_run");
    const auto all =
        std::make_shared<const std::vector<Definition>>(definitions_of(shards, call.json()));
    Declarations declared = co_await declare_all(shards, all, true);
    if (declared.error) { throw declaration_refused(*declared.error); }
    if (!is_dry_run) {
        try {
            declared = co_await declare_all(shards, all, false);
        } catch (const Refused&) {
            throw Refused(
                503,
                "A shard did not answer in time: a part may be declared. Import the same again; "
                "what is there stays as it is."
            );
        }
        if (declared.error) { co_await undo_all(shards, all, declared); }
        co_await all_stored(shards);
        if (declared.error) { throw declaration_refused(*declared.error); }
    }
    std::size_t queues = 0;
    std::size_t durables = 0;
    for (std::size_t i = 0; i < all->size(); ++i) {
        if (declared.done[i] == Declared::unchanged) { continue; }
        ++(std::holds_alternative<QueueDefinition>((*all)[i]) ? queues : durables);
    }
    co_return json_response(json::object{
        {"queues", queues},
        {"durable_subscriptions", durables},
        {"unchanged", all->size() - queues - durables},
        {"is_dry_run", is_dry_run}});
}

}  // namespace

void add_definition_calls(Api& api, const Shards& shards) {
    api.add({"GET", "/api/v1/definitions", Scope::admin, [&shards](const Call& call) {
                 return export_all(shards, call);
             }});
    api.add(
        {"POST",
         "/api/v1/definitions",
         Scope::admin,
         [&shards](const Call& call) { return import_all(shards, call); },
         body_max}
    );
}

}  // namespace admin
