// argon2id: its PHC strings, and the function itself, which a build without libargon2 lacks.
// Pure. One thread for all lanes: the result is the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace security {

inline constexpr std::uint32_t argon2id_memory_kib_max = 256U << 10U;
inline constexpr std::uint32_t argon2id_passes_max = 10;
/// Of memory and passes: what one check writes, about a second of work.
inline constexpr std::uint64_t argon2id_work_kib_max = 1U << 20U;
inline constexpr std::uint32_t argon2id_lanes_max = 64;

/// `$argon2id$v=19$m=MEMORY,t=PASSES,p=LANES$SALT$DIGEST`, taken apart.
struct Argon2id {
    std::uint32_t memory_kib = 0;
    std::uint32_t passes = 0;
    std::uint32_t lanes = 0;
    std::string salt;    ///< Octets.
    std::string digest;  ///< Octets.
};

/// Takes a PHC string apart; nothing if it is not one of version 19 in its one form. Bounds are
/// checked by argon2id_fault().
[[nodiscard]] std::optional<Argon2id> parse_argon2id(std::string_view text);

/// Why it may not be used, as the end of a sentence; empty if it may.
[[nodiscard]] std::string argon2id_fault(const Argon2id& hash);

/// The PHC string.
[[nodiscard]] std::string to_string(const Argon2id& hash);

/// Whether this build can compute it.
[[nodiscard]] bool has_argon2id();

/// The digest of `passcode` with the parameters, salt and size of digest of `hash`; empty if there
/// is no memory for it, or no libargon2.
[[nodiscard]] std::string argon2id_digest(std::string_view passcode, const Argon2id& hash);

}  // namespace security
