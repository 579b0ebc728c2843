#include "broker/security/remote_keys.hpp"

#include "broker/log/log.hpp"
#include "broker/security/jwks.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace security {

namespace {

namespace asio = boost::asio;

// Two: the system's resolver may hold one back beyond its time.
constexpr std::size_t in_flight_max = 2;

HttpClient::Settings http_settings(const RemoteKeys::Settings& settings) {
    return {settings.url, settings.ca_file, RemoteKeys::fetch_time, jwks_octets_max, in_flight_max};
}

}  // namespace

RemoteKeys::RemoteKeys(Outbound& outbound, Settings settings, std::shared_ptr<JwtVerifier> verifier)
    : settings_(std::move(settings)),
      source_(
          settings_.url.authority() + settings_.url.socket + settings_.url.target + "\n" +
          settings_.ca_file
      ),
      verifier_(std::move(verifier)),
      io_(outbound.io()),
      client_(outbound, http_settings(settings_)),
      timer_(outbound.io()),
      retry_(settings_.first_retry) {}

void RemoteKeys::start() {
    asio::post(io_, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) { self->fetch(); }
    });
}

void RemoteKeys::await_refresh(Done done) {
    asio::post(io_, [self = shared_from_this(), done = std::move(done)]() mutable {
        self->wait(std::move(done));
    });
}

// Without keys what is due is another try, at its time: tokens of strangers do not hasten it.
void RemoteKeys::wait(Done done) {
    const bool is_due = std::chrono::steady_clock::now() - last_begin_ >= settings_.interval_min;
    if (!is_fetching_ && !is_due) { return done(Waited::to_the_end); }
    if (waiting_.size() >= waiting_max) { return done(Waited::not_at_all); }
    waiting_.push_back(std::move(done));
    if (!is_fetching_) { fetch(); }
}

void RemoteKeys::fetch() {
    if (is_fetching_) { return; }
    // Whatever fails from here on: there is a next time.
    schedule(settings_.interval_min);
    last_begin_ = std::chrono::steady_clock::now();
    ++fetches_;
    // Kept until then, whatever is reloaded meanwhile: logins may be waiting.
    is_fetching_ = client_.get([self = shared_from_this()](const HttpResult& result) {
        self->fetched(result);
    });
    if (!is_fetching_) { fetched(HttpFault{"the look-up of its name has not ended yet"}); }
}

void RemoteKeys::fetched(const HttpResult& result) {
    is_fetching_ = false;
    schedule(settings_.interval_min);
    const std::string fault = take(result);
    was_good_ = fault.empty();
    if (!was_good_) { note_failure(fault); }
    if (was_good_) {
        ++good_;
        fetched_at_ = std::chrono::steady_clock::now();
        schedule(settings_.refresh);
    } else if (verifier_->keys()->size() == 0) {
        schedule(retry_);
        retry_ = std::min(2 * retry_, settings_.interval_min);
    }
    answer_waiting();
}

// What one of them throws costs no other its answer.
void RemoteKeys::answer_waiting() {
    for (const Done& done : std::exchange(waiting_, {})) {
        try {
            done(Waited::to_the_end);
        } catch (const std::exception& error) {
            logging::error(
                "handler-failed", "An answer to a login failed.", {{"err", error.what()}}
            );
        }
    }
}

// What is wrong with it; then the verifier keeps what it has.
std::string RemoteKeys::take(const HttpResult& result) {
    if (!result) { return result.error().what; }
    auto set = parse_jwks(*result, JwksOptions{});
    if (!set) { return set.error().what; }
    if (set->keys.size() == 0) { return "the set has no key that tokens could be verified with"; }
    if (!was_good_) {
        logging::info(
            "keys-fetched",
            "Tokens are verified with the keys of now.",
            {{"keys", set->keys.size()}, {"left_out", set->left_out.size()}}
        );
    }
    verifier_->exchange_keys(std::make_shared<const KeySet>(std::move(set->keys)));
    return {};
}

void RemoteKeys::note_failure(const std::string& fault) {
    ++failures_;
    logging::error(
        "keys-not-fetched",
        "The keys of tokens cannot be fetched (jwt.keys_url): the last good ones stay in force.",
        {{"err", fault}, {"keys", verifier_->keys()->size()}}
    );
}

void RemoteKeys::schedule(Duration delay) {
    timer_.expires_after(delay);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
        const auto self = weak.lock();
        if (self && !ec) { self->fetch(); }
    });
}

}  // namespace security
