// `stampede passwd` on users files made here: what it writes, what it refuses, what it reads.
#include "broker/cli/commands.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/passcode_input.hpp"
#include "broker/cli/replace_file.hpp"
#include "broker/security/password_hash.hpp"
#include "broker/security/users_file_load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <thread>
#include <unistd.h>

namespace cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Both ends of a pipe, or of a terminal.
struct Ends {
    int far = -1;   ///< Where the test writes and, of a terminal, reads.
    int near = -1;  ///< What the tool reads.

    void close_far() { ::close(std::exchange(far, -1)); }

    ~Ends() {
        if (far >= 0) { ::close(far); }
        ::close(near);
    }
};

Ends make_pipe(const std::string& content) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_EQ(
        ::write(ends[1], content.data(), content.size()), static_cast<ssize_t>(content.size())
    );
    ::close(ends[1]);
    return {-1, ends[0]};
}

struct Outcome {
    int code = 0;
    std::string out;
    std::string err;
};

/// Runs the command as run() does, with `input` as its stdin.
Outcome run_passwd(std::vector<const char*> arguments, const std::string& input) {
    const Ends pipe = make_pipe(input);
    const int own = ::dup(STDIN_FILENO);
    ::dup2(pipe.near, STDIN_FILENO);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    arguments.insert(arguments.begin(), {"stampede", "passwd"});
    CLI::App app;
    Action action;
    add_passwd(app, action);
    Outcome outcome;
    try {
        app.parse(static_cast<int>(arguments.size()), arguments.data());
        outcome.code = action();
    } catch (const CLI::ParseError& error) {
        app.exit(error);
        outcome.code = to_int(ExitCode::usage);
    } catch (const Failure& failure) {
        std::fprintf(stderr, "stampede: %s\n", failure.what());
        outcome.code = to_int(failure.code());
    }
    std::fflush(stdout);
    outcome.out = testing::internal::GetCapturedStdout();
    outcome.err = testing::internal::GetCapturedStderr();
    ::dup2(own, STDIN_FILENO);
    ::close(own);
    return outcome;
}

class Passwd : public testing::Test {
protected:
    Passwd() {
        EXPECT_NE(::mkdtemp(directory.data()), nullptr);
        path = directory + "/users";
    }

    ~Passwd() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    /// With the options behind the name. bcrypt and argon2id are slower to test.
    Outcome set(const char* name, const std::string& input, std::vector<const char*> more = {}) {
        more.insert(more.begin(), {path.c_str(), name});
        return run_passwd(more, input);
    }

    void write(const std::string& text) const { std::ofstream(path) << text; }

    [[nodiscard]] std::string text() const {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    [[nodiscard]] std::shared_ptr<const security::UsersFile> users() const {
        security::LoadedUsers loaded = security::load_users(path, true);
        EXPECT_EQ(loaded.error, "");
        return loaded.users;
    }

    [[nodiscard]] unsigned mode() const {
        struct stat status {};

        EXPECT_EQ(::stat(path.c_str(), &status), 0);
        return status.st_mode & 07777U;
    }

    [[nodiscard]] std::size_t files() const {
        const auto begin = std::filesystem::directory_iterator(directory);
        return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator())
        );
    }

    std::string directory = testing::TempDir() + "stampede-XXXXXX";
    std::string path;
};

TEST_F(Passwd, S_AUTH_06_MakesAFileThatTheBrokerTakes) {
    const Outcome outcome = set("anna", "geheim\n", {"--role", "shop", "--role", "admin"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "anna: added\n");
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(mode(), 0640U);
    ASSERT_NE(users(), nullptr);
    EXPECT_THAT(users()->find("anna")->roles, ElementsAre("shop", "admin"));
    EXPECT_EQ(security::hash_kind(users()->find("anna")->hash), security::HashKind::yescrypt);
    EXPECT_TRUE(users()->check("anna", "geheim"));
    EXPECT_FALSE(users()->check("anna", "geheim\n"));
    EXPECT_EQ(files(), 1U) << "nothing is left beside it";
}

TEST_F(Passwd, S_AUTH_06_ChangesOneUserAndNothingElse) {
    EXPECT_EQ(set("anna", "one").code, 0);
    EXPECT_EQ(set("bob", "two", {"--role", "shop"}).code, 0);
    const std::string before = "# people\n\n" + text() + "# end\n";
    write(before);
    const Outcome outcome = set("bob", "three\r\n");
    EXPECT_EQ(outcome.out, "bob: changed\n");
    EXPECT_TRUE(users()->check("anna", "one"));
    EXPECT_TRUE(users()->check("bob", "three"));
    EXPECT_FALSE(users()->check("bob", "two"));
    EXPECT_THAT(users()->find("bob")->roles, ElementsAre("shop"));
    const std::size_t bob = before.find("bob:");
    EXPECT_EQ(text().substr(0, bob), before.substr(0, bob));
    EXPECT_THAT(text(), testing::EndsWith(":shop\n# end\n"));
    EXPECT_EQ(set("bob", "three", {"--role", "x", "--role", "x"}).code, 0);
    EXPECT_THAT(users()->find("bob")->roles, ElementsAre("x"));
}

TEST_F(Passwd, S_AUTH_06_HashesOfTheKindAskedFor) {
    EXPECT_EQ(set("anna", "geheim", {"--kind", "bcrypt"}).code, 0);
    EXPECT_THAT(users()->find("anna")->hash, testing::StartsWith("$2b$10$"));
    EXPECT_TRUE(users()->check("anna", "geheim"));
    const Outcome argon2id = set("anna", "geheim", {"--kind", "argon2id"});
    if (security::is_available(security::HashKind::argon2id)) {
        EXPECT_THAT(users()->find("anna")->hash, testing::StartsWith("$argon2id$v=19$m=19456,"));
    } else {
        EXPECT_EQ(argon2id.code, 1);
        EXPECT_THAT(argon2id.err, HasSubstr("lacks argon2id"));
    }
    EXPECT_EQ(set("anna", "geheim", {"--kind", "md5"}).code, 2);
}

TEST_F(Passwd, S_AUTH_06_DeletesAUser) {
    EXPECT_EQ(set("anna", "one").code, 0);
    EXPECT_EQ(set("bob", "two").code, 0);
    const Outcome deleted = set("anna", "", {"--delete"});
    EXPECT_EQ(deleted.code, 0);
    EXPECT_EQ(deleted.out, "anna: deleted\n");
    EXPECT_EQ(users()->size(), 1U);
    const Outcome again = set("anna", "", {"--delete"});
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.err, HasSubstr(path + ": anna: there is no such user"));
    const Outcome last = set("bob", "", {"--delete"});
    EXPECT_EQ(last.code, 0);
    EXPECT_THAT(last.err, HasSubstr("warning: " + path + ":1: the users file has no user"));
}

