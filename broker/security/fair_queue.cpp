#include "broker/security/fair_queue.hpp"

#include <algorithm>
#include <utility>

namespace security {

FairQueue::Pushed FairQueue::push(std::string_view address, Standing standing, HashJob job) {
    Pushed pushed;
    if (size_ >= jobs_max_) {
        pushed.displaced = displace(address, standing);
        if (!pushed.displaced) { return pushed; }
    }
    Lines& lines = lines_of(standing);
    auto line = std::ranges::find(lines, address, &Line::address);
    if (line == lines.end()) { line = lines.insert(lines.end(), {std::string(address), {}}); }
    line->jobs.push_back(std::move(job));
    ++size_;
    pushed.is_taken = true;
    return pushed;
}

HashJob FairQueue::pop() {
    Lines& lines = within_.empty() ? over_ : within_;
    if (lines.empty()) { return {}; }
    HashJob job = std::move(lines.front().jobs.front());
    lines.front().jobs.pop_front();
    --size_;
    if (lines.front().jobs.empty()) {
        lines.pop_front();
    } else {
        lines.splice(lines.end(), lines, lines.begin());
    }
    return job;
}

HashJob FairQueue::displace(std::string_view address, Standing standing) {
    const auto jobs_in = [](const Line& line) { return line.jobs.size(); };
    if (standing == Standing::within_budget && !over_.empty()) {
        return take_newest(over_, std::ranges::max_element(over_, {}, jobs_in));
    }
    Lines& lines = lines_of(standing);
    const auto longest = std::ranges::max_element(lines, {}, jobs_in);
    const auto own = std::ranges::find(lines, address, &Line::address);
    const std::size_t own_jobs = own == lines.end() ? 0 : own->jobs.size();
    const bool gives_way = longest != lines.end() && longest->jobs.size() > own_jobs + 1;
    return gives_way ? take_newest(lines, longest) : HashJob();
}

HashJob FairQueue::take_newest(Lines& lines, Lines::iterator line) {
    HashJob job = std::move(line->jobs.back());
    line->jobs.pop_back();
    --size_;
    if (line->jobs.empty()) { lines.erase(line); }
    return job;
}

}  // namespace security
