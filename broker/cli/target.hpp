// Where a client command connects to and as whom: the flags that all of them share.
// Passcodes come from the URL or a file, never from a flag that other users can see in `ps`.
#pragma once

#include "broker/cli/headers.hpp"
#include "broker/cli/url.hpp"
#include "broker/tls/server_files.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

inline constexpr const char* default_url = "ws://127.0.0.1:15674/ws";

/// What the command line says.
struct TargetFlags {
    std::string url = default_url;
    std::optional<std::string> user;
    std::string pass_file;
    std::string ca_file;
    std::string certificate_file;
    std::string key_file;
    std::string virtual_host = "/";
    std::vector<std::string> connect_headers;
    double timeout_ms = 10'000;
};

/// What it means.
struct Target {
    Url url;
    std::string login;  ///< Empty: neither `login` nor `passcode` is sent.
    std::string passcode;
    std::string virtual_host;
    std::string ca_file;
    tls::PairFiles own;  ///< The certificate that we show; may be none.
    OwnedHeaders connect_headers;
    std::chrono::milliseconds timeout = std::chrono::seconds(10);
};

/// Adds `--url --user --pass-file --ca-file --cert --key --host --connect-header --timeout`.
void add_target_options(CLI::App& command, TargetFlags& flags);

/// Adds the same without `--url`, for commands whose URL is an argument.
void add_login_options(CLI::App& command, TargetFlags& flags);

/// Reads the URL and the passcode's file. A user without a passcode is refused; no user at all is
/// guest/guest, or nobody if a certificate says who we are. Throws Failure (usage).
[[nodiscard]] Target make_target(const TargetFlags& flags);

}  // namespace cli
