// Reference-counted runs of encoded octets, shared by the connections of one shard.
// Not thread-safe: a block never leaves its shard. The pool keeps a bounded number of free blocks.
#pragma once

#include "broker/engine/counters.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

namespace engine {

class BlockPool;

struct Block {
    BlockPool* pool;
    std::uint32_t references;
    std::uint32_t size;
    std::uint32_t capacity;

    [[nodiscard]] char* data() { return reinterpret_cast<char*>(this + 1); }

    [[nodiscard]] std::uint32_t room() const { return capacity - size; }
};

class BlockPool {
public:
    static constexpr std::uint32_t small = 4 * 1024 - sizeof(Block);
    static constexpr std::uint32_t standard = 32 * 1024 - sizeof(Block);

    BlockPool() = default;
    BlockPool(const BlockPool&) = delete;
    BlockPool& operator=(const BlockPool&) = delete;

    ~BlockPool() {
        for (Block* block : free_small_) {
            std::free(block);
        }
        for (Block* block : free_standard_) {
            std::free(block);
        }
    }

    /// A block with room for at least `octets`: small, standard, or made to measure.
    [[nodiscard]] Block* take(std::size_t octets) {
        if (octets <= small) { return take_from(free_small_, small); }
        if (octets <= standard) { return take_from(free_standard_, standard); }
        return make(static_cast<std::uint32_t>(octets));
    }

    void give_back(Block* block) {
        account(-static_cast<std::int64_t>(block->capacity));
        if (block->capacity == small && free_small_.size() < free_max * 4) {
            free_small_.push_back(block);
        } else if (block->capacity == standard && free_standard_.size() < free_max) {
            free_standard_.push_back(block);
        } else {
            std::free(block);
        }
    }

private:
    static constexpr std::size_t free_max = 64;  // 2 MiB of standard blocks, 0.5 MiB of small ones.

    Block* take_from(std::vector<Block*>& free, std::uint32_t capacity) {
        if (free.empty()) { return make(capacity); }
        Block* const block = free.back();
        free.pop_back();
        block->references = 0;
        block->size = 0;
        account(block->capacity);
        return block;
    }

    Block* make(std::uint32_t capacity) {
        void* const memory = std::malloc(sizeof(Block) + capacity);
        if (memory == nullptr) { throw std::bad_alloc(); }
        account(capacity);
        return ::new (memory) Block{this, 0, 0, capacity};
    }

    std::vector<Block*> free_small_;
    std::vector<Block*> free_standard_;
};

class BlockRef {
public:
    BlockRef() = default;

    explicit BlockRef(Block* block) : block_(block) {
        if (block_ != nullptr) { ++block_->references; }
    }

    BlockRef(const BlockRef& other) : BlockRef(other.block_) {}

    BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}

    BlockRef& operator=(BlockRef other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }

    ~BlockRef() {
        if (block_ != nullptr && --block_->references == 0) { block_->pool->give_back(block_); }
    }

    explicit operator bool() const { return block_ != nullptr; }

    Block* operator->() const { return block_; }

    [[nodiscard]] Block* get() const { return block_; }

private:
    Block* block_ = nullptr;
};

}  // namespace engine
