// The canary: fails on purpose for the one input of its corpus.
// If its smoke test passed, a finding of any other target would go unnoticed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.starts_with("canary")) { std::abort(); }
    return 0;
}
