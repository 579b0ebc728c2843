#include "broker/admin/destination_calls.hpp"

#include "broker/admin/destination_settings.hpp"
#include "broker/admin/destinations.hpp"
#include "broker/admin/listing.hpp"
#include "broker/engine/topic.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <utility>

namespace admin {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using engine::DestinationNumbers;
using engine::DestinationType;

constexpr std::size_t step = 1000;  // Looked at in one go.
constexpr std::size_t consumers_max = 100;

using AgesRef = std::shared_ptr<const engine::Ages>;

// What a page of the list is to hold.
struct Wanted {
    TextMatch match;  ///< Of the name.
    std::optional<DestinationType> type = {};
    double (*key)(const DestinationNumbers&) = nullptr;  ///< Null: by name.
    bool is_falling = true;
    std::size_t most = 0;  ///< The first so many.

    [[nodiscard]] bool takes(const engine::Destinations::Seen& seen) const {
        return (!type || *type == seen.type) && match.is_in(seen.name);
    }
};

struct Found {
    std::string name;
    DestinationType type = DestinationType::queue;
    double key = 0;
    DestinationNumbers numbers = {};
};

// The order of the list: by key, then by name.
struct IsBefore {
    bool is_by_name;
    bool is_falling;

    bool operator()(const Found& a, const Found& b) const {
        if (!is_by_name && a.key != b.key) { return is_falling ? a.key > b.key : a.key < b.key; }
        if (a.name != b.name) {
            return is_by_name && is_falling ? a.name > b.name : a.name < b.name;
        }
        return a.type < b.type;
    }
};

IsBefore order_of(const Wanted& wanted) {
    return {wanted.key == nullptr, wanted.is_falling};
}

// What one shard says: the first `most` of what it knows, and how many live there.
struct Part {
    std::vector<Found> found;
    std::size_t total = 0;
};

// The walk of one shard, a step at a time: whoever else has work there is served in between.
class Walk : public std::enable_shared_from_this<Walk> {
public:
    Walk(engine::Destinations& router, Wanted wanted, AgesRef ages, std::function<void(Part)> done)
        : router_(router),
          wanted_(std::move(wanted)),
          ages_(std::move(ages)),
          done_(std::move(done)),
          first_(order_of(wanted_)) {}

    void go_on() {
        const bool is_whole =
            router_.walk(cursor_, step, [this](const engine::Destinations::Seen& seen) {
                if (wanted_.takes(seen)) { add(seen); }
            });
        if (!is_whole) {
            if (rounds_ != cursor_.rounds) { forget(); }
            return router_.shard().post([self = shared_from_this()] { self->go_on(); });
        }
        for (; !first_.empty(); first_.pop()) {
            part_.found.push_back(first_.top());
        }
        done_(std::move(part_));
    }

private:
    void forget() {
        rounds_ = cursor_.rounds;
        first_ = decltype(first_)(order_of(wanted_));
        part_ = {};
    }

    void add(const engine::Destinations::Seen& seen) {
        const bool is_home =
            seen.queue != nullptr || router_.home_of(seen.name) == router_.shard().index();
        part_.total += is_home ? 1U : 0U;
        Found found{std::string(seen.name), seen.type};
        if (wanted_.key != nullptr) { found.key = wanted_.key(router_.numbers(seen, *ages_)); }
        if (first_.size() < wanted_.most) { return first_.push(std::move(found)); }
        if (wanted_.most == 0 || !order_of(wanted_)(found, first_.top())) { return; }
        first_.pop();
        first_.push(std::move(found));
    }

