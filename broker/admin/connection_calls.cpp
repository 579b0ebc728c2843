#include "broker/admin/connection_calls.hpp"

#include "broker/admin/connection_json.hpp"
#include "broker/admin/destinations.hpp"
#include "broker/admin/listing.hpp"
#include "broker/admin/subscription_json.hpp"
#include "broker/admin/time_text.hpp"
#include "broker/admin/walk.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using transport::Connection;
using transport::PastRefusal;

constexpr std::size_t kick_cost = 20;

using RateTables = std::vector<std::shared_ptr<RateTable>>;

enum class Key : std::uint8_t {
    connected_at,
    user,
    address,
    messages_in_rate,
    messages_out_rate,
    outbound_bytes,
    unacked,
    subscriptions,
};

const std::vector<std::string_view> keys{
    "connected_at",
    "user",
    "address",
    "messages_in_rate",
    "messages_out_rate",
    "outbound_bytes",
    "unacked",
    "subscriptions"};

/// Which connections, and in what order.
struct Wanted {
    TextMatch match;
    std::string user;
    std::string listener;
    Key key = Key::connected_at;

    [[nodiscard]] bool has(const Connection& connection) const {
        const engine::Session& session = connection.session();
        if (!user.empty() && session.user() != user) { return false; }
        if (!listener.empty() && connection.listener() != listener) { return false; }
        return match.is_in(session.name()) || match.is_in(session.user()) ||
               match.is_in(session.client_id()) || match.is_in(connection.peer().address);
    }

    void set_key(Entry& entry, const Connection& connection, const RateTable& rates) const;
};

void Wanted::set_key(Entry& entry, const Connection& connection, const RateTable& rates) const {
    const engine::Session& session = connection.session();
    switch (key) {
        case Key::connected_at:
            entry.number = static_cast<double>(connection.accepted_at().count());
            return;
        case Key::user:
            entry.text = session.user();
            return;
        case Key::address:
            entry.text = connection.peer().address;
            return;
        case Key::messages_in_rate:
            entry.number = rates.of(connection).in;
            return;
        case Key::messages_out_rate:
            entry.number = rates.of(connection).out;
            return;
        case Key::outbound_bytes:
            entry.number = static_cast<double>(session.outbox().pending());
            return;
        case Key::unacked:
            entry.number = static_cast<double>(session.outstanding());
            return;
        case Key::subscriptions:
            entry.number = static_cast<double>(session.subscription_count());
            return;
    }
}

Wanted wanted_by(const Query& query) {
    query.allow({"match", "user", "listener", "sort", "order", "limit", "cursor"});
    const std::string sort = query.choice("sort", keys);
    const auto place = std::ranges::find(keys, std::string_view(sort)) - keys.begin();
    return {
        TextMatch(query.text("match")),
        query.text("user"),
        query.text("listener"),
        static_cast<Key>(place)};
}

asio::awaitable<Selection> select(
    const Shards& shards, const RateTables& rates, Wanted wanted, Order order, std::size_t most
) {
    auto awaited = walk(
        shards,
        Selection(most, order),
        [wanted = std::move(wanted),
         &rates](Selection& found, const Connection& connection, unsigned shard) {
            if (!wanted.has(connection)) { return std::size_t{1}; }
            Entry entry{0, {}, connection.session().number(), nullptr, shard};
            wanted.set_key(entry, connection, *rates[shard]);
            found.add(std::move(entry));
            return std::size_t{1};
        }
    );
    auto parts = co_await std::move(awaited);
    co_return merged(std::move(parts), most, order);
}

ConnectionView look_at(const Connection& connection, const RateTable& rates, unsigned shard) {
    return {connection.facts(), rates.of(connection), shard};
}

/// With its place on the page.
struct Found {
    std::size_t place;
    ConnectionView view;
};

