// The arithmetic of buckets: one number each, the time at which it would be full again.
// No lock but the tables'.
#include "broker/transport/rates.hpp"

#include <algorithm>
#include <chrono>

namespace transport {

using engine::Instant;
using protocol::LimitKey;

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr Instant debt_max = std::chrono::seconds(5);

/// What the limits of Rates are called.
struct RateKeys {
    LimitKey messages;
    LimitKey bytes;
    LimitKey subscribes;
};

constexpr RateKeys keys_per_user{
    LimitKey::messages_per_second_per_user,
    LimitKey::bytes_per_second_per_user,
    LimitKey::subscribes_per_second_per_user};
constexpr RateKeys keys_per_ip{
    LimitKey::messages_per_second_per_ip,
    LimitKey::bytes_per_second_per_ip,
    LimitKey::subscribes_per_second_per_ip};

std::int64_t in_ns(Instant time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

// What one read brings has far fewer than 2^30 octets: at one a second that still fits.
std::int64_t cost_of(std::size_t amount, std::size_t rate) {
    return static_cast<std::int64_t>(std::min<std::size_t>(amount, 1U << 30U)) * second_ns /
           static_cast<std::int64_t>(rate);
}

}  // namespace

std::optional<Instant> Bucket::take(
    std::size_t amount, std::size_t rate, Instant now, Instant most
) {
    const std::int64_t cost = cost_of(amount, rate);
    const std::int64_t at = in_ns(now);
    const std::int64_t limit = at + second_ns + in_ns(most);
    std::int64_t had = full_at_.load(std::memory_order_relaxed);
    std::int64_t has = 0;
    do {
        has = std::min(std::max(had, at) + cost, std::max(had, limit));
    } while (!full_at_.compare_exchange_weak(had, has, std::memory_order_relaxed));
    if (std::max(had, at) + cost > limit) { return std::nullopt; }
    const std::int64_t debt = has - at - second_ns;
    // Whole milliseconds, and never less than is owed.
    return Instant(debt <= 0 ? 0 : (debt + 999'999) / 1'000'000);
}

bool Bucket::take_if_there(std::size_t amount, std::size_t rate, Instant now) {
    const std::int64_t cost = cost_of(amount, rate);
    const std::int64_t at = in_ns(now);
    std::int64_t had = full_at_.load(std::memory_order_relaxed);
    std::int64_t has = 0;
    do {
        has = std::max(had, at) + cost;
        if (has - at > second_ns) { return false; }
    } while (!full_at_.compare_exchange_weak(had, has, std::memory_order_relaxed));
    return true;
}

bool Bucket::is_full(Instant now) const {
    return full_at_.load(std::memory_order_relaxed) <= in_ns(now);
}

bool Meter::is_idle(Instant now) const {
    return messages.is_full(now) && bytes.is_full(now) && subscribes.is_full(now) &&
           connections.is_full(now);
}

MeterRef Meters::of(const std::string& name, Instant now) {
    return find_or_make(name, now, false);
}

MeterRef Meters::of_stranger(const std::string& name, Instant now) {
    return find_or_make(name, now, true);
}

MeterRef Meters::find_or_make(const std::string& name, Instant now, bool is_stranger) {
    const std::lock_guard lock(mutex_);
    if (const auto found = meters_.find(name); found != meters_.end()) { return found->second; }
    if (meters_.size() >= idle_max_) { forget_idle(now); }
    if (is_stranger && meters_.size() >= idle_max_) { return nullptr; }
    return meters_.emplace(name, std::make_shared<Meter>()).first->second;
}

// At most once a second, so that many names do not make logging in slow.
void Meters::forget_idle(Instant now) {
    if (now - swept_ < std::chrono::seconds(1)) { return; }
    swept_ = now;
    std::erase_if(meters_, [now](const auto& entry) {
        return entry.second.use_count() == 1 && entry.second->is_idle(now);
    });
}

std::size_t Meters::size() const {
    const std::lock_guard lock(mutex_);
    return meters_.size();
}

std::size_t Toll::read_max(std::size_t buffer, const Options& options) const {
    if (user_) { buffer = smaller_limit(buffer, options.rates_per_user.bytes); }
    if (address_) { buffer = smaller_limit(buffer, options.rates_per_ip.bytes); }
    return buffer;
}

Pace Toll::pay(std::size_t octets, const Options& options, Instant now) {
    Pace pace;
    const auto take = [&](LimitKey limit, Bucket& bucket, std::size_t amount, std::size_t rate) {
        if (rate == 0 || amount == 0) { return; }
        const auto pause = bucket.take(amount, rate, now, debt_max);
        if (pace.is_refused || (pause && *pause <= pace.pause)) { return; }
        pace = {limit, pause.value_or(Instant(0)), !pause};
    };
    const auto take_all = [&](const MeterRef& meter, const Rates& rates, const RateKeys& keys) {
        if (!meter) { return; }
        take(keys.messages, meter->messages, messages_, rates.messages);
        take(keys.bytes, meter->bytes, octets, rates.bytes);
        take(keys.subscribes, meter->subscribes, subscribes_, rates.subscribes);
    };
    take_all(user_, options.rates_per_user, keys_per_user);
    take_all(address_, options.rates_per_ip, keys_per_ip);
    messages_ = subscribes_ = 0;
    return pace;
}

std::unique_ptr<Toll> RateLimits::toll(
    const std::string& network, const std::string& user, const Options& options, Instant now
) {
    MeterRef address;
    MeterRef own;
    if (options.rates_per_ip.are_set() && !network.empty()) {
        address = addresses_.of(network, now);
    }
    if (options.rates_per_user.are_set() && !user.empty()) { own = users_.of(user, now); }
    if (!address && !own) { return nullptr; }
    return std::make_unique<Toll>(std::move(address), std::move(own));
}

bool RateLimits::admit(const std::string& network, const Options& options, Instant now) {
    const std::size_t rate = options.connections_per_second_per_ip;
    if (rate == 0 || network.empty()) { return true; }
    const MeterRef meter = addresses_.of_stranger(network, now);
    return !meter || meter->connections.take_if_there(1, rate, now);
}

}  // namespace transport
