// Which octets the TOML library is kept from.
#include "broker/server/toml_octets.hpp"

#include <gtest/gtest.h>

#include <string>

namespace server {
namespace {

TEST(TomlOctets, S_BIND_05_BeyondAsciiOnlyInQuotesAndComments) {
    for (const char* good : {
             "",
             "a = \"\xC3\xA4\"",
             "a = '\xC3\xA4' # \xC3\xA4\nb = 1",
             "a = \"\\\"\xC3\xA4\"",
             "a = \"\"\"\n\xC3\xA4 \"\" \xC3\xA4\"\"\"",
             "a = \"\"\"\xC3\xA4\"\"\"\"\" # \xC3\xA4",
             "a = '''\n\xC3\xA4''' # \xC3\xA4",
             "\xEF\xBB\xBF"
             "a = 1",
         }) {
        EXPECT_EQ(stray_octet(good), std::nullopt) << good;
    }
    const auto at = [](std::string_view text) { return stray_octet(text).value_or(999); };
    EXPECT_EQ(at("\xC3\xA4 = 1"), 0U);
    EXPECT_EQ(at("a = \"b\" \xC2\xA0"), 8U);
    EXPECT_EQ(at("a = \"b\nc = \xC2\xA0"), 11U);
    EXPECT_EQ(at("a = \"\"\"b\"\"\" \xC2\xA0"), 12U);
    EXPECT_EQ(at("# \xC3\xA4\n\xC2\xA0"), 5U);
    EXPECT_EQ(at("a = \"\\\\\" \xC2\xA0"), 9U);
}

TEST(TomlOctets, S_BIND_05_ErrorsAreLookedForInAsciiAtTheSamePlaces) {
    EXPECT_EQ(in_ascii("a = \"\xC3\xA4\" # \xE2\x82\xAC"), "a = \"xx\" # xxx");
    EXPECT_EQ(
        in_ascii("\xEF\xBB\xBF"
                 "a = 1"),
        "a = 1"
    );
}

}  // namespace
}  // namespace server
