// Salted, slow hashes of passcodes: which are taken, making one, checking one (S-AUTH-06, -07).
// Pure but for the random salt. What one check may cost is bounded when a hash is loaded: about a
// second and 256 MiB. A check blocks for as long as it takes, so never on a network thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace security {

enum class HashKind : std::uint8_t { yescrypt, bcrypt, argon2id };

/// What crypt(3) takes. Longer passcodes are refused for every kind.
inline constexpr std::size_t passcode_bytes_max = 511;
/// bcrypt ignores what follows, so a longer passcode is refused.
inline constexpr std::size_t bcrypt_passcode_bytes_max = 72;
inline constexpr unsigned bcrypt_cost_min = 4;
inline constexpr unsigned bcrypt_cost_max = 14;
inline constexpr std::uint64_t hash_memory_bytes_max = 256U << 20U;

/// The kind called `name`: `yescrypt`, `bcrypt` or `argon2id`.
[[nodiscard]] std::optional<HashKind> hash_kind_named(std::string_view name);

/// The kind of a stored hash by how it begins; nothing for all others.
[[nodiscard]] std::optional<HashKind> hash_kind(std::string_view hash);

/// Whether this build has the kind: argon2id needs libargon2.
[[nodiscard]] bool is_available(HashKind kind);

/// Why `hash` cannot be a stored hash, as the end of a sentence ("is a plain passcode, ...");
/// empty if it can. Never repeats any of it.
[[nodiscard]] std::string hash_fault(std::string_view hash);

/// Kind and cost without salt and digest, such as `$2b$10`: hashes of which it is the same take
/// the same time. For hashes without a fault.
[[nodiscard]] std::string_view hash_cost(std::string_view hash);

/// Why a passcode cannot be hashed by this kind, as the end of a sentence; empty if it can. It is
/// never shortened to fit.
[[nodiscard]] std::string passcode_fault(std::string_view passcode, HashKind kind);

/// Whether `passcode` is the one of `hash`. Costs one hash in any case, also for a passcode with a
/// fault, which is never the right one. For hashes without a fault; false for all others.
[[nodiscard]] bool verify_passcode(std::string_view passcode, std::string_view hash);

/// A new stored hash, with a random salt and the default cost of its kind. For passcodes without a
/// fault and kinds that are available; std::runtime_error if the system gives no random numbers or
/// no memory.
[[nodiscard]] std::string make_hash(std::string_view passcode, HashKind kind);

/// A hash as expensive to check as `hash`, of no known passcode (its digest is random).
[[nodiscard]] std::string decoy_hash(std::string_view hash);

}  // namespace security
