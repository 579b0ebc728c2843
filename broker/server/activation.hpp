// Sockets that the service manager has opened for us (sd_listen_fds(3)), by the names it gave them.
// Each belongs to the listener of its name; one that belongs to none ends the start.
#pragma once

#include "broker/server/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server {

/// A TCP socket that listens already.
struct InheritedSocket {
    std::string name;
    int descriptor = -1;
    std::string host;
    std::uint16_t port = 0;
};

/// What $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES say that we were given, from descriptor 3 on;
/// nothing if that was meant for another process. Throws std::runtime_error of one sentence if a
/// descriptor is no listening TCP socket.
[[nodiscard]] std::vector<InheritedSocket> inherited_sockets(const GetEnv& getenv);

class Inherited {
public:
    explicit Inherited(std::vector<InheritedSocket> sockets) : sockets_(std::move(sockets)) {}

    /// Those for the listener `name`, which is configured for `host`; they count instead of it.
    /// Throws if one is open to other machines and `host` is not: what a listener needs for that is
    /// asked of the configured address (S-BIND-03).
    [[nodiscard]] std::vector<InheritedSocket> take(std::string_view name, std::string_view host);

    /// The same for a listener that can have one only: its descriptor, if there is one.
    [[nodiscard]] std::optional<int> take_one(std::string_view name, std::string_view host);

    /// Throws if there is one that no listener has taken.
    void check_taken() const;

private:
    std::vector<InheritedSocket> sockets_;
    std::vector<std::string> names_;  ///< Asked for so far.
};

}  // namespace server
