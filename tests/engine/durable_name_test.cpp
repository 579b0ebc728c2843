// Who a durable subscription is (P-DUR-01, -02).
#include "broker/engine/durable_name.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace engine {

namespace {

using protocol::Header;

std::optional<DurableRequest> asked(const std::vector<Header>& headers) {
    const auto request = durable_request(headers);
    EXPECT_TRUE(request);
    return request ? *request : std::nullopt;
}

std::vector<DurableName> different() {
    const std::vector<std::string> texts = {"", "a", "a/b", "a%2Fb", "/", "a\nname=b", "\xC3\xA9"};
    std::vector<DurableName> names;
    for (const std::string& user : texts) {
        for (const std::string& client : texts) {
            for (const std::string& name : texts) {
                names.push_back({user, client, name, "/topic/x", true});
                names.push_back({user, client, name, "/topic/x", false});
                names.push_back({user, client, name, "/topic/y", false});
            }
        }
    }
    return names;
}

}  // namespace

TEST(DurableName, P_DUR_01_TheSpellings) {
    EXPECT_FALSE(asked({}));
    EXPECT_FALSE(asked({{"durable", "false"}}));
    EXPECT_FALSE(asked({{"durable", "true"}})->is_by_name);
    EXPECT_FALSE(asked({{"persistent", "True"}})->is_by_name);
    for (const std::string_view name :
         {"activemq.subscriptionName", "durable-subscription-name", "durable-subscriber-name"}) {
        const auto request = asked({{"durable", "true"}, {name, "news"}});
        EXPECT_TRUE(request->is_by_name);
        EXPECT_EQ(request->name, "news");
        EXPECT_FALSE(durable_request(std::vector<Header>{{name, ""}}));
    }
    EXPECT_FALSE(durable_request(std::vector<Header>{{"durable", "yes"}}));
}

TEST(DurableName, P_DUR_02_S_ACL_10_DifferentOnesHaveDifferentNames) {
    std::set<std::string> canonical;
    for (const DurableName& name : different()) {
        EXPECT_TRUE(canonical.insert(name.canonical()).second) << name.canonical();
        EXPECT_TRUE(name.canonical().starts_with("/durable/"));
        EXPECT_EQ(name.canonical().find('\n'), std::string::npos);
    }
}

TEST(DurableName, P_DUR_05_ByNameTheDestinationIsNoPartOfIt) {
    const DurableName one{"user", "client", "name", "/topic/x", true};
    const DurableName other{"user", "client", "name", "/topic/y", true};
    EXPECT_EQ(one.canonical(), other.canonical());
    EXPECT_NE(one.attributes(), other.attributes());
}

TEST(DurableName, P_DUR_03_AttributesBringItBack) {
    for (const DurableName& name : different()) {
        EXPECT_EQ(DurableName::from_attributes(name.attributes()), name);
    }
}

TEST(DurableName, P_DUR_03_OtherAttributesAreNoDurableSubscription) {
    EXPECT_FALSE(DurableName::from_attributes(""));
    EXPECT_FALSE(DurableName::from_attributes("kind=queue\nname=a\n"));
    EXPECT_FALSE(DurableName::from_attributes("kind=durable-subscription\nname=%4\n"));
    EXPECT_FALSE(DurableName::from_attributes("kind=durable-subscription\nname=%zz\n"));
    // What a later version may add.
    EXPECT_TRUE(DurableName::from_attributes("kind=durable-subscription\nselector=a\nodd\n"));
}

}  // namespace engine
