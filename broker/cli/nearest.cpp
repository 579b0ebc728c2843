// A slip of the hand changes one place of a word: what is before and behind it stays.
#include "broker/cli/nearest.hpp"

#include <algorithm>

namespace cli {
namespace {

constexpr std::size_t stem_min = 3;

std::size_t common_begin(std::string_view a, std::string_view b) {
    const std::size_t size = std::min(a.size(), b.size());
    std::size_t count = 0;
    while (count < size && a[count] == b[count]) {
        ++count;
    }
    return count;
}

std::size_t common_end(std::string_view a, std::string_view b) {
    const std::size_t size = std::min(a.size(), b.size());
    std::size_t count = 0;
    while (count < size && a[a.size() - 1 - count] == b[b.size() - 1 - count]) {
        ++count;
    }
    return count;
}

/// How long the stretch is in which the longer of the two differs.
std::size_t changed(std::string_view a, std::string_view b) {
    const std::size_t begin = common_begin(a, b);
    const std::size_t end = common_end(a.substr(begin), b.substr(begin));
    return std::max(a.size(), b.size()) - begin - end;
}

bool is_form_of(std::string_view a, std::string_view b) {
    const std::size_t shorter = std::min(a.size(), b.size());
    return shorter >= stem_min && common_begin(a, b) == shorter;
}

}  // namespace

std::string nearest(std::string_view written, const std::vector<std::string>& names) {
    std::string best;
    std::size_t best_changed = std::string_view::npos;
    for (const std::string& name : names) {
        const std::size_t bound = std::clamp<std::size_t>(name.size() / 2, 1, 3);
        const std::size_t now = changed(written, name);
        if (now > bound && !is_form_of(written, name)) { continue; }
        if (now >= best_changed) { continue; }
        best = name;
        best_changed = now;
    }
    return best;
}

}  // namespace cli
