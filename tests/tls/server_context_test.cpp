// Certificates are exchanged while connections go on (S-TLS-03).
#include "broker/tls/server_context.hpp"

#include "tests/tls/certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace tls {
namespace {

namespace fs = std::filesystem;

class Exchange : public testing::Test {
protected:
    void use(const Certificate& certificate) {
        put(certificate.certificate_file(), place.certificate_file());
        put(certificate.key_file(), place.key_file());
    }

    // As tools do that renew certificates: never half a file.
    static void put(const std::string& from, const std::string& to) {
        fs::copy_file(from, to + ".new", fs::copy_options::overwrite_existing);
        fs::rename(to + ".new", to);
    }

    static bool serves(const std::shared_ptr<SSL_CTX>& context, const Certificate& certificate) {
        const auto other = make_server_context(certificate.files()).context;
        return X509_cmp(
                   SSL_CTX_get0_certificate(context.get()), SSL_CTX_get0_certificate(other.get())
               ) == 0;
    }

    Certificate place;  ///< Whose files are exchanged.
    Certificate first;
    Certificate second;
};

}  // namespace

TEST_F(Exchange, S_TLS_03_ANewPairIsForNewHandshakes) {
    use(first);
    ServerContext context(place.files());
    const auto before = context.current();
    EXPECT_TRUE(serves(before, first));
    EXPECT_FALSE(context.has_changed());
    use(second);
    EXPECT_TRUE(context.has_changed());
    context.reload();
    EXPECT_FALSE(context.has_changed());
    EXPECT_TRUE(serves(context.current(), second));
    EXPECT_TRUE(serves(before, first));
}

TEST_F(Exchange, S_TLS_03_ABadPairKeepsTheOldOne) {
    use(first);
    ServerContext context(place.files());
    put(second.key_file(), place.key_file());
    EXPECT_TRUE(context.has_changed());
    EXPECT_THROW(context.reload(), Error);
    EXPECT_TRUE(serves(context.current(), first));
    // It is not tried again before something changes.
    EXPECT_FALSE(context.has_changed());
    put(second.certificate_file(), place.certificate_file());
    EXPECT_TRUE(context.has_changed());
    context.reload();
    EXPECT_TRUE(serves(context.current(), second));
}

TEST_F(Exchange, S_TLS_03_WhatIsMissingIsWaitedFor) {
    use(first);
    ServerContext context(place.files());
    fs::remove(place.key_file());
    EXPECT_FALSE(context.has_changed());
    EXPECT_THROW(context.reload(), Error);
    EXPECT_TRUE(serves(context.current(), first));
    use(second);
    EXPECT_TRUE(context.has_changed());
}

TEST_F(Exchange, S_BIND_05_ABadPairAtTheStartIsAnError) {
    ServerFiles files;
    files.pairs = {{first.certificate_file(), second.key_file()}};
    EXPECT_THROW(ServerContext{files}, Error);
}

}  // namespace tls
