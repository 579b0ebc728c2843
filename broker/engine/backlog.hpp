// Messages in order of their sequence, where returned ones go back to their old places (P-ACK-07).
// Not bounded itself: queue and subscription check their limits before each push.
#pragma once

#include "broker/engine/fifo.hpp"
#include "broker/engine/message.hpp"

#include <cstddef>
#include <cstdint>
#include <map>

namespace engine {

class Backlog {
public:
    [[nodiscard]] bool empty() const { return fresh_.empty() && returned_.empty(); }

    [[nodiscard]] std::size_t size() const { return fresh_.size() + returned_.size(); }

    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    /// `delivery.count` is the number of deliveries so far; sequences must rise.
    void push(Delivery delivery) {
        bytes_ += delivery.message->size();
        fresh_.push_back(std::move(delivery));
    }

    void give_back(Delivery delivery) {
        bytes_ += delivery.message->size();
        const std::uint64_t sequence = delivery.sequence;
        returned_.emplace(sequence, std::move(delivery));
    }

    [[nodiscard]] const Delivery& front() {
        return is_returned_first() ? returned_.begin()->second : fresh_.front();
    }

    Delivery pop() {
        Delivery delivery = is_returned_first() ? pop_returned() : fresh_.pop_front();
        bytes_ -= delivery.message->size();
        return delivery;
    }

private:
    [[nodiscard]] bool is_returned_first() {
        if (returned_.empty()) { return false; }
        return fresh_.empty() || returned_.begin()->first < fresh_.front().sequence;
    }

    Delivery pop_returned() { return std::move(returned_.extract(returned_.begin()).mapped()); }

    Fifo<Delivery> fresh_;
    std::map<std::uint64_t, Delivery> returned_;
    std::size_t bytes_ = 0;
};

}  // namespace engine
