// Files of one directory for demonstrations: read whole, by an exact path below the directory.
// Never outside it; at most `file_max` octets each; index.html for a directory.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace transport {

class StaticFiles {
public:
    struct File {
        std::string body;
        std::string_view content_type;
    };

    /// An empty directory name serves nothing.
    explicit StaticFiles(std::string directory) : directory_(std::move(directory)) {}

    [[nodiscard]] bool is_on() const { return !directory_.empty(); }

    /// The file at URL path `path` (percent-decoded here), or nothing.
    [[nodiscard]] std::optional<File> read(std::string_view path) const;

    static constexpr std::size_t file_max = 16 * 1024 * 1024;

private:
    std::string directory_;
};

/// `path` without %XX; nothing if a sequence is broken or stands for NUL.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view path);

}  // namespace transport
