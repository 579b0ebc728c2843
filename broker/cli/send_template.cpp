// Places in the frame, and patching them under the mask.
#include "broker/cli/send_template.hpp"

#include "protocol/encoder.hpp"
#include "protocol/web_socket.hpp"

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

namespace cli {
namespace {

constexpr std::string_view receipt_zero = "0000000000";

std::uint64_t mask_at(std::uint32_t mask, std::size_t payload_offset) {
    std::array<char, 4> key{};
    std::memcpy(key.data(), &mask, sizeof mask);
    std::array<char, 8> turned{};
    for (std::size_t i = 0; i < turned.size(); ++i) {
        turned[i] = key[(payload_offset + i) % 4];
    }
    std::uint64_t word = 0;
    std::memcpy(&word, turned.data(), sizeof word);
    return word;
}

void apply(char* octets, std::size_t size, std::uint64_t mask) {
    for (std::size_t at = 0; at < size; at += sizeof mask) {
        const std::size_t count = size - at < sizeof mask ? size - at : sizeof mask;
        std::uint64_t word = 0;
        std::memcpy(&word, octets + at, count);
        word ^= mask;
        std::memcpy(octets + at, &word, count);
    }
}

void write_digits(char* out, std::uint64_t number) {
    for (std::size_t at = receipt_zero.size(); at-- > 0; number /= 10) {
        out[at] = static_cast<char>('0' + number % 10);
    }
}

}  // namespace

SendTemplate::SendTemplate(
    std::span<const protocol::Header> headers,
    std::size_t body_size,
    std::optional<std::uint32_t> mask,
    bool asks_receipt
) {
    // First, so that its digits cannot be mistaken for a user's header.
    std::vector<protocol::Header> all;
    if (asks_receipt) { all.push_back({"receipt", receipt_zero}); }
    all.insert(all.end(), headers.begin(), headers.end());
    std::string frame;
    const std::string body(body_size, 'x');
    protocol::append_frame(frame, protocol::Command::send, all, body, protocol::Version::v1_2);
    stamp_at_ = frame.size() - 1 - body_size;
    receipt_at_ = asks_receipt ? frame.find(receipt_zero) : 0;
    if (!mask) {
        octets_ = std::move(frame);
        return;
    }
    stamp_mask_ = mask_at(*mask, stamp_at_);
    receipt_mask_ = mask_at(*mask, receipt_at_);
    protocol::append_web_socket_frame(octets_, protocol::Opcode::text, frame, &*mask);
    const std::size_t framing = octets_.size() - frame.size();
    stamp_at_ += framing;
    if (asks_receipt) { receipt_at_ += framing; }
}

void SendTemplate::append(std::string& out, const Stamp& stamp, std::uint64_t receipt) const {
    const std::size_t begin = out.size();
    out += octets_;
    char* const to_stamp = out.data() + begin + stamp_at_;
    write_stamp(to_stamp, stamp);
    apply(to_stamp, Stamp::size, stamp_mask_);
    if (receipt_at_ == 0) { return; }
    char* const to_receipt = out.data() + begin + receipt_at_;
    write_digits(to_receipt, receipt);
    apply(to_receipt, receipt_zero.size(), receipt_mask_);
}

}  // namespace cli
