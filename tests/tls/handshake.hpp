// A client and a server that shake hands in memory.
// Twenty steps are enough for every handshake that is tested.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

namespace tls {

// A client and a server joined by a pair of buffers.
class Pair {
public:
    Pair(const std::shared_ptr<SSL_CTX>& client, const std::shared_ptr<SSL_CTX>& server)
        : client_(SSL_new(client.get()), &SSL_free), server_(SSL_new(server.get()), &SSL_free) {
        BIO* near = nullptr;
        BIO* far = nullptr;
        EXPECT_EQ(BIO_new_bio_pair(&near, 0, &far, 0), 1);
        SSL_set_bio(client_.get(), near, near);
        SSL_set_bio(server_.get(), far, far);
        SSL_set_connect_state(client_.get());
        SSL_set_accept_state(server_.get());
    }

    [[nodiscard]] SSL* client() { return client_.get(); }

    [[nodiscard]] SSL* server() { return server_.get(); }

    /// Whether both sides come to an agreement.
    [[nodiscard]] bool shakes_hands() {
        ERR_clear_error();
        for (int step = 0; step < 20; ++step) {
            const int client = SSL_do_handshake(client_.get());
            const int server = SSL_do_handshake(server_.get());
            if (client == 1 && server == 1) { return true; }
        }
        ERR_clear_error();
        return false;
    }

private:
    using SslRef = std::unique_ptr<SSL, decltype(&SSL_free)>;

    SslRef client_;
    SslRef server_;
};

}  // namespace tls
