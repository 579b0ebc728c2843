#include "broker/security/password_hash.hpp"

#include "broker/security/argon2id.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <crypt.h>
#include <memory>
#include <stdexcept>

namespace security {

namespace {

/// crypt(3)'s digits, 6 bits each.
constexpr std::string_view crypt_digits =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t bcrypt_size = 60;
constexpr std::size_t bcrypt_cost_at = 4;
constexpr std::size_t bcrypt_salt_at = 7;
constexpr std::size_t bcrypt_digest_size = 31;
constexpr std::size_t yescrypt_salt_max = 86;
constexpr std::size_t yescrypt_digest_size = 43;
constexpr std::size_t salt_octets = 16;
static_assert(passcode_bytes_max < CRYPT_MAX_PASSPHRASE_SIZE);
/// What is hashed in place of a passcode that cannot be.
constexpr std::string_view stand_in = "a passcode that cannot be hashed";

void fill_randomly(char* octets, std::size_t size) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(octets), static_cast<int>(size)) != 1) {
        throw std::runtime_error("The system gives no random numbers.");
    }
}

bool are_equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && !a.empty() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool are_digits_of_crypt(std::string_view text) {
    return text.find_first_not_of(crypt_digits) == std::string_view::npos;
}

/// What crypt_r() works in, and a passcode with the NUL that it wants; wiped at the end.
class Crypt {
public:
    explicit Crypt(std::string_view passcode) {
        passcode.copy(work_->passcode.data(), passcode_bytes_max);
    }

    ~Crypt() { OPENSSL_cleanse(work_.get(), sizeof(Work)); }

    Crypt(const Crypt&) = delete;
    Crypt& operator=(const Crypt&) = delete;

    /// The hash with these settings; empty if crypt does not take them.
    [[nodiscard]] std::string hash(const std::string& settings) {
        const char* const made = crypt_r(work_->passcode.data(), settings.c_str(), &work_->data);
        return made == nullptr || *made == '*' ? std::string() : std::string(made);
    }

private:
    struct Work {
        crypt_data data{};
        std::array<char, passcode_bytes_max + 1> passcode{};
    };

    std::unique_ptr<Work> work_ = std::make_unique<Work>();
};

std::string bcrypt_fault(std::string_view hash) {
    const std::string_view cost = hash.substr(bcrypt_cost_at, 2);
    const bool is_whole = hash.size() == bcrypt_size && hash[bcrypt_salt_at - 1] == '$' &&
                          cost.find_first_not_of("0123456789") == std::string_view::npos &&
                          are_digits_of_crypt(hash.substr(bcrypt_salt_at));
    if (!is_whole) { return "is damaged: bcrypt is $2b$, a cost of two digits, $, 53 characters"; }
    const auto value =
        static_cast<unsigned>(cost[0] - '0') * 10 + static_cast<unsigned>(cost[1] - '0');
    if (value > bcrypt_cost_max) { return "asks for a bcrypt cost above 14"; }
    return value < bcrypt_cost_min ? "asks for a bcrypt cost below 4, which does not exist" : "";
}

/// A number of yescrypt's settings that is one digit; those of more digits are beyond our bounds.
std::optional<unsigned> yescrypt_number(char digit) {
    constexpr std::size_t one_digit_max = 47;
    const std::size_t value = crypt_digits.find(digit);
    return value <= one_digit_max ? std::optional(static_cast<unsigned>(value + 1)) : std::nullopt;
}

std::string yescrypt_cost_fault(std::string_view settings) {
    constexpr unsigned log2_min = 10;
    constexpr unsigned log2_max = 18;
    const auto log2 = yescrypt_number(settings[1]);
    const auto block = yescrypt_number(settings[2]);
    if (settings.size() != 3 || settings[0] != 'j' || !log2 || !block || *log2 < log2_min) {
        return "has yescrypt settings that no crypt_gensalt makes";
    }
    if (*log2 > log2_max || (std::uint64_t{128} << *log2) * *block > hash_memory_bytes_max) {
        return "asks for more than 256 MiB of yescrypt";
    }
    return {};
}

