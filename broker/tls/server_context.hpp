// The certificates, keys, client CAs and CRLs of a listener, exchanged while it runs (S-TLS-03):
// new handshakes use the new ones, connections keep what they began with. Any thread may ask;
// reload() blocks for a few files.
#pragma once

#include "broker/tls/context.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tls {

class ServerContext {
public:
    /// Throws Error, as make_server_context().
    explicit ServerContext(ServerFiles files);

    /// For the next handshake.
    [[nodiscard]] std::shared_ptr<SSL_CTX> current() const;

    /// Reads all files again. Throws Error and keeps the old ones if one of them is no good.
    void reload();

    /// A file is another one than when they were last read, good or not; false while one is
    /// missing, as it is while somebody exchanges it.
    [[nodiscard]] bool has_changed() const;

    /// Of what is in use: to be logged at WARN.
    [[nodiscard]] std::vector<std::string> warnings() const;

    /// When the first of the certificates in use to expire does, in milliseconds since 1970.
    [[nodiscard]] std::int64_t expires_at() const;

    /// For the log.
    [[nodiscard]] const std::string& certificate_file() const {
        return files_.pairs.front().certificate_file;
    }

private:
    /// What tells one content of a file from another.
    struct Stamp {
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t modified_ns = 0;
        bool is_there = false;

        friend bool operator==(const Stamp&, const Stamp&) = default;
    };

    using Stamps = std::vector<Stamp>;

    [[nodiscard]] static Stamp stamp_of(const std::string& file);
    [[nodiscard]] Stamps stamps() const;

    const ServerFiles files_;
    mutable std::mutex mutex_;
    ServerSide current_;
    Stamps read_;
};

}  // namespace tls
