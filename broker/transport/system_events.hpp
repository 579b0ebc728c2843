// What the broker tells of itself on `/topic/$SYS.connect` and so on (docs/events.md): gathered
// from all shards, limited as the audit is, and published. Lives on the first shard. At most 10
// events a second of each kind and address, then one that counts the others per 10 s (S-LOG-02);
// texts are bounded as the log's are (S-LOG-01).
#pragma once

#include "broker/log/log.hpp"
#include "broker/log/rate_limit.hpp"
#include "broker/transport/io_shard.hpp"
#include "protocol/system_event.hpp"

#include <array>
#include <string>
#include <string_view>

namespace transport {

class SystemEvents {
public:
    /// Outlives the work of all shards.
    explicit SystemEvents(IoShard& first) : first_(first) {}

    SystemEvents(const SystemEvents&) = delete;
    SystemEvents& operator=(const SystemEvents&) = delete;

    /// As transport::tell(), for who knows that somebody listens.
    void tell(
        const IoShard& here,
        protocol::SystemEvent event,
        std::string_view address,
        logging::Fields fields
    );

private:
    void publish(protocol::SystemEvent event, const std::string& address, const std::string& json);
    void await_summaries();
    void summarize();

    // Constant after construction.
    IoShard& first_;

    // Lives on the first shard.
    std::array<logging::RateLimit, protocol::system_event_count> limits_;
    bool awaits_summaries_ = false;
};

/// Something has happened on the current shard. Its time is added to `fields`; texts that are empty
/// are left out. Callers pass no bodies and no secrets. `address`: whose doing it was; empty:
/// nobody's, and then there is no limit. Costs a look at two numbers if nobody listens.
inline void tell(
    IoShard& here, protocol::SystemEvent event, std::string_view address, logging::Fields fields
) {
    if (here.events() == nullptr || !here.router().has_listeners(event)) { return; }
    here.events()->tell(here, event, address, fields);
}

}  // namespace transport
