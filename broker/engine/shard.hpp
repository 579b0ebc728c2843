// One thread and everything that lives on it: the unit of ownership.
// An object is created on a shard, used only there, destroyed there; only `const` crosses.
#pragma once

#include "broker/engine/annotations.hpp"
#include "broker/engine/work.hpp"

#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace engine {

/// Time since some fixed moment, monotonic; a shard's time stands still during a turn.
using Instant = std::chrono::milliseconds;

class CAPABILITY("shard") Shard {
public:
    explicit Shard(unsigned index) : index_(index) {}

    virtual ~Shard() = default;
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    /// 0 to the number of shards - 1.
    [[nodiscard]] unsigned index() const { return index_; }

    /// The calling thread works for it, or for no shard: before the first turn and after the last.
    [[nodiscard]] bool is_current() const { return current_ == this || current_ == nullptr; }

    /// Runs `work` on this shard later; FIFO for each posting shard. Any shard may call it.
    virtual void post(Work work) = 0;

    // The rest is for callers on this shard.

    [[nodiscard]] virtual Instant now() const = 0;

    /// Microseconds since the moment of now(), read from the clock: for what is timed as a sample,
    /// not for every message.
    [[nodiscard]] virtual std::uint64_t clock_us() const {
        return static_cast<std::uint64_t>(now().count()) * 1000;
    }

    /// Milliseconds since 1970, for what is written into messages.
    [[nodiscard]] virtual std::uint64_t wall_clock_ms() const = 0;
    /// Runs `work` on this shard once `delay` has passed, not before the next turn.
    virtual void after(std::chrono::milliseconds delay, Work work) = 0;
    /// Fills `out` with unpredictable octets (S-SEC-03).
    virtual void random(std::span<std::byte> out) = 0;

    /// States, to the reader, to clang and at run time, that we are on this shard.
    [[gnu::always_inline]] void assert_current() const ASSERT_CAPABILITY(this) {
        assert(is_current());
    }

protected:
    /// The shard that the calling thread works for, or null.
    [[nodiscard]] static Shard* current() { return current_; }

    /// The calling thread works for `shard` from now on. Returns for whom it has worked.
    static Shard* enter(Shard* shard) { return std::exchange(current_, shard); }

private:
    // A plain pointer: asserting costs two instructions, in release builds, too.
    static inline constinit thread_local Shard* current_ = nullptr;

    unsigned index_;
};

/// A handle to a T that lives on another shard. It cannot be dereferenced: all one can do is send
/// work to where the T lives. If the T is gone by then, the work is dropped.
template <class T>
class Remote {
public:
    Remote() = default;

    Remote(Shard& shard, const std::shared_ptr<T>& object) : shard_(&shard), object_(object) {}

    [[nodiscard]] bool is_set() const { return shard_ != nullptr; }

    /// Runs work(T&) on the T's shard: at once if that is the current one.
    template <class F>
    void post(F work) const {
        if (shard_->is_current()) {
            if (const auto object = object_.lock()) { work(*object); }
            return;
        }
        shard_->post([object = object_, work = std::move(work)]() mutable {
            if (const auto alive = object.lock()) { work(*alive); }
        });
    }

private:
    Shard* shard_ = nullptr;
    std::weak_ptr<T> object_;
};

}  // namespace engine
