// The thread that reads for the shards, so that they never wait for a disk; between reads it keeps
// house.
// Requests are answered in the order they come; bounded by what shards ask for.
#pragma once

#include "storage/database.hpp"
#include "storage/listeners.hpp"
#include "storage/message_store.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace storage {

class Reader {
public:
    /// What is to be done now and then. Returns how long it can wait to be done again.
    using Chores = std::function<std::chrono::milliseconds()>;

    /// Both outlive it.
    Reader(const Database& database, Listeners& listeners, Chores chores);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    void start();
    /// Any thread.
    void read(unsigned shard, ReadRequest request);
    /// Ends the thread; what was not answered is not answered.
    void stop();
    /// Records found bad so far.
    [[nodiscard]] std::uint64_t damaged() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace storage
