// Takes decisions from the beginning of a fuzz input; what is left is the input proper.
// An exhausted input decides 0, so that short inputs are cheap and simple.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fuzz {

class Choices {
public:
    Choices(const std::uint8_t* data, std::size_t size)
        : rest_(reinterpret_cast<const char*>(data), size) {}

    std::uint8_t octet() {
        if (rest_.empty()) { return 0; }
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }

    [[nodiscard]] std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

/// Sizes of pieces from a seed: 0 cuts everywhere, small seeds finely, others roughly.
class Cuts {
public:
    explicit Cuts(std::uint8_t seed) : state_(seed), most_(seed % 8 == 0 ? 1U : 1U << seed % 8) {}

    std::size_t next(std::size_t left) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        const auto size = static_cast<std::size_t>(state_ >> 33) % most_ + 1;
        return size < left ? size : left;
    }

private:
    std::uint64_t state_;
    std::size_t most_;
};

/// As assert, but in every build and with a message.
inline void require(bool condition, const char* what) {
    if (condition) { return; }
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

}  // namespace fuzz
