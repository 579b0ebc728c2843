#include "tests/security/hostile_tokens.hpp"

#include "protocol/base64.hpp"
#include "tests/security/token_maker.hpp"

#include <utility>

namespace security {

namespace {

using std::string_literals::operator""s;

const TokenMaker& ec() {
    static const TokenMaker made(JwtAlgorithm::es256);
    return made;
}

const TokenMaker& rsa() {
    static const TokenMaker made(JwtAlgorithm::rs256);
    return made;
}

std::string with_header(std::string_view header) {
    return ec().token(header, good_claims());
}

/// Well signed by the key of ES256.
std::string with_claims(std::string_view payload) {
    return ec().token(payload);
}

/// `good_claims` with one claim in place of what it has under that name.
std::string claims_with(std::string_view name, std::string_view value) {
    std::string text;
    for (const auto& [own, usual] :
         {std::pair<std::string_view, std::string_view>{"iss", "\"https://id.example\""},
          {"aud", "\"stampede\""},
          {"sub", "\"anna\""},
          {"exp", "1700000600"}}) {
        const std::string_view taken = own == name ? value : usual;
        if (taken.empty()) { continue; }
        text += (text.empty() ? "{\"" : ",\"") + std::string(own) + "\":" + std::string(taken);
    }
    return text + "}";
}

HostileTokens with_values(
    std::string_view claim,
    TokenFault fault,
    const std::vector<std::pair<std::string, std::string>>& values
) {
    HostileTokens all;
    for (const auto& [what, value] : values) {
        all.push_back(
            {std::string(claim) + " " + what, with_claims(claims_with(claim, value)), fault}
        );
    }
    return all;
}

void add(HostileTokens& all, HostileTokens more) {
    for (HostileToken& one : more) {
        all.push_back(std::move(one));
    }
}

/// Signed with HMAC by what is no secret.
std::string mac_with(const std::string& secret) {
    return TokenMaker(JwtAlgorithm::hs256, secret).token(good_claims());
}

std::string unsigned_with(const std::string& algorithm, const std::string& signature) {
    return signing_text("{\"alg\":\"" + algorithm + "\"}", good_claims()) + "." + signature;
}

/// The parts of a good token.
struct Parts {
    std::string header, payload, signature;
};

Parts parts_of(const std::string& token) {
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    return {
        token.substr(0, first),
        token.substr(first + 1, second - first - 1),
        token.substr(second + 1)};
}

std::string nested(int depth) {
    const auto n = static_cast<std::size_t>(depth - 1);
    return ",\"x\":" + std::string(n, '[') + std::string(n, ']');
}

}  // namespace

const JwtVerifier& hostile_verifier() {
    static const JwtVerifier made(test_settings(), [] {
        std::vector<JwtKey> keys;
        keys.push_back(rsa().key("rsa"));
        keys.push_back(ec().key("ec"));
        keys.push_back(TokenMaker(JwtAlgorithm::eddsa).key("ed"));
        keys.push_back(TokenMaker(JwtAlgorithm::hs256).key("mac"));
        return std::make_shared<const KeySet>(*KeySet::from(std::move(keys)));
    }());
    return made;
}

HostileTokens hostile_algorithms() {
    const std::string signature = parts_of(ec().token(good_claims())).signature;
    const TokenFault algorithm = TokenFault::algorithm;
    HostileTokens all{
        {"alg none, empty signature", unsigned_with("none", ""), TokenFault::segments},
        {"alg none, some signature", unsigned_with("none", signature), algorithm},
        {"alg None", unsigned_with("None", signature), algorithm},
        {"alg nOnE", unsigned_with("nOnE", signature), algorithm},
        {"alg NONE", unsigned_with("NONE", signature), algorithm},
        {"alg absent", with_header("{\"typ\":\"JWT\"}"), algorithm},
        {"alg array", with_header(R"({"alg":["ES256"]})"), algorithm},
        {"alg number", with_header(R"({"alg":256})"), algorithm},
        {"alg null", with_header(R"({"alg":null})"), algorithm},
        {"alg empty", with_header(R"({"alg":""})"), algorithm},
        {"alg unknown", with_header(R"({"alg":"ES257"})"), algorithm},
        {"alg of another curve", with_header(R"({"alg":"ES256K"})"), algorithm},
        {"alg in small letters", with_header(R"({"alg":"es256"})"), algorithm},
        {"alg with a space", with_header(R"({"alg":"ES256 "})"), algorithm},
        {"alg with NUL", with_header(R"({"alg":"ES256\u0000"})"), algorithm},
        {"alg in another name", with_header(R"({"Alg":"ES256"})"), algorithm}};
    const PublishedKey numbers = published_key(JwtAlgorithm::rs256);
    add(all,
        {{"HS256 with the PEM of RSA", mac_with(rsa().pem()), TokenFault::signature},
         {"HS256 with the PEM of EC", mac_with(ec().pem()), TokenFault::signature},
         {"HS256 with the JWK of RSA",
          mac_with("{" + published_members(JwtAlgorithm::rs256) + "}"),
          TokenFault::signature},
         {"HS256 with the modulus of RSA", mac_with(numbers.n), TokenFault::signature},
         {"HS256 with the octets of Ed25519",
          mac_with(published_key(JwtAlgorithm::eddsa).x),
          TokenFault::signature},
         {"HS256 with an empty secret", mac_with(""), TokenFault::signature},
         {"HS256 with 31 octets of the secret",
          mac_with(published_key(JwtAlgorithm::hs256).k.substr(0, 31)),
          TokenFault::signature},
         {"HS512 with the secret of HS256",
          TokenMaker(JwtAlgorithm::hs512).token(good_claims()),
          TokenFault::unknown_key},
         {"RS384 with the key of RS256",
          TokenMaker(JwtAlgorithm::rs384).token(good_claims()),
          TokenFault::unknown_key},
         {"PS256 with the key of RS256",
          TokenMaker(JwtAlgorithm::ps256).token(good_claims()),
          TokenFault::unknown_key},
         {"RS256 for the key of EC",
          rsa().token(R"({"alg":"RS256","kid":"ec"})", good_claims()),
          TokenFault::unknown_key},
         {"ES256 for the key of RSA",
          ec().token(R"({"alg":"ES256","kid":"rsa"})", good_claims()),
          TokenFault::unknown_key},
         {"HS256 for the key of RSA",
          TokenMaker(JwtAlgorithm::hs256, rsa().pem())
              .token(R"({"alg":"HS256","kid":"rsa"})", good_claims()),
          TokenFault::unknown_key}});
    return all;
}

HostileTokens hostile_key_ids() {
    HostileTokens all;
    for (const char* id :
         {"other",
          "EC",
          "ec ",
          "",
          "../../../dev/null",
          "/etc/passwd",
          "' OR 1=1 --",
          "ec\\u0000",
          "ec'||'",
          "${jndi:ldap://x}",
          "http://attacker.example/key"}) {
        const std::string header = R"({"alg":"ES256","kid":")" + std::string(id) + "\"}";
        all.push_back(
            {"kid `" + std::string(id) + "`", with_header(header), TokenFault::unknown_key}
        );
    }
    const auto of = [](const std::string& id) {
        return with_header(R"({"alg":"ES256","kid":)" + id + "}");
    };
    add(all,
        {{"kid array", of(R"(["ec"])"), TokenFault::header},
         {"kid number", of("1"), TokenFault::header},
         {"kid null", of("null"), TokenFault::header},
         {"kid object", of("{}"), TokenFault::header},
         {"kid of 257 octets", of("\"" + std::string(257, 'x') + "\""), TokenFault::header},
         {"kid of 1 MB", of("\"" + std::string(1'000'000, 'x') + "\""), TokenFault::too_long}});
    return all;
}

