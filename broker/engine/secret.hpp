// A passcode, token or key in memory: it cannot be printed, compared or copied by accident, and its
// octets are wiped when it goes (S-SEC-01).
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <memory>
#include <ostream>
#include <string_view>
#include <utility>

namespace engine {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string_view value);
    ~Secret();
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;

    [[nodiscard]] bool empty() const { return size_ == 0; }

    [[nodiscard]] std::size_t size() const { return size_; }

    /// The octets, as long as this lives. Never for a log, an error or an answer.
    [[nodiscard]] std::string_view reveal() const { return {octets_.get(), size_}; }

    /// For the few that must have one of their own.
    [[nodiscard]] Secret duplicate() const { return Secret(reveal()); }

    friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "***"; }

private:
    void wipe() noexcept;

    // On the heap even if short: a moved std::string would leave its octets behind.
    std::unique_ptr<char[]> octets_;
    std::size_t size_ = 0;
};

}  // namespace engine

template <>
struct fmt::formatter<engine::Secret> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const engine::Secret&, Context& context) const {
        return fmt::formatter<std::string_view>::format("***", context);
    }
};
