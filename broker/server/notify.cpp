#include "broker/server/notify.hpp"

#include "broker/log/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace server {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr timeval patience{1, 0};  // A manager that hangs must not hang us.

std::string text_of(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

// 0 if `text` is no number.
std::uint64_t number_of(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, ec] = std::from_chars(text.data(), end, number);
    return ec == std::errc() && stopped == end ? number : 0;
}

// Absolute paths and `@abstract` names that fit; anything else is nobody (vsock, for instance).
std::string address_of(std::string path) {
    const bool is_known = path.starts_with('/') || path.starts_with('@');
    if (!is_known || path.size() < 2 || path.size() >= sizeof(sockaddr_un::sun_path)) {
        if (!path.empty()) {
            logging::warn("notify-failed", "NOTIFY_SOCKET is no address of a socket here.");
        }
        return {};
    }
    if (path.front() == '@') { path.front() = '\0'; }
    return path;
}

milliseconds watchdog_period(const GetEnv& getenv) {
    const std::string process = text_of(getenv("WATCHDOG_PID"));
    const auto own = static_cast<std::uint64_t>(::getpid());
    if (!process.empty() && number_of(process) != own) { return milliseconds(0); }
    const std::uint64_t period = number_of(text_of(getenv("WATCHDOG_USEC")));
    return std::chrono::duration_cast<milliseconds>(
        microseconds(std::min<std::uint64_t>(period, INT64_MAX))
    );
}

int open_socket() {
    const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return descriptor;
}

std::int64_t monotonic_usec() {
    return std::chrono::duration_cast<microseconds>(
               std::chrono::steady_clock::now().time_since_epoch()
    )
        .count();
}

}  // namespace

Notifier::Notifier(const GetEnv& getenv)
    : path_(address_of(text_of(getenv("NOTIFY_SOCKET")))),
      socket_(path_.empty() ? -1 : open_socket()) {
    if (!path_.empty()) { watchdog_period_ = server::watchdog_period(getenv); }
}

void Notifier::ready(std::string_view status) {
    if (is_stopping_) { return; }
    send(fmt::format("READY=1\nSTATUS={}\n", status));
}

void Notifier::reloading() {
    if (is_stopping_) { return; }
    send(fmt::format(
        "RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reading the configuration again.\n",
        monotonic_usec()
    ));
}

void Notifier::stopping(std::string_view status, milliseconds at_most) {
    is_stopping_ = true;
    send(fmt::format(
        "STOPPING=1\nSTATUS={}\nEXTEND_TIMEOUT_USEC={}\n", status, microseconds(at_most).count()
    ));
}

void Notifier::alive() {
    send("WATCHDOG=1\n");
}

void Notifier::send(const std::string& text) {
    if (path_.empty()) { return; }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    const ssize_t sent = ::sendto(
        socket_.number(),
        text.data(),
        text.size(),
        MSG_NOSIGNAL,
        reinterpret_cast<const sockaddr*>(&address),
        size
    );
    if (sent >= 0) { return; }
    logging::warn(
        "notify-failed",
        "The service manager could not be told how the broker is.",
        {{"err", std::strerror(errno)}}
    );
}

}  // namespace server
