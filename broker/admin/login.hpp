// Who may connect at the admin listener's own /ws: whoever shows a token with the scope admin
// (S-WEB-08). In CONNECT's Authorization, or as its passcode.
#pragma once

#include "broker/admin/tokens.hpp"
#include "broker/engine/authenticator.hpp"

namespace admin {

class Login : public engine::Authenticator {
public:
    explicit Login(Tokens tokens) : tokens_(std::move(tokens)) {}

    void authenticate(engine::Shard& shard, engine::Credentials credentials, Answer answer)
        override;

private:
    // Immutable: asked on all shards.
    const Tokens tokens_;
};

}  // namespace admin
