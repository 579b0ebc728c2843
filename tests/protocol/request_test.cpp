// Frames to typed requests: which headers each command needs in each version (P-VER-05).
// Ids are measured here (P-LIM-01); meaning is the engine's.
#include "protocol/request.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

namespace protocol {

namespace {

constexpr std::array versions{Version::v1_0, Version::v1_1, Version::v1_2};

Result<Request> request(
    Command command, const std::vector<Header>& headers, Version version = Version::v1_2
) {
    return to_request(Frame{command, headers, {}, false}, version, Limits{});
}

template <class T>
T as(const Result<Request>& result) {
    EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().what);
    return result ? std::get<T>(*result) : T{};
}

std::string_view refusal(const Result<Request>& result) {
    return result ? std::string_view("accepted") : token(result.error().code);
}

}  // namespace

TEST(Request, P_CONN_04_ConnectNeedsNoHeader) {
    const std::vector<Header> none;
    const auto connect = as<Connect>(request(Command::connect, none));
    EXPECT_EQ(connect.accept_version, std::nullopt);
    EXPECT_EQ(connect.login, std::nullopt);
    EXPECT_EQ(connect.heart_beat, std::nullopt);
}

TEST(Request, P_CONN_02_StompIsConnect) {
    const std::vector<Header> headers{
        {"accept-version", "1.2"},
        {"host", "h"},
        {"login", "l"},
        {"passcode", "p"},
        {"Authorization", "Bearer t"},
        {"heart-beat", "1,2"},
        {"client-id", "c"},
        {"request-id", "r"}};
    for (const Command command : {Command::connect, Command::stomp}) {
        const auto connect = as<Connect>(request(command, headers, Version::v1_0));
        EXPECT_EQ(connect.accept_version, "1.2");
        EXPECT_EQ(connect.host, "h");
        EXPECT_EQ(connect.login, "l");
        EXPECT_EQ(connect.passcode, "p");
        EXPECT_EQ(connect.authorization, "Bearer t");
        EXPECT_EQ(connect.heart_beat, "1,2");
        EXPECT_EQ(connect.client_id, "c");
        EXPECT_EQ(connect.request_id, "r");
    }
}

TEST(Request, P_SEND_01_SendNeedsADestinationThatIsNotEmpty) {
    EXPECT_EQ(refusal(request(Command::send, {})), "missing-header");
    EXPECT_EQ(refusal(request(Command::send, {{"destination", ""}})), "missing-header");
    const std::vector<Header> headers{
        {"destination", "/queue/a"}, {"receipt", "r"}, {"transaction", "t"}};
    const auto send =
        as<Send>(to_request(Frame{Command::send, headers, "body", true}, Version::v1_2, {}));
    EXPECT_EQ(send.destination, "/queue/a");
    EXPECT_EQ(send.receipt, "r");
    EXPECT_EQ(send.transaction, "t");
    EXPECT_EQ(send.body, "body");
    EXPECT_EQ(send.headers.size(), 3U);
    EXPECT_TRUE(send.repeats_head);
}

TEST(Request, P_SUB_01_SubscribeNeedsDestinationAndIdBut10NeedsNoId) {
    EXPECT_EQ(refusal(request(Command::subscribe, {{"id", "1"}})), "missing-header");
    EXPECT_EQ(
        refusal(request(Command::subscribe, {{"id", "1"}, {"destination", ""}})), "missing-header"
    );
    const std::vector<Header> without_id{{"destination", "/queue/a"}};
    EXPECT_EQ(refusal(request(Command::subscribe, without_id, Version::v1_1)), "missing-header");
    EXPECT_EQ(refusal(request(Command::subscribe, without_id, Version::v1_2)), "missing-header");
    EXPECT_EQ(
        as<Subscribe>(request(Command::subscribe, without_id, Version::v1_0)).id, std::nullopt
    );
}

