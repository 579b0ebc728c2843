// Queue: looking at what waits without taking it (P-SUB-12).
#include "broker/engine/queue.hpp"
#include "broker/engine/stored_message.hpp"

namespace engine {

namespace {

constexpr std::size_t page_messages = 256;

// Room in one answer.
class Room {
public:
    explicit Room(std::size_t bytes) : bytes_(bytes) {}

    [[nodiscard]] bool takes(const Queue::Page& page, const Message& message) {
        const std::size_t size = message.size();
        if (!page.messages.empty() && (page.messages.size() >= page_messages || size > bytes_)) {
            return false;
        }
        bytes_ -= std::min(bytes_, size);
        return true;
    }

private:
    std::size_t bytes_;
};

}  // namespace

void Queue::browse(std::optional<Place> after, std::size_t bytes_max, Show show) {
    shard_.assert_current();
    const bool is_on_page =
        store_ && store_->has_page() &&
        (!after || after->sequence < ((store_->page().last + 1) << unstored_bits) - 1);
    if (!is_on_page) { return browse_memory(after, bytes_max, show); }
    const storage::SequenceRange range = store_->page();
    const std::uint64_t first = range.first << unstored_bits;
    // What is in memory and older comes first.
    Page page;
    Room room(bytes_max);
    const Place from = after ? Place{after->lane, after->sequence + 1} : Place{};
    backlog_.visit(from, [&](const Delivery& delivery, Place place) {
        if (place.sequence >= first || !room.takes(page, *delivery.message)) { return false; }
        page.messages.push_back(delivery.message);
        page.next = place;
        return true;
    });
    if (!page.messages.empty()) { return show(std::move(page)); }
    storage::Sequence at = range.first;
    if (after) { at = std::max(at, stored_sequence(after->sequence) + 1); }
    auto request = store_->read_request(at, range.last);
    request.messages_max = page_messages;
    request.bytes_max = bytes_max;
    if (request.to < request.from || store_->journal().has_failed()) {
        page.is_end = true;
        return show(std::move(page));
    }
    store_->journal().read(
        request,
        [weak = weak_from_this(),
         show = std::move(show),
         bytes_max](const storage::ReadResult& result) {
            const auto self = weak.lock();
            if (!self) { return; }
            self->shard_.assert_current();
            Page read;
            const std::string_view octets = result.octets;
            for (const auto& stored : result.messages) {
                const std::uint64_t sequence = stored.sequence << unstored_bits;
                auto message = restore_message(octets.substr(stored.offset, stored.size));
                if (!message) { continue; }
                // It may have been read for consumers meanwhile, and even been taken.
                const Place place = self->backlog_.place_of({message, sequence, 0, true});
                if (self->store_->is_on_page(sequence) || self->backlog_.find(place) != nullptr) {
                    read.messages.push_back(std::move(message));
                }
            }
            read.next = Place{0, ((result.next) << unstored_bits) - 1};
            if (!read.messages.empty()) { return show(std::move(read)); }
            self->browse(read.next, bytes_max, show);
        }
    );
}

void Queue::browse_memory(std::optional<Place> after, std::size_t bytes_max, const Show& show) {
    shard_.assert_current();
    Page page;
    Room room(bytes_max);
    Place from;
    if (after) { from = {after->lane, after->sequence + 1}; }
    const auto add = [&](const Delivery& delivery, Place place) {
        if (!room.takes(page, *delivery.message)) { return false; }
        page.messages.push_back(delivery.message);
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
