// The users file: what is in it, what is refused, and what a login costs.
#include "broker/security/users_file.hpp"

#include "broker/security/names.hpp"
#include "broker/security/password_hash.hpp"
#include "broker/security/users_file_load.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace security {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// Of "x", cheap; and a bcrypt of "U*U".
const std::string yescrypt_x =
    "$y$j75$5Qk/5Qk/5Qk/5Qk/5Qk/5.$pyWzpqC/pOORMC9jwLZGZLiiP.qAXHWblJxY0OCyQF6";
const std::string bcrypt_u = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

std::shared_ptr<const UsersFile> parsed(const std::string& text) {
    UsersFile::Parsed result = UsersFile::parse(text, "users");
    EXPECT_EQ(result.error, "");
    return result.users;
}

std::string error_of(const std::string& text) {
    const UsersFile::Parsed result = UsersFile::parse(text, "users");
    EXPECT_EQ(result.users, nullptr) << text.substr(0, 200);
    EXPECT_THAT(result.error, testing::EndsWith("."));
    return result.error;
}

/// Counts the hashes that a check costs, and remembers the last one.
struct CountingVerifier {
    bool answer = false;
    int hashes = 0;
    std::string hash = {};

    Verifier verifier() {
        return [this](std::string_view, std::string_view stored) {
            ++hashes;
            hash = stored;
            return answer;
        };
    }
};

TEST(UsersFile, S_AUTH_06_UsersWithHashesAndRoles) {
    const auto users = parsed(
        "# people\n\nanna:" + yescrypt_x + "\n  # indented comment\n \t\nÄnne Müller:" + bcrypt_u +
        ":admin,shop floor\r\n\r\nlast:" + bcrypt_u + ":one"
    );
    ASSERT_EQ(users->size(), 3U);
    EXPECT_THAT(users->find("anna")->roles, IsEmpty());
    EXPECT_EQ(users->find("anna")->hash, yescrypt_x);
    EXPECT_THAT(users->find("Änne Müller")->roles, ElementsAre("admin", "shop floor"));
    EXPECT_EQ(users->find("Änne Müller")->hash, bcrypt_u);
    EXPECT_THAT(users->find("last")->roles, ElementsAre("one"));
    EXPECT_EQ(users->find("Anna"), nullptr);
    EXPECT_EQ(users->find("ann"), nullptr);
    EXPECT_EQ(users->find(""), nullptr);
}

TEST(UsersFile, S_AUTH_06_BadLinesAreRefusedWithTheirNumber) {
    const std::string good = "anna:" + yescrypt_x + "\n";
    const std::vector<std::pair<std::string, const char*>> bad = {
        {"bob", "no colon"},
        {":" + bcrypt_u, "the name is empty"},
        {"b/b:" + bcrypt_u, "the name has a `/`"},
        {"b*:" + bcrypt_u, "the name has a `*`"},
        {" bob:" + bcrypt_u, "begins or ends with a space"},
        {"b\rb:" + bcrypt_u, "control"},
        {std::string("b\0b:", 4) + bcrypt_u, "control"},
        {"\xFF:" + bcrypt_u, "UTF-8"},
        {std::string(129, 'b') + ":" + bcrypt_u, "128"},
        {"bob:", "the hash is empty"},
        {"bob::admin", "the hash is empty"},
        {"bob:secret-canary", "plain passcode"},
        {"bob:" + bcrypt_u + " ", "damaged"},
        {"bob: " + bcrypt_u, "plain passcode"},
        {"bob:$1$abcdefgh$1234567890123456789012", "MD5"},
        {"bob:$6$abcdefgh$" + std::string(86, 'a'), "SHA-512"},
        {"bob:$2b$31$" + bcrypt_u.substr(7), "above 14"},
        {"bob:" + bcrypt_u + ":", "a role is empty"},
        {"bob:" + bcrypt_u + ":a,", "a role is empty"},
        {"bob:" + bcrypt_u + ":a,,b", "a role is empty"},
        {"bob:" + bcrypt_u + ":a,a", "a role is there twice"},
        {"bob:" + bcrypt_u + ":a:b", "a role has a `:`"},
        {"bob:" + bcrypt_u + ":a, b", "begins or ends with a space"},
        {"anna:" + bcrypt_u, "a user above"},
    };
    for (const auto& [line, reason] : bad) {
        const std::string error = error_of("# c\n" + good + line + "\nmore:" + yescrypt_x + "\n");
        EXPECT_THAT(error, StartsWith("users:3: ")) << line;
        EXPECT_THAT(error, HasSubstr(reason)) << line;
        EXPECT_THAT(error, Not(HasSubstr("canary"))) << line;
        EXPECT_THAT(error, Not(HasSubstr("CCCCC"))) << line;
    }
}

