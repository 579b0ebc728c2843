#include "broker/engine/secret.hpp"

#include <cstring>

namespace engine {

Secret::Secret(std::string_view value) : size_(value.size()) {
    if (value.empty()) { return; }
    octets_ = std::make_unique<char[]>(value.size());
    std::memcpy(octets_.get(), value.data(), value.size());
}

Secret::~Secret() {
    wipe();
}

Secret::Secret(Secret&& other) noexcept
    : octets_(std::move(other.octets_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this == &other) { return *this; }
    wipe();
    octets_ = std::move(other.octets_);
    size_ = std::exchange(other.size_, 0);
    return *this;
}

// Not memset(), which may be left out.
void Secret::wipe() noexcept {
    if (octets_) { explicit_bzero(octets_.get(), size_); }
}

}  // namespace engine