TEST_F(Passwd, S_AUTH_05_AnEmptyPasscodeIsRefused) {
    for (const char* const input : {"", "\n", "\r\n"}) {
        const Outcome outcome = set("anna", input);
        EXPECT_EQ(outcome.code, 1);
        EXPECT_THAT(outcome.err, HasSubstr("the passcode is empty"));
    }
    EXPECT_EQ(files(), 0U);
}

TEST_F(Passwd, S_AUTH_07_PasscodesThatCannotBeHashedAreRefused) {
    EXPECT_THAT(set("anna", std::string(73, 'x'), {"--kind", "bcrypt"}).err, HasSubstr("72"));
    EXPECT_THAT(set("anna", std::string(512, 'x')).err, HasSubstr("511"));
    EXPECT_THAT(set("anna", std::string(50'000, 'x')).err, HasSubstr("one line"));
    EXPECT_THAT(set("anna", std::string("a\0b", 3)).err, HasSubstr("an octet 0"));
    EXPECT_THAT(set("anna", "\xFF").err, HasSubstr("UTF-8"));
    EXPECT_THAT(set("anna", "one\ntwo\n").err, HasSubstr("one line"));
    EXPECT_EQ(files(), 0U);
}

TEST_F(Passwd, S_SEC_02_ThePasscodeIsNoArgument) {
    const Outcome outcome = set("anna", "geheim", {"canary"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(set("anna", "geheim", {"--passcode", "canary"}).code, 2);
    EXPECT_EQ(files(), 0U);
}

TEST_F(Passwd, S_SEC_01_NeitherPasscodeNorHashIsPrinted) {
    const Outcome outcome = set("anna", "canary");
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("canary")));
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("$y$")));
    EXPECT_THAT(text(), Not(HasSubstr("canary")));
}

TEST_F(Passwd, S_AUTH_06_NamesAndRolesThatTheFileCannotHaveAreUsageErrors) {
    for (const char* const name : {"a/b", "a:b", "", " a", "*"}) {
        EXPECT_EQ(set(name, "x").code, 2) << name;
    }
    for (const char* const role : {"a,b", "a:b", "", "a#"}) {
        EXPECT_EQ(set("anna", "x", {"--role", role}).code, 2) << role;
    }
    EXPECT_EQ(set("anna", "x", {"--delete", "--role", "a"}).code, 2);
    EXPECT_EQ(set("anna", "x", {"--delete", "--kind", "bcrypt"}).code, 2);
    EXPECT_EQ(run_passwd({path.c_str()}, "x").code, 2);
    EXPECT_EQ(files(), 0U);
}

TEST_F(Passwd, S_AUTH_06_MendsAPlainPasscodeAndSaysWhatIsLeft) {
    write("anna:plain:shop\nbob:plain\n");
    const Outcome first = set("anna", "new");
    EXPECT_EQ(first.code, 0);
    EXPECT_THAT(first.err, HasSubstr("warning: " + path + ":2: the hash is a plain passcode"));
    EXPECT_EQ(set("bob", "new").code, 0);
    EXPECT_EQ(::chmod(path.c_str(), 0640), 0);
    EXPECT_EQ(users()->size(), 2U);
    EXPECT_THAT(users()->find("anna")->roles, ElementsAre("shop"));
}

TEST_F(Passwd, S_AUTH_06_TwoLinesOfOneUserAreRefusedAndNothingIsWritten) {
    write("anna:a\nanna:b\n");
    const Outcome outcome = set("anna", "x");
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("two lines, 1 and 2"));
    EXPECT_EQ(text(), "anna:a\nanna:b\n");
    EXPECT_EQ(files(), 1U);
}

