// [[tls.pair]], [[certificate]], and what listeners say of certificates and credentials: as
// written, as inherited, and what is wrong with it (S-AUTH-03, S-AUTH-13, S-TLS-03, S-BIND-05).
#include "broker/server/config.hpp"
#include "tests/server/temporary_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace server {
namespace {

using engine::CredentialSource;
using testing::HasSubstr;
using tls::ClientCertificates;

LoadedConfig load(std::string_view toml) {
    const TemporaryFile file(toml);
    Flags flags;
    flags.config = file.path();
    return load_config(flags, [](const char*) -> const char* { return nullptr; });
}

std::string error_of(std::string_view toml) {
    const LoadedConfig loaded = load(toml);
    EXPECT_EQ(loaded.errors.size(), 1U) << toml;
    return loaded.errors.empty() ? "" : loaded.errors.front().text();
}

const std::string shared =
    "[tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\nclient_ca = \"ca.pem\"\ncrl = [\"1.crl\", "
    "\"2.crl\"]\n"
    "[[tls.pair]]\ncertificate = \"b.pem\"\nkey = \"b.key\"\n";

const std::string listener = "[[listener]]\nkind = \"tcp\"\naddress = \"127.0.0.1:0\"\n";

const std::string good =
    shared + listener + "tls = true\nclient_certificates = \"required\"\n" + listener +
    "tls_certificate = \"c.pem\"\ntls_key = \"c.key\"\nclient_certificates = \"optional\"\n"
    "client_ca = \"other.pem\"\ncrl = []\ncredentials = [\"certificate\", \"passcode\"]\n" +
    listener +
    "[[certificate]]\nidentity = \"uri:spiffe://x/y\"\nuser = \"anna\"\nroles = [\"r\"]\n";

void expect_good(const LoadedConfig& loaded) {
    ASSERT_TRUE(loaded.ok()) << loaded.errors.front().text();
    ASSERT_EQ(loaded.config.listeners.size(), 3U);
    tls::ServerFiles files;
    files.pairs = {{"a.pem", "a.key"}, {"b.pem", "b.key"}};
    files.client_certificates = ClientCertificates::required;
    files.client_ca_file = "ca.pem";
    files.crl_files = {"1.crl", "2.crl"};
    EXPECT_EQ(loaded.config.listeners[0].tls, files);
    files.pairs = {{"c.pem", "c.key"}};
    files.client_certificates = ClientCertificates::optional;
    files.client_ca_file = "other.pem";
    files.crl_files = {};
    EXPECT_EQ(loaded.config.listeners[1].tls, files);
    EXPECT_EQ(loaded.config.listeners[2].tls, tls::ServerFiles());
    const std::vector<security::CertificateUser> users{{"uri:spiffe://x/y", "anna", {"r"}}};
    EXPECT_EQ(loaded.config.auth.certificates, users);
    EXPECT_TRUE(loaded.config.auth.is_set());
}

}  // namespace

TEST(ConfigTls, S_AUTH_13_AsWrittenAndInherited) {
    expect_good(load(good));
}

TEST(ConfigTls, S_AUTH_13_PrintedOnesLoadAgain) {
    const std::string printed = effective_config_text(load(good));
    EXPECT_THAT(printed, HasSubstr("[[tls.pair]]\ncertificate = \"b.pem\"  # "));
    expect_good(load(printed));
    EXPECT_THAT(default_config_text(), HasSubstr("#[[tls.pair]]\n"));
    EXPECT_THAT(default_config_text(), HasSubstr("#[[certificate]]\n"));
}

TEST(ConfigTls, S_AUTH_03_SourcesOfEachListener) {
    const LoadedConfig loaded = load(good);
    const auto& first = loaded.config.listeners.at(0).sources;
    const auto& second = loaded.config.listeners.at(1).sources;
    using enum CredentialSource;
    for (const CredentialSource source : {certificate, upgrade, authorization, passcode}) {
        EXPECT_TRUE(first.has(source));
        EXPECT_EQ(second.has(source), source == certificate || source == passcode);
    }
    EXPECT_THAT(error_of(listener + "credentials = [\"cookie\"]\n"), HasSubstr("\"cookie\""));
    EXPECT_THAT(error_of(listener + "credentials = []\n"), HasSubstr("nobody could come in"));
}

