// The files of the console that are compiled in: there, small, and found by their paths.
// Limits: O-11 allows 200 KiB compressed in all.
#include "broker/console/assets.hpp"

#include <gmock/gmock.h>

#include <set>
#include <string>

namespace console {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ConsoleAssets, O_11_AllTogetherAreBelow200KiBCompressed) {
    std::size_t bytes = 0;
    for (const Asset& asset : assets()) {
        EXPECT_THAT(asset.gzip_bytes, StartsWith("\x1f\x8b")) << asset.path;
        bytes += asset.gzip_bytes.size();
    }
    EXPECT_GT(bytes, 1024U);
    EXPECT_LT(bytes, 200U * 1024U);
}

TEST(ConsoleAssets, O_11_EachIsFoundByItsPathAndNothingElseIs) {
    std::set<std::string_view> etags;
    for (const Asset& asset : assets()) {
        EXPECT_EQ(find_asset(asset.path), &asset);
        EXPECT_TRUE(etags.insert(asset.etag).second) << asset.path;
    }
    for (const char* path :
         {"", "//", "/index.html", "/console.js", "/../", "/favicon.svg?", "/api/v1/overview"}) {
        EXPECT_EQ(find_asset(path), nullptr) << path;
    }
}

TEST(ConsoleAssets, O_11_OnlyWhatIsNamedByItsHashIsKeptForEver) {
    for (const Asset& asset : assets()) {
        const bool is_named_by_hash = asset.path.starts_with("/console-");
        EXPECT_EQ(asset.immutable, is_named_by_hash) << asset.path;
        EXPECT_THAT(
            std::string(cache_control(asset)), HasSubstr(asset.immutable ? "immutable" : "no-cache")
        );
    }
    EXPECT_FALSE(find_asset("/")->immutable);
}

TEST(ConsoleAssets, S_WEB_08_ThePolicyAllowsNeitherInlineScriptNorForeignHosts) {
    const std::string policy(headers[0].value);
    for (const char* part :
         {"default-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"}) {
        EXPECT_THAT(policy, HasSubstr(part));
    }
    for (const char* hole : {"unsafe", "http", "*"}) {
        EXPECT_THAT(policy, Not(HasSubstr(hole)));
    }
}

}  // namespace
}  // namespace console
