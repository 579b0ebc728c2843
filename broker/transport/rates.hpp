// How fast a user, or an address, may send over all of its connections (S-RATE-02).
// Any thread. Asked once per read, or per second's worth. Remembers at most 65,536 users and
// addresses, and those that are connected.
#pragma once

#include "broker/engine/shard.hpp"
#include "broker/transport/options.hpp"
#include "protocol/command.hpp"
#include "protocol/limit_key.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace transport {

/// A token bucket that holds one second's worth, and can be in debt.
class Bucket {
public:
    /// Takes `amount` at `rate` a second: how long until the debt is paid, 0 if there is none. If
    /// the debt would be more than `most`, it becomes that, and nothing is returned: to come again
    /// does not help.
    std::optional<engine::Instant> take(
        std::size_t amount, std::size_t rate, engine::Instant now, engine::Instant most
    );
    /// Takes `amount` if that makes no debt; else nothing, and false: so many get through in a
    /// second, however many try.
    [[nodiscard]] bool take_if_there(std::size_t amount, std::size_t rate, engine::Instant now);

    [[nodiscard]] bool is_full(engine::Instant now) const;

private:
    std::atomic<std::int64_t> full_at_{0};  ///< In nanoseconds.
};

/// The buckets of one user or address; shared by its connections.
struct Meter {
    Bucket messages;
    Bucket bytes;
    Bucket subscribes;
    Bucket connections;

    [[nodiscard]] bool is_idle(engine::Instant now) const;
};

using MeterRef = std::shared_ptr<Meter>;

class Meters {
public:
    explicit Meters(std::size_t idle_max = 65'536) : idle_max_(idle_max) {}

    /// That of `name`, who is connected: there are no more of those than connections.
    [[nodiscard]] MeterRef of(const std::string& name, engine::Instant now);
    /// That of `name`, who is not yet. Null if as many as may be are remembered.
    [[nodiscard]] MeterRef of_stranger(const std::string& name, engine::Instant now);

    [[nodiscard]] std::size_t size() const;

private:
    [[nodiscard]] MeterRef find_or_make(
        const std::string& name, engine::Instant now, bool is_stranger
    );
    void forget_idle(engine::Instant now);

    const std::size_t idle_max_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, MeterRef> meters_;
    engine::Instant swept_{0};
};

/// What a connection is to do about its rates.
struct Pace {
    protocol::LimitKey limit = protocol::LimitKey::none;
    engine::Instant pause{0};  ///< How long nothing is to be read.
    bool is_refused = false;
};

/// What one connection has sent since it was last asked. Lives on its shard.
class Toll {
public:
    Toll(MeterRef address, MeterRef user) : address_(std::move(address)), user_(std::move(user)) {}

    /// Whether it is to pay before more is read: what was noted is a second's worth or more.
    [[nodiscard]] bool note(protocol::Command command, const Options& options) {
        if (command == protocol::Command::send) {
            ++messages_;
            return is_much(messages_, options, &Rates::messages);
        }
        if (command != protocol::Command::subscribe) { return false; }
        ++subscribes_;
        return is_much(subscribes_, options, &Rates::subscribes);
    }

    /// How much of a buffer may be read at once: never more than a second's worth, so that a
    /// client alone is slowed down and not refused for the size of its frames.
    [[nodiscard]] std::size_t read_max(std::size_t buffer, const Options& options) const;

    /// Pays for what was noted, and for `octets`.
    [[nodiscard]] Pace pay(std::size_t octets, const Options& options, engine::Instant now);

private:
    [[nodiscard]] bool is_much(std::size_t noted, const Options& options, std::size_t Rates::*rate)
        const {
        const auto reaches = [noted](std::size_t limit) { return limit != 0 && noted >= limit; };
        return (address_ && reaches(options.rates_per_ip.*rate)) ||
               (user_ && reaches(options.rates_per_user.*rate));
    }

    MeterRef address_;  ///< Null: no rates, or not counted.
    MeterRef user_;
    std::size_t messages_ = 0;
    std::size_t subscribes_ = 0;
};

class RateLimits {
public:
    /// Null if nothing limits it. `network`: of an address, empty if exempt; `user`: empty if it is
    /// nobody's own.
    [[nodiscard]] std::unique_ptr<Toll> toll(
        const std::string& network,
        const std::string& user,
        const Options& options,
        engine::Instant now
    );

    /// One more connection of that network; false if they come too fast. True for networks that
    /// there is no more room to remember.
    [[nodiscard]] bool admit(
        const std::string& network, const Options& options, engine::Instant now
    );

private:
    Meters addresses_;
    Meters users_;
};

}  // namespace transport
