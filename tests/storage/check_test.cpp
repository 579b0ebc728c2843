// The check of a closed store: sound ones, and every kind of damage that can be made by hand.
// Damage is written through the database's own door, below the store.
#include "storage/check.hpp"

#include "storage/database.hpp"
#include "storage/directory.hpp"
#include "storage/record.hpp"
#include "storage/rocks_store.hpp"
#include "tests/storage/recording_listener.hpp"
#include "tests/storage/store_model.hpp"
#include "tests/storage/store_options.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace {

using storage::Batch;
using storage::CheckReport;
using storage::Database;
using storage::Family;
using storage::Fault;
using storage::Key;
using storage::Sequence;
using storage::StateKind;
using testing::ElementsAre;
using testing::HasSubstr;

class Check : public testing::Test {
protected:
    Check() {
        run([this](storage::MessageStore& store, Batch& batch) {
            for (const char* const name : {"/queue/a", "/queue/b"}) {
                const storage::QueueId queue = store.new_queue_id();
                model.define(batch, queue, name);
                for (int i = 1; i <= 200; ++i) {
                    model.append(batch, queue, name + std::string(":") + std::to_string(i));
                }
            }
            model.remove(batch, 1, {1, 20});
            model.remove(batch, 1, {50, 59});
            model.set_deliveries(batch, 1, 30, 3);
        });
    }

    /// Opens the store, stores one batch and closes it.
    template <class Change>
    void run(Change change) {
        RecordingListener listener;
        const auto store = storage::open_rocks_store(options_for(path));
        store->start({&listener});
        auto batch = urgent_batch();
        change(*store, *batch);
        store->store(0, std::move(batch));
        listener.wait_stored(1);
        EXPECT_TRUE(store->close());
    }

    template <class Change>
    void spoil(Change change) {
        storage::DatabaseOptions options;
        options.directory = path + "/db";
        Database database(options);
        Database::Group group(database);
        change(group);
        std::string error;
        EXPECT_EQ(database.write(group, true, error), storage::Written::yes) << error;
    }

    void spoil_message(storage::QueueId queue, Sequence message) {
        spoil([&](Database::Group& group) {
            const Key key = storage::message_key(queue, message);
            std::string value;
            storage::seal(value, key.view(), "spoiled");
            value.back() = '!';
            group.put(Family::messages, key.view(), value);
        });
    }

    void lose_message(storage::QueueId queue, Sequence message) {
        spoil([&](Database::Group& group) {
            group.erase(Family::messages, storage::message_key(queue, message).view());
        });
    }

    [[nodiscard]] std::vector<std::string> faults() const {
        std::vector<std::string> texts;
        for (const Fault& fault : storage::check(path).faults) {
            texts.push_back(fault.queue + " " + std::to_string(fault.sequence) + " " + fault.what);
        }
        return texts;
    }

    TemporaryDirectory place;
    std::string path = place / "store";
    StoreModel model;
};

TEST_F(Check, D_RUN_04_FindsNothingInASoundStoreAndCountsWhatIsThere) {
    const CheckReport report = storage::check(path);
    EXPECT_THAT(faults(), testing::IsEmpty());
    EXPECT_TRUE(report.is_sound());
    EXPECT_EQ(report.messages, 370U);
    EXPECT_TRUE(report.was_clean);
    EXPECT_EQ(report.groups, 1U);
    expect_same(report.queues, model);
    // It has left everything as it was.
    EXPECT_TRUE(storage::check(path).was_clean);
}

TEST_F(Check, D_RUN_04_RefusesAStoreThatIsOpenOrNotThere) {
    const auto store = storage::open_rocks_store(options_for(path));
    EXPECT_THROW(static_cast<void>(storage::check(path)), storage::StoreError);
    EXPECT_THROW(static_cast<void>(storage::check(place / "other")), storage::StoreError);
}

