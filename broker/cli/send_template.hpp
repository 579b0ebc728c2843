// A SEND frame as it goes over the wire, encoded once; each copy gets its own stamp and receipt.
// Over WebSocket it is framed and masked already: what is patched is masked alike.
#pragma once

#include "broker/cli/stamp.hpp"
#include "protocol/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace cli {

class SendTemplate {
public:
    SendTemplate() = default;

    /// A frame with `headers` and a body of `body_size` octets, at least Stamp::size. With `mask`
    /// it is one WebSocket message; with `asks_receipt` it has a `receipt` header of ten digits.
    SendTemplate(
        std::span<const protocol::Header> headers,
        std::size_t body_size,
        std::optional<std::uint32_t> mask,
        bool asks_receipt
    );

    /// Appends a copy with `stamp`, and with `receipt` if it asks for one.
    void append(std::string& out, const Stamp& stamp, std::uint64_t receipt) const;

    [[nodiscard]] std::size_t size() const { return octets_.size(); }

private:
    std::string octets_;
    std::size_t stamp_at_ = 0;
    std::size_t receipt_at_ = 0;    ///< 0: none is asked for.
    std::uint64_t stamp_mask_ = 0;  ///< The mask, twice, turned to the stamp's place.
    std::uint64_t receipt_mask_ = 0;
};

}  // namespace cli
