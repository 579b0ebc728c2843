// OpenSSL's handles with owners, and its queue of errors kept as it was found.
// Only what the keys of tokens need.
#pragma once

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>

namespace security {

/// For unique_ptr: calls `release`, whose result nobody needs.
template <auto release>
struct Releases {
    template <class T>
    void operator()(T* handle) const {
        release(handle);
    }
};

using Bignum = std::unique_ptr<BIGNUM, Releases<BN_clear_free>>;
using BignumContext = std::unique_ptr<BN_CTX, Releases<BN_CTX_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, Releases<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Releases<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Releases<EVP_MD_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Releases<ECDSA_SIG_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Releases<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Releases<OSSL_PARAM_free>>;

/// What fails while it lives leaves no trace in this thread's queue, where TLS would find it.
class QuietErrors {
public:
    QuietErrors() { ERR_set_mark(); }

    ~QuietErrors() { ERR_pop_to_mark(); }

    QuietErrors(const QuietErrors&) = delete;
    QuietErrors& operator=(const QuietErrors&) = delete;
};

}  // namespace security
