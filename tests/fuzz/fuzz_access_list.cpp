// Access lists: any text is a rule or a fault that says so, and all decisions are the model's.
// Input: lines of fields cut at tabs; `a`/`d` actions, who, on (each with commas): a rule; `p`
// user, role, claim `t`: who asks; any other line: a destination or pattern. At most 32 rules.
#include "broker/security/access_list.hpp"
#include "tests/fuzz/choices.hpp"
#include "tests/security/access_model.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using engine::Action;
using fuzz::require;
using security::AccessRule;
using Texts = std::vector<std::string>;

constexpr std::size_t rules_max = 32;

Texts split(std::string_view text, char separator) {
    Texts parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

AccessRule rule_from(const Texts& fields) {
    AccessRule rule;
    (fields[0] == "d" ? rule.deny : rule.allow) = split(fields[1], ',');
    rule.who = split(fields[2], ',');
    rule.on = split(fields[3], ',');
    return rule;
}

// The model takes exponential time for many of these.
bool has_few_many(const AccessRule& rule) {
    return std::ranges::all_of(rule.on, [](const std::string& pattern) {
        return std::ranges::count_if(pattern, [](char c) {
                   return c == '#' || c == '*' || c == '>';
               }) <= 8;
    });
}

void check_faults(const AccessRule& rule, const std::vector<security::RuleFault>& faults) {
    require(security::AccessList::make({rule}).has_value() == faults.empty(), "faults: no list");
    for (const security::RuleFault& fault : faults) {
        const std::string text = fault.text();
        require(text.starts_with("acl[0]") && text.size() > 20, "a fault says where and what");
        require(text.find('\n') == std::string::npos, "a fault is one line");
    }
}

/// One input: rules without faults, who asks, and what for.
struct Question {
    std::vector<AccessRule> rules;
    engine::Principal who;
    Texts names;
};

void add_line(Question& question, std::string_view line) {
    const Texts fields = split(line, '\t');
    if (fields.size() == 4 && (fields[0] == "a" || fields[0] == "d")) {
        const AccessRule rule = rule_from(fields);
        const auto faults = security::faults_of(rule, 0, {});
        check_faults(rule, faults);
        const bool is_added =
            faults.empty() && has_few_many(rule) && question.rules.size() < rules_max;
        if (is_added) { question.rules.push_back(rule); }
    } else if (fields.size() == 4 && fields[0] == "p") {
        question.who = {fields[1], {fields[2]}, {{"t", fields[3]}}};
        question.who.is_anonymous = fields[1] == "anonymous";
    } else {
        question.names.emplace_back(line);
    }
}

using Named = std::pair<protocol::Destination, bool>;

/// The destinations among the names, and whether each is allowed.
std::vector<Named> check_decisions(
    const Question& question, const security::AccessList& list, Action action
) {
    const auto access = list.access_of(std::make_shared<engine::Principal>(question.who));
    std::vector<Named> answers;
    for (const std::string& name : question.names) {
        const auto destination = protocol::parse_destination(name, {});
        if (!destination) { continue; }
        const bool is_allowed = access->allows(action, *destination);
        const bool expected =
            security::model::allows(question.rules, question.who, action, *destination);
        require(is_allowed == expected, "the model agrees");
        const auto why = list.explain(question.who, action, *destination);
        require(why.is_allowed == is_allowed, "the explanation is the decision");
        answers.emplace_back(*destination, is_allowed);
    }
    return answers;
}

void check(const Question& question, const security::AccessList& list, Action action) {
    const auto answers = check_decisions(question, list, action);
    const auto access = list.access_of(std::make_shared<engine::Principal>(question.who));
    for (const std::string& name : question.names) {
        const auto pattern = protocol::parse_pattern(name, {});
        if (!pattern || !pattern->is_wildcard || !access->covers(action, *pattern)) { continue; }
        if (access->has_denials(action)) { continue; }
        for (const auto& [destination, is_allowed] : answers) {
            const bool is_match =
                destination.space == pattern->destination.space &&
                protocol::matches(pattern->destination.key, pattern->separator, destination.key);
            require(is_allowed || !is_match, "what is covered is allowed");
        }
    }
    for (const auto& [left, left_answer] : answers) {
        for (const auto& [right, right_answer] : answers) {
            const bool is_same = left.canonical() == right.canonical();
            require(!is_same || left_answer == right_answer, "one routing key, one answer");
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Question question;
    for (const std::string& line : split(fuzz::Choices(data, size).rest().substr(0, 4096), '\n')) {
        add_line(question, line);
    }
    const auto list = security::AccessList::make(question.rules);
    require(list.has_value(), "rules without faults make a list");
    for (const Action action :
         {Action::publish, Action::subscribe, Action::create, Action::browse}) {
        check(question, **list, action);
    }
    return 0;
}