// Where clients are asked, nobody is let in as a guest, whether or not anybody is listed.
TEST(ConfigTls, S_BIND_02_AskingForCertificatesIsAuthentication) {
    const std::string asks = shared + listener + "tls = true\nclient_certificates = \"optional\"\n";
    EXPECT_TRUE(load(asks).config.auth.is_set());
    EXPECT_THAT(load(asks).warnings, testing::Contains(HasSubstr("whoever shows one is refused")));
    EXPECT_FALSE(load(asks + "credentials = [\"passcode\"]\n").config.auth.is_set());
}

TEST(ConfigTls, S_BIND_05_FaultsHaveTheirPlace) {
    const std::string with_tls = shared + listener + "tls = true\n";
    EXPECT_THAT(
        error_of(listener + "client_certificates = \"required\"\nclient_ca = \"ca.pem\"\n"),
        HasSubstr("listener[0].client_certificates: only TLS has certificates")
    );
    EXPECT_THAT(
        error_of(
            listener + "tls_certificate = \"c.pem\"\ntls_key = \"c.key\"\n"
                       "client_certificates = \"required\"\n"
        ),
        HasSubstr(":6:23: listener[0].client_certificates: name the file")
    );
    EXPECT_THAT(error_of(with_tls + "client_ca = \"x.pem\"\n"), HasSubstr("listener[0].client_ca"));
    EXPECT_THAT(error_of(with_tls + "crl = [\"x.crl\"]\n"), HasSubstr("listener[0].crl"));
    EXPECT_THAT(
        error_of(with_tls + "client_certificates = \"optional\"\ncrl = [\"\"]\n"),
        HasSubstr("listener[0].crl")
    );
    EXPECT_THAT(
        error_of(shared + "[[tls.pair]]\ncertificate = \"c.pem\"\n"),
        HasSubstr("tls.pair[1]: a certificate needs its key")
    );
    EXPECT_THAT(error_of(shared + "[[tls.pair]]\n"), HasSubstr("tls.pair[1]: name its"));
    EXPECT_THAT(
        error_of("[[tls.pair]]\ncertificate = \"c.pem\"\nkey = \"c.key\"\n"),
        HasSubstr("tls.pair[0]: the first pair is tls.certificate")
    );
    EXPECT_THAT(error_of(shared + "cert = 1\n"), HasSubstr("did you mean"));
    EXPECT_THAT(error_of("[tls]\npair = 1\n"), HasSubstr("write [[tls.pair]]"));
}

TEST(ConfigTls, S_AUTH_13_FaultsOfUsersHaveTheirPlace) {
    const std::string entry = "[[certificate]]\nidentity = \"dn:CN=a\"\nuser = \"anna\"\n";
    EXPECT_THAT(
        error_of("[[certificate]]\nuser = \"anna\"\n"),
        HasSubstr("certificate[0].identity: expected")
    );
    EXPECT_THAT(
        error_of(entry + "[[certificate]]\nidentity = \"dn:CN=b\"\nuser = \"a/b\"\n"),
        HasSubstr(":6:8: certificate[1].user: ")
    );
    EXPECT_THAT(error_of(entry + entry), HasSubstr("certificate[1].identity: "));
    EXPECT_THAT(error_of(entry + "roles = [\"x\", \"x\"]\n"), HasSubstr("certificate[0].roles: "));
}

TEST(ConfigTls, S_TLS_03_PairsAreBounded) {
    std::string many = shared;
    for (int i = 0; i < 255; ++i) {
        many += "[[tls.pair]]\ncertificate = \"c.pem\"\nkey = \"c.key\"\n";
    }
    EXPECT_TRUE(load(many).ok());
    EXPECT_THAT(
        error_of(many + "[[tls.pair]]\ncertificate = \"c.pem\"\nkey = \"c.key\"\n"),
        HasSubstr("more than 256 pairs")
    );
}

}  // namespace server
