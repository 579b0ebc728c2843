// The rules of style and architecture as functions from the tree to what breaks them.
// Each rule is pure, so that it can be shown to fail on a tree of three lines.
#pragma once

#include "tests/style/tree.hpp"

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace style {

/// "path:line: what is wrong and what to do instead", one entry for each place.
using Violations = std::vector<std::string>;

struct Rule {
    std::string_view name;  ///< A fact, as the test's name.
    Violations (*check)(const Tree& tree);
};

/// Shows a rule by its name where a test fails.
inline void PrintTo(const Rule& rule, std::ostream* out) {
    *out << rule.name;
}

/// Every rule, in the order in which they are reported.
[[nodiscard]] const std::vector<Rule>& all_rules();

/// The law of includes: the table of docs/architecture.md, third-party headers included.
[[nodiscard]] Violations check_includes(const Tree& tree);

/// Lambda coroutines that capture.
[[nodiscard]] Violations check_lambda_coroutines(const Tree& tree);
[[nodiscard]] Violations check_awaited_temporaries(const Tree& tree);

/// Rules of docs/conformance.md that no test names.
[[nodiscard]] Violations check_conformance(const Tree& tree);

/// Rules (P-) of docs/protocol.md that no test names, but for those of later versions.
[[nodiscard]] Violations check_protocol(const Tree& tree);

/// Rules (S-) of docs/security.md that no test names, but for those that are not built yet.
[[nodiscard]] Violations check_security(const Tree& tree);

/// Relative links of Markdown files that lead nowhere.
[[nodiscard]] Violations check_links(const Tree& tree);

/// Rows of docs/cve.md without a test that exists and has the row's first CVE in its name.
[[nodiscard]] Violations check_vulnerabilities(const Tree& tree);

}  // namespace style
