// Proofs that one pattern matches all that another one does (S-ACL-07).
// Against random names the proofs are tested in access_model_test.cpp.
#include "broker/security/pattern_inclusion.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace security {
namespace {

using Levels = std::vector<std::string_view>;

/// `#/a` so many times, then so many `*`.
Levels tail_of(std::size_t repeated, std::size_t stars) {
    Levels levels;
    for (std::size_t i = 0; i < repeated; ++i) {
        levels.insert(levels.end(), {"#", "a"});
    }
    levels.insert(levels.end(), stars, "*");
    return levels;
}

TEST(PatternInclusion, S_ACL_07_ProvesWhatIsSo) {
    EXPECT_TRUE(includes(Levels{"#", "*", "#", "*"}, Levels{"a", "#", "*"}));
    EXPECT_TRUE(includes(Levels{"*", "#", "*"}, Levels{"*", "*", "#"}));
    EXPECT_FALSE(includes(Levels{"*", "#", "*"}, Levels{"*", "#"}));
    EXPECT_TRUE(includes(tail_of(1, 3), tail_of(4, 3)));
    EXPECT_FALSE(includes(tail_of(4, 3), tail_of(1, 3)));
    EXPECT_FALSE(includes(tail_of(1, 3), tail_of(4, 4)));
    EXPECT_TRUE(includes(Levels{}, Levels{}));
    EXPECT_FALSE(includes(Levels{}, Levels{"#"}));
}

TEST(PatternInclusion, S_ACL_07_AProofThatWouldTakeLongIsNoProof) {
    EXPECT_FALSE(includes(tail_of(1, 30), tail_of(20, 30)));
    EXPECT_FALSE(includes(Levels(64, "*"), Levels(64, "*")));
    EXPECT_TRUE(includes(Levels(63, "*"), Levels(63, "*")));
}

TEST(PatternInclusion, P_DEST_08_HiddenLevelsAreNotCovered) {
    EXPECT_FALSE(includes(Levels{"#"}, Levels{"$x", "*"}));
    EXPECT_TRUE(includes(Levels{"$x", "#"}, Levels{"$x", "*"}));
}

}  // namespace
}  // namespace security
