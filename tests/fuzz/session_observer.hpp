// What one client of the session target has asked for, and whether what it receives may be.
// Judges frames only; what it cannot know (raw octets were sent) it leaves alone.
#pragma once

#include "protocol/version.hpp"
#include "tests/support/frames.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace fuzz {

class SessionObserver {
public:
    /// A frame is about to be sent; receipts that it asks for are given out by the caller, each
    /// once.
    void sends(
        protocol::Command command,
        const std::optional<std::string>& subscription,
        const std::optional<std::string>& receipt
    );

    /// Octets are sent that nobody has looked at.
    void sends_anything() { is_wild_ = true; }

    void receives(const support::Received& frame);

    [[nodiscard]] bool is_connected() const { return is_connected_; }

    [[nodiscard]] bool has_failed() const { return has_failed_; }

    [[nodiscard]] const std::string& user() const { return user_; }

    /// Of MESSAGEs in client modes, the newest last; bounded.
    [[nodiscard]] const std::deque<std::string>& tokens() const { return tokens_; }

    /// All RECEIPTs asked for have come.
    [[nodiscard]] bool is_answered() const { return is_wild_ || asked_.empty(); }

private:
    struct Asked {
        std::string receipt;
        protocol::Command command{};
        std::optional<std::string> subscription;
        std::size_t frame = 0;
    };

    void receives_connected(const support::Received& frame);
    void receives_message(const support::Received& frame);
    void receives_receipt(const support::Received& frame);
    void receives_error(const support::Received& frame);

    std::size_t frames_ = 0;
    std::deque<Asked> asked_;
    std::map<std::string, std::size_t> subscribed_;  ///< By id: the last frame that asked for it.
    std::set<std::string> ended_;                    ///< Subscriptions whose UNSUBSCRIBE is over.
    std::set<std::string> of_connects_;              ///< Receipts that only an ERROR may name.
    std::set<std::string> seen_tokens_;
    std::deque<std::string> tokens_;
    std::string user_;
    bool is_wild_ = false;
    bool is_connected_ = false;
    bool has_failed_ = false;
    bool has_left_ = false;  ///< DISCONNECT's RECEIPT has come.
};

}  // namespace fuzz
