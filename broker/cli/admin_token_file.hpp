// Finding the admin token that a broker on this machine uses.
// Files in the directory for temporary files count only if they are ours alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

struct FoundToken {
    std::string token;
    std::string file;
};

/// Reads `named` if that is not empty, else what the environment names for the broker itself, else
/// the file of the package if we may, else the newest that a broker of this user with its admin
/// listener on `port` of this machine made for its run. Of a file with several tokens the first
/// counts that may everything, or else the first. Throws Failure.
[[nodiscard]] FoundToken find_admin_token(const std::string& named, std::uint16_t port);

/// That token of the text of a file: lines of `TOKEN` or `SCOPES TOKEN`; empty if there is none.
[[nodiscard]] std::string token_in(std::string_view text);

}  // namespace cli
