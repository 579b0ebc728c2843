// Reads page by page and compares with what the queue's intervals say.
// Limits: pages of 4,096 messages and about 4 MiB.
#include "storage/queue_scan.hpp"

#include "storage/read_messages.hpp"

#include <algorithm>
#include <cstddef>

namespace storage {
namespace {

constexpr std::size_t page_messages = 4096;
constexpr std::size_t page_bytes = 4 * 1024 * 1024;

/// Tells rising sequences that have left from those that have not.
class Holes {
public:
    explicit Holes(const std::vector<SequenceRange>& holes)
        : next_(holes.begin()), end_(holes.end()) {}

    bool contain(Sequence sequence) {
        while (next_ != end_ && next_->last < sequence) {
            ++next_;
        }
        return next_ != end_ && next_->first <= sequence;
    }

private:
    std::vector<SequenceRange>::const_iterator next_;
    std::vector<SequenceRange>::const_iterator end_;
};

/// Every sequence that `page` looked at: there, damaged, or missing.
void visit_page(Sequence from, const ReadResult& page, Holes& holes, const ScanVisit& visit) {
    auto found = page.messages.begin();
    auto damaged = page.damaged.begin();
    for (Sequence sequence = from; sequence < page.next; ++sequence) {
        const bool is_found = found != page.messages.end() && found->sequence == sequence;
        const bool is_damaged = damaged != page.damaged.end() && *damaged == sequence;
        const auto message = found;
        if (is_found) { ++found; }
        if (is_damaged) { ++damaged; }
        if (holes.contain(sequence)) { continue; }
        if (is_found) {
            const auto octets =
                std::string_view(page.octets).substr(message->offset, message->size);
            visit({sequence, message->deliveries, octets, false}, nullptr);
        } else {
            const char* const wrong =
                is_damaged ? "the record is damaged" : "the record is missing";
            visit({sequence, 0, {}, true}, wrong);
        }
    }
}

}  // namespace

void scan_queue(const Database& database, const RecoveredQueue& queue, const ScanVisit& visit) {
    Holes holes(queue.holes);
    Sequence from = queue.first;
    while (from <= queue.last) {
        const ReadResult page =
            read_messages(database, {0, queue.id, from, queue.last, page_messages, page_bytes});
        visit_page(from, page, holes, visit);
        from = page.next;
    }
}

}  // namespace storage
