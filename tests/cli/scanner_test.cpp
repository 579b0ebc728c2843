// The benchmark's scanner finds the same frames however the stream is cut.
// Pure.
#include "broker/cli/scanner.hpp"

#include "protocol/encoder.hpp"
#include "protocol/web_socket.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace cli {
namespace {

constexpr std::size_t body_size = 20;

/// Writes down what was found, a line each.
class Notes final : public ScannerSink {
public:
    void on_delivery(std::string_view head, const char* body) override {
        lines.push_back(
            "delivery " + std::string(header_value(head, "\nmessage-id:")) + ' ' +
            std::string(body, body_size)
        );
    }

    void on_frame(std::string_view head, std::string_view body) override {
        lines.push_back(std::string(head.substr(0, head.find('\n'))) + ' ' + std::string(body));
    }

    void on_ping(std::string_view payload) override {
        lines.push_back("ping " + std::string(payload));
    }

    void on_close(std::string_view reason) override {
        lines.push_back("close " + std::string(reason));
        to_stop->stop();
    }

    std::vector<std::string> lines;
    Scanner* to_stop = nullptr;
};

std::string message(std::string_view id) {
    const std::array<protocol::Header, 2> headers{
        {{"message-id", id}, {"destination", "/topic/a"}}};
    std::string out;
    protocol::append_frame(
        out,
        protocol::Command::message,
        headers,
        std::string(body_size, 'b'),
        protocol::Version::v1_2
    );
    return out;
}

std::string receipt() {
    const std::array<protocol::Header, 1> headers{{{"receipt-id", "r1"}}};
    std::string out;
    protocol::append_frame(out, protocol::Command::receipt, headers, {}, protocol::Version::v1_2);
    return out;
}

std::string framed(std::string_view payload, protocol::Opcode opcode = protocol::Opcode::text) {
    std::string out;
    protocol::append_web_socket_frame(out, opcode, payload);
    return out;
}

/// Gives `stream` in two pieces, cut at `cut`, as a connection that keeps the rest would.
std::vector<std::string> found_in(const std::string& stream, bool is_web_socket, std::size_t cut) {
    Notes notes;
    Scanner scanner(notes, is_web_socket, body_size);
    notes.to_stop = &scanner;
    std::string held = stream.substr(0, cut);
    held.erase(0, scanner.scan(held.data(), held.data() + held.size()));
    held += stream.substr(cut);
    held.erase(0, scanner.scan(held.data(), held.data() + held.size()));
    EXPECT_EQ(held, "");
    return notes.lines;
}

const std::string b_body(body_size, 'b');

TEST(Scanner, FindsFramesOverTcpHoweverTheyAreCut) {
    const std::string stream = message("9") + '\n' + message("10") + receipt() + message("11");
    const std::vector<std::string> expected{
        "delivery 9 " + b_body, "delivery 10 " + b_body, "RECEIPT ", "delivery 11 " + b_body};
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        EXPECT_EQ(found_in(stream, false, cut), expected) << cut;
    }
}

TEST(Scanner, FindsMessagesOverWebSocketHoweverTheyAreCut) {
    const std::string whole = message("11");
    const std::string stream =
        framed(message("9")) + framed("hi", protocol::Opcode::ping) + framed(message("10") + '\n') +
        framed(receipt() + whole.substr(0, 30)) + framed(whole.substr(30)) + framed("\n");
    const std::vector<std::string> expected{
        "delivery 9 " + b_body,
        "ping hi",
        "delivery 10 " + b_body,
        "RECEIPT ",
        "delivery 11 " + b_body};
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        EXPECT_EQ(found_in(stream, true, cut), expected) << cut;
    }
}

TEST(Scanner, StopsAtTheClose) {
    Notes notes;
    Scanner scanner(notes, true, body_size);
    notes.to_stop = &scanner;
    std::string stream;
    protocol::append_close_frame(stream, 1012, "shutdown");
    stream += framed(message("1"));
    static_cast<void>(scanner.scan(stream.data(), stream.data() + stream.size()));
    EXPECT_EQ(notes.lines, std::vector<std::string>{"close shutdown"});
}

TEST(Scanner, LeavesMessagesOfAnotherSizeAlone) {
    Notes notes;
    Scanner scanner(notes, false, body_size + 1);
    const std::string stream = message("1");
    EXPECT_EQ(scanner.scan(stream.data(), stream.data() + stream.size()), stream.size());
    EXPECT_TRUE(notes.lines.empty());
}

}  // namespace
}  // namespace cli
