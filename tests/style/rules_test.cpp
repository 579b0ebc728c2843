// Every rule of style can fail: small trees that break it, and their neighbours that do not.
#include "tests/style/rules.hpp"

#include "tests/style/measures.hpp"
#include "tests/style/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace style {
namespace {

/// One file that a rule refuses or lets pass.
struct Example {
    std::string_view rule;
    bool passes;
    std::string path;
    std::string text;
};

constexpr bool passes = true;
constexpr bool fails = false;

const std::vector<Example>& examples() {
    static const std::vector<Example> all = {
        // The law of includes, our own folders.
        {"IncludesKeepTheLaw",
         passes,
         "broker/engine/queue.cpp",
         "#include \"protocol/frame.hpp\"\n"},
        {"IncludesKeepTheLaw",
         passes,
         "broker/engine/a.cpp",
         "#include \"broker/engine/queue.hpp\"\n"},
        {"IncludesKeepTheLaw",
         passes,
         "broker/engine/a.cpp",
         "#include \"storage/message_store.hpp\"\n"},
        {"IncludesKeepTheLaw",
         fails,
         "protocol/frame.hpp",
         "#include \"broker/engine/queue.hpp\"\n"},
        {"IncludesKeepTheLaw", fails, "protocol/frame.hpp", "#include \"storage/record.hpp\"\n"},
        {"IncludesKeepTheLaw", fails, "storage/record.hpp", "#include \"protocol/frame.hpp\"\n"},
        {"IncludesKeepTheLaw",
         fails,
         "broker/engine/a.cpp",
         "#include \"broker/transport/stream.hpp\"\n"},
        {"IncludesKeepTheLaw", fails, "broker/engine/a.cpp", "#include \"broker/log/log.hpp\"\n"},
        {"IncludesKeepTheLaw",
         fails,
         "broker/transport/a.cpp",
         "#include \"broker/admin/health.hpp\"\n"},
        {"IncludesKeepTheLaw",
         fails,
         "broker/admin/a.cpp",
         "#include \"broker/server/config.hpp\"\n"},
        {"IncludesKeepTheLaw", fails, "broker/server/a.cpp", "#include \"broker/cli/serve.hpp\"\n"},
        {"IncludesKeepTheLaw", fails, "broker/main.cpp", "#include \"broker/server/server.hpp\"\n"},
        {"IncludesKeepTheLaw", passes, "broker/main.cpp", "#include \"broker/cli/cli.hpp\"\n"},
        {"IncludesKeepTheLaw",
         fails,
         "broker/engine/a.cpp",
         "#include \"tests/support/script.hpp\"\n"},
        {"IncludesKeepTheLaw", fails, "broker/engine/a.cpp", "#include \"queue.hpp\"\n"},
        {"IncludesKeepTheLaw",
         passes,
         "tests/e2e/a.cpp",
         "#include \"broker/server/server.hpp\"\n"},
        // The law of includes, other people's headers.
        {"IncludesKeepTheLaw",
         passes,
         "protocol/error.hpp",
         "#include <boost/system/result.hpp>\n#include <span>\n"},
        {"IncludesKeepTheLaw", passes, "protocol/utf8.cpp", "#include <simdjson.h>\n"},
        {"IncludesKeepTheLaw", fails, "protocol/utf8.hpp", "#include <simdjson.h>\n"},
        {"IncludesKeepTheLaw", fails, "protocol/frame.cpp", "#include <fmt/format.h>\n"},
        {"IncludesKeepTheLaw", fails, "protocol/frame.cpp", "#include <sys/socket.h>\n"},
        {"IncludesKeepTheLaw", fails, "broker/engine/a.hpp", "#include <boost/asio/post.hpp>\n"},
        {"IncludesKeepTheLaw", fails, "broker/engine/a.hpp", "#  include <mutex>\n"},
        {"IncludesKeepTheLaw", fails, "broker/engine/a.cpp", "#include <fstream>\n"},
        {"IncludesKeepTheLaw",
         passes,
         "broker/engine/a.cpp",
         "#include <fmt/format.h>\n#include <map>\n"},
        {"IncludesKeepTheLaw", passes, "storage/committer.cpp", "#include <thread>\n"},
        {"IncludesKeepTheLaw", fails, "storage/committer.hpp", "#include <thread>\n"},
        {"IncludesKeepTheLaw", fails, "storage/rocks_store.hpp", "#include <rocksdb/db.h>\n"},
        {"IncludesKeepTheLaw",
         passes,
         "broker/transport/a.cpp",
         "#include <boost/beast/http.hpp>\n"},
        {"IncludesKeepTheLaw",
         fails,
         "broker/transport/a.hpp",
         "#include <boost/beast/http.hpp>\n"},
        {"IncludesKeepTheLaw", fails, "broker/transport/a.cpp", "#include <toml++/toml.h>\n"},
        {"IncludesKeepTheLaw", fails, "broker/server/a.cpp", "#include <CLI/CLI.hpp>\n"},
        {"IncludesKeepTheLaw",
         passes,
         "broker/engine/a.cpp",
         "// #include <boost/asio/post.hpp>\n"},
        // Threads and clocks.
        {"NoThreadsBelowTransport", fails, "broker/engine/queue.hpp", "std::mutex mutex_;\n"},
        {"NoThreadsBelowTransport", fails, "protocol/parser.cpp", "static std::atomic<int> n;\n"},
        {"NoThreadsBelowTransport",
         fails,
         "storage/message_store.hpp",
         "std::thread committer_;\n"},
        {"NoThreadsBelowTransport", passes, "storage/committer.cpp", "std::thread committer_;\n"},
        {"NoThreadsBelowTransport",
         passes,
         "broker/transport/io_shard.hpp",
         "std::thread thread_;\n"},
        {"NoThreadsBelowTransport",
         passes,
         "broker/engine/queue.hpp",
         "// Unlike std::mutex, a shard orders.\n"},
        {"NoClocksBelowTransport",
         fails,
         "broker/engine/queue.cpp",
         "auto t = std::chrono::steady_clock::now();\n"},
        {"NoClocksBelowTransport", fails, "protocol/parser.cpp", "auto t = Clock::now();\n"},
        {"NoClocksBelowTransport", passes, "broker/engine/queue.cpp", "auto t = clock_.now();\n"},
        {"NoClocksBelowTransport",
         passes,
         "broker/transport/io_shard.cpp",
         "auto t = Clock::now();\n"},
        // Words.
        {"NoUsingNamespace", fails, "tests/engine/a.cpp", "using namespace engine;\n"},
        {"NoUsingNamespace", passes, "tests/engine/a.cpp", "namespace fs = std::filesystem;\n"},
        {"NoFriendTests", fails, "broker/engine/queue.hpp", "    friend class QueueTest;\n"},
        {"NoFriendTests",
         passes,
         "broker/engine/queue.hpp",
         "friend bool operator==(const Id&, const Id&);\n"},
        {"OnlyLogAndCliPrint", fails, "broker/transport/a.cpp", "std::cout << 1;\n"},
        {"OnlyLogAndCliPrint", fails, "broker/server/a.cpp", "std::printf(\"x\");\n"},
        {"OnlyLogAndCliPrint", passes, "broker/server/a.cpp", "std::snprintf(to, 9, \"x\");\n"},
        {"OnlyLogAndCliPrint", passes, "broker/cli/a.cpp", "std::cout << 1;\n"},
        {"OnlyLogAndCliPrint", passes, "broker/log/a.cpp", "std::printf(\"x\");\n"},
        {"NothingIsLeftOpen", fails, "broker/cli/a.cpp", "// TODO: the rest.\n"},
        {"NothingIsLeftOpen", fails, "docs/guide.md", "FIXME\n"},
        {"NothingIsLeftOpen", fails, "deploy/run", "# XXX later\n"},
        {"NothingIsLeftOpen", passes, "deploy/run", "mktemp -d stampede.XXXXXX\n"},
        // Coroutines.
        {"NoCapturingLambdaCoroutines",
         fails,
         "broker/cli/a.cpp",
         "co_spawn(ex, [self]() -> awaitable<void> { co_await self->run(); }, detached);\n"},
        {"NoCapturingLambdaCoroutines",
         fails,
         "broker/cli/a.cpp",
         "auto f = [&] (int n) -> task { co_return; };\n"},
        {"NoCapturingLambdaCoroutines",
         passes,
         "broker/cli/a.cpp",
         "auto f = [](int n) -> task { co_return; };\n"},
        {"NoCapturingLambdaCoroutines",
         passes,
         "broker/cli/a.cpp",
         "task run() { auto [ec, n] = co_await read(); if (a[n]) { co_return; } post([ec] { "
         "use(ec); }); }\n"},
        {"NoCapturingLambdaCoroutines",
         passes,
         "broker/cli/a.cpp",
         "post([self] { start([](auto s) -> task { co_await s->run(); }(self)); });\n"},
        {"NoTemporariesAreAwaited",
         fails,
         "broker/admin/a.cpp",
         "auto parts = co_await shards.ask_all([name](int post) { return name; });\n"},
        {"NoTemporariesAreAwaited",
         fails,
         "broker/admin/a.cpp",
         "co_return co_await send(client, std::move(answer));\n"},
        {"NoTemporariesAreAwaited",
         passes,
         "broker/admin/a.cpp",
         "auto call = ask([name](int n) { return name; }); auto a = co_await std::move(call);\n"},
        // What every file owes.
        {"EverySourceIsListed", fails, "broker/engine/forgotten.cpp", "int x;\n"},
        {"EverySourceIsListed", passes, "broker/engine/listed.cpp", "int x;\n"},
        {"EverySourceIsListed", passes, "tests/support/script.cpp", "int x;\n"},
        {"EverySourceIsListed", fails, "tests/support/scrip.cpp", "int x;\n"},
        {"EveryHeaderSaysItsPurpose",
         passes,
         "protocol/a.hpp",
         "// Frames as values.\n#pragma once\n"},
        {"EveryHeaderSaysItsPurpose",
         fails,
         "protocol/a.hpp",
         "#pragma once\n// Frames as values.\n"},
        {"EveryHeaderSaysItsPurpose", fails, "protocol/a.hpp", "// Frames as values.\nint x;\n"},
        {"EveryRuleOfConformanceIsTested",
         passes,
         "docs/conformance.md",
         "| P-FRAME-03 | *Frames* |\n"},
        {"EveryRuleOfConformanceIsTested",
         passes,
         "docs/conformance.md",
         "| P-HB-01 | in JavaScript |\n"},
        {"EveryRuleOfConformanceIsTested",
         fails,
         "docs/conformance.md",
         "| P-FRAME-04 | *Frames* |\n"},
        {"EveryRuleOfConformanceIsTested", fails, "docs/conformance.md", "| P-FRAME-05 | said |\n"},
        {"EveryRuleOfConformanceIsTested", fails, "docs/conformance.md", "| P-FRAME-06 | off |\n"},
        {"EveryRuleOfConformanceIsTested", fails, "docs/conformance.md", "| P-FRAME-07 | no |\n"},
        {"EveryRuleOfConformanceIsTested", fails, "docs/conformance.md", "| P-FRAME-08 | own |\n"},
        {"EveryRuleOfConformanceIsTested", fails, "docs/conformance.md", "| P-HB-03 | said |\n"},
        {"EveryRuleOfConformanceIsTested", fails, "docs/conformance.md", "| S-BIND-02 | ours |\n"},
        {"EveryRuleOfConformanceIsTested",
         passes,
         "docs/conformance.md",
         "MAP-FRAME-04 and P-DEST-"},
        {"EveryRuleOfTheProtocolIsTested",
         passes,
         "docs/protocol.md",
         "| P-FRAME-03 | What a command is: see S-BIND-02 |\n\nP-HB-01 Beats.\n"},
        {"EveryRuleOfTheProtocolIsTested",
         passes,
         "docs/protocol.md",
         "| P-SJS-01 | Later |\n| P-CONN-12 | Reserved |\n| MAP-FRAME-04 | |\n"},
        {"EveryRuleOfTheProtocolIsTested", fails, "docs/protocol.md", "| P-FRAME-04 | Lines |\n"},
        {"EveryRuleOfTheProtocolIsTested", fails, "docs/protocol.md", "P-HB-02 The answer.\n"},
        {"EveryRuleOfTheProtocolIsTested",
         fails,
         "docs/protocol.md",
         "Beyond it the frame is refused (P-QOS-01).\n"},
        {"EveryRuleOfSecurityIsTested",
         passes,
         "docs/security.md",
         "| S-WEB-01 | Origin | see P-FRAME-99 |\n\n## Not built yet\n\n| S-WEB-08 | console |\n"},
        {"EveryRuleOfSecurityIsTested", fails, "docs/security.md", "| S-WEB-02 | Origin |\n"},
        {"EveryRuleOfSecurityIsTested", fails, "docs/security.md", "| S-WEB-03 | commented |\n"},
        {"EveryRuleOfSecurityIsTested", fails, "docs/security.md", "| S-WEB-04 | checked |\n"},
        {"EveryRuleOfSecurityIsTested",
         fails,
         "docs/security.md",
         "Users have names (S-AUTH-06).\n\n## Not built yet\n"},
        {"EveryVulnerabilityIsTested",
         passes,
         "docs/cve.md",
         "| Seen in | Ours | Tests |\n|---|---|---|\n| Ours CVE-1999-0001, -0002 | refused | "
         "`CVE_1999_0001_Refuses` |\n| None CVE-1999-0003 | nothing | n/a: no such part |\n"
         "| Beast 2879 | closed | `S_WEB_01_Origins` |\n"
         "| CVE-1999-0005 | by table | `CVE_1999_0005_tables` |\n"},
        {"EveryVulnerabilityIsTested",
         fails,
         "docs/cve.md",
         "| CVE-1999-0001 | part of a name | `CVE_1999_0001_Refuse` |\n"},
        {"EveryVulnerabilityIsTested",
         fails,
         "docs/cve.md",
         "| CVE-1999-0006 | by itself | `P_FRAME_08_CVE_1999_0006_Itself` |\n"},
        {"EveryVulnerabilityIsTested",
         fails,
         "docs/cve.md",
         "| CVE-1999-0001 | refused | `CVE_1999_0001_Accepts` |\n"},
        {"EveryVulnerabilityIsTested",
         fails,
         "docs/cve.md",
         "| CVE-1999-0001 | refused | soon |\n"},
        {"EveryVulnerabilityIsTested",
         fails,
         "docs/cve.md",
         "| CVE-1999-0002 | refused | `CVE_1999_0001_Refuses` |\n"},
        // Secrets.
        {"NoGuessableRandomness", passes, "broker/cli/a.cpp", "std::random_device random_;\n"},
        {"NoGuessableRandomness", passes, "tests/engine/a.cpp", "std::mt19937 random;\n"},
        {"NoGuessableRandomness", fails, "broker/engine/a.cpp", "std::random_device random_;\n"},
        {"NoGuessableRandomness", fails, "broker/cli/a.cpp", "std::mt19937_64 random_;\n"},
        {"NoGuessableRandomness", fails, "protocol/a.cpp", "const int n = std::rand();\n"},
        // Links.
        {"EveryLinkLeadsSomewhere", passes, "docs/a.md", "# A\n[b](../tests/support/script.cpp)\n"},
        {"EveryLinkLeadsSomewhere",
         passes,
         "docs/a.md",
         "[b](../broker/engine/) [c](http://a.b/c)\n"},
        {"EveryLinkLeadsSomewhere", passes, "docs/a.md", "## It's `x`: 1\n[b](#its-x-1)\n"},
        {"EveryLinkLeadsSomewhere", passes, "docs/a.md", "# B\n# B\n[b](a.md#b) [c](a.md#b-1)\n"},
        {"EveryLinkLeadsSomewhere", passes, "docs/a.md", "```\n# C\n[b](nowhere.md)\n```\n"},
        {"EveryLinkLeadsSomewhere", fails, "docs/a.md", "[b](nowhere.md)\n"},
        {"EveryLinkLeadsSomewhere", fails, "docs/a.md", "[b](a.md) and [c](../docs/no.md)\n"},
        {"EveryLinkLeadsSomewhere", fails, "docs/a.md", "# B\n[b](#c)\n"},
        {"EveryLinkLeadsSomewhere", fails, "docs/a.md", "# B\n[b](a.md#b-1)\n"},
        {"EveryLinkLeadsSomewhere", fails, "docs/a.md", "```\n# C\n```\n[b](a.md#c)\n"},
        // The tree itself.
        {"TopLevelIsFixed", fails, "utils/strings.hpp", "// Strings.\n#pragma once\n"},
        {"TopLevelIsFixed", fails, "NOTES.md", "x\n"},
        {"TopLevelIsFixed", passes, "docs/guide.md", "x\n"},
        {"TopLevelIsFixed", passes, ".ci/run", "x\n"},
        {"NoMachinePaths", fails, "docs/guide.md", "cd /home/ann/stampede\n"},
        {"NoMachinePaths", fails, "deploy/run", "cp x \"/root/x\"\n"},
        {"NoMachinePaths",
         passes,
         "docs/guide.md",
         "see ../work/list and https://example.org/home/page\n"},
    };
    return all;
}

/// The example's file among neighbours that break no rule.
Tree tree_with(const Example& example) {
    Tree tree;
    tree.add(
        "broker/engine/CMakeLists.txt", "stampede_library(broker_engine SOURCES listed.cpp)\n"
    );
    tree.add(
        "tests/engine/CMakeLists.txt", "stampede_test(test_engine SOURCES ../support/script.cpp)\n"
    );
    tree.add(
        "tests/support/script.cpp",
        "// P_FRAME_04 is spoken of.\n"
        "TEST_P(\n    Parser, P_FRAME_03_RefusesUnknownCommand\n) { say(\"P_FRAME_05\"); }\n"
        "TEST(Parser, DISABLED_P_FRAME_06_Rests)\nconst char* P_FRAME_07_table;\n"
    );
    tree.add(
        "tests/e2e/test_a.py",
        "def test_S_WEB_01_Origins(self):\n    def test_CVE_1999_0001_Refuses(self):\n"
        "# def test_S_WEB_03_rests(self):\nself.check(\"S_WEB_04\")\n"
        "            setattr(cls, \"test_CVE_1999_0005_tables__%d\" % index, test)\n"
    );
    tree.add("tests/style/itself.py", "def test_P_FRAME_08_CVE_1999_0006_Itself(self):\n");
    tree.add(
        "tests/interop/beats.mjs",
        "// P_HB_03\ntest('React: P_HB_01 answers', () => say('P_HB_03'));\n"
    );
    tree.add(example.path, example.text);
    return tree;
}

class StyleRule : public testing::TestWithParam<Rule> {};

/// A rule that cannot fail proves nothing: each has at least one example of both kinds.
TEST_P(StyleRule, JudgesItsExamples) {
    std::set<bool> kinds;
    for (const Example& example : examples()) {
        if (example.rule != GetParam().name) { continue; }
        kinds.insert(example.passes);
        const Violations found = GetParam().check(tree_with(example));
        EXPECT_EQ(found.empty(), example.passes)
            << example.path << ": " << example.text << testing::PrintToString(found);
    }
    EXPECT_EQ(kinds.size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(, StyleRule, testing::ValuesIn(all_rules()), [](const auto& rule) {
    return std::string(rule.param.name);
});

TEST(StyleRules, EveryExampleIsOfARule) {
    for (const Example& example : examples()) {
        EXPECT_NE(std::ranges::find(all_rules(), example.rule, &Rule::name), all_rules().end())
            << example.rule;
    }
}

TEST(StyleRules, ASessionIdFromAGuessableGeneratorBreaksTheRule) {
    const auto rule = std::ranges::find(all_rules(), "NoGuessableRandomness", &Rule::name);
    ASSERT_NE(rule, all_rules().end());
    Tree tree;
    tree.add("broker/engine/session_id.cpp", "std::mt19937 engine(std::random_device{}());\n");
    EXPECT_EQ(rule->check(tree).size(), 2U);
}

TEST(StyleRules, OnlyOneSourceOfProtocolMayUseSimdjson) {
    Tree tree;
    tree.add("protocol/a.cpp", "#include <simdjson.h>\n");
    EXPECT_TRUE(check_includes(tree).empty());
    tree.add("protocol/b.cpp", "#include <simdjson.h>\n");
    EXPECT_EQ(check_includes(tree).size(), 1U);
}

TEST(StyleRules, AViolationNamesFileAndLine) {
    Tree tree;
    tree.add("protocol/a.cpp", "// A.\n\n#include <mutex>\n");
    EXPECT_EQ(
        check_includes(tree).at(0), "protocol/a.cpp:3: protocol may not include \"mutex\" (threads)"
    );
}

TEST(StyleCode, BlanksCommentsAndLiteralsAndKeepsOffsets) {
    EXPECT_EQ(code_of("a /* b\n */ c // d\ne"), "a     \n    c     \ne");
    EXPECT_EQ(code_of("f(\"x\\\"y\", 'z', 1'000)"), "f(      ,    , 1'000)");
    EXPECT_EQ(code_of("R\"_(a\n\")_\" b"), "     \n     b");
}

TEST(StyleMeasures, FindFunctionsByTheirBraces) {
    Tree tree;
    tree.add(
        "broker/engine/a.cpp",
        "namespace engine {\n"
        "A::A(int n)\n    : n_{n},\n      m_(n) {\n    if (n) { m_ = 1; }\n}\n"
        "struct B {\n    int f() const { return 1; }\n};\n"
        "}\n"
    );
    const std::vector<Measure> functions = largest_functions(tree, 10);
    ASSERT_EQ(functions.size(), 2U);
    EXPECT_EQ(functions.at(0).name, "broker/engine/a.cpp:2 A::A");
    EXPECT_EQ(functions.at(0).lines, 5U);
    EXPECT_EQ(functions.at(1).name, "broker/engine/a.cpp:8 f");
    EXPECT_EQ(functions.at(1).lines, 1U);
}

}  // namespace
}  // namespace style
