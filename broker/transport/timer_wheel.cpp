#include "broker/transport/timer_wheel.hpp"

#include <algorithm>

namespace transport {

Timed::~Timed() {
    unlink();
}

void Timed::unlink() {
    if (previous_ == nullptr || wheel_ == nullptr) { return; }
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
    --wheel_->armed_;
    wheel_ = nullptr;
}

TimerWheel::TimerWheel() {
    for (Head& head : slots_) {
        head.previous_ = head.next_ = &head;
    }
}

TimerWheel::~TimerWheel() {
    for (Head& head : slots_) {
        while (head.next_ != &head) {
            head.next_->unlink();
        }
    }
}

void TimerWheel::link(Timed& timed) {
    const engine::Instant horizon = current_ + tick * static_cast<int>(slots - 1);
    const engine::Instant at = std::clamp(timed.deadline_, current_ + tick, horizon);
    Timed& head = slots_[static_cast<std::size_t>((at + tick - engine::Instant(1)) / tick) % slots];
    timed.previous_ = head.previous_;
    timed.next_ = &head;
    head.previous_->next_ = &timed;
    head.previous_ = &timed;
    timed.wheel_ = this;
    ++armed_;
}

void TimerWheel::arm(Timed& timed, engine::Instant deadline) {
    if (timed.wheel_ != nullptr) {
        if (timed.deadline_ <= deadline) { return; }
        timed.unlink();
    }
    timed.deadline_ = deadline;
    link(timed);
}

void TimerWheel::disarm(Timed& timed) {
    timed.unlink();
}

void TimerWheel::advance(engine::Instant now) {
    if (armed_ == 0) {
        current_ = std::max(current_, now / tick * tick);
        return;
    }
    // A long pause is at most one whole turn of the wheel.
    const engine::Instant start = std::max(current_, now - tick * static_cast<int>(slots));
    for (engine::Instant at = start + tick; at <= now; at += tick) {
        current_ = at / tick * tick;
        Timed& head = slots_[static_cast<std::size_t>(at / tick) % slots];
        // Those due are moved aside first: waking may arm others in this very slot.
        Head due;
        due.previous_ = due.next_ = &due;
        for (Timed* timed = head.next_; timed != &head;) {
            Timed* const next = timed->next_;
            if (timed->deadline_ <= now) {
                timed->previous_->next_ = timed->next_;
                timed->next_->previous_ = timed->previous_;
                timed->previous_ = due.previous_;
                timed->next_ = &due;
                due.previous_->next_ = timed;
                due.previous_ = timed;
            }
            timed = next;
        }
        while (due.next_ != &due) {
            Timed& timed = *due.next_;
            timed.unlink();
            timed.on_deadline();
        }
        due.previous_ = nullptr;
    }
}

}  // namespace transport
