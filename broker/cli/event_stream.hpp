// Server-sent events out of octets that come in pieces cut anywhere.
// Pure; an event of more than 1 MiB is cut.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace cli {

class EventStream {
public:
    /// Takes one event; false wants no more.
    using OnEvent = std::function<bool(std::string_view name, std::string_view data)>;

    explicit EventStream(OnEvent on_event) : on_event_(std::move(on_event)) {}

    /// False once `on_event` wanted no more.
    bool take(std::string_view octets);

private:
    bool take_line(std::string_view line);

    OnEvent on_event_;
    std::string line_;
    std::string name_;
    std::string data_;
    bool has_data_ = false;
    bool is_open_ = true;
};

}  // namespace cli
