#include "broker/admin/scheduled_calls.hpp"

#include "broker/engine/schedule.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <iterator>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t offset_max = 100'000;
constexpr std::size_t id_max = 64;

struct Part {
    std::vector<engine::ScheduledMessage> messages;
    std::size_t total = 0;
};

enum class Cancelled : std::uint8_t {
    unknown,  ///< There is none with this id: never was, has been routed, or was cancelled.
    done,     ///< And no longer in the store.
    failed,   ///< The store has failed.
};

json::object to_json(const engine::ScheduledMessage& message) {
    return {
        {"id", message.id},
        {"destination", message.destination},
        {"due", message.due_ms},
        {"period", message.period_ms},
        {"repeats", message.repeats},
        {"size", message.size},
        {"durable", message.is_stored}};
}

asio::awaitable<Response> list(const Shards& shards, const Call& call) {
    call.query.allow({"destination", "limit", "offset"});
    const std::string destination = call.query.text("destination");
    const std::size_t limit = call.query.number("limit", 1, Page::limit_max, Page::limit_default);
    const std::size_t offset = call.query.number("offset", 0, offset_max, 0);
    auto awaited =
        shards.ask_all([destination, most = offset + limit](const transport::Post& post) {
            Part part;
            part.messages = post.shard->router().schedule().list(destination, most, part.total);
            return part;
        });
    const auto parts = co_await std::move(awaited);
    Part all;
    for (const Part& part : parts) {
        all.total += part.total;
        all.messages.insert(all.messages.end(), part.messages.begin(), part.messages.end());
    }
    std::sort(all.messages.begin(), all.messages.end());
    json::array messages;
    for (std::size_t i = offset; i < std::min(offset + limit, all.messages.size()); ++i) {
        messages.push_back(to_json(all.messages[i]));
    }
    const json::object object{
        {"total", all.total}, {"offset", offset}, {"limit", limit}, {"messages", messages}};
    co_return json_response(object);
}

void cancel_at(
    engine::Destinations& router, const std::string& id, std::function<void(Cancelled)> done
) {
    if (!router.schedule().cancel(id)) { return done(Cancelled::unknown); }
    router.journal().when_stored([&router, done = std::move(done)] {
        done(router.journal().has_failed() ? Cancelled::failed : Cancelled::done);
    });
}

asio::awaitable<Response> cancel(const Shards& shards, const Call& call) {
    call.query.allow({});
    const std::string id = call.parameters.front();
    Cancelled outcome = Cancelled::unknown;
    if (id.size() <= id_max) {
        for (const transport::Post& post : shards.posts()) {
            auto awaited =
                shards.receive<Cancelled>([id, post](std::function<void(Cancelled)> done) {
                    post.shard->post([id, post, done = std::move(done)]() mutable {
                        cancel_at(post.shard->router(), id, std::move(done));
                    });
                });
            const auto here = co_await std::move(awaited);
            if (here != Cancelled::unknown) { outcome = here; }
        }
    }
    if (outcome == Cancelled::failed) {
        throw Refused(503, "The message store has failed.", "storage-failed");
    }
    if (outcome == Cancelled::unknown) {
        throw Refused(
            404, "No delayed message has this id: it was routed or cancelled before, or never was."
        );
    }
    co_return no_content();
}

}  // namespace

void add_scheduled_calls(Api& api, const Shards& shards) {
    api.add({"GET", "/api/v1/scheduled", Scope::read, [&shards](const Call& call) {
                 return list(shards, call);
             }});
    api.add({"DELETE", "/api/v1/scheduled/{id}", Scope::admin, [&shards](const Call& call) {
                 return cancel(shards, call);
             }});
}

}  // namespace admin