TEST(Request, P_SUB_01_AckModesInEveryVersion) {
    const std::vector<std::pair<const char*, AckMode>> modes{
        {"auto", AckMode::automatic},
        {"client", AckMode::client},
        {"client-individual", AckMode::client_individual}};
    for (const Version version : versions) {
        for (const auto& mode : modes) {
            const std::vector<Header> headers{
                {"destination", "/queue/a"}, {"id", "1"}, {"ack", mode.first}};
            EXPECT_EQ(
                as<Subscribe>(request(Command::subscribe, headers, version)).ack, mode.second
            );
        }
    }
}

TEST(Request, P_SUB_01_AutoIsTheDefaultAndUnknownModesRefuse) {
    const std::vector<Header> headers{{"destination", "/queue/a"}, {"id", "1"}};
    EXPECT_EQ(as<Subscribe>(request(Command::subscribe, headers)).ack, AckMode::automatic);
    for (const char* mode : {"", "AUTO", "Client", "client ", "individual"}) {
        const std::vector<Header> with{{"destination", "/queue/a"}, {"id", "1"}, {"ack", mode}};
        EXPECT_EQ(refusal(request(Command::subscribe, with)), "bad-header") << mode;
    }
}

TEST(Request, P_SUB_05_UnsubscribeByIdAndIn10ByDestination) {
    EXPECT_EQ(as<Unsubscribe>(request(Command::unsubscribe, {{"id", "1"}})).id, "1");
    const std::vector<Header> by_destination{{"destination", "/queue/a"}};
    EXPECT_EQ(
        refusal(request(Command::unsubscribe, by_destination, Version::v1_1)), "missing-header"
    );
    EXPECT_EQ(
        refusal(request(Command::unsubscribe, by_destination, Version::v1_2)), "missing-header"
    );
    EXPECT_EQ(
        as<Unsubscribe>(request(Command::unsubscribe, by_destination, Version::v1_0)).destination,
        "/queue/a"
    );
    EXPECT_EQ(refusal(request(Command::unsubscribe, {}, Version::v1_0)), "missing-header");
}

TEST(Request, P_ACK_02_EitherNameWorksInEveryVersion) {
    for (const Version version : versions) {
        EXPECT_EQ(as<Settle>(request(Command::ack, {{"id", "M-1"}}, version)).token, "M-1");
        EXPECT_EQ(as<Settle>(request(Command::ack, {{"message-id", "M-1"}}, version)).token, "M-1");
        const std::vector<Header> full{
            {"message-id", "M-1"}, {"subscription", "s"}, {"transaction", "t"}};
        const auto settle = as<Settle>(request(Command::ack, full, version));
        EXPECT_EQ(settle.subscription, "s");
        EXPECT_EQ(settle.transaction, "t");
        EXPECT_FALSE(settle.is_nack);
        EXPECT_EQ(
            refusal(request(Command::ack, {{"subscription", "s"}}, version)), "missing-header"
        );
    }
}

TEST(Request, P_ACK_02_TheVersionsOwnNameCountsWhereBothDiffer) {
    const std::vector<Header> both{{"id", "by-id"}, {"message-id", "by-message-id"}};
    EXPECT_EQ(as<Settle>(request(Command::ack, both, Version::v1_0)).token, "by-message-id");
    EXPECT_EQ(as<Settle>(request(Command::ack, both, Version::v1_1)).token, "by-message-id");
    EXPECT_EQ(as<Settle>(request(Command::ack, both, Version::v1_2)).token, "by-id");
}

TEST(Request, P_VER_05_NackExistsFrom11On) {
    EXPECT_EQ(refusal(request(Command::nack, {{"id", "1"}}, Version::v1_0)), "bad-frame");
    EXPECT_TRUE(as<Settle>(request(Command::nack, {{"id", "1"}}, Version::v1_1)).is_nack);
    EXPECT_TRUE(as<Settle>(request(Command::nack, {{"id", "1"}}, Version::v1_2)).is_nack);
}

TEST(Request, P_TX_01_TransactionCommandsNeedTheirId) {
    for (const Command command : {Command::begin, Command::commit, Command::abort}) {
        EXPECT_EQ(refusal(request(command, {})), "missing-header");
    }
    const std::vector<Header> headers{{"transaction", "t"}, {"receipt", "r"}};
    EXPECT_EQ(as<Begin>(request(Command::begin, headers)).transaction, "t");
    EXPECT_EQ(as<Commit>(request(Command::commit, headers)).receipt, "r");
    EXPECT_EQ(as<Abort>(request(Command::abort, headers)).transaction, "t");
}