namespace {

/// Good but for its length.
std::string barely_too_long() {
    std::string token;
    for (std::size_t fill = 5700; token.size() <= token_octets_max; ++fill) {
        token = with_claims(good_claims(",\"x\":\"" + std::string(fill, 'x') + "\""));
    }
    return token;
}

HostileTokens hostile_segments() {
    const std::string good = ec().token(good_claims());
    const Parts parts = parts_of(good);
    const std::string other = with_claims(claims_with("sub", "\"admin\""));
    const TokenFault segments = TokenFault::segments;
    return {
        {"empty", "", segments},
        {"one segment", parts.header, segments},
        {"two segments", parts.header + "." + parts.payload, segments},
        {"four segments", good + "." + parts.signature, segments},
        {"five segments, as if encrypted", good + ".AA.AA", segments},
        {"dots alone", "..", segments},
        {"empty signature", parts.header + "." + parts.payload + ".", segments},
        {"empty header", "." + parts.payload + "." + parts.signature, segments},
        {"detached payload", parts.header + ".." + parts.signature, segments},
        {"trailing dot", good + ".", segments},
        {"leading dot", "." + good, segments},
        {"as JSON",
         R"({"protected":")" + parts.header + R"(","payload":")" + parts.payload +
             R"(","signature":")" + parts.signature + "\"}",
         segments},
        {"truncated by six", good.substr(0, good.size() - 6), TokenFault::signature},
        {"truncated by one", good.substr(0, good.size() - 1), TokenFault::encoding},
        {"truncated in the payload",
         parts.header + "." + parts.payload.substr(4) + "." + parts.signature,
         TokenFault::signature},
        {"another payload",
         parts.header + "." + parts_of(other).payload + "." + parts.signature,
         TokenFault::signature},
        {"another signature",
         parts.header + "." + parts.payload + "." + parts_of(other).signature,
         TokenFault::signature},
        {"another header",
         protocol::encode_base64url(R"({"alg":"ES256","typ":"at+jwt"})") + "." + parts.payload +
             "." + parts.signature,
         TokenFault::signature},
        {"longer than 8 KiB by least", barely_too_long(), TokenFault::too_long}};
}

