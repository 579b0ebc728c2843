#include "broker/admin/rounded.hpp"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <limits>

namespace admin {
namespace {

std::string text(double number) {
    return boost::json::serialize(rounded(number));
}

TEST(Rounded, O_10_WholeNumbersHaveNoExponent) {
    EXPECT_EQ(text(0), "0");
    EXPECT_EQ(text(-0.0), "0");
    EXPECT_EQ(text(417), "417");
    EXPECT_EQ(text(416.9999), "417");
    EXPECT_EQ(text(-3), "-3");
    EXPECT_EQ(text(9007199254740991.0), "9007199254740991");
}

TEST(Rounded, O_10_OthersAreToAThousandth) {
    EXPECT_EQ(rounded(1.0 / 3).as_double(), 0.333);
    EXPECT_EQ(rounded(12.0006).as_double(), 12.001);
    EXPECT_EQ(rounded(1e300).as_double(), 1e300);
}

}  // namespace
}  // namespace admin
