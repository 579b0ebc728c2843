// `stampede token`: what is made is taken, and what is refused is explained.
// Keys are made here; the verifier is the broker's.
#include "broker/cli/commands.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/token_check.hpp"
#include "protocol/base64.hpp"
#include "tests/server/temporary_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cli {
namespace {

using testing::HasSubstr;

const std::string secrets = R"({"keys":[{"kty":"oct","kid":"k","alg":"HS256",)"
                            R"("k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]})";

struct Said {
    ExitCode code = ExitCode::ok;
    std::string out;
    std::string err;
};

Said token(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv{"stampede", "token"};
    for (const std::string& word : arguments) {
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

class Token : public testing::Test {
protected:
    std::string make(const std::vector<std::string>& more = {}) {
        std::vector<std::string> words{
            "make", "--keys", keys.path(), "--issuer", "https://id.example", "--audience", "us"};
        words.insert(words.end(), more.begin(), more.end());
        const Said said = token(words);
        EXPECT_EQ(said.code, ExitCode::ok) << said.err;
        return said.out;
    }

    Said check(const std::string& text, const std::string& issuer = "https://id.example") {
        const server::TemporaryFile file(text);
        return token(
            {"check", "--keys", keys.path(), "--issuer", issuer, "--audience", "us", file.path()}
        );
    }

    const server::TemporaryFile keys{secrets};
};

TEST_F(Token, O_8_WhatIsMadeIsTaken) {
    const Said said = check(make({"--user", "alice", "--role", "staff", "--claim", "level=3"}));
    EXPECT_EQ(said.code, ExitCode::ok) << said.err;
    EXPECT_THAT(said.out, HasSubstr("accepted: user alice, roles staff"));
    EXPECT_THAT(said.out, HasSubstr("level = 3"));
}

TEST_F(Token, O_8_EachRefusalIsExplainedAtItsClaim) {
    const Said said = check(make(), "https://id.example/");
    EXPECT_EQ(said.code, ExitCode::refused);
    EXPECT_THAT(said.out, HasSubstr("WRONG: this broker wants the issuer https://id.example/"));
    EXPECT_THAT(said.out, HasSubstr("refused: issuer: "));
}

TEST_F(Token, O_8_AnExpiredOneIsToldAsSuch) {
    const Said said = check(make({"--claim", "exp=1000"}));
    EXPECT_EQ(said.code, ExitCode::refused);
    EXPECT_THAT(said.out, HasSubstr("EXPIRED: 1970-01-01T00:16:40Z"));
    EXPECT_THAT(said.out, HasSubstr("refused: expired"));
}

TEST_F(Token, O_8_AChangedOneIsRefused) {
    std::string text = make();
    const std::size_t payload = text.find('.') + 1;
    const std::string other = protocol::encode_base64url(R"({"sub":"root"})");
    text.replace(payload, text.find('.', payload) - payload, other);
    const Said said = check(text);
    EXPECT_EQ(said.code, ExitCode::refused);
    EXPECT_THAT(said.out, HasSubstr("refused: signature"));
    EXPECT_THAT(said.out, HasSubstr("root"));
}

TEST_F(Token, O_8_WithoutKeysNothingIsVouchedFor) {
    const server::TemporaryFile file(make());
    const Said said = token({"check", file.path()});
    EXPECT_EQ(said.code, ExitCode::failure);
    EXPECT_THAT(said.out, HasSubstr("not verified"));
}

TEST_F(Token, O_8_AnythingAtAllIsExplainedAndRefused) {
    for (const char* const text : {"", "x", "a.b.c", "...", "{}.{}.{}", "e30.e30.e30"}) {
        EXPECT_EQ(check(text).code, ExitCode::refused) << text;
    }
}

TEST_F(Token, O_8_ControlCharactersOfATokenDoNotReachTheTerminal) {
    const std::string head = protocol::encode_base64url("{\"alg\":\"HS256\",\"\\u001b[2J\":1}");
    const Said said = check(head + ".e30.e30");
    EXPECT_THAT(said.out, testing::Not(HasSubstr("\x1b")));
    EXPECT_THAT(said.out, HasSubstr("\\x1b[2J"));
}

}  // namespace
}  // namespace cli
