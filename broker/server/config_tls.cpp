// The certificates of listeners, and what they ask of their clients: client certificates, and which
// credentials count. Nothing is opened here.
#include "broker/server/config_draft.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace server {

namespace {

using engine::CredentialSource;
using tls::ClientCertificates;

constexpr std::size_t pairs_max = 256;

constexpr std::array<std::pair<std::string_view, CredentialSource>, 4> sources{{
    {"certificate", CredentialSource::certificate},
    {"upgrade", CredentialSource::upgrade},
    {"authorization", CredentialSource::authorization},
    {"passcode", CredentialSource::passcode},
}};

/// A listener's own key and where it was written.
class ListenerPlace {
public:
    ListenerPlace(Draft& draft, const Entry<ListenerDraft>& entry) : draft_(draft), entry_(entry) {}

    void fail(const char* name, std::string message) const {
        const std::string key = entry_.name + "." + name;
        const Origin origin = draft_.has(key) ? draft_.origin_of(key) : entry_.origin;
        draft_.fail(origin, key, std::move(message));
    }

private:
    Draft& draft_;
    const Entry<ListenerDraft>& entry_;
};

bool check_pair(
    Draft& draft, const Origin& origin, const std::string& key, const tls::PairFiles& pair
) {
    if (pair.certificate_file.empty() == pair.key_file.empty()) { return true; }
    draft.fail(origin, key, "a certificate needs its key and a key its certificate: name both");
    return false;
}

void settle_pair(Draft& draft, Entry<ListenerDraft>& entry) {
    ListenerDraft& listener = entry.value;
    check_pair(draft, entry.origin, entry.name, listener.tls);
    const bool has_files = !listener.tls.certificate_file.empty() || !listener.tls.key_file.empty();
    if (listener.use_tls && !has_files) { listener.tls = draft.loaded.config.tls.pair; }
    const bool is_missing = listener.use_tls && !has_files && !listener.tls.is_set();
    listener.use_tls = listener.tls.is_set();
    if (!is_missing) { return; }
    draft.fail(entry.origin, entry.name + ".tls", "set certificate and key in [tls] for this");
}

// Half of what makes a certificate count would let in too many, or nobody.
void apply_client_certificates(
    const ListenerDraft& own,
    const ListenerPlace& place,
    const TlsKeys& shared,
    tls::ServerFiles& files
) {
    files.client_certificates = own.client_certificates;
    if (own.client_certificates == ClientCertificates::off) {
        const char* const wanted = "set client_certificates to optional or required for this";
        if (!own.client_ca.empty()) { place.fail("client_ca", wanted); }
        if (own.crl && !own.crl->empty()) { place.fail("crl", wanted); }
        return;
    }
    files.client_ca_file = own.client_ca.empty() ? shared.client_ca_file : own.client_ca;
    files.crl_files = own.crl.value_or(shared.crl_files);
    if (!own.use_tls) {
        place.fail("client_certificates", "only TLS has certificates: set tls = true");
    }
    if (files.client_ca_file.empty()) {
        place.fail(
            "client_certificates",
            "name the file of those who issue them in client_ca, here or in [tls]"
        );
    }
    if (std::ranges::find(files.crl_files, "") != files.crl_files.end()) {
        place.fail("crl", "a file without a name is none");
    }
}

engine::CredentialSources sources_of(const Strings& names, const ListenerPlace& place) {
    engine::CredentialSources on;
    for (const std::string& name : names) {
        const auto found =
            std::ranges::find(sources, name, &std::pair<std::string_view, CredentialSource>::first);
        if (found != sources.end()) {
            on.add(found->second);
            continue;
        }
        place.fail(
            "credentials",
            quote(std::string_view(name).substr(0, 100)) +
                ": expected certificate, upgrade, authorization or passcode"
        );
    }
    if (names.empty()) { place.fail("credentials", "without any nobody could come in: list one"); }
    return on;
}

}  // namespace

std::vector<tls::PairFiles> TlsKeys::pairs() const {
    if (!pair.is_set()) { return {}; }
    std::vector<tls::PairFiles> all{pair};
    all.insert(all.end(), more_pairs.begin(), more_pairs.end());
    return all;
}

void settle_shared_tls(Draft& draft) {
    TlsKeys& shared = draft.loaded.config.tls;
    check_pair(draft, draft.origin_of("tls.certificate"), "tls", shared.pair);
    for (const auto& entry : draft.tls_pairs) {
        if (!shared.pair.is_set()) {
            draft.fail(entry.origin, entry.name, "the first pair is tls.certificate and tls.key");
        } else if (!entry.value.is_set() && entry.value.key_file.empty()) {
            draft.fail(entry.origin, entry.name, "name its certificate and key");
        } else if (shared.more_pairs.size() == pairs_max) {
            return draft.fail(entry.origin, entry.name, "there are more than 256 pairs");
        } else if (check_pair(draft, entry.origin, entry.name, entry.value)) {
            shared.more_pairs.push_back(entry.value);
        }
    }
}

void apply_tls(Draft& draft, Entry<ListenerDraft>& entry, transport::ListenerOptions& options) {
    const ListenerPlace place(draft, entry);
    const TlsKeys& shared = draft.loaded.config.tls;
    settle_pair(draft, entry);
    const ListenerDraft& own = entry.value;
    if (own.use_tls) {
        options.tls.pairs =
            own.tls == shared.pair ? shared.pairs() : std::vector<tls::PairFiles>{own.tls};
        options.tls.strict_file_modes = draft.loaded.config.strict_file_modes;
    }
    apply_client_certificates(own, place, shared, options.tls);
    options.sources = sources_of(own.credentials, place);
}

}  // namespace server
