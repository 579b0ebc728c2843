// Which certificate stands for which user, and what cannot be listed (S-AUTH-13).
#include "broker/security/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace security {
namespace {

using testing::HasSubstr;
using Entries = std::vector<CertificateUser>;

std::string fault_in(const Entries& entries) {
    const auto fault = fault_of(entries);
    return fault ? std::string(fault->key) + ": " + fault->message : "";
}

const Entries listed{
    {"uri:spiffe://example.org/a", "anna", {"staff"}},
    {"email:bert@example.org", "bert", {}},
    {"dn:CN=carl,O=Example", "carl", {}},
};

}  // namespace

TEST(Certificates, S_AUTH_13_AreComparedAsAWhole) {
    EXPECT_EQ(fault_in(listed), "");
    const Certificates certificates(listed);
    const auto anna = certificates.principal_of({"uri:spiffe://example.org/a", "", 77});
    ASSERT_TRUE(anna);
    EXPECT_EQ(anna->user, "anna");
    EXPECT_EQ(anna->roles, std::vector<std::string>{"staff"});
    EXPECT_EQ(anna->voucher, engine::Voucher::certificate);
    EXPECT_EQ(anna->expires_at, 77);
    for (const char* const other :
         {"uri:spiffe://example.org/",
          "uri:spiffe://example.org/ab",
          "uri:SPIFFE://example.org/a",
          "dn:CN=carl",
          "dn:O=Example,CN=carl",
          "dn:CN=carl,O=Example,C=DE",
          "dn:CN=CARL,O=Example",
          "email:carl,O=Example",
          "uri:bert@example.org",
          "email:*",
          "anna",
          ""}) {
        EXPECT_FALSE(certificates.principal_of({other})) << other;
    }
}

TEST(Certificates, S_AUTH_13_WhoIsNoLongerListedIsNotRenewed) {
    const auto anna = Certificates(listed).principal_of({listed[0].identity});
    EXPECT_EQ(Certificates(listed).renewed(anna), anna);
    const Entries others{listed[1], listed[2]};
    EXPECT_FALSE(Certificates(others).renewed(anna));
    const Entries of_another{{listed[0].identity, "dora", {"staff"}}};
    EXPECT_FALSE(Certificates(of_another).renewed(anna));
    const Entries more{{listed[0].identity, "anna", {"staff", "boss"}}};
    const auto anew = Certificates(more).renewed(anna);
    ASSERT_TRUE(anew);
    EXPECT_EQ(anew->roles, more[0].roles);
}

TEST(Certificates, S_AUTH_13_WhatCannotBeListed) {
    for (const char* const identity :
         {"", "uri:", "dn:", "anna", "cn:anna", "DN:CN=anna", "dns:example.org", "dn:CN=a\nb"}) {
        EXPECT_THAT(fault_in({{identity, "anna", {}}}), HasSubstr("identity: ")) << identity;
    }
    EXPECT_THAT(fault_in({{"dn:" + std::string(1022, 'a'), "anna", {}}}), HasSubstr("1,024"));
    EXPECT_EQ(fault_in({{"dn:" + std::string(1021, 'a'), "anna", {}}}), "");
    EXPECT_THAT(fault_in({listed[0], listed[1], listed[0]}), HasSubstr("twice"));
    for (const char* const name : {"", "a/b", "a.b", "*", "a:b", "spiffe://x"}) {
        EXPECT_THAT(fault_in({{"dn:CN=a", name, {}}}), HasSubstr("user: ")) << name;
        EXPECT_THAT(fault_in({{"dn:CN=a", "anna", {name}}}), HasSubstr("roles: ")) << name;
    }
    EXPECT_THAT(fault_in({{"dn:CN=a", "anna", {"x", "x"}}}), HasSubstr("twice"));
}

TEST(Certificates, S_AUTH_13_AreBounded) {
    Entries many;
    for (std::size_t i = 0; i < certificates_max; ++i) {
        many.push_back({"dn:CN=" + std::to_string(i), "anna", {}});
    }
    EXPECT_EQ(fault_in(many), "");
    many.push_back({"dn:CN=one more", "anna", {}});
    EXPECT_THAT(fault_in(many), HasSubstr("10,000"));
    Entries roles{{"dn:CN=a", "anna", {}}};
    for (int i = 0; i <= 64; ++i) {
        roles[0].roles.push_back(std::to_string(i));
    }
    EXPECT_THAT(fault_in(roles), HasSubstr("64"));
}

}  // namespace security
