// Sessions: whatever clients send, whenever they leave and however time passes, nobody gets what it
// may not, memory is bounded, and nothing is left of those that have gone.
// Input: five octets of choices (shards, order of work, limits, store, seed), then steps: an octet
// each, and what it needs.
#include "broker/engine/counters.hpp"
#include "broker/security/access_list.hpp"
#include "storage/memory_store.hpp"
#include "tests/fuzz/choices.hpp"
#include "tests/fuzz/session_observer.hpp"
#include "tests/support/test_broker.hpp"
#include "tests/support/test_client.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using engine::Action;
using fuzz::Choices;
using fuzz::require;
using protocol::Command;
using support::TestBroker;
using support::TestClient;

constexpr std::size_t clients_max = 5;
constexpr std::size_t steps_max = 400;
constexpr std::size_t frame_max = 24 * 1024;
// What the limits below allow for these many clients and destinations, roughly.
constexpr std::int64_t accounted_max = 12 * 1024 * 1024;

template <std::size_t n>
std::string_view one_of(const std::array<std::string_view, n>& words, Choices& choices) {
    return words[choices.octet() % n];
}

constexpr std::array<std::string_view, 20> destinations = {
    "/queue/a",
    "/queue/b",
    "/topic/a.x",
    "/topic/a.y",
    "/topic/b",
    "/topic/a.*",
    "/topic/#",
    "/topic/secret.x",
    "/temp-queue/t",
    "/temp-topic/t",
    "/queue/DLQ.a",
    "/user/queue/n",
    "/user/ada/queue/n",
    "/reply-queue/x",
    "/topic/a.>",
    "/queue/*",
    "/queue/c",
    "a",
    "",
    "/topic/"};
constexpr std::array<std::string_view, 11> commands = {
    "SEND",
    "SEND",
    "SUBSCRIBE",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "ACK",
    "NACK",
    "BEGIN",
    "COMMIT",
    "ABORT",
    "DISCONNECT"};
constexpr std::array<std::string_view, 36> names = {
    "ack",
    "selector",
    "prefetch-count",
    "credit",
    "x-priority",
    "durable",
    "persistent",
    "expires",
    "ttl",
    "AMQ_SCHEDULED_DELAY",
    "AMQ_SCHEDULED_PERIOD",
    "AMQ_SCHEDULED_REPEAT",
    "priority",
    "reply-to",
    "exclusive",
    "auto-delete",
    "browser",
    "no-local",
    "activemq.exclusive",
    "retain",
    "x-queue-name",
    "JMSXGroupID",
    "_AMQ_LVQ_NAME",
    "_AMQ_DUPL_ID",
    "x-max-length",
    "x-overflow",
    "x-expires",
    "x-message-ttl",
    "requeue",
    "delay",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-max-priority",
    "x-stream-offset",
    "content-length",
    "activemq.subscriptionName"};
constexpr std::array<std::string_view, 20> values = {
    "client",
    "client-individual",
    "auto",
    "true",
    "false",
    "0",
    "1",
    "2",
    "-1",
    "1000",
    "99999999999999999999",
    "",
    "x",
    "a = 1",
    "a LIKE 'x%' AND b IS NULL",
    "drop-head",
    "block",
    "set",
    "/temp-queue/t",
    "first"};
constexpr std::array<std::string_view, 3> users = {"ada", "bob", "eve"};

// "late" and "later" are asked somebody who takes his time; "nobody" is not let in.
class Doorkeeper : public engine::Authenticator {
public:
    void authenticate(engine::Shard& shard, engine::Credentials credentials, Answer answer)
        override {
        const std::string login = credentials.login.value_or("ada");
        protocol::Result<engine::PrincipalRef> verdict = protocol::Error{
            protocol::ErrorCode::auth_failed, "The credentials are wrong.", "Use others.", {}};
        if (login != "nobody") {
            verdict = std::make_shared<const engine::Principal>(engine::Principal{login});
        }
        if (!credentials.passcode) { return answer(std::move(verdict)); }
        shard.after(
            std::chrono::milliseconds(50),
            [answer = std::move(answer), verdict = std::move(verdict)]() mutable {
                answer(std::move(verdict));
            }
        );
    }
};

