// Runs a fuzz target over every file of the folders and files given: the corpus as a test without
// libFuzzer. Fails if there is nothing to run, so that a lost corpus is noticed.
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& place) {
    if (!fs::is_directory(place)) { return {place}; }
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(place)) {
        if (entry.is_regular_file()) { files.push_back(entry.path()); }
    }
    std::sort(files.begin(), files.end());
    return files;
}

void replay(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::vector<char> octets{std::istreambuf_iterator<char>(in), {}};
    // Named before it runs: after a crash the last line tells the input.
    std::fprintf(stderr, "%s\n", file.c_str());
    const std::vector<std::uint8_t> input(octets.begin(), octets.end());
    LLVMFuzzerTestOneInput(input.data(), input.size());
}

int run(int count, char** places) {
    std::size_t done = 0;
    for (int i = 1; i < count; ++i) {
        for (const fs::path& file : files_in(places[i])) {
            replay(file);
            ++done;
        }
    }
    std::fprintf(stderr, "%zu inputs\n", done);
    return done == 0 ? 1 : 0;
}

}  // namespace

int main(int count, char** places) {
    // As libFuzzer does: a finding is an exit code, which WILL_FAIL can expect.
    std::signal(SIGABRT, [](int) { std::_Exit(1); });
    try {
        return run(count, places);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
