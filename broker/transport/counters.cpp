#include "broker/transport/counters.hpp"

#include <algorithm>

namespace transport {

namespace {

template <class T, std::size_t size>
void add_all(std::array<T, size>& sum, const std::array<T, size>& other) {
    for (std::size_t i = 0; i < size; ++i) {
        sum[i] += other[i];
    }
}

}  // namespace

void ListenerCounters::add(const ListenerCounters& other) {
    open += other.open;
    nameless += other.nameless;
    add_all(connected, other.connected);
}

void Counters::add(const Counters& other) {
    listeners.resize(std::max(listeners.size(), other.listeners.size()));
    for (std::size_t i = 0; i < other.listeners.size(); ++i) {
        listeners[i].add(other.listeners[i]);
    }
    add_all(closed, other.closed);
    add_all(ended, other.ended);
    add_all(turned_away, other.turned_away);
    add_all(received, other.received);
    add_all(sent, other.sent);
    handshakes += other.handshakes;
    handshakes_failed += other.handshakes_failed;
    handshakes_late += other.handshakes_late;
    origins_rejected += other.origins_rejected;
    add_all(paused, other.paused);
    add_all(paused_ms, other.paused_ms);
    connect_time.add(other.connect_time);
    lag.add(other.lag);
}

}  // namespace transport