TEST_F(Passwd, S_TLS_03_ModesAreKeptAndLooseOnesNamed) {
    EXPECT_EQ(set("anna", "x").code, 0);
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    EXPECT_EQ(set("anna", "x").code, 0);
    EXPECT_EQ(mode(), 0600U);
    EXPECT_EQ(::chmod(path.c_str(), 0644), 0);
    EXPECT_THAT(set("anna", "x").err, HasSubstr("chmod 0640"));
    EXPECT_EQ(mode(), 0644U);
}

TEST_F(Passwd, S_AUTH_06_ALinkIsFollowedAndStays) {
    const std::string link = directory + "/link";
    write("# empty\n");
    ASSERT_EQ(::symlink("users", link.c_str()), 0);
    EXPECT_EQ(run_passwd({link.c_str(), "anna"}, "x").code, 0);
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_THAT(text(), testing::StartsWith("# empty\nanna:$y$"));
}

TEST_F(Passwd, S_BIND_05_WhatIsNoUsersFileIsRefused) {
    EXPECT_EQ(run_passwd({directory.c_str(), "anna"}, "x").code, 1);
    EXPECT_EQ(run_passwd({"/nonexistent/users", "anna"}, "x").code, 1);
    const Outcome none = set("anna", "", {"--delete"});
    EXPECT_EQ(none.code, 1);
    EXPECT_THAT(none.err, HasSubstr("No such file"));
    EXPECT_EQ(files(), 0U);
}

TEST_F(Passwd, ReplaceFile_AFailureLeavesTheFileAsItWas) {
    write("before");
    EXPECT_THROW(
        replace_file(path, 0640, []() -> std::string { throw std::runtime_error("no"); }),
        std::runtime_error
    );
    EXPECT_EQ(text(), "before");
    EXPECT_EQ(files(), 1U);
}

TEST_F(Passwd, ReplaceFile_ADraftThatCannotTakeThePlaceIsRemoved) {
    ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
    EXPECT_THROW(replace_file(path, 0640, [] { return std::string("text"); }), Failure);
    EXPECT_EQ(files(), 1U);
}

/// A terminal: what is typed at `far` is read at `near`.
Ends open_terminal() {
    Ends ends;
    ends.far = ::posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_EQ(::grantpt(ends.far), 0);
    EXPECT_EQ(::unlockpt(ends.far), 0);
    ends.near = ::open(::ptsname(ends.far), O_RDWR | O_NOCTTY);
    return ends;
}

/// Types each line when a prompt has come, and collects all that the terminal shows.
class Typist {
public:
    Typist(int terminal, std::vector<std::string> lines)
        : thread_([this, terminal, lines = std::move(lines)] {
              for (const std::string& line : lines) {
                  read_until(terminal, ": ");
                  EXPECT_EQ(::write(terminal, line.data(), line.size()), ssize_t(line.size()));
              }
              read_until(terminal, "\n");
          }) {}

    std::string seen() {
        thread_.join();
        return seen_;
    }

private:
    void read_until(int terminal, std::string_view end) {
        do {
            char octet = 0;
            if (::read(terminal, &octet, 1) != 1) { return; }
            seen_.push_back(octet);
        } while (!seen_.ends_with(end));
    }

    std::string seen_;
    std::thread thread_;
};

bool echoes(int terminal) {
    termios settings{};
    EXPECT_EQ(::tcgetattr(terminal, &settings), 0);
    return (settings.c_lflag & ECHO) != 0;
}

TEST(PasscodeInput, S_SEC_01_ATerminalIsAskedTwiceAndShowsNothing) {
    const Ends terminal = open_terminal();
    ASSERT_TRUE(echoes(terminal.near));
    Typist typist(terminal.far, {"canary\n", "canary\n"});
    const Passcode passcode = read_passcode(terminal.near, terminal.near, "anna");
    EXPECT_EQ(passcode.reveal(), "canary");
    const std::string seen = typist.seen();
    EXPECT_THAT(seen, HasSubstr("Passcode for anna: "));
    EXPECT_THAT(seen, HasSubstr("The same again: "));
    EXPECT_THAT(seen, Not(HasSubstr("canary")));
    EXPECT_TRUE(echoes(terminal.near)) << "as it was before";
}

TEST(PasscodeInput, S_SEC_01_TwoThatDifferAreRefusedAndTheTerminalIsAsBefore) {
    const Ends terminal = open_terminal();
    Typist typist(terminal.far, {"one\n", "two\n"});
    EXPECT_THROW((void)read_passcode(terminal.near, terminal.near, "anna"), Failure);
    EXPECT_THAT(typist.seen(), Not(HasSubstr("one")));
    EXPECT_TRUE(echoes(terminal.near));
}

}  // namespace
}  // namespace cli
