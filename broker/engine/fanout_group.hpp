// The subscriptions that listen to a topic on one shard, grouped by what their MESSAGE frames have
// in common. Lives on the shard.
#pragma once

#include "broker/engine/block.hpp"
#include "broker/engine/by_selector.hpp"
#include "broker/engine/message.hpp"
#include "broker/engine/outbox.hpp"
#include "protocol/version.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace engine {

class Subscription;

/// Subscriptions whose MESSAGE frames are equal: same framing, version and subscription id, auto
/// mode. Subscriptions in client modes stand alone: their frames differ.
struct FanoutGroup {
    Framing framing = Framing::stream;
    protocol::Version version = protocol::Version::v1_2;
    bool is_shareable = true;
    bool no_local = false;  ///< Its members do not get what they have sent.
    std::string prefix;
    std::vector<Subscription*> members;
    Block* block = nullptr;  ///< Frames of turn `turn`; meaningless in any other.
    std::uint64_t turn = 0;
};

/// All groups of one kind of a topic. Those with selectors cost a message nothing unless they match
/// it (P-SEL-05).
class FanoutGroups {
public:
    void add(Subscription& subscription);
    /// False if it is not among them.
    [[nodiscard]] bool remove(Subscription& subscription);
    void clear();

    /// Calls send(FanoutGroup&) for each group whose selector takes `message`, and all without.
    template <class F>
    void visit(const Message& message, F send) {
        for (FanoutGroup& group : plain_) {
            send(group);
        }
        if (!selected_) { return; }
        selected_->visit(message, [&](Groups& groups) {
            for (FanoutGroup& group : groups) {
                send(group);
            }
        });
    }

    [[nodiscard]] std::size_t members() const;

    /// Calls visit(const Subscription&) for each member.
    template <class F>
    void for_each(F visit) const {
        for_each_group([&](const FanoutGroup& group) {
            for (const Subscription* const member : group.members) {
                visit(*member);
            }
        });
    }

private:
    using Groups = std::vector<FanoutGroup>;

    [[nodiscard]] static bool remove_from(Groups& groups, Subscription& subscription);

    template <class F>
    void for_each_group(F visit) const {
        std::for_each(plain_.begin(), plain_.end(), visit);
        if (!selected_) { return; }
        selected_->for_each([&](const Groups& groups) {
            std::for_each(groups.begin(), groups.end(), visit);
        });
    }

    Groups plain_;
    std::unique_ptr<BySelector<Groups>> selected_;  ///< None: nobody has a selector.
};

}  // namespace engine
