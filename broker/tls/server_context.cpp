#include "broker/tls/server_context.hpp"

#include <sys/stat.h>
#include <utility>

namespace tls {

ServerContext::ServerContext(std::string certificate_file, std::string key_file)
    : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {
    reload();
}

std::shared_ptr<SSL_CTX> ServerContext::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

void ServerContext::reload() {
    // Before they are read: what changes meanwhile is read once more.
    const Stamps before = stamps();
    {
        const std::lock_guard lock(mutex_);
        read_ = before;
    }
    auto context = make_server_context(certificate_file_, key_file_);
    const std::lock_guard lock(mutex_);
    current_ = std::move(context);
}

bool ServerContext::has_changed() const {
    const Stamps now = stamps();
    const std::lock_guard lock(mutex_);
    return now[0].is_there && now[1].is_there && now != read_;
}

ServerContext::Stamp ServerContext::stamp_of(const std::string& file) {
    struct stat status {};

    if (::stat(file.c_str(), &status) != 0) { return {}; }
    constexpr std::int64_t second = 1'000'000'000;
    return {
        status.st_ino,
        status.st_size,
        static_cast<std::int64_t>(status.st_mtim.tv_sec) * second + status.st_mtim.tv_nsec,
        true};
}

ServerContext::Stamps ServerContext::stamps() const {
    return {stamp_of(certificate_file_), stamp_of(key_file_)};
}

}  // namespace tls
