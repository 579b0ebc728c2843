#include "broker/admin/login.hpp"

#include "broker/engine/principal.hpp"
#include "broker/engine/secret.hpp"

namespace admin {

void Login::authenticate(engine::Shard&, engine::Credentials credentials, Answer answer) {
    const Token* token = nullptr;
    if (credentials.authorization) {
        token = tokens_.find(credentials.authorization->reveal());
    } else if (credentials.passcode) {
        token = tokens_.match(credentials.passcode->reveal());
    }
    if (token == nullptr || !token->is_admin) {
        return answer(protocol::Error{
            protocol::ErrorCode::auth_failed,
            "This listener is for whoever has the admin token.",
            "Send Authorization: Bearer with the token of the file that the broker's log names.",
            "S-WEB-08"});
    }
    engine::Principal principal{"admin"};
    principal.roles = {"admin"};
    principal.voucher = engine::Voucher::admin_token;
    answer(std::make_shared<const engine::Principal>(std::move(principal)));
}

}  // namespace admin
