// Queue: looking at what waits without taking it (P-SUB-12).
#include "broker/engine/queue.hpp"
#include "broker/engine/stored_message.hpp"

#include <algorithm>
#include <map>

namespace engine {

namespace {

// Room in one answer.
class Room {
public:
    explicit Room(Queue::PageBounds bounds) : bounds_(bounds) {}

    [[nodiscard]] bool takes(const Queue::Page& page, const Message& message) {
        const std::size_t size = message.size();
        if (!page.messages.empty() &&
            (page.messages.size() >= bounds_.messages || size > bounds_.bytes)) {
            return false;
        }
        bounds_.bytes -= std::min(bounds_.bytes, size);
        return true;
    }

private:
    Queue::PageBounds bounds_;
};

}  // namespace

void Queue::browse(std::optional<Place> after, PageBounds bounds, Show show) {
    shard_.assert_current();
    const bool has_page = store_ && store_->has_page();
    if (has_page && settings_.is_reordered() && !store_->journal().has_failed()) {
        // Where the order is not that of the store all of it is read first.
        when_loaded_.push_back([this, after, bounds, show = std::move(show)] {
            browse(after, bounds, show);
        });
        return read_page();
    }
    const bool is_on_page =
        has_page && (!after || after->sequence < store_->page().last << unstored_bits);
    if (!is_on_page) { return browse_memory(after, bounds, show); }
    const storage::SequenceRange range = store_->page();
    const std::uint64_t first = range.first << unstored_bits;
    // What is in memory and older comes first.
    Page page;
    Room room(bounds);
    const Place from = after ? Place{after->lane, after->sequence + 1} : Place{};
    backlog_.visit(from, [&](const Delivery& delivery, Place place) {
        if (place.sequence >= first || !room.takes(page, *delivery.message)) { return false; }
        page.messages.push_back({delivery, place});
        page.next = place;
        return true;
    });
    if (!page.messages.empty()) { return show(std::move(page)); }
    const storage::Sequence at = std::max(range.first, stored_sequence(from.sequence));
    auto request = store_->read_request(at, range.last);
    if (request.to < request.from || store_->journal().has_failed()) {
        return browse_memory(Place{0, range.last << unstored_bits}, bounds, show);
    }
    request.messages_max = bounds.messages;
    request.bytes_max = bounds.bytes;
    store_->journal().read(
        request,
        [weak = weak_from_this(),
         show = std::move(show),
         from = from.sequence,
         last = range.last,
         bounds](const storage::ReadResult& result) {
            if (const auto self = weak.lock()) {
                self->show_page(result, from, last, bounds, show);
            }
        }
    );
}

// What was read of the page, from place `from` on, and what memory has of that part: messages that
// are not stored, and those that were read for consumers meanwhile.
void Queue::show_page(
    const storage::ReadResult& result,
    std::uint64_t from,
    storage::Sequence last,
    PageBounds bounds,
    const Show& show
) {
    shard_.assert_current();
    std::map<std::uint64_t, Delivery> found;
    for (const auto& stored : result.messages) {
        const std::uint64_t sequence = stored.sequence << unstored_bits;
        auto message = restore_message(result.record(stored), settings_.policy);
        const bool is_there = message && sequence >= from && store_->is_on_page(sequence);
        if (is_there) {
            found.emplace(
                sequence,
                Delivery{std::move(message), sequence, store_->deliveries_of(stored), true}
            );
        }
    }
    // What follows the page's last message, not stored itself, may be in the tail.
    const std::uint64_t end = std::min(result.next << unstored_bits, (last << unstored_bits) + 1);
    backlog_.visit(Place{0, from}, [&](const Delivery& delivery, Place place) {
        if (place.sequence >= end) { return false; }
        found.emplace(place.sequence, delivery);
        return true;
    });
    Page page;
    Room room(bounds);
    for (auto& [sequence, delivery] : found) {
        if (!room.takes(page, *delivery.message)) { return show(std::move(page)); }
        page.next = Place{0, sequence};
        page.messages.push_back({std::move(delivery), page.next});
    }
    page.next = Place{0, end - 1};
    if (!page.messages.empty()) { return show(std::move(page)); }
    browse(page.next, bounds, show);
}

void Queue::browse_memory(std::optional<Place> after, PageBounds bounds, const Show& show) {
    shard_.assert_current();
    Page page;
    Room room(bounds);
    Place from;
    if (after) { from = {after->lane, after->sequence + 1}; }
    const auto add = [&](const Delivery& delivery, Place place) {
        if (!room.takes(page, *delivery.message)) { return false; }
        page.messages.push_back({delivery, place});
        page.next = place;
        return true;
    };
    bool is_whole = backlog_.visit(from, add);
    if (is_whole && store_) {
        store_->for_each_in_tail([&](const Delivery& delivery) {
            if (!is_whole || delivery.sequence < from.sequence) { return; }
            is_whole = add(delivery, {0, delivery.sequence});
        });
    }
    page.is_end = is_whole;
    show(std::move(page));
}

}  // namespace engine
