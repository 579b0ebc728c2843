#include "broker/engine/deliveries.hpp"

#include <algorithm>
#include <cassert>

namespace engine {

std::uint64_t Deliveries::add(Subscription& subscription, const Delivery& delivery) {
    squeeze();
    records_.push_back({++last_number_, &subscription, delivery});
    ++live_;
    return last_number_;
}

Outstanding* Deliveries::find(std::uint64_t number) {
    if (first_ == records_.size() || number < records_[first_].number) { return nullptr; }
    // Without squeezed gaps the number is the index.
    const std::uint64_t guess = number - records_[first_].number;
    if (guess < records_.size() - first_) {
        Outstanding& record = records_[first_ + guess];
        if (record.number == number) { return record.subscription != nullptr ? &record : nullptr; }
    }
    const auto is_before = [](const Outstanding& record, std::uint64_t wanted) {
        return record.number < wanted;
    };
    const auto begin = records_.begin() + static_cast<std::ptrdiff_t>(first_);
    const auto found = std::lower_bound(begin, records_.end(), number, is_before);
    if (found == records_.end() || found->number != number || found->subscription == nullptr) {
        return nullptr;
    }
    return &*found;
}

std::vector<std::uint64_t> Deliveries::outstanding_up_to(
    std::uint64_t number, const Subscription& subscription
) {
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = first_; i < records_.size() && records_[i].number <= number; ++i) {
        const Outstanding& record = records_[i];
        if (record.subscription == &subscription && record.transaction == 0) {
            numbers.push_back(record.number);
        }
    }
    return numbers;
}

Delivery Deliveries::remove(std::uint64_t number) {
    Outstanding* const record = find(number);
    assert(record != nullptr);
    record->subscription = nullptr;
    --live_;
    Delivery delivery = std::move(record->delivery);
    while (first_ < records_.size() && records_[first_].subscription == nullptr) {
        ++first_;
    }
    if (first_ == records_.size()) {
        records_.clear();
        first_ = 0;
        if (records_.capacity() > 1024) { std::vector<Outstanding>().swap(records_); }
    }
    return delivery;
}

std::vector<Delivery> Deliveries::remove_all_of(
    const Subscription& subscription, std::uint64_t sent
) {
    std::vector<Delivery> deliveries;
    for (std::size_t i = first_; i < records_.size(); ++i) {
        Outstanding& record = records_[i];
        const bool is_its = record.subscription == &subscription && record.transaction == 0;
        if (!is_its || record.end <= sent) { continue; }
        record.subscription = nullptr;
        --live_;
        deliveries.push_back(std::move(record.delivery));
    }
    return deliveries;
}

bool Deliveries::has(const Subscription& subscription) const {
    const auto is_its = [&](const Outstanding& record) {
        return record.subscription == &subscription;
    };
    return std::any_of(
        records_.begin() + static_cast<std::ptrdiff_t>(first_), records_.end(), is_its
    );
}

// Gaps never outnumber the live records by more than a few.
void Deliveries::squeeze() {
    if (records_.size() - live_ <= live_ + 256) { return; }
    std::erase_if(records_, [](const Outstanding& record) {
        return record.subscription == nullptr;
    });
    first_ = 0;
}

}  // namespace engine
