// The program: arguments to sub-command, and the last resort for exceptions.
// A lost peer must be an error of one write, never a signal that ends the process.
#include "broker/cli/commands.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return cli::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "stampede: %s\n", error.what());
        return 1;
    }
}
