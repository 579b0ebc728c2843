// The audit: who was let in, refused, or stopped by a limit (S-LOG-02).
// One shape for all of its lines, written under the log's own bounds; no bodies and no secrets.
#pragma once

#include "broker/log/log.hpp"

#include <string_view>

namespace logging {

/// Empty: unknown, or does not apply.
struct AuditLine {
    std::string_view event;    ///< `auth-ok`, `auth-failed`, `denied`, `limit` or `refused`.
    std::string_view message;  ///< What the client was told, or a sentence.
    std::string_view reason = {};
    std::string_view limit = {};  ///< The key of the limit that was reached.
    std::string_view destination = {};
    std::string_view remedy = {};
    std::string_view conn = {};
    std::string_view user = {};
    std::string_view remote = {};
    std::string_view listener = {};
    std::string_view why = {};          ///< What the client was not told.
    std::string_view traceparent = {};  ///< Of the frame that was refused (W3C).
};

/// `auth-ok` is information, all others are warnings.
void audit(const AuditLine& line);

}  // namespace logging
