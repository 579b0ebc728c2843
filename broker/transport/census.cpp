#include "broker/transport/census.hpp"

namespace transport {

using protocol::LimitKey;

void Census::set_limits(const Options& options) {
    connections_max_.store(options.connections_max, std::memory_order_relaxed);
    unauthenticated_max_.store(options.unauthenticated_max, std::memory_order_relaxed);
    connections_per_user_max_.store(options.connections_per_user_max, std::memory_order_relaxed);
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

LimitKey Census::count_at(const std::string& network) {
    Count& count = by_network_[network];
    const std::size_t limit = connections_per_ip_max_;
    if (limit != 0 && count.connections >= limit) { return LimitKey::connections_per_ip; }
    if (count.unauthenticated >= unauthenticated_per_ip_max_) {
        return LimitKey::unauthenticated_per_ip;
    }
    ++count.connections;
    ++count.unauthenticated;
    return LimitKey::none;
}

void Census::forget_at(const std::string& network, bool was_authenticated) {
    const auto found = by_network_.find(network);
    if (found == by_network_.end()) { return; }
    if (!was_authenticated) { --found->second.unauthenticated; }
    if (--found->second.connections == 0) { by_network_.erase(found); }
}

LimitKey Census::admit(const std::string& network, bool is_exempt, std::size_t beyond) {
    if (connections() >= connections_max_.load(std::memory_order_relaxed)) {
        return LimitKey::connections;
    }
    const std::size_t waiting_max = unauthenticated_max_.load(std::memory_order_relaxed) + beyond;
    if (unauthenticated() >= waiting_max) { return LimitKey::unauthenticated; }
    if (!is_exempt) {
        const std::lock_guard lock(mutex_);
        if (const auto crossed = count_at(network); crossed != LimitKey::none) { return crossed; }
    }
    connections_.fetch_add(1, std::memory_order_relaxed);
    unauthenticated_.fetch_add(1, std::memory_order_relaxed);
    return LimitKey::none;
}

LimitKey Census::move(
    const std::string& from, bool from_exempt, const std::string& to, bool to_exempt
) {
    if (from == to && from_exempt == to_exempt) { return LimitKey::none; }
    const std::lock_guard lock(mutex_);
    if (!to_exempt) {
        if (const auto crossed = count_at(to); crossed != LimitKey::none) { return crossed; }
    }
    if (!from_exempt) { forget_at(from, false); }
    return LimitKey::none;
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

bool Census::enter(const std::string& user) {
    const std::lock_guard lock(users_mutex_);
    std::size_t& count = by_user_[user];
    const std::size_t limit = connections_per_user_max_.load(std::memory_order_relaxed);
    if (limit != 0 && count >= limit) { return false; }
    ++count;
    return true;
}

void Census::leave(const std::string& user) {
    const std::lock_guard lock(users_mutex_);
    const auto found = by_user_.find(user);
    if (found != by_user_.end() && --found->second == 0) { by_user_.erase(found); }
}

}  // namespace transport
