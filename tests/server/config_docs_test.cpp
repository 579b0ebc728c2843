// The manual and the keys agree: the table of all keys, the table of policies, and every example.
// The table of keys is between two markers in docs/configuration.md.
#include "broker/server/config.hpp"
#include "broker/server/config_explain.hpp"
#include "broker/server/config_keys.hpp"
#include "tests/server/temporary_file.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace server {
namespace {

constexpr std::string_view begin_mark = "<!-- keys: generated, see tests/server -->\n";
constexpr std::string_view end_mark = "<!-- end of keys -->\n";

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::filesystem::path root() {
    return STAMPEDE_SOURCE_ROOT;
}

std::string manual() {
    return text_of(root() / "docs/configuration.md");
}

std::vector<std::filesystem::path> pages() {
    std::vector<std::filesystem::path> all{root() / "README.md"};
    for (const auto& entry : std::filesystem::directory_iterator(root() / "docs")) {
        if (entry.path().extension() == ".md") { all.push_back(entry.path()); }
    }
    return all;
}

// The fenced blocks of `text` that are said to be TOML.
std::vector<std::string> examples_in(const std::string& text) {
    constexpr std::string_view begin = "```toml\n";
    std::vector<std::string> all;
    for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
        at += begin.size();
        all.push_back(text.substr(at, text.find("```", at) - at));
    }
    return all;
}

LoadedConfig load_example(const std::string& toml) {
    const TemporaryFile file(toml);
    Flags flags;
    flags.config = file.path();
    return load_config(flags, [](const char*) -> const char* { return nullptr; });
}

TEST(ConfigDocs, TheManualHasTheTableOfKeys) {
    const std::string text = manual();
    const std::size_t mark = text.find(begin_mark);
    ASSERT_NE(mark, std::string::npos) << "docs/configuration.md has lost its first marker";
    const std::size_t begin = mark + begin_mark.size();
    const std::size_t end = text.find(end_mark, begin);
    ASSERT_NE(end, std::string::npos) << "docs/configuration.md has lost its second marker";
    const std::string wanted = key_table_markdown();
    EXPECT_EQ(text.substr(begin, end - begin), wanted)
        << "put this between the markers of docs/configuration.md:\n"
        << wanted;
}

// As it stands: without any flag.
TEST(ConfigDocs, EveryExampleIsAGoodConfiguration) {
    std::size_t count = 0;
    for (const auto& page : pages()) {
        for (const std::string& example : examples_in(text_of(page))) {
            ++count;
            for (const ConfigError& error : load_example(example).errors) {
                ADD_FAILURE() << page << ": " << error.text() << "\n" << example;
            }
        }
    }
    EXPECT_GT(count, 10U);
}

// These are copied whole: they lack nothing.
TEST(ConfigDocs, S_BIND_05_ExamplesOfDeploymentGiveNoWarning) {
    const std::vector<std::string> examples = examples_in(text_of(root() / "docs/deployment.md"));
    EXPECT_GE(examples.size(), 3U);
    for (const std::string& example : examples) {
        for (const std::string& warning : load_example(example).warnings) {
            ADD_FAILURE() << warning << "\n" << example;
        }
    }
}

TEST(ConfigDocs, ThePageOfPoliciesHasARowForEachKey) {
    const std::string text = text_of(root() / "docs/policies.md");
    for (const Row<PolicyDraft>& row : policy_rows()) {
        PolicyDraft defaults;
        const std::string value = format_value(row.key, row.target(defaults));
        const std::string begin = "\n| `" + std::string(row.key.name) + "` | " +
                                  (value == "\"\"" ? "" : "`" + value + "`") + " |";
        EXPECT_NE(text.find(begin), std::string::npos) << "docs/policies.md lacks " << begin;
    }
}

// What the page says of `--explain` is what it prints.
TEST(ConfigDocs, ThePageOfPoliciesShowsWhatExplainPrints) {
    const std::string text = text_of(root() / "docs/policies.md");
    const std::vector<std::string> examples = examples_in(text);
    ASSERT_FALSE(examples.empty());
    const LoadedConfig loaded = load_example(examples.front());
    const auto explanation = explain(loaded, "/queue/orders.eu");
    ASSERT_TRUE(explanation.has_value());
    std::string printed = explanation_text(*explanation);
    for (std::size_t at = printed.find(loaded.file); at != std::string::npos;
         at = printed.find(loaded.file)) {
        printed.replace(at, loaded.file.size(), "stampede.toml");
    }
    EXPECT_NE(text.find("stampede.toml: ok\n\n" + printed + "```"), std::string::npos)
        << "put this into docs/policies.md:\n"
        << printed;
}

}  // namespace
}  // namespace server
