// What TLS contexts negotiate and refuse; client and server talk through memory.
#include "broker/tls/context.hpp"
#include "tests/tls/certificates.hpp"
#include "tests/tls/handshake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <string>

namespace tls {
namespace {

using testing::HasSubstr;
using ContextRef = std::shared_ptr<SSL_CTX>;

// A client that accepts any certificate, to be told what else to do.
ContextRef open_client() {
    ContextRef context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);
    return context;
}

std::string alpn_of(SSL* ssl) {
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl, &name, &size);
    return std::string(name, name + size);
}

// What Error says when `make` throws it.
template <class Make>
std::string refusal(Make make) {
    try {
        static_cast<void>(make());
    } catch (const Error& error) { return error.what(); }
    ADD_FAILURE() << "nothing was refused";
    return {};
}

std::string server_refusal(const std::string& certificate_file, const std::string& key_file) {
    return refusal([&] {
        ServerFiles files;
        files.pairs = {{certificate_file, key_file}};
        return make_server_context(files);
    });
}

std::string client_refusal(const std::string& ca_file) {
    return refusal([&] { return make_client_context(ca_file); });
}

class Tls : public testing::Test {
protected:
    [[nodiscard]] ContextRef server() const { return make_server_context(files_.files()).context; }

    [[nodiscard]] bool accepts_version(int version) const {
        const ContextRef client = open_client();
        SSL_CTX_set_min_proto_version(client.get(), version);
        SSL_CTX_set_max_proto_version(client.get(), version);
        return Pair(client, server()).shakes_hands();
    }

    [[nodiscard]] bool accepts_suite(const char* name) const {
        const ContextRef client = open_client();
        SSL_CTX_set_max_proto_version(client.get(), TLS1_2_VERSION);
        EXPECT_EQ(SSL_CTX_set_cipher_list(client.get(), name), 1) << name;
        return Pair(client, server()).shakes_hands();
    }

    Certificate files_;
};

TEST_F(Tls, S_TLS_01_OnlyVersions12And13) {
    EXPECT_TRUE(accepts_version(TLS1_2_VERSION));
    EXPECT_TRUE(accepts_version(TLS1_3_VERSION));
    EXPECT_FALSE(accepts_version(TLS1_1_VERSION));
    EXPECT_FALSE(accepts_version(TLS1_VERSION));
}

TEST_F(Tls, S_TLS_01_OnlyEcdheAeadSuitesIn12) {
    EXPECT_TRUE(accepts_suite("ECDHE-ECDSA-AES128-GCM-SHA256"));
    EXPECT_TRUE(accepts_suite("ECDHE-ECDSA-CHACHA20-POLY1305"));
    EXPECT_FALSE(accepts_suite("ECDHE-ECDSA-AES128-SHA256"));
    EXPECT_FALSE(accepts_suite("ECDHE-ECDSA-AES256-SHA"));
    EXPECT_FALSE(accepts_suite("AES128-GCM-SHA256"));
    EXPECT_FALSE(accepts_suite("DHE-RSA-AES128-GCM-SHA256"));
}

TEST_F(Tls, S_TLS_01_NoCompressionRenegotiationOrTickets) {
    const ContextRef context = server();
    const std::uint64_t wanted = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET;
    EXPECT_EQ(SSL_CTX_get_options(context.get()) & wanted, wanted);
    EXPECT_EQ(SSL_CTX_get_num_tickets(context.get()), 0U);
}

TEST_F(Tls, S_TLS_01_RenegotiationByTheClientIsRefused) {
    const ContextRef client = open_client();
    SSL_CTX_set_max_proto_version(client.get(), TLS1_2_VERSION);
    Pair pair(client, server());
    ASSERT_TRUE(pair.shakes_hands());
    ASSERT_EQ(SSL_renegotiate(pair.client()), 1);
    EXPECT_FALSE(pair.shakes_hands());
}

