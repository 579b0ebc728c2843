// Rights: asked at every way in and on every way out, and taken away while clients are connected
// (S-ACL-05 to -07, -09, -11).
#include "broker/engine/access.hpp"

#include "tests/support/script.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace support {

namespace {

using engine::Action;

struct Rule {
    std::string user;
    bool is_allow = true;
    Action action = Action::publish;
    std::string on;  ///< A name, or a pattern of topics.
};

// The rules of one user, applied as they stand: slow, and easy to believe.
class TestAccess : public engine::Access {
public:
    explicit TestAccess(std::vector<Rule> rules) : rules_(std::move(rules)) {}

    [[nodiscard]] bool allows(Action action, const protocol::Destination& destination)
        const override {
        bool is_allowed = false;
        for (const Rule& rule : rules_) {
            if (rule.action != action || !holds(rule, destination)) { continue; }
            if (!rule.is_allow) { return false; }
            is_allowed = true;
        }
        return is_allowed;
    }

    [[nodiscard]] bool covers(Action action, const protocol::Pattern& pattern) const override {
        for (const Rule& rule : rules_) {
            const bool is_it = rule.is_allow && rule.action == action &&
                               rule.on == pattern.destination.canonical();
            if (is_it) { return true; }
        }
        return false;
    }

    [[nodiscard]] bool has_denials(Action action) const override {
        for (const Rule& rule : rules_) {
            if (!rule.is_allow && rule.action == action) { return true; }
        }
        return false;
    }

private:
    static bool holds(const Rule& rule, const protocol::Destination& destination) {
        const auto pattern = protocol::parse_pattern(rule.on, protocol::Limits{});
        if (!pattern || pattern->destination.space != destination.space) { return false; }
        if (!pattern->is_wildcard) { return pattern->destination.key == destination.key; }
        return protocol::matches(pattern->destination.key, pattern->separator, destination.key);
    }

    std::vector<Rule> rules_;
};

class TestAuthorizer : public engine::Authorizer {
public:
    explicit TestAuthorizer(std::vector<Rule> rules) : rules_(std::move(rules)) {}

    [[nodiscard]] engine::AccessRef access_of(const engine::PrincipalRef& principal
    ) const override {
        std::vector<Rule> own;
        for (const Rule& rule : rules_) {
            if (rule.user == principal->user) { own.push_back(rule); }
        }
        return std::make_shared<const TestAccess>(std::move(own));
    }

private:
    std::vector<Rule> rules_;
};

// Whoever names himself is let in.
class EveryoneIsWelcome : public engine::Authenticator {
public:
    void authenticate(engine::Shard&, engine::Credentials credentials, Answer answer) override {
        latest = std::make_shared<const engine::Principal>(engine::Principal{
            credentials.login.value_or("nobody")});
        answer(latest);
    }

    [[nodiscard]] std::optional<engine::PrincipalRef> absent(
        std::string_view, const engine::PrincipalRef& last
    ) const override {
        return last == left_out ? nullptr : last;
    }

    engine::PrincipalRef latest;
    engine::PrincipalRef left_out;  ///< Who could not be let in any more as what he was.
};

class Rights : public SessionScript {
protected:
    Rights() { broker.uses(welcome_); }

    void rules(std::vector<Rule> rules) {
        const auto authorizer = std::make_shared<const TestAuthorizer>(std::move(rules));
        for (unsigned shard = 0; shard < broker.shards().size(); ++shard) {
            broker.shards().on(shard, [&] {
                broker.router(shard).set_authorizer(authorizer, broker.authenticator());
            });
        }
        broker.settle();
    }

    void log_in(TestClient& client, const std::string& user) {
        client.sends(connect().header("login", user).header("passcode", "x"));
        EXPECT_EQ(client.expects(connected("1.2")).value("user-name"), user);
    }

    // What everyone in these conversations may do who reads.
    static std::vector<Rule> readers(const std::string& user) {
        return {
            {user, true, Action::subscribe, "/topic/**"},
            {user, true, Action::create, "/topic/**"},
            {user, false, Action::subscribe, "/topic/secret/**"}};
    }

    static std::vector<Rule> writers(const std::string& user) {
        return {{user, true, Action::publish, "/topic/**"}};
    }

    static std::vector<Rule> both(std::vector<Rule> some, const std::vector<Rule>& others) {
        some.insert(some.end(), others.begin(), others.end());
        return some;
    }

    EveryoneIsWelcome welcome_;
    TestClient anna{use_welcome()};
    TestClient bert{use_welcome()};

private:
    TestBroker& use_welcome() {
        broker.uses(welcome_);
        return broker;
    }
};

}  // namespace

