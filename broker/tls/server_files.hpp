// The files of a TLS listener, and whether its clients need certificates. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tls {

/// Certificate chain and private key, PEM files.
struct PairFiles {
    std::string certificate_file;
    std::string key_file;

    [[nodiscard]] bool is_set() const { return !certificate_file.empty(); }

    friend bool operator==(const PairFiles&, const PairFiles&) = default;
};

/// Whether clients are asked for certificates (S-AUTH-13).
enum class ClientCertificates : std::uint8_t { off, optional, required };

struct ServerFiles {
    std::vector<PairFiles> pairs = {};  ///< The first is for clients that name no other's host.
    ClientCertificates client_certificates = ClientCertificates::off;
    std::string client_ca_file = {};          ///< Who may issue clients' certificates.
    std::vector<std::string> crl_files = {};  ///< With any: one for each CA of a client's chain.
    bool strict_file_modes = false;           ///< A key that others may read is an error.

    [[nodiscard]] bool is_set() const { return !pairs.empty(); }

    friend bool operator==(const ServerFiles&, const ServerFiles&) = default;
};

}  // namespace tls
