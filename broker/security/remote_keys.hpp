// The keys of a token verifier, fetched from an https server and kept fresh (S-AUTH-11).
// Any thread may ask. Bounded: one fetch at a time, 5 s, 256 KiB, 64 keys, 1,024 logins that wait
// for one; no `kid` of a peer's is kept.
#pragma once

#include "broker/security/http_client.hpp"
#include "broker/security/jwt.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace security {

class RemoteKeys : public std::enable_shared_from_this<RemoteKeys> {
public:
    using Duration = std::chrono::milliseconds;
    static constexpr Duration fetch_time = std::chrono::seconds(5);
    static constexpr std::size_t waiting_max = 1024;

    struct Settings {
        HttpUrl url;
        std::string ca_file = {};
        Duration refresh = std::chrono::minutes(10);
        /// The least time between two fetches once there are keys. Before that failures are
        /// followed by another try after `first_retry`, doubled each time up to this.
        Duration interval_min = std::chrono::seconds(60);
        Duration first_retry = std::chrono::seconds(1);
    };

    struct Counters {
        std::uint64_t fetches = 0;
        std::uint64_t good = 0;                              ///< Fetches that brought a set.
        std::uint64_t failures = 0;                          ///< The last good set was kept.
        std::chrono::steady_clock::time_point fetched_at{};  ///< The last good one; none: 0.
    };

    enum class Waited : std::uint8_t {
        to_the_end,  ///< The verifier has the newest keys there will be for now.
        not_at_all,  ///< Too many wait already.
    };

    /// Called once, on the outbound thread, unless that is stopped first.
    using Done = std::function<void(Waited waited)>;

    /// `verifier` gets every good set. Throws tls::Error if there is something wrong with the CA
    /// file.
    RemoteKeys(Outbound& outbound, Settings settings, std::shared_ptr<JwtVerifier> verifier);

    /// Fetches now and from then on, as long as this lives. Once.
    void start();

    /// For a token with a key that is not known: waits for the fetch under way, or begins one if
    /// the last is a minute old; otherwise `done` is called soon.
    void await_refresh(Done done);

    /// The same for sets of the same URL and CA file.
    [[nodiscard]] const std::string& source() const { return source_; }

    [[nodiscard]] Counters counters() const { return {fetches_, good_, failures_, fetched_at_}; }

private:
    using Time = std::chrono::steady_clock::time_point;

    // All on the outbound thread.
    void fetch();
    void fetched(const HttpResult& result);
    [[nodiscard]] std::string take(const HttpResult& result);
    void note_failure(const std::string& fault);
    void schedule(Duration delay);
    void wait(Done done);
    void answer_waiting();

    const Settings settings_;
    const std::string source_;
    const std::shared_ptr<JwtVerifier> verifier_;
    boost::asio::io_context& io_;
    HttpClient client_;
    boost::asio::steady_timer timer_;
    Duration retry_;
    Time last_begin_{};
    bool is_fetching_ = false;
    bool was_good_ = false;  ///< The last fetch.
    std::vector<Done> waiting_;
    std::atomic<std::uint64_t> fetches_{0};
    std::atomic<std::uint64_t> good_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<Time> fetched_at_{Time()};
};

}  // namespace security
