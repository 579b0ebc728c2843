// The rules of style: forbidden words where they do not belong, and what every file owes.
// Words end where identifiers end, and are searched in code alone unless comments count too.
#include "tests/style/rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>

namespace style {
namespace {

template <std::size_t N>
void find_words(
    const File& file,
    std::string_view text,
    const std::array<std::string_view, N>& words,
    std::string_view advice,
    Violations& found
) {
    for (const std::string_view word : words) {
        for (std::size_t at = find_word(text, word); at != std::string_view::npos;
             at = find_word(text, word, at + 1)) {
            found.push_back(place(file, at, std::string(word) + ": " + std::string(advice)));
        }
    }
}

/// Where neither threads nor clocks exist. The store keeps a committer, behind its interface.
bool is_timeless(const File& file) {
    return file.is_product() && (file.is_under("protocol") || file.is_under("broker/engine") ||
                                 (file.is_under("storage") && file.is_header()));
}

/// The style test speaks about what it forbids.
bool is_own(const File& file) {
    return file.is_under("tests/style");
}

Violations check_threads(const Tree& tree) {
    static constexpr auto words = std::to_array<std::string_view>(
        {"std::mutex",
         "std::shared_mutex",
         "std::recursive_mutex",
         "std::thread",
         "std::jthread",
         "std::this_thread",
         "std::atomic",
         "std::atomic_flag",
         "std::condition_variable",
         "std::lock_guard",
         "std::async"}
    );
    Violations found;
    for (const File& file : tree.files) {
        if (is_timeless(file)) {
            find_words(file, file.code, words, "every object lives on one shard", found);
        }
    }
    return found;
}

Violations check_clocks(const Tree& tree) {
    static constexpr auto words =
        std::to_array<std::string_view>({"::now()", "std::time(", "gettimeofday", "clock_gettime"});
    Violations found;
    for (const File& file : tree.files) {
        if (is_timeless(file)) {
            find_words(file, file.code, words, "time comes in as a parameter or a Clock", found);
        }
    }
    return found;
}

Violations check_using_namespace(const Tree& tree) {
    static constexpr auto words = std::to_array<std::string_view>({"using namespace"});
    Violations found;
    for (const File& file : tree.files) {
        find_words(file, file.code, words, "name what you use", found);
    }
    return found;
}

Violations check_friend_tests(const Tree& tree) {
    Violations found;
    for (const File& file : tree.files) {
        for (const Line& line : lines_of(file.code)) {
            const std::string_view friends =
                line.text.substr(std::min(find_word(line.text, "friend"), line.text.size()));
            if (friends.find("Test") == std::string_view::npos &&
                friends.find("test") == std::string_view::npos) {
                continue;
            }
            found.push_back(place(
                file, line.offset, "no friend tests: what a test needs is a constructor parameter"
            ));
        }
    }
    return found;
}

Violations check_printing(const Tree& tree) {
    static constexpr auto words =
        std::to_array<std::string_view>({"std::cout", "printf(", "puts(", "std::clog"});
    Violations found;
    for (const File& file : tree.files) {
        const bool may_print = file.is_under("broker/log") || file.is_under("broker/cli");
        if (!file.is_product() || may_print) { continue; }
        find_words(file, file.code, words, "only broker/log and broker/cli print", found);
    }
    return found;
}

Violations check_open_ends(const Tree& tree) {
    static constexpr auto words = std::to_array<std::string_view>({"TODO", "FIXME", "XXX"});
    Violations found;
    for (const File& file : tree.files) {
        if (is_own(file) || file.path.ends_with("package-lock.json")) { continue; }
        find_words(
            file, file.text, words, "finish it, or write it down as a documented limit", found
        );
    }
    return found;
}

/// Whether a CMakeLists.txt above `path` names it, relative to itself.
bool is_listed(const Tree& tree, const std::string& path) {
    for (std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0;
         slash = path.rfind('/', slash - 1)) {
        const File* const list = tree.find(path.substr(0, slash) + "/CMakeLists.txt");
        if (list != nullptr && find_word(list->text, path.substr(slash + 1)) != std::string::npos) {
            return true;
        }
    }
    return false;
}

/// Shared test code has no library of its own: any test may list it as `../support/NAME.cpp`.
bool is_listed_by_a_test(const Tree& tree, const File& file) {
    static constexpr std::string_view tests = "tests/";
    if (!file.path.starts_with(tests)) { return false; }
    const std::string name = file.path.substr(tests.size());
    return std::ranges::any_of(tree.files, [&name](const File& list) {
        return list.is_under("tests") && list.path.ends_with("/CMakeLists.txt") &&
               find_word(list.text, name) != std::string::npos;
    });
}

Violations check_listed_sources(const Tree& tree) {
    Violations found;
    for (const File& file : tree.files) {
        if (file.is_source() && !is_listed(tree, file.path) && !is_listed_by_a_test(tree, file)) {
            found.push_back(file.path + ":1: not listed in its folder's CMakeLists.txt");
        }
    }
    return found;
}

Violations check_header_beginnings(const Tree& tree) {
    Violations found;
    for (const File& file : tree.files) {
        if (!file.is_header()) { continue; }
        const bool has_purpose = file.text.starts_with("// ") || file.text.starts_with("/// ");
        if (!has_purpose) {
            found.push_back(file.path + ":1: the first line says the header's purpose");
        }
        if (file.text.find("\n#pragma once\n") == std::string::npos) {
            found.push_back(file.path + ":1: #pragma once is missing");
        }
    }
    return found;
}

Violations check_top_level(const Tree& tree) {
    static const std::set<std::string> allowed = {
        "CMakeLists.txt",
        "CMakePresets.json",
        "LICENSE",
        "README.md",
        "broker",
        "deploy",
        "docs",
        "protocol",
        "storage",
        "tests"};
    std::set<std::string> strangers;
    for (const File& file : tree.files) {
        const std::string entry = file.path.substr(0, file.path.find('/'));
        if (!entry.starts_with('.') && !allowed.contains(entry)) { strangers.insert(entry); }
    }
    Violations found;
    for (const std::string& entry : strangers) {
        found.push_back(entry + ":1: the top level is fixed");
    }
    return found;
}

/// A directory of one machine: somebody's home or workspace at the root of the file system.
/// Ids, salts and tokens come from OpenSSL (S-SEC-03); the command line masks what it sends itself.
Violations check_randomness(const Tree& tree) {
    static constexpr auto engines = std::to_array<std::string_view>(
        {"std::mt19937",
         "std::mt19937_64",
         "std::minstd_rand",
         "std::minstd_rand0",
         "std::default_random_engine",
         "std::rand",
         "srand",
         "drand48",
         "lrand48"}
    );
    static constexpr auto devices = std::to_array<std::string_view>({"std::random_device"});
    static constexpr std::string_view advice = "random octets come from OpenSSL's generator";
    Violations found;
    for (const File& file : tree.files) {
        // The order in which a drain closes connections is no secret.
        if (!file.is_product() || file.path == "broker/server/drain.cpp") { continue; }
        find_words(file, file.code, engines, advice, found);
        if (!file.is_under("broker/cli")) { find_words(file, file.code, devices, advice, found); }
    }
    return found;
}

Violations check_machine_paths(const Tree& tree) {
    static constexpr auto places =
        std::to_array<std::string_view>({"/work/", "/root/", "/home/", "/Users/"});
    Violations found;
    for (const File& file : tree.files) {
        if (is_own(file)) { continue; }
        for (const std::string_view begin : places) {
            for (std::size_t at = file.text.find(begin); at != std::string::npos;
                 at = file.text.find(begin, at + 1)) {
                static constexpr std::string_view path_characters = "_./-$}*~";
                const char before = at == 0 ? ' ' : file.text[at - 1];
                if (std::isalnum(static_cast<unsigned char>(before)) != 0 ||
                    path_characters.find(before) != std::string_view::npos) {
                    continue;
                }
                found.push_back(place(file, at, std::string(begin) + " exists on one machine only")
                );
            }
        }
    }
    return found;
}

}  // namespace

const std::vector<Rule>& all_rules() {
    static const std::vector<Rule> rules = {
        {"IncludesKeepTheLaw", check_includes},
        {"NoThreadsBelowTransport", check_threads},
        {"NoClocksBelowTransport", check_clocks},
        {"NoGuessableRandomness", check_randomness},
        {"NoUsingNamespace", check_using_namespace},
        {"NoFriendTests", check_friend_tests},
        {"OnlyLogAndCliPrint", check_printing},
        {"NothingIsLeftOpen", check_open_ends},
        {"NoCapturingLambdaCoroutines", check_lambda_coroutines},
        {"NoTemporariesAreAwaited", check_awaited_temporaries},
        {"EverySourceIsListed", check_listed_sources},
        {"EveryHeaderSaysItsPurpose", check_header_beginnings},
        {"EveryRuleOfConformanceIsTested", check_conformance},
        {"EveryRuleOfTheProtocolIsTested", check_protocol},
        {"EveryRuleOfSecurityIsTested", check_security},
        {"EveryVulnerabilityIsTested", check_vulnerabilities},
        {"EveryLinkLeadsSomewhere", check_links},
        {"TopLevelIsFixed", check_top_level},
        {"NoMachinePaths", check_machine_paths},
    };
    return rules;
}

}  // namespace style
