// The threads that hash: deterministic by gates, never by time (S-AUTH-08).
#include "broker/security/hash_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <utility>

namespace security {
namespace {

using testing::ElementsAre;

constexpr Standing within = Standing::within_budget;
constexpr Standing over = Standing::over_budget;

/// Holds one thread of a pool until it is opened.
class Gate {
public:
    explicit Gate(HashPool& pool) {
        EXPECT_TRUE(pool.submit("gate", within, [this](Turn) {
            entered_.count_down();
            opened_.wait();
        }));
        entered_.wait();
    }

    void open() {
        if (!std::exchange(is_open_, true)) { opened_.count_down(); }
    }

private:
    bool is_open_ = false;
    std::latch entered_{1};
    std::latch opened_{1};
};

/// A pool of one thread, which is held by a gate while the test fills the queue.
class HashPoolTest : public testing::Test {
protected:
    /// No job outlives what it uses.
    void TearDown() override {
        gate.open();
        pool.stop();
    }

    /// Whether stop() has begun: what is refused then is no overload.
    bool is_stopping() {
        const std::uint64_t overloads = pool.counters().overloads;
        return !pool.submit("b", within, [](Turn) {}) && pool.counters().overloads == overloads;
    }

    void submit(const std::string& address, Standing standing = within) {
        EXPECT_TRUE(pool.submit(address, standing, [this, address](Turn turn) {
            // Only the one thread of the pool and, before the gate opens, the test's come here.
            called.push_back(turn == Turn::hash ? address : "no " + address);
        }));
    }

    /// Opens the gate and waits until all that waits has been served.
    void serve() {
        std::latch done(1);
        EXPECT_TRUE(pool.submit("last", over, [&done](Turn) { done.count_down(); }));
        gate.open();
        done.wait();
    }

    HashPool pool{{1, 8}};
    Gate gate{pool};
    std::vector<std::string> called;
};

TEST_F(HashPoolTest, S_AUTH_08_ServesByAddressInTurnAndOverBudgetLast) {
    submit("bad", over);
    submit("a");
    submit("a");
    submit("b");
    serve();
    EXPECT_THAT(called, ElementsAre("a", "b", "a", "bad"));
}

TEST_F(HashPoolTest, S_AUTH_08_AFullQueueRefusesWithoutBlocking) {
    for (const char* const address : {"a", "b", "c", "d", "e", "f", "g"}) {
        submit(address);
    }
    submit("bad", over);
    EXPECT_FALSE(pool.submit("worse", over, [](Turn) { FAIL() << "was not taken"; }));
    EXPECT_EQ(pool.counters().waiting, 8U);
    EXPECT_EQ(pool.counters().overloads, 1U);
    submit("h");
    EXPECT_THAT(called, ElementsAre("no bad")) << "called here and now";
    EXPECT_FALSE(pool.submit("i", within, [](Turn) { FAIL() << "was not taken"; }));
    EXPECT_EQ(pool.counters().overloads, 3U);
}

TEST_F(HashPoolTest, S_AUTH_08_StopWaitsForTheOneAndDropsTheOthers) {
    auto held = std::make_shared<int>(0);
    EXPECT_TRUE(pool.submit("a", within, [held](Turn) { FAIL() << "was dropped"; }));
    EXPECT_EQ(held.use_count(), 2);
    std::thread stopper([this] { pool.stop(); });
    while (!is_stopping()) {
        std::this_thread::yield();
    }
    gate.open();
    stopper.join();
    EXPECT_EQ(pool.counters().waiting, 0U);
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_FALSE(pool.submit("c", within, [](Turn) { FAIL() << "has stopped"; }));
    pool.stop();
}

TEST_F(HashPoolTest, S_PROC_02_AJobThatThrowsIsCountedAndTheNextOneRuns) {
    EXPECT_TRUE(pool.submit("a", within, [](Turn) { throw std::runtime_error("broken"); }));
    EXPECT_TRUE(pool.submit("a", within, [](Turn) { throw 1; }));
    submit("b");
    serve();
    EXPECT_THAT(called, ElementsAre("b"));
    EXPECT_EQ(pool.counters().failures, 2U);
    EXPECT_GE(pool.counters().hashed, 4U);
}

TEST(HashPoolThreads, S_AUTH_08_RunsAsManyJobsAtOnceAsItHasThreads) {
    HashPool pool({3, 8});
    std::latch together(3);
    std::latch done(3);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(pool.submit("a", within, [&](Turn) {
            together.arrive_and_wait();
            done.count_down();
        }));
    }
    done.wait();
    EXPECT_EQ(pool.counters().hashed, 3U);
}

TEST(HashPoolThreads, S_AUTH_08_ManySubmittersGetOneCallForEachJobTaken) {
    HashPool pool({2, 16});
    constexpr int jobs_of_each = 500;
    std::atomic<int> taken = 0;
    std::atomic<int> called = 0;
    std::vector<std::thread> submitters;
    for (int i = 0; i < 3; ++i) {
        submitters.emplace_back([&pool, &taken, &called, i] {
            const std::string address(1, static_cast<char>('a' + i));
            for (int job = 0; job < jobs_of_each; ++job) {
                const Standing standing = job % 3 == 0 ? over : within;
                if (pool.submit(address, standing, [&called](Turn) { ++called; })) { ++taken; }
            }
        });
    }
    for (std::thread& submitter : submitters) {
        submitter.join();
    }
    while (pool.counters().waiting > 0) {
        std::this_thread::yield();
    }
    pool.stop();
    EXPECT_EQ(called, taken);
}

TEST(HashPoolThreads, S_AUTH_08_DefaultsAreThoseOfTheSpecification) {
    const HashPool::Limits limits;
    EXPECT_EQ(limits.threads, 1U);
    EXPECT_EQ(limits.queue, 64U);
}

}  // namespace
}  // namespace security
