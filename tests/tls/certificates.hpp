// Certificates and keys made for one test, in a directory that goes with it.
// Elliptic curve keys, so that making them costs nothing.
#pragma once

#include "broker/tls/server_files.hpp"

#include <filesystem>
#include <string>

namespace tls {

/// A self-signed certificate, with its key; PEM files.
class Certificate {
public:
    explicit Certificate(
        const std::string& names = "DNS:localhost,IP:127.0.0.1", long ends_in_s = 3600
    );
    ~Certificate();
    Certificate(const Certificate&) = delete;
    Certificate& operator=(const Certificate&) = delete;

    [[nodiscard]] std::string certificate_file() const {
        return (directory_ / "cert.pem").string();
    }

    [[nodiscard]] std::string key_file() const { return (directory_ / "key.pem").string(); }

    /// The same key, protected by a passphrase.
    [[nodiscard]] std::string encrypted_key_file() const {
        return (directory_ / "locked.pem").string();
    }

    [[nodiscard]] ServerFiles files() const {
        ServerFiles files;
        files.pairs = {{certificate_file(), key_file()}};
        return files;
    }

    /// A file with `text` beside the others.
    [[nodiscard]] std::string file_with(const std::string& text) const;

private:
    std::filesystem::path directory_;
};

}  // namespace tls
