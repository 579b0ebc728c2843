// The manual's table of keys is the one that the tables of keys give.
// Its place is between two markers in docs/configuration.md.
#include "broker/server/config.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace server {
namespace {

constexpr std::string_view begin_mark = "<!-- keys: generated, see tests/server -->\n";
constexpr std::string_view end_mark = "<!-- end of keys -->\n";

std::string manual() {
    std::ifstream in(STAMPEDE_SOURCE_ROOT "/docs/configuration.md");
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ConfigDocs, TheManualHasTheTableOfKeys) {
    const std::string text = manual();
    const std::size_t mark = text.find(begin_mark);
    ASSERT_NE(mark, std::string::npos) << "docs/configuration.md has lost its first marker";
    const std::size_t begin = mark + begin_mark.size();
    const std::size_t end = text.find(end_mark, begin);
    ASSERT_NE(end, std::string::npos) << "docs/configuration.md has lost its second marker";
    const std::string wanted = key_table_markdown();
    EXPECT_EQ(text.substr(begin, end - begin), wanted)
        << "put this between the markers of docs/configuration.md:\n"
        << wanted;
}

}  // namespace
}  // namespace server
