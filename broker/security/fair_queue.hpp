// What waits for a hash: at most so many jobs, served by address in turn (S-AUTH-08).
// Pure and not locked. Addresses over their budget of failed logins are served when no other
// waits, and give way when the queue is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <string>
#include <string_view>

namespace security {

/// What has become of a job: its turn to compute, or no place for it after all.
enum class Turn : std::uint8_t { hash, overload };

using HashJob = std::function<void(Turn)>;

enum class Standing : std::uint8_t { within_budget, over_budget };

class FairQueue {
public:
    struct Pushed {
        bool is_taken = false;
        HashJob displaced = {};  ///< Has lost its place to this one; empty mostly.
    };

    explicit FairQueue(std::size_t jobs_max) : jobs_max_(jobs_max) {}

    /// Puts a job behind those of its address. If all places are taken, the newest job of the
    /// address with the most gives way, of those over budget first, but never one of an address
    /// that would then have fewer than this one's; if there is none, this one is not taken.
    [[nodiscard]] Pushed push(std::string_view address, Standing standing, HashJob job);

    /// The next job; empty if there is none.
    [[nodiscard]] HashJob pop();

    [[nodiscard]] std::size_t size() const { return size_; }

private:
    struct Line {
        std::string address;
        std::deque<HashJob> jobs;
    };

    using Lines = std::list<Line>;  ///< The next to be served first.

    [[nodiscard]] Lines& lines_of(Standing standing) {
        return standing == Standing::within_budget ? within_ : over_;
    }

    [[nodiscard]] HashJob displace(std::string_view address, Standing standing);
    HashJob take_newest(Lines& lines, Lines::iterator line);

    std::size_t jobs_max_;
    std::size_t size_ = 0;
    Lines within_;
    Lines over_;
};

}  // namespace security