std::vector<security::AccessListRef> make_lists() {
    const auto list = [](std::vector<security::AccessRule> rules) {
        auto made = security::AccessList::make(std::move(rules));
        require(made.has_value(), "the rules are without faults");
        return *std::move(made);
    };
    const std::vector<std::string> all = {"publish", "subscribe", "create", "browse"};
    return {
        list(
            {{{"user:ada"}, all, {}, {"/queue/**", "/topic/**"}},
             {{"user:bob"}, {"subscribe", "create"}, {}, {"/topic/**", "/queue/a"}},
             {{"user:bob", "user:eve"}, {}, {"subscribe", "browse"}, {"/topic/secret.**"}}}
        ),
        list(
            {{{"user:ada"}, all, {}, {"/queue/**", "/topic/**"}},
             {{"user:bob"}, {"subscribe", "publish"}, {}, {"/queue/a", "/topic/a/**"}}}
        )};
}

const std::vector<security::AccessListRef>& lists() {
    static const auto made = make_lists();
    return made;
}

bool may_ever(const std::string& user, Action action, const std::string& destination) {
    const auto name = protocol::parse_destination(destination, {});
    if (!name || name->kind != protocol::DestinationKind::topic) { return true; }
    const engine::Principal principal{user};
    return lists()[0]->explain(principal, action, *name).is_allowed ||
           lists()[1]->explain(principal, action, *name).is_allowed;
}

engine::RouterSettings settings_from(Choices& choices, storage::MemoryStore& store) {
    engine::RouterSettings settings;
    const std::uint8_t choice = choices.octet();
    engine::Limits& limits = settings.limits;
    limits.protocol.frame_bytes_max = frame_max;
    limits.protocol.strict = choice % 2 != 0;
    limits.outbound_ahead_max = choice % 4 < 2 ? 2000 : 20'000;
    limits.outbound_bytes_max = 60'000;
    limits.large_body = choice % 8 < 4 ? 500 : 8000;
    limits.window_messages = 1U + choice % 5U;
    limits.window_bytes = 30'000;
    limits.window_bytes_max = 60'000;
    limits.subscriptions_max = 6;
    limits.wildcard_subscriptions_max = 2;
    limits.temporary_destinations_max = 2;
    limits.transactions_max = 3;
    limits.transaction_frames_max = 5;
    limits.transaction_bytes_max = 50'000;
    limits.queue_messages_max = choice % 16 < 8 ? 3 : 50;
    limits.queue_bytes_max = 100'000;
    limits.queues_max = 10;
    limits.delivery_limit = 1U + choice % 3U;
    limits.retained_max = 4;
    limits.scheduled_max = 4;
    limits.duplicate_ids_max = 4;
    if (choices.octet() % 2 != 0) { settings.store = &store; }
    return settings;
}

/// A client, and who judges what it gets.
struct Peer {
    std::unique_ptr<TestClient> client;
    fuzz::SessionObserver observer;
    std::weak_ptr<engine::Session> session;
    std::string id;  ///< What its messages begin with.
};

class Play {
public:
    explicit Play(Choices& choices)
        : choices_(choices),
          settings_(settings_from(choices, store_)),
          broker_(
              1 + choices.octet() % 3,
              choices.octet(),
              choices.octet() % 2 == 0 ? support::WorkOrder::posted : support::WorkOrder::random,
              settings_
          ) {
        broker_.uses(doorkeeper_);
        if (settings_.store != nullptr) { broker_.drives(&store_); }
        set_list(0);
    }

    void run() {
        for (std::size_t i = 0; i < steps_max && !choices_.rest().empty(); ++i) {
            step();
            look();
            require(engine::accounted_bytes() <= accounted_max, "memory is bounded");
        }
        finish();
    }

private:
    void step();
    void step_time(std::uint8_t choice);
    void open(std::uint8_t choice);
    void send_frame(Peer& peer, bool is_posted);
    void send_connect(Peer& peer);
    void send_octets(Peer& peer);
    void end(Peer& peer, std::uint8_t choice);
    void set_list(std::size_t index);
    void look();
    void look_at(Peer& peer);
    void check_rights(const Peer& peer, const support::Received& frame) const;
    void finish();
    void check_answered();

    [[nodiscard]] Peer& someone() { return *peers_[choices_.octet() % peers_.size()]; }

    void write(Peer& peer, const support::Outgoing& frame, bool is_posted) {
        const std::string octets = frame.encoded(peer.client->version());
        is_posted ? peer.client->writes(octets) : (void)peer.client->sends_octets(octets);
    }

    Choices& choices_;
    storage::MemoryStore store_;
    engine::RouterSettings settings_;
    Doorkeeper doorkeeper_;
    TestBroker broker_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::vector<std::weak_ptr<engine::Session>> sessions_;
    std::vector<std::string> publishers_;  ///< Users, by the number in Peer::id.
    std::size_t last_receipt_ = 0;
    bool is_anything_sent_ = false;  ///< A body may name another publisher than its own.
};

