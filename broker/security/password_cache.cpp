#include "broker/security/password_cache.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

namespace security {

PasswordCache::PasswordCache(Limits limits) : limits_(limits) {
    limits_.lifetime = std::min(limits.lifetime, lifetime_max);
    if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) {
        throw std::runtime_error("The system gives no random numbers.");
    }
}

PasswordCache::~PasswordCache() {
    OPENSSL_cleanse(key_.data(), key_.size());
}

engine::PrincipalRef PasswordCache::find(const Login& login, Time now) {
    Digest digest{};
    if (by_digest_.empty() || !digest_of(login, digest)) { return nullptr; }
    const auto it = by_digest_.find(digest);
    if (it == by_digest_.end()) { return nullptr; }
    if (now >= it->second->end) {
        forget(it->second);
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, it->second);
    return it->second->principal;
}

void PasswordCache::remember(
    const Login& login,
    engine::PrincipalRef principal,
    std::uint64_t generation,
    Time now,
    Duration lifetime
) {
    Digest digest{};
    const bool is_current = generation == generation_ && principal != nullptr;
    if (!is_current || limits_.entries == 0 || !digest_of(login, digest)) { return; }
    const auto known = by_digest_.find(digest);
    if (known != by_digest_.end()) { forget(known->second); }
    if (entries_.size() >= limits_.entries) { forget(std::prev(entries_.end())); }
    entries_.push_front({digest, std::move(principal), now + std::min(lifetime, limits_.lifetime)});
    by_digest_.emplace(digest, entries_.begin());
}

void PasswordCache::clear() {
    ++generation_;
    by_digest_.clear();
    entries_.clear();
}

// HMACs are as good as random: any part of one is a hash.
std::size_t PasswordCache::DigestHash::operator()(const Digest& digest) const {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
}

bool PasswordCache::DigestEqual::operator()(const Digest& a, const Digest& b) const {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool PasswordCache::digest_of(const Login& login, Digest& digest) const {
    // An octet 0 before the passcode could move the borders between the three.
    const bool is_clear = login.login.find('\0') == std::string_view::npos &&
                          login.scope.find('\0') == std::string_view::npos;
    if (!is_clear) { return false; }
    std::string text;
    text.reserve(login.login.size() + login.scope.size() + login.passcode.size() + 2);
    text.append(login.login).append(1, '\0').append(login.scope).append(1, '\0');
    text.append(login.passcode);
    unsigned size = 0;
    const bool is_made = HMAC(
                             EVP_sha256(),
                             key_.data(),
                             static_cast<int>(key_.size()),
                             reinterpret_cast<const unsigned char*>(text.data()),
                             text.size(),
                             digest.data(),
                             &size
                         ) != nullptr;
    OPENSSL_cleanse(text.data(), text.size());
    return is_made && size == digest.size();
}

void PasswordCache::forget(Entries::iterator entry) {
    by_digest_.erase(entry->digest);
    entries_.erase(entry);
}

}  // namespace security
