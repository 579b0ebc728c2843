// A tap on a connection: every frame that comes and goes, as an operator may see it (O-6). What
// goes is read back from the octets that the socket took: nothing that makes frames knows of taps.
// Lives on the connection's shard. Ends after its time, 10 MiB, or when who looks lags by 1 MiB.
#pragma once

#include "broker/engine/outbox.hpp"
#include "broker/transport/io_shard.hpp"
#include "protocol/parser.hpp"
#include "protocol/web_socket.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace transport {

/// Values of headers that hold secrets are `***`.
struct TappedFrame {
    std::uint64_t at = 0;  ///< Milliseconds since 1970.
    bool is_in = false;    ///< From the client.
    std::string command;   ///< Or `heart-beat`.
    std::vector<std::pair<std::string, std::string>> headers;
    std::size_t size = 0;             ///< Octets of the body.
    std::optional<std::string> body;  ///< Its beginning, if bodies are shown.

    /// Octets that it counts for.
    [[nodiscard]] std::size_t weight() const;
};

/// The value of a header as it may be shown.
[[nodiscard]] std::string_view shown_value(std::string_view name, std::string_view value);

class Tap {
public:
    static constexpr std::size_t bytes_max = 10 * 1024 * 1024;
    static constexpr std::size_t lag_max = 1024 * 1024;
    static constexpr std::size_t body_max = 4096;
    static constexpr std::chrono::seconds time_max{300};

    struct Options {
        bool shows_bodies = false;
        std::chrono::milliseconds time = time_max;
        std::uint64_t id = 0;  ///< Tells it from those before and after on the same connection.
    };

    /// Where frames go, and, once, why there are no more; neither may touch the connection.
    using Show = std::function<void(TappedFrame)>;
    using End = std::function<void(std::string_view why)>;

    /// `outbox`: the connection's, which writes `version`. Begins behind what is encoded already.
    Tap(const IoShard& shard,
        const engine::Outbox& outbox,
        protocol::Version version,
        Options options,
        Show show,
        End end);

    // Each is false when the tap is over: then nothing follows.

    [[nodiscard]] bool in(const protocol::Frame& frame);

    [[nodiscard]] bool in_beat() { return show_beat(true); }

    /// The first `octets` of `segments` were taken by the socket.
    [[nodiscard]] bool out(std::span<const engine::Segment> segments, std::size_t octets);

    [[nodiscard]] std::uint64_t id() const { return options_.id; }

    /// Who looks has seen frames of this weight.
    void seen(std::size_t weight) { unseen_ -= weight; }

    /// Ends it; only the first reason counts.
    void end(std::string_view why);

private:
    [[nodiscard]] bool read(std::span<char> octets);
    [[nodiscard]] bool read_frames(std::span<char> octets);
    [[nodiscard]] bool show_frame(const protocol::Frame& frame, bool is_in);
    [[nodiscard]] bool show_beat(bool is_in);
    [[nodiscard]] bool show(TappedFrame frame);
    [[nodiscard]] bool stop(std::string_view why);

    // Constant after construction.
    const IoShard& shard_;
    const Options options_;
    const engine::Instant until_;
    const protocol::Limits limits_;
    Show show_;
    End end_;

    // Lives on the shard.
    protocol::ParserScratch scratch_;
    protocol::Parser parser_;
    std::unique_ptr<protocol::WebSocketDecoder> web_socket_;
    std::size_t skipped_;  ///< Octets still to come that were encoded before it began.
    std::size_t shown_ = 0;
    std::size_t unseen_ = 0;
};

}  // namespace transport
