// Plain read(2): stdio's buffer would hide lines from whoever waits for the descriptor.
#include "broker/cli/input.hpp"

#include "broker/cli/exit_code.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace cli {
namespace {

constexpr std::size_t input_max = std::size_t{256} * 1024 * 1024;

/// Appends what one read gives; false at the end.
bool read_some(int descriptor, std::string& out, const std::string& name) {
    char buffer[64 * 1024];
    ssize_t size = 0;
    do {
        size = ::read(descriptor, buffer, sizeof buffer);
    } while (size < 0 && errno == EINTR);
    if (size < 0) {
        throw Failure(ExitCode::failure, "cannot read " + name + ": " + std::strerror(errno));
    }
    if (out.size() + static_cast<std::size_t>(size) > input_max) {
        throw Failure(ExitCode::failure, name + " is larger than 256 MiB");
    }
    out.append(buffer, static_cast<std::size_t>(size));
    return size != 0;
}

}  // namespace

std::string read_all(int descriptor, const std::string& name) {
    std::string out;
    while (read_some(descriptor, out, name)) {}
    return out;
}

std::string read_file(const std::string& path) {
    if (path == "-") { return read_all(STDIN_FILENO, "stdin"); }
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        throw Failure(ExitCode::failure, "cannot open " + path + ": " + std::strerror(errno));
    }

    struct Closer {
        int descriptor;

        ~Closer() { ::close(descriptor); }
    } closer{descriptor};

    return read_all(descriptor, path);
}

std::string read_body(const std::optional<std::string>& argument, const std::string& file) {
    if (argument) { return *argument; }
    return file.empty() ? read_all(STDIN_FILENO, "stdin") : read_file(file);
}

std::optional<std::string> LineReader::take() {
    const std::size_t end = held_.find('\n', begin_);
    if (end == std::string::npos && (!ended_ || begin_ == held_.size())) { return std::nullopt; }
    std::string line = held_.substr(begin_, end == std::string::npos ? end : end - begin_);
    begin_ = end == std::string::npos ? held_.size() : end + 1;
    if (end != std::string::npos && line.ends_with('\r')) { line.pop_back(); }
    return line;
}

void LineReader::fill() {
    held_.erase(0, begin_);
    begin_ = 0;
    ended_ = !read_some(descriptor_, held_, "stdin");
}

}  // namespace cli
