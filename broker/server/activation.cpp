#include "broker/server/activation.hpp"

#include "broker/server/config_units.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace server {

namespace {

constexpr int first_descriptor = 3;
constexpr int descriptors_max = 64;

int number_of(const char* text) {
    const std::string_view digits = text == nullptr ? "" : text;
    int number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stopped, ec] = std::from_chars(digits.data(), end, number);
    return ec == std::errc() && stopped == end ? number : 0;
}

std::vector<std::string> names_of(const char* text) {
    std::vector<std::string> names;
    std::string_view rest = text == nullptr ? "" : text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        names.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return names;
}

int option_of(int descriptor, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size);
    return value;
}

bool is_listening_stream(int descriptor) {
    return option_of(descriptor, SO_TYPE) == SOCK_STREAM &&
           option_of(descriptor, SO_ACCEPTCONN) == 1;
}

// Where it listens; false if that is no TCP port.
bool find_address(InheritedSocket& socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::getsockname(socket.descriptor, generic, &size) != 0) { return false; }
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* ip = nullptr;
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        ip = &v4.sin_addr;
        socket.port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        ip = &v6.sin6_addr;
        socket.port = ntohs(v6.sin6_port);
    } else {
        return false;
    }
    ::inet_ntop(address.ss_family, ip, text.data(), text.size());
    socket.host = text.data();
    return true;
}

InheritedSocket take_over(int descriptor, std::string name) {
    InheritedSocket socket{std::move(name), descriptor, {}, 0};
    if (!is_listening_stream(descriptor) || !find_address(socket)) {
        throw std::runtime_error(fmt::format(
            "Socket activation: descriptor {} (\"{}\") is not a listening TCP socket; the socket "
            "unit needs ListenStream=ADDRESS:PORT and Accept=no.",
            descriptor,
            socket.name
        ));
    }
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    return socket;
}

}  // namespace

std::vector<InheritedSocket> inherited_sockets(const GetEnv& getenv) {
    if (number_of(getenv("LISTEN_PID")) != ::getpid()) { return {}; }
    const int count = std::clamp(number_of(getenv("LISTEN_FDS")), 0, descriptors_max);
    std::vector<std::string> names = names_of(getenv("LISTEN_FDNAMES"));
    names.resize(static_cast<std::size_t>(count));
    std::vector<InheritedSocket> sockets;
    for (int i = 0; i < count; ++i) {
        sockets.push_back(
            take_over(first_descriptor + i, std::move(names[static_cast<std::size_t>(i)]))
        );
    }
    return sockets;
}

std::vector<InheritedSocket> Inherited::take(std::string_view name, std::string_view host) {
    names_.emplace_back(name);
    std::vector<InheritedSocket> taken;
    for (const InheritedSocket& socket : sockets_) {
        if (socket.name != name) { continue; }
        if (!is_loopback(socket.host) && is_loopback(std::string(host))) {
            throw std::runtime_error(fmt::format(
                "Socket activation: other machines can reach the socket \"{}\" at {}, but the "
                "listener is configured for {} only. Write the address into the configuration too, "
                "so that check-config asks for TLS and authentication.",
                socket.name,
                format_address({socket.host, socket.port}),
                host
            ));
        }
        taken.push_back(socket);
    }
    std::erase_if(sockets_, [name](const InheritedSocket& socket) { return socket.name == name; });
    return taken;
}

std::optional<int> Inherited::take_one(std::string_view name, std::string_view host) {
    const std::vector<InheritedSocket> taken = take(name, host);
    if (taken.size() > 1) {
        throw std::runtime_error(fmt::format(
            "Socket activation: there are {} sockets named \"{}\", which takes one: leave one "
            "ListenStream= in its socket unit.",
            taken.size(),
            name
        ));
    }
    if (taken.empty()) { return std::nullopt; }
    return taken.front().descriptor;
}

void Inherited::check_taken() const {
    if (sockets_.empty()) { return; }
    const InheritedSocket& socket = sockets_.front();
    throw std::runtime_error(fmt::format(
        "Socket activation: descriptor {} ({}) is named \"{}\", but there is no such listener; set "
        "FileDescriptorName= in the socket unit to one of these: {}.",
        socket.descriptor,
        format_address({socket.host, socket.port}),
        socket.name,
        fmt::join(names_, ", ")
    ));
}

}  // namespace server
