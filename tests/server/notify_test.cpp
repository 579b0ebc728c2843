// What reaches the service manager's socket, and when nothing is sent.
#include "broker/server/notify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace server {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::MatchesRegex;

/// The manager's side. `path`: as in NOTIFY_SOCKET.
class Manager {
public:
    explicit Manager(std::string path) {
        if (path.front() == '@') { path.front() = '\0'; }
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.data(), path.size());
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
        const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
        is_bound_ = ::bind(socket_.number(), generic, size) == 0;
    }

    [[nodiscard]] bool is_bound() const { return is_bound_; }

    /// What has come; empty if nothing.
    [[nodiscard]] std::string heard() const {
        std::array<char, 512> text{};
        const ssize_t size =
            ::recv(socket_.number(), text.data(), text.size(), MSG_DONTWAIT | MSG_TRUNC);
        return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
    }

private:
    files::Descriptor socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    bool is_bound_ = false;
};

using Environment = std::map<std::string, std::string>;

Notifier notifier_in(const Environment& environment) {
    return Notifier([&environment](const char* name) -> const char* {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
    });
}

std::string own(const std::string& name) {
    return name + "stampede-notify-" + std::to_string(::getpid());
}

class Notify : public testing::TestWithParam<bool> {
protected:
    ~Notify() override {
        if (path_.front() == '/') { std::filesystem::remove(path_); }
    }

    const std::string path_ =
        own(GetParam() ? "@" : std::filesystem::temp_directory_path().string() + "/");
    const Manager manager_{path_};
    const Environment environment_{{"NOTIFY_SOCKET", path_}};
};

TEST_P(Notify, O_7_ReadyReloadingStopping) {
    ASSERT_TRUE(manager_.is_bound());
    Notifier notifier = notifier_in(environment_);
    notifier.ready("Fine.");
    EXPECT_EQ(manager_.heard(), "READY=1\nSTATUS=Fine.\n");
    notifier.reloading();
    EXPECT_THAT(
        manager_.heard(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]{4,}\nSTATUS=.*\n")
    );
    notifier.stopping("Bye.", milliseconds(1500));
    EXPECT_EQ(manager_.heard(), "STOPPING=1\nSTATUS=Bye.\nEXTEND_TIMEOUT_USEC=1500000\n");
    notifier.alive();
    EXPECT_EQ(manager_.heard(), "WATCHDOG=1\n");
    EXPECT_EQ(manager_.heard(), "");
}

TEST_P(Notify, O_7_NothingIsReadyOnceItStops) {
    Notifier notifier = notifier_in(environment_);
    notifier.stopping("Bye.", milliseconds(1));
    EXPECT_THAT(manager_.heard(), HasSubstr("STOPPING=1"));
    notifier.ready("Fine.");
    notifier.reloading();
    EXPECT_EQ(manager_.heard(), "");
}

INSTANTIATE_TEST_SUITE_P(PathAndAbstract, Notify, testing::Bool());

TEST(Watchdog, O_7_IsForTheProcessThatItNames) {
    const Environment nobodys{{"NOTIFY_SOCKET", "/run/x"}};
    EXPECT_EQ(notifier_in(nobodys).watchdog_period(), milliseconds(0));
    Environment ours = nobodys;
    ours["WATCHDOG_USEC"] = "30000000";
    EXPECT_EQ(notifier_in(ours).watchdog_period(), milliseconds(30'000));
    ours["WATCHDOG_PID"] = std::to_string(::getpid());
    EXPECT_EQ(notifier_in(ours).watchdog_period(), milliseconds(30'000));
    ours["WATCHDOG_PID"] = "1";
    EXPECT_EQ(notifier_in(ours).watchdog_period(), milliseconds(0));
}

TEST(Watchdog, O_7_NonsenseIsNoPeriod) {
    for (const char* const text : {"", "30s", "-1", "99999999999999999999"}) {
        const Environment wrong{{"NOTIFY_SOCKET", "/run/x"}, {"WATCHDOG_USEC", text}};
        EXPECT_EQ(notifier_in(wrong).watchdog_period(), milliseconds(0)) << text;
    }
}

TEST(NotifySocket, O_7_ThatIsNoneIsNobody) {
    for (const std::string& path :
         {std::string(), std::string("@"), std::string("vsock:2:1"), std::string(200, '/')}) {
        const Environment wrong{{"NOTIFY_SOCKET", path}, {"WATCHDOG_USEC", "1000000"}};
        Notifier notifier = notifier_in(wrong);
        notifier.ready("Fine.");
        EXPECT_EQ(notifier.watchdog_period(), milliseconds(0)) << path;
    }
}

}  // namespace
}  // namespace server
