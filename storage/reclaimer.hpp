// Which ranges of messages have been deleted, so that whole files of them can go at once instead of
// by compaction (D-LSM-03). A file may hold a deletion that covers older files: the range is
// deleted once more, in a file of its own, before any file goes. Any thread; remembers the ranges
// that grew last, a bounded number.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

class Reclaimer {
public:
    /// Keys from `from` to before `to`.
    struct Range {
        std::string from;
        std::string to;
        std::uint64_t grown = 0;  ///< Messages since it was due last.
    };

    static constexpr std::size_t ranges_max = 256;
    /// Files are looked at once for so many messages that have gone.
    static constexpr std::uint64_t due_messages = 256 * 1024;

    Reclaimer();
    ~Reclaimer();
    Reclaimer(const Reclaimer&) = delete;
    Reclaimer& operator=(const Reclaimer&) = delete;

    /// The messages between two keys of one queue were deleted for good.
    void note(std::string_view from, std::string_view to);
    /// Ranges that may cover whole files by now: to be deleted once more, then confirmed.
    [[nodiscard]] std::vector<Range> take_due();
    void confirm(std::vector<Range> ranges);
    /// Ranges whose files may go.
    [[nodiscard]] std::vector<Range> take_confirmed();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace storage
