#include "tests/sim/wish_checker.hpp"

#include <algorithm>

namespace sim {

std::string WishChecker::describe(Number number) const {
    const Wish& wish = wishes_[number];
    return "message " + std::to_string(number) + " to " + wish.destination;
}

WishChecker::Number WishChecker::sent(Wish wish) {
    wishes_.push_back(std::move(wish));
    return wishes_.size() - 1;
}

// One of all that have the same id is a message; the others are not (P-QOS-06).
void WishChecker::check_duplicate(Number number) {
    const Wish& wish = wishes_[number];
    if (wish.dedup_id.empty()) { return; }
    const auto first = firsts_.emplace(std::pair(wish.destination, wish.dedup_id), number).first;
    if (first->second != number) { fails(describe(number) + " is a duplicate and was delivered"); }
}

void WishChecker::received(Number number, Subscriber who, std::int64_t now) {
    const Wish& wish = wishes_[number];
    seen_.insert(number);
    check_duplicate(number);
    if (wish.expires != 0 && now >= wish.expires) { fails(describe(number) + " had expired"); }
    if (now < wish.due) { fails(describe(number) + " came before it was due"); }
    if (settled_.contains(number)) { fails(describe(number) + " came after it was settled"); }
    const auto kind = kinds_.find(who);
    if (kind != kinds_.end() && !kind->second.empty() && kind->second != wish.kind) {
        fails(describe(number) + " was not selected");
    }
    if (wish.group.empty()) { return; }
    auto& holders = held_[wish.destination + " " + wish.group];
    for (const auto& [other, numbers] : holders) {
        if (other != who && !numbers.empty()) {
            fails(describe(number) + " came while another consumer held its group");
        }
    }
    holders[who].insert(number);
}

void WishChecker::settled(Number number, Subscriber who) {
    settled_or_not(number, who, true);
}

void WishChecker::settled_or_not(Number number, Subscriber who, bool is_settled) {
    if (is_settled) { settled_.insert(number); }
    const Wish& wish = wishes_[number];
    if (wish.group.empty()) { return; }
    auto& numbers = held_[wish.destination + " " + wish.group][who];
    const auto found = numbers.find(number);
    if (found != numbers.end()) { numbers.erase(found); }
}

void WishChecker::left(Subscriber who) {
    for (auto& [group, holders] : held_) {
        holders.erase(who);
    }
}

void WishChecker::drained(const std::vector<Number>& numbers, bool is_ranked, std::size_t bound) {
    if (bound != 0 && numbers.size() > bound) {
        fails(
            std::to_string(numbers.size()) + " messages waited in a queue for " +
            std::to_string(bound)
        );
    }
    std::map<std::pair<unsigned, int>, Number> last;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const Wish& wish = wishes_[numbers[i]];
        seen_.insert(numbers[i]);
        check_duplicate(numbers[i]);
        if (settled_.contains(numbers[i])) { fails(describe(numbers[i]) + " was settled before"); }
        settled_.insert(numbers[i]);
        if (is_ranked && i != 0 && wishes_[numbers[i - 1]].priority < wish.priority) {
            fails(describe(numbers[i]) + " left after one of lower priority");
        }
        const auto before =
            last.emplace(std::pair(wish.publisher, is_ranked ? wish.priority : 0), numbers[i]);
        const bool is_plain = wish.due == 0;
        if (is_plain && !before.second && before.first->second > numbers[i]) {
            fails(describe(numbers[i]) + " left out of order");
        }
        if (is_plain) { before.first->second = numbers[i]; }
    }
}

void WishChecker::replayed(Subscriber who, std::uint64_t offset, Number number) {
    const auto here = history_.emplace(offset, number).first;
    if (here->second != number) { fails("offset " + std::to_string(offset) + " is two messages"); }
    const auto before = offsets_.find(who);
    if (before != offsets_.end() && offset != before->second + 1) {
        fails("offset " + std::to_string(offset) + " came after " + std::to_string(before->second));
    }
    offsets_[who] = offset;
    seen_.insert(number);
}

void WishChecker::replay_ended(Subscriber who, std::uint64_t last) {
    const auto at = offsets_.find(who);
    if (at != offsets_.end() && at->second != last) {
        fails(
            "a subscriber ended at offset " + std::to_string(at->second) + " of " +
            std::to_string(last)
        );
    }
}

void WishChecker::counted(Subscriber who, std::uint64_t count, bool is_retained) {
    const auto before = counts_.find(who);
    if (is_retained && before != counts_.end()) {
        fails("a retained message came after others of its topic");
    }
    if (before != counts_.end() && count != before->second + 1) {
        fails(std::to_string(count) + " came after " + std::to_string(before->second));
    }
    counts_[who] = count;
}

void WishChecker::count_ended(Subscriber who, std::uint64_t last) {
    const auto at = counts_.find(who);
    const std::uint64_t count = at == counts_.end() ? 0 : at->second;
    if (count != last) {
        fails("a subscriber ended at " + std::to_string(count) + " of " + std::to_string(last));
    }
}

void WishChecker::finish(std::int64_t now) {
    for (Number number = 0; number < wishes_.size(); ++number) {
        const Wish& wish = wishes_[number];
        const bool may_be_gone = !wish.is_accepted || wish.is_droppable || !wish.dedup_id.empty() ||
                                 (wish.expires != 0 && wish.expires <= now);
        if (!may_be_gone && !seen_.contains(number)) { fails(describe(number) + " is lost"); }
        if (wish.is_accepted && !wish.dedup_id.empty() &&
            !firsts_.contains({wish.destination, wish.dedup_id})) {
            fails(describe(number) + " and its duplicates are lost");
        }
    }
}

}  // namespace sim
