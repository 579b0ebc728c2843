// The certificate and key of a listener, exchanged while it runs (S-TLS-03): new handshakes use the
// new pair, connections keep the one that they began with.
// Any thread may ask; reload() blocks for two small files.
#pragma once

#include "broker/tls/context.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace tls {

class ServerContext {
public:
    /// Throws Error, as make_server_context().
    ServerContext(std::string certificate_file, std::string key_file);

    /// For the next handshake.
    [[nodiscard]] std::shared_ptr<SSL_CTX> current() const;

    /// Reads both files again. Throws Error and keeps the old pair if they are no good pair.
    void reload();

    /// A file is another one than when they were last read, good or not; false while one is
    /// missing, as it is while somebody exchanges it.
    [[nodiscard]] bool has_changed() const;

    [[nodiscard]] const std::string& certificate_file() const { return certificate_file_; }

private:
    /// What tells one content of a file from another.
    struct Stamp {
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t modified_ns = 0;
        bool is_there = false;

        friend bool operator==(const Stamp&, const Stamp&) = default;
    };

    using Stamps = std::array<Stamp, 2>;

    [[nodiscard]] static Stamp stamp_of(const std::string& file);
    [[nodiscard]] Stamps stamps() const;

    const std::string certificate_file_;
    const std::string key_file_;
    mutable std::mutex mutex_;
    std::shared_ptr<SSL_CTX> current_;
    Stamps read_;
};

}  // namespace tls
