#include "broker/admin/scheduled.hpp"

#include "broker/engine/schedule.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace admin {

namespace {

using engine::Destinations;

// Lives on the first shard; others only carry it back there.
struct Listing {
    std::size_t missing = 0;
    std::size_t offset = 0;
    std::size_t limit = 0;
    ScheduledPage page = {};
    Scheduled::TakePage take = {};
};

struct Cancelling {
    std::size_t missing = 0;
    Cancelled outcome = Cancelled::unknown;
    Scheduled::TakeOutcome take = {};
};

void finish(Listing& listing) {
    auto& messages = listing.page.messages;
    std::sort(messages.begin(), messages.end());
    const auto begin = static_cast<std::ptrdiff_t>(std::min(listing.offset, messages.size()));
    messages.erase(messages.begin(), messages.begin() + begin);
    if (messages.size() > listing.limit) { messages.resize(listing.limit); }
    listing.take(std::move(listing.page));
}

void answer(Destinations& there, std::shared_ptr<Cancelling> work, Cancelled outcome) {
    there.run_on(0, [work = std::move(work), outcome](Destinations&) {
        if (outcome != Cancelled::unknown) { work->outcome = outcome; }
        if (--work->missing == 0) { work->take(work->outcome); }
    });
}

void cancel_at(Destinations& there, const std::string& id, std::shared_ptr<Cancelling> work) {
    if (!there.schedule().cancel(id)) { return answer(there, std::move(work), Cancelled::unknown); }
    there.journal().when_stored([&there, work = std::move(work)]() mutable {
        const bool has_failed = there.journal().has_failed();
        answer(there, std::move(work), has_failed ? Cancelled::failed : Cancelled::done);
    });
}

}  // namespace

void Scheduled::list(
    const std::string& destination, std::size_t offset, std::size_t limit, TakePage take
) {
    auto listing = std::make_shared<Listing>();
    listing->missing = shards_;
    listing->offset = offset;
    listing->limit = limit;
    listing->take = std::move(take);
    for (unsigned shard = 0; shard < shards_; ++shard) {
        first_.run_on(
            shard,
            [destination, most = offset + limit, listing](Destinations& there) mutable {
                std::size_t total = 0;
                auto found = there.schedule().list(destination, most, total);
                there.run_on(
                    0,
                    [listing = std::move(listing),
                     found = std::move(found),
                     total](Destinations&) mutable {
                        ScheduledPage& page = listing->page;
                        page.total += total;
                        std::move(found.begin(), found.end(), std::back_inserter(page.messages));
                        if (--listing->missing == 0) { finish(*listing); }
                    }
                );
            }
        );
    }
}

void Scheduled::cancel(const std::string& id, TakeOutcome take) {
    auto work = std::make_shared<Cancelling>();
    work->missing = shards_;
    work->take = std::move(take);
    for (unsigned shard = 0; shard < shards_; ++shard) {
        first_.run_on(shard, [id, work](Destinations& there) mutable {
            cancel_at(there, id, std::move(work));
        });
    }
}

}  // namespace admin