// Those of `entries` that are still there, in order.
asio::awaitable<std::vector<ConnectionView>> fetch(
    const Shards& shards, const RateTables& rates, const std::vector<Entry>& entries
) {
    const auto places = std::make_shared<std::unordered_map<std::uint64_t, std::size_t>>();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        places->emplace(entries[i].session, i);
    }
    auto awaited = walk(
        shards,
        std::vector<Found>(),
        [places, &rates](std::vector<Found>& found, const Connection& connection, unsigned shard) {
            const auto wanted = places->find(connection.session().number());
            if (wanted == places->end()) { return std::size_t{1}; }
            found.push_back({wanted->second, look_at(connection, *rates[shard], shard)});
            return std::size_t{10};
        }
    );
    const auto parts = co_await std::move(awaited);
    std::vector<Found> all;
    for (const auto& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    std::ranges::sort(all, {}, &Found::place);
    std::vector<ConnectionView> views;
    for (Found& found : all) {
        views.push_back(std::move(found.view));
    }
    co_return views;
}

/// One connection with what it has subscribed to.
struct Detail {
    ConnectionView view;
    transport::Client client;
    std::vector<SubscriptionView> subscriptions;
};

Detail detail_of(const Connection& connection, const RateTable& rates, unsigned shard) {
    Detail detail{look_at(connection, rates, shard), connection.client(), {}};
    connection.session().for_each_subscription([&](const engine::Subscription& subscription) {
        detail.subscriptions.push_back(view_of(connection.session(), subscription));
    });
    return detail;
}

// Told to the client, and part of a line of the log.
std::string reason_of(const Query& query) {
    constexpr std::size_t reason_max = 100;
    query.allow({"reason"});
    const std::string& reason = query.text("reason");
    const bool has_control = std::ranges::any_of(reason, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (reason.size() > reason_max || has_control || !protocol::is_utf8(reason)) {
        throw Refused(
            400,
            "reason is told to the client: one line of UTF-8 of at most " +
                std::to_string(reason_max) + " octets."
        );
    }
    return reason;
}

[[noreturn]] void refuse_unknown() {
    throw Refused(404, "No connection has this id: it has ended, or never was.");
}

// The newest of what the client was refused, also on earlier connections.
asio::awaitable<json::array> last_errors(const Shards& shards, transport::Client client) {
    auto awaited = shards.ask_all([client = std::move(client)](const transport::Post& post) {
        return post.shard->refusals().of(client);
    });
    std::vector<PastRefusal> all;
    for (const std::vector<PastRefusal>& part : co_await std::move(awaited)) {
        all.insert(all.end(), part.begin(), part.end());
    }
    keep_newest(all, transport::RefusalRecord::Limits{}.each);
    json::array errors;
    for (const PastRefusal& refusal : all) {
        errors.push_back(to_json(refusal));
    }
    co_return errors;
}

// Also why, if it was refused lately.
asio::awaitable<void> refuse_ended(const Shards& shards, std::string name) {
    auto awaited = shards.ask_all([name = std::move(name)](const transport::Post& post) {
        return post.shard->refusals().of_connection(name);
    });
    const auto parts = co_await std::move(awaited);
    const auto found = std::ranges::find_if(parts, &std::optional<PastRefusal>::has_value);
    if (found == parts.end()) { refuse_unknown(); }
    const PastRefusal& why = **found;
    const std::string token(protocol::token(why.code));
    std::string detail = "The connection of this id has ended. It was refused " + token + " at " +
                         time_text(why.at) + ": " + as_utf8(why.message);
    if (!detail.ends_with('.')) { detail += "..."; }
    throw Refused(404, detail, token);
}

// Sends those away that `is_meant`; how many.
template <class F>
asio::awaitable<std::size_t> send_away(const Shards& shards, std::string reason, F is_meant) {
    auto awaited = walk(
        shards,
        std::size_t{0},
        [reason = std::move(reason),
         is_meant = std::move(is_meant)](std::size_t& count, Connection& connection, unsigned) {
            if (!is_meant(connection)) { return std::size_t{1}; }
            if (connection.kick(reason)) { ++count; }
            return kick_cost;
        }
    );
    const auto parts = co_await std::move(awaited);
    std::size_t count = 0;
    for (const std::size_t part : parts) {
        count += part;
    }
    co_return count;
}

RateTables tables_for(const Shards& shards) {
    RateTables tables;
    for (const transport::Post& post : shards.posts()) {
        tables.push_back(std::make_shared<RateTable>(post));
    }
    return tables;
}

}  // namespace

