#include "broker/admin/publish_calls.hpp"

#include "broker/admin/destinations.hpp"
#include "broker/admin/json_input.hpp"
#include "broker/engine/send_head.hpp"
#include "broker/engine/topic.hpp"
#include "broker/engine/transaction.hpp"
#include "broker/engine/user_destination.hpp"
#include "protocol/base64.hpp"
#include "protocol/encoder.hpp"
#include "protocol/parser.hpp"
#include "protocol/request.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using engine::Destinations;
using engine::Transaction;
using protocol::DestinationKind;
using protocol::Error;

constexpr std::size_t messages_max = 1000;

// What a frame of STOMP says by other means, or what only a session can.
constexpr std::array<std::string_view, 5> not_headers = {
    "destination", "content-length", "receipt", "transaction", "dedup-id"};

// A message as its JSON describes it.
struct Input {
    std::string destination;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

Refused wrong(const std::string& where, const std::string& what) {
    return {400, where + ": " + what};
}

std::string body_of(const JsonInput& input) {
    auto text = input.optional_text("body");
    const auto encoded = input.optional_text("body_base64");
    if (text && encoded) { throw wrong(input.where(), "give body or body_base64, not both."); }
    if (!encoded) { return std::move(text).value_or(""); }
    auto octets = protocol::decode_base64(*encoded);
    if (!octets) { throw wrong(input.where(), "body_base64 is no Base64 with padding."); }
    return *std::move(octets);
}

Input input_of(const json::value& value, const std::string& where, const std::string& dedup_id) {
    const JsonInput json(
        value, where, {"destination", "headers", "body", "body_base64", "durable"}
    );
    Input input{json.text("destination"), json.texts("headers"), body_of(json)};
    if (input.destination.find('\0') != std::string::npos) {
        throw Refused(400, where + ": the destination has a NUL in it.", "bad-destination");
    }
    for (const auto& [name, text] : input.headers) {
        if (std::ranges::find(not_headers, name) != not_headers.end()) {
            throw wrong(where, "the header " + name + " cannot be given here.");
        }
        const bool has_nul = name.find('\0') != name.npos || text.find('\0') != text.npos;
        if (has_nul || name.empty()) {
            throw wrong(where, "a header has no name, or a NUL in it.");
        }
    }
    if (const auto durable = json.optional_flag("durable")) {
        std::erase_if(input.headers, [](const auto& header) {
            return header.first == "persistent";
        });
        input.headers.emplace_back("persistent", *durable ? "true" : "false");
    }
    if (!dedup_id.empty()) { input.headers.emplace_back("dedup-id", dedup_id); }
    return input;
}

std::vector<Input> inputs_of(const json::value& body, const std::string& key) {
    const json::object* const object = body.if_object();
    if (object == nullptr || !object->contains("messages")) {
        return {input_of(body, "The message", key)};
    }
    const JsonInput many(body, "The body", {"messages"});
    const json::array& list = many.list("messages");
    if (list.empty() || list.size() > messages_max) {
        throw Refused(400, "messages must hold 1 to 1000 messages.");
    }
    std::vector<Input> inputs;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string number = std::to_string(i);
        const std::string id = key.empty() ? key : key + "/" + number;
        inputs.push_back(input_of(list[i], "messages[" + number + "]", id));
    }
    return inputs;
}

// What a client would have sent, so that it is looked at as a client's is.
std::vector<char> octets_of(const Input& input) {
    std::vector<protocol::Header> headers = {{"destination", input.destination}};
    for (const auto& [name, text] : input.headers) {
        headers.push_back({name, text});
    }
    std::string frame;
    protocol::append_frame(
        frame, protocol::Command::send, headers, input.body, protocol::Version::v1_2
    );
    return {frame.begin(), frame.end()};
}

using Sends = std::vector<Transaction::BufferedSend>;
template <class T>
using Result = protocol::Result<T>;

// Where it goes, and what its MESSAGE will call that.
struct Place {
    engine::Route route;
    std::string destination;
};

Result<Place> place_of_user(
    Destinations& router,
    const protocol::Destination& destination,
    const engine::SendOptions& options
) {
    const auto address = engine::UserAddress::of(destination.key, options.session);
    if (address.topic.empty()) { return Place{router.nowhere(), address.destination}; }
    auto route = router.route(address.name());
    if (!route) { return route.error(); }
    return Place{std::move(*route), address.destination};
}

Result<Place> place_of(
    Destinations& router,
    const protocol::Send& request,
    const protocol::Destination& destination,
    const engine::SendOptions& options
) {
    std::string name(request.destination);
    if (destination.kind == DestinationKind::user) {
        return place_of_user(router, destination, options);
    }
    if (destination.kind == DestinationKind::reply_queue) {
        return Place{router.reply_route(destination.key), std::move(name)};
    }
    auto route = router.route(destination, options.arguments, {}, options.retain);
    if (!route) { return route.error(); }
    return Place{std::move(*route), std::move(name)};
}

// As a session does, in nobody's name.
Result<Transaction::BufferedSend> prepared(Destinations& router, const protocol::Send& request) {
    const auto& limits = router.limits().protocol;
    const auto destination = protocol::parse_destination(request.destination, limits);
    if (!destination) { return destination.error(); }
    const bool is_user = destination->kind == DestinationKind::user;
    const bool is_queue = !is_user && destination->kind != DestinationKind::topic;
    const auto options = engine::send_options(request, is_queue, is_user);
    if (!options) { return options.error(); }
    if (options->arguments.exclusive.value_or(false)) {
        return Error{
            protocol::ErrorCode::bad_header,
            "An exclusive queue belongs to a connection, and this call has none.",
            "Leave the header exclusive out.",
            "P-SUB-14"};
    }
    auto place = place_of(router, request, *destination, *options);
    if (!place) { return place.error(); }
    const auto now = static_cast<std::int64_t>(router.shard().wall_clock_ms());
    auto asked = engine::asked_by(*options, {}, 0, now);
    if (!asked) { return asked.error(); }
    place->route.asked = std::move(*asked);
    engine::SendHead head =
        make_send_head(request, *options, {place->destination, is_queue, is_user, {}, {}, 0});
    head.facts.policy = place->route.policy;
    if (options->expires()) { set_expiry(head, options->expiry(now)); }
    return Transaction::BufferedSend{
        std::move(place->route), router.make_message(head, request.body, false)};
}

