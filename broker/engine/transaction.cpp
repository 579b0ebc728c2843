#include "broker/engine/transaction.hpp"

#include "broker/engine/refusals.hpp"
#include "broker/engine/schedule.hpp"
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

    Sends sends;                    ///< In order; without message: not to be applied.
    std::size_t reserved = 0;       ///< Of them, from the front.
    bool is_linked = false;         ///< Its messages for topics all go through this home.
    std::vector<QueuePart> queues;  ///< Filled and used on the home shard.
    std::size_t kept = 0;           ///< Places set aside for what topics are to keep.
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

bool is_delayed(const Route& route) {
    return route.asked && route.asked->delay;
}

void cancel(Destinations& home, Part& part) {
    home.release_kept(std::exchange(part.kept, 0));
    for (const Part::QueuePart& queue : part.queues) {
        queue.queue->cancel_reservation(queue.messages);
    }
    part.queues.clear();
    for (std::size_t i = 0; i < part.reserved; ++i) {
        const Route& route = part.sends[i].route;
        if (!is_delayed(route)) { continue; }
        home.schedule().cancel_reservation(
            Destinations::name_of(route, *route.asked), *part.sends[i].message
        );
    }
    part.reserved = 0;
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
    if (is_delayed(route)) { return false; }
    return route.queue != nullptr || (route.name->is_queue && !route.name->is_literal);
}

using Reserved = protocol::Result<void>;

Reserved reserve_delayed(Destinations& home, const Transaction::BufferedSend& send) {
    const Route& route = send.route;
    if (route.name->is_queue && !route.name->is_literal) {
        const auto queue = home.queue_of(route);
        if (!queue) { return queue.error(); }
    }
    const std::string name = Destinations::name_of(route, *route.asked);
    return home.schedule().reserve(name, route, *send.message);
}

Reserved reserve(Destinations& home, Part& part, const Transaction::BufferedSend& send) {
    if (is_delayed(send.route)) { return reserve_delayed(home, send); }
    if (!needs_room(send.route)) {
        const auto bindings = home.bindings_elsewhere(send.route, *send.message);
        if (!bindings) { return bindings.error(); }
        const auto is_kept = home.reserve_kept(send.route, *send.message);
        if (!is_kept) { return is_kept.error(); }
        part.kept += *is_kept ? 1U : 0U;
        if (part.is_linked) { return {}; }
        for (const auto& binding : *bindings) {
            part.elsewhere.push_back({binding, send.message});
        }
        return {};
    }
    const auto queue = home.queue_of(send.route);
    if (!queue) { return queue.error(); }
    const Admission admission = (*queue)->reserve(*send.message);
    if (admission != Admission::accepted) { return home.refusal(**queue, admission); }
    part_of(part, *queue).messages.push_back(send.message);
    return {};
}

void reserve(Destinations& home, Part& part) {
    // Only when it is applied will be known which are duplicates: until then no copy may leave.
    part.is_linked = std::any_of(part.sends.begin(), part.sends.end(), [](const auto& send) {
        return send.route.asked && !send.route.asked->dedup_id.empty();
    });
    for (const Transaction::BufferedSend& send : part.sends) {
        const auto good = reserve(home, part, send);
        if (!good) {
            part.error = good.error();
            return cancel(home, part);
        }
        ++part.reserved;
    }
}

// A duplicate is taken out of the part, and its room given back (P-QOS-06).
void skip(Destinations& home, Part& part, Transaction::BufferedSend& send) {
    ++home.counters().messages_deduplicated;
    const MessageRef message = std::move(send.message);
    send.message = nullptr;
    if (is_delayed(send.route)) {
        const std::string name = Destinations::name_of(send.route, *send.route.asked);
        return home.schedule().cancel_reservation(name, *message);
    }
    for (Part::QueuePart& queue : part.queues) {
        if (std::erase(queue.messages, message) != 0) {
            return queue.queue->cancel_reservation({message});
        }
    }
}

void claim_ids(Destinations& home, Part& part) {
    if (!part.is_linked) { return; }
    for (Transaction::BufferedSend& send : part.sends) {
        const Route& route = send.route;
        if (!route.asked || route.asked->dedup_id.empty()) { continue; }
        const std::string name = Destinations::name_of(route, *route.asked);
        if (home.duplicates().knows(name, *route.asked)) {
            skip(home, part, send);
        } else {
            home.duplicates().claim(name, *route.asked, home.stores(route, *send.message));
        }
    }
}

// What is neither a queue's nor a duplicate. Returns whether it is stored in ways that do not show
// in this home's batch.
bool publish(Destinations& home, const Part& part, const Transaction::BufferedSend& send) {
    const Route& route = send.route;
    if (!send.message || needs_room(route)) { return false; }
    if (is_delayed(route)) {
        const std::string name = Destinations::name_of(route, *route.asked);
        home.schedule().add_reserved(name, route, send.message, *route.asked->delay);
        return false;
    }
    if (!part.is_linked) {
        home.publish_committed(route, send.message);
        return false;
    }
    const auto published = home.publish_linked(route, send.message);
    return published && *published == Published::stored;
}

// In one piece: what the home's store gets of it lies in one batch. Returns whether it gets
// anything.
bool apply(Destinations& home, Part& part, std::uint64_t transaction, std::size_t parts) {
    const bool has_store = home.journal().has_store();
    const std::size_t before = has_store ? home.journal().batch().changes() : 0;
    for (Work& settle : part.settlements) {
        settle();
    }
    claim_ids(home, part);
    for (Part::QueuePart& queue : part.queues) {
        queue.queue->push_reserved(queue.messages);
    }
    home.release_kept(std::exchange(part.kept, 0));
    bool is_linked = false;
    for (const Transaction::BufferedSend& send : part.sends) {
        is_linked = publish(home, part, send) || is_linked;
    }
    for (const Copy& copy : part.copies) {
        home.push_bound(*copy.binding, copy.message);
    }
    if (!has_store) { return false; }
    const bool is_stored = is_linked || home.journal().batch().changes() != before;
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
                cancel(home, *part);
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
                auto begin =
                    [&home, asking, commit = std::move(commit), work = std::move(work)]() mutable {
                        reserve(home, *work);
                        reserved_at(home, asking, std::move(commit), std::move(work));
                    };
                home.duplicates().when_loaded(std::move(begin));
            }
        );
    }
}

}  // namespace engine
