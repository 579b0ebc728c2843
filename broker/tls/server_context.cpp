#include "broker/tls/server_context.hpp"

#include <algorithm>
#include <sys/stat.h>
#include <utility>

namespace tls {

ServerContext::ServerContext(ServerFiles files) : files_(std::move(files)) {
    reload();
}

std::shared_ptr<SSL_CTX> ServerContext::current() const {
    const std::lock_guard lock(mutex_);
    return current_.context;
}

std::vector<std::string> ServerContext::warnings() const {
    const std::lock_guard lock(mutex_);
    return current_.warnings;
}

std::int64_t ServerContext::expires_at() const {
    const std::lock_guard lock(mutex_);
    return current_.expires_at;
}

void ServerContext::reload() {
    // Before they are read: what changes meanwhile is read once more.
    Stamps before = stamps();
    {
        const std::lock_guard lock(mutex_);
        read_ = std::move(before);
    }
    ServerSide side = make_server_context(files_);
    const std::lock_guard lock(mutex_);
    current_ = std::move(side);
}

bool ServerContext::has_changed() const {
    const Stamps now = stamps();
    if (!std::ranges::all_of(now, &Stamp::is_there)) { return false; }
    const std::lock_guard lock(mutex_);
    return now != read_;
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
    Stamps all;
    for (const PairFiles& pair : files_.pairs) {
        all.push_back(stamp_of(pair.certificate_file));
        all.push_back(stamp_of(pair.key_file));
    }
    if (!files_.client_ca_file.empty()) { all.push_back(stamp_of(files_.client_ca_file)); }
    for (const std::string& file : files_.crl_files) {
        all.push_back(stamp_of(file));
    }
    return all;
}

}  // namespace tls
