// Connection: when nothing is read for a while, and how it goes on (S-RATE-02, S-RATE-04).
#include "broker/transport/connection.hpp"

#include <utility>

namespace transport {

using engine::Instant;
using protocol::ErrorCode;
using protocol::LimitKey;

protocol::Error Connection::short_of_memory() {
    return {
        ErrorCode::overload,
        "The broker is short of memory.",
        "Send again later, more slowly, or let the operator look at limits.memory_alarm_1.",
        "S-RATE-04",
        LimitKey::memory_alarm_1};
}

// Over its rate nothing is read until what is owed is paid; who owes too much is sent away
// (S-RATE-02). False if nothing more is to be read now.
bool Connection::pay_toll(std::size_t octets) {
    const Pace pace = toll_->pay(octets, shard_.options(), shard_.now());
    if (pace.limit == LimitKey::none || phase_ != Phase::open || is_leaving()) { return true; }
    if (pace.is_refused) {
        const std::string key(name_of(pace.limit));
        session_->fail(
            {ErrorCode::rate_limited,
             "More than 5 s of debt to " + key + ".",
             "Send more slowly, or let the operator raise " + key + ".",
             "S-RATE-02",
             pace.limit}
        );
        discard_input();
        return false;
    }
    // Paused for another reason it pays later: the next read finds the debt.
    if (paused_ != Paused::no) { return true; }
    shard_.output().counters.count(pace.limit);
    paused_until_ = shard_.now() + pace.pause;
    pause(Paused::rate);
    return false;
}

// Paused::no has no counter; the others come in the order of PauseReason.
void Connection::unpause() {
    if (paused_ == Paused::no) { return; }
    const std::size_t reason = static_cast<std::size_t>(paused_) - 1;
    --shard_.counters().paused[reason];
    shard_.counters().paused_ms[reason] +=
        static_cast<std::uint64_t>((shard_.now() - paused_at_).count());
    paused_ = Paused::no;
}

void Connection::pause(Paused reason) {
    unpause();
    paused_ = reason;
    ++shard_.counters().paused[static_cast<std::size_t>(reason) - 1];
    paused_at_ = shard_.now();
    const std::span<const char> rest = parser_.take_rest();
    stash_ = std::make_unique<Stash>();
    stash_->stomp.assign(rest.data(), rest.size());
    if (reason == Paused::session) { session_->outbox().mark_dirty(); }
    arm();
}

void Connection::resume() {
    if (phase_ != Phase::open) { return; }
    if (paused_ == Paused::memory) {
        const bool is_congested = shard_.is_store_congested();
        if (is_congested || shard_.memory_alarm() > 0) {
            const Instant paused = shard_.now() - paused_at_;
            if (is_congested || paused < shard_.options().memory_pause_max) { return; }
            session_->fail(short_of_memory());
            return write_output();
        }
        unpause();
    }
    if (paused_ == Paused::rate) {
        if (shard_.now() < paused_until_) { return; }
        unpause();
        if (partial_at_ != Instant(0)) { partial_at_ += shard_.now() - paused_at_; }
    }
    keepalive_.resume(shard_.now());
    if (!resume_stash()) { return; }
    if (toll_ && !pay_toll(0)) { return; }
    on_readable();
}

// Processes what was read before the pause; false if that ended in another.
bool Connection::resume_stash() {
    const std::unique_ptr<Stash> stash = std::move(stash_);
    if (!stash) { return true; }
    if (!stash->stomp.empty() && !process_stomp(stash->stomp)) {
        // Paused again (or closed): what had not been reached yet stays behind it.
        if (stash_) {
            stash_->raw += stash->raw;
        } else if (!stash->raw.empty()) {
            (void)process_web_socket(stash->raw);
        }
        return false;
    }
    if (!stash->raw.empty() && !process_web_socket(stash->raw)) { return false; }
    note_partial(stash->stomp.size() + stash->raw.size());
    return true;
}

}  // namespace transport