void refuse_private(const Input& input, const std::string& where) {
    const auto is_private = [](std::string_view name) { return name.starts_with("/temp-"); };
    bool is_refused = is_private(input.destination);
    for (const auto& [name, text] : input.headers) {
        is_refused = is_refused || (name == "reply-to" && is_private(text));
    }
    if (is_refused) {
        throw wrong(
            where, "temporary destinations belong to a connection, and this call has none."
        );
    }
}

Transaction::BufferedSend send_of(
    transport::IoShard& shard, const Input& input, const std::string& where
) {
    refuse_private(input, where);
    const auto& limits = shard.limits().protocol;
    std::vector<char> octets = octets_of(input);
    protocol::ParserScratch scratch;
    protocol::Parser parser(limits, scratch);
    parser.connected(protocol::Version::v1_2);
    parser.feed(octets);
    const auto refuse = [&where](Error error) {
        error.what = where + ": " + error.what;
        return Refused(error);
    };
    const auto event = parser.next();
    if (event == protocol::Parser::Event::failed) { throw refuse(parser.error()); }
    if (event != protocol::Parser::Event::frame) { throw wrong(where, "this makes no frame."); }
    const auto request = protocol::to_request(parser.frame(), protocol::Version::v1_2, limits);
    if (!request) { throw refuse(request.error()); }
    auto send = prepared(shard.router(), std::get<protocol::Send>(*request));
    if (!send) { throw refuse(send.error()); }
    return std::move(*send);
}

// Subscribers of the topics among `sends`, by name.
asio::awaitable<std::map<std::string, std::size_t>> subscribers_of(
    const Shards& shards, const Sends& sends
) {
    const auto names = std::make_shared<std::map<std::string, std::size_t>>();
    for (const Transaction::BufferedSend& send : sends) {
        if (!send.route.name->is_queue) {
            names->emplace(send.route.name->space + send.route.name->key, 0);
        }
    }
    if (names->empty()) { co_return *names; }
    auto awaited =
        shards.ask_all([names = std::shared_ptr<const std::map<std::string, std::size_t>>(names
                        )](const transport::Post& post) {
            Destinations& router = post.shard->router();
            std::map<std::string, std::size_t> found;
            for (const auto& entry : *names) {
                const auto topic = router.find_topic(entry.first);
                const engine::Destinations::Seen seen{
                    entry.first, engine::DestinationType::topic, nullptr, topic.get()};
                if (topic) { found[entry.first] = router.numbers(seen, {}).consumers; }
            }
            return found;
        });
    const auto parts = co_await std::move(awaited);
    for (const auto& part : parts) {
        for (const auto& [name, count] : part) {
            (*names)[name] += count;
        }
    }
    co_return *names;
}

asio::awaitable<void> commit(const Shards& shards, Sends sends) {
    Destinations& router = shards.first().router();
    auto awaited = shards.receive<std::optional<Error>>(
        [&router,
         sends = std::move(sends)](std::function<void(std::optional<Error>)> done) mutable {
            engine::Commitment commitment;
            commitment.sends = std::move(sends);
            commitment.applied = std::move(done);
            engine::commit(router, std::move(commitment));
        }
    );
    const auto error = co_await std::move(awaited);
    if (error) { throw Refused(*error); }
    co_await all_stored(shards);
}

asio::awaitable<Response> publish(const Shards& shards, const Call& call) {
    call.query.allow({});
    if (shards.first().memory_alarm() > 0) {
        throw Refused(
            503, "The broker is short of memory: publishers wait. Ask again later.", "overload"
        );
    }
    const std::vector<Input> inputs = inputs_of(call.json(), call.idempotency_key);
    Sends sends;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const bool is_one = inputs.size() == 1;
        const std::string where = is_one ? "The message" : "messages[" + std::to_string(i) + "]";
        sends.push_back(send_of(shards.first(), inputs[i], where));
    }
    const auto subscribers = co_await subscribers_of(shards, sends);
    json::array results;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        json::object result{{"destination", inputs[i].destination}, {"status", "accepted"}};
        const auto& name = *sends[i].route.name;
        const auto known = subscribers.find(name.space + name.key);
        if (known != subscribers.end()) { result["subscribers"] = known->second; }
        results.push_back(std::move(result));
    }
    std::vector<std::uint16_t> policies;
    for (const Transaction::BufferedSend& send : sends) {
        policies.push_back(send.route.policy);
    }
    auto awaited = commit(shards, std::move(sends));
    co_await std::move(awaited);
    for (const std::uint16_t policy : policies) {
        ++shards.first().router().counters().policies[policy].published;
    }
    co_return json_response(json::object{
        {"messages", results.size()}, {"results", std::move(results)}});
}

}  // namespace

void add_publish_calls(Api& api, const Shards& shards, std::size_t frame_max) {
    const std::size_t body_max = frame_max + frame_max / 3 + Route::body_default;
    api.add(
        {"POST",
         "/api/v1/publish",
         Scope::publish,
         [&shards](const Call& call) { return publish(shards, call); },
         body_max}
    );
}

}  // namespace admin
