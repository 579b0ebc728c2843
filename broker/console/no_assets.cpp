// A program without the console (STAMPEDE_CONSOLE=OFF).
// Limits: none; there is nothing.
#include "broker/console/assets.hpp"

namespace console {

std::span<const Asset> assets() noexcept {
    return {};
}

}  // namespace console