TEST_P(Rights, S_ACL_05_PublishingNeedsIt) {
    rules({{"anna", true, Action::publish, "/topic/a"}});
    log_in(anna, "anna");
    anna.sends(send("/topic/a", "x").receipt("r"));
    anna.expects(receipt("r"));
    anna.sends(send("/topic/b", "x").receipt("s"));
    const Received refused = anna.expects_error("access-denied");
    EXPECT_EQ(refused.value("receipt-id"), "s");
    EXPECT_NE(refused.body.find("/topic/b"), std::string::npos);
    EXPECT_NE(refused.body.find("[[acl]]"), std::string::npos);
}

TEST_P(Rights, S_ACL_05_SubscribingNeedsIt) {
    rules({{"anna", true, Action::publish, "/topic/a"}});
    log_in(anna, "anna");
    anna.sends(subscribe("a", "/topic/a"));
    anna.expects_error("access-denied");
}

TEST_P(Rights, S_ACL_05_CVE_2026_32642_ANewQueueHasToBeCreated) {
    rules(
        {{"anna", true, Action::publish, "/queue/q"},
         {"anna", true, Action::publish, "/queue/new"},
         {"anna", true, Action::subscribe, "/queue/new"},
         {"bert", true, Action::publish, "/queue/q"},
         {"bert", true, Action::create, "/queue/q"}}
    );
    log_in(bert, "bert");
    bert.sends(send("/queue/q", "1").receipt("r"));
    bert.expects(receipt("r"));
    log_in(anna, "anna");
    anna.sends(send("/queue/q", "2").receipt("r"));
    anna.expects(receipt("r"));
    anna.sends(send("/queue/new", "3").receipt("s"));
    EXPECT_NE(anna.expects_error("access-denied").body.find("create"), std::string::npos);
    TestClient again(broker);
    log_in(again, "anna");
    again.sends(subscribe("n", "/queue/new"));
    again.expects_error("access-denied");
}

TEST_P(Rights, S_ACL_05_BrowsingIsARightOfItsOwn) {
    rules(
        {{"bert", true, Action::subscribe, "/queue/q"},
         {"bert", true, Action::create, "/queue/q"},
         {"anna", true, Action::browse, "/queue/q"}}
    );
    log_in(anna, "anna");
    anna.sends(subscribe("b", "/queue/q").header("browser", "true"));
    anna.expects(message("b", "").header("browser", "end"));
    log_in(bert, "bert");
    bert.sends(subscribe("b", "/queue/q").header("browser", "true"));
    bert.expects_error("access-denied");
}

TEST_P(Rights, S_ACL_05_ACommitIsAskedAgain) {
    rules({{"anna", true, Action::publish, "/topic/**"}});
    log_in(anna, "anna");
    anna.sends(begin("t"));
    anna.sends(send("/topic/a", "x").header("transaction", "t"));
    rules({{"anna", true, Action::publish, "/topic/b"}});
    anna.sends(commit("t").receipt("r"));
    anna.expects_error("access-denied");
}

TEST_P(Rights, S_ACL_05_CVE_2026_95846_DeadLettersGoWhereTheirAuthorMaySend) {
    rules(
        {{"anna", true, Action::publish, "/queue/q"},
         {"anna", true, Action::create, "/queue/q"},
         {"anna", true, Action::create, "/queue/private"}}
    );
    log_in(anna, "anna");
    anna.sends(send("/queue/q", "x")
                   .header("x-dead-letter-exchange", "")
                   .header("x-dead-letter-routing-key", "private"));
    EXPECT_NE(anna.expects_error("access-denied").body.find("/queue/private"), std::string::npos);
}

TEST_P(Rights, S_ACL_05_CVE_2026_32642_DeadLettersMakeNoQueueThatTheirAuthorMayNotMake) {
    std::vector<Rule> given{
        {"anna", true, Action::publish, "/queue/q"},
        {"anna", true, Action::create, "/queue/q"},
        {"anna", true, Action::publish, "/queue/other"},
        {"anna", true, Action::publish, "/topic/other"}};
    const auto dying = [](const char* exchange) {
        return send("/queue/q", "x")
            .header("x-dead-letter-exchange", exchange)
            .header("x-dead-letter-routing-key", "other")
            .receipt("r");
    };
    rules(given);
    log_in(anna, "anna");
    anna.sends(dying(""));
    EXPECT_NE(anna.expects_error("access-denied").body.find("/queue/other"), std::string::npos);
    given.push_back({"anna", true, Action::create, "/queue/other"});
    rules(given);
    log_in(bert, "anna");
    bert.sends(dying(""));
    bert.expects(receipt("r"));
}

