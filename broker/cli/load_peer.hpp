// One connection of the load generator: set-up, encoded publishing, scanning of deliveries.
// Non-blocking, driven by the owner's epoll; many peers share one read buffer and one Tally.
#pragma once

#include "broker/cli/headers.hpp"
#include "broker/cli/histogram.hpp"
#include "broker/cli/scanner.hpp"
#include "broker/cli/send_template.hpp"
#include "broker/cli/stamp.hpp"
#include "broker/cli/target.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace cli {

class LoadPeer;

/// How messages are acknowledged; each_batch is `client`, which covers all before.
enum class LoadAck : std::uint8_t { automatic, each_batch, each_message };

/// What all peers of a run have in common. Constant while it runs.
struct LoadPlan {
    Target target;
    sockaddr_storage address{};
    socklen_t address_size = 0;
    std::size_t body_size = 128;
    LoadAck ack = LoadAck::automatic;
    std::uint64_t receipt_every = 0;  ///< 0: no receipts.
    OwnedHeaders send_headers;
    OwnedHeaders subscribe_headers;
    unsigned sources =
        0;  ///< Connect from that many addresses 127.0.0.2 and up; 0: the system's choice.
    bool is_ordered = true;  ///< Each subscriber gets a publisher's messages in their order.
    bool close_when_ready = false;
    std::uint32_t seed = 0;  ///< Of the masks.
};

/// The monotonic clock, the same for all processes of a machine.
[[nodiscard]] std::uint64_t steady_ns();

/// What all peers count into.
struct Tally {
    std::uint64_t now_ns = 0;  ///< When the octets being handled were read.
    bool is_measuring = false;
    std::uint64_t ready = 0;   ///< Peers that ever became ready.
    std::uint64_t closed = 0;  ///< Peers that ended otherwise than by close().
    std::uint64_t failed = 0;  ///< Of these, before they were ready.
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;
    std::uint64_t receipts = 0;
    std::uint64_t misplaced =
        0;                     ///< Deliveries out of their publisher's order: early, late or twice.
    std::uint64_t errors = 0;  ///< ERROR frames.
    std::uint64_t bytes_in = 0;
    std::string first_error;
    std::vector<std::uint64_t> delivered_by;  ///< Deliveries of each publisher's messages.
    std::vector<LoadPeer*> dirty;             ///< Peers with output.
    std::vector<char> buffer;                 ///< What a peer reads into.
    Histogram latency;
    Histogram receipt_latency;
    Histogram connect_latency;

    void note_error(std::string_view text);
};

class LoadPeer final : private ScannerSink {
public:
    enum class State : std::uint8_t {
        idle,
        connecting,
        upgrading,
        logging_in,
        subscribing,
        ready,
        closed
    };

    LoadPeer(const LoadPlan& plan, Tally& tally, int epoll);
    ~LoadPeer() override;

    LoadPeer(const LoadPeer&) = delete;
    LoadPeer& operator=(const LoadPeer&) = delete;

    /// Before open(): the peer will subscribe to `destination`.
    void make_subscriber(std::string destination);
    /// Before open(): the peer will publish to `destination`, with stamps of publisher `number`.
    void make_publisher(std::string destination, std::uint32_t number);

    /// Starts connecting. `source` picks the local address if the plan has several.
    void open(unsigned source);
    void on_event(std::uint32_t events);

    /// Appends one message, stamped with `time_ns`. For ready publishers only.
    void publish(std::uint64_t time_ns);

    /// Writes what is pending; the rest waits for the socket.
    void flush();

    /// Ends the connection at once, without leaving a TIME_WAIT.
    void close();

    [[nodiscard]] State state() const { return state_; }

    [[nodiscard]] bool is_ready() const { return state_ == State::ready; }

    [[nodiscard]] std::size_t pending_bytes() const { return output_.size() - written_; }

    [[nodiscard]] std::uint64_t sent() const { return sent_; }

    [[nodiscard]] std::uint64_t receipts_outstanding() const { return receipts_sent_ - receipts_; }

    [[nodiscard]] std::size_t message_size() const { return plain_.size(); }

private:
    void finish_connecting();
    void bind_source(unsigned source) const;
    void request_upgrade();
    void log_in();
    void become_ready();
    void lose(std::string_view why);
    void want_output(bool wanted);
    void mark_dirty();

    void write(std::string_view frame);
    void subscribe();
    [[nodiscard]] SendTemplate make_template(bool asks_receipt) const;
    void acknowledge(std::string_view head);
    void write_ack(std::string_view token);

    void on_readable();
    std::size_t scan(const char* begin, const char* end);
    std::size_t scan_upgrade(const char* begin, const char* end);
    void on_delivery(std::string_view head, const char* body) override;
    void on_frame(std::string_view head, std::string_view body) override;
    void on_ping(std::string_view payload) override;
    void on_close(std::string_view reason) override;
    void on_receipt(std::string_view head);
    void check_order(const Stamp& stamp);

    const LoadPlan& plan_;
    Tally& tally_;
    const int epoll_;
    std::string destination_;
    bool is_subscriber_ = false;
    bool is_publisher_ = false;
    std::uint32_t publisher_ = 0;

    State state_ = State::idle;
    int socket_ = -1;
    std::uint32_t mask_ = 0;
    std::uint64_t opened_ns_ = 0;
    bool wants_output_ = false;
    bool is_dirty_ = false;

    std::string output_;
    std::size_t written_ = 0;
    std::string input_;  ///< What the scanner could not use yet.
    Scanner scanner_;

    SendTemplate plain_;
    SendTemplate with_receipt_;
    std::uint64_t sent_ = 0;
    std::uint64_t receipts_sent_ = 0;
    std::uint64_t receipts_ = 0;
    std::vector<std::uint64_t> receipt_times_;  ///< A ring, by the receipt's number.

    std::string last_token_;               ///< To be acknowledged after this batch.
    std::vector<std::uint64_t> expected_;  ///< Next sequence number, by publisher.
};

}  // namespace cli
