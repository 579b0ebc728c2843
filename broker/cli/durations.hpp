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
    const CLI::AsNumberWithUnit number(units, CLI::AsNumberWithUnit::UNIT_REQUIRED);
    const auto read = [number](std::string& text) -> std::string {
        const std::string problem = text + ": write a time with its unit, such as 250ms, 1s or 5m";
        try {
            return number(text).empty() ? "" : problem;
        } catch (const CLI::ValidationError&) { return problem; }
    };
    return option->transform(CLI::Validator(read, ""))->type_name("TIME");
}

}  // namespace cli
