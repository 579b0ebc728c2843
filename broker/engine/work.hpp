// A move-only callable of our own: what is posted from shard to shard.
// Captures up to 96 octets live inside it, so that posting a delivery allocates nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace engine {

class Work {
public:
    Work() = default;

    template <class F>

    requires(!std::is_same_v<std::decay_t<F>, Work>)
        Work(F&& function) {  // NOLINT(google-explicit-constructor): a callable is a Work.
        using Function = std::decay_t<F>;
        if constexpr (sizeof(Function) <= inline_size && std::is_nothrow_move_constructible_v<Function>) {
            ::new (static_cast<void*>(storage_)) Function(std::forward<F>(function));
            operations_ = &operations_of<Function>;
        } else {
            using Box = std::unique_ptr<Function>;
            auto boxed = [box = Box(new Function(std::forward<F>(function)))] { (*box)(); };
            ::new (static_cast<void*>(storage_)) decltype(boxed)(std::move(boxed));
            operations_ = &operations_of<decltype(boxed)>;
        }
    }

    Work(Work&& other) noexcept : operations_(std::exchange(other.operations_, nullptr)) {
        if (operations_ != nullptr) { operations_->move(other.storage_, storage_); }
    }

    Work& operator=(Work&& other) noexcept {
        if (this != &other) {
            this->~Work();
            ::new (static_cast<void*>(this)) Work(std::move(other));
        }
        return *this;
    }

    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

    ~Work() {
        if (operations_ != nullptr) { operations_->destroy(storage_); }
    }

    explicit operator bool() const { return operations_ != nullptr; }

    void operator()() { operations_->call(storage_); }

private:
    static constexpr std::size_t inline_size = 96;

    struct Operations {
        void (*call)(void*);
        void (*move)(void* from, void* to);  ///< Leaves `from` destroyed.
        void (*destroy)(void*);
    };

    template <class F>
    static constexpr Operations operations_of = {
        [](void* at) { (*static_cast<F*>(at))(); },
        [](void* from, void* to) {
            ::new (to) F(std::move(*static_cast<F*>(from)));
            static_cast<F*>(from)->~F();
        },
        [](void* at) { static_cast<F*>(at)->~F(); }};

    const Operations* operations_ = nullptr;
    alignas(std::max_align_t) std::byte storage_[inline_size];
};

}  // namespace engine