TEST(UsersFile, S_BIND_05_AFileWithoutAnyUserIsRefused) {
    for (const char* const text : {"", "\n\n", "# only comments\n", "\r\n"}) {
        EXPECT_THAT(error_of(text), HasSubstr("users:1: the users file has no user"));
    }
}

TEST(UsersFile, S_BIND_05_AByteOrderMarkIsNoPartOfAName) {
    EXPECT_THAT(
        error_of(
            "\xEF\xBB\xBF"
            "anna:" +
            yescrypt_x
        ),
        HasSubstr("byte order mark")
    );
}

TEST(UsersFile, S_SEC_04_RolesAndOctetsAreBounded) {
    std::string roles;
    for (std::size_t i = 0; i < roles_max; ++i) {
        roles += fmt::format("{}r{}", i == 0 ? ":" : ",", i);
    }
    EXPECT_EQ(parsed("anna:" + yescrypt_x + roles)->find("anna")->roles.size(), roles_max);
    EXPECT_THAT(error_of("anna:" + yescrypt_x + roles + ",more"), HasSubstr("64 roles"));
    const std::string user = "anna:" + yescrypt_x + "\n";
    const std::string filling(users_file_bytes_max - user.size(), ' ');
    EXPECT_EQ(parsed(user + filling)->size(), 1U);
    EXPECT_THAT(error_of(user + filling + "\n"), HasSubstr("16 MiB"));
}

TEST(UsersFile, S_SEC_04_UsersAreBounded) {
    std::string text;
    for (std::size_t i = 0; i < users_max; ++i) {
        text += std::to_string(i) + ":" + bcrypt_u + "\n";
    }
    EXPECT_EQ(parsed(text)->size(), users_max);
    text += "more:" + bcrypt_u;
    EXPECT_THAT(error_of(text), HasSubstr("users:100001: there are more than 100,000"));
}

TEST(UsersFile, S_AUTH_06_ALoginGivesThePrincipal) {
    const auto users = parsed("anna:" + yescrypt_x + ":shop,admin\nbob:" + bcrypt_u);
    const auto anna = users->check("anna", "x");
    ASSERT_TRUE(anna);
    EXPECT_EQ(anna->user, "anna");
    EXPECT_THAT(anna->roles, ElementsAre("shop", "admin"));
    EXPECT_EQ(anna->voucher, engine::Voucher::users_file);
    EXPECT_EQ(anna->credential, users->find("anna")->credential);
    EXPECT_FALSE(anna->is_anonymous);
    EXPECT_TRUE(users->check("bob", "U*U"));
    EXPECT_FALSE(users->check("bob", "x"));
    EXPECT_FALSE(users->check("anna", "X"));
    EXPECT_FALSE(users->check("nobody", "x"));
}

TEST(UsersFile, S_AUTH_05_EmptyLoginOrPasscodeIsRefusedBeforeAnyHash) {
    CountingVerifier counting{true};
    const auto users = parsed("anna:" + yescrypt_x);
    EXPECT_FALSE(users->check("", "x", counting.verifier()));
    EXPECT_FALSE(users->check("anna", "", counting.verifier()));
    EXPECT_FALSE(users->check("", "", counting.verifier()));
    EXPECT_EQ(counting.hashes, 0);
}

TEST(UsersFile, S_AUTH_07_AnUnknownUserCostsOneHashAsAKnownOne) {
    const auto users = parsed("anna:" + yescrypt_x);
    for (const char* const login : {"anna", "nobody"}) {
        CountingVerifier counting{false};
        EXPECT_FALSE(users->check(login, "x", counting.verifier()));
        EXPECT_EQ(counting.hashes, 1) << login;
        EXPECT_EQ(hash_cost(counting.hash), hash_cost(yescrypt_x)) << login;
        EXPECT_EQ(hash_fault(counting.hash), "") << login;
    }
    CountingVerifier right{true};
    EXPECT_TRUE(users->check("anna", "x", right.verifier()));
    EXPECT_EQ(right.hashes, 1);
}

