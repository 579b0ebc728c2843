// Flags to target: user information in the URL counts less than the flags.
#include "broker/cli/target.hpp"

#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"

#include <CLI/CLI.hpp>
#include <fstream>

namespace cli {
namespace {

std::string first_line_of(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    if (!std::getline(in, line)) {
        throw Failure(ExitCode::usage, "cannot read a passcode from " + path);
    }
    if (line.ends_with('\r')) { line.pop_back(); }
    return line;
}

void take_credentials(Target& target, const TargetFlags& flags) {
    const std::optional<std::string>& user = flags.user ? flags.user : target.url.user;
    if (!user && flags.pass_file.empty()) {
        if (target.own.is_set()) { return; }
        target.login = "guest";
        target.passcode = "guest";
        return;
    }
    target.login = user.value_or("guest");
    if (target.login.empty()) { return; }
    if (!flags.pass_file.empty()) {
        target.passcode = first_line_of(flags.pass_file);
    } else if (target.url.passcode) {
        target.passcode = *target.url.passcode;
    } else if (target.login == "guest") {
        target.passcode = "guest";
    } else {
        throw Failure(
            ExitCode::usage,
            "no passcode for user \"" + target.login +
                "\": give --pass-file FILE or put it in the URL"
        );
    }
}

void add_tls_options(CLI::App& command, TargetFlags& flags) {
    command
        .add_option("--ca-file", flags.ca_file, "Trust these certificates (PEM), not the system's")
        ->type_name("FILE");
    auto* const certificate =
        command.add_option("--cert", flags.certificate_file, "Our own certificate (PEM) to show")
            ->type_name("FILE");
    auto* const key =
        command.add_option("--key", flags.key_file, "Its key (PEM)")->type_name("FILE");
    certificate->needs(key);
    key->needs(certificate);
}

}  // namespace

void add_login_options(CLI::App& command, TargetFlags& flags) {
    command.add_option("--user", flags.user, "Login; '' sends none (default: guest)");
    command.add_option("--pass-file", flags.pass_file, "File whose first line is the passcode")
        ->type_name("FILE");
    add_tls_options(command, flags);
    command.add_option("--host", flags.virtual_host, "The host header of CONNECT (virtual host)")
        ->capture_default_str();
    command
        .add_option("--connect-header", flags.connect_headers, "name:value, another CONNECT header")
        ->allow_extra_args(false);
    takes_duration(command.add_option(
        "--timeout", flags.timeout_ms, "Longest wait for the broker's answer (default: 10s)"
    ));
}

void add_target_options(CLI::App& command, TargetFlags& flags) {
    command
        .add_option("--url,-u", flags.url, "ws://, wss://, stomp:// or stomps:// URL of the broker")
        ->envname("STAMPEDE_URL")
        ->capture_default_str();
    add_login_options(command, flags);
}

Target make_target(const TargetFlags& flags) {
    Target target;
    target.url = parse_url(flags.url);
    target.virtual_host = flags.virtual_host;
    target.ca_file = flags.ca_file;
    target.own = {flags.certificate_file, flags.key_file};
    if (target.own.is_set() && !target.url.is_tls) {
        throw Failure(ExitCode::usage, "--cert is for TLS: use wss:// or stomps://");
    }
    target.connect_headers = parse_headers(flags.connect_headers);
    target.timeout = std::chrono::milliseconds(static_cast<long>(flags.timeout_ms));
    take_credentials(target, flags);
    return target;
}

}  // namespace cli
