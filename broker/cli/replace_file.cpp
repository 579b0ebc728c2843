#include "broker/cli/replace_file.hpp"

#include "broker/cli/exit_code.hpp"
#include "broker/files/descriptor.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cli {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path) {
    throw Failure(ExitCode::failure, "cannot " + what + " " + path + ": " + std::strerror(errno));
}

std::optional<struct stat> status_of(const std::string& path) {
    struct stat status {};

    if (::stat(path.c_str(), &status) == 0) { return status; }
    if (errno != ENOENT) { fail("look at", path); }
    return std::nullopt;
}

/// A new file in the same directory, removed again unless it is renamed.
class Draft {
public:
    explicit Draft(const std::filesystem::path& target)
        : path_((target.parent_path() / ("." + target.filename().string() + ".XXXXXX")).string()),
          file_(::mkostemp(path_.data(), O_CLOEXEC)) {
        if (!file_.is_open()) { fail("make a file beside", target.string()); }
    }

    ~Draft() {
        if (!is_renamed_) { ::unlink(path_.c_str()); }
    }

    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;

    void belong_as(const struct stat& old) const {
        struct stat own {};

        if (::fstat(file_.number(), &own) != 0) { fail("look at", path_); }
        const bool is_same = own.st_uid == old.st_uid && own.st_gid == old.st_gid;
        // Otherwise the broker, which reads it as its group perhaps, could not any more.
        if (!is_same && ::fchown(file_.number(), old.st_uid, old.st_gid) != 0) {
            fail("keep owner and group in", path_);
        }
    }

    void write(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t count = ::write(file_.number(), text.data(), text.size());
            if (count < 0 && errno != EINTR) { fail("write", path_); }
            if (count > 0) { text.remove_prefix(static_cast<std::size_t>(count)); }
        }
    }

    void finish(unsigned mode, const std::string& target) {
        if (::fchmod(file_.number(), mode) != 0) { fail("set the mode of", path_); }
        if (::fsync(file_.number()) != 0) { fail("write", path_); }
        if (::rename(path_.c_str(), target.c_str()) != 0) { fail("replace", target); }
        is_renamed_ = true;
    }

private:
    std::string path_;
    files::Descriptor file_;
    bool is_renamed_ = false;
};

/// Where `path` leads to; a link to nothing leads to itself.
std::filesystem::path target_of(const std::string& path) {
    std::error_code ec;
    const std::filesystem::path target =
        std::filesystem::weakly_canonical(std::filesystem::absolute(path), ec);
    if (ec) { throw Failure(ExitCode::failure, "cannot find " + path + ": " + ec.message()); }
    return target;
}

}  // namespace

void replace_file(
    const std::string& path, unsigned new_mode, const std::function<std::string()>& change
) {
    const std::filesystem::path target = target_of(path);
    const std::string folder = target.parent_path().string();
    const files::Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.is_open()) { fail("open the directory", folder); }
    // Where the file system has no locks, two at once are the caller's affair.
    ::flock(directory.number(), LOCK_EX);
    const std::string text = change();
    const auto old = status_of(target.string());
    Draft draft(target);
    if (old) { draft.belong_as(*old); }
    draft.write(text);
    draft.finish(old ? old->st_mode & 0777U : new_mode, target.string());
    if (::fsync(directory.number()) != 0) { fail("write the directory", folder); }
}

}  // namespace cli