void Play::step() {
    const std::uint8_t choice = choices_.octet();
    if (peers_.empty() || choice < 16) { return open(choice); }
    if (choice < 144) { return send_frame(someone(), choice >= 112); }
    if (choice < 160) { return send_connect(someone()); }
    if (choice < 176) { return send_octets(someone()); }
    if (choice < 192) { return someone().client->allows(choices_.octet() * std::size_t{100}); }
    if (choice < 204) { return someone().client->reads_all(); }
    if (choice < 212) { return end(someone(), choice); }
    if (choice < 216) { return set_list(choice % lists().size()); }
    step_time(choice);
}

void Play::step_time(std::uint8_t choice) {
    if (choice < 228) { return broker_.advance(std::chrono::milliseconds(choices_.octet())); }
    if (choice < 232) { return broker_.advance(std::chrono::seconds(choices_.octet())); }
    if (choice < 234) { return broker_.advance(std::chrono::minutes(choices_.octet() % 64)); }
    if (choice < 244 && broker_.shards().has_work()) { return broker_.shards().run_one(); }
    if (choice < 250) { return broker_.end_turn(choices_.octet() % broker_.shards().size()); }
    if (choice < 252 && settings_.store != nullptr) { return broker_.drives(nullptr); }
    if (settings_.store != nullptr) { broker_.drives(&store_); }
    broker_.settle();
}

void Play::open(std::uint8_t choice) {
    if (peers_.size() == clients_max) { peers_.erase(peers_.begin()); }
    TestClient::Options options;
    if (choice % 2 != 0) { options.framing = engine::Framing::web_socket; }
    if (choice % 16 == 15) { options.sub_protocol = protocol::Version::v1_2; }
    auto peer = std::make_unique<Peer>();
    peer->client = std::make_unique<TestClient>(broker_, options);
    peer->session = peer->client->session().weak_from_this();
    peer->id = std::to_string(publishers_.size()) + ";";
    sessions_.push_back(peer->session);
    publishers_.emplace_back();
    peers_.push_back(std::move(peer));
    if (choice % 4 < 2) { send_connect(*peers_.back()); }
}

void Play::send_connect(Peer& peer) {
    const std::uint8_t choice = choices_.octet();
    constexpr std::array<std::string_view, 5> versions = {"1.2", "1.1", "1.0", "1.0,1.2", "9"};
    auto frame = support::frame(choice % 32 == 31 ? Command::stomp : Command::connect);
    frame.header("accept-version", std::string(versions[choice % versions.size()]));
    frame.header("host", "x");
    const bool is_known = choice % 16 != 15;
    frame.header("login", is_known ? std::string(one_of(users, choices_)) : "nobody");
    if (choice % 8 == 7) { frame.header("passcode", "x"); }
    if (choice % 8 == 6) { frame.header("client-id", "x"); }
    if (choice % 32 == 30) { frame.receipt("of-connect"); }
    peer.observer.sends(
        frame.command(),
        {},
        choice % 32 == 30 ? std::optional<std::string>("of-connect") : std::nullopt
    );
    write(peer, frame, choice >= 128);
}

/// An octet: the command, and which of the usual headers are there; then their values.
void Play::send_frame(Peer& peer, bool is_posted) {
    const auto command = protocol::command_from(one_of(commands, choices_));
    auto frame = support::frame(*command);
    const std::uint8_t headers = choices_.octet();
    std::optional<std::string> subscription;
    std::optional<std::string> receipt;
    const bool is_settling = *command == Command::ack || *command == Command::nack;
    if (is_settling && !peer.observer.tokens().empty() && headers % 8 != 0) {
        const auto& tokens = peer.observer.tokens();
        frame.header("id", tokens[choices_.octet() % tokens.size()]);
    } else if (*command != Command::send && headers % 8 != 0) {
        subscription = std::to_string(choices_.octet() % 4);
        frame.header("id", *subscription);
    }
    const bool has_destination = *command == Command::send || *command == Command::subscribe;
    if (has_destination && headers % 16 != 8) {
        frame.header("destination", std::string(one_of(destinations, choices_)));
    }
    if (headers & 32U) { frame.transaction(std::to_string(choices_.octet() % 3)); }
    if (headers & 64U) {
        receipt = "r" + std::to_string(++last_receipt_);
        frame.receipt(*receipt);
    }
    if (headers & 128U) {
        for (unsigned left = 1 + choices_.octet() % 3; left != 0; --left) {
            const std::string_view name = one_of(names, choices_);
            frame.header(std::string(name), std::string(one_of(values, choices_)));
            // A length that is not the body's makes other frames of what follows.
            if (name != "content-length") { continue; }
            peer.observer.sends_anything();
            is_anything_sent_ = true;
        }
    }
    if (*command == Command::send) {
        frame.body(peer.id + std::string(headers % 8 == 7 ? choices_.octet() * 80U : 0U, 'x'));
    }
    peer.observer.sends(*command, subscription, receipt);
    write(peer, frame, is_posted);
}