ConnectionCalls::ConnectionCalls(const Shards& shards)
    : shards_(shards), rates_(tables_for(shards)) {}

asio::awaitable<Response> ConnectionCalls::list(const Call& call) const {
    Wanted wanted = wanted_by(call.query);
    const Order order(call.query);
    const Page page(call.query);
    auto awaited = shards_.ask_all([this](const transport::Post& post) {
        rates_[post.shard->index()]->note_asked();
        return true;
    });
    (void)co_await std::move(awaited);
    auto awaited_2 = select(shards_, rates_, std::move(wanted), order, page.end());
    Selection selection = co_await std::move(awaited_2);
    const std::vector<Entry> entries = selection.take(page);
    json::array items;
    for (const ConnectionView& view : co_await fetch(shards_, rates_, entries)) {
        items.push_back(to_json(view));
    }
    co_return page_response(page, selection.total(), std::move(items));
}

asio::awaitable<Response> ConnectionCalls::one(const Call& call) const {
    call.query.allow({});
    auto awaited = walk(
        shards_,
        std::optional<Detail>(),
        [id = call.parameters.front(),
         this](std::optional<Detail>& found, const Connection& connection, unsigned shard) {
            if (connection.session().name() == id) {
                rates_[shard]->note_asked();
                found = detail_of(connection, *rates_[shard], shard);
            }
            return std::size_t{1};
        }
    );
    auto parts = co_await std::move(awaited);
    const auto found = std::ranges::find_if(parts, &std::optional<Detail>::has_value);
    if (found == parts.end()) {
        auto ended = refuse_ended(shards_, call.parameters.front());
        co_await std::move(ended);
    }
    Detail detail = std::move(**found);
    co_await add_lags(shards_, detail.subscriptions);
    auto errors = last_errors(shards_, std::move(detail.client));
    json::array subscriptions;
    for (const SubscriptionView& view : detail.subscriptions) {
        subscriptions.push_back(to_json(view));
    }
    json::object object = to_json(detail.view);
    object["subscription_list"] = std::move(subscriptions);
    object["last_errors"] = co_await std::move(errors);
    object["transactions_open"] = detail.view.facts.transactions;
    co_return json_response(object);
}

asio::awaitable<Response> ConnectionCalls::kick(const Call& call) const {
    std::string reason = reason_of(call.query);
    auto awaited = send_away(
        shards_,
        std::move(reason),
        [id = call.parameters.front()](const Connection& connection) {
            return connection.session().name() == id;
        }
    );
    const std::size_t count = co_await std::move(awaited);
    if (count == 0) { refuse_unknown(); }
    co_return no_content();
}

asio::awaitable<Response> ConnectionCalls::kick_user(const Call& call) const {
    std::string reason = reason_of(call.query);
    auto awaited = send_away(
        shards_,
        std::move(reason),
        [name = call.parameters.front()](const Connection& connection) {
            return connection.session().user() == name;
        }
    );
    const std::size_t count = co_await std::move(awaited);
    co_return json_response(json::object{{"connections", count}});
}

void ConnectionCalls::add_to(Api& api) {
    const auto add = [&](const char* method,
                         const char* path,
                         Scope scope,
                         asio::awaitable<Response> (ConnectionCalls::*handle)(const Call&) const) {
        api.add({method, path, scope, [this, handle](const Call& call) {
                     return (this->*handle)(call);
                 }});
    };
    add("GET", "/api/v1/connections", Scope::read, &ConnectionCalls::list);
    add("GET", "/api/v1/connections/{id}", Scope::read, &ConnectionCalls::one);
    add("DELETE", "/api/v1/connections/{id}", Scope::admin, &ConnectionCalls::kick);
    add("DELETE", "/api/v1/users/{name}/connections", Scope::admin, &ConnectionCalls::kick_user);
}

}  // namespace admin
