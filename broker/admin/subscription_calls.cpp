// GET /api/v1/subscriptions.
#include "broker/admin/connection_calls.hpp"
#include "broker/admin/listing.hpp"
#include "broker/admin/subscription_json.hpp"
#include "broker/admin/walk.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <unordered_map>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using transport::Connection;

const std::vector<std::string_view> keys{"destination", "unacked", "dropped", "lag", "delivered"};

/// Which subscriptions, and in what order.
struct Wanted {
    TextMatch match;
    std::string destination;
    std::string key;
    std::shared_ptr<const Lags> lags;  ///< Only if they are sorted by it.

    [[nodiscard]] bool has(const engine::Session& session, const engine::Subscription& subscription)
        const {
        if (!destination.empty() && subscription.destination() != destination) { return false; }
        return match.is_in(subscription.destination()) || match.is_in(session.user());
    }

    void set_key(Entry& entry, const engine::Subscription& subscription) const;
};

void Wanted::set_key(Entry& entry, const engine::Subscription& subscription) const {
    if (key == "destination") {
        entry.text = subscription.destination();
    } else if (key == "unacked") {
        entry.number = static_cast<double>(subscription.outstanding());
    } else if (key == "dropped") {
        entry.number = static_cast<double>(subscription.dropped());
    } else if (key == "delivered") {
        entry.number = static_cast<double>(subscription.delivered());
    } else {
        const auto found = lags->find(durable_key_of(subscription));
        entry.number = found == lags->end() ? 0 : static_cast<double>(found->second);
    }
}

asio::awaitable<Selection> select(
    const Shards& shards, Wanted wanted, Order order, std::size_t most
) {
    auto awaited = walk(
        shards,
        Selection(most, order),
        [wanted =
             std::move(wanted)](Selection& found, const Connection& connection, unsigned shard) {
            const engine::Session& session = connection.session();
            session.for_each_subscription([&](const engine::Subscription& subscription) {
                if (!wanted.has(session, subscription)) { return; }
                Entry entry{0, {}, session.number(), &subscription, shard};
                wanted.set_key(entry, subscription);
                found.add(std::move(entry));
            });
            return 1 + session.subscription_count();
        }
    );
    auto parts = co_await std::move(awaited);
    co_return merged(std::move(parts), most, order);
}

/// With its place on the page.
struct Found {
    std::size_t place;
    SubscriptionView view;
};

// Those of `entries` that are still there, in order.
asio::awaitable<std::vector<SubscriptionView>> fetch(
    const Shards& shards, const std::vector<Entry>& entries
) {
    struct Places {
        std::unordered_map<const void*, std::size_t> items;
        std::unordered_map<std::uint64_t, std::size_t> sessions;  ///< Items of each.
    };

    const auto places = std::make_shared<Places>();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        places->items.emplace(entries[i].item, i);
        ++places->sessions[entries[i].session];
    }
    auto awaited = walk(
        shards,
        std::vector<Found>(),
        [places](std::vector<Found>& found, const Connection& connection, unsigned) {
            const engine::Session& session = connection.session();
            if (!places->sessions.contains(session.number())) { return std::size_t{1}; }
            session.for_each_subscription([&](const engine::Subscription& subscription) {
                const auto wanted = places->items.find(&subscription);
                if (wanted == places->items.end()) { return; }
                found.push_back({wanted->second, view_of(session, subscription)});
            });
            return 10 + session.subscription_count();
        }
    );
    const auto parts = co_await std::move(awaited);
    std::vector<Found> all;
    for (const auto& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    std::ranges::sort(all, {}, &Found::place);
    std::vector<SubscriptionView> views;
    for (Found& found : all) {
        views.push_back(std::move(found.view));
    }
    co_await add_lags(shards, views);
    co_return views;
}

asio::awaitable<Response> list(const Shards& shards, const Call& call) {
    const Query& query = call.query;
    query.allow({"match", "destination", "sort", "order", "limit", "cursor"});
    Wanted wanted{
        TextMatch(query.text("match")),
        query.text("destination"),
        query.choice("sort", keys),
        nullptr};
    const Order order(query);
    const Page page(query);
    if (wanted.key == "lag") {
        wanted.lags = std::make_shared<const Lags>(co_await lags_of_all(shards));
    }
    auto awaited = select(shards, std::move(wanted), order, page.end());
    Selection selection = co_await std::move(awaited);
    const std::vector<Entry> entries = selection.take(page);
    json::array items;
    for (const SubscriptionView& view : co_await fetch(shards, entries)) {
        items.push_back(to_json(view));
    }
    co_return page_response(page, selection.total(), std::move(items));
}

}  // namespace

void add_subscription_calls(Api& api, const Shards& shards) {
    api.add({"GET", "/api/v1/subscriptions", Scope::read, [&shards](const Call& call) {
                 return list(shards, call);
             }});
}

}  // namespace admin
