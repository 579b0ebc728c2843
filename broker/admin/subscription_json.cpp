#include "broker/admin/subscription_json.hpp"

#include "broker/engine/session.hpp"

#include <algorithm>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using protocol::AckMode;

std::string_view name_of(AckMode ack) {
    switch (ack) {
        case AckMode::automatic:
            return "auto";
        case AckMode::client:
            return "client";
        case AckMode::client_individual:
            break;
    }
    return "client-individual";
}

}  // namespace

std::string durable_key_of(const engine::Subscription& subscription) {
    const auto& durable = subscription.options().durable;
    return durable ? durable->canonical() : std::string();
}

SubscriptionView view_of(const engine::Session& session, const engine::Subscription& subscription) {
    const engine::SubscriptionOptions& options = subscription.options();
    SubscriptionView view;
    view.connection = session.name();
    view.user = session.user();
    view.id = subscription.id();
    view.destination = subscription.destination();
    view.ack = name_of(options.ack);
    view.selector = options.selector;
    view.durable = options.durable ? options.durable->name : std::string();
    view.durable_key = durable_key_of(subscription);
    const std::size_t usual = session.outbox().limits().window_messages;
    view.prefetch = options.window_messages == usual ? 0 : options.window_messages;
    view.delivered = subscription.delivered();
    view.unacked = subscription.outstanding();
    view.pending = subscription.waiting_bytes();
    view.dropped = subscription.dropped();
    return view;
}

json::object to_json(const SubscriptionView& view) {
    return {
        {"connection", view.connection},
        {"user", view.user},
        {"id", view.id},
        {"destination", view.destination},
        {"ack", view.ack},
        {"selector", view.selector},
        {"durable", view.durable},
        {"prefetch", view.prefetch},
        {"delivered", view.delivered},
        {"unacked", view.unacked},
        {"outbound_bytes", view.pending},
        {"dropped", view.dropped},
        {"lag", view.lag}};
}

asio::awaitable<Lags> lags_of_all(const Shards& shards) {
    auto awaited = shards.ask_all([](const transport::Post& post) {
        Lags lags;
        post.shard->router().for_each_durable(
            [&lags](const engine::DurableName& name, const engine::Queue& queue) {
                lags.emplace(name.canonical(), queue.waiting());
            }
        );
        return lags;
    });
    auto parts = co_await std::move(awaited);
    Lags all;
    for (Lags& part : parts) {
        all.merge(part);
    }
    co_return all;
}

asio::awaitable<void> add_lags(const Shards& shards, std::vector<SubscriptionView>& views) {
    const bool is_needed = std::ranges::any_of(views, [](const SubscriptionView& view) {
        return !view.durable_key.empty();
    });
    if (!is_needed) { co_return; }
    const Lags lags = co_await lags_of_all(shards);
    for (SubscriptionView& view : views) {
        const auto found = lags.find(view.durable_key);
        if (found != lags.end()) { view.lag = found->second; }
    }
}

}  // namespace admin
