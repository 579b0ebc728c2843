// Client certificates and their users: what is wrong with each, and whether any listener asks.
#include "broker/server/config_draft.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace server {

namespace {

void fail(Draft& draft, const security::CertificateFault& fault) {
    const auto& entry = draft.certificates[std::min(fault.entry, draft.certificates.size() - 1)];
    const std::string key =
        fault.key.empty() ? entry.name : entry.name + "." + std::string(fault.key);
    draft.fail(draft.has(key) ? draft.origin_of(key) : entry.origin, key, fault.message);
}

bool asks(const transport::ListenerOptions& listener) {
    return listener.tls.client_certificates != tls::ClientCertificates::off;
}

bool takes(const transport::ListenerOptions& listener) {
    return asks(listener) && listener.sources.has(engine::CredentialSource::certificate);
}

void warn(Draft& draft) {
    const Config& config = draft.loaded.config;
    const auto say = [&draft](const char* what) { draft.loaded.warnings.emplace_back(what); };
    if (config.auth.asks_for_certificates && config.auth.certificates.empty()) {
        say("a listener asks for client certificates but there is no [[certificate]] entry: "
            "whoever shows one is refused");
    }
    if (!config.auth.asks_for_certificates && !config.auth.certificates.empty()) {
        say("there are [[certificate]] entries, but no listener both sets client_certificates and "
            "has \"certificate\" among its credentials: they let nobody in");
    }
    const bool is_named = !config.tls.client_ca_file.empty() || !config.tls.crl_files.empty();
    if (is_named && std::ranges::none_of(config.listeners, asks)) {
        say("tls.client_ca or tls.crl is set, but no listener sets client_certificates: nobody is "
            "asked for one");
    }
}

}  // namespace

void settle_certificates(Draft& draft) {
    Config& config = draft.loaded.config;
    std::vector<security::CertificateUser> users;
    for (const auto& entry : draft.certificates) {
        users.push_back(entry.value);
    }
    const auto fault = security::fault_of(users);
    if (fault) { fail(draft, *fault); }
    config.auth.certificates = std::move(users);
    config.auth.asks_for_certificates = std::ranges::any_of(config.listeners, takes);
    warn(draft);
}

}  // namespace server
