// The hot paths are publish() and on_delivery(): no allocation, no look-up, a few comparisons.
// Set-up frames come from the codec.
#include "broker/cli/load_peer.hpp"

#include "protocol/base64.hpp"
#include "protocol/encoder.hpp"
#include "protocol/web_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace cli {
namespace {

constexpr std::size_t read_size = 256 * 1024;
constexpr std::size_t receipt_ring = 1 << 16;
constexpr std::size_t upgrade_answer_max = 16 * 1024;
constexpr std::size_t input_max = 64 * 1024 * 1024;
constexpr protocol::Version version = protocol::Version::v1_2;

// Each connection's mask differs, and no octet of it is zero; unpredictable it need not be here.
std::uint32_t next_mask(std::uint32_t seed) {
    static std::uint32_t state = seed;
    state = state * 1664525U + 1013904223U;
    return state | 0x01010101U;
}

}  // namespace

std::uint64_t steady_ns() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()
    );
}

void Tally::note_error(std::string_view text) {
    if (!first_error.empty()) { return; }
    for (const char c : text.substr(0, 200)) {
        first_error += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
    }
}

LoadPeer::LoadPeer(const LoadPlan& plan, Tally& tally, int epoll)
    : plan_(plan),
      tally_(tally),
      epoll_(epoll),
      scanner_(*this, plan.target.url.is_web_socket, plan.body_size) {}

LoadPeer::~LoadPeer() {
    close();
}

void LoadPeer::make_subscriber(std::string destination) {
    destination_ = std::move(destination);
    is_subscriber_ = true;
}

void LoadPeer::make_publisher(std::string destination, std::uint32_t number) {
    destination_ = std::move(destination);
    is_publisher_ = true;
    publisher_ = number;
}

// ---- Set-up.

void LoadPeer::open(unsigned source) {
    opened_ns_ = tally_.now_ns;
    mask_ = next_mask(plan_.seed);
    state_ = State::connecting;
    socket_ = ::socket(plan_.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) { return lose(std::strerror(errno)); }
    const int one = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (plan_.sources != 0) { bind_source(source); }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.ptr = this;
    wants_output_ = true;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event);
    const auto* const address = reinterpret_cast<const sockaddr*>(&plan_.address);
    if (::connect(socket_, address, plan_.address_size) != 0 && errno != EINPROGRESS) {
        lose(std::strerror(errno));
    }
}

void LoadPeer::bind_source(unsigned source) const {
    const int one = 1;
    ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source % plan_.sources);
    // If it fails the system chooses: fewer connections are possible, nothing else.
    static_cast<void>(::bind(socket_, reinterpret_cast<const sockaddr*>(&local), sizeof local));
}

void LoadPeer::finish_connecting() {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) { return lose(std::strerror(error)); }
    want_output(false);
    if (plan_.target.url.is_web_socket) {
        request_upgrade();
    } else {
        log_in();
    }
}

void LoadPeer::request_upgrade() {
    state_ = State::upgrading;
    output_ = "GET " + plan_.target.url.path +
              " HTTP/1.1\r\nHost: " + plan_.target.url.authority() +
              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
              "\r\nSec-WebSocket-Key: " +
              protocol::encode_base64("stampede-bench-0") +
              "\r\nSec-WebSocket-Protocol: v12.stomp\r\n\r\n";
    mark_dirty();
}

void LoadPeer::log_in() {
    state_ = State::logging_in;
    std::vector<protocol::Header> headers{
        {"accept-version", "1.2"}, {"host", plan_.target.virtual_host}, {"heart-beat", "0,0"}};
    if (!plan_.target.login.empty()) {
        headers.push_back({"login", plan_.target.login});
        headers.push_back({"passcode", plan_.target.passcode});
    }
    append_views(headers, plan_.target.connect_headers);
    std::string frame;
    protocol::append_frame(frame, protocol::Command::connect, headers, {}, version);
    write(frame);
}

void LoadPeer::subscribe() {
    state_ = State::subscribing;
    const std::string_view ack = plan_.ack == LoadAck::automatic    ? "auto"
                                 : plan_.ack == LoadAck::each_batch ? "client"
                                                                    : "client-individual";
    std::vector<protocol::Header> headers{
        {"id", "sub-0"}, {"destination", destination_}, {"ack", ack}, {"receipt", "sub-0"}};
    append_views(headers, plan_.subscribe_headers);
    std::string frame;
    protocol::append_frame(frame, protocol::Command::subscribe, headers, {}, version);
    write(frame);
}

