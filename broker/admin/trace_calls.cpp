// A tap on the connection's shard fills a queue here, which the answer empties.
// At most 8 taps at a time; each bounded as transport::Tap says.
#include "broker/admin/trace_calls.hpp"

#include "broker/admin/time_text.hpp"
#include "broker/log/record.hpp"
#include "broker/transport/connection.hpp"
#include "broker/transport/tap.hpp"

#include <algorithm>
#include <deque>

namespace admin {

namespace {

namespace asio = boost::asio;

using transport::Tap;
using transport::TappedFrame;

constexpr std::size_t taps_max = 8;
constexpr std::size_t piece_max = 64 * 1024;
constexpr std::chrono::seconds silence_max{10};

/// What the tap has shown and nobody has taken yet; used on the first shard.
struct Feed {
    std::deque<TappedFrame> frames;
    std::string ending;
    asio::steady_timer* waiting = nullptr;

    void wake() const {
        if (waiting != nullptr) { waiting->cancel(); }
    }
};

using FeedRef = std::shared_ptr<Feed>;

struct Taps {
    std::size_t open = 0;
    std::uint64_t last = 0;  ///< Id.
};

enum class Attached : std::uint8_t { unknown, done, busy };

/// Where the tap is.
struct Place {
    Attached attached = Attached::unknown;
    transport::IoShard* shard = nullptr;
    std::weak_ptr<transport::Connection> connection;
};

// A JSON string; octets that are not UTF-8 are shown as U+FFFD.
void append_string(std::string& out, std::string_view text) {
    out += '"';
    logging::append_escaped(out, text, std::string::npos);
    out += '"';
}

std::string event_text(const TappedFrame& frame) {
    const std::chrono::milliseconds at(frame.at);
    std::string text = "event: frame\ndata: {\"at\":";
    append_string(text, time_text(std::chrono::sys_time<std::chrono::milliseconds>(at)));
    text += frame.is_in ? R"(,"direction":"in","command":)" : R"(,"direction":"out","command":)";
    append_string(text, frame.command);
    text += R"(,"headers":[)";
    for (const auto& [name, value] : frame.headers) {
        text += text.back() == '[' ? "[" : ",[";
        append_string(text, name);
        text += ',';
        append_string(text, value);
        text += ']';
    }
    text += R"(],"size":)" + std::to_string(frame.size);
    if (frame.body) {
        text += R"(,"body":)";
        append_string(text, *frame.body);
    }
    return text + "}\n\n";
}

// On the connection's shard; what the tap shows is posted to the first one.
Attached attach(
    transport::Connection& connection,
    const transport::IoShard& shard,
    transport::IoShard& first,
    Tap::Options options,
    const FeedRef& feed
) {
    const auto show = [feed, &first](TappedFrame frame) {
        first.post([feed, frame = std::move(frame)]() mutable {
            feed->frames.push_back(std::move(frame));
            feed->wake();
        });
    };
    const auto end = [feed, &first](std::string_view why) {
        first.post([feed, why = std::string(why)] {
            feed->ending = why;
            feed->wake();
        });
    };
    engine::Session& session = connection.session();
    auto tap =
        std::make_unique<Tap>(shard, session.outbox(), session.version(), options, show, end);
    return connection.attach(std::move(tap)) ? Attached::done : Attached::busy;
}

// Behind what was asked before: also a tap that is attached too late goes.
void detach_everywhere(const Shards& shards, const std::string& id, std::uint64_t tap) {
    for (const transport::Post& post : shards.posts()) {
        post.shard->post([post, id, tap] {
            if (const auto connection = post.connections->find(id)) { connection->detach(tap); }
        });
    }
}

asio::awaitable<Place> find_and_attach(
    const Shards& shards, const std::string& id, Tap::Options options, const FeedRef& feed
) {
    auto awaited =
        shards.ask_all([id, options, feed, &first = shards.first()](const transport::Post& post) {
            Place place;
            const auto connection = post.connections->find(id);
            if (!connection) { return place; }
            place.attached = attach(*connection, *post.shard, first, options, feed);
            place.shard = post.shard;
            place.connection = connection;
            return place;
        });
    std::vector<Place> places;
    try {
        places = co_await std::move(awaited);
    } catch (...) {
        detach_everywhere(shards, id, options.id);
        throw;
    }
    for (const Place& place : places) {
        if (place.attached != Attached::unknown) { co_return place; }
    }
    co_return Place();
}

template <class F>
void on_connection(const Place& place, F work) {
    place.shard->post([weak = place.connection, work] {
        if (const auto connection = weak.lock()) { work(*connection); }
    });
}

/// One of the taps that there may be. Whatever becomes of the call, its tap goes with it.
struct Seat {
    explicit Seat(std::shared_ptr<Taps> all) : taps(std::move(all)), tap(++taps->last) {
        ++taps->open;
    }

