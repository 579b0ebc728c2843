#include "broker/engine/selector_index.hpp"

#include <algorithm>
#include <cassert>

namespace engine {

namespace {

// With more names than this it is cheaper to look up the message's headers among the names.
constexpr std::size_t names_by_name_max = 8;

template <class ByValue, class Id>
void append_matches(const ByValue& by_value, std::string_view value, std::vector<Id>& out) {
    const auto found = by_value.find(value);
    if (found == by_value.end()) { return; }
    out.insert(out.end(), found->second.begin(), found->second.end());
}

}  // namespace

SelectorIndex::Id SelectorIndex::add(const SelectorRef& selector) {
    const auto known = by_text_.find(selector->text());
    if (known != by_text_.end()) {
        ++slots_[known->second].uses;
        return known->second;
    }
    const Id id = take_slot(selector);
    by_text_.emplace(selector->text(), id);
    enter(id);
    return id;
}

void SelectorIndex::remove(Id id) {
    assert(id < slots_.size() && slots_[id].uses > 0);
    if (--slots_[id].uses > 0) { return; }
    leave(id);
    by_text_.erase(slots_[id].selector->text());
    slots_[id].selector = nullptr;
    free_.push_back(id);
}

SelectorIndex::Id SelectorIndex::take_slot(const SelectorRef& selector) {
    if (free_.empty()) {
        slots_.push_back({selector, 1, 0});
        return static_cast<Id>(slots_.size() - 1);
    }
    const Id id = free_.back();
    free_.pop_back();
    slots_[id] = {selector, 1, 0};
    return id;
}

void SelectorIndex::enter(Id id) {
    Slot& slot = slots_[id];
    if (const auto& equality = slot.selector->equality()) {
        equalities_[equality->name][equality->literal].push_back(id);
        return;
    }
    slot.place = others_.size();
    others_.push_back(id);
}

void SelectorIndex::leave(Id id) {
    const Slot& slot = slots_[id];
    if (const auto& equality = slot.selector->equality()) { return leave_equality(id, *equality); }
    const Id last = others_.back();
    others_[slot.place] = last;
    slots_[last].place = slot.place;
    others_.pop_back();
}

void SelectorIndex::leave_equality(Id id, const Selector::Equality& equality) {
    const auto by_value = equalities_.find(equality.name);
    assert(by_value != equalities_.end());
    const auto ids = by_value->second.find(equality.literal);
    assert(ids != by_value->second.end());
    std::erase(ids->second, id);
    if (ids->second.empty()) { by_value->second.erase(ids); }
    if (by_value->second.empty()) { equalities_.erase(by_value); }
}

void SelectorIndex::match(const Message& message, std::vector<Id>& out) const {
    if (!empty()) { match(MessageHeaders(message), out); }
}

void SelectorIndex::match(const MessageHeaders& headers, std::vector<Id>& out) const {
    if (equalities_.size() <= names_by_name_max) {
        match_names(headers, out);
    } else {
        match_headers(headers, out);
    }
    for (const Id id : others_) {
        if (slots_[id].selector->selects(headers)) { out.push_back(id); }
    }
}

void SelectorIndex::match_names(const MessageHeaders& headers, std::vector<Id>& out) const {
    for (const auto& [name, by_value] : equalities_) {
        if (const auto value = headers.find(name)) { append_matches(by_value, *value, out); }
    }
}

void SelectorIndex::match_headers(const MessageHeaders& headers, std::vector<Id>& out) const {
    for (std::size_t index = 0; index < headers.size(); ++index) {
        const auto by_value = equalities_.find(headers.name(index));
        if (by_value == equalities_.end()) { continue; }
        if (const auto value = headers.value_if_first(index)) {
            append_matches(by_value->second, *value, out);
        }
    }
}

}  // namespace engine