std::string yescrypt_fault(std::string_view hash) {
    hash.remove_prefix(3);
    const std::size_t salt_at = hash.find('$') + 1;
    const std::size_t digest_at = hash.rfind('$') + 1;
    if (salt_at <= 3 || digest_at <= salt_at + 1) { return "is damaged: yescrypt has five parts"; }
    const std::string_view salt = hash.substr(salt_at, digest_at - 1 - salt_at);
    const std::string_view digest = hash.substr(digest_at);
    if (salt.size() > yescrypt_salt_max || !are_digits_of_crypt(salt) ||
        digest.size() != yescrypt_digest_size || !are_digits_of_crypt(digest)) {
        return "is damaged: the last part of yescrypt is 43 characters, the salt before it up to "
               "86";
    }
    return yescrypt_cost_fault(hash.substr(0, salt_at - 1));
}

std::string argon2id_text_fault(std::string_view text) {
    if (!has_argon2id()) {
        return "is of argon2id, which this build of stampede lacks (libargon2)";
    }
    const auto hash = parse_argon2id(text);
    if (!hash) { return "is damaged: argon2id is $argon2id$v=19$m=..,t=..,p=..$SALT$DIGEST"; }
    return argon2id_fault(*hash);
}

/// A hash that others take, or no hash at all. Does not guess what else it could be.
std::string unknown_fault(std::string_view hash) {
    struct Known {
        std::string_view begin;
        const char* fault;
    };

    static constexpr auto known = std::to_array<Known>({
        {"$1$", "is of MD5, which is guessed quickly"},
        {"$apr1$", "is of MD5, which is guessed quickly"},
        {"$5$", "is of SHA-256 crypt, which is not taken"},
        {"$6$", "is of SHA-512 crypt, which is not taken"},
        {"$2a$", "is of an old bcrypt ($2a$), which may be a faulty one"},
        {"$2x$", "is of a faulty bcrypt ($2x$)"},
        {"$argon2i$", "is of argon2i; argon2id is taken"},
        {"$argon2d$", "is of argon2d; argon2id is taken"},
        {"$", "is of a kind that is not taken"},
        {"{", "is of a kind that is not taken"},
    });
    if (hash.empty()) { return "is empty"; }
    for (const Known& kind : known) {
        if (hash.starts_with(kind.begin)) { return kind.fault; }
    }
    if (hash.starts_with('*') || hash.starts_with('!')) {
        return "is the mark of a locked account";
    }
    return "is a plain passcode or an unsalted hash";
}

bool verify_by_crypt(std::string_view passcode, std::string_view hash, std::size_t digest_size) {
    const std::string made = Crypt(passcode).hash(std::string(hash));
    if (made.size() < digest_size || hash.size() < digest_size) { return false; }
    // The digest alone: some write a salt of bcrypt with bits in its end that do not count.
    return are_equal(
        std::string_view(made).substr(made.size() - digest_size),
        hash.substr(hash.size() - digest_size)
    );
}

bool verify_by_argon2id(std::string_view passcode, std::string_view hash) {
    const auto parsed = parse_argon2id(hash);
    return parsed && are_equal(argon2id_digest(passcode, *parsed), parsed->digest);
}

bool verify_fitting(std::string_view passcode, std::string_view hash, HashKind kind) {
    switch (kind) {
        case HashKind::yescrypt:
            return verify_by_crypt(passcode, hash, yescrypt_digest_size);
        case HashKind::bcrypt:
            return verify_by_crypt(passcode, hash, bcrypt_digest_size);
        case HashKind::argon2id:
            return verify_by_argon2id(passcode, hash);
    }
    return false;
}

std::string make_by_crypt(std::string_view passcode, const char* prefix, unsigned long cost) {
    std::array<char, salt_octets> salt{};
    fill_randomly(salt.data(), salt.size());
    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> settings{};
    const char* const made = crypt_gensalt_rn(
        prefix,
        cost,
        salt.data(),
        static_cast<int>(salt.size()),
        settings.data(),
        static_cast<int>(settings.size())
    );
    return made == nullptr ? std::string() : Crypt(passcode).hash(made);
}