TEST_P(Rights, S_ACL_05_ATopicForDeadLettersNeedsNoRightToMakeIt) {
    rules(
        {{"anna", true, Action::publish, "/queue/q"},
         {"anna", true, Action::create, "/queue/q"},
         {"anna", true, Action::publish, "/topic/other"}}
    );
    log_in(anna, "anna");
    anna.sends(send("/queue/q", "x")
                   .header("x-dead-letter-exchange", "amq.topic")
                   .header("x-dead-letter-routing-key", "other")
                   .receipt("r"));
    anna.expects(receipt("r"));
}

TEST_P(Rights, S_ACL_07_AWildcardNeedsOneRuleThatCoversIt) {
    rules({{"anna", true, Action::subscribe, "/topic/a/**"}});
    log_in(anna, "anna");
    anna.sends(subscribe("w", "/topic/a/**").receipt("r"));
    anna.expects(receipt("r"));
    anna.sends(subscribe("v", "/topic/**"));
    anna.expects_error("access-denied");
}

TEST_P(Rights, S_ACL_06_WhatIsDeniedUnderAWildcardIsLeftOut) {
    rules(both(readers("anna"), writers("bert")));
    log_in(anna, "anna");
    log_in(bert, "bert");
    anna.sends(subscribe("w", "/topic/**"));
    bert.sends(send("/topic/secret/a", "no"));
    bert.sends(send("/topic/open/a", "yes"));
    anna.expects(message("w", "yes"));
    anna.expects_nothing();
}

TEST_P(Rights, S_ACL_06_RetainedMessagesToo) {
    rules(both(readers("anna"), writers("bert")));
    log_in(bert, "bert");
    bert.sends(send("/topic/secret/a", "no").header("retain", "set"));
    bert.sends(send("/topic/open/a", "yes").header("retain", "set"));
    log_in(anna, "anna");
    anna.sends(subscribe("w", "/topic/**"));
    anna.expects(message("w", "yes"));
    anna.expects_nothing();
}

TEST_P(Rights, P_DUR_08_S_ACL_06_CVE_2021_34434_AndWhatADurableSubscriptionKept) {
    rules(both(readers("anna"), writers("bert")));
    log_in(bert, "bert");
    const auto asks = [] {
        return subscribe("w", "/topic/**", "client-individual").header("durable", "true");
    };
    log_in(anna, "anna");
    anna.sends(asks().receipt("r"));
    anna.expects(receipt("r"));
    bert.sends(send("/topic/secret/a", "no"));
    bert.sends(send("/topic/open/a", "yes"));
    anna.sends(ack(anna.expects(message("w", "yes")).token()));
    anna.drops();
    bert.sends(send("/topic/secret/a", "no"));
    bert.sends(send("/topic/later/a", "was allowed then"));
    bert.sends(send("/topic/open/a", "yes, too"));
    rules(both(
        both(readers("anna"), {{"anna", false, Action::subscribe, "/topic/later/**"}}),
        writers("bert")
    ));
    TestClient again(broker);
    log_in(again, "anna");
    again.sends(asks());
    again.expects(message("w", "yes, too"));
    again.expects_nothing();
}

TEST_P(Rights, S_ACL_11_WhatIsTakenAwayEndsWithinTheSecond) {
    rules(both(readers("anna"), writers("bert")));
    log_in(anna, "anna");
    log_in(bert, "bert");
    anna.sends(subscribe("w", "/topic/a").receipt("r"));
    anna.expects(receipt("r"));
    bert.sends(subscribe("w", "/topic/a"));
    bert.expects_error("access-denied");
    rules({{"anna", true, Action::subscribe, "/topic/b"}});
    EXPECT_EQ(anna.expects_error("revoked").value("subscription"), "w");
}

