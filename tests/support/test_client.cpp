#include "tests/support/test_client.hpp"

#include "protocol/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace support {

using protocol::Command;
using protocol::Parser;
using protocol::Version;
using protocol::WebSocketDecoder;

namespace {

constexpr std::size_t frame_max = std::size_t{64} * 1024 * 1024;

protocol::Limits client_limits() {
    protocol::Limits limits;
    limits.frame_bytes_max = frame_max;
    limits.header_bytes_max = frame_max;
    limits.header_line_max = frame_max;
    limits.header_count_max = 2000;
    return limits;
}

Version version_of(std::string_view text) {
    if (text == "1.2") { return Version::v1_2; }
    return text == "1.1" ? Version::v1_1 : Version::v1_0;
}

Received own(const protocol::Frame& frame, bool is_text) {
    Received received{frame.command, {}, std::string(frame.body), is_text};
    for (const protocol::Header& header : frame.headers) {
        received.headers.emplace_back(header.name, header.value);
    }
    return received;
}

}  // namespace

FrameReader::FrameReader(engine::Framing framing)
    : framing_(framing),
      limits_(client_limits()),
      parser_(limits_, scratch_, Parser::Role::client),
      decoder_(WebSocketDecoder::Role::client, frame_max) {}

void FrameReader::read(std::string octets) {
    if (framing_ == engine::Framing::web_socket) { return read_web_socket(octets); }
    read_stream(octets);
}

void FrameReader::read_web_socket(std::string& octets) {
    decoder_.feed(octets);
    while (fault_.empty()) {
        switch (decoder_.next()) {
            case WebSocketDecoder::Event::need_more:
                return;
            case WebSocketDecoder::Event::data:
                is_text_ = decoder_.is_text();
                read_stream(decoder_.payload());
                if (!decoder_.is_message_end()) { break; }
                if (frames_in_message_ != 1 || parser_.is_mid_frame()) {
                    fault_ = "a WebSocket message is not one whole frame";
                }
                frames_in_message_ = 0;
                break;
            default:
                fault_ = "unexpected WebSocket frame: " + std::string(decoder_.reason());
        }
    }
}

void FrameReader::read_stream(std::span<char> octets) {
    if (octets.empty()) { return; }
    parser_.feed(octets);
    while (fault_.empty()) {
        switch (parser_.next()) {
            case Parser::Event::need_more:
                return;
            case Parser::Event::end_of_line:
                fault_ = "an end of line between frames";
                break;
            case Parser::Event::frame:
                ++frames_in_message_;
                frames_.push_back(own(parser_.frame(), is_text_));
                if (parser_.frame().command == Command::connected) {
                    parser_.connected(version_of(frames_.back().value("version")));
                }
                break;
            case Parser::Event::failed:
                fault_ = "a broken frame: " + parser_.error().what;
        }
    }
}

bool FrameReader::is_mid_frame() const {
    return parser_.is_mid_frame() || decoder_.is_mid_message();
}

Received FrameReader::pop() {
    Received frame = std::move(frames_.front());
    frames_.pop_front();
    return frame;
}

TestClient::TestClient(TestBroker& broker, Options options)
    : broker_(broker),
      shard_(options.shard.value_or(broker.next_shard())),
      parser_(broker.limits().protocol, scratch_),
      reader_(options.framing) {
    broker_.shards().on(shard_, [&] {
        session_ = std::make_shared<engine::Session>(
            broker_.shards()[shard_], broker_.router(shard_), broker_.authenticator(), options.peer
        );
        session_->outbox().set_owner(this);
        session_->outbox().set_framing(options.framing);
        if (options.sub_protocol) { session_->set_sub_protocol(*options.sub_protocol); }
    });
}

TestClient::~TestClient() {
    if (session_) { finish(); }
    broker_.settle();
}

TestClient& TestClient::connects(std::string version) {
    sends(connect(version));
    expects(connected(version));
    return *this;
}

TestClient& TestClient::sends(const Outgoing& frame) {
    return sends_octets(frame.encoded(version_));
}

TestClient& TestClient::sends_octets(std::string octets) {
    writes(octets);
    broker_.settle();
    return *this;
}

void TestClient::writes(std::string_view octets) {
    input_ += octets;
    pump_input();
}

void TestClient::stops_reading() {
    allowance_ = 0;
}