void LoadPeer::become_ready() {
    state_ = State::ready;
    ++tally_.ready;
    tally_.connect_latency.record(tally_.now_ns - opened_ns_);
    if (is_publisher_) {
        plain_ = make_template(false);
        with_receipt_ = make_template(true);
    }
    if (plan_.close_when_ready) { close(); }
}

void LoadPeer::close() {
    if (socket_ >= 0) {
        const linger now{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(socket_);
    }
    socket_ = -1;
    state_ = State::closed;
    scanner_.stop();
    // Thousands of closed peers may stay in memory.
    output_ = {};
    input_ = {};
    written_ = 0;
}

void LoadPeer::lose(std::string_view why) {
    if (state_ == State::closed) { return; }
    tally_.note_error(why);
    ++tally_.closed;
    if (state_ != State::ready) { ++tally_.failed; }
    close();
}

// ---- Output.

void LoadPeer::mark_dirty() {
    if (is_dirty_) { return; }
    is_dirty_ = true;
    tally_.dirty.push_back(this);
}

void LoadPeer::write(std::string_view frame) {
    if (plan_.target.url.is_web_socket) {
        protocol::append_web_socket_frame(output_, protocol::Opcode::text, frame, &mask_);
    } else {
        output_ += frame;
    }
    mark_dirty();
}

void LoadPeer::flush() {
    is_dirty_ = false;
    while (written_ < output_.size()) {
        const ssize_t size =
            ::send(socket_, output_.data() + written_, output_.size() - written_, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) { continue; }
        if (size < 0 && errno == EAGAIN) { return want_output(true); }
        if (size < 0) { return lose(std::strerror(errno)); }
        written_ += static_cast<std::size_t>(size);
    }
    output_.clear();
    written_ = 0;
    want_output(false);
}

void LoadPeer::want_output(bool wanted) {
    if (wants_output_ == wanted || socket_ < 0) { return; }
    wants_output_ = wanted;
    epoll_event event{};
    event.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = this;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_, &event);
}

SendTemplate LoadPeer::make_template(bool asks_receipt) const {
    std::vector<protocol::Header> headers{{"destination", destination_}};
    append_views(headers, plan_.send_headers);
    const bool is_masked = plan_.target.url.is_web_socket;
    return {
        headers,
        plan_.body_size,
        is_masked ? std::optional<std::uint32_t>(mask_) : std::nullopt,
        asks_receipt};
}

void LoadPeer::publish(std::uint64_t time_ns) {
    const bool asks = plan_.receipt_every != 0 && (sent_ + 1) % plan_.receipt_every == 0;
    const Stamp stamp{publisher_, sent_, time_ns};
    if (asks) {
        with_receipt_.append(output_, stamp, receipts_sent_);
        if (receipt_times_.empty()) { receipt_times_.resize(receipt_ring); }
        receipt_times_[receipts_sent_ % receipt_ring] = time_ns;
        ++receipts_sent_;
    } else {
        plain_.append(output_, stamp, 0);
    }
    ++sent_;
    ++tally_.published;
    mark_dirty();
}

void LoadPeer::acknowledge(std::string_view head) {
    const std::string_view token = header_value(head, "\nack:");
    if (plan_.ack == LoadAck::each_batch) {
        last_token_ = token;
    } else {
        write_ack(token);
    }
}

void LoadPeer::write_ack(std::string_view token) {
    std::array<char, 256> frame;
    constexpr std::string_view begin = "ACK\nid:";
    constexpr std::string_view end("\n\n\0", 3);
    if (token.size() + begin.size() + end.size() > frame.size()) { return; }
    char* at = std::copy(begin.begin(), begin.end(), frame.data());
    at = std::copy(token.begin(), token.end(), at);
    at = std::copy(end.begin(), end.end(), at);
    write({frame.data(), static_cast<std::size_t>(at - frame.data())});
}

// ---- Input.

