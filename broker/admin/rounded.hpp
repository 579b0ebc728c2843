// Numbers as the API writes them.
#pragma once

#include <boost/json/value.hpp>

namespace admin {

/// To a thousandth. A whole number of less than 2^53 becomes an integer: Boost.JSON writes 417.0 as
/// 4.17E2.
[[nodiscard]] boost::json::value rounded(double number);

}  // namespace admin
