// `stampede acl check` as a whole, on configurations made here.
#include "broker/cli/commands.hpp"
#include "broker/cli/exit_code.hpp"
#include "tests/server/temporary_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace cli {
namespace {

using testing::HasSubstr;

constexpr const char* rules =
    "[[acl]]\nwho = [\"authenticated\"]\nallow = [\"subscribe\"]\non = [\"/topic/#\"]\n"
    "[[acl]]\nwho = [\"role:guests\"]\ndeny = [\"subscribe\"]\non = [\"/topic/secret/#\"]\n"
    "[[acl]]\nwho = [\"claim:tenant=acme\"]\nallow = [\"publish\"]\non = [\"/queue/%{tenant}\"]\n";

struct Said {
    ExitCode code = ExitCode::ok;
    std::string out;
    std::string err;
};

Said check(std::vector<std::string> arguments, const char* toml = rules) {
    const server::TemporaryFile file(toml);
    std::vector<std::string> words{"stampede", "acl", "check", "--config", file.path()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<const char*> argv;
    for (const std::string& word : words) {
        argv.push_back(word.c_str());
    }
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Said said;
    said.code = static_cast<ExitCode>(run(static_cast<int>(argv.size()), argv.data()));
    said.out = testing::internal::GetCapturedStdout();
    said.err = testing::internal::GetCapturedStderr();
    return said;
}

TEST(AclCheck, S_ACL_02_SaysWhichRuleDecidesAndWhereItIs) {
    const Said allowed = check({"--user", "anna", "subscribe", "/topic/a"});
    EXPECT_EQ(allowed.code, ExitCode::ok);
    EXPECT_THAT(allowed.out, testing::StartsWith("allowed: "));
    EXPECT_THAT(
        allowed.out, HasSubstr(":1: acl[0]: allow subscribe on /topic/# for authenticated\n")
    );
    const Said denied = check({"--user", "ben", "--role", "guests", "subscribe", "/topic/secret"});
    EXPECT_EQ(denied.code, ExitCode::refused);
    EXPECT_THAT(denied.out, testing::StartsWith("refused: "));
    EXPECT_THAT(denied.out, HasSubstr(":5: acl[1]: deny subscribe"));
    const Said anonymous = check({"subscribe", "/topic/a"});
    EXPECT_EQ(anonymous.code, ExitCode::refused);
    EXPECT_EQ(anonymous.out, "refused: no rule allows it\n");
}

TEST(AclCheck, IsForConfigurationsWithUsersAndWithPublicAddresses) {
    const std::string users = std::string("[auth]\nusers_file = \"users\"\n") + rules;
    EXPECT_EQ(check({"--user", "anna", "subscribe", "/topic/a"}, users.c_str()).code, ExitCode::ok);
    const std::string open = std::string("[server]\ntcp = \"*:61613\"\n") + rules;
    EXPECT_EQ(check({"--user", "anna", "subscribe", "/topic/a"}, open.c_str()).code, ExitCode::ok);
}

TEST(AclCheck, S_ACL_04_ClaimsAreGiven) {
    const std::vector<std::string> with{"--user", "anna", "--claim", "tenant=acme"};
    const auto publish = [&](const char* name) {
        std::vector<std::string> words = with;
        words.insert(words.end(), {"publish", name});
        return check(std::move(words)).code;
    };
    EXPECT_EQ(publish("/queue/acme"), ExitCode::ok);
    EXPECT_EQ(publish("acme"), ExitCode::ok);
    EXPECT_EQ(publish("/queue/other"), ExitCode::refused);
}

TEST(AclCheck, S_ACL_07_PatternsAreCheckedAsAWhole) {
    const Said guest = check({"--user", "ben", "--role", "guests", "subscribe", "/topic/*"});
    EXPECT_EQ(guest.code, ExitCode::ok);
    EXPECT_THAT(guest.out, HasSubstr("a rule denies are left out"));
    EXPECT_EQ(check({"--user", "a", "subscribe", "/exchange/x/#"}).code, ExitCode::refused);
    EXPECT_EQ(check({"--user", "a", "publish", "/topic/*"}).code, ExitCode::usage);
}

TEST(AclCheck, S_ACL_08_ReservedNamesAreRefused) {
    EXPECT_EQ(check({"--user", "anna", "subscribe", "/topic/$x"}).code, ExitCode::refused);
}

TEST(AclCheck, WrongUseIsExplained) {
    EXPECT_EQ(check({"--user", "anna", "admin", "/topic/a"}).code, ExitCode::usage);
    EXPECT_EQ(check({"--user", "a/b", "publish", "/topic/a"}).code, ExitCode::usage);
    EXPECT_EQ(check({"--role", "guests", "publish", "/topic/a"}).code, ExitCode::usage);
    EXPECT_EQ(check({"--user", "a", "publish", "/topic//a"}).code, ExitCode::usage);
    const Said none = check({"publish", "/topic/a"}, "");
    EXPECT_EQ(none.code, ExitCode::configuration);
    EXPECT_THAT(none.err, HasSubstr("there is no [[acl]]"));
    EXPECT_EQ(check({"publish", "/topic/a"}, "[[acl]]\n").code, ExitCode::configuration);
}

}  // namespace
}  // namespace cli