HostileTokens hostile_encodings() {
    const std::string good = ec().token(good_claims());
    const Parts parts = parts_of(good);
    const TokenFault encoding = TokenFault::encoding;
    const auto header_as = [&](const std::string& text) {
        return text + "." + parts.payload + "." + parts.signature;
    };
    // Signed as it stands, so that nothing but the encoding is wrong.
    const auto signed_as = [](const std::string& header, const std::string& payload) {
        const std::string text = header + "." + payload;
        return text + "." + protocol::encode_base64url(ec().signature(text));
    };
    std::string loose = good;
    // Of 64 octets the last letter holds two bits: the next one differs in bits that are dropped.
    loose.back() = static_cast<char>(loose.back() + 1);
    return {
        {"padded signature", good + "==", encoding},
        {"padded header", signed_as(parts.header + "=", parts.payload), encoding},
        {"padded payload", signed_as(parts.header, parts.payload + "=="), encoding},
        {"loose bits in the signature", loose, encoding},
        {"loose bits in the payload",
         signed_as(
             parts.header, protocol::encode_base64url(good_claims() + " ").substr(0, 2) + "f"
         ),
         TokenFault::encoding},
        {"space before", " " + good, encoding},
        {"space behind", good + " ", encoding},
        {"newline behind", good + "\n", encoding},
        {"NUL behind", good + "\0"s, encoding},
        {"newline inside",
         header_as(parts.header.substr(0, 8) + "\n" + parts.header.substr(8)),
         encoding},
        {"percent signs", header_as(parts.header + "%3D"), encoding},
        {"the other alphabet",
         parts.header + "." + parts.payload + ".+/" + parts.signature.substr(2),
         encoding},
        {"octets beyond ASCII", header_as(parts.header + "\xC3\xBC"), encoding},
        {"`Bearer ` before", "Bearer " + good, encoding}};
}

