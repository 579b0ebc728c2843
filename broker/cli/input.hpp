// Reading bodies: whole files and stdin, or stdin line by line without blocking the connection.
// At most 256 MiB each; larger input is refused.
#pragma once

#include <optional>
#include <string>

namespace cli {

/// All of `descriptor`. Throws Failure if it cannot be read or is too large.
[[nodiscard]] std::string read_all(int descriptor, const std::string& name);

/// The content of the file `path`, `-` for stdin. Throws Failure.
[[nodiscard]] std::string read_file(const std::string& path);

/// The body of a message as the command line says: the argument itself, else the file, else stdin.
[[nodiscard]] std::string read_body(
    const std::optional<std::string>& argument, const std::string& file
);

/// Cuts a stream into lines. The caller decides when to read, so that it can wait for other things.
class LineReader {
public:
    explicit LineReader(int descriptor) : descriptor_(descriptor) {}

    /// The next whole line without its end (LF or CR LF), if there is one; at the end of the stream
    /// also a last line without an end.
    [[nodiscard]] std::optional<std::string> take();

    /// Reads once; blocks if nothing can be read. Throws Failure.
    void fill();

    /// The stream has ended and all lines are taken.
    [[nodiscard]] bool is_ended() const { return ended_ && begin_ == held_.size(); }

private:
    int descriptor_;
    std::string held_;
    std::size_t begin_ = 0;
    bool ended_ = false;
};

}  // namespace cli