std::string make_by_argon2id(std::string_view passcode) {
    Argon2id hash{19U << 10U, 2, 1, std::string(salt_octets, '\0'), std::string(32, '\0')};
    fill_randomly(hash.salt.data(), hash.salt.size());
    hash.digest = argon2id_digest(passcode, hash);
    return hash.digest.empty() ? std::string() : to_string(hash);
}

std::string make_any(std::string_view passcode, HashKind kind) {
    constexpr unsigned long yescrypt_cost = 5;
    constexpr unsigned long bcrypt_cost = 10;
    switch (kind) {
        case HashKind::yescrypt:
            return make_by_crypt(passcode, "$y$", yescrypt_cost);
        case HashKind::bcrypt:
            return make_by_crypt(passcode, "$2b$", bcrypt_cost);
        case HashKind::argon2id:
            return make_by_argon2id(passcode);
    }
    return {};
}

}  // namespace

std::optional<HashKind> hash_kind_named(std::string_view name) {
    if (name == "yescrypt") { return HashKind::yescrypt; }
    if (name == "bcrypt") { return HashKind::bcrypt; }
    return name == "argon2id" ? std::optional(HashKind::argon2id) : std::nullopt;
}

std::optional<HashKind> hash_kind(std::string_view hash) {
    if (hash.starts_with("$y$")) { return HashKind::yescrypt; }
    if (hash.starts_with("$2b$") || hash.starts_with("$2y$")) { return HashKind::bcrypt; }
    return hash.starts_with("$argon2id$") ? std::optional(HashKind::argon2id) : std::nullopt;
}

bool is_available(HashKind kind) {
    return kind != HashKind::argon2id || has_argon2id();
}

std::string hash_fault(std::string_view hash) {
    const auto kind = hash_kind(hash);
    if (!kind) { return unknown_fault(hash); }
    switch (*kind) {
        case HashKind::yescrypt:
            return yescrypt_fault(hash);
        case HashKind::bcrypt:
            return bcrypt_fault(hash);
        case HashKind::argon2id:
            return argon2id_text_fault(hash);
    }
    return "is of a kind that is not taken";
}

std::string_view hash_cost(std::string_view hash) {
    if (hash_kind(hash) == HashKind::bcrypt) { return hash.substr(0, bcrypt_salt_at - 1); }
    const std::size_t digest_at = hash.rfind('$');
    return hash.substr(0, hash.rfind('$', std::min(digest_at, digest_at - 1)));
}

std::string passcode_fault(std::string_view passcode, HashKind kind) {
    if (passcode.empty()) { return "is empty"; }
    if (passcode.find('\0') != std::string_view::npos) { return "has an octet 0"; }
    if (passcode.size() > passcode_bytes_max) { return "is longer than 511 octets"; }
    if (kind == HashKind::bcrypt && passcode.size() > bcrypt_passcode_bytes_max) {
        return "is longer than the 72 octets of which bcrypt makes a hash";
    }
    return {};
}

bool verify_passcode(std::string_view passcode, std::string_view hash) {
    const auto kind = hash_kind(hash);
    if (!kind || !hash_fault(hash).empty()) { return false; }
    const bool fits = passcode_fault(passcode, *kind).empty();
    const bool matches = verify_fitting(fits ? passcode : stand_in, hash, *kind);
    return fits && matches;
}

std::string make_hash(std::string_view passcode, HashKind kind) {
    if (!passcode_fault(passcode, kind).empty()) { throw std::runtime_error("No such passcode."); }
    std::string hash = make_any(passcode, kind);
    if (hash.empty()) { throw std::runtime_error("The system cannot make a hash of this kind."); }
    return hash;
}

std::string decoy_hash(std::string_view hash) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEF";
    constexpr std::size_t random_max = 128;
    std::array<char, random_max> random{};
    fill_randomly(random.data(), random.size());
    std::string decoy(hash);
    const bool is_bcrypt = hash_kind(hash) == HashKind::bcrypt;
    std::size_t at = is_bcrypt ? hash.size() - bcrypt_digest_size : hash.rfind('$') + 1;
    // The last character stays, for the bits in it that must be zero.
    for (std::size_t i = 0; at + 1 < decoy.size() && i < random.size(); ++at, ++i) {
        decoy[at] = letters[static_cast<unsigned char>(random[i]) % letters.size()];
    }
    return decoy;
}

}  // namespace security