HostileTokens hostile_json() {
    const TokenFault header = TokenFault::header;
    const TokenFault payload = TokenFault::payload;
    const std::string inner = ec().token(good_claims());
    return {
        {"header not UTF-8", with_header("{\"alg\":\"ES256\",\"x\":\"\xFF\"}"), header},
        {"header of an array", with_header(R"(["ES256"])"), header},
        {"header with octets behind", with_header(R"({"alg":"ES256"}{})"), header},
        {"header with a mark of order", with_header("\xEF\xBB\xBF{\"alg\":\"ES256\"}"), header},
        {"header of depth 9", with_header(R"({"alg":"ES256")" + nested(9) + "}"), header},
        {"header of depth 1000", with_header(R"({"alg":"ES256")" + nested(1000) + "}"), header},
        {"two alg, first is good", with_header(R"({"alg":"ES256","alg":"none"})"), header},
        {"two alg, last is good", with_header(R"({"alg":"none","alg":"ES256"})"), header},
        {"two alg, one hidden", with_header(R"({"alg":"none","al\u0067":"ES256"})"), header},
        {"alg with a hidden name", with_header(R"({"al\u0067":"ES256"})"), header},
        {"payload not UTF-8", with_claims(good_claims(",\"x\":\"\xC0\xAF\"")), payload},
        {"payload with half a surrogate", with_claims(good_claims(",\"x\":\"\\uD800\"")), payload},
        {"payload of an array", with_claims("[" + good_claims() + "]"), payload},
        {"payload of a string", with_claims("\"anna\""), payload},
        {"payload of null", with_claims("null"), payload},
        {"payload with octets behind", with_claims(good_claims() + "x"), payload},
        {"payload with a comment", with_claims(good_claims() + "//"), payload},
        {"payload of depth 9", with_claims(good_claims(nested(9))), payload},
        {"payload of depth 2000", with_claims(good_claims(nested(2000))), payload},
        {"two exp", with_claims(good_claims(",\"exp\":1900000000")), payload},
        {"two sub", with_claims(good_claims(",\"sub\":\"admin\"")), payload},
        {"two sub, one hidden", with_claims(good_claims(R"(,"\u0073ub":"admin")")), payload},
        {"two of no matter", with_claims(good_claims(R"(,"a":{"b":1,"b":2})")), payload},
        {"hidden exp",
         with_claims(
             R"({"iss":"https://id.example","aud":"stampede","sub":"anna","\u0065xp":1700000600})"
         ),
         payload},
        {"nested token", ec().token(R"({"alg":"ES256"})", inner), payload},
        {"nested token, said so", ec().token(R"({"alg":"ES256","cty":"JWT"})", inner), header}};
}

}  // namespace

HostileTokens hostile_shapes() {
    HostileTokens all = hostile_segments();
    add(all, hostile_encodings());
    add(all, hostile_json());
    return all;
}

HostileTokens hostile_headers() {
    const TokenMaker attacker(
        JwtAlgorithm::es256, Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"))
    );
    HostileTokens all;
    for (const char* member :
         {R"("crit":["exp"])",
          R"("crit":[])",
          R"("crit":["b64"],"b64":false)",
          R"("crit":null)",
          R"("jku":"https://attacker.example/jwks.json")",
          R"("jku":"https://id.example/jwks.json")",
          R"("x5u":"https://attacker.example/cert.pem")",
          R"("x5c":["MIIB"])",
          R"("x5c":[])",
          R"("jwk":null)",
          R"("zip":"DEF")",
          R"("b64":false)",
          R"("b64":true)",
          R"("enc":"A128GCM")",
          R"("epk":{})"}) {
        const std::string header = R"({"alg":"ES256",)" + std::string(member) + "}";
        all.push_back(
            {"header " + std::string(member), with_header(header), TokenFault::critical_header}
        );
    }
    const std::string own_key =
        R"({"alg":"ES256","jwk":{)" + published_members(JwtAlgorithm::es256) + "}}";
    all.push_back(
        {"a key of its own in jwk",
         attacker.token(own_key, good_claims()),
         TokenFault::critical_header}
    );
    all.push_back({"typ is no text", with_header(R"({"alg":"ES256","typ":1})"), TokenFault::header}
    );
    const std::string text =
        protocol::encode_base64url(R"({"alg":"ES256","b64":false})") + "." + good_claims();
    all.push_back(
        {"payload not encoded",
         text + "." + protocol::encode_base64url(ec().signature(text)),
         TokenFault::segments}
    );
    return all;
}

