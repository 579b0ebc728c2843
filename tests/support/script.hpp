// The fixture of conversation scripts: one broker, a few clients, run with one to three shards.
// The test is the conversation.
#pragma once

#include "tests/support/test_broker.hpp"
#include "tests/support/test_client.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace support {

/// Parameter: the number of shards. Clients are spread over them in turn.
class SessionScript : public ::testing::TestWithParam<unsigned> {
protected:
    SessionScript() : broker(GetParam()) {}

    [[nodiscard]] static TestClient::Options web_socket() {
        TestClient::Options options;
        options.framing = engine::Framing::web_socket;
        return options;
    }

    TestBroker broker;
    TestClient alice{broker};
    TestClient bob{broker, web_socket()};
    TestClient carol{broker};
};

/// As SessionScript, for facts that have nothing to do with shards.
class OneShard : public ::testing::Test {
protected:
    TestBroker broker;
    TestClient alice{broker};
    TestClient bob{broker};
};

/// Instantiates the scripts of one file for one, two and three shards.
#define RUN_SCRIPTS_ON_SHARDS(fixture) \
    INSTANTIATE_TEST_SUITE_P(Shards, fixture, ::testing::Values(1U, 2U, 3U))

}  // namespace support
