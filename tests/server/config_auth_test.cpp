// What belongs together where principals come from: back ends, URLs, keys of tokens (S-AUTH-04,
// S-AUTH-11, S-AUTH-14, S-BIND-05).
#include "broker/server/config.hpp"
#include "tests/server/temporary_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace server {
namespace {

using testing::HasSubstr;

std::string errors_of(const std::string& toml) {
    const TemporaryFile file(toml);
    Flags flags;
    flags.config = file.path();
    const LoadedConfig loaded =
        load_config(flags, [](const char*) -> const char* { return nullptr; });
    std::string all;
    for (const ConfigError& error : loaded.errors) {
        all += error.text() + "\n";
    }
    return all;
}

const std::string token_keys = "issuer = \"i\"\naudience = \"a\"\n";
const std::string hook = "[hook]\nurl = \"https://id.example/login\"\n";
const std::string users = "[auth]\nusers_file = \"users\"\n";

TEST(ConfigAuth, S_AUTH_14_AHookIsAWayToConfigureUsers) {
    EXPECT_EQ(errors_of(hook), "");
    EXPECT_EQ(
        errors_of(
            hook + "[[listener]]\nkind = \"ws\"\naddress = \"0.0.0.0:0\"\ntls_certificate = \"c\"\n"
                   "tls_key = \"k\"\n"
        ),
        ""
    );
    EXPECT_EQ(errors_of("[hook]\nurl = \"http://unix:/run/hook.sock:/login\"\n"), "");
}

TEST(ConfigAuth, S_AUTH_14_ItsUrlIsCheckedAndNotRepeated) {
    for (const std::string url :
         {"http://id.example/?key=hush", "ftp://id.example", "id.example"}) {
        const std::string errors = errors_of("[hook]\nurl = \"" + url + "\"\n");
        EXPECT_THAT(errors, HasSubstr(":2:7: hook.url: the URL "));
        EXPECT_EQ(errors.find("hush"), std::string::npos);
    }
    EXPECT_THAT(errors_of("[hook]\nca_file = \"x\"\n"), HasSubstr("hook.ca_file"));
    EXPECT_THAT(errors_of(hook + "cache = \"61s\"\n"), HasSubstr("out of range"));
    EXPECT_THAT(errors_of(hook + "timeout = \"6s\"\n"), HasSubstr("out of range"));
    EXPECT_THAT(errors_of(hook + "in_flight = 0\n"), HasSubstr("out of range"));
}

TEST(ConfigAuth, S_AUTH_04_BackEndsAreThoseThatAreConfiguredEachOnce) {
    EXPECT_EQ(errors_of(users + "backends = [\"hook\", \"users\"]\n" + hook), "");
    EXPECT_EQ(errors_of(users + "backends = [\"users\"]\n"), "");
    for (const std::string list :
         {R"(["users"])", R"(["hook"])", R"(["users", "hook", "users"])", R"(["ldap"])"}) {
        EXPECT_THAT(
            errors_of(users + "backends = " + list + "\n" + hook), HasSubstr("auth.backends: ")
        );
    }
    EXPECT_THAT(
        errors_of(users + "backends = [\"users\", \"hook\"]\n"),
        HasSubstr("\"hook\" needs hook.url")
    );
}

TEST(ConfigAuth, S_AUTH_11_KeysComeFromAFileOrFromAnUrl) {
    const std::string url = "keys_url = \"https://id.example/keys\"\n";
    EXPECT_EQ(errors_of("[jwt]\n" + token_keys + url + "keys_ca_file = \"ca.pem\"\n"), "");
    EXPECT_THAT(
        errors_of("[jwt]\n" + token_keys + url + "keys_file = \"keys\"\n"),
        HasSubstr("jwt.keys_url: jwt.keys_file is set too")
    );
    EXPECT_THAT(
        errors_of("[jwt]\n" + token_keys + "keys_url = \"http://id.example/keys\"\n"),
        HasSubstr("jwt.keys_url: the URL sends secrets in clear text")
    );
    EXPECT_THAT(
        errors_of("[jwt]\n" + token_keys + "keys_file = \"k\"\nkeys_ca_file = \"ca\"\n"),
        HasSubstr("jwt.keys_ca_file: ")
    );
    EXPECT_THAT(errors_of("[jwt]\n" + url), HasSubstr("jwt.issuer"));
    EXPECT_THAT(
        errors_of("[jwt]\n" + token_keys + url + "keys_refresh = \"59s\"\n"),
        HasSubstr("out of range")
    );
}

}  // namespace
}  // namespace server
