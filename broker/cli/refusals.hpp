// What a broker's refusals mean to the person at the terminal: ERROR frames, close codes, HTTP
// answers. Pure: values in, Failure (text and exit code) out.
#pragma once

#include "broker/cli/exit_code.hpp"
#include "protocol/frame.hpp"

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

/// 4 if `message`, the token of an ERROR frame or close, means that login or rights are missing.
[[nodiscard]] ExitCode exit_code_for(std::string_view message);

/// An ERROR frame: its `message` header and both lines of its body.
[[nodiscard]] Failure refused_by_error(const protocol::Frame& error);

/// A WebSocket close frame with this code and reason that we had not asked for.
[[nodiscard]] Failure refused_by_close(std::uint16_t code, std::string_view reason);

/// An answer to the upgrade other than 101. `where` is the URL, `body` what came with the answer.
[[nodiscard]] Failure refused_by_http(
    unsigned status, std::string_view body, const std::string& where
);

/// The peer ended TLS because we showed no certificate.
[[nodiscard]] bool is_certificate_wanted(const boost::system::error_code& ec);
[[nodiscard]] Failure certificate_wanted(const std::string& where);

}  // namespace cli
