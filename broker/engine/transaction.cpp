#include "broker/engine/transaction.hpp"

#include "broker/engine/refusals.hpp"
#include "broker/engine/session.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

namespace engine {

namespace {

using Sends = std::vector<Transaction::BufferedSend>;

// A copy of a topic's message for a durable subscription that lives elsewhere.
struct Copy {
    std::shared_ptr<const Binding> binding;
    MessageRef message;
};

// What one home shard gets of a commit.
struct Part {
    struct QueuePart {
        std::shared_ptr<Queue> queue;
        std::vector<MessageRef> messages;
    };

    Sends sends;                    ///< In order.
    std::vector<QueuePart> queues;  ///< Filled and used on the home shard.
    std::vector<Copy> elsewhere;    ///< Found by the home shard, for the parts of others.
    std::vector<Work> settlements;  ///< To be run there, before the sends.
    std::vector<Copy> copies;       ///< For durable subscriptions of this home.
    std::optional<protocol::Error> error;
};

// One commit under way. Lives on the session's shard; parts are worked on by their homes in
// between.
struct Commit {
    Destinations& router;
    Commitment commitment;
    std::map<unsigned, std::shared_ptr<Part>> parts;
    std::size_t missing = 0;
    std::ptrdiff_t underway = 0;  ///< Answers that go round by other shards: see reserved_at().
    std::size_t not_stored = 0;
    std::optional<protocol::Error> error = {};
};

using CommitRef = std::shared_ptr<Commit>;

void cancel(Part& part) {
    for (const Part::QueuePart& queue : part.queues) {
        queue.queue->cancel_reservation(queue.messages);
    }
    part.queues.clear();
}

Part::QueuePart& part_of(Part& part, const std::shared_ptr<Queue>& queue) {
    const auto same = [&](const Part::QueuePart& other) { return other.queue == queue; };
    const auto found = std::find_if(part.queues.begin(), part.queues.end(), same);
    if (found != part.queues.end()) { return *found; }
    part.queues.push_back({queue, {}});
    return part.queues.back();
}

// Reply addresses discard what they cannot take; queues, temporary ones too, need room.
bool needs_room(const Route& route) {
    return route.queue != nullptr || (route.name->is_queue && !route.name->is_literal);
}

void refuse(Part& part, protocol::Error error) {
    error.what = "COMMIT was not applied. " + error.what;
    part.error = std::move(error);
    cancel(part);
}

void reserve(Destinations& home, Part& part) {
    for (Transaction::BufferedSend& send : part.sends) {
        if (!needs_room(send.route)) {
            const auto bindings = home.bindings_elsewhere(send.route, *send.message);
            if (!bindings) { return refuse(part, bindings.error()); }
            for (const auto& binding : *bindings) {
                part.elsewhere.push_back({binding, send.message});
            }
            continue;
        }
        const auto queue = home.queue_of(send.route);
        if (!queue) { return refuse(part, queue.error()); }
        const Admission admission = (*queue)->reserve(*send.message);
        if (admission != Admission::accepted) {
            return refuse(part, home.refusal(**queue, admission));
        }
        part_of(part, *queue).messages.push_back(send.message);
    }
}

// In one piece: what the home's store gets of it lies in one batch. Returns whether it gets
// anything.
bool apply(Destinations& home, Part& part, std::uint64_t transaction, std::size_t parts) {
    const bool has_store = home.journal().has_store();
    const std::size_t before = has_store ? home.journal().batch().changes() : 0;
    for (Work& settle : part.settlements) {
        settle();
    }
    for (Part::QueuePart& queue : part.queues) {
        queue.queue->push_reserved(queue.messages);
    }
    for (Transaction::BufferedSend& send : part.sends) {
        if (!needs_room(send.route)) { home.publish_committed(send.route, send.message); }
    }
    for (const Copy& copy : part.copies) {
        home.push_bound(*copy.binding, copy.message);
    }
    if (!has_store) { return false; }
    const bool is_stored = home.journal().batch().changes() != before;
    if (parts > 1) { home.journal().batch().join({transaction, static_cast<unsigned>(parts)}); }
    return is_stored;
}

void stored(const CommitRef& commit, bool has_failed) {
    if (has_failed) { commit->error = storage_failed(); }
    if (--commit->not_stored != 0) { return; }
    const ReplyTo& reply = commit->commitment.stored;
    reply.session.post([ticket = reply.ticket, error = commit->error](Session& session) {
        session.answered(ticket, error);
    });
}

void report_stored(Destinations& home, unsigned asking, CommitRef commit, bool has_failed) {
    home.run_on(asking, [has_failed, commit = std::move(commit)](Destinations&) {
        stored(commit, has_failed);
    });
}

// On the home shard: tells the session's shard that the part is applied, and later that it is
// stored. The commit moves along: what it holds must not be destroyed on another shard.
void report(Destinations& home, unsigned asking, CommitRef commit, bool is_stored) {
    if (commit->commitment.stored.session.is_set()) {
        if (is_stored) {
            home.journal().when_stored([&home, asking, commit]() mutable {
                report_stored(home, asking, std::move(commit), home.journal().has_failed());
            });
        } else {
            report_stored(home, asking, commit, false);
        }
    }
    home.run_on(asking, [commit = std::move(commit)](Destinations&) {
        if (--commit->missing == 0) { commit->commitment.applied(std::nullopt); }
    });
}

void roll_back(const CommitRef& commit) {
    const unsigned asking = commit->router.shard().index();
    commit->missing = commit->parts.size();
    for (const auto& entry : commit->parts) {
        commit->router.run_on(
            entry.first,
            [commit, asking, part = entry.second](Destinations& home) mutable {
                cancel(*part);
                home.run_on(asking, [commit = std::move(commit)](Destinations&) {
                    if (--commit->missing == 0) { commit->commitment.applied(commit->error); }
                });
            }
        );
    }
}

// Copies for durable subscriptions go to the parts of the shards where these live.
void share_copies(Commit& commit) {
    std::vector<Copy> copies;
    for (const auto& entry : commit.parts) {
        auto& elsewhere = entry.second->elsewhere;
        std::move(elsewhere.begin(), elsewhere.end(), std::back_inserter(copies));
        elsewhere.clear();
    }
    for (Copy& copy : copies) {
        auto& part = commit.parts[copy.binding->home];
        if (!part) { part = std::make_shared<Part>(); }
        part->copies.push_back(std::move(copy));
    }
}

void go_ahead(const CommitRef& commit) {
    const unsigned asking = commit->router.shard().index();
    GatheredWork gathered;
    if (commit->commitment.settle) { commit->commitment.settle(gathered); }
    for (const unsigned home : commit->commitment.settlement_homes) {
        auto& part = commit->parts[home];
        if (!part) { part = std::make_shared<Part>(); }
    }
    for (auto& [home, works] : gathered) {
        commit->parts.at(home)->settlements = std::move(works);
    }
    share_copies(*commit);
    const std::size_t parts = commit->parts.size();
    commit->missing = parts;
    commit->not_stored = parts;
    if (parts == 0) {
        commit->not_stored = 1;
        commit->commitment.applied(std::nullopt);
        if (commit->commitment.stored.session.is_set()) { stored(commit, false); }
        return;
    }
    const std::uint64_t transaction = commit->router.journal().new_transaction();
    for (const auto& entry : commit->parts) {
        commit->router.run_on(
            entry.first,
            [commit, asking, transaction, parts, part = entry.second](Destinations& home) mutable {
                const bool is_stored = apply(home, *part, transaction, parts);
                report(home, asking, std::move(commit), is_stored);
            }
        );
    }
}

void go_on(const CommitRef& commit) {
    if (commit->missing != 0 || commit->underway != 0) { return; }
    if (commit->error) { return roll_back(commit); }
    go_ahead(commit);
}

// Copies for durable subscriptions go to their homes straight away, not through the topic's home.
// Messages sent before the COMMIT go through it: an answer follows them, so that none of them is
// still on its way when the copies come (P-SEND-02).
void reserved_at(
    Destinations& home, unsigned asking, CommitRef commit, std::shared_ptr<Part> part
) {
    std::vector<unsigned> others;
    for (const Copy& copy : part->elsewhere) {
        const unsigned other = copy.binding->home;
        if (std::find(others.begin(), others.end(), other) == others.end()) {
            others.push_back(other);
        }
    }
    for (const unsigned other : others) {
        home.run_on(other, [asking, commit](Destinations& router) mutable {
            router.run_on(asking, [commit = std::move(commit)](Destinations&) {
                --commit->underway;
                go_on(commit);
            });
        });
    }
    const auto underway = static_cast<std::ptrdiff_t>(others.size());
    home.run_on(
        asking,
        [underway, commit = std::move(commit), part = std::move(part)](Destinations&) {
            if (part->error) { commit->error = part->error; }
            --commit->missing;
            commit->underway += underway;
            go_on(commit);
        }
    );
}

}  // namespace

void commit(Destinations& router, Commitment commitment) {
    const auto commit = std::make_shared<Commit>(Commit{router, std::move(commitment), {}});
    for (Transaction::BufferedSend& send : commit->commitment.sends) {
        auto& part = commit->parts[send.route.home];
        if (!part) { part = std::make_shared<Part>(); }
        part->sends.push_back(std::move(send));
    }
    if (commit->parts.empty()) { return go_ahead(commit); }
    commit->missing = commit->parts.size();
    const unsigned asking = router.shard().index();
    // A part that is done at once may change the map: its entries are copied first.
    const std::vector<std::pair<unsigned, std::shared_ptr<Part>>> parts(
        commit->parts.begin(), commit->parts.end()
    );
    for (const auto& entry : parts) {
        router.run_on(
            entry.first,
            [commit, asking, work = entry.second](Destinations& home) mutable {
                reserve(home, *work);
                reserved_at(home, asking, std::move(commit), std::move(work));
            }
        );
    }
}

}  // namespace engine
