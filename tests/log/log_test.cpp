// The writer: what reaches stderr, in which format, and what does not.
#include "broker/log/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace logging {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// What `work` logs, as one text.
std::string logged(const Options& options, const std::function<void()>& work) {
    testing::internal::CaptureStderr();
    init(options);
    work();
    shutdown();
    return testing::internal::GetCapturedStderr();
}

const Options json_now{Level::info, Format::json, false};
const Options json_later{Level::info, Format::json, true};

auto lines_of(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
}

TEST(Log, WritesJsonLinesWhereStderrIsNoTerminal) {
    const std::string text = logged({Level::info, Format::automatic, false}, [] {
        info("ready", "all listeners accept", {{"listener", "ws"}});
    });
    EXPECT_THAT(text, StartsWith("{\"ts\":\""));
    EXPECT_THAT(
        text,
        HasSubstr(R"("level":"info","msg":"all listeners accept","event":"ready","listener":"ws"})")
    );
    EXPECT_EQ(lines_of(text), 1);
}

TEST(Log, WritesTextIfAsked) {
    const std::string text = logged({Level::info, Format::text, false}, [] {
        warn("ready", "all listeners accept", {{"conn", 1}});
    });
    EXPECT_THAT(text, HasSubstr(" warn  ready: all listeners accept conn=1\n"));
}

TEST(Log, O_6_TheNewestThousandLinesAreKeptAsObjects) {
    for (const Format format : {Format::json, Format::text}) {
        const std::string text = logged({Level::info, format, false}, [] {
            for (int i = 0; i < 1500; ++i) {
                info("kept", "line", {{"number", i}, {"name", "\"\n"}});
            }
            debug("kept", "below the level");
        });
        const std::vector<std::string> lines = recent();
        ASSERT_EQ(lines.size(), 1000U);
        EXPECT_THAT(lines.front(), HasSubstr(R"("event":"kept","number":500,"name":"\"\n"})"));
        EXPECT_THAT(lines.back(), HasSubstr(R"("number":1499,)"));
        EXPECT_EQ(lines_of(text), 1500);
    }
}

TEST(Log, LevelsBelowTheLeastAreNotWritten) {
    const std::string text = logged(json_now, [] {
        EXPECT_FALSE(is_enabled(Level::debug));
        debug("a", "not this");
        set_level(Level::error);
        warn("a", "nor this");
        set_level(Level::debug);
        debug("a", "but this");
    });
    EXPECT_THAT(text, Not(HasSubstr("not this")));
    EXPECT_THAT(text, Not(HasSubstr("nor this")));
    EXPECT_THAT(text, HasSubstr("but this"));
}

TEST(Log, OffMeansNothingAtAll) {
    const std::string text = logged({Level::off, Format::json, false}, [] { error("a", "b"); });
    EXPECT_EQ(text, "");
    EXPECT_FALSE(is_enabled(Level::off));
}

TEST(Log, BeforeInitAndAfterShutdownRecordsAreDropped) {
    testing::internal::CaptureStderr();
    set_level(Level::trace);
    error("a", "too early");
    write(Level::error, "a", "too early");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Log, ShutdownWritesWhatWaits) {
    const std::string text = logged(json_later, [] {
        // Fewer than may wait: of more, the oldest go when the writer is slower.
        for (int i = 0; i < 1000; ++i) {
            info("count", "line", {{"n", i}});
        }
    });
    EXPECT_EQ(lines_of(text), 1000);
    EXPECT_THAT(text, HasSubstr("\"n\":999}"));
}

TEST(Log, S_LOG_01_ARecordIsOneLineWhateverItsValues) {
    const std::string text = logged(json_now, [] {
        warn(
            "refused",
            "bad\nmessage %n {}",
            {{"user", "x\n{\"level\":\"info\"}\x1b[0m"}, {"err", "%s"}}
        );
    });
    EXPECT_EQ(lines_of(text), 1);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_THAT(text, HasSubstr("bad\\nmessage %n {}"));
}

