// First-in first-out over one vector: an empty one owns no memory, unlike std::deque.
// Not bounded itself: its owner checks its limit before each push.
#pragma once

#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace engine {

template <class T>
class Fifo {
public:
    [[nodiscard]] bool empty() const { return first_ == items_.size(); }

    [[nodiscard]] std::size_t size() const { return items_.size() - first_; }

    [[nodiscard]] T& front() { return items_[first_]; }

    [[nodiscard]] T& operator[](std::size_t i) { return items_[first_ + i]; }

    [[nodiscard]] const T& operator[](std::size_t i) const { return items_[first_ + i]; }

    [[nodiscard]] T& back() { return items_.back(); }

    void push_back(T item) { items_.push_back(std::move(item)); }

    T pop_front() {
        assert(!empty());
        T item = std::move(items_[first_++]);
        if (first_ == items_.size()) {
            items_.clear();
            first_ = 0;
            if (items_.capacity() > kept_capacity) { std::vector<T>().swap(items_); }
        } else if (first_ >= 64 && first_ * 2 >= items_.size()) {
            items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
        return item;
    }

    void pop_back() {
        items_.pop_back();
        if (first_ == items_.size()) {
            items_.clear();
            first_ = 0;
        }
    }

    /// Everything, leaving the Fifo empty.
    [[nodiscard]] std::vector<T> take_all() {
        items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
        return std::exchange(items_, {});
    }

    /// Gives back the memory of an empty Fifo.
    void idle() {
        if (items_.empty()) { std::vector<T>().swap(items_); }
    }

private:
    static constexpr std::size_t kept_capacity =
        1024;  // Of a busy connection; idle() gives it back.

    std::vector<T> items_;
    std::size_t first_ = 0;
};

}  // namespace engine
