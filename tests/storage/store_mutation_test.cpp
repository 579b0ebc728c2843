// Files of a store damaged at random: what is lost is reported, and nothing crashes.
// A run has 80 mutations, other ones with --gtest_shuffle; a log cut at its end is what a power cut
// leaves, and is not among them.
#include "storage/check.hpp"
#include "storage/rocks_store.hpp"
#include "tests/storage/recording_listener.hpp"
#include "tests/storage/store_model.hpp"
#include "tests/storage/store_options.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>

namespace {

namespace fs = std::filesystem;

std::string octets_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_octets(const fs::path& file, const std::string& octets) {
    std::ofstream(file, std::ios::binary) << octets;
}

std::vector<fs::path> files_of(const std::string& store) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(store)) {
        const std::string name = entry.path().filename().string();
        const bool is_told = name.starts_with("LOG") || name == "LOCK" || name == "lock" ||
                             name == "clean-stop" || name.starts_with("OPTIONS");
        if (entry.is_regular_file() && !is_told && entry.file_size() > 0) {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    return files;
}

/// Changes one file; returns what was done, for the report.
std::string mutate(const std::string& store, std::mt19937_64& random) {
    const std::vector<fs::path> files = files_of(store);
    const fs::path& file = files[random() % files.size()];
    const std::string name = file.filename().string();
    std::string octets = octets_of(file);
    const std::size_t at = random() % octets.size();
    // What looks like the end of a log is taken for one.
    const bool is_log = name.ends_with(".log");
    switch (random() % (is_log ? 2 : 4)) {
        case 0:
            octets[at] = static_cast<char>(octets[at] ^ (1 << random() % 8));
            write_octets(file, octets);
            return "flip in " + name + " at " + std::to_string(at);
        case 1:
            fs::remove(file);
            return "remove " + name;
        case 2:
            std::fill_n(
                octets.begin() + static_cast<std::ptrdiff_t>(at / 2), octets.size() / 4, '\0'
            );
            write_octets(file, octets);
            return "zeros in " + name + " at " + std::to_string(at / 2);
        default:
            write_octets(file, octets.substr(0, at));
            return "truncate " + name;
    }
}

class StoreMutation : public testing::Test {
protected:
    StoreMutation() {
        // Tables from a clean stop, and a log from a stop that was none.
        run(400, place / "tables");
        place_of_log = place / "killed";
    }

    void run(std::size_t batches, const std::string& path) {
        RecordingListener listener;
        auto store = storage::open_rocks_store(options_for(path));
        store->start({&listener});
        auto batch = urgent_batch();
        model.define(*batch, store->new_queue_id(), "/queue/a");
        store->store(0, std::move(batch));
        add(*store, listener, 1, batches);
        EXPECT_TRUE(store->close());
        store = storage::open_rocks_store(options_for(path));
        RecordingListener again;
        store->start({&again});
        add(*store, again, 0, batches / 4);
        copy_open_store(path, place / "killed");
        EXPECT_TRUE(store->close());
    }

    void add(
        storage::MessageStore& store,
        RecordingListener& listener,
        std::size_t before,
        std::size_t batches
    ) {
        for (std::size_t i = 0; i < batches; ++i) {
            store.store(0, model.random_batch(random));
        }
        listener.wait_stored(before + batches);
    }

    /// How many of the model's messages a reader gets, or nothing if the store is refused.
    std::optional<std::size_t> read(const std::string& path, bool& is_reported) {
        try {
            const auto store = storage::open_rocks_store(options_for(path));
            RecordingListener listener;
            store->start({&listener});
            const auto& queue = model.queues().begin()->second;
            constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
            store->read(0, {1, 1, 1, queue.last, unlimited, unlimited});
            const storage::ReadResult result = listener.wait_read();
            is_reported = !result.damaged.empty();
            std::size_t found = 0;
            for (const auto& message : result.messages) {
                const auto it = queue.messages.find(message.sequence);
                if (it == queue.messages.end()) { continue; }
                EXPECT_EQ(result.record(message), it->second);
                ++found;
            }
            return found;
        } catch (const storage::StoreError&) { return std::nullopt; }
    }

    bool is_found_by_check(const std::string& path) {
        try {
            return !storage::check(path).is_sound();
        } catch (const storage::StoreError&) { return true; }
    }

    TemporaryDirectory place;
    std::mt19937_64 random{
        static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed())};
    StoreModel model;
    std::string place_of_log;
};

TEST_F(StoreMutation, D_ROCK_03_DamageIsReportedOrDoesNoHarm) {
    const std::string copy = place / "copy";
    const std::size_t expected = model.queues().begin()->second.messages.size();
    std::size_t harmless = 0;
    constexpr std::size_t mutations = 80;
    for (std::size_t i = 0; i < mutations; ++i) {
        fs::copy(place_of_log, copy, fs::copy_options::recursive);
        const std::string what = mutate(copy, random);
        const bool is_found = is_found_by_check(copy);
        bool is_reported = false;
        const std::optional<std::size_t> found = read(copy, is_reported);
        if (found) {
            EXPECT_TRUE(*found == expected || is_reported || is_found)
                << what << ": " << *found << " of " << expected;
            harmless += *found == expected ? 1U : 0U;
        }
        fs::remove_all(copy);
    }
    // The mutations bite, and do not all hit the same place.
    EXPECT_LT(harmless, mutations);
}

// The database takes a list of tables that ends with an entry for a whole one.
TEST_F(StoreMutation, D_ROCK_03_AListOfTablesThatIsCutIsNoticed) {
    const std::string stopped = place / "tables";
    std::string list = octets_of(stopped + "/db/CURRENT");
    list.resize(list.find('\n'));
    const std::string whole = octets_of(stopped + "/db/" + list);
    const std::string copy = place / "copy";
    fs::copy(stopped, copy, fs::copy_options::recursive);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write_octets(copy + "/db/" + list, whole.substr(0, size));
        EXPECT_TRUE(is_found_by_check(copy)) << size << " of " << whole.size();
    }
    bool is_reported = false;
    EXPECT_FALSE(read(copy, is_reported).has_value());
    write_octets(copy + "/db/" + list, whole);
    EXPECT_FALSE(is_found_by_check(copy));
    EXPECT_TRUE(read(copy, is_reported).has_value());
}

}  // namespace
