// The architecture and style of this very tree, one fact a rule.
// What a violation should become instead stands in its message; lengths are printed, never judged.
#include "tests/style/measures.hpp"
#include "tests/style/rules.hpp"
#include "tests/style/tree.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace style {
namespace {

const Tree& this_tree() {
    static const Tree tree = read_tree(STAMPEDE_SOURCE_ROOT);
    return tree;
}

class Style : public testing::TestWithParam<Rule> {};

TEST_P(Style, OfTheTree) {
    for (const std::string& violation : GetParam().check(this_tree())) {
        ADD_FAILURE() << violation;
    }
}

INSTANTIATE_TEST_SUITE_P(, Style, testing::ValuesIn(all_rules()), [](const auto& rule) {
    return std::string(rule.param.name);
});

void print(const char* title, const std::vector<Measure>& measures) {
    std::printf("%s\n", title);
    for (const Measure& measure : measures) {
        std::printf("%6zu  %s\n", measure.lines, measure.name.c_str());
    }
}

TEST(StyleTree, HasTheProductInIt) {
    EXPECT_NE(this_tree().find("broker/CMakeLists.txt"), nullptr);
    EXPECT_NE(this_tree().find("tests/style/style_test.cpp"), nullptr);
    EXPECT_FALSE(largest_files(this_tree(), 1).empty());
}

TEST(StyleTree, PrintsItsLargestFilesAndFunctions) {
    print("The ten largest files, in lines", largest_files(this_tree(), 10));
    print("The ten largest functions, in lines", largest_functions(this_tree(), 10));
}

}  // namespace
}  // namespace style
