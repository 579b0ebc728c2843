#include "broker/transport/refusal_record.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace transport {

namespace {

void cut(std::string& text, std::size_t most) {
    if (text.size() <= most) { return; }
    text.resize(protocol::cut_utf8(text, most).size());
    text.shrink_to_fit();
}

}  // namespace

void keep_newest(std::vector<PastRefusal>& refusals, std::size_t most) {
    std::ranges::stable_sort(refusals, std::greater(), &PastRefusal::at);
    if (refusals.size() > most) { refusals.resize(most); }
}

void RefusalRecord::add(Client client, PastRefusal refusal) {
    cut(refusal.message, limits_.text);
    cut(refusal.destination, limits_.text);
    const auto found = std::ranges::find(entries_, client, &Entry::client);
    if (found != entries_.end()) {
        entries_.splice(entries_.begin(), entries_, found);
    } else {
        if (entries_.size() == limits_.clients) { entries_.pop_back(); }
        entries_.push_front({std::move(client), {}});
    }
    std::vector<PastRefusal>& refusals = entries_.front().refusals;
    if (refusals.size() == limits_.each) { refusals.pop_back(); }
    refusals.insert(refusals.begin(), std::move(refusal));
}

std::vector<PastRefusal> RefusalRecord::of(const Client& client) const {
    const auto found = std::ranges::find(entries_, client, &Entry::client);
    return found == entries_.end() ? std::vector<PastRefusal>() : found->refusals;
}

std::optional<PastRefusal> RefusalRecord::of_connection(std::string_view name) const {
    for (const Entry& entry : entries_) {
        const auto found = std::ranges::find(entry.refusals, name, &PastRefusal::connection);
        if (found != entry.refusals.end()) { return *found; }
    }
    return std::nullopt;
}

}  // namespace transport
