#include "broker/transport/census.hpp"

#include <boost/asio/ip/address.hpp>

namespace transport {

namespace {

// IPv6 peers are counted by their /64: one host owns it all.
std::string network_of(const std::string& address) {
    boost::system::error_code ec;
    const auto parsed = boost::asio::ip::make_address(address, ec);
    if (ec || !parsed.is_v6() || parsed.to_v6().is_v4_mapped()) { return address; }
    const auto octets = parsed.to_v6().to_bytes();
    return {reinterpret_cast<const char*>(octets.data()), 8};
}

}  // namespace

Admission Census::admit(const std::string& address, bool is_loopback) {
    if (connections() >= options_.connections_max) { return Admission::too_many; }
    if (unauthenticated() >= options_.unauthenticated_max) {
        return Admission::too_many_unauthenticated;
    }
    if (!is_loopback) {
        const std::lock_guard lock(mutex_);
        Count& count = by_address_[network_of(address)];
        const bool is_over = (options_.connections_per_ip_max != 0 &&
                              count.connections >= options_.connections_per_ip_max) ||
                             count.unauthenticated >= options_.unauthenticated_per_ip_max;
        if (is_over) { return Admission::too_many_from_address; }
        ++count.connections;
        ++count.unauthenticated;
    }
    connections_.fetch_add(1, std::memory_order_relaxed);
    unauthenticated_.fetch_add(1, std::memory_order_relaxed);
    return Admission::admitted;
}

void Census::authenticated(const std::string& address, bool is_loopback) {
    unauthenticated_.fetch_sub(1, std::memory_order_relaxed);
    if (is_loopback) { return; }
    const std::lock_guard lock(mutex_);
    --by_address_[network_of(address)].unauthenticated;
}

void Census::left(const std::string& address, bool is_loopback, bool was_authenticated) {
    connections_.fetch_sub(1, std::memory_order_relaxed);
    if (!was_authenticated) { unauthenticated_.fetch_sub(1, std::memory_order_relaxed); }
    if (is_loopback) { return; }
    const std::lock_guard lock(mutex_);
    const auto found = by_address_.find(network_of(address));
    if (found == by_address_.end()) { return; }
    if (!was_authenticated) { --found->second.unauthenticated; }
    if (--found->second.connections == 0) { by_address_.erase(found); }
}

}  // namespace transport
