// Asks an HTTP service of the operator's who a login is (S-AUTH-14).
// Any thread; answers come on the outbound thread. As many questions at once as the settings say,
// half as many from addresses with too many failed logins.
#pragma once

#include "broker/security/fair_queue.hpp"
#include "broker/security/hook_messages.hpp"
#include "broker/security/http_client.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace security {

class AuthHook {
public:
    struct Settings {
        HttpClient::Settings http;
        std::chrono::milliseconds cache = std::chrono::seconds(60);  ///< 0: nothing is remembered.
    };

    /// `why` is for the log if it is neither a right login nor one that the hook knows nothing of.
    using Done = std::function<void(HookAnswer answer, std::string why)>;

    /// Throws tls::Error if there is something wrong with the CA file.
    AuthHook(Outbound& outbound, Settings settings);

    /// `credentials` has login and passcode, which are UTF-8; `facts`: hook_facts() of it. False:
    /// too many questions at once, and `done` will not be called.
    [[nodiscard]] bool ask(
        const engine::Credentials& credentials, std::string_view facts, Standing standing, Done done
    );

    [[nodiscard]] std::chrono::milliseconds cache() const { return settings_.cache; }

    /// The same for hooks with the same URL and CA file: principals of one are not another's.
    [[nodiscard]] std::uint64_t identity() const { return identity_; }

private:
    const Settings settings_;
    const std::uint64_t identity_;
    HttpClient client_;
};

}  // namespace security
