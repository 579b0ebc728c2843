// Which shards are found to have stopped answering, in virtual time.
#include "broker/server/pulse.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <utility>
#include <vector>

namespace server {
namespace {

using std::chrono::milliseconds;
using Silence = std::vector<Pulse::Silent>;

constexpr milliseconds interval{1000};

/// Runs what was posted when it is told to; its timers are the beats of the pulse.
class HeldShard : public engine::Shard {
public:
    using Shard::Shard;

    void post(engine::Work work) override { posted_.push_back(std::move(work)); }

    [[nodiscard]] engine::Instant now() const override { return engine::Instant(0); }

    [[nodiscard]] std::uint64_t wall_clock_ms() const override { return 0; }

    void after(milliseconds, engine::Work work) override { timers_.push_back(std::move(work)); }

    void random(std::span<std::byte>) override {}

    void run() {
        while (!posted_.empty()) {
            engine::Work work = std::move(posted_.front());
            posted_.pop_front();
            work();
        }
    }

    void pass_interval() {
        engine::Work work = std::move(timers_.front());
        timers_.pop_front();
        work();
    }

    [[nodiscard]] std::size_t waiting() const { return posted_.size(); }

private:
    std::deque<engine::Work> posted_;
    std::deque<engine::Work> timers_;
};

class PulseTest : public testing::Test {
protected:
    PulseTest() : pulse_({&first_, &second_}, interval) { pulse_.start(); }

    void pass(int intervals, bool second_answers) {
        for (int i = 0; i < intervals; ++i) {
            first_.run();
            if (second_answers) { second_.run(); }
            first_.run();
            first_.pass_interval();
        }
    }

    HeldShard first_{0};
    HeldShard second_{1};
    Pulse pulse_;
};

TEST_F(PulseTest, O_4_WhoAnswersIsNotNamed) {
    pass(30, true);
    EXPECT_EQ(pulse_.silent_for(interval), Silence{});
}

TEST_F(PulseTest, O_4_WhoHangsIsNamedOnceTheTimeHasPassed) {
    pass(9, false);
    EXPECT_EQ(pulse_.silent_for(interval * 10), Silence{});
    pass(1, false);
    EXPECT_EQ(pulse_.silent_for(interval * 10), (Silence{{1, interval * 10}}));
}

TEST_F(PulseTest, O_4_WhoAnswersAgainIsForgiven) {
    pass(30, false);
    pass(2, true);
    EXPECT_EQ(pulse_.silent_for(interval), Silence{});
}

TEST_F(PulseTest, O_4_WhoHangsIsAskedOnce) {
    pass(100, false);
    EXPECT_EQ(second_.waiting(), 1U);
}

TEST_F(PulseTest, O_4_TimeInWhichNobodyRanAccusesNobody) {
    // Suspended after a question: at the first beat afterwards one interval counts, not the hours.
    pass(1, true);
    first_.pass_interval();
    EXPECT_EQ(pulse_.silent_for(interval * 2), Silence{});
}

}  // namespace
}  // namespace server
