#include "broker/engine/retained.hpp"

#include "broker/engine/record_store.hpp"
#include "broker/engine/refusals.hpp"
#include "broker/engine/send_head.hpp"
#include "broker/engine/stored_message.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

namespace engine {

namespace {

constexpr std::chrono::seconds sweep_interval{60};

// The literal octets that every name begins with that `key` matches.
std::string_view literal_start(const protocol::Pattern& pattern) {
    const std::string_view key = pattern.destination.key;
    for (const std::string_view level : protocol::split_levels(key, pattern.separator)) {
        if (protocol::level_kind(level) == protocol::LevelKind::literal) { continue; }
        const auto at = static_cast<std::size_t>(level.data() - key.data());
        // `a/#` matches `a`, too.
        return key.substr(0, at == 0 ? 0 : at - 1);
    }
    return key;
}

}  // namespace

Retain retain_asked_by(const Message& message) {
    const std::string_view value = message.find("retain");
    if (value.empty()) { return Retain::none; }
    return value == "remove" ? Retain::remove : Retain::set;
}

Retained::Retained(Shard& shard, Journal& journal, Counters& counters, std::size_t messages_max)
    : shard_(shard),
      journal_(journal),
      counters_(counters),
      alive_(std::make_shared<char>()),
      messages_max_(messages_max) {}

std::optional<protocol::Error> Retained::refusal(const std::string& topic, const Message& message)
    const {
    shard_.assert_current();
    if (kept_.size() + reserved_ >= messages_max_ && !kept_.contains(topic)) {
        return protocol::Error{
            protocol::ErrorCode::limit_queues,
            "The broker keeps as many retained messages as it may.",
            "Remove some with retain:remove, or raise limits.retained.",
            "P-LIM-01",
            protocol::LimitKey::retained};
    }
    const bool is_stored = journal_.has_store() && message.is_persistent();
    if (is_stored && !journal_.accepts_appends()) { return no_appends(journal_); }
    return std::nullopt;
}

MessageRef Retained::marked(const Message& message) {
    constexpr std::array<protocol::Header, 1> mark = {{{"retained", "true"}}};
    return remade(message, mark, message.facts().expires);
}

void Retained::store(const std::string& topic, const MessageRef& copy) {
    shard_.assert_current();
    if (!journal_.has_store()) { return; }
    const bool is_stored = copy && copy->is_persistent();
    if (!is_stored) {
        const auto found = kept_.find(topic);
        if (found == kept_.end() || found->second.queue == 0) { return; }
        journal_.batch().drop({std::exchange(found->second.queue, 0)});
        found->second.stored.reset();
        return;
    }
    Kept& kept = kept_[topic];
    const bool is_new = kept.queue == 0;
    if (is_new) {
        kept.queue = journal_.new_queue_id();
        kept.last = 0;
        journal_.batch().define({kept.queue, definition_of(retained_kind, topic)});
    }
    journal_.batch().append({kept.queue, kept.last + 1, copy->whole(), copy});
    if (!is_new) { journal_.batch().remove({kept.queue, {kept.last, kept.last}, kept.bytes}); }
    ++kept.last;
    kept.bytes = copy->size();
    kept.stored = copy;
}

void Retained::show(const std::string& topic, const MessageRef& copy) {
    shard_.assert_current();
    if (copy) {
        kept_[topic].message = copy;
        if (copy->facts().expires != 0) { schedule_sweep(); }
        return;
    }
    const auto found = kept_.find(topic);
    if (found == kept_.end()) { return; }
    found->second.message.reset();
    if (found->second.queue == 0) { kept_.erase(found); }
}

void Retained::forget(ByTopic::iterator entry) {
    shard_.assert_current();
    ++counters_.messages_expired;
    Kept& kept = entry->second;
    const MessageRef message = std::exchange(kept.message, nullptr);
    // One that is stored and not shown yet stays.
    if (kept.queue != 0 && kept.stored != message) { return; }
    if (kept.queue != 0) { journal_.batch().drop({kept.queue}); }
    kept_.erase(entry);
}

MessageRef Retained::find(const std::string& topic) {
    shard_.assert_current();
    const auto found = kept_.find(topic);
    if (found == kept_.end() || !found->second.message) { return nullptr; }
    if (!found->second.message->is_expired_by(shard_)) { return found->second.message; }
    forget(found);
    return nullptr;
}

std::vector<MessageRef> Retained::find(const protocol::Pattern& pattern) {
    shard_.assert_current();
    std::vector<MessageRef> found;
    const std::string_view space = pattern.destination.space;
    const std::string start = std::string(space).append(literal_start(pattern));
    for (auto entry = kept_.lower_bound(start); entry != kept_.end();) {
        const auto& [topic, kept] = *entry;
        if (!topic.starts_with(start)) { break; }
        const std::string_view key = std::string_view(topic).substr(space.size());
        const auto next = std::next(entry);
        if (kept.message && matches(pattern.destination.key, pattern.separator, key)) {
            if (kept.message->is_expired_by(shard_)) {
                forget(entry);
            } else {
                found.push_back(kept.message);
            }
        }
        entry = next;
    }
    return found;
}

void Retained::restore(const std::string& topic, const storage::RecoveredQueue& recovered) {
    shard_.assert_current();
    if (recovered.messages == 0) { return journal_.batch().drop({recovered.id}); }
    Kept& kept = kept_[topic];
    kept.queue = recovered.id;
    kept.last = recovered.last;
    kept.bytes = recovered.bytes;
    ++loading_;
    storage::ReadRequest request;
    request.queue = recovered.id;
    request.from = recovered.last;
    request.to = recovered.last;
    journal_.read(request, [this, topic](const storage::ReadResult& result) {
        loaded(topic, result);
    });
}

void Retained::loaded(const std::string& topic, const storage::ReadResult& result) {
    shard_.assert_current();
    const auto found = kept_.find(topic);
    MessageRef message;
    if (!result.messages.empty()) {
        const storage::ReadResult::Stored& stored = result.messages.front();
        message = restore_message(result.record(stored));
        // Another one may have come meanwhile.
        const bool is_it = found != kept_.end() && found->second.last == stored.sequence;
        if (message && is_it && !found->second.stored) {
            found->second.stored = message;
            show(topic, message);
        }
    }
    if (!message) { ++counters_.messages_damaged; }
    if (--loading_ != 0) { return; }
    for (Work& work : std::exchange(waiting_, {})) {
        work();
    }
}

void Retained::when_loaded(Work work) {
    if (loading_ == 0) { return work(); }
    waiting_.push_back(std::move(work));
}

void Retained::schedule_sweep() {
    if (is_sweep_scheduled_) { return; }
    is_sweep_scheduled_ = true;
    shard_.after(sweep_interval, [this, alive = std::weak_ptr<char>(alive_)] {
        if (!alive.expired()) { sweep(); }
    });
}

// Expired ones go although nobody asks for them (P-QOS-02).
void Retained::sweep() {
    shard_.assert_current();
    is_sweep_scheduled_ = false;
    bool may_expire = false;
    for (auto entry = kept_.begin(); entry != kept_.end();) {
        const auto next = std::next(entry);
        const MessageRef message = entry->second.message;
        if (message && message->is_expired_by(shard_)) {
            forget(entry);
        } else if (message && message->facts().expires != 0) {
            may_expire = true;
        }
        entry = next;
    }
    if (may_expire) { schedule_sweep(); }
}

}  // namespace engine
