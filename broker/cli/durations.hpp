// Options that take a time (`250ms`, `5s`, `1.5m`); the unit must be written.
// A thin layer over CLI11, for the .cpp files that define commands.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace cli {

/// Makes `option`, whose variable is a double, take a time and store milliseconds.
inline CLI::Option* takes_duration(CLI::Option* option) {
    static const std::map<std::string, double> units{
        {"us", 0.001}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
    CLI::Validator number = CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED);
    return option->transform(number.description(""))->type_name("TIME");
}

}  // namespace cli