TEST_F(Tls, S_TLS_01_ChoosesHttp11IfOffered) {
    Pair pair(open_client(), server());
    const unsigned char offer[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(pair.client(), offer, sizeof(offer) - 1);
    ASSERT_TRUE(pair.shakes_hands());
    EXPECT_EQ(alpn_of(pair.server()), "http/1.1");
    EXPECT_EQ(alpn_of(pair.client()), "http/1.1");
}

TEST_F(Tls, S_TLS_01_AnotherAlpnOrNoneIsNoFailure) {
    Pair without(open_client(), server());
    EXPECT_TRUE(without.shakes_hands());
    Pair other(open_client(), server());
    const unsigned char offer[] = "\x05stomp";
    SSL_set_alpn_protos(other.client(), offer, sizeof(offer) - 1);
    EXPECT_TRUE(other.shakes_hands());
    EXPECT_EQ(alpn_of(other.server()), "");
}

TEST_F(Tls, HasTheModesThatTheStreamReliesOn) {
    const long modes = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                       SSL_MODE_RELEASE_BUFFERS;
    EXPECT_EQ(SSL_CTX_get_mode(server().get()) & modes, modes);
    EXPECT_EQ(SSL_CTX_get_mode(make_client_context().get()) & modes, modes);
}

TEST_F(Tls, S_BIND_05_MissingFilesAreNamed) {
    const std::string missing = files_.certificate_file() + ".missing";
    EXPECT_THAT(server_refusal(missing, files_.key_file()), HasSubstr(missing));
    const std::string error = server_refusal(files_.certificate_file(), missing);
    EXPECT_THAT(error, HasSubstr(missing));
    EXPECT_THAT(error, HasSubstr("No such file"));
    EXPECT_THAT(client_refusal(missing), HasSubstr(missing));
}

TEST_F(Tls, S_BIND_05_FilesThatAreNotPemAreNamed) {
    for (const char* const text : {"", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n"}) {
        const std::string file = files_.file_with(text);
        EXPECT_THAT(server_refusal(file, files_.key_file()), HasSubstr(file));
        EXPECT_THAT(server_refusal(files_.certificate_file(), file), HasSubstr(file));
        EXPECT_THAT(client_refusal(file), HasSubstr(file));
    }
}

TEST_F(Tls, S_BIND_05_AForeignKeyIsRefused) {
    const Certificate other;
    const std::string error = server_refusal(files_.certificate_file(), other.key_file());
    EXPECT_THAT(error, HasSubstr("does not belong to the certificate"));
    EXPECT_THAT(error, HasSubstr(other.key_file()));
}

TEST_F(Tls, S_BIND_05_AKeyWithPassphraseIsRefusedWithoutAsking) {
    const std::string error =
        server_refusal(files_.certificate_file(), files_.encrypted_key_file());
    EXPECT_THAT(error, HasSubstr("without passphrase"));
}

TEST_F(Tls, S_TLS_04_TheClientAcceptsATrustedCertificateOfTheRightName) {
    for (const char* const name : {"localhost", "127.0.0.1"}) {
        Pair pair(make_client_context(files_.certificate_file()), server());
        set_peer_name(*pair.client(), name);
        EXPECT_TRUE(pair.shakes_hands()) << name;
    }
}

TEST_F(Tls, S_TLS_04_TheClientRefusesAnotherName) {
    for (const char* const name : {"example.org", "127.0.0.2", "host.localhost"}) {
        Pair pair(make_client_context(files_.certificate_file()), server());
        set_peer_name(*pair.client(), name);
        EXPECT_FALSE(pair.shakes_hands()) << name;
    }
}

TEST_F(Tls, S_TLS_04_TheClientRefusesAnUnknownIssuer) {
    const Certificate other;
    Pair with_other_ca(make_client_context(other.certificate_file()), server());
    EXPECT_FALSE(with_other_ca.shakes_hands());
    Pair with_system_ca(make_client_context(), server());
    EXPECT_FALSE(with_system_ca.shakes_hands());
}

TEST_F(Tls, S_TLS_04_ImpossibleNamesAreRefused) {
    Pair pair(make_client_context(), server());
    EXPECT_THROW(set_peer_name(*pair.client(), ""), Error);
    EXPECT_THROW(set_peer_name(*pair.client(), std::string("localhost\0.org", 14)), Error);
    EXPECT_THROW(set_peer_name(*pair.client(), std::string(300, 'a')), Error);
}

TEST_F(Tls, S_TLS_03_WarnsAboutKeysThatOthersMayRead) {
    using std::filesystem::perms;
    const auto warnings_at = [&](unsigned mode) {
        std::filesystem::permissions(files_.key_file(), static_cast<perms>(mode));
        return make_server_context(files_.files()).warnings;
    };
    for (const unsigned mode : {0600U, 0640U, 0400U, 0440U}) {
        EXPECT_TRUE(warnings_at(mode).empty()) << mode;
    }
    for (const unsigned mode : {0644U, 0604U, 0660U, 0740U, 0777U}) {
        EXPECT_EQ(warnings_at(mode).size(), 1U) << mode;
    }
    EXPECT_THAT(warnings_at(0644).front(), HasSubstr("has mode 0644"));
    EXPECT_THAT(warnings_at(0644).front(), HasSubstr("chmod 0640"));
}

TEST_F(Tls, S_TLS_03_StrictModesRefuseThemForEachPair) {
    const Certificate other;
    std::filesystem::permissions(other.key_file(), static_cast<std::filesystem::perms>(0644));
    ServerFiles files = files_.files();
    files.pairs.push_back(other.files().pairs.front());
    EXPECT_EQ(make_server_context(files).warnings.size(), 1U);
    files.strict_file_modes = true;
    EXPECT_THAT(refusal([&] { return make_server_context(files); }), HasSubstr(other.key_file()));
}

}  // namespace
}  // namespace tls
