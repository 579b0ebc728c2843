// Every check reads; only set_aside() writes.
// The lock is held meanwhile, so that no broker starts.
#include "storage/check.hpp"

#include "storage/database.hpp"
#include "storage/directory.hpp"
#include "storage/log_mark.hpp"
#include "storage/queue_scan.hpp"
#include "storage/queue_table.hpp"
#include "storage/record.hpp"
#include "storage/recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace storage {
namespace {

DirectoryOptions directory_options(const std::string& path) {
    DirectoryOptions options;
    options.path = path;
    options.is_read_only = true;
    return options;
}

DatabaseOptions database_options(const Directory& directory, bool is_read_only) {
    demand_log(directory);
    DatabaseOptions options;
    options.directory = directory.database();
    options.is_read_only = is_read_only;
    return options;
}

/// A store opened for a look.
struct Look {
    explicit Look(const std::string& path, bool is_read_only = true)
        : directory(directory_options(path)), database(database_options(directory, is_read_only)) {
        faults = recover(database, queues);
    }

    /// Throws StoreError if the cursors say what cannot be.
    void demand_sound_state() const {
        if (faults.empty()) { return; }
        throw StoreError(
            fmt::format(
                "the store in {} is damaged beyond single messages: {}; restore it from a backup",
                directory.path(),
                faults.front()
            ),
            true
        );
    }

    Directory directory;
    Database database;
    QueueTable queues;
    std::vector<std::string> faults;
};

void check_queue(const Database& database, const RecoveredQueue& queue, CheckReport& report) {
    const std::string& name = queue.definition.name;
    std::uint64_t bytes = 0;
    bool is_whole = true;
    scan_queue(database, queue, [&](const StoredMessage& message, const char* wrong) {
        if (wrong != nullptr) {
            report.faults.push_back({name, message.sequence, wrong});
            is_whole = false;
            return;
        }
        ++report.messages;
        bytes += message.octets.size();
    });
    report.bytes += bytes;
    if (!is_whole || bytes == queue.bytes) { return; }
    report.faults.push_back(
        {name, 0, fmt::format("holds {} octets, its cursor says {}", bytes, queue.bytes)}
    );
}

/// Records from `from` to before `to` belong to no queue.
void check_nothing(const Database& database, const Key& from, const Key& to, CheckReport& report) {
    std::uint64_t records = 0;
    std::optional<MessageKey> first;
    const auto visit = [&](std::string_view key, std::string_view) {
        if (!first) { first = parse_message_key(key).value_or(MessageKey{}); }
        ++records;
        return true;
    };
    const std::string error = database.scan(Family::messages, from.view(), to.view(), visit);
    if (!error.empty()) { report.faults.push_back({{}, 0, error}); }
    if (!first) { return; }
    report.faults.push_back(
        {{},
         first->sequence,
         fmt::format("{} records belong to no message of queue number {}", records, first->queue)}
    );
}

void check_strangers(const Database& database, CheckReport& report) {
    Key from = message_key(0, 0);
    for (const RecoveredQueue& queue : report.queues) {
        check_nothing(database, from, message_key(queue.id, 0), report);
        from = message_key(queue.id, queue.last + 1);
    }
    check_nothing(database, from, Key(), report);
}

void check_content(const Look& look, CheckReport& report) {
    for (const std::string& fault : look.faults) {
        report.faults.push_back({{}, 0, fault});
    }
    report.was_clean = look.directory.was_clean();
    report.groups = look.queues.groups();
    report.queues = look.queues.describe();
    for (const RecoveredQueue& queue : report.queues) {
        check_queue(look.database, queue, report);
    }
    check_strangers(look.database, report);
}

/// What set_aside() found in one queue.
struct Damage {
    std::vector<StoredMessage> messages;
    std::vector<Fault> faults;
    std::uint64_t bytes = 0;  ///< Of the sound ones.
};

Damage find_damage(const Database& database, const RecoveredQueue& queue) {
    Damage damage;
    scan_queue(database, queue, [&](const StoredMessage& message, const char* wrong) {
        damage.bytes += message.octets.size();
        if (wrong == nullptr) { return; }
        damage.messages.push_back(message);
        damage.faults.push_back({queue.definition.name, message.sequence, wrong});
    });
    return damage;
}

/// A table with a part that cannot be read ends the store when it is next rewritten, and taking
/// messages out of it brings that about.
void demand_readable_tables(const Look& look) {
    const auto visit = [](std::string_view, std::string_view) { return true; };
    const std::string error = look.database.scan(Family::messages, {}, {}, visit);
    if (error.empty()) { return; }
    throw StoreError(
        fmt::format(
            "the store in {} is damaged beyond single messages, nothing was set aside: {}; restore "
            "it from a backup",
            look.directory.path(),
            error
        ),
        true
    );
}

/// A line that says what it is, then the record as it is on disk.
std::string describe(const Database& database, const RecoveredQueue& queue, Sequence sequence) {
    std::string value;
    const Found found =
        database.get(Family::messages, message_key(queue.id, sequence).view(), value);
    if (found != Found::yes) { value.clear(); }
    return fmt::format(
        "stampede-record queue={} sequence={} octets={}\n{}\n",
        queue.definition.name,
        sequence,
        value.size(),
        value
    );
}

/// The messages leave, and the octets that nobody can account for with them.
void let_leave(const RecoveredQueue& queue, const Damage& damage, Batch& batch, Writes& out) {
    std::uint64_t bytes = queue.bytes - std::min(queue.bytes, damage.bytes);
    for (const StoredMessage& message : damage.messages) {
        batch.remove({queue.id, {message.sequence, message.sequence}, bytes});
        out.erase(Family::messages, message_key(queue.id, message.sequence).view());
        bytes = 0;
    }
}

void write_group(Look& look, const Batch& batch, Database::Group& group) {
    look.queues.apply(batch, group);
    look.queues.finish_group(group, QueueState::Time(0));
    std::string error;
    if (look.database.write(group, true, error) == Written::yes) { return; }
    throw StoreError(
        fmt::format("the store in {} cannot be written: {}", look.directory.path(), error), false
    );
}

}  // namespace

