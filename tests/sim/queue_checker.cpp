#include "tests/sim/queue_checker.hpp"

#include <algorithm>
#include <iterator>

namespace sim {

std::string QueueChecker::describe(Number number) const {
    return "message " + std::to_string(number) + " to " + messages_[number].item.queue;
}

QueueChecker::Number QueueChecker::sent(Item item) {
    Message message;
    message.made = message.epoch = queues_[item.queue].epoch;
    message.item = std::move(item);
    messages_.push_back(std::move(message));
    return messages_.size() - 1;
}

void QueueChecker::subscribed(Consumer who, std::string queue, std::string kind) {
    Member member;
    member.queue = std::move(queue);
    member.kind = std::move(kind);
    members_[who] = std::move(member);
}

// What was on its way to somebody who leaves comes back, sooner or later, and may have been
// counted.
void QueueChecker::disturb(const std::string& queue) {
    Queue& disturbed = queues_[queue];
    disturbed.is_disturbed = true;
    ++disturbed.epoch;
    disturbed.owners.clear();
}

void QueueChecker::closed(Consumer who) {
    members_[who].is_closed = true;
    disturb(members_[who].queue);
}

void QueueChecker::left(Consumer who) {
    closed(who);
    members_[who].holds.clear();
}

void QueueChecker::received(Number number, Consumer who, unsigned count, std::int64_t now) {
    Message& message = messages_[number];
    const Item& item = message.item;
    const Queue& queue = queues_[item.queue];
    Member& member = members_[who];
    if (item.expires != 0 && now >= item.expires) { fails(describe(number) + " had expired"); }
    if (message.is_settled) { fails(describe(number) + " came after it was settled"); }
    if (!member.kind.empty() && member.kind != item.kind) {
        fails(describe(number) + " was not selected");
    }
    const bool is_undisturbed = message.epoch == queue.epoch;
    if (is_undisturbed && count != message.count + 1) {
        fails(
            describe(number) + " came as delivery " + std::to_string(count) + " after " +
            std::to_string(message.count)
        );
    }
    if (count <= message.count) { fails(describe(number) + " came twice as the same delivery"); }
    const auto until = message.until.find(count);
    if (until != message.until.end() && now < until->second) {
        fails(describe(number) + " came before its delay was over");
    }
    check_group(message, who);
    if (count == 1) { check_order(number, member); }
    message.is_fresh = !message.is_seen && count == 1;
    message.is_seen = true;
    message.count = count;
    message.epoch = queue.epoch;
    message.times[count] = now;
    member.holds.insert(number);
}

void QueueChecker::check_group(const Message& message, Consumer who) {
    const Item& item = message.item;
    if (item.group.empty()) { return; }
    const auto number = static_cast<Number>(&message - messages_.data());
    for (const auto& [other, member] : members_) {
        const bool holds = std::any_of(member.holds.begin(), member.holds.end(), [&](Number held) {
            const Item& one = messages_[held].item;
            return one.queue == item.queue && one.group == item.group;
        });
        if (other != who && holds) {
            fails(describe(number) + " came while another consumer held its group");
        }
    }
    Queue& queue = queues_[item.queue];
    const auto owner = queue.owners.emplace(item.group, who).first;
    if (owner->second != who && !queue.is_disturbed) {
        fails(describe(number) + " left the consumer of its group");
    }
    owner->second = who;
}

// What one publisher sent reaches each consumer in order, but for other priorities and groups.
void QueueChecker::check_order(Number number, Member& member) {
    const Message& message = messages_[number];
    const Queue& queue = queues_[message.item.queue];
    const std::pair stream(message.item.publisher, message.item.group);
    const auto last = member.last.find(stream);
    const bool is_comparable =
        !queue.is_disturbed && last != member.last.end() && last->second.second == queue.epoch;
    if (is_comparable && number < last->second.first &&
        message.item.priority == messages_[last->second.first].item.priority) {
        fails(describe(number) + " came out of order");
    }
    member.last[stream] = {number, queue.epoch};
}

void QueueChecker::give_up(Number number, Consumer who) {
    members_[who].holds.erase(number);
}

void QueueChecker::settled(Number number, Consumer who) {
    messages_[number].is_settled = true;
    give_up(number, who);
}

void QueueChecker::returned(Number number, Consumer who) {
    give_up(number, who);
}

void QueueChecker::put_off(Number number, unsigned count, std::int64_t until) {
    Message& message = messages_[number];
    message.until[count + 1] = until;
    const auto came = message.times.find(count + 1);
    if (came != message.times.end() && came->second < until) {
        fails(describe(number) + " came before its delay was over");
    }
}

bool QueueChecker::is_waiting(const Message& message, std::int64_t now) const {
    const bool is_expired = message.item.expires != 0 && message.item.expires <= now;
    return message.is_accepted && !message.is_seen && !message.is_drained && !is_expired &&
           !message.item.is_droppable;
}

void QueueChecker::rest(std::int64_t now, std::set<Consumer> idle) {
    std::set<Consumer> both;
    std::set_intersection(
        idle.begin(), idle.end(), idle_.begin(), idle_.end(), std::inserter(both, both.end())
    );
    for (Number number = 0; number < messages_.size(); ++number) {
        const bool waits = messages_[number].has_waited && is_waiting(messages_[number], now);
        if (waits) { check_starving(number, both); }
    }
    for (auto& [name, queue] : queues_) {
        if (!queue.is_disturbed) { check_priorities(name); }
    }
    for (Message& message : messages_) {
        message.has_waited = is_waiting(message, now);
        message.is_fresh = false;
    }
    for (auto& [name, queue] : queues_) {
        if (!std::exchange(queue.is_disturbed, false)) { continue; }
        ++queue.epoch;
        queue.owners.clear();
    }
    idle_ = std::move(idle);
}

// Somebody who could have had it has had nothing to do all the time.
void QueueChecker::check_starving(Number number, const std::set<Consumer>& idle) {
    const Item& item = messages_[number].item;
    if (!item.group.empty()) { return; }
    for (const Consumer who : idle) {
        const Member& member = members_[who];
        const bool is_wanted = member.kind.empty() || member.kind == item.kind;
        if (member.queue == item.queue && !member.is_closed && is_wanted) {
            return fails(describe(number) + " waits for a consumer that is idle");
        }
    }
}

// What has waited from rest to rest was overtaken by all that was seen in between.
void QueueChecker::check_priorities(const std::string& queue) {
    const Message* waiting = nullptr;
    for (const Message& message : messages_) {
        const bool waits = message.item.queue == queue && message.has_waited && !message.is_seen &&
                           message.item.expires == 0;
        if (!waits) { continue; }
        if (waiting == nullptr || message.item.priority > waiting->item.priority) {
            waiting = &message;
        }
    }
    if (waiting == nullptr) { return; }
    for (const Message& message : messages_) {
        const bool is_lower = message.item.queue == queue && message.is_fresh &&
                              message.item.priority < waiting->item.priority;
        if (is_lower) {
            fails(
                describe(static_cast<Number>(waiting - messages_.data())) +
                " was overtaken by a lower priority"
            );
        }
    }
}

void QueueChecker::drained(Number number, std::int64_t now) {
    Message& message = messages_[number];
    if (message.is_drained) { fails(describe(number) + " is there twice"); }
    if (message.is_settled) { fails(describe(number) + " is there though it was settled"); }
    if (message.item.expires != 0 && now >= message.item.expires) {
        fails(describe(number) + " had expired");
    }
    message.is_drained = true;
}

void QueueChecker::check_drops() {
    for (Number number = 0; number < messages_.size(); ++number) {
        const Message& message = messages_[number];
        const bool is_dropped = message.item.is_droppable && message.is_accepted &&
                                !message.is_seen && !message.is_drained;
        if (!is_dropped) { continue; }
        for (Number older = 0; older < number; ++older) {
            const Message& other = messages_[older];
            const bool has_stayed = other.item.queue == message.item.queue &&
                                    other.item.publisher == message.item.publisher &&
                                    other.is_drained && !other.is_seen &&
                                    other.made == queues_[other.item.queue].epoch;
            if (has_stayed) { fails(describe(number) + " was dropped before an older one"); }
        }
    }
}

void QueueChecker::finish(std::int64_t now) {
    check_drops();
    for (Number number = 0; number < messages_.size(); ++number) {
        const Message& message = messages_[number];
        const bool is_expired = message.item.expires != 0 && message.item.expires <= now;
        const bool is_somewhere = message.is_settled || message.is_drained;
        const bool may_be_gone = !message.is_accepted || message.item.is_droppable || is_expired;
        if (!is_somewhere && !may_be_gone) { fails(describe(number) + " is lost"); }
    }
}

}  // namespace sim
