#include "broker/security/names.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>

namespace security {

// C0, DEL, and C1, which UTF-8 writes as C2 80 to C2 9F.
bool has_control(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octet = static_cast<unsigned char>(text[i]);
        if (octet < 0x20 || octet == 0x7F) { return true; }
        const bool is_c1 =
            octet == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (is_c1) { return true; }
    }
    return false;
}

std::string name_fault(std::string_view text) {
    constexpr std::string_view forbidden = ":/.*#+>";
    if (text.empty()) { return "is empty"; }
    if (text.size() > name_bytes_max) { return "is longer than 128 octets"; }
    if (!protocol::is_utf8(text)) { return "is not UTF-8"; }
    if (has_control(text)) { return "has a control character"; }
    if (text.front() == ' ' || text.back() == ' ') { return "begins or ends with a space"; }
    const std::size_t at = text.find_first_of(forbidden);
    if (at == std::string_view::npos) { return {}; }
    return "has a `" + std::string(1, text[at]) +
           "`, which separates or stands for levels of destinations";
}

}  // namespace security
