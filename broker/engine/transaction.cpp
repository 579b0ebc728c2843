#include "broker/engine/transaction.hpp"

#include <algorithm>
#include <map>
#include <memory>

namespace engine {

namespace {

using Sends = std::vector<Transaction::BufferedSend>;

// What one home shard gets of a commit.
struct Part {
    struct QueuePart {
        std::shared_ptr<Queue> queue;
        std::vector<MessageRef> messages;
        std::size_t bytes = 0;
    };

    Sends sends;                    ///< In order.
    std::vector<QueuePart> queues;  ///< Filled and used on the home shard.
    std::optional<protocol::Error> error;
};

// One commit under way. Lives on the session's shard; parts are worked on by their homes in
// between.
struct Commit {
    Destinations& router;
    std::map<unsigned, std::shared_ptr<Part>> parts;
    Destinations::Done done;
    std::size_t missing = 0;
    std::optional<protocol::Error> error = {};
};

void cancel(Part& part) {
    for (const Part::QueuePart& queue : part.queues) {
        queue.queue->cancel_reservation(queue.messages.size(), queue.bytes);
    }
    part.queues.clear();
}

Part::QueuePart& part_of(Part& part, const std::shared_ptr<Queue>& queue) {
    const auto same = [&](const Part::QueuePart& other) { return other.queue == queue; };
    const auto found = std::find_if(part.queues.begin(), part.queues.end(), same);
    if (found != part.queues.end()) { return *found; }
    part.queues.push_back({queue, {}, 0});
    return part.queues.back();
}

// Topics refuse nothing, and reply addresses discard what they cannot take; queues, temporary ones
// too, need room.
bool needs_room(const Route& route) {
    return route.queue != nullptr || (route.name->is_queue && !route.name->is_literal);
}

void reserve(Destinations& home, Part& part) {
    for (Transaction::BufferedSend& send : part.sends) {
        if (!needs_room(send.route)) { continue; }
        const Route::Name& name = *send.route.name;
        const auto queue =
            send.route.queue ? send.route.queue : home.local_queue(name.space + name.key);
        if (!queue) {
            part.error = protocol::Error{
                protocol::ErrorCode::limit_queues,
                "There are too many queues.",
                "Raise limits.queues.",
                "P-TX-04"};
            return cancel(part);
        }
        if (!queue->reserve(1, send.message->size())) {
            part.error = protocol::Error{
                protocol::ErrorCode::queue_full,
                "COMMIT was not applied: the queue " + protocol::quoted(queue->name()) +
                    " has no room for it.",
                "Let its consumers catch up and repeat the transaction.",
                "P-TX-04"};
            return cancel(part);
        }
        Part::QueuePart& into = part_of(part, queue);
        into.messages.push_back(send.message);
        into.bytes += send.message->size();
    }
}

void apply(Destinations& home, Part& part) {
    for (Part::QueuePart& queue : part.queues) {
        queue.queue->push_reserved(queue.messages);
    }
    for (Transaction::BufferedSend& send : part.sends) {
        if (!needs_room(send.route)) { home.publish_for(send.route, send.message, {}); }
    }
}

void finish(const std::shared_ptr<Commit>& commit) {
    if (--commit->missing == 0) { commit->done(commit->error); }
}

void reserved(const std::shared_ptr<Commit>& commit, const Part& part) {
    if (part.error) { commit->error = part.error; }
    if (--commit->missing != 0) { return; }
    commit->missing = commit->parts.size();
    const bool is_good = !commit->error;
    const unsigned asking = commit->router.shard().index();
    for (const auto& entry : commit->parts) {
        commit->router.run_on(
            entry.first,
            [commit, asking, is_good, work = entry.second](Destinations& home) mutable {
                if (is_good) {
                    apply(home, *work);
                } else {
                    cancel(*work);
                }
                home.run_on(asking, [commit = std::move(commit)](Destinations&) {
                    finish(commit);
                });
            }
        );
    }
}

}  // namespace

void commit_sends(Destinations& router, Sends sends, Destinations::Done done) {
    if (sends.empty()) { return done(std::nullopt); }
    const auto commit = std::make_shared<Commit>(Commit{router, {}, std::move(done)});
    for (Transaction::BufferedSend& send : sends) {
        auto& part = commit->parts[send.route.home];
        if (!part) { part = std::make_shared<Part>(); }
        part->sends.push_back(std::move(send));
    }
    commit->missing = commit->parts.size();
    const unsigned asking = router.shard().index();
    for (const auto& entry : commit->parts) {
        // The commit moves along: the session that it holds must not be destroyed on another shard.
        router.run_on(
            entry.first,
            [commit, asking, work = entry.second](Destinations& home) mutable {
                reserve(home, *work);
                home.run_on(
                    asking,
                    [commit = std::move(commit), work = std::move(work)](Destinations&) {
                        reserved(commit, *work);
                    }
                );
            }
        );
    }
}

}  // namespace engine