CheckReport check(const std::string& directory) {
    CheckReport report;
    try {
        check_content(Look(directory), report);
    } catch (const StoreError& error) {
        if (!error.is_damage()) { throw; }
        report.faults.push_back({{}, 0, error.what()});
    }
    return report;
}

void for_each_message(
    const std::string& directory,
    const std::string& queue,
    const std::function<void(const StoredMessage&)>& visit
) {
    const Look look(directory);
    look.demand_sound_state();
    const std::vector<RecoveredQueue> queues = look.queues.describe();
    const auto it = std::ranges::find(queues, queue, [](const RecoveredQueue& found) {
        return found.definition.name;
    });
    if (it == queues.end()) {
        throw StoreError(fmt::format("the store in {} has no queue {}", directory, queue), false);
    }
    scan_queue(look.database, *it, [&visit](const StoredMessage& message, const char*) {
        visit(message);
    });
}

std::vector<Fault> set_aside(const std::string& directory, const std::string& file) {
    Look look(directory, false);
    look.demand_sound_state();
    demand_readable_tables(look);
    std::vector<Fault> faults;
    std::string records;
    Batch batch;
    Database::Group group(look.database);
    for (const RecoveredQueue& queue : look.queues.describe()) {
        const Damage damage = find_damage(look.database, queue);
        for (const StoredMessage& message : damage.messages) {
            records += describe(look.database, queue, message.sequence);
        }
        let_leave(queue, damage, batch, group);
        faults.insert(faults.end(), damage.faults.begin(), damage.faults.end());
    }
    if (faults.empty()) { return faults; }
    append_file(file, records);
    write_group(look, batch, group);
    return faults;
}

}  // namespace storage