TEST_P(Rights, S_ACL_11_CVE_2021_34434_NothingMoreIsKeptForWhoIsAway) {
    const std::vector<Rule> all = both(readers("anna"), writers("bert"));
    for (const std::string destination : {"/topic/a", "/topic/**"}) {
        const std::string sent = destination == "/topic/a" ? destination : "/topic/b/c";
        const auto asks = [&] {
            return subscribe("w", destination).header("durable", "true").receipt("r");
        };
        rules(all);
        TestClient first(broker);
        log_in(first, "anna");
        first.sends(asks());
        first.expects(receipt("r"));
        first.drops();
        TestClient writer(broker);
        log_in(writer, "bert");
        writer.sends(send(sent, "before").receipt("1"));
        writer.expects(receipt("1"));
        for (const std::vector<Rule>& without : {writers("bert"), writers("bert")}) {
            rules(without);
            writer.sends(send(sent, "meanwhile").receipt("2"));
            writer.expects(receipt("2"));
        }
        rules(all);
        writer.sends(send(sent, "after").receipt("3"));
        writer.expects(receipt("3"));
        TestClient again(broker);
        log_in(again, "anna");
        again.sends(asks());
        again.expects(receipt("r"));
        again.expects(message("w", "before"));
        again.expects(message("w", "after"));
        again.expects_nothing();
    }
}

// It is refused; but word of it may have been on its way when the rules changed.
TEST_P(Rights, S_ACL_11_WhoComesBackMayReadAgain) {
    rules(both(readers("anna"), writers("bert")));
    const auto asks = [] {
        return subscribe("w", "/topic/a").header("durable", "true").receipt("r");
    };
    log_in(anna, "anna");
    anna.sends(asks());
    anna.expects(receipt("r"));
    rules(writers("bert"));
    anna.expects_error("revoked");
    TestClient refused(broker);
    log_in(refused, "anna");
    refused.sends(asks());
    refused.expects_error("access-denied");
    rules(both(readers("anna"), writers("bert")));
    TestClient again(broker);
    log_in(again, "anna");
    again.sends(asks());
    again.expects(receipt("r"));
    log_in(bert, "bert");
    bert.sends(send("/topic/a", "1"));
    again.expects(message("w", "1"));
    again.sends(unsubscribe("w").header("durable", "true").receipt("gone"));
    again.expects(receipt("gone"));
    again.expects_nothing();
}

// As with a token whose new claims allow what the old ones do not.
TEST_P(Rights, S_ACL_11_WhoComesBackAsAnotherIsKeptForAgain) {
    const auto all = both(readers("anna"), writers("bert"));
    const auto asks = [] {
        return subscribe("w", "/topic/a").header("durable", "true").receipt("r");
    };
    rules(all);
    log_in(anna, "anna");
    anna.sends(asks());
    anna.expects(receipt("r"));
    anna.drops();
    welcome_.left_out = welcome_.latest;
    rules(all);
    log_in(bert, "bert");
    bert.sends(send("/topic/a", "meanwhile").receipt("1"));
    bert.expects(receipt("1"));
    TestClient again(broker);
    log_in(again, "anna");
    again.sends(asks());
    again.expects(receipt("r"));
    bert.sends(send("/topic/a", "after"));
    again.expects(message("w", "after"));
    again.expects_nothing();
}

TEST_P(Rights, S_ACL_11_WhoKeepsHisRightsNoticesNothing) {
    rules(both(readers("anna"), writers("bert")));
    log_in(anna, "anna");
    log_in(bert, "bert");
    anna.sends(subscribe("w", "/topic/**"));
    bert.sends(send("/topic/x/y", "1"));
    anna.expects(message("w", "1"));
    rules(both(
        both(readers("anna"), {{"anna", false, Action::subscribe, "/topic/x/**"}}), writers("bert")
    ));
    bert.sends(send("/topic/x/y", "2"));
    bert.sends(send("/topic/z", "3"));
    anna.expects(message("w", "3"));
    anna.expects_nothing();
    rules(both(readers("anna"), {}));
    bert.sends(send("/topic/z", "4"));
    bert.expects_error("access-denied");
}

TEST_P(Rights, S_ACL_09_AReplyAddressIsItsOwnRight) {
    rules(
        {{"anna", true, Action::publish, "/topic/ask"},
         {"anna", true, Action::subscribe, "/temp-queue/answers"},
         {"bert", true, Action::subscribe, "/topic/ask"}}
    );
    log_in(anna, "anna");
    log_in(bert, "bert");
    bert.sends(subscribe("q", "/topic/ask"));
    anna.sends(send("/topic/ask", "what?").header("reply-to", "/temp-queue/answers"));
    const std::string address = bert.expects(message("q", "what?")).value("reply-to");
    bert.sends(send(address, "that"));
    anna.expects(message("/temp-queue/answers", "that"));
    anna.sends(send("/topic/ask", "what?").header("reply-to", "/temp-queue/others"));
    anna.expects_error("access-denied");
}

RUN_SCRIPTS_ON_SHARDS(Rights);

}  // namespace support
