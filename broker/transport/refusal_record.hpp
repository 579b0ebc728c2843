// What the clients of a shard were refused lately, for operators: a refusal ends its connection,
// and who looks at the next one of the same client wants to know why. Costs nothing before a
// refusal. Bounded by Limits: those refused last, the newest refusals of each. Lives on one shard.
#pragma once

#include "broker/engine/shard.hpp"
#include "protocol/error.hpp"

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace transport {

/// What the connections of one client have in common: the user and the client id; without that, the
/// user and the address.
struct Client {
    std::string user;
    std::string client_id;
    std::string address;

    [[nodiscard]] bool operator==(const Client& other) const {
        return user == other.user && client_id == other.client_id &&
               (!client_id.empty() || address == other.address);
    }
};

struct PastRefusal {
    engine::Instant at{0};
    protocol::ErrorCode code = protocol::ErrorCode::internal;
    std::string message;      ///< The first line of the ERROR.
    std::string destination;  ///< What it was about; empty: nothing.
    std::string connection;   ///< Session::name().
};

/// Leaves the newest `most`, the newest first.
void keep_newest(std::vector<PastRefusal>& refusals, std::size_t most);

class RefusalRecord {
public:
    struct Limits {
        std::size_t clients = 256;
        std::size_t each = 4;
        std::size_t text = 256;  ///< Octets of a message or a destination.
    };

    RefusalRecord() : RefusalRecord(Limits{}) {}

    explicit RefusalRecord(Limits limits) : limits_(limits) {}

    [[nodiscard]] const Limits& limits() const { return limits_; }

    /// Time linear in the clients.
    void add(Client client, PastRefusal refusal);
    /// The newest first.
    [[nodiscard]] std::vector<PastRefusal> of(const Client& client) const;
    /// The newest of a connection.
    [[nodiscard]] std::optional<PastRefusal> of_connection(std::string_view name) const;

private:
    struct Entry {
        Client client;
        std::vector<PastRefusal> refusals;  ///< The newest first.
    };

    const Limits limits_;
    std::list<Entry> entries_;  ///< Who was refused last comes first.
};

}  // namespace transport
