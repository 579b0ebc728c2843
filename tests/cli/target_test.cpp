// Where a client goes and as whom.
// Only the passcode's file touches the file system.
#include "broker/cli/target.hpp"

#include "broker/cli/exit_code.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <unistd.h>

namespace cli {
namespace {

TEST(Target, IsGuestAtTheDefaultListenerIfNothingIsSaid) {
    const Target target = make_target({});
    EXPECT_EQ(target.url.text(), "ws://127.0.0.1:15674/ws");
    EXPECT_EQ(target.login, "guest");
    EXPECT_EQ(target.passcode, "guest");
    EXPECT_EQ(target.timeout, std::chrono::seconds(10));
}

TEST(Target, TakesCredentialsFromTheUrl) {
    TargetFlags flags;
    flags.url = "stomp://alice:secret@h";
    const Target target = make_target(flags);
    EXPECT_EQ(target.login, "alice");
    EXPECT_EQ(target.passcode, "secret");
}

TEST(Target, TakesThePasscodeFromAFile) {
    const std::string path = testing::TempDir() + "passcode-" + std::to_string(::getpid());
    std::ofstream(path) << "top secret\r\nsecond line\n";
    TargetFlags flags;
    flags.user = "alice";
    flags.pass_file = path;
    EXPECT_EQ(make_target(flags).passcode, "top secret");
    flags.pass_file = path + ".missing";
    EXPECT_THROW(static_cast<void>(make_target(flags)), Failure);
}

TEST(Target, RefusesAUserWithoutPasscode) {
    TargetFlags flags;
    flags.user = "alice";
    EXPECT_THROW(static_cast<void>(make_target(flags)), Failure);
}

TEST(Target, SendsNoCredentialsForAnEmptyUser) {
    TargetFlags flags;
    flags.user = "";
    EXPECT_EQ(make_target(flags).login, "");
}

TEST(Target, ACertificateOfOurOwnSaysWhoWeAre) {
    TargetFlags flags;
    flags.url = "wss://h";
    flags.certificate_file = "cert.pem";
    flags.key_file = "key.pem";
    EXPECT_EQ(make_target(flags).login, "");
    EXPECT_EQ(make_target(flags).own.key_file, "key.pem");
    flags.url = "ws://h";
    EXPECT_THROW(static_cast<void>(make_target(flags)), Failure);
}

}  // namespace
}  // namespace cli