HostileTokens hostile_times() {
    HostileTokens all = with_values(
        "exp",
        TokenFault::times,
        {{"missing", ""},
         {"string", "\"1700000600\""},
         {"float", "1700000600.5"},
         {"float without fraction", "1700000600.0"},
         {"with exponent", "17000006e2"},
         {"1e10", "1e10"},
         {"negative", "-1"},
         {"2^63", "9223372036854775808"},
         {"2^63 - 1", "9223372036854775807"},
         {"2^64", "18446744073709551616"},
         {"1e999", "1e999"},
         {"year 10000", "253402300800"},
         {"null", "null"},
         {"true", "true"},
         {"array", "[1700000600]"}}
    );
    add(all,
        with_values(
            "exp",
            TokenFault::expired,
            {{"past", "1699999970"}, {"long past", "1300819380"}, {"zero", "0"}}
        ));
    const auto more = [](const std::string& claim) {
        return with_claims(good_claims("," + claim));
    };
    add(all,
        {{"nbf later", more(R"("nbf":1700000031)"), TokenFault::not_yet_valid},
         {"iat later", more(R"("iat":1700000031)"), TokenFault::not_yet_valid},
         {"nbf far", more(R"("nbf":253402300799)"), TokenFault::not_yet_valid},
         {"nbf string", more(R"("nbf":"1")"), TokenFault::times},
         {"nbf negative", more(R"("nbf":-1)"), TokenFault::times},
         {"nbf null", more(R"("nbf":null)"), TokenFault::times},
         {"nbf 2^63", more(R"("nbf":9223372036854775808)"), TokenFault::times},
         {"iat float", more(R"("iat":1.5)"), TokenFault::times},
         {"iat string", more(R"("iat":"now")"), TokenFault::times}});
    return all;
}

HostileTokens hostile_claims() {
    HostileTokens all = with_values(
        "aud",
        TokenFault::audience,
        {{"missing", ""},
         {"other", "\"other\""},
         {"array without ours", R"(["other","third"])"},
         {"empty array", "[]"},
         {"prefix", "\"stamped\""},
         {"longer", "\"stampede2\""},
         {"in capitals", "\"Stampede\""},
         {"with NUL", R"("stampede\u0000")"},
         {"words", "\"other stampede\""},
         {"array with a number", R"(["stampede",1])"},
         {"array in an array", R"([["stampede"]])"},
         {"object", R"({"stampede":true})"},
         {"null", "null"}}
    );
    add(all,
        with_values(
            "iss",
            TokenFault::issuer,
            {{"missing", ""},
             {"prefix", "\"https://id.exampl\""},
             {"longer", "\"https://id.example.attacker.example\""},
             {"in capitals", "\"https://ID.example\""},
             {"trailing slash", "\"https://id.example/\""},
             {"array", R"(["https://id.example"])"},
             {"null", "null"}}
        ));
    add(all,
        with_values(
            "sub",
            TokenFault::user,
            {{"missing", ""},
             {"empty", "\"\""},
             {"space", "\" \""},
             {"star", "\"*\""},
             {"hash", "\"a#\""},
             {"plus", "\"+\""},
             {"greater", "\">\""},
             {"slash", "\"a/b\""},
             {"escaped slash", R"("a\/b")"},
             {"dot", "\"a.b\""},
             {"colon", "\"a:b\""},
             {"NUL", R"("a\u0000b")"},
             {"newline", R"("a\nb")"},
             {"C1 control", R"("a\u0085b")"},
             {"129 octets", "\"" + std::string(129, 'x') + "\""},
             {"number", "1"},
             {"array", R"(["anna"])"},
             {"null", "null"}}
        ));
    all.push_back({"roles number", with_claims(good_claims(",\"roles\":1")), TokenFault::roles});
    return all;
}

}  // namespace security