    engine::Destinations& router_;
    const Wanted wanted_;
    const AgesRef ages_;
    std::function<void(Part)> done_;
    engine::DestinationCursor cursor_;
    unsigned rounds_ = 0;
    std::priority_queue<Found, std::vector<Found>, IsBefore> first_;  ///< The last one on top.
    Part part_;
};

asio::awaitable<Part> walk(
    const Shards& shards, transport::Post post, Wanted wanted, AgesRef ages
) {
    return shards.receive<Part>(
        [post, wanted = std::move(wanted), ages = std::move(ages)](std::function<void(Part)> done) {
            post.shard->post([post, wanted, ages, done = std::move(done)] {
                engine::Destinations& router = post.shard->router();
                router.watch();
                std::make_shared<Walk>(router, wanted, ages, done)->go_on();
            });
        }
    );
}

using Names = std::vector<std::pair<std::string, DestinationType>>;

// The numbers of these here; nothing for those that are not.
std::vector<std::optional<DestinationNumbers>> look_up(
    engine::Destinations& router, const Names& names, const engine::Ages& ages
) {
    std::vector<std::optional<DestinationNumbers>> found;
    for (const auto& [name, type] : names) {
        const bool is_topic = type == DestinationType::topic;
        const auto queue = is_topic ? nullptr : router.find_queue(name);
        const auto topic = is_topic ? router.find_topic(name) : nullptr;
        if (queue || topic) {
            found.emplace_back(router.numbers({name, type, queue.get(), topic.get()}, ages));
        } else {
            found.emplace_back();
        }
    }
    return found;
}

// The sums of all shards; those that are nowhere are left out.
asio::awaitable<std::vector<Found>> with_numbers(
    const Shards& shards, std::shared_ptr<const Names> names, AgesRef ages
) {
    auto awaited = shards.ask_all([names, ages](const transport::Post& post) {
        return look_up(post.shard->router(), *names, *ages);
    });
    const auto parts = co_await std::move(awaited);
    std::vector<Found> all;
    for (std::size_t i = 0; i < names->size(); ++i) {
        std::optional<DestinationNumbers> sum;
        for (const auto& part : parts) {
            if (!part[i]) { continue; }
            if (sum) {
                sum->add(*part[i]);
            } else {
                sum = part[i];
            }
        }
        if (sum) { all.push_back({(*names)[i].first, (*names)[i].second, 0, *sum}); }
    }
    co_return all;
}

std::optional<DestinationType> type_of(const std::string& text) {
    if (text == "queue") { return DestinationType::queue; }
    if (text == "topic") { return DestinationType::topic; }
    if (text == "durable") { return DestinationType::durable; }
    return std::nullopt;
}

double (*key_of(const std::string& sort))(const DestinationNumbers&) {
    using Numbers = DestinationNumbers;
    static const std::map<std::string, double (*)(const Numbers&)> keys = {
        {"name", nullptr},
        {"depth", [](const Numbers& n) { return static_cast<double>(n.depth); }},
        {"bytes", [](const Numbers& n) { return static_cast<double>(n.bytes); }},
        {"unacked", [](const Numbers& n) { return static_cast<double>(n.unacked); }},
        {"memory_bytes", [](const Numbers& n) { return static_cast<double>(n.memory_bytes); }},
        {"disk_bytes", [](const Numbers& n) { return static_cast<double>(n.disk_bytes); }},
        {"consumers", [](const Numbers& n) { return static_cast<double>(n.consumers); }},
        {"oldest_age_ms", [](const Numbers& n) { return static_cast<double>(n.oldest_age_ms); }},
        {"published_rate", [](const Numbers& n) { return n.published_rate; }},
        {"delivered_rate", [](const Numbers& n) { return n.delivered_rate; }}};
    return keys.at(sort);
}

Wanted wanted_by(const Query& query, const Page& page) {
    Wanted wanted{TextMatch(query.text("match"))};
    wanted.type = type_of(query.choice("type", {"", "queue", "topic", "durable"}));
    wanted.key = key_of(query.choice(
        "sort",
        {"name",
         "depth",
         "bytes",
         "unacked",
         "memory_bytes",
         "disk_bytes",
         "consumers",
         "oldest_age_ms",
         "published_rate",
         "delivered_rate"}
    ));
    wanted.is_falling = query.choice("order", {"desc", "asc"}) == "desc";
    wanted.most = page.end();
    return wanted;
}

std::string policy_of(const Shards& shards, const Found& found) {
    if (found.type == DestinationType::durable) { return {}; }
    const engine::Policy* const policy = shards.first().router().policy_of(found.name);
    return policy == nullptr ? std::string() : policy->match;
}

json::object to_json(const Shards& shards, const Found& found) {
    const DestinationItem item{
        found.name,
        found.type,
        home_of(shards, found.name),
        policy_of(shards, found),
        found.numbers};
    return item.to_json();
}

asio::awaitable<Response> list(const Shards& shards, const Call& call) {
    call.query.allow({"match", "type", "sort", "order", "limit", "cursor"});
    const Page page(call.query);
    const Wanted wanted = wanted_by(call.query, page);
    const AgesRef known = co_await ages(shards);
    std::size_t total = 0;
    std::set<std::pair<std::string, DestinationType>> names;
    for (const transport::Post& post : shards.posts()) {
        const Part part = co_await walk(shards, post, wanted, known);
        total += part.total;
        for (const Found& found : part.found) {
            names.emplace(found.name, found.type);
        }
    }
    const auto listed = std::make_shared<const Names>(names.begin(), names.end());
    std::vector<Found> all = co_await with_numbers(shards, listed, known);
    for (Found& found : all) {
        if (wanted.key != nullptr) { found.key = wanted.key(found.numbers); }
    }
    std::ranges::sort(all, order_of(wanted));
    json::array items;
    for (std::size_t i = page.offset; i < std::min(page.end(), all.size()); ++i) {
        items.push_back(to_json(shards, all[i]));
    }
    co_return page_response(page, total, std::move(items));
}

// What is told of one destination beyond its line in the list.
struct Detail {
    std::vector<engine::ConsumerFigures> consumers;
    std::optional<json::object> settings;
};

Detail look_at_queue(const engine::Queue& queue) {
    Detail detail;
    detail.settings = settings_of_queue(queue.settings());
    queue.for_each_consumer([&](const engine::Consumer& consumer) {
        if (detail.consumers.size() >= consumers_max) { return; }
        detail.consumers.push_back(
            {consumer.session, consumer.user, consumer.subscription_id, consumer.unsettled}
        );
    });
    return detail;
}

Detail look_at(engine::Destinations& router, const std::string& name) {
    if (const auto queue = router.find_queue(name)) { return look_at_queue(*queue); }
    Detail detail;
    const auto topic = router.find_topic(name);
    if (!topic) { return detail; }
    const engine::History* const history = topic->history();
    const bool is_durable = history != nullptr && history->is_durable();
    if (router.home_of(name) == router.shard().index()) {
        detail.settings = settings_of_topic(router.policy_of(name), is_durable);
    }
    detail.consumers = router.subscribers_of(*topic, consumers_max);
    return detail;
}

asio::awaitable<Response> show(const Shards& shards, const Call& call) {
    call.query.allow({});
    const std::string name = destination_name(shards, call.parameters.front());
    const AgesRef known = co_await ages(shards);
    const auto names = std::make_shared<const Names>(Names{
        {name, DestinationType::queue}, {name, DestinationType::topic}});
    std::vector<Found> found = co_await with_numbers(shards, names, known);
    if (found.empty()) { throw no_destination(name); }
    Found& it = found.front();
    const bool is_backlog = name.starts_with("/durable/") || name.starts_with("/shared/");
    if (is_backlog) { it.type = DestinationType::durable; }
    auto awaited = shards.ask_all([name](const transport::Post& post) {
        post.shard->router().watch();
        return look_at(post.shard->router(), name);
    });
    const auto details = co_await std::move(awaited);
    json::object answer = to_json(shards, it);
    json::object settings;
    json::array consumers;
    for (const Detail& detail : details) {
        if (detail.settings) { settings = *detail.settings; }
        for (const engine::ConsumerFigures& consumer : detail.consumers) {
            if (consumers.size() >= consumers_max) { break; }
            consumers.push_back(
                {{"connection", consumer.session},
                 {"user", as_utf8(consumer.user)},
                 {"subscription", as_utf8(consumer.subscription)},
                 {"unacked", consumer.unacked}}
            );
        }
    }
    answer["consumer_list"] = std::move(consumers);
    answer["settings"] = std::move(settings);
    co_return json_response(answer);
}

}  // namespace

void add_destination_calls(Api& api, const Shards& shards) {
    api.add({"GET", "/api/v1/destinations", Scope::read, [&shards](const Call& call) {
                 return list(shards, call);
             }});
    api.add({"GET", "/api/v1/destinations/{name}", Scope::read, [&shards](const Call& call) {
                 return show(shards, call);
             }});
}

}  // namespace admin
