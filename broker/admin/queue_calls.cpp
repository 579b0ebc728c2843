#include "broker/admin/queue_calls.hpp"

#include "broker/admin/destinations.hpp"
#include "broker/admin/json_input.hpp"
#include "broker/engine/move.hpp"

#include <algorithm>
#include <utility>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using engine::Destinations;
using engine::DurableName;

// No batch of a call begins later: the answer says whether all is done.
constexpr std::chrono::seconds work_time{2};

enum class Outcome : std::uint8_t { done, missing, filled, used };

asio::awaitable<Response> declare(const Shards& shards, const Call& call) {
    call.query.allow({});
    const std::string name = plain_queue_name(shards, call.parameters.front());
    const engine::QueueArguments arguments = declared_arguments(call.json(true), "The body");
    auto awaited =
        shards.ask(home_of(shards, name), [name, arguments](const transport::Post& post) {
            return post.shard->router().declare(name, arguments);
        });
    const auto declared = co_await std::move(awaited);
    if (!declared) { throw declaration_refused(declared.error()); }
    co_await all_stored(shards);
    Response response = no_content();
    if (*declared == engine::Declared::made) { response.status = 201; }
    co_return response;
}

Outcome delete_here(Destinations& router, const std::string& name, bool if_empty, bool if_unused) {
    const auto queue = router.find_queue(name);
    if (!queue) { return Outcome::missing; }
    if (if_empty && queue->depth() != 0) { return Outcome::filled; }
    if (if_unused && queue->consumers() != 0) { return Outcome::used; }
    router.delete_queue(name);
    return Outcome::done;
}

asio::awaitable<Response> remove(const Shards& shards, const Call& call) {
    call.query.allow({"if_empty", "if_unused"});
    const std::string name = plain_queue_name(shards, call.parameters.front());
    const bool if_empty = call.query.flag("if_empty");
    const bool if_unused = call.query.flag("if_unused");
    auto awaited =
        shards.ask(home_of(shards, name), [name, if_empty, if_unused](const transport::Post& post) {
            return delete_here(post.shard->router(), name, if_empty, if_unused);
        });
    const Outcome outcome = co_await std::move(awaited);
    if (outcome == Outcome::missing) { throw no_destination(name); }
    if (outcome == Outcome::filled) {
        throw Refused(409, "The queue holds messages: purge it, or leave if_empty out.");
    }
    if (outcome == Outcome::used) {
        throw Refused(409, "The queue has consumers: end them, or leave if_unused out.");
    }
    co_await all_stored(shards);
    co_return no_content();
}

using Operation = void (*)(Destinations&, engine::MoveOrder, engine::MoveDone);

// On the queue's home; nothing if there is no such queue.
asio::awaitable<engine::Moved> operate(
    const Shards& shards, engine::MoveOrder order, std::string filter, Operation operation
) {
    using Answer = protocol::Result<std::optional<engine::Moved>>;
    const std::string name = order.from;
    const transport::Post post = shards.posts()[home_of(shards, name)];
    auto awaited = shards.receive<Answer>([post,
                                           order = std::move(order),
                                           filter = std::move(filter),
                                           operation](std::function<void(Answer)> done) {
        post.shard->post([post, order, filter, operation, done]() mutable {
            Destinations& router = post.shard->router();
            if (!router.find_queue(order.from)) {
                return done(Answer(std::optional<engine::Moved>()));
            }
            if (!filter.empty()) {
                auto selector = router.selector(filter);
                if (!selector) { return done(Answer(selector.error())); }
                order.filter = *selector;
            }
            order.deadline = post.shard->now() + work_time;
            operation(router, std::move(order), [done](engine::Moved moved) {
                done(Answer(std::optional<engine::Moved>(std::move(moved))));
            });
        });
    });
    const Answer answer = co_await std::move(awaited);
    if (!answer) { throw Refused(answer.error()); }
    if (!*answer) { throw no_destination(name); }
    co_await all_stored(shards);
    co_return **answer;
}

Response answer_to(const engine::Moved& moved) {
    if (moved.error && moved.messages == 0) { throw Refused(*moved.error); }
    return json_response(json::object{
        {"messages", moved.messages}, {"is_complete", moved.is_complete && !moved.error}});
}

asio::awaitable<Response> purge(const Shards& shards, const Call& call) {
    call.query.allow({});
    engine::MoveOrder order;
    order.from = queue_name(shards, call.parameters.front());
    auto awaited = operate(shards, std::move(order), {}, engine::purge_messages);
    co_return answer_to(co_await std::move(awaited));
}

