#include "broker/engine/access.hpp"

#include "broker/engine/message_headers.hpp"
#include "protocol/limits.hpp"

namespace engine {

namespace {

class AdminAccess : public Access {
public:
    [[nodiscard]] bool allows(Action, const protocol::Destination&) const override { return true; }

    [[nodiscard]] bool covers(Action, const protocol::Pattern&) const override { return true; }

    [[nodiscard]] bool has_denials(Action) const override { return false; }
};

}  // namespace

AccessRef admin_access() {
    static const AccessRef access = std::make_shared<const AdminAccess>();
    return access;
}

bool may_read(const Access& access, const Message& message) {
    const auto name = MessageHeaders(message).find("destination");
    if (!name) { return false; }
    const auto destination = protocol::parse_destination(*name, protocol::Limits{});
    return destination && access.allows(Action::subscribe, *destination);
}

}  // namespace engine
