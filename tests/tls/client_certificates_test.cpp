// Which client certificates a listener takes, what its files must be, and revocation (S-AUTH-13).
#include "broker/tls/server_context.hpp"
#include "tests/tls/authority.hpp"
#include "tests/tls/certificates.hpp"
#include "tests/tls/handshake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace tls {
namespace {

using testing::HasSubstr;

class ClientCertificatesTest : public testing::Test {
protected:
    [[nodiscard]] ServerFiles files(ClientCertificates mode) const {
        ServerFiles files = server.files();
        files.client_certificates = mode;
        files.client_ca_file = authority.ca_file();
        return files;
    }

    [[nodiscard]] static Recipe named(const std::string& name) {
        Recipe recipe;
        recipe.subject = {{NID_commonName, name}};
        return recipe;
    }

    /// A client that trusts the server, with `issued` or, if null, without a certificate.
    [[nodiscard]] std::shared_ptr<SSL_CTX> client(const Issued* issued) const {
        auto context = make_client_context(server.certificate_file());
        if (issued != nullptr) {
            EXPECT_EQ(SSL_CTX_use_certificate(context.get(), issued->certificate.get()), 1);
            EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), issued->key.get()), 1);
        }
        return context;
    }

    [[nodiscard]] bool is_taken(const std::shared_ptr<SSL_CTX>& context, const Issued* issued)
        const {
        return Pair(client(issued), context).shakes_hands();
    }

    [[nodiscard]] bool is_taken(const ServerFiles& by, const Issued* issued) const {
        return is_taken(make_server_context(by).context, issued);
    }

    static std::string refusal(const ServerFiles& files) {
        try {
            static_cast<void>(make_server_context(files));
        } catch (const Error& error) { return error.what(); }
        ADD_FAILURE() << "nothing was refused";
        return {};
    }

    const Certificate server;
    const Authority authority;
    const Issued anna = authority.issue(named("anna"));
};

}  // namespace

TEST_F(ClientCertificatesTest, S_AUTH_13_OffOptionalAndRequired) {
    const ServerFiles off = server.files();
    const ServerFiles optional = files(ClientCertificates::optional);
    const ServerFiles required = files(ClientCertificates::required);
    EXPECT_TRUE(is_taken(off, nullptr));
    EXPECT_TRUE(is_taken(optional, nullptr));
    EXPECT_FALSE(is_taken(required, nullptr));
    EXPECT_TRUE(is_taken(optional, &anna));
    EXPECT_TRUE(is_taken(required, &anna));
    Pair pair(client(&anna), make_server_context(off).context);
    ASSERT_TRUE(pair.shakes_hands());
    EXPECT_EQ(SSL_get0_peer_certificate(pair.server()), nullptr);
}

TEST_F(ClientCertificatesTest, S_AUTH_13_WhatIsGivenMustBeValid) {
    Recipe late = named("anna");
    late.begins_s = -7200;
    late.ends_s = -3600;
    Recipe early = named("anna");
    early.begins_s = 3600;
    early.ends_s = 7200;
    const Authority other;  // Of the same name.
    const Issued by_a_client = Authority::issue_by(anna, named("anna"));
    for (const auto mode : {ClientCertificates::optional, ClientCertificates::required}) {
        const auto context = make_server_context(files(mode)).context;
        for (const Issued& issued :
             {authority.issue(late),
              authority.issue(early),
              other.issue(named("anna")),
              by_a_client}) {
            EXPECT_FALSE(is_taken(context, &issued));
        }
        EXPECT_TRUE(is_taken(context, &anna));
    }
}

TEST_F(ClientCertificatesTest, S_AUTH_13_ARevokedOneIsRefused) {
    ServerFiles with_crl = files(ClientCertificates::optional);
    with_crl.crl_files = {authority.write_crl({})};
    const Issued bert = authority.issue(named("bert"));
    ServerContext context(with_crl);
    EXPECT_TRUE(context.warnings().empty());
    EXPECT_TRUE(is_taken(context.current(), &anna));
    authority.write_crl({anna});
    EXPECT_TRUE(context.has_changed());
    context.reload();
    EXPECT_FALSE(is_taken(context.current(), &anna));
    EXPECT_TRUE(is_taken(context.current(), &bert));
    EXPECT_TRUE(is_taken(context.current(), nullptr));
}

TEST_F(ClientCertificatesTest, S_AUTH_13_AnOutdatedCrlRefusesAndIsTold) {
    ServerFiles with_crl = files(ClientCertificates::optional);
    with_crl.crl_files = {authority.write_crl({}, -60)};
    const ServerSide side = make_server_context(with_crl);
    ASSERT_EQ(side.warnings.size(), 1U);
    EXPECT_THAT(side.warnings.front(), HasSubstr(authority.crl_file()));
    EXPECT_FALSE(is_taken(side.context, &anna));
}