TEST_F(Check, D_ROCK_01_NamesEveryRecordWithAWrongChecksumAndTheReaderDoesNotDeliverIt) {
    spoil_message(1, 30);
    spoil_message(2, 200);
    // A message that has left is nobody's.
    spoil_message(1, 55);
    EXPECT_THAT(
        faults(),
        ElementsAre("/queue/a 30 the record is damaged", "/queue/b 200 the record is damaged")
    );
    run([](storage::MessageStore& store, Batch&) {
        EXPECT_EQ(store.take_recovered().front().messages, 170U);
    });
    RecordingListener listener;
    const auto store = storage::open_rocks_store(options_for(path));
    store->start({&listener});
    store->read(0, {1, 1, 29, 31, 10, 10'000});
    const storage::ReadResult read = listener.wait_read();
    EXPECT_THAT(read.damaged, ElementsAre(30U));
    EXPECT_EQ(read.octets, "/queue/a:29/queue/a:31");
    EXPECT_EQ(read.next, 32U);
    EXPECT_EQ(store->state().damaged, 1U);
}

TEST_F(Check, D_RUN_04_NamesMissingMessagesAndRecordsOfNobody) {
    lose_message(1, 100);
    spoil([](Database::Group& group) {
        for (const auto& [queue, message] :
             {std::pair(1, 201), std::pair(2, 205), std::pair(9, 1)}) {
            const Key key = storage::message_key(
                static_cast<storage::QueueId>(queue), static_cast<Sequence>(message)
            );
            group.put(Family::messages, key.view(), "");
        }
    });
    EXPECT_THAT(
        faults(),
        ElementsAre(
            "/queue/a 100 the record is missing",
            " 201 1 records belong to no message of queue number 1",
            " 205 2 records belong to no message of queue number 2"
        )
    );
}

TEST_F(Check, D_ROCK_02_AQueueWithoutItsNewestMessageIsNotOpened) {
    lose_message(2, 200);
    try {
        static_cast<void>(storage::open_rocks_store(options_for(path)));
        FAIL() << "it was opened";
    } catch (const storage::StoreError& error) {
        EXPECT_TRUE(error.is_damage());
        EXPECT_THAT(error.what(), HasSubstr("/queue/b lacks its message 200"));
    }
}

TEST_F(Check, D_ROCK_02_AGroupThatLeftNoNumberIsFound) {
    run([this](storage::MessageStore&, Batch& batch) { model.append(batch, 1, "x"); });
    run([this](storage::MessageStore&, Batch& batch) { model.append(batch, 1, "x"); });
    spoil([](Database::Group& group) {
        group.erase(Family::state, storage::state_key({StateKind::group, 2}).view());
    });
    EXPECT_THAT(faults(), ElementsAre(" 0 1 of the last 3 groups have left no number"));
    EXPECT_THROW(
        static_cast<void>(storage::open_rocks_store(options_for(path))), storage::StoreError
    );
}

TEST_F(Check, D_RUN_04_ACursorThatContradictsItsQueueIsFound) {
    spoil([](Database::Group& group) {
        const Key key = storage::state_key({StateKind::cursor, 2});
        storage::Cursor cursor;
        cursor.last = 200;
        cursor.messages = 199;
        cursor.bytes = 10;
        std::string payload;
        std::string value;
        storage::encode(payload, cursor);
        storage::seal(value, key.view(), payload);
        group.put(Family::state, key.view(), value);
    });
    const auto found = faults();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_THAT(found[0], HasSubstr("the counts of /queue/b contradict its intervals"));
    EXPECT_THAT(found[1], HasSubstr("/queue/b 0 holds"));
    EXPECT_THROW(static_cast<void>(storage::set_aside(path, place / "aside")), storage::StoreError);
}

TEST_F(Check, D_ROCK_01_EveryFlippedStateRecordIsFound) {
    for (const Key& key :
         {storage::state_key({StateKind::cursor, 1}),
          storage::state_key({StateKind::definition, 1}),
          storage::state_key({StateKind::next_queue}),
          storage::state_key({StateKind::deliveries, 1, 30}),
          storage::state_key({StateKind::group, 1})}) {
        std::string kept;
        {
            storage::DatabaseOptions options;
            options.directory = path + "/db";
            const Database database(options);
            ASSERT_EQ(database.get(Family::state, key.view(), kept), storage::Found::yes);
        }
        std::string flipped = kept;
        flipped.back() = static_cast<char>(flipped.back() ^ 1);
        spoil([&](Database::Group& group) { group.put(Family::state, key.view(), flipped); });
        EXPECT_FALSE(storage::check(path).is_sound()) << key.view();
        spoil([&](Database::Group& group) { group.put(Family::state, key.view(), kept); });
        EXPECT_TRUE(storage::check(path).is_sound()) << key.view();
    }
}

TEST_F(Check, D_ROCK_01_SetAsideMovesDamagedRecordsToAFileAndLeavesASoundStore) {
    spoil_message(1, 21);
    spoil_message(1, 30);
    lose_message(2, 200);
    const std::vector<Fault> aside = storage::set_aside(path, place / "aside");
    EXPECT_THAT(
        aside,
        ElementsAre(
            Fault{"/queue/a", 21, "the record is damaged"},
            Fault{"/queue/a", 30, "the record is damaged"},
            Fault{"/queue/b", 200, "the record is missing"}
        )
    );
    EXPECT_THAT(faults(), testing::IsEmpty());
    const std::string text = storage::read_file(place / "aside");
    EXPECT_THAT(text, HasSubstr("stampede-record queue=/queue/a sequence=30 octets=16\n"));
    EXPECT_THAT(text, HasSubstr("stampede-record queue=/queue/b sequence=200 octets=0\n"));
    EXPECT_THAT(storage::set_aside(path, place / "aside"), testing::IsEmpty());
    run([](storage::MessageStore& store, Batch&) {
        const storage::RecoveredQueue queue = store.take_recovered().front();
        EXPECT_EQ(queue.first, 22U);
        EXPECT_EQ(queue.messages, 168U);
    });
}

TEST_F(Check, D_ROCK_03_AStoreThatLacksItsLogIsNotOpened) {
    const std::string copy = place / "copy";
    {
        const auto store = storage::open_rocks_store(options_for(path));
        copy_open_store(path, copy);
    }
    for (const auto& entry : std::filesystem::directory_iterator(copy + "/db")) {
        if (entry.path().extension() == ".log") { std::filesystem::remove(entry.path()); }
    }
    // Twice: a refusal leaves everything as it was.
    for (int i = 0; i < 2; ++i) {
        try {
            static_cast<void>(storage::open_rocks_store(options_for(copy)));
            FAIL() << "it was opened";
        } catch (const storage::StoreError& error) {
            EXPECT_TRUE(error.is_damage());
            EXPECT_THAT(error.what(), HasSubstr("is missing"));
        }
    }
    EXPECT_FALSE(storage::check(copy).is_sound());
    storage::RocksOptions options = options_for(copy);
    options.accept_data_loss = true;
    EXPECT_EQ(storage::open_rocks_store(options)->take_recovered().size(), 2U);
}

TEST_F(Check, EveryMessageOfAQueueInOrder) {
    spoil_message(1, 40);
    std::map<Sequence, std::string> found;
    std::vector<Sequence> damaged;
    storage::for_each_message(path, "/queue/a", [&](const storage::StoredMessage& message) {
        found[message.sequence] = message.octets;
        if (message.is_damaged) { damaged.push_back(message.sequence); }
        EXPECT_EQ(message.deliveries, message.sequence == 30 ? 3U : 0U);
    });
    EXPECT_THAT(damaged, ElementsAre(40U));
    EXPECT_EQ(found.size(), 170U);
    EXPECT_EQ(found[200], "/queue/a:200");
    EXPECT_THROW(
        storage::for_each_message(path, "/queue/c", [](const auto&) {}), storage::StoreError
    );
}

/// Every table and log of the store, one octet changed in its middle.
TEST_F(Check, D_ROCK_03_AFlippedOctetInATableOrLogIsFoundOrDoesNoHarm) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path + "/db")) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(".sst") || name.ends_with(".log") || name.starts_with("MANIFEST")) {
            files.push_back(entry.path());
        }
    }
    ASSERT_GE(files.size(), 3U);
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        std::string octets((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
        if (octets.empty()) { continue; }
        std::string flipped = octets;
        flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x10);
        std::ofstream(file, std::ios::binary) << flipped;
        const CheckReport report = storage::check(path);
        EXPECT_TRUE(!report.is_sound() || report.messages == 370) << file;
        std::ofstream(file, std::ios::binary) << octets;
    }
    EXPECT_TRUE(storage::check(path).is_sound());
}

}  // namespace
