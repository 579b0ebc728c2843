// A blocking client of the admin API: one request at a time, each on a connection of its own.
// Time and answers (64 MiB) are bounded. Plain http only to this machine, https to any.
#pragma once

#include <boost/json/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace cli {

struct AdminRequest;
struct Target;

inline constexpr const char* default_admin_url = "http://127.0.0.1:15680";

struct AdminFlags {
    std::string url = default_admin_url;
    std::string token_file;
    std::string ca_file;
    double timeout_ms = 10'000;
};

/// Adds `--admin --token-file --ca-file --timeout` to `command`.
void add_admin_options(CLI::App& command, AdminFlags& flags);

/// Names and values, encoded when they are sent; those with an empty value are left out.
using AdminQuery = std::vector<std::pair<std::string, std::string>>;

/// Percent-encodes all but letters, digits and `-._~`.
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// What came back, whatever the status.
struct AdminAnswer {
    unsigned status = 0;
    std::string body;
};

/// GET of `path` as it is and without a token, for health. Throws Failure if there is no answer.
[[nodiscard]] AdminAnswer get_without_token(const Target& target, const std::string& path);

/// Every call throws Failure: 4 for a token that is missing, refused or not allowed, 5 if there is
/// no answer in time, 1 for everything else, with what the broker says to mend it.
class AdminClient {
public:
    /// Finds and reads the token: `--token-file`, then the files that a broker makes.
    explicit AdminClient(const AdminFlags& flags);

    /// `method` on `/api/v1` + `path`. Null for an answer without a body.
    boost::json::value call(
        const std::string& method,
        const std::string& path,
        const AdminQuery& query = {},
        const boost::json::value& body = nullptr
    ) const;

    [[nodiscard]] boost::json::value get(const std::string& path, const AdminQuery& query = {})
        const {
        return call("GET", path, query);
    }

    /// Takes one server-sent event; false ends the stream.
    using OnEvent = std::function<bool(std::string_view name, std::string_view data)>;

    /// Server-sent events until the broker or `on_event` ends them. `--timeout` bounds only the
    /// wait for the beginning.
    void stream(const std::string& path, const AdminQuery& query, const OnEvent& on_event) const;

private:
    [[nodiscard]] AdminRequest request_for(
        const std::string& method, const std::string& path, const AdminQuery& query
    ) const;
    [[nodiscard]] boost::json::value json_of(const AdminAnswer& answer) const;

    const AdminFlags flags_;
    std::string token_;
    std::string token_file_;  ///< Where it was found.
};

}  // namespace cli
