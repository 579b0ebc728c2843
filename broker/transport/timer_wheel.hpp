// Coarse deadlines of many connections: one bucket per tick, no allocation, no order within a tick.
// Lives on its shard; an entry that lies beyond the horizon is looked at once per turn of the
// wheel.
#pragma once

#include "broker/engine/shard.hpp"

#include <array>
#include <cstddef>

namespace transport {

class TimerWheel;

/// Base of whoever has a deadline. At most one; leaving scope cancels it.
class Timed {
public:
    Timed() = default;
    virtual ~Timed();
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

    /// The deadline has passed; it is not armed any more. The object may be destroyed within.
    virtual void on_deadline() = 0;

private:
    friend class TimerWheel;

    void unlink();

    Timed* previous_ = nullptr;  ///< Null: not armed.
    Timed* next_ = nullptr;
    engine::Instant deadline_{0};
    TimerWheel* wheel_ = nullptr;
};

class TimerWheel {
public:
    static constexpr engine::Instant tick{50};

    TimerWheel();
    ~TimerWheel();
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    /// Makes sure that `timed` is woken at `deadline` (up to one tick late): keeps an earlier one.
    void arm(Timed& timed, engine::Instant deadline);
    void disarm(Timed& timed);

    /// Wakes everyone whose deadline is not after `now`.
    void advance(engine::Instant now);

    [[nodiscard]] bool empty() const { return armed_ == 0; }

private:
    friend class Timed;

    class Head : public Timed {
        void on_deadline() override {}
    };

    static constexpr std::size_t slots = 1024;  // 51 s.

    void link(Timed& timed);

    std::array<Head, slots> slots_;
    std::size_t armed_ = 0;
    engine::Instant current_{0};  ///< Everything up to here has been woken.
};

}  // namespace transport