void TestClient::reads(std::size_t octets) {
    allows(octets);
    broker_.settle();
}

void TestClient::reads_all() {
    reads(unlimited);
}

void TestClient::drops() {
    vanishes();
    broker_.settle();
}

void TestClient::allows(std::size_t octets) {
    allowance_ = octets;
    if (session_) { session_->outbox().mark_dirty(); }
}

void TestClient::vanishes() {
    if (session_) { finish(); }
}

void TestClient::pump_input() {
    broker_.shards().on(shard_, [this] { parse_input(); });
}

// As a connection does: an input buffer is parsed frame by frame as long as the session reads.
void TestClient::parse_input() {
    while (session_ && session_->may_read()) {
        if (!is_connected_ && session_->is_connected()) {
            is_connected_ = true;
            version_ = session_->version();
            parser_.connected(version_);
        }
        if (!is_fed_) {
            if (input_.empty()) { return; }
            fed_.assign(input_.begin(), input_.end());
            input_.clear();
            parser_.feed(fed_);
            is_fed_ = true;
        }
        switch (parser_.next()) {
            case Parser::Event::need_more:
                is_fed_ = false;
                break;
            case Parser::Event::end_of_line:
                break;
            case Parser::Event::frame:
                session_->handle(parser_.frame());
                break;
            case Parser::Event::failed:
                session_->fail(parser_.error(), parser_.failed_receipt());
                break;
        }
    }
}

std::size_t TestClient::move_octets() {
    engine::Outbox& outbox = session_->outbox();
    std::string moved;
    for (const engine::Segment& segment : outbox.segments()) {
        const std::size_t part = std::min(segment.size(), allowance_ - moved.size());
        moved.append(segment.data(), part);
        if (moved.size() == allowance_) { break; }
    }
    if (allowance_ != unlimited) { allowance_ -= moved.size(); }
    outbox.sent(moved.size());
    const std::size_t size = moved.size();
    octets_ += moved;
    if (size != 0) { reader_.read(std::move(moved)); }
    return size;
}

void TestClient::flush() {
    if (!session_) { return; }
    while (true) {
        const std::size_t moved = move_octets();
        session_->flushed();
        if (moved == 0) { break; }
    }
    const auto& closing = session_->closing();
    if (closing && session_->outbox().ahead() == 0) {
        closing_ = closing;
        return finish();
    }
    parse_input();
}

void TestClient::finish() {
    broker_.shards().on(shard_, [this] {
        session_->end();
        session_->outbox().set_owner(nullptr);
        session_.reset();
    });
}

Received TestClient::take() {
    if (!reader_.frames().empty()) { return reader_.pop(); }
    ADD_FAILURE() << "nothing was received";
    return {};
}

Received TestClient::expects(const Expected& expected, const char* file, int line) {
    broker_.settle();
    EXPECT_EQ(reader_.fault(), "");
    if (reader_.frames().empty()) {
        ADD_FAILURE_AT(file, line) << "nothing was received; " << expected.mismatch(Received());
        return {};
    }
    Received frame = reader_.pop();
    const std::string mismatch = expected.mismatch(frame);
    if (!mismatch.empty()) { ADD_FAILURE_AT(file, line) << mismatch; }
    return frame;
}

void TestClient::expects_nothing(const char* file, int line) {
    broker_.settle();
    EXPECT_EQ(reader_.fault(), "");
    for (const Received& frame : reader_.frames()) {
        ADD_FAILURE_AT(file, line) << "expected nothing, got " << frame.describe();
    }
}

Received TestClient::expects_error(std::string token, const char* file, int line) {
    Received frame = expects(error(token), file, line);
    expects_nothing(file, line);
    if (!closing_) {
        ADD_FAILURE_AT(file, line) << "the connection is still open";
    } else {
        const auto reason = closing_->reason;
        if (protocol::token(reason) != token || closing_->code != protocol::close_code(reason)) {
            ADD_FAILURE_AT(file, line) << "closed with " << closing_->code;
        }
    }
    return frame;
}

void TestClient::expects_closed(std::uint16_t code, const char* file, int line) {
    expects_nothing(file, line);
    if (!closing_) {
        ADD_FAILURE_AT(file, line) << "the connection is still open";
    } else if (closing_->code != code) {
        ADD_FAILURE_AT(file, line) << "closed with " << closing_->code << ", not " << code;
    }
}

}  // namespace support