void Play::send_octets(Peer& peer) {
    std::string octets;
    for (unsigned left = choices_.octet() % 64; left != 0; --left) {
        octets += static_cast<char>(choices_.octet());
    }
    peer.observer.sends_anything();
    is_anything_sent_ = true;
    peer.client->sends_octets(std::move(octets));
}

void Play::end(Peer& peer, std::uint8_t choice) {
    TestClient& client = *peer.client;
    if (!client.is_open()) { return; }
    if (choice % 8 < 2) { return client.vanishes(); }
    if (choice % 8 < 3) { return client.drops(); }
    broker_.shards().on(client.shard(), [&] {
        if (choice % 8 == 3) { return client.session().close(protocol::ErrorCode::shutdown); }
        if (choice % 8 == 4) {
            return client.session().close(protocol::ErrorCode::heartbeat_timeout);
        }
        if (choice % 8 == 5) { return client.session().expire(); }
        client.session().fail({protocol::ErrorCode::kicked, "Out.", "Go.", {}});
    });
}

void Play::set_list(std::size_t index) {
    for (unsigned shard = 0; shard < broker_.shards().size(); ++shard) {
        broker_.shards().on(shard, [&] {
            broker_.router(shard).set_authorizer(lists()[index], broker_.authenticator());
        });
    }
}

void Play::look() {
    for (const auto& peer : peers_) {
        look_at(*peer);
    }
}

void Play::look_at(Peer& peer) {
    while (!peer.client->received().empty()) {
        const support::Received frame = peer.client->take();
        peer.observer.receives(frame);
        if (frame.command == Command::connected) {
            publishers_[std::stoul(peer.id)] = peer.observer.user();
        }
        if (frame.command == Command::message) { check_rights(peer, frame); }
    }
    require(peer.client->fault().empty(), "clients can read what they get");
}

void Play::check_rights(const Peer& peer, const support::Received& frame) const {
    const std::string destination = frame.value("destination");
    require(
        may_ever(peer.observer.user(), Action::subscribe, destination), "nobody reads the forbidden"
    );
    if (is_anything_sent_) { return; }
    std::size_t digits = 0;
    while (digits < frame.body.size() && frame.body[digits] >= '0' && frame.body[digits] <= '9') {
        ++digits;
    }
    if (digits == 0 || digits > 4 || frame.body.substr(digits, 1) != ";") { return; }
    const std::size_t publisher = std::stoul(frame.body);
    if (publisher >= publishers_.size() || publishers_[publisher].empty()) { return; }
    require(
        may_ever(publishers_[publisher], Action::publish, destination),
        "nobody sends to the forbidden"
    );
}

/// Nobody is in the way of anybody any more: every session that is still open has answered.
void Play::check_answered() {
    for (const auto& peer : peers_) {
        const TestClient& client = *peer->client;
        if (peer->observer.has_failed()) { require(!client.is_open(), "ERROR ends the session"); }
        if (!client.is_open() || client.has_input()) { continue; }
        const auto session = peer->session.lock();
        const bool is_reading =
            session->state() == engine::Session::State::connected && session->may_read();
        require(!is_reading || peer->observer.is_answered(), "every receipt asked for comes");
    }
}

void Play::finish() {
    if (settings_.store != nullptr) { broker_.drives(&store_); }
    for (const auto& peer : peers_) {
        peer->client->reads_all();
    }
    broker_.advance(std::chrono::seconds(30));
    look();
    check_answered();
    for (const auto& peer : peers_) {
        peer->client->vanishes();
    }
    look();
    peers_.clear();
    broker_.settle();
    for (const auto& session : sessions_) {
        require(session.expired(), "nothing is left of a session that has ended");
    }
    std::size_t left = 0;
    for (unsigned shard = 0; shard < broker_.shards().size(); ++shard) {
        broker_.shards().on(shard, [&] {
            broker_.router(shard).for_each_session([&](const engine::Session&) { ++left; });
        });
    }
    require(left == 0, "no router knows a session that has ended");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Choices choices(data, size);
    const std::int64_t before = engine::accounted_bytes();
    {
        Play play(choices);
        play.run();
    }
    require(engine::accounted_bytes() == before, "all octets are released");
    return 0;
}
