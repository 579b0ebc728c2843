// Names of users and roles (S-AUTH-06).
#include "broker/security/names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace security {
namespace {

TEST(Names, S_AUTH_06_WhatCanBeAName) {
    for (const char* name :
         {"anna", "anna@example", "Änne Müller", "a", "auth0|12-3_4", "租户", "%u"}) {
        EXPECT_EQ(name_fault(name), "") << name;
    }
    EXPECT_EQ(name_fault(std::string(128, 'x')), "");
}

TEST(Names, S_AUTH_06_WhatCannot) {
    for (const char* name :
         {"",
          " a",
          "a ",
          "a/b",
          "a.b",
          "*",
          "a#",
          "+",
          ">",
          "a:b",
          "a\nb",
          "a\x7F",
          "a\xC2\x85",
          "\xFF",
          "\xC0\xAF"}) {
        EXPECT_NE(name_fault(name), "") << name;
    }
    EXPECT_NE(name_fault(std::string("a\0b", 3)), "");
    EXPECT_NE(name_fault(std::string(129, 'x')), "");
}

}  // namespace
}  // namespace security
