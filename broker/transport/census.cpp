#include "broker/transport/census.hpp"

namespace transport {

bool Census::count_at(const std::string& network) {
    Count& count = by_network_[network];
    const bool is_over = (options_.connections_per_ip_max != 0 &&
                          count.connections >= options_.connections_per_ip_max) ||
                         count.unauthenticated >= options_.unauthenticated_per_ip_max;
    if (is_over) { return false; }
    ++count.connections;
    ++count.unauthenticated;
    return true;
}

void Census::forget_at(const std::string& network, bool was_authenticated) {
    const auto found = by_network_.find(network);
    if (found == by_network_.end()) { return; }
    if (!was_authenticated) { --found->second.unauthenticated; }
    if (--found->second.connections == 0) { by_network_.erase(found); }
}

Admission Census::admit(const std::string& network, bool is_exempt) {
    if (connections() >= options_.connections_max) { return Admission::too_many; }
    if (unauthenticated() >= options_.unauthenticated_max) {
        return Admission::too_many_unauthenticated;
    }
    if (!is_exempt) {
        const std::lock_guard lock(mutex_);
        if (!count_at(network)) { return Admission::too_many_from_address; }
    }
    connections_.fetch_add(1, std::memory_order_relaxed);
    unauthenticated_.fetch_add(1, std::memory_order_relaxed);
    return Admission::admitted;
}

bool Census::move(
    const std::string& from, bool from_exempt, const std::string& to, bool to_exempt
) {
    if (from == to && from_exempt == to_exempt) { return true; }
    const std::lock_guard lock(mutex_);
    if (!to_exempt && !count_at(to)) { return false; }
    if (!from_exempt) { forget_at(from, false); }
    return true;
}

void Census::authenticated(const std::string& network, bool is_exempt) {
    unauthenticated_.fetch_sub(1, std::memory_order_relaxed);
    if (is_exempt) { return; }
    const std::lock_guard lock(mutex_);
    --by_network_[network].unauthenticated;
}

void Census::left(const std::string& network, bool is_exempt, bool was_authenticated) {
    connections_.fetch_sub(1, std::memory_order_relaxed);
    if (!was_authenticated) { unauthenticated_.fetch_sub(1, std::memory_order_relaxed); }
    if (is_exempt) { return; }
    const std::lock_guard lock(mutex_);
    forget_at(network, was_authenticated);
}

}  // namespace transport