TEST_F(ClientCertificatesTest, S_AUTH_13_ACrlOfAnotherCaRefuses) {
    const Authority other("Other CA");
    ServerFiles with_crl = files(ClientCertificates::optional);
    with_crl.crl_files = {other.write_crl({})};
    EXPECT_FALSE(is_taken(with_crl, &anna));
}

TEST_F(ClientCertificatesTest, S_BIND_05_HalfOfItIsRefused) {
    ServerFiles without_ca = files(ClientCertificates::required);
    without_ca.client_ca_file.clear();
    EXPECT_THAT(refusal(without_ca), HasSubstr("client_ca"));
    ServerFiles not_asked = files(ClientCertificates::off);
    EXPECT_THAT(refusal(not_asked), HasSubstr("client_certificates"));
    not_asked.client_ca_file.clear();
    not_asked.crl_files = {authority.write_crl({})};
    EXPECT_THAT(refusal(not_asked), HasSubstr("client_certificates"));
}

TEST_F(ClientCertificatesTest, S_BIND_05_BadFilesAreNamed) {
    const std::string folder = authority.folder().string();
    std::ifstream whole_crl(authority.write_crl({}));
    const std::string crl{std::istreambuf_iterator<char>(whole_crl), {}};
    std::ifstream whole_ca(authority.ca_file());
    const std::string ca{std::istreambuf_iterator<char>(whole_ca), {}};
    const auto both_refuse = [&](const std::string& file) {
        ServerFiles bad = files(ClientCertificates::optional);
        bad.crl_files = {file};
        EXPECT_THAT(refusal(bad), HasSubstr(file));
        bad.crl_files.clear();
        bad.client_ca_file = file;
        EXPECT_THAT(refusal(bad), HasSubstr(file));
    };
    both_refuse(folder + "/missing.pem");
    both_refuse(folder);
    for (const std::string& text :
         {std::string(),
          std::string("\n\n"),
          std::string("garbage"),
          "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" + ca.substr(0, ca.size() / 2),
          crl + crl.substr(0, crl.size() / 2) + ca.substr(0, ca.size() / 2)}) {
        both_refuse(server.file_with(text));
    }
    // A good one with half of another behind it is not whole.
    ServerFiles bad = files(ClientCertificates::optional);
    bad.client_ca_file = server.file_with(ca + ca.substr(0, ca.size() / 2));
    EXPECT_THAT(refusal(bad), HasSubstr(bad.client_ca_file));
}

TEST_F(ClientCertificatesTest, S_BIND_05_ABadFileKeepsTheOldOnes) {
    ServerFiles with_crl = files(ClientCertificates::required);
    with_crl.crl_files = {authority.write_crl({})};
    ServerContext context(with_crl);
    for (const std::string& file : {authority.crl_file(), authority.ca_file()}) {
        const std::string kept = file + ".kept";
        std::filesystem::copy_file(file, kept);
        std::ofstream(file) << "garbage";
        EXPECT_TRUE(context.has_changed()) << file;
        EXPECT_THROW(context.reload(), Error) << file;
        EXPECT_TRUE(is_taken(context.current(), &anna)) << file;
        EXPECT_FALSE(is_taken(context.current(), nullptr)) << file;
        std::filesystem::remove(file);
        EXPECT_FALSE(context.has_changed()) << file;
        std::filesystem::rename(kept, file);
        EXPECT_TRUE(context.has_changed()) << file;
        context.reload();
    }
}

TEST_F(ClientCertificatesTest, S_AUTH_13_AChainIsBounded) {
    const auto authority_of = [](int level) {
        Recipe recipe = named("CA " + std::to_string(level));
        recipe.is_authority = true;
        return recipe;
    };
    const auto length = [&](int intermediates) {
        Issued issuer = authority.issue(authority_of(0));
        std::vector<Issued> chain{issuer};
        for (int i = 1; i < intermediates; ++i) {
            issuer = Authority::issue_by(issuer, authority_of(i));
            chain.push_back(issuer);
        }
        const Issued last = Authority::issue_by(issuer, named("anna"));
        const auto asking = client(&last);
        for (const Issued& one : chain) {
            SSL_CTX_ctrl(asking.get(), SSL_CTRL_CHAIN_CERT, 1, one.certificate.get());
        }
        const auto context = make_server_context(files(ClientCertificates::required)).context;
        return Pair(asking, context).shakes_hands();
    };
    EXPECT_TRUE(length(3));
    EXPECT_FALSE(length(12));
}

}  // namespace tls
