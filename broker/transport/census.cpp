#include "broker/transport/census.hpp"

namespace transport {

void Census::set_limits(const Options& options) {
    connections_max_.store(options.connections_max, std::memory_order_relaxed);
    unauthenticated_max_.store(options.unauthenticated_max, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    exempt_ = options.exempt;
    connections_per_ip_max_ = options.connections_per_ip_max;
    unauthenticated_per_ip_max_ = options.unauthenticated_per_ip_max;
}

bool Census::is_exempt(const std::string& address, bool is_loopback) const {
    if (is_loopback) { return true; }
    const std::lock_guard lock(mutex_);
    return exempt_.contains(address);
}

bool Census::count_at(const std::string& network) {
    Count& count = by_network_[network];
    const bool is_over =
        (connections_per_ip_max_ != 0 && count.connections >= connections_per_ip_max_) ||
        count.unauthenticated >= unauthenticated_per_ip_max_;
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
    if (connections() >= connections_max_.load(std::memory_order_relaxed)) {
        return Admission::too_many;
    }
    if (is_waiting_room_full()) { return Admission::too_many_unauthenticated; }
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
