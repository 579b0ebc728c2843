// The fifteen commands and their beginnings (P-FRAME-03).
// Small enough to be tested completely.
#include "protocol/command.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace protocol {

namespace {

std::vector<Command> all() {
    std::vector<Command> commands;
    for (int i = 0; i <= static_cast<int>(Command::error); ++i) {
        commands.push_back(static_cast<Command>(i));
    }
    return commands;
}

}  // namespace

TEST(Command, P_FRAME_03_ThereAreFifteenAndEachIsRecognised) {
    EXPECT_EQ(all().size(), 15U);
    for (const Command command : all()) {
        EXPECT_EQ(command_from(to_string(command)), command);
    }
}

TEST(Command, P_FRAME_03_OnlyTheExactLineIsRecognised) {
    for (const Command command : all()) {
        const std::string name(to_string(command));
        EXPECT_EQ(command_from(name + " "), std::nullopt);
        EXPECT_EQ(command_from(" " + name), std::nullopt);
        EXPECT_EQ(command_from(name + "\r"), std::nullopt);
        EXPECT_EQ(
            command_from(std::string(1, static_cast<char>(name[0] + 32)) + name.substr(1)),
            std::nullopt
        );
    }
    EXPECT_EQ(command_from(""), std::nullopt);
    EXPECT_EQ(command_from("CONNEC"), std::nullopt);
    EXPECT_EQ(command_from("CONNECTE"), std::nullopt);
}

TEST(Command, P_FRAME_03_EveryBeginningBeginsACommand) {
    EXPECT_TRUE(begins_command(""));
    for (const Command command : all()) {
        const std::string name(to_string(command));
        for (std::size_t size = 0; size <= name.size(); ++size) {
            EXPECT_TRUE(begins_command(name.substr(0, size)));
        }
        EXPECT_EQ(begins_command(name + "E"), name == "CONNECT");
        EXPECT_FALSE(begins_command(name + "\n"));
    }
}

TEST(Command, P_FRAME_03_FourAreTheServers) {
    for (const Command command : all()) {
        const std::string_view name = to_string(command);
        const bool expected =
            name == "CONNECTED" || name == "MESSAGE" || name == "RECEIPT" || name == "ERROR";
        EXPECT_EQ(is_server_command(command), expected) << name;
    }
}

}  // namespace protocol
