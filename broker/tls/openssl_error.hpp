// How what OpenSSL refuses becomes one sentence of an Error.
// For the .cpp files of this folder.
#pragma once

#include <string>

namespace tls {

/// Throws Error: what failed, OpenSSL's first reason, and what to do.
[[noreturn]] void fail(const std::string& what, const std::string& advice);

/// Fails if a step that only a broken OpenSSL refuses was not `done`.
void require(bool done, const char* what);

}  // namespace tls