TEST(UsersFile, S_AUTH_07_AnUnknownUserIsRefusedWhateverTheHashSays) {
    CountingVerifier counting{true};
    EXPECT_FALSE(parsed("anna:" + yescrypt_x)->check("nobody", "x", counting.verifier()));
}

TEST(UsersFile, S_AUTH_07_TheDummyIsOfTheCommonestKindAndCost) {
    const std::string dear = "$2b$06" + bcrypt_u.substr(6);
    const auto users = parsed(
        "a:" + yescrypt_x + "\nb:" + dear + "\nc:" + bcrypt_u + "\nd:" + dear + "\ne:" + bcrypt_u +
        "\nf:" + dear + "\n"
    );
    CountingVerifier counting;
    EXPECT_FALSE(users->check("nobody", "x", counting.verifier()));
    EXPECT_EQ(hash_cost(counting.hash), "$2b$06");
    EXPECT_NE(counting.hash, dear);
}

TEST(UsersFile, S_AUTH_09_TheCredentialChangesWithNameAndHashOnly) {
    const auto of = [](const std::string& line, const char* name) {
        return parsed(line)->find(name)->credential;
    };
    const std::uint64_t anna = of("anna:" + yescrypt_x, "anna");
    EXPECT_NE(anna, 0U);
    EXPECT_EQ(of("# c\nbob:" + bcrypt_u + "\nanna:" + yescrypt_x + ":role\n", "anna"), anna);
    EXPECT_NE(of("anna:" + bcrypt_u, "anna"), anna);
    EXPECT_NE(of("anne:" + yescrypt_x, "anne"), anna);
}

/// A file in a directory of its own.
class UsersFileOnDisk : public testing::Test {
protected:
    UsersFileOnDisk() { EXPECT_NE(::mkdtemp(directory.data()), nullptr); }

    ~UsersFileOnDisk() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    std::string write(const std::string& text, unsigned mode) {
        const std::string path = directory + "/users";
        std::ofstream(path) << text;
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }

    std::string directory = testing::TempDir() + "stampede-XXXXXX";
};

TEST_F(UsersFileOnDisk, S_AUTH_06_IsReadWithoutAWordIfItsModeIsTight) {
    for (const unsigned mode : {0640U, 0600U, 0440U, 0400U}) {
        const LoadedUsers loaded = load_users(write("anna:" + yescrypt_x, mode), true);
        ASSERT_NE(loaded.users, nullptr) << loaded.error;
        EXPECT_EQ(loaded.users->size(), 1U);
        EXPECT_EQ(loaded.warning, "");
        std::filesystem::remove(directory + "/users");
    }
}

TEST_F(UsersFileOnDisk, S_TLS_03_AModeBeyond0640WarnsOrRefuses) {
    for (const unsigned mode : {0644U, 0660U, 0604U, 0666U}) {
        const std::string path = write("anna:" + yescrypt_x, mode);
        const LoadedUsers loaded = load_users(path, false);
        EXPECT_NE(loaded.users, nullptr);
        EXPECT_THAT(loaded.warning, HasSubstr(fmt::format("{} has mode {:04o}", path, mode)));
        EXPECT_THAT(loaded.warning, HasSubstr("chmod 0640"));
        const LoadedUsers strict = load_users(path, true);
        EXPECT_EQ(strict.users, nullptr);
        EXPECT_THAT(strict.error, HasSubstr("chmod 0640"));
    }
}

TEST_F(UsersFileOnDisk, S_BIND_05_WhatCannotBeReadIsAnErrorThatNamesIt) {
    const std::string missing = directory + "/none";
    EXPECT_THAT(load_users(missing, false).error, HasSubstr(missing + ": No such file"));
    EXPECT_THAT(load_users(directory, false).error, HasSubstr("not a regular file"));
    const std::string pipe = directory + "/pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_THAT(load_users(pipe, false).error, HasSubstr("not a regular file"));
    const std::string broken = write("anna:plain\n", 0600);
    const LoadedUsers loaded = load_users(broken, false);
    EXPECT_EQ(loaded.users, nullptr);
    EXPECT_THAT(loaded.error, StartsWith(broken + ":1: the hash is a plain passcode"));
}

}  // namespace
}  // namespace security
