// Who a certificate names: one answer each, and none where two could be read (S-AUTH-13).
#include "broker/tls/client_identity.hpp"

#include "tests/tls/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/obj_mac.h>

#include <string>

namespace tls {
namespace {

using testing::HasSubstr;
using std::string_literals::operator""s;
using Values = std::vector<std::pair<int, std::string>>;

class Certificate : public testing::Test {
protected:
    [[nodiscard]] ClientIdentity identity(const Values& subject, const Values& names = {}) const {
        Recipe recipe;
        recipe.subject = subject;
        recipe.names = names;
        return identity_of(*authority.issue(recipe).certificate);
    }

    [[nodiscard]] std::string text(const Values& subject, const Values& names = {}) const {
        const ClientIdentity found = identity(subject, names);
        EXPECT_EQ(found.fault, "");
        return found.text;
    }

    [[nodiscard]] std::string fault(const Values& subject, const Values& names = {}) const {
        const ClientIdentity found = identity(subject, names);
        EXPECT_EQ(found.text, "");
        return found.fault;
    }

    const Authority authority;
    const Values anna{{NID_organizationName, "Example"}, {NID_commonName, "anna"}};
};

}  // namespace

TEST_F(Certificate, S_AUTH_13_TheUriThenTheAddressThenTheSubject) {
    const Values all{
        {GEN_DNS, "host.example.org"},
        {GEN_EMAIL, "anna@example.org"},
        {GEN_URI, "spiffe://example.org/anna"}};
    EXPECT_EQ(text(anna, all), "uri:spiffe://example.org/anna");
    EXPECT_EQ(text(anna, {all[0], all[1]}), "email:anna@example.org");
    EXPECT_EQ(text(anna, {all[0]}), "dn:CN=anna,O=Example");
    EXPECT_EQ(text(anna), "dn:CN=anna,O=Example");
    EXPECT_EQ(text({}, {all[2]}), "uri:spiffe://example.org/anna");
}

TEST_F(Certificate, S_AUTH_13_SeveralOfAKindAreNobody) {
    const Values uris{{GEN_URI, "spiffe://example.org/a"}, {GEN_URI, "spiffe://example.org/b"}};
    EXPECT_THAT(fault(anna, uris), HasSubstr("several URIs"));
    const Values emails{{GEN_EMAIL, "a@example.org"}, {GEN_EMAIL, "b@example.org"}};
    EXPECT_THAT(fault(anna, emails), HasSubstr("several e-mail"));
    EXPECT_THAT(fault({}), HasSubstr("names nobody"));
    EXPECT_THAT(fault({}, {{GEN_DNS, "host.example.org"}}), HasSubstr("names nobody"));
}

TEST_F(Certificate, CVE_2026_33248_SeveralCommonNamesAreOneSubject) {
    const Values two{{NID_commonName, "anna"}, {NID_commonName, "admin"}};
    EXPECT_EQ(text(two), "dn:CN=admin,CN=anna");
    EXPECT_NE(text(two), text({{NID_commonName, "admin"}}));
    EXPECT_NE(text(two), text({{NID_commonName, "admin"}, {NID_commonName, "anna"}}));
}

TEST_F(Certificate, CVE_2026_33248_TheOrderCounts) {
    const Values other{{NID_commonName, "anna"}, {NID_organizationName, "Example"}};
    EXPECT_EQ(text(other), "dn:O=Example,CN=anna");
    EXPECT_NE(text(other), text(anna));
}

TEST_F(Certificate, CVE_2026_33248_ASeparatorInAValueIsEscaped) {
    EXPECT_EQ(text({{NID_commonName, "anna,O=Example"}}), "dn:CN=anna\\,O=Example");
    for (const char* const value :
         {"anna,O=Example",
          "anna\\,O=Example",
          "anna+O=Example",
          "anna\nO=Example",
          "anna;O=Example",
          " anna",
          "anna ",
          "#616E6E61",
          "\"anna\"",
          "<anna>"}) {
        const std::string odd = text({{NID_commonName, value}});
        EXPECT_NE(odd, text(anna)) << value;
        EXPECT_NE(odd, "dn:CN="s + value) << value;
        EXPECT_THAT(odd, HasSubstr("\\")) << value;
    }
}

TEST_F(Certificate, CVE_2026_33248_ANulAnywhereRefuses) {
    EXPECT_THAT(fault({{NID_commonName, "anna\0admin"s}}), HasSubstr("NUL"));
    EXPECT_THAT(
        fault({{NID_organizationName, "Ex\0"s}, {NID_commonName, "anna"}}), HasSubstr("NUL")
    );
    EXPECT_THAT(fault(anna, {{GEN_URI, "spiffe://example.org/a\0b"s}}), HasSubstr("certificate"));
    EXPECT_THAT(fault(anna, {{GEN_EMAIL, "anna@example.org\0.evil"s}}), HasSubstr("certificate"));
    EXPECT_THAT(fault(anna, {{GEN_DNS, "example.org\0.evil"s}}), HasSubstr("NUL"));
    // Where another name would be the identity too.
    const Values both{{GEN_EMAIL, "a\0b@example.org"s}, {GEN_URI, "spiffe://example.org/a"}};
    EXPECT_NE(fault(anna, both), "");
    Recipe wide;
    wide.text_type = V_ASN1_BMPSTRING;
    wide.subject = {{NID_commonName, "\0a\0\0\0b"s}};
    EXPECT_THAT(identity_of(*authority.issue(wide).certificate).fault, HasSubstr("NUL"));
}

TEST_F(Certificate, S_AUTH_13_UrisAndAddressesAreVisibleAscii) {
    for (const char* const odd :
         {"", "spiffe://a b", "spiffe://\xC3\xBC", "spiffe://a\n", "\x7F"}) {
        EXPECT_NE(fault(anna, {{GEN_URI, odd}}), "") << odd;
        EXPECT_NE(fault(anna, {{GEN_EMAIL, odd}}), "") << odd;
    }
}

TEST_F(Certificate, S_AUTH_13_AreBounded) {
    EXPECT_EQ(text(anna, {{GEN_URI, std::string(1020, 'a')}}).size(), 1024U);
    EXPECT_THAT(fault(anna, {{GEN_URI, std::string(1021, 'a')}}), HasSubstr("1,024"));
}

TEST_F(Certificate, S_AUTH_12_EndWithTheCertificate) {
    Recipe recipe;
    recipe.subject = anna;
    recipe.ends_s = 60;
    const std::int64_t ends = identity_of(*authority.issue(recipe).certificate).expires_at;
    const std::int64_t now = static_cast<std::int64_t>(::time(nullptr)) * 1000;
    EXPECT_NEAR(static_cast<double>(ends - now), 60'000, 5'000);
}

}  // namespace tls