void LoadPeer::on_event(std::uint32_t events) {
    if (socket_ < 0) { return; }
    if ((events & EPOLLOUT) != 0 && state_ == State::connecting) {
        finish_connecting();
    } else if ((events & EPOLLOUT) != 0) {
        flush();
    }
    if (socket_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) { on_readable(); }
}

void LoadPeer::on_readable() {
    std::vector<char>& buffer = tally_.buffer;
    const std::size_t held = input_.size();
    if (buffer.size() < held + read_size) { buffer.resize(2 * held + read_size); }
    const ssize_t size = ::recv(socket_, buffer.data() + held, buffer.size() - held, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) { return; }
    if (size <= 0) { return lose(size == 0 ? "closed by the broker" : std::strerror(errno)); }
    tally_.bytes_in += static_cast<std::uint64_t>(size);
    tally_.now_ns = steady_ns();

    std::copy(input_.begin(), input_.end(), buffer.begin());
    char* const end = buffer.data() + held + size;
    const std::size_t used = scan(buffer.data(), end);
    if (state_ == State::closed) { return; }
    input_.assign(buffer.data() + used, end);
    if (input_.size() > input_max) { return lose("the broker's frame is too large"); }
    if (!last_token_.empty()) {
        write_ack(last_token_);
        last_token_.clear();
    }
}

std::size_t LoadPeer::scan(const char* begin, const char* end) {
    std::size_t used = 0;
    if (state_ == State::upgrading) {
        used = scan_upgrade(begin, end);
        if (state_ == State::upgrading || state_ == State::closed) { return used; }
    }
    return used + scanner_.scan(begin + used, end);
}

std::size_t LoadPeer::scan_upgrade(const char* begin, const char* end) {
    const std::string_view text(begin, static_cast<std::size_t>(end - begin));
    const std::size_t head_end = text.find("\r\n\r\n");
    if (head_end == std::string_view::npos) {
        if (text.size() > upgrade_answer_max) { lose("no end of the answer to the upgrade"); }
        return 0;
    }
    if (!text.starts_with("HTTP/1.1 101 ")) {
        lose(text.substr(0, text.find("\r\n")));
        return 0;
    }
    log_in();
    return head_end + 4;
}

void LoadPeer::on_frame(std::string_view head, std::string_view body) {
    if (head.starts_with("CONNECTED") && state_ == State::logging_in) {
        if (is_subscriber_) { return subscribe(); }
        become_ready();
    } else if (head.starts_with("RECEIPT") && state_ == State::subscribing) {
        become_ready();
    } else if (head.starts_with("RECEIPT")) {
        on_receipt(head);
    } else if (head.starts_with("ERROR")) {
        ++tally_.errors;
        tally_.note_error(std::string(header_value(head, "\nmessage:")).append(": ").append(body));
    }
}

void LoadPeer::on_ping(std::string_view payload) {
    protocol::append_web_socket_frame(output_, protocol::Opcode::pong, payload, &mask_);
    mark_dirty();
}

void LoadPeer::on_close(std::string_view reason) {
    lose(reason.empty() ? "closed by the broker" : reason);
}

void LoadPeer::on_receipt(std::string_view head) {
    ++receipts_;
    ++tally_.receipts;
    if (!tally_.is_measuring || receipt_times_.empty()) { return; }
    const std::uint64_t number = leading_number(header_value(head, "\nreceipt-id:"));
    tally_.receipt_latency.record(tally_.now_ns - receipt_times_[number % receipt_ring]);
}

void LoadPeer::on_delivery(std::string_view head, const char* body) {
    const Stamp stamp = read_stamp(body);
    if (stamp.publisher >= tally_.delivered_by.size()) { return; }
    ++tally_.delivered;
    ++tally_.delivered_by[stamp.publisher];
    if (tally_.is_measuring) { tally_.latency.record(stamp.age_at(tally_.now_ns)); }
    if (plan_.is_ordered) { check_order(stamp); }
    if (plan_.ack != LoadAck::automatic) { acknowledge(head); }
}

void LoadPeer::check_order(const Stamp& stamp) {
    if (stamp.publisher >= expected_.size()) { expected_.resize(stamp.publisher + 1); }
    std::uint64_t& expected = expected_[stamp.publisher];
    if (stamp.sequence != expected) { ++tally_.misplaced; }
    expected = stamp.sequence + 1;
}

}  // namespace cli
