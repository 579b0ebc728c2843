// The admin listener's answers to "are you alive" and "may I send you work": /healthz and /readyz.
// Lives on the first shard's io_context; these need no token and tell nothing else. At most 64
// connections, those of the API included.
#pragma once

#include "broker/admin/api.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace admin {

/// One check of /readyz: not ready if `problem` is not empty, unless it is only to be shown.
struct Check {
    std::string name;
    std::string problem;
    bool is_needed = true;
};

using ReadyChecks = std::function<std::vector<Check>()>;

class Health {
public:
    /// Binds at once; throws std::runtime_error that names the address and the cause. /readyz tells
    /// `durability`, the mode in force. `api` answers what is under /api.
    Health(
        boost::asio::io_context& io,
        const std::string& host,
        std::uint16_t port,
        std::string durability,
        ReadyChecks checks,
        std::unique_ptr<Api> api
    );
    ~Health();

    void start();
    void stop();
    [[nodiscard]] std::uint16_t port() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace admin
