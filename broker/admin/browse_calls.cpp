#include "broker/admin/browse_calls.hpp"

#include "broker/admin/destinations.hpp"
#include "broker/admin/walk.hpp"
#include "broker/engine/message_headers.hpp"
#include "broker/engine/session.hpp"
#include "protocol/base64.hpp"
#include "protocol/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using engine::Delivery;
using engine::Place;
using engine::Queue;

constexpr std::size_t limit_max = 100;
constexpr std::size_t limit_default = 20;
constexpr std::size_t shown_max = 64 * 1024;         // Octets of one body.
constexpr std::size_t page_bytes = 8 * 1024 * 1024;  // Octets of a page's messages.

using AgesRef = std::shared_ptr<const engine::Ages>;

// What is behind it comes next: what consumers hold, by place, then what waits.
struct Cursor {
    bool is_waiting = false;
    std::optional<Place> after;

    [[nodiscard]] std::string text() const {
        const Place place = after.value_or(Place{});
        return (is_waiting ? "w" : "u") + std::to_string(place.lane) + "." +
               std::to_string(place.sequence);
    }
};

Refused wrong_cursor() {
    return {400, "cursor must be what `next` of another page says, unchanged."};
}

Cursor cursor_of(const std::string& text) {
    if (text.empty()) { return {}; }
    Place place;
    const char* const end = text.data() + text.size();
    const auto lane = std::from_chars(text.data() + 1, end, place.lane);
    const bool is_half = lane.ec == std::errc() && lane.ptr != end && *lane.ptr == '.';
    if (!is_half || (text.front() != 'u' && text.front() != 'w')) { throw wrong_cursor(); }
    const auto rest = std::from_chars(lane.ptr + 1, end, place.sequence);
    if (rest.ec != std::errc() || rest.ptr != end) { throw wrong_cursor(); }
    const bool is_begin = place == Place{};
    return {text.front() == 'w', is_begin ? std::nullopt : std::optional(place)};
}

json::array headers_of(const engine::Message& message) {
    const engine::MessageHeaders headers(message);
    json::array out;
    for (std::size_t i = 0; i < headers.size(); ++i) {
        const auto value = headers.value_if_first(i);
        if (!value) { continue; }
        out.push_back(json::array{as_utf8(headers.name(i)), as_utf8(*value)});
    }
    return out;
}

// A cut may go through a character: then the text ends before it.
std::string_view shown_of(std::string_view body) {
    if (body.size() <= shown_max) { return body; }
    std::string_view shown = body.substr(0, shown_max);
    for (std::size_t i = 0; i < 4; ++i) {
        if (protocol::is_utf8(shown.substr(0, shown_max - i))) {
            return shown.substr(0, shown_max - i);
        }
    }
    return shown;
}

json::object to_json(
    const Delivery& delivery, bool is_waiting, const engine::Ages& ages, engine::Instant now
) {
    const engine::Message& message = *delivery.message;
    const std::string_view shown = shown_of(message.body());
    json::object object{
        {"id", message.id()},
        {"headers", headers_of(message)},
        {"size", message.body().size()},
        {"is_cut", shown.size() != message.body().size()},
        {"redelivered", delivery.count > (is_waiting ? 0U : 1U)},
        {"deliveries", delivery.count},
        {"age_ms", ages.age_ms(message.id(), now)},
        {"state", is_waiting ? "waiting" : "unacked"}};
    if (protocol::is_utf8(shown)) {
        object["body"] = shown;
    } else {
        object["body_base64"] = protocol::encode_base64(shown);
    }
    return object;
}

// The first `most` in order.
void cut(std::vector<Delivery>& all, std::size_t most) {
    std::ranges::sort(all, {}, &Delivery::sequence);
    all.resize(std::min(all.size(), most));
}

// What consumers hold of the queue behind `after`: the first `most`.
asio::awaitable<std::vector<Delivery>> held(
    const Shards& shards, const Queue* queue, std::optional<Place> after, std::size_t most
) {
    const std::uint64_t from = after ? after->sequence + 1 : 0;
    auto awaited = walk(
        shards,
        std::vector<Delivery>(),
        [queue,
         from,
         most](std::vector<Delivery>& part, const transport::Connection& connection, unsigned) {
            std::size_t cost = 1;
            connection.session().for_each_outstanding([&](const engine::Outstanding& record) {
                ++cost;
                const bool is_it = record.subscription->queue().is_to(queue);
                if (!is_it || record.delivery.sequence < from) { return; }
                part.push_back(record.delivery);
                if (part.size() >= 2 * most) { cut(part, most); }
            });
            return cost;
        }
    );
    const auto parts = co_await std::move(awaited);
    std::vector<Delivery> all;
    for (const auto& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    cut(all, most);
    co_return all;
}

asio::awaitable<Queue::Page> waiting(
    const Shards& shards, std::string name, std::optional<Place> after, std::size_t most
) {
    auto awaited = shards.receive<Queue::Page>(
        [&shards, name = std::move(name), after, most](std::function<void(Queue::Page)> done) {
            shards.first().router().browse(name, after, {page_bytes, most}, done);
        }
    );
    co_return co_await std::move(awaited);
}

asio::awaitable<Response> browse(const Shards& shards, const Call& call) {
    call.query.allow({"limit", "cursor"});
    const std::size_t limit = call.query.number("limit", 1, limit_max, limit_default);
    Cursor cursor = cursor_of(call.query.text("cursor"));
    const std::string name = queue_name(shards, call.parameters.front());
    const AgesRef known = co_await ages(shards);
    // To be compared, not looked into.
    auto awaited = shards.ask(home_of(shards, name), [name](const transport::Post& post) {
        return static_cast<const Queue*>(post.shard->router().find_queue(name).get());
    });
    const Queue* const queue = co_await std::move(awaited);
    if (queue == nullptr) { throw no_destination(name); }
    const engine::Instant now = shards.first().now();
    json::array items;
    if (!cursor.is_waiting) {
        for (const Delivery& delivery : co_await held(shards, queue, cursor.after, limit)) {
            items.push_back(to_json(delivery, false, *known, now));
            cursor.after = Place{0, delivery.sequence};
        }
        if (items.size() < limit) { cursor = {true, std::nullopt}; }
    }
    bool is_end = false;
    while (cursor.is_waiting && !is_end && items.size() < limit) {
        const Queue::Page page = co_await waiting(shards, name, cursor.after, limit - items.size());
        for (const Queue::Shown& shown : page.messages) {
            items.push_back(to_json(shown.delivery, true, *known, now));
        }
        is_end = page.is_end;
        cursor.after = page.next;
        if (!is_end && page.messages.empty()) { break; }
    }
    json::object answer{{"items", std::move(items)}};
    if (!is_end) { answer["next"] = cursor.text(); }
    co_return json_response(answer);
}

}  // namespace

void add_browse_calls(Api& api, const Shards& shards) {
    api.add({"GET", "/api/v1/queues/{name}/messages", Scope::admin, [&shards](const Call& call) {
                 return browse(shards, call);
             }});
}

}  // namespace admin
