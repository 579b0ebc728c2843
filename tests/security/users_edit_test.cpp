// Changes to the text of a users file.
#include "broker/security/users_edit.hpp"

#include <gtest/gtest.h>

namespace security {
namespace {

using Roles = std::vector<std::string>;

const std::string text = "# people\nanna:$old:shop\n\n  # bob:\nbobby:$b\nbob:$c:a,b\n";

TEST(UsersEdit, S_AUTH_06_ANewUserGoesToTheEnd) {
    const EditedUsers edited = with_user(text, "carl", "$new", Roles{"x", "y"});
    EXPECT_EQ(edited.text, text + "carl:$new:x,y\n");
    EXPECT_FALSE(edited.was_there);
    EXPECT_EQ(with_user("", "carl", "$new", std::nullopt).text, "carl:$new\n");
    EXPECT_EQ(with_user("a:$a", "carl", "$new", Roles{}).text, "a:$a\ncarl:$new\n");
    EXPECT_EQ(with_user("#\r\na:$a", "c", "$n", Roles{}).text, "#\r\na:$a\r\nc:$n\r\n");
    // Half an end of line: another one would be a part of the user above.
    EXPECT_EQ(with_user("#\r\na:$a\r", "c", "$n", Roles{}).text, "#\r\na:$a\r\nc:$n\r\n");
    EXPECT_EQ(with_user("a:$a\r", "c", "$n", Roles{}).text, "a:$a\r\nc:$n\n");
}

TEST(UsersEdit, S_AUTH_06_AChangeLeavesAllOtherLinesAsTheyAre) {
    const EditedUsers edited = with_user(text, "bob", "$new", std::nullopt);
    EXPECT_EQ(edited.text, "# people\nanna:$old:shop\n\n  # bob:\nbobby:$b\nbob:$new:a,b\n");
    EXPECT_TRUE(edited.was_there);
    EXPECT_EQ(with_user("b:$b\r\na:$a", "b", "$n", std::nullopt).text, "b:$n\r\na:$a");
    EXPECT_EQ(with_user("b:$b\na:$a:r", "a", "$n", std::nullopt).text, "b:$b\na:$n:r");
    EXPECT_EQ(with_user("b:$b\na:$a\r", "a", "$n", std::nullopt).text, "b:$b\na:$n\r");
}

TEST(UsersEdit, S_AUTH_06_RolesAreKeptUnlessTheyAreGiven) {
    EXPECT_EQ(with_user("a:$a:x,y\n", "a", "$n", std::nullopt).text, "a:$n:x,y\n");
    EXPECT_EQ(with_user("a:$a:x,y\n", "a", "$n", Roles{"z"}).text, "a:$n:z\n");
    EXPECT_EQ(with_user("a:$a:x,y\n", "a", "$n", Roles{}).text, "a:$n\n");
    EXPECT_EQ(with_user("a:$a\n", "a", "$n", Roles{"z"}).text, "a:$n:z\n");
    EXPECT_EQ(with_user("a:\n", "a", "$n", std::nullopt).text, "a:$n\n");
}

TEST(UsersEdit, S_AUTH_06_AUserIsRemovedWithTheLine) {
    EXPECT_EQ(without_user(text, "anna").text, "# people\n\n  # bob:\nbobby:$b\nbob:$c:a,b\n");
    EXPECT_EQ(without_user("a:$a", "a").text, "");
    const EditedUsers none = without_user(text, "b");
    EXPECT_EQ(none.error, "there is no such user");
    EXPECT_FALSE(none.was_there);
}

TEST(UsersEdit, S_AUTH_06_TwoLinesOfOneUserAreNotGuessedAt) {
    const std::string twice = "a:$1\n#\na:$2\n";
    EXPECT_EQ(
        with_user(twice, "a", "$n", std::nullopt).error,
        "the user has two lines, 1 and 3; remove one of them"
    );
    EXPECT_FALSE(without_user(twice, "a").error.empty());
}

}  // namespace
}  // namespace security
