// What the HTTP hook is asked, and how strictly its answers are read (S-AUTH-14, S-AUTH-06).
#include "broker/security/hook_messages.hpp"

#include "protocol/utf8.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace security {
namespace {

using Result = HookAnswer::Result;

Result result_of(std::string_view text, std::string_view login = "anna") {
    return parse_hook_answer(text, login).result;
}

engine::Credentials credentials(std::string login, std::string_view passcode) {
    engine::Credentials given;
    given.login = std::move(login);
    given.passcode = std::make_shared<const engine::Secret>(passcode);
    given.peer.address = "192.0.2.1";
    given.peer.listener = "ws 0.0.0.0:15673";
    given.peer.origin = "https://shop.example";
    given.peer.is_tls = true;
    given.host = "/";
    given.client_id = "c1";
    return given;
}

}  // namespace

TEST(HookMessages, S_AUTH_14_TheRequestSaysAllThatIsKnown) {
    const engine::Credentials given = credentials("anna", "x");
    EXPECT_EQ(
        hook_request(given, hook_facts(given)).reveal(),
        R"({"user":"anna","passcode":"x","client_ip":"192.0.2.1","listener":"ws 0.0.0.0:15673",)"
        R"("tls":true,"origin":"https://shop.example","host":"/","client_id":"c1"})"
    );
}

TEST(HookMessages, S_AUTH_14_NothingBreaksOutOfItsString) {
    std::string all;
    for (int i = 0; i < 128; ++i) {
        all += static_cast<char>(i);
    }
    const std::string hostile = "\",\"user\":\"root\",\"x\":\"";
    engine::Credentials given = credentials(hostile, all + "\xc3\xa4");
    given.client_id = hostile;
    const engine::Secret request = hook_request(given, hook_facts(given));
    const std::string_view text = request.reveal();
    EXPECT_NE(text.find(R"({"user":"\",\"user\":\"root\",\"x\":\"",)"), std::string_view::npos);
    EXPECT_NE(text.find(R"(\u0000\u0001)"), std::string_view::npos);
    EXPECT_NE(text.find("\xc3\xa4\""), std::string_view::npos);
    EXPECT_TRUE(protocol::is_utf8(text));
    for (const char c : text) {
        EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    }
}

TEST(HookMessages, S_AUTH_14_TheThreeResults) {
    EXPECT_EQ(result_of(R"({"result":"allow"})"), Result::allow);
    EXPECT_EQ(result_of(R"({"result":"deny"})"), Result::deny);
    EXPECT_EQ(result_of(R"({"result":"ignore","more":[1,2]})"), Result::ignore);
    const HookAnswer full = parse_hook_answer(
        R"({"result":"allow","user":"anna","roles":["a","b"],"expires_in":60})", "a.n/n:a"
    );
    EXPECT_EQ(full.result, Result::allow);
    EXPECT_EQ(full.user, "anna");
    EXPECT_EQ(full.roles, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(full.expires_in_s, 60);
    EXPECT_EQ(parse_hook_answer(R"({"result":"allow"})", "anna").user, "anna");
}

TEST(HookMessages, S_AUTH_14_EverythingElseIsMalformed) {
    for (const std::string_view text :
         {R"()",
          R"(allow)",
          R"("allow")",
          R"(["allow"])",
          R"({})",
          R"({"result":"ALLOW"})",
          R"({"result":"yes"})",
          R"({"result":true})",
          R"({"result":["allow"]})",
          R"({"result":"deny","result":"allow"})",
          R"({"result":"allow","user":"a","user":"b"})",
          R"({"r\u0065sult":"allow"})",
          R"({"result":"allow"} x)",
          R"({"result":"allow")",
          R"({"result":"allow","expires_in":0})",
          R"({"result":"allow","expires_in":-1})",
          R"({"result":"allow","expires_in":1.5})",
          R"({"result":"allow","expires_in":"60"})",
          R"({"result":"allow","expires_in":null})",
          R"({"result":"allow","expires_in":9223372036854775807})",
          R"({"result":"allow","roles":"staff"})",
          R"({"result":"allow","roles":[1]})",
          R"({"result":"allow","roles":["a.b"]})",
          R"({"result":"allow","roles":[""]})",
          R"({"result":"allow","roles":[["a"]]})"}) {
        EXPECT_EQ(result_of(text), Result::malformed) << text;
        EXPECT_FALSE(parse_hook_answer(text, "anna").fault.empty()) << text;
    }
    std::string roles;
    for (int i = 0; i < 65; ++i) {
        roles += (i == 0 ? "\"r" : ",\"r") + std::to_string(i) + "\"";
    }
    EXPECT_EQ(result_of(R"({"result":"allow","roles":[)" + roles + "]}"), Result::malformed);
    EXPECT_EQ(
        result_of(R"({"result":"allow","x":")" + std::string(65'536, 'x') + "\"}"),
        Result::malformed
    );
}

TEST(HookMessages, S_AUTH_06_TheUserMustBeAName) {
    for (const std::string_view name : {"", "a/b", "a.b", "*", "#", "+", ">", "a:b", " a", "a\n"}) {
        EXPECT_EQ(result_of(R"({"result":"allow"})", name), Result::malformed) << name;
    }
    EXPECT_EQ(result_of(R"({"result":"allow","user":"a/b"})"), Result::malformed);
    EXPECT_EQ(result_of(R"({"result":"allow","user":""})"), Result::malformed);
    EXPECT_EQ(result_of(R"({"result":"allow","user":null})"), Result::malformed);
    EXPECT_EQ(result_of(R"({"result":"allow","user":1})"), Result::malformed);
}

}  // namespace security