TEST(Log, S_LOG_02_AFloodFromOneAddressIsTenLinesAndASummary) {
    const std::uint64_t before = suppressed_total();
    const std::string text = logged(json_now, [] {
        for (int port = 0; port < 100; ++port) {
            const std::string remote = "10.0.0.1:" + std::to_string(port);
            warn("denied", "not allowed", {{"remote", remote}});
        }
        warn("denied", "not allowed", {{"remote", "10.0.0.2:1"}});
    });
    // Should this take a second, further lines are admitted: nothing is counted exactly.
    EXPECT_LT(lines_of(text), 60);
    EXPECT_THAT(text, HasSubstr("10.0.0.2:1"));
    EXPECT_THAT(
        text,
        HasSubstr(
            R"("event":"log-suppressed","suppressed_event":"denied","remote":"10.0.0.1","count":)"
        )
    );
    EXPECT_GT(suppressed_total(), before);
}

TEST(Log, S_LOG_02_RecordsWithoutAddressAreNotLimited) {
    const std::string text = logged(json_now, [] {
        for (int i = 0; i < 50; ++i) {
            warn("config", "one of many");
        }
    });
    EXPECT_EQ(lines_of(text), 50);
}

TEST(Log, IsForAnyThread) {
    const std::string text = logged(json_later, [] {
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([i] {
                for (int n = 0; n < 100; ++n) {
                    info("t", "line", {{"thread", i}});
                }
                warn("t", "limited", {{"remote", "10.0.0.1:1"}});
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    });
    EXPECT_EQ(lines_of(text), 404);
}

TEST(Log, ASlowReaderStopsNobody) {
    // The queue is smaller than what is written: the oldest lines may be lost, none is waited for.
    const std::string text = logged(json_later, [] {
        for (int i = 0; i < 30'000; ++i) {
            info("count", "line", {{"n", i}});
        }
    });
    EXPECT_THAT(text, HasSubstr("\"n\":29999}"));
    EXPECT_LE(lines_of(text), 30'000);
}

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

class LogFile : public testing::TestWithParam<bool> {
protected:
    LogFile() { std::filesystem::create_directory(folder_); }

    ~LogFile() override {
        shutdown();
        std::filesystem::remove_all(folder_);
    }

    [[nodiscard]] Options options() const {
        return {Level::info, Format::automatic, GetParam(), file_};
    }

    const std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() / ("stampede-log-" + std::to_string(::getpid()));
    const std::string file_ = folder_ / "log";
};

TEST_P(LogFile, O_6_TakesJsonLinesInsteadOfStderr) {
    EXPECT_EQ(logged(options(), [] { info("ready", "listening"); }), "");
    EXPECT_THAT(text_of(file_), HasSubstr(R"("msg":"listening")"));
    logged(options(), [] { info("ready", "again"); });
    EXPECT_EQ(lines_of(text_of(file_)), 2);
}

TEST_P(LogFile, O_6_IsNotForOthersToRead) {
    logged(options(), [] { info("ready", "listening"); });
    const auto others = std::filesystem::perms::others_all;
    EXPECT_EQ(std::filesystem::status(file_).permissions() & others, std::filesystem::perms::none);
}

TEST_P(LogFile, O_3_IsOpenedAnewOnceItWasMovedAway) {
    logged(options(), [this] {
        info("a", "first");
        std::filesystem::rename(file_, file_ + ".1");
        EXPECT_EQ(reopen(), "");
        info("a", "second");
    });
    // What was on its way to the writer may have come into either; nothing is lost.
    EXPECT_THAT(text_of(file_), HasSubstr("second"));
    EXPECT_THAT(text_of(file_ + ".1") + text_of(file_), HasSubstr("first"));
    EXPECT_THAT(text_of(file_ + ".1"), Not(HasSubstr("second")));
}

TEST_P(LogFile, O_3_ThatCannotBeOpenedAnewGoesOnAsItWas) {
    logged(options(), [this] {
        std::filesystem::rename(folder_, folder_.string() + ".1");
        EXPECT_THAT(reopen(), HasSubstr(file_));
        info("a", "after");
    });
    std::filesystem::rename(folder_.string() + ".1", folder_);
    EXPECT_THAT(text_of(file_), HasSubstr("after"));
}

TEST_P(LogFile, O_6_ThatCannotBeOpenedIsASentence) {
    Options wrong = options();
    wrong.file = folder_ / "no" / "log";
    try {
        init(wrong);
        FAIL() << "it was opened";
    } catch (const std::runtime_error& error) { EXPECT_THAT(error.what(), HasSubstr(wrong.file)); }
}

INSTANTIATE_TEST_SUITE_P(NowAndLater, LogFile, testing::Bool());

}  // namespace
}  // namespace logging