    ~Seat() {
        --taps->open;
        if (place.connection.expired()) { return; }
        on_connection(place, [tap = tap](transport::Connection& on) { on.detach(tap); });
    }

    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    const std::shared_ptr<Taps> taps;
    const std::uint64_t tap;
    Place place = {};  ///< Once it is attached.
};

using SeatRef = std::shared_ptr<Seat>;

// Up to a piece of what waits; empty: nothing does.
std::string take_piece(Feed& feed, std::size_t& weight) {
    std::string piece;
    while (!feed.frames.empty() && piece.size() < piece_max) {
        weight += feed.frames.front().weight();
        piece += event_text(feed.frames.front());
        feed.frames.pop_front();
    }
    return piece;
}

asio::awaitable<void> await_frames(Feed& feed, std::chrono::steady_clock::time_point until) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_at(until);
    feed.waiting = &timer;
    (void)co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    feed.waiting = nullptr;
}

// A comment now and then tells whether the reader is still there.
asio::awaitable<void> show(
    Writer& writer, SeatRef seat, FeedRef feed, std::chrono::steady_clock::time_point until
) {
    using Clock = std::chrono::steady_clock;
    auto awaited = writer.write(": frames follow\n\n");
    bool is_there = co_await std::move(awaited);
    while (is_there) {
        std::size_t weight = 0;
        std::string piece = take_piece(*feed, weight);
        if (!piece.empty()) {
            auto awaited_2 = writer.write(std::move(piece));
            is_there = co_await std::move(awaited_2);
            on_connection(seat->place, [weight, tap = seat->tap](transport::Connection& on) {
                on.tap_seen(tap, weight);
            });
            continue;
        }
        if (feed->ending.empty() && Clock::now() >= until) { feed->ending = "The time is over."; }
        if (!feed->ending.empty()) {
            auto awaited_3 = writer.write("event: end\ndata: " + feed->ending + "\n\n");
            (void)co_await std::move(awaited_3);
            break;
        }
        const auto silence = Clock::now() + silence_max;
        co_await await_frames(*feed, std::min(until, silence));
        const bool was_silent = feed->frames.empty() && feed->ending.empty();
        if (was_silent && Clock::now() >= silence) {
            auto awaited_4 = writer.write(":\n\n");
            is_there = co_await std::move(awaited_4);
        }
    }
}

asio::awaitable<Response> trace(const Shards& shards, SeatRef seat, const Call& call) {
    call.query.allow({"seconds", "bodies"});
    const auto most = static_cast<std::size_t>(Tap::time_max.count());
    const std::chrono::seconds time(call.query.number("seconds", 1, most, 60));
    const Tap::Options options{call.query.flag("bodies"), Tap::time_max, seat->tap};
    const auto feed = std::make_shared<Feed>();
    const Place place = co_await find_and_attach(shards, call.parameters.front(), options, feed);
    if (place.attached == Attached::unknown) {
        throw Refused(404, "No connection has this id: it has ended, or never was.");
    }
    if (place.attached == Attached::busy) {
        throw Refused(503, "This connection is traced already. Ask again when that has ended.");
    }
    seat->place = place;
    Response response;
    response.fields = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    response.stream = [feed, time, seat](Writer& writer) {
        return show(writer, seat, feed, std::chrono::steady_clock::now() + time);
    };
    co_return response;
}

}  // namespace

void add_trace_calls(Api& api, const Shards& shards) {
    const auto taps = std::make_shared<Taps>();
    Route route{"GET", "/api/v1/connections/{id}/trace", Scope::admin, {}};
    route.is_stream = true;
    route.handle = [&shards, taps](const Call& call) {
        if (taps->open == taps_max) {
            throw Refused(503, "8 connections are traced already. Ask again later.");
        }
        return trace(shards, std::make_shared<Seat>(taps), call);
    };
    api.add(std::move(route));
}

}  // namespace admin
