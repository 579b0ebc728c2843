#include "broker/admin/rounded.hpp"

#include <cmath>
#include <cstdint>

namespace admin {

boost::json::value rounded(double number) {
    constexpr double exact = 9007199254740992;
    const double near = std::round(number * 1000) / 1000;
    const bool is_whole = near == std::trunc(near) && std::abs(near) < exact;
    if (is_whole) { return static_cast<std::int64_t>(near); }
    return near;
}

}  // namespace admin