engine::MoveOrder move_order(
    const Shards& shards, const std::string& from, const JsonInput& input
) {
    engine::MoveOrder order;
    order.from = queue_name(shards, from);
    const std::string to = input.optional_text("to").value_or("");
    const bool is_redrive = input.optional_flag("redrive").value_or(false);
    if (to.empty() != is_redrive) {
        throw Refused(400, "Give either to, a destination, or redrive: true.");
    }
    if (!is_redrive) { order.to = lasting_name(shards, to); }
    if (order.to == order.from) { throw Refused(400, "to is the queue itself."); }
    order.limit = input.optional_number("limit", 1, order.limit).value_or(order.limit);
    return order;
}

asio::awaitable<Response> move(const Shards& shards, const Call& call) {
    call.query.allow({});
    const json::value body = call.json();
    const JsonInput input(body, "The body", {"to", "redrive", "filter", "limit"});
    engine::MoveOrder order = move_order(shards, call.parameters.front(), input);
    std::string filter = input.optional_text("filter").value_or("");
    auto awaited = operate(shards, std::move(order), std::move(filter), engine::move_messages);
    co_return answer_to(co_await std::move(awaited));
}

// Which one is meant, where several have its name.
struct DurableQuery {
    std::string client;
    std::string destination;  // Empty: any.
    std::string kind;         // Empty: any.

    [[nodiscard]] bool matches(const DurableName& name) const {
        return name.client_id == client &&
               (destination.empty() || name.destination == destination) &&
               (kind.empty() || kind_of(name) == kind);
    }
};

std::vector<DurableName> matching(
    const std::vector<std::vector<DurableName>>& by_shard, const DurableQuery& query
) {
    std::vector<DurableName> all;
    for (const auto& some : by_shard) {
        std::ranges::copy_if(some, std::back_inserter(all), [&query](const DurableName& name) {
            return query.matches(name);
        });
    }
    return all;
}

Refused several(const std::vector<DurableName>& found) {
    constexpr std::size_t shown_max = 10;
    std::string list;
    for (std::size_t i = 0; i < std::min(found.size(), shown_max); ++i) {
        list += (i == 0 ? "" : "; ") + std::string("kind=") + std::string(kind_of(found[i])) +
                "&destination=" + as_utf8(found[i].destination);
    }
    return {
        409,
        std::to_string(found.size()) +
            " durable subscriptions have this user, client and name. Add to the query which one: " +
            list + "."};
}

asio::awaitable<Response> delete_durable(const Shards& shards, const Call& call) {
    call.query.allow({"destination", "kind"});
    const std::string& user = call.parameters[0];
    const std::string& name = call.parameters[2];
    DurableQuery query{call.parameters[1], call.query.text("destination"), call.query.text("kind")};
    const auto kinds = {"", "name", "id", "shared"};
    if (std::ranges::find(kinds, query.kind) == kinds.end()) {
        throw Refused(400, "kind must be name, id or shared.");
    }
    auto awaited = shards.ask_all([user, name](const transport::Post& post) {
        return post.shard->router().durables_named(user, name);
    });
    const auto named = co_await std::move(awaited);
    // A path has no empty segment: `-` is no client id, or else that one.
    std::vector<DurableName> found;
    if (query.client == "-") { found = matching(named, {"", query.destination, query.kind}); }
    if (found.empty()) { found = matching(named, query); }
    if (found.empty()) {
        throw Refused(404, "There is no durable subscription of this user, client and name.");
    }
    if (found.size() > 1) { throw several(found); }
    const std::string canonical = found.front().canonical();
    auto deleted = shards.ask(home_of(shards, canonical), [canonical](const transport::Post& post) {
        post.shard->router().delete_durable(canonical);
        return true;
    });
    co_await std::move(deleted);
    co_await all_stored(shards);
    co_return no_content();
}

}  // namespace

void add_queue_calls(Api& api, const Shards& shards) {
    const auto add = [&api](const char* method, const char* path, Handler handle, bool has_body) {
        const std::size_t body_max = has_body ? Route::body_default : 0;
        api.add({method, path, Scope::admin, std::move(handle), body_max});
    };
    constexpr const char* queue = "/api/v1/queues/{name}";
    add(
        "PUT", queue, [&shards](const Call& call) { return declare(shards, call); }, true
    );
    add(
        "DELETE", queue, [&shards](const Call& call) { return remove(shards, call); }, false
    );
    add(
        "POST",
        "/api/v1/queues/{name}/purge",
        [&shards](const Call& call) { return purge(shards, call); },
        false
    );
    add(
        "POST",
        "/api/v1/queues/{name}/move",
        [&shards](const Call& call) { return move(shards, call); },
        true
    );
    add(
        "DELETE",
        "/api/v1/durable-subscriptions/{user}/{client}/{name}",
        [&shards](const Call& call) { return delete_durable(shards, call); },
        false
    );
}

}  // namespace admin
