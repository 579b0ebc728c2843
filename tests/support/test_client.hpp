// A client in a conversation script: it writes octets into a session and decodes what comes back.
// Plays the transport's part: parser before the session, virtual socket behind its outbox.
#pragma once

#include "broker/engine/session.hpp"
#include "protocol/parser.hpp"
#include "protocol/web_socket.hpp"
#include "tests/support/frames.hpp"
#include "tests/support/test_broker.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// The broker's octets, decoded as a client does: every WebSocket message must be one whole frame.
class FrameReader {
public:
    explicit FrameReader(engine::Framing framing);

    void read(std::string octets);

    /// Takes the next frame; there must be one.
    [[nodiscard]] Received pop();

    [[nodiscard]] const std::deque<Received>& frames() const { return frames_; }

    /// What no client would accept, or empty.
    [[nodiscard]] const std::string& fault() const { return fault_; }

    [[nodiscard]] bool is_mid_frame() const;

private:
    void read_web_socket(std::string& octets);
    void read_stream(std::span<char> octets);

    engine::Framing framing_;
    protocol::Limits limits_;
    protocol::ParserScratch scratch_;
    protocol::Parser parser_;
    protocol::WebSocketDecoder decoder_;
    std::size_t frames_in_message_ = 0;
    bool is_text_ = true;
    std::deque<Received> frames_;
    std::string fault_;
};

class TestClient {
public:
    struct Options {
        engine::Framing framing = engine::Framing::stream;
        std::optional<unsigned> shard = {};
        engine::Peer peer = {"127.0.0.1", true, false, {}};
        std::optional<protocol::Version> sub_protocol = {};
    };

    explicit TestClient(TestBroker& broker) : TestClient(broker, Options()) {}

    TestClient(TestBroker& broker, Options options);
    ~TestClient();
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;

    // What the client does. The broker comes to rest after each, unless it says otherwise.

    /// Sends CONNECT and takes CONNECTED.
    TestClient& connects(std::string version = "1.2");
    TestClient& sends(const Outgoing& frame);
    TestClient& sends_octets(std::string octets);
    /// As sends_octets(), but the broker does not run on.
    void writes(std::string_view octets);
    void stops_reading();
    /// Takes at most `octets` more than so far, then stops again.
    void reads(std::size_t octets);
    void reads_all();
    /// The connection is lost.
    void drops();
    /// As reads(), and as drops(), but the broker does not run on.
    void allows(std::size_t octets);
    void vanishes();

    static constexpr std::size_t unlimited = ~std::size_t{0};

    // What the script expects of what it received. The place is the caller's.

    Received expects(
        const Expected& expected, const char* file = __builtin_FILE(), int line = __builtin_LINE()
    );
    void expects_nothing(const char* file = __builtin_FILE(), int line = __builtin_LINE());
    /// An ERROR with `token`, the close code that belongs to it, and nothing behind it.
    Received expects_error(
        std::string token, const char* file = __builtin_FILE(), int line = __builtin_LINE()
    );
    void expects_closed(
        std::uint16_t code, const char* file = __builtin_FILE(), int line = __builtin_LINE()
    );

    // For looking closer.

    [[nodiscard]] bool is_open() const { return session_ != nullptr; }

    [[nodiscard]] engine::Session& session() { return *session_; }

    [[nodiscard]] engine::Outbox& outbox() { return session_->outbox(); }

    [[nodiscard]] std::size_t outstanding() {
        return broker_.shards().on(shard_, [this] { return session_->outstanding(); });
    }

    [[nodiscard]] unsigned shard() const { return shard_; }

    [[nodiscard]] protocol::Version version() const { return version_; }

    [[nodiscard]] const std::optional<engine::Closing>& closing() const { return closing_; }

    [[nodiscard]] const std::deque<Received>& received() const { return reader_.frames(); }

    [[nodiscard]] const std::string& fault() const { return reader_.fault(); }

    /// Takes the oldest frame not yet looked at.
    [[nodiscard]] Received take();

    /// All octets since the beginning, of a client that reads everything.
    [[nodiscard]] const std::string& octets() const { return octets_; }

    [[nodiscard]] bool has_input() const { return is_fed_ || !input_.empty(); }

    /// For the broker, on the client's shard: moves output, then lets the session go on.
    void flush();
    /// Gives the session what it may read; on any shard.
    void pump_input();

private:
    std::size_t move_octets();
    void parse_input();
    void finish();

    TestBroker& broker_;
    const unsigned shard_;
    std::shared_ptr<engine::Session> session_;
    protocol::ParserScratch scratch_;
    protocol::Parser parser_;
    bool is_connected_ = false;
    bool is_fed_ = false;
    std::string input_;
    std::vector<char> fed_;
    std::size_t allowance_ = unlimited;
    FrameReader reader_;
    std::string octets_;
    protocol::Version version_ = protocol::Version::v1_0;
    std::optional<engine::Closing> closing_;
};

}  // namespace support
