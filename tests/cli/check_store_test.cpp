// `stampede check-store` on stores made here: reports, messages, exit codes.
#include "broker/cli/commands.hpp"
#include "broker/cli/exit_code.hpp"
#include "storage/database.hpp"
#include "storage/record.hpp"
#include "storage/rocks_store.hpp"
#include "tests/storage/recording_listener.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace cli {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

struct Outcome {
    int code = 0;
    std::string out;
    std::string err;
};

Outcome run_tool(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), {"stampede", "check-store"});
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run(static_cast<int>(arguments.size()), arguments.data());
    std::fflush(stdout);
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

class CheckStore : public testing::Test {
protected:
    CheckStore() {
        options.directory = directory / "store";
        options.allow_unsafe_filesystem = true;
    }

    [[nodiscard]] const char* path() const { return options.directory.c_str(); }

    /// Two messages in /queue/a, of which the first was delivered twice.
    [[nodiscard]] std::unique_ptr<storage::MessageStore> filled() {
        auto store = storage::open_rocks_store(options);
        store->start({&listener});
        auto batch = std::make_unique<storage::Batch>();
        const storage::QueueId queue = store->new_queue_id();
        batch->define({queue, {"/queue/a", ""}});
        batch->append({queue, 1, first, nullptr});
        batch->append({queue, 2, second, nullptr});
        batch->set_deliveries({queue, 1, 2});
        store->store(0, std::move(batch));
        return store;
    }

    void make_store() { EXPECT_TRUE(filled()->close()); }

    /// Changes an octet of the second message where it lies.
    void damage() {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(options.directory)) {
            if (entry.path().extension() != ".sst") { continue; }
            std::ifstream in(entry.path(), std::ios::binary);
            std::string octets{std::istreambuf_iterator<char>(in), {}};
            const std::size_t at = octets.find("second");
            if (at == std::string::npos) { continue; }
            octets[at] = 'S';
            std::ofstream(entry.path(), std::ios::binary) << octets;
            return;
        }
        FAIL() << "the message is nowhere";
    }

    /// Writes a record with a wrong checksum in place of the second message.
    void spoil() {
        storage::DatabaseOptions database_options;
        database_options.directory = options.directory + "/db";
        storage::Database database(database_options);
        storage::Database::Group group(database);
        group.put(storage::Family::messages, storage::message_key(1, 2).view(), "spoiled");
        std::string error;
        ASSERT_EQ(database.write(group, true, error), storage::Written::yes) << error;
        ASSERT_EQ(database.close(), "");
    }

    const std::string first = "message-id:1\ncontent-length:5\n\nfirst\0"s;
    const std::string second = "message-id:2\ncontent-length:6\na\\cb:c\n\nsecond\0"s;
    TemporaryDirectory directory;
    storage::RocksOptions options;
    RecordingListener listener;
};

TEST_F(CheckStore, D_RUN_04_ASoundStoreIsSummarised) {
    make_store();
    const Outcome outcome = run_tool({path()});
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("/queue/a: 2 messages"));
    EXPECT_THAT(outcome.out, HasSubstr("is sound: 2 sound messages"));
    EXPECT_THAT(outcome.out, HasSubstr("stopped cleanly"));
}

TEST_F(CheckStore, D_RUN_04_TheReportAsJson) {
    make_store();
    const Outcome outcome = run_tool({path(), "--json"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr(R"("sound":true,"clean_stop":true)"));
    EXPECT_THAT(outcome.out, HasSubstr(R"("messages":2)"));
    EXPECT_THAT(outcome.out, HasSubstr(R"("queues":[{"name":"/queue/a","messages":2,)"));
    EXPECT_THAT(outcome.out, HasSubstr(R"("faults":[])"));
}

TEST_F(CheckStore, DumpsTheMessagesOfAQueueByAnyOfItsNames) {
    make_store();
    const std::string expected =
        R"({"sequence":1,"deliveries":2,"message-id":"1","headers":{},"body":"first"})"
        "\n"
        R"({"sequence":2,"deliveries":0,"message-id":"2","headers":{"a:b":"c"},"body":"second"})"
        "\n";
    for (const char* const name : {"/queue/a", "/amq/queue/a", "a"}) {
        const Outcome outcome = run_tool({path(), "--dump", name});
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        EXPECT_EQ(outcome.out, expected);
    }
}

TEST_F(CheckStore, D_RUN_04_WhatCannotBeLookedAtExitsWithOne) {
    EXPECT_EQ(run_tool({path()}).code, 1);
    const auto store = filled();
    const Outcome in_use = run_tool({path()});
    EXPECT_EQ(in_use.code, 1);
    EXPECT_THAT(in_use.err, HasSubstr("in use by process " + std::to_string(::getpid())));
    EXPECT_TRUE(store->close());
}

TEST_F(CheckStore, AQueueThatIsNotThereIsNamed) {
    make_store();
    const Outcome outcome = run_tool({path(), "--dump", "/queue/none"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("/queue/none"));
    EXPECT_EQ(outcome.out, "");
}

TEST_F(CheckStore, D_ROCK_01_DamageExitsWithSixAndNamesTheMessage) {
    make_store();
    damage();
    const Outcome text = run_tool({path()});
    EXPECT_EQ(text.code, 6);
    EXPECT_THAT(text.out, HasSubstr("fault: /queue/a, message 2: "));
    EXPECT_THAT(text.out, HasSubstr("is DAMAGED"));
    const Outcome json = run_tool({path(), "--json"});
    EXPECT_EQ(json.code, 6);
    EXPECT_THAT(json.out, HasSubstr(R"("sound":false)"));
    EXPECT_THAT(json.out, HasSubstr(R"({"queue":"/queue/a","sequence":2,"what":")"));
    const Outcome dumped = run_tool({path(), "--dump", "/queue/a"});
    EXPECT_EQ(dumped.code, 6);
    EXPECT_THAT(dumped.out, HasSubstr(R"({"sequence":2,"deliveries":0,"damaged":true})"));
}

TEST_F(CheckStore, D_ROCK_01_SetAsideSaysWhatItTookOut) {
    make_store();
    spoil();
    const Outcome outcome = run_tool({path(), "--set-aside"});
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("set aside: /queue/a, message 2: "));
    EXPECT_TRUE(std::filesystem::exists(options.directory + "/set-aside"));
    const Outcome again = run_tool({path(), "--dump", "/queue/a"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.out, testing::Not(HasSubstr("second")));
}

TEST_F(CheckStore, D_ROCK_01_SetAsideRefusesATableThatCannotBeRead) {
    make_store();
    damage();
    const Outcome outcome = run_tool({path(), "--set-aside"});
    EXPECT_EQ(outcome.code, 6);
    EXPECT_THAT(outcome.err, HasSubstr("nothing was set aside"));
    EXPECT_FALSE(std::filesystem::exists(options.directory + "/set-aside"));
    EXPECT_THAT(run_tool({path()}).out, HasSubstr("fault: /queue/a, message 2: "));
}

TEST_F(CheckStore, WrongUsageExitsWithTwo) {
    EXPECT_EQ(run_tool({}).code, 2);
    EXPECT_EQ(run_tool({path(), "--dump", "/queue/a", "--set-aside"}).code, 2);
}

}  // namespace
}  // namespace cli
