// The admin API without its listener: whatever is asked, each call answers what its document
// allows, in JSON; what an import refuses leaves nothing, and what is exported can be imported
// elsewhere. Input: an octet of choices, then calls between NULs: `METHOD target`, a line feed, the
// body.
#include "broker/admin/browse_calls.hpp"
#include "broker/admin/connection_calls.hpp"
#include "broker/admin/definition_calls.hpp"
#include "broker/admin/destination_calls.hpp"
#include "broker/admin/publish_calls.hpp"
#include "broker/admin/queue_calls.hpp"
#include "broker/admin/scheduled_calls.hpp"
#include "broker/transport/connection.hpp"
#include "protocol/utf8.hpp"
#include "storage/memory_store.hpp"
#include "tests/fuzz/choices.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace {

using admin::Response;
using boost::asio::awaitable;
using fuzz::require;

constexpr std::size_t calls_max = 32;
constexpr std::string_view definitions = "/api/v1/definitions";
const std::string token(32, 'a');

engine::RouterSettings settings_from(std::uint8_t choice, storage::MemoryStore& store) {
    engine::RouterSettings settings;
    if (choice % 2 == 0) { settings.store = &store; }
    if (choice % 4 >= 2) {
        settings.limits.queues_max = 3;
        settings.limits.durable_subscriptions_max = 2;
    }
    return settings;
}

/// One broker of one shard, whose store does at once what it is asked for.
class Broker {
public:
    explicit Broker(std::uint8_t choice)
        : settings_(settings_from(choice, store_)), shard_(0, settings_, transport::Options()) {
        admin::add_definition_calls(api_, shards_);
        admin::add_destination_calls(api_, shards_);
        admin::add_browse_calls(api_, shards_);
        admin::add_publish_calls(api_, shards_, 64 * 1024);
        admin::add_queue_calls(api_, shards_);
        admin::add_scheduled_calls(api_, shards_);
        admin::add_subscription_calls(api_, shards_);
        connections_.add_to(api_);
        if (settings_.store == nullptr) { return; }
        auto found = store_.take_recovered();
        store_.start({&shard_.router().store_listener()});
        shard_.post([this, found = std::move(found)]() mutable {
            shard_.router().restore(std::move(found));
        });
    }

    /// Runs `work` on the shard until it is over.
    void run(awaitable<void> work) {
        boost::asio::co_spawn(shard_.io(), std::move(work), [this](const std::exception_ptr& e) {
            require(e == nullptr, "no call throws");
            shard_.stop();
        });
        if (settings_.store != nullptr) {
            shard_.post([this] { drive_store(); });
        }
        shard_.run();
        store_.close();
        set_.end_all();
        shard_.wind_down();
    }

    awaitable<Response> ask(std::string_view method, std::string_view target, std::string body) {
        admin::RequestHead head;
        head.method = method;
        head.target = target;
        head.authorization = "Bearer " + token;
        head.content_type = "application/json";
        auto found = api_.find(head);
        if (found.route == nullptr) { co_return std::move(found.refusal); }
        if (body.size() > found.route->body_max) { co_return Response{413}; }
        auto answer = api_.answer(head, std::move(found), std::move(body));
        co_return co_await std::move(answer);
    }

private:
    void drive_store() {
        store_.commit_all();
        store_.serve_reads();
        shard_.next_turn([this] { drive_store(); });
    }

    storage::MemoryStore store_;
    const engine::RouterSettings settings_;
    transport::IoShard shard_;
    transport::ConnectionSet set_;
    const admin::Shards shards_{{{&shard_, &set_}}};
    admin::ConnectionCalls connections_{shards_};
    admin::Api api_{admin::Tokens({{token}}), ""};
};

/// What no caller can bring about: 500 (a call failed), 503 (a shard did not answer).
void check_status(unsigned status) {
    constexpr std::array<unsigned, 10> known = {200, 201, 202, 204, 400, 403, 404, 405, 409, 413};
    const bool is_known = std::ranges::find(known, status) != known.end();
    if (!is_known) { std::fprintf(stderr, "status %u\n", status); }
    require(is_known, "the status is one that a caller can bring about");
}

void check(const Response& response) {
    check_status(response.status);
    if (response.body.empty()) { return; }
    require(protocol::is_utf8(response.body), "an answer is UTF-8");
    boost::json::error_code ec;
    const boost::json::value value = boost::json::parse(response.body, ec);
    require(!ec.failed(), "an answer is JSON");
    if (response.status < 400) { return; }
    const auto* const problem = value.if_object();
    require(problem != nullptr && problem->contains("detail"), "a refusal says why");
}

awaitable<std::string> exported(Broker& broker) {
    auto asked = broker.ask("GET", definitions, {});
    const Response response = co_await std::move(asked);
    require(response.status == 200, "definitions can be exported");
    co_return response.body;
}

std::size_t made_by(const Response& import) {
    const boost::json::value counts = boost::json::parse(import.body);
    return counts.at("queues").to_number<std::size_t>() +
           counts.at("durable_subscriptions").to_number<std::size_t>();
}

/// An import does all it says or nothing, as a trial of it said, and twice the same is once.
awaitable<void> import(Broker& broker, std::string_view target, const std::string& body) {
    const std::string before = co_await exported(broker);
    const std::string only_tried = std::string(definitions) + "?dry_run=true";
    auto tried = broker.ask("POST", only_tried, body);
    const Response trial = co_await std::move(tried);
    require(before == co_await exported(broker), "a trial changes nothing");
    auto asked = broker.ask("POST", target, body);
    const Response response = co_await std::move(asked);
    check(response);
    const std::string after = co_await exported(broker);
    if (response.status != 200) {
        require(before == after, "what is refused changes nothing");
        require(target != definitions || trial.status == response.status, "the trial said so");
        co_return;
    }
    require(trial.status == 200 && made_by(trial) == made_by(response), "the trial said so");
    if (boost::json::parse(response.body).at("is_dry_run").as_bool()) { co_return; }
    auto repeated = broker.ask("POST", definitions, body);
    const Response again = co_await std::move(repeated);
    require(again.status == 200 && made_by(again) == 0, "what is there stays as it is");
    require(after == co_await exported(broker), "what is there stays as it is");
}

awaitable<void> calls(Broker& broker, std::string_view text, std::string& at_the_end) {
    for (std::size_t i = 0; i < calls_max && !text.empty(); ++i) {
        const std::string_view call = text.substr(0, text.find('\0'));
        text.remove_prefix(std::min(call.size() + 1, text.size()));
        const std::string_view line = call.substr(0, call.find('\n'));
        const std::string body(call.substr(std::min(line.size() + 1, call.size())));
        const std::string_view method = line.substr(0, line.find(' '));
        const std::string_view target = line.substr(std::min(method.size() + 1, line.size()));
        if (method == "POST" && target.substr(0, target.find('?')) == definitions) {
            co_await import(broker, target, body);
            continue;
        }
        auto asked = broker.ask(method, target, body);
        check(co_await std::move(asked));
    }
    at_the_end = co_await exported(broker);
}

awaitable<void> move_to(Broker& broker, const std::string& document) {
    auto asked = broker.ask("POST", definitions, document);
    const Response response = co_await std::move(asked);
    require(response.status == 200, "what was exported can be imported");
    require(document == co_await exported(broker), "as it was");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Choices choices(data, size);
    const std::uint8_t choice = choices.octet();
    std::string document;
    {
        Broker broker(choice);
        broker.run(calls(broker, choices.rest(), document));
    }
    Broker other(choice);
    other.run(move_to(other, document));
    return 0;
}
