// One random client of the simulation with a store: publishes to places that last, consumes them,
// commits, leaves. Everything that it sends is legal; only the disk may refuse.
#pragma once

#include "tests/sim/checker.hpp"
#include "tests/sim/parts.hpp"
#include "tests/support/test_broker.hpp"
#include "tests/support/test_client.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sim {

/// Something that keeps messages: a durable queue, or a durable subscription.
struct Place {
    std::string name;
    std::string destination;  ///< What consumers subscribe to.
    bool is_queue = true;
    std::vector<std::string> sources;  ///< Destinations of SENDs that reach it.

    /// Messages to `source` keep their order here (P-SEND-02).
    [[nodiscard]] std::string stream(const std::string& source) const {
        return name + " from " + source;
    }
};

/// Consumers leave `place`.
void disturb_order(Checker& checker, const Place& place);

/// What one run is like, and what its actors share.
struct DurableScene : Dice {
    Checker checker;
    std::vector<Place> places;
    std::vector<std::string> destinations;
    bool has_transactions = true;
    std::size_t body_max = 300;
    /// Of each message sent: its copies' numbers, by the index of their places.
    std::vector<std::map<std::size_t, MessageNumber>> copies = {};
    unsigned last_publisher = 0;
    unsigned last_subscription = 0;
    unsigned last_transaction = 0;
    std::size_t confirmed = 0;
    std::size_t refused = 0;
};

/// The body of message `number`: tells which it is, and whether it is whole.
[[nodiscard]] std::string sealed_body(std::size_t number, std::size_t size);
/// The number of the message with this body, or nothing.
[[nodiscard]] std::optional<std::size_t> opened_body(const std::string& body);

/// SUBSCRIBE to `place`.
[[nodiscard]] support::Outgoing subscribe_to(
    const Place& place, const std::string& id, const std::string& mode
);

class DurableActor {
public:
    DurableActor(DurableScene& scene, support::TestBroker& broker);
    DurableActor(const DurableActor&) = delete;
    DurableActor& operator=(const DurableActor&) = delete;

    /// One random act.
    void act();
    /// Notes what the session has come to; before any actor looks at what it received.
    void observe();
    /// Looks at what was received.
    void receive();

    /// All was written, and the session has taken it.
    [[nodiscard]] bool is_quiet() const;

    [[nodiscard]] bool is_gone() const { return is_over_ || !client_.is_open(); }

    // The end of the run.

    void finish_writing();
    /// It lived until all was stored: what it sent was accepted.
    void account();
    void leave();

private:
    struct Subscription {
        std::size_t place = 0;
        unsigned number = 0;
        std::string mode;
    };

    struct Outstanding {
        std::string token;
        std::string subscription;
        MessageNumber copy = 0;
        bool is_rejectable = false;
    };

    struct Transaction {
        unsigned number = 0;
        std::vector<MessageNumber> sends;
        std::vector<Outstanding> taken;
        std::vector<Outstanding> acked;
    };

    struct Asked {
        std::string receipt;
        std::function<void()> granted;
        std::function<void()> refused;
    };

    void send();
    void subscribe();
    void unsubscribe();
    void settle();
    void begin();
    void transact();
    void end_transaction(bool commits);
    void writes(const support::Outgoing& frame);
    void asks(
        support::Outgoing frame,
        std::function<void()> granted = {},
        std::function<void()> refused = {}
    );
    void accept(const std::vector<MessageNumber>& copies);
    void refuse(const std::vector<MessageNumber>& copies);
    void may_settle(const std::vector<Outstanding>& some);
    [[nodiscard]] std::vector<Outstanding> take_affected(std::size_t chosen);
    [[nodiscard]] Transaction* any_transaction(std::string& name);
    void receive_receipt(const support::Received& frame);
    void receive_error(const support::Received& frame);
    void receive_message(const support::Received& frame);
    void disturb(std::size_t place);
    void is_leaving();

    DurableScene& scene_;
    const unsigned number_;
    support::TestClient client_;
    std::string unwritten_;
    bool is_over_ = false;
    bool is_disturbed_ = false;
    bool has_left_ = false;
    std::map<std::string, Subscription> subscriptions_;
    std::map<std::string, Subscription> all_subscriptions_;
    std::vector<Outstanding> outstanding_;
    std::map<std::string, Transaction> transactions_;
    std::deque<Asked> asked_;
    std::vector<MessageNumber> sends_;  ///< Copies that took effect.
    unsigned last_receipt_ = 0;
};

}  // namespace sim
