// Connection: somebody looks at its frames.
#include "broker/transport/connection.hpp"

#include <algorithm>
#include <utility>

namespace transport {

bool Connection::attach(std::unique_ptr<Tap> tap) {
    if (tap_ || !is_authenticated_ || phase_ != Phase::open) { return false; }
    tap_ = std::move(tap);
    return true;
}

void Connection::tap_in() {
    if (!tap_->in(parser_.frame())) { tap_.reset(); }
}

void Connection::tap_beat() {
    if (!tap_->in_beat()) { tap_.reset(); }
}

void Connection::tap_out(std::size_t octets) {
    if (!tap_->out(session_->outbox().segments(), octets)) { tap_.reset(); }
}

std::shared_ptr<Connection> ConnectionSet::find(std::string_view session) const {
    const auto found = std::ranges::find_if(connections_, [session](const auto& connection) {
        return connection->session().name() == session;
    });
    return found == connections_.end() ? nullptr : *found;
}

}  // namespace transport