TEST(Request, DisconnectMayAskForAReceipt) {
    EXPECT_EQ(as<Disconnect>(request(Command::disconnect, {})).receipt, std::nullopt);
    EXPECT_EQ(as<Disconnect>(request(Command::disconnect, {{"receipt", "r"}})).receipt, "r");
}

TEST(Request, P_FRAME_03_ServerCommandsAreRefused) {
    for (const Command command :
         {Command::connected, Command::message, Command::receipt, Command::error}) {
        EXPECT_EQ(refusal(request(command, {})), "bad-frame");
    }
}

TEST(Request, P_LIM_01_IdsHaveAtMost128Octets) {
    const std::string most(128, 'x');
    const std::string above(129, 'x');

    struct Case {
        Command command;
        const char* name;
    };

    for (const Case& c : std::vector<Case>{
             {Command::connect, "client-id"},
             {Command::send, "receipt"},
             {Command::send, "transaction"},
             {Command::subscribe, "id"},
             {Command::subscribe, "receipt"},
             {Command::unsubscribe, "id"},
             {Command::ack, "id"},
             {Command::nack, "message-id"},
             {Command::begin, "transaction"},
             {Command::commit, "receipt"},
             {Command::disconnect, "receipt"}}) {
        std::vector<Header> headers{
            {c.name, most}, {"destination", "/queue/a"}, {"id", "1"}, {"transaction", "t"}};
        EXPECT_EQ(refusal(request(c.command, headers)), "accepted") << c.name;
        headers[0].value = above;
        EXPECT_EQ(refusal(request(c.command, headers)), "bad-frame") << c.name;
    }
}

TEST(Request, P_ERR_04_RefusalsNameCommandAndHeader) {
    const auto missing = request(Command::subscribe, {{"destination", "/queue/a"}});
    EXPECT_NE(missing.error().what.find("SUBSCRIBE"), std::string::npos);
    EXPECT_NE(missing.error().what.find("id"), std::string::npos);
    EXPECT_FALSE(missing.error().remedy.empty());
    const auto mode =
        request(Command::subscribe, {{"destination", "/queue/a"}, {"id", "1"}, {"ack", "never"}});
    EXPECT_NE(mode.error().what.find("never"), std::string::npos);
}

TEST(Request, P_SUB_11_Booleans) {
    EXPECT_EQ(*parse_boolean("durable", "true"), true);
    EXPECT_EQ(*parse_boolean("durable", "True"), true);
    EXPECT_EQ(*parse_boolean("durable", "false"), false);
    EXPECT_EQ(*parse_boolean("durable", "False"), false);
    for (const char* value : {"", "TRUE", "1", "yes", " true", "true "}) {
        const auto result = parse_boolean("durable", value);
        ASSERT_FALSE(result) << value;
        EXPECT_EQ(result.error().code, ErrorCode::bad_header);
        EXPECT_NE(result.error().what.find("durable"), std::string::npos);
    }
}

TEST(Request, P_SUB_11_IntegersAreDecimalAndInRange) {
    EXPECT_EQ(*parse_integer("priority", "0", 0, 255), 0);
    EXPECT_EQ(*parse_integer("priority", "255", 0, 255), 255);
    EXPECT_EQ(*parse_integer("x", "-5", -10, 10), -5);
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(*parse_integer("x", "9223372036854775807", least, most), most);
    for (const char* value :
         {"",
          "-1",
          "256",
          "+1",
          " 1",
          "1 ",
          "0x1",
          "1.0",
          "1e1",
          "-",
          "--1",
          "9223372036854775808"}) {
        const auto result = parse_integer("priority", value, 0, 255);
        ASSERT_FALSE(result) << value;
        EXPECT_EQ(result.error().code, ErrorCode::bad_header);
        EXPECT_NE(result.error().what.find("priority"), std::string::npos);
    }
}

}  // namespace protocol
