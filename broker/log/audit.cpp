// Puts an audit line into a record.
// No state: the rate limit is the log's.
#include "broker/log/audit.hpp"

namespace logging {

void audit(const AuditLine& line) {
    const Level level = line.event == "auth-ok" ? Level::info : Level::warn;
    if (!is_enabled(level)) { return; }
    write(
        level,
        line.event,
        line.message,
        {{"reason", line.reason},
         {"limit", line.limit},
         {"destination", line.destination},
         {"remedy", line.remedy},
         {"conn", line.conn},
         {"user", line.user},
         {"remote", line.remote},
         {"listener", line.listener},
         {"why", line.why},
         {"traceparent", line.traceparent}}
    );
}

}  // namespace logging
