#include "broker/engine/user_destination.hpp"

#include <algorithm>

namespace engine {

namespace {

// Who has no name of his own cannot be called by it (P-USER-01).
constexpr std::string_view nobody = "anonymous";

constexpr std::size_t session_size = 32;

// The name's size comes first, so that no user's name can pose as another one's and more.
std::string topic_key(std::string_view user, std::string_view session, std::string_view key) {
    std::string text = std::to_string(user.size()) + ":";
    text.append(user);
    if (!session.empty()) { text.append("@").append(session); }
    return text.append("/").append(key);
}

bool is_session(std::string_view text) {
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return text.size() == session_size && std::all_of(text.begin(), text.end(), is_hex);
}

}  // namespace

UserTopics::UserTopics(std::string_view user, std::string_view session, std::string_view key)
    : of_user_(topic_key(user, {}, key)), of_session_(topic_key(user, session, key)) {}

std::array<protocol::Pattern, 2> UserTopics::patterns() const {
    const auto pattern = [](const std::string& key) {
        protocol::Pattern exact;
        exact.destination = {protocol::DestinationKind::topic, user_space, key};
        return exact;
    };
    return {pattern(of_user_), pattern(of_session_)};
}

UserAddress UserAddress::of(std::string_view key, std::string_view session) {
    const std::size_t cut = key.find('/');
    const std::string_view user = key.substr(0, cut);
    const std::string_view rest = key.substr(cut + 1);
    UserAddress address{{}, std::string(user_space).append(rest)};
    const bool is_somebody = user != nobody && (session.empty() || is_session(session));
    if (is_somebody) { address.topic = topic_key(user, session, rest); }
    return address;
}

}  // namespace engine
