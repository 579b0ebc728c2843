#include "broker/tls/openssl_error.hpp"

#include "broker/tls/context.hpp"

#include <openssl/err.h>

#include <cstring>

namespace tls {

namespace {

// The first error is the cause; OpenSSL piles the consequences on top of it.
std::string openssl_reason() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) { return "no reason given"; }
    if (ERR_SYSTEM_ERROR(code)) { return std::strerror(static_cast<int>(ERR_GET_REASON(code))); }
    const char* const reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : "error " + std::to_string(code);
}

}  // namespace

void fail(const std::string& what, const std::string& advice) {
    throw Error(what + " (" + openssl_reason() + "): " + advice);
}

void require(bool done, const char* what) {
    if (!done) {
        fail(std::string("TLS set-up failed at ") + what, "check the OpenSSL installation");
    }
}

}  // namespace tls
