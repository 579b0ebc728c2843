// The certificate that a client gets is the one of the name that it asks for (S-TLS-03).
#include "broker/tls/server_context.hpp"
#include "tests/tls/authority.hpp"
#include "tests/tls/handshake.hpp"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <cstddef>
#include <string>
#include <vector>

namespace tls {
namespace {

class ServerNamesTest : public testing::Test {
protected:
    void serve(const std::vector<std::string>& names) {
        Recipe recipe;
        for (const std::string& name : names) {
            recipe.names.emplace_back(GEN_DNS, name);
        }
        const Issued issued = authority.issue(recipe);
        files.pairs.push_back(authority.write(std::to_string(served.size()), issued));
        served.push_back(issued);
    }

    [[nodiscard]] static std::shared_ptr<SSL_CTX> open_client() {
        return {SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
    }

    static void ask_for(Pair& pair, std::string name) {
        SSL_ctrl(
            pair.client(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()
        );
    }

    /// Which of those served it gets.
    std::size_t got(const std::shared_ptr<SSL_CTX>& context, const std::string& name) {
        Pair pair(open_client(), context);
        if (!name.empty()) { ask_for(pair, name); }
        EXPECT_TRUE(pair.shakes_hands()) << name;
        const X509* const certificate = SSL_get0_peer_certificate(pair.client());
        for (std::size_t i = 0; i < served.size(); ++i) {
            if (X509_cmp(served[i].certificate.get(), certificate) == 0) { return i; }
        }
        return served.size();
    }

    static bool takes(
        const std::shared_ptr<SSL_CTX>& server, const std::string& name, const Issued& issued
    ) {
        const auto client = open_client();
        SSL_CTX_use_certificate(client.get(), issued.certificate.get());
        SSL_CTX_use_PrivateKey(client.get(), issued.key.get());
        Pair pair(client, server);
        if (!name.empty()) { ask_for(pair, name); }
        return pair.shakes_hands();
    }

    const Authority authority;
    ServerFiles files;
    std::vector<Issued> served;
};

}  // namespace

TEST_F(ServerNamesTest, S_TLS_03_ByNameOrOneLevelOfAWildcard) {
    serve({"broker.example.org"});
    serve({"Other.Example.org", "third.example.org"});
    serve({"*.wild.example.org", "*.example.org"});
    const auto context = make_server_context(files).context;
    EXPECT_EQ(got(context, ""), 0U);
    EXPECT_EQ(got(context, "broker.example.org"), 0U);
    EXPECT_EQ(got(context, "other.example.org"), 1U);
    EXPECT_EQ(got(context, "OTHER.example.ORG"), 1U);
    EXPECT_EQ(got(context, "third.example.org"), 1U);
    EXPECT_EQ(got(context, "any.example.org"), 2U);
    EXPECT_EQ(got(context, "a.wild.example.org"), 2U);
    // Two levels, none, another domain, the wildcard itself: the first.
    for (const char* const name :
         {"a.b.example.org",
          "example.org",
          "a.b.wild.example.org",
          "example.com",
          "localhost",
          ".example.org",
          "evil-other.example.org.evil"}) {
        EXPECT_EQ(got(context, name), 0U) << name;
    }
}

TEST_F(ServerNamesTest, S_TLS_03_TheFirstWithANameHasIt) {
    serve({"a.example.org", "b.example.org"});
    serve({"b.example.org", "c.example.org"});
    serve({"c.example.org"});
    const auto context = make_server_context(files).context;
    EXPECT_EQ(got(context, "b.example.org"), 0U);
    EXPECT_EQ(got(context, "c.example.org"), 1U);
}

TEST_F(ServerNamesTest, S_TLS_03_NamesOutliveAnExchange) {
    serve({"a.example.org"});
    serve({"b.example.org"});
    ServerContext context(files);
    // A handshake that began before the exchange, and whose name arrives after it.
    Pair pair(open_client(), context.current());
    ask_for(pair, "b.example.org");
    context.reload();
    ASSERT_TRUE(pair.shakes_hands());
    EXPECT_EQ(X509_cmp(SSL_get0_peer_certificate(pair.client()), served[1].certificate.get()), 0);
}

TEST_F(ServerNamesTest, S_TLS_03_OneBadPairKeepsAll) {
    serve({"a.example.org"});
    serve({"b.example.org"});
    ServerContext context(files);
    const Issued other = authority.issue({});
    static_cast<void>(authority.write("spare", other));
    std::filesystem::copy_file(
        authority.folder() / "spare-key.pem",
        files.pairs[1].key_file,
        std::filesystem::copy_options::overwrite_existing
    );
    EXPECT_TRUE(context.has_changed());
    EXPECT_THROW(context.reload(), Error);
    EXPECT_EQ(got(context.current(), "b.example.org"), 1U);
}

TEST_F(ServerNamesTest, CVE_2021_32026_EachPairHasTheSameRules) {
    serve({"a.example.org"});
    serve({"b.example.org"});
    files.client_certificates = ClientCertificates::required;
    files.client_ca_file = authority.ca_file();
    const auto strict = make_server_context(files).context;
    files.client_certificates = ClientCertificates::off;
    files.client_ca_file.clear();
    const auto context = make_server_context(files).context;
    for (const char* const name : {"", "a.example.org", "b.example.org"}) {
        const auto shakes_hands = [&](const auto& server, const char* suites, int version) {
            const auto client = open_client();
            SSL_CTX_set_security_level(client.get(), 0);
            SSL_CTX_set_min_proto_version(client.get(), version);
            SSL_CTX_set_max_proto_version(client.get(), version);
            EXPECT_EQ(SSL_CTX_set_cipher_list(client.get(), suites), 1);
            Pair pair(client, server);
            if (*name != '\0') { ask_for(pair, name); }
            return pair.shakes_hands();
        };
        EXPECT_TRUE(shakes_hands(context, "ALL", TLS1_3_VERSION)) << name;
        EXPECT_TRUE(shakes_hands(context, "ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION)) << name;
        EXPECT_FALSE(shakes_hands(context, "ECDHE-ECDSA-AES128-SHA256", TLS1_2_VERSION)) << name;
        EXPECT_FALSE(shakes_hands(context, "ECDHE-ECDSA-AES256-SHA", TLS1_2_VERSION)) << name;
        EXPECT_FALSE(shakes_hands(context, "ALL", TLS1_1_VERSION)) << name;
        // And asks for the same, of the same authorities.
        EXPECT_TRUE(takes(strict, name, authority.issue({}))) << name;
        EXPECT_FALSE(takes(strict, name, Authority("Other CA").issue({}))) << name;
        EXPECT_FALSE(shakes_hands(strict, "ALL", TLS1_2_VERSION)) << name;
        EXPECT_FALSE(shakes_hands(strict, "ALL", TLS1_3_VERSION)) << name;
    }
}

}  // namespace tls
