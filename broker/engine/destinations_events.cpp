// Destinations: the broker's own events (S-ACL-08). Every shard counts who listens to each, so that
// what nobody wants costs a look at a number.
#include "broker/engine/destinations.hpp"
#include "broker/engine/subscription.hpp"
#include "protocol/encoder.hpp"

namespace engine {

using protocol::SystemEvent;

namespace {

SendHead head_of(SystemEvent event) {
    SendHead head;
    protocol::append_header(
        head.lines,
        "destination",
        protocol::destination_of(event).canonical(),
        protocol::Version::v1_2
    );
    head.lines.append("content-type:application/json\n\n");
    return head;
}

}  // namespace

void Destinations::publish_event(SystemEvent event, std::string_view json) {
    shard_.assert_current();
    if (!has_listeners(event)) { return; }
    std::array<char, 40> id;
    const MessageRef message = Message::make(next_id(id), head_of(event), json);
    const protocol::Destination destination = protocol::destination_of(event);
    const auto name = std::make_shared<const Route::Name>(Route::Name::of(destination));
    run_on(home_of(destination.canonical()), [name, message](Destinations& home) {
        home.fan_out_from_home(*home.local_topic(*name), name, message);
    });
}

// Done when the topic's home and every shard's count know of it: from then on nothing is missed.
void Destinations::subscribe_event(
    Subscription& subscription, const protocol::Pattern& pattern, SystemEvent event, Done done
) {
    struct Wait {
        std::size_t missing;
        Done done;

        void answer() {
            if (--missing == 0) { done(std::nullopt); }
        }
    };

    shard_.assert_current();
    const auto wait = std::make_shared<Wait>(Wait{peers_.size() + 1, std::move(done)});
    const unsigned here = shard_.index();
    for (unsigned shard = 0; shard < peers_.size(); ++shard) {
        // `wait` moves along: what it holds must not be destroyed on another shard.
        run_on(shard, [event, here, wait](Destinations& router) mutable {
            ++router.listeners_[static_cast<std::size_t>(event)];
            router.run_on(here, [wait = std::move(wait)](Destinations&) { wait->answer(); });
        });
    }
    subscribe_topic(subscription, pattern, [wait](const std::optional<protocol::Error>&) {
        wait->answer();
    });
}

void Destinations::unsubscribe_event(SystemEvent event) {
    for (unsigned shard = 0; shard < peers_.size(); ++shard) {
        run_on(shard, [event](Destinations& router) {
            --router.listeners_[static_cast<std::size_t>(event)];
        });
    }
}

}  // namespace engine
