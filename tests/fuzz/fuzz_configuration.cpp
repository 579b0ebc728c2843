// Configuration files: errors that say where and how to mend, or a whole configuration, which
// prints itself such that it is read again as it was. Input: the file's text.
#include "broker/server/config.hpp"
#include "broker/server/config_explain.hpp"
#include "tests/fuzz/choices.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace {

using fuzz::require;
using server::LoadedConfig;

/// A file without a place in any directory.
class MemoryFile {
public:
    explicit MemoryFile(std::string_view text) : file_(::memfd_create("config", 0)) {
        require(file_ >= 0, "there is room for a file");
        while (!text.empty()) {
            const ssize_t written = ::write(file_, text.data(), text.size());
            require(written > 0, "the file can be written");
            text.remove_prefix(static_cast<std::size_t>(written));
        }
    }

    ~MemoryFile() { ::close(file_); }

    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

private:
    int file_;
};

LoadedConfig load(std::string_view text) {
    const MemoryFile file(text);
    server::Flags flags;
    flags.config = file.path();
    return server::load_config(flags, [](const char*) -> const char* { return nullptr; });
}

bool is_one_line(std::string_view text) {
    return text.find_first_of("\r\n") == std::string_view::npos;
}

void check_error(const server::ConfigError& error, std::ptrdiff_t lines) {
    require(error.source.starts_with("/proc/self/fd/"), "an error names its file");
    require(error.line != 0 || !error.key.empty(), "an error has a line or a key");
    require(static_cast<std::ptrdiff_t>(error.line) <= lines, "the line is in the file");
    require(error.message.size() > 5 && error.message.size() < 2000, "an error is a sentence");
    require(is_one_line(error.text()), "an error is one line");
}

using Settings = std::vector<std::pair<std::string, std::string>>;

Settings settings_of(const LoadedConfig& loaded) {
    Settings settings;
    for (const server::EffectiveValue& value : loaded.values) {
        require(is_one_line(value.value), "a value is printed in one line");
        settings.emplace_back(value.key, value.value);
    }
    return settings;
}

auto socket_of(const transport::ListenerOptions& listener) {
    return std::tie(listener.kind, listener.host, listener.port, listener.paths);
}

void require_same(const server::Config& first, const server::Config& again) {
    require(first.access_rules == again.access_rules, "the same rights");
    require(first.auth == again.auth, "the same credentials");
    require(first.listeners.size() == again.listeners.size(), "the same number of listeners");
    for (std::size_t i = 0; i < first.listeners.size(); ++i) {
        require(socket_of(first.listeners[i]) == socket_of(again.listeners[i]), "the same sockets");
    }
    require(first.policies.size() == again.policies.size(), "the same number of policies");
    for (std::size_t i = 0; i < first.policies.size(); ++i) {
        require(first.policies[i].match == again.policies[i].match, "policies in the same order");
        require(first.policies[i].queue == again.policies[i].queue, "the same policies");
    }
}

void check_accepted(const LoadedConfig& loaded) {
    const std::string printed = server::effective_config_text(loaded);
    const LoadedConfig again = load(printed);
    require(again.ok(), "what is printed is accepted");
    require(settings_of(loaded) == settings_of(again), "what is printed is what holds");
    require_same(loaded.config, again.config);
    constexpr std::array<std::string_view, 4> names = {
        "/queue/a", "/topic/prices.eu.x", "/topic/a/b/c", "nothing"};
    for (const std::string_view name : names) {
        const auto explanation = server::explain(loaded, name);
        if (!explanation) { continue; }
        require(!server::explanation_text(*explanation).empty(), "a name is explained");
        require(explanation->policies.size() <= loaded.config.policies.size(), "by these policies");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::Choices(data, size).rest();
    const LoadedConfig loaded = load(text);
    for (const std::string& warning : loaded.warnings) {
        require(!warning.empty() && is_one_line(warning), "a warning is one line");
    }
    if (loaded.ok()) {
        check_accepted(loaded);
        return 0;
    }
    const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
    for (const server::ConfigError& error : loaded.errors) {
        check_error(error, lines);
    }
    return 0;
}
