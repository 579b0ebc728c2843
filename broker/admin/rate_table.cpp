#include "broker/admin/rate_table.hpp"

namespace admin {

void RateTable::note_asked() {
    asked_at_ = post_.shard->now();
    if (is_sampling_) { return; }
    is_sampling_ = true;
    sample();
}

RateTable::Rates RateTable::of(const transport::Connection& connection) const {
    const auto found = samples_.find(connection.session().number());
    return found == samples_.end() ? Rates() : found->second.rates;
}

void RateTable::sample() {
    const engine::Instant now = post_.shard->now();
    const double seconds = std::chrono::duration<double>(now - sampled_at_).count();
    sampled_at_ = now;
    ++round_;
    for (const auto& connection : post_.connections->all()) {
        sample(*connection, seconds);
    }
    std::erase_if(samples_, [this](const auto& entry) { return entry.second.round != round_; });
    post_.shard->after(interval, [self = shared_from_this()] { self->go_on(); });
}

void RateTable::sample(const transport::Connection& connection, double seconds) {
    const std::uint64_t in = connection.messages_in();
    const std::uint64_t out = connection.session().outbox().messages_total();
    const auto [place, is_new] = samples_.try_emplace(connection.session().number());
    Sample& sample = place->second;
    if (!is_new && seconds > 0) {
        sample.rates.in = static_cast<double>(in - sample.in) / seconds;
        sample.rates.out = static_cast<double>(out - sample.out) / seconds;
    }
    sample.in = in;
    sample.out = out;
    sample.round = round_;
}

void RateTable::go_on() {
    if (post_.shard->now() - asked_at_ <= memory) { return sample(); }
    is_sampling_ = false;
    samples_.clear();
}

}  // namespace admin
