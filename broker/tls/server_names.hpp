// Which certificate of a listener is for which host name (SNI, S-TLS-03).
// Names come from the operator's certificates alone; a lookup costs two of a hash table.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tls {

class ServerNames {
public:
    /// The DNS names of the certificate of `of` lead to `chosen`; null: to the first pair. A name
    /// that another had before stays with that.
    void add(SSL_CTX& of, const std::shared_ptr<SSL_CTX>& chosen);

    /// For `name` in any case, itself or as one level under a `*.`; null: the first pair.
    [[nodiscard]] SSL_CTX* find(std::string_view name) const;

    /// Makes `first` choose by `names`, which live as long as it does.
    static void attach(std::unique_ptr<ServerNames> names, SSL_CTX& first);

private:
    std::unordered_map<std::string, std::shared_ptr<SSL_CTX>> contexts_;
};

}  // namespace tls
