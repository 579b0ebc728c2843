// `stampede token`: test tokens, and why the broker takes a token or not.
// What the broker expects comes from its configuration, flags count more. Nothing is sent anywhere.
#include "broker/cli/commands.hpp"
#include "broker/cli/durations.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/input.hpp"
#include "broker/cli/printable.hpp"
#include "broker/cli/token_check.hpp"
#include "broker/cli/token_keys.hpp"
#include "broker/server/config.hpp"
#include "broker/server/rights.hpp"
#include "protocol/base64.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace cli {
namespace {

namespace json = boost::json;

struct TokenOptions {
    std::string config;
    server::AuthOptions auth;  ///< What flags say; the rest is from the configuration.
    std::string file;          ///< Of the token to check; empty: stdin.
    std::string user = "test";
    std::vector<std::string> roles;
    std::vector<std::string> claims;
    std::string algorithm;
    std::string key_id;
    double lifetime_ms = 3'600'000;
    bool as_json = false;
};

std::int64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

/// What the configuration says about tokens, under what the flags say.
server::AuthOptions expected(const TokenOptions& options) {
    server::AuthOptions auth;
    if (!options.config.empty()) {
        server::Flags flags;
        flags.config = options.config;
        flags.serves = false;
        const server::LoadedConfig loaded =
            server::load_config(flags, [](const char* name) { return std::getenv(name); });
        if (!loaded.ok()) { throw Failure(ExitCode::configuration, loaded.errors.front().text()); }
        auth = loaded.config.auth;
    }
    server::AuthOptions result;
    const auto chosen = [](const std::string& flag, const std::string& configured) {
        return flag.empty() ? configured : flag;
    };
    result.keys_file = chosen(options.auth.keys_file, auth.keys_file);
    result.keys_url = options.auth.keys_file.empty() ? auth.keys_url : "";
    result.algorithm = chosen(options.algorithm, auth.algorithm);
    result.issuer = chosen(options.auth.issuer, auth.issuer);
    result.audience = chosen(options.auth.audience, auth.audience);
    result.user_claim = auth.user_claim;
    result.roles_claim = auth.roles_claim;
    result.skew = auth.skew;
    return result;
}

// ---- Making.

/// `path` may lead into objects: `realm_access.roles`.
void put(json::object& claims, std::string_view path, json::value value) {
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) {
        claims[path] = std::move(value);
        return;
    }
    json::value& inner = claims[path.substr(0, dot)];
    if (!inner.is_object()) { inner = json::object(); }
    put(inner.as_object(), path.substr(dot + 1), std::move(value));
}

/// The value of `--claim NAME=VALUE` is JSON if it can be read as such, else text.
json::value claim_value(const std::string& text) {
    boost::system::error_code ec;
    json::value value = json::parse(text, ec);
    return ec ? json::value(text) : value;
}

json::object claims_of(const TokenOptions& options, const server::AuthOptions& auth) {
    const std::int64_t now = now_ms() / 1000;
    json::object claims;
    if (!auth.issuer.empty()) { claims["iss"] = auth.issuer; }
    if (!auth.audience.empty()) { claims["aud"] = auth.audience; }
    put(claims, auth.user_claim, json::value(options.user));
    if (!options.roles.empty()) { put(claims, auth.roles_claim, json::value_from(options.roles)); }
    claims["iat"] = now;
    claims["exp"] = now + static_cast<std::int64_t>(options.lifetime_ms / 1000);
    for (const std::string& claim : options.claims) {
        const std::size_t equals = claim.find('=');
        claims[claim.substr(0, equals)] = claim_value(claim.substr(equals + 1));
    }
    return claims;
}

int make(const TokenOptions& options) {
    const server::AuthOptions auth = expected(options);
    if (auth.keys_file.empty()) {
        throw Failure(
            ExitCode::usage,
            "nothing to sign with: name --keys FILE, or a --config whose jwt.keys_file has a secret"
        );
    }
    const SigningKey key = SigningKey::from_file(auth.keys_file, options.algorithm, options.key_id);
    json::object header{{"alg", key.algorithm()}, {"typ", "JWT"}};
    if (!key.id().empty()) { header["kid"] = key.id(); }
    const json::object claims = claims_of(options, auth);
    std::string token = protocol::encode_base64url(json::serialize(header)) + '.' +
                        protocol::encode_base64url(json::serialize(claims));
    token += '.' + protocol::encode_base64url(key.sign(token));
    if (options.as_json) {
        const json::object object{{"token", token}, {"header", header}, {"claims", claims}};
        std::puts(json::serialize(object).c_str());
    } else {
        std::puts(token.c_str());
    }
    return to_int(ExitCode::ok);
}

// ---- Checking.

std::string token_of(const TokenOptions& options) {
    std::string text =
        options.file.empty() ? read_all(STDIN_FILENO, "stdin") : read_file(options.file);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
        text.pop_back();
    }
    return text;
}

void print_lines(const char* title, const std::vector<TokenLine>& lines) {
    for (const TokenLine& line : lines) {
        const std::string text = line.name + " = " + line.value;
        std::printf("%-7s %s", title, printable(text).c_str());
        std::printf("%s%s\n", line.note.empty() ? "" : "  # ", line.note.c_str());
    }
}

void print_text(const TokenReport& report) {
    print_lines("header", report.header);
    print_lines("claim", report.claims);
    if (!report.principal) {
        std::printf("refused: %s\n", report.refusal.c_str());
        return;
    }
    std::string roles;
    for (const std::string& role : report.principal->roles) {
        roles += (roles.empty() ? "" : ", ") + role;
    }
    std::printf(
        "accepted: user %s, %s%s\n",
        printable(report.principal->user).c_str(),
        roles.empty() ? "no roles" : "roles ",
        printable(roles).c_str()
    );
}

json::array json_of(const std::vector<TokenLine>& lines) {
    json::array array;
    for (const TokenLine& line : lines) {
        array.push_back(json::object{
            {"name", line.name}, {"value", line.value}, {"note", line.note}});
    }
    return array;
}

void print_json(const TokenReport& report) {
    json::object object{
        {"accepted", report.principal.has_value()},
        {"header", json_of(report.header)},
        {"claims", json_of(report.claims)}};
    if (report.principal) {
        object["user"] = report.principal->user;
        object["roles"] = json::value_from(report.principal->roles);
    } else {
        object["refused"] = report.refusal;
    }
    std::puts(json::serialize(object).c_str());
}

/// The broker's own verifier; null if nothing says which keys it has.
std::shared_ptr<const security::JwtVerifier> verifier_for(const server::AuthOptions& auth) {
    if (!auth.keys_url.empty()) {
        throw Failure(
            ExitCode::configuration,
            "the keys are at " + auth.keys_url + ": fetch them and give them with --keys FILE"
        );
    }
    if (auth.keys_file.empty()) { return nullptr; }
    server::Config config;
    config.auth = auth;
    security::Outbound outbound;
    try {
        return server::load_sources(config, outbound).sources.tokens;
    } catch (const std::exception& error) { throw Failure(ExitCode::configuration, error.what()); }
}

int check(const TokenOptions& options) {
    const server::AuthOptions auth = expected(options);
    const auto verifier = verifier_for(auth);
    TokenExpectation expectation;
    expectation.settings = {
        auth.issuer,
        auth.audience,
        auth.user_claim,
        auth.roles_claim,
        std::chrono::duration_cast<std::chrono::seconds>(auth.skew).count()};
    expectation.verifier = verifier.get();
    const TokenReport report = explain_token(token_of(options), expectation, now_ms());
    (options.as_json ? print_json : print_text)(report);
    if (verifier == nullptr) { return to_int(ExitCode::failure); }
    return to_int(report.principal ? ExitCode::ok : ExitCode::refused);
}

// ---- Options.

std::string claim_fault(const std::string& claim) {
    const std::size_t equals = claim.find('=');
    const bool is_good = equals != 0 && equals != std::string::npos;
    return is_good ? "" : "write a claim as NAME=VALUE";
}

void add_common(CLI::App& command, TokenOptions& o) {
    command.add_option("-c,--config", o.config, "The broker's configuration, for its [jwt]")
        ->type_name("FILE");
    command.add_option("--keys", o.auth.keys_file, "Key set (JWKS), or one key in PEM")
        ->type_name("FILE");
    command.add_option("--issuer", o.auth.issuer, "iss of tokens (default: jwt.issuer)");
    command.add_option("--audience", o.auth.audience, "aud of tokens (default: jwt.audience)");
    command.add_option("--alg", o.algorithm, "Algorithm of a key in PEM, e.g. ES256");
    command.add_flag("--json", o.as_json, "As JSON");
}

void add_make(CLI::App& token, Action& action) {
    CLI::App* const command = token.add_subcommand("make", "Make a token for tests");
    const auto options = std::make_shared<TokenOptions>();
    TokenOptions& o = *options;
    set_help(
        *command,
        "Who can sign can be anyone: keep secrets and private keys of real brokers away from it.",
        {"stampede token make --config stampede.toml --user alice --role staff",
         "stampede token make --keys private.pem --issuer https://id.example --audience stampede"}
    );
    add_common(*command, o);
    command->add_option("--user", o.user, "User")->capture_default_str();
    command->add_option("--role", o.roles, "Role; repeatable")->allow_extra_args(false);
    command->add_option("--claim", o.claims, "NAME=VALUE, another claim (JSON or text); repeatable")
        ->allow_extra_args(false)
        ->check(CLI::Validator(claim_fault, "NAME=VALUE"));
    command->add_option("--kid", o.key_id, "Which secret of a set; kid of a key in PEM");
    takes_duration(
        command->add_option("--lifetime", o.lifetime_ms, "Until it expires (default: 1h)")
    );
    command->callback([&action, options] { action = [options] { return make(*options); }; });
}

void add_check(CLI::App& token, Action& action) {
    CLI::App* const command = token.add_subcommand(
        "check", "Explain each claim and whether the broker takes the token; exits 0 or 4"
    );
    const auto options = std::make_shared<TokenOptions>();
    set_help(
        *command,
        "The token is read from a file or stdin: arguments are for every user of the machine to "
        "see.",
        {"stampede token check --config stampede.toml token.txt",
         "stampede token make --config stampede.toml | stampede token check --config stampede.toml"}
    );
    add_common(*command, *options);
    command->add_option("FILE", options->file, "The token; without it stdin is read")
        ->type_name("FILE");
    command->callback([&action, options] { action = [options] { return check(*options); }; });
}

}  // namespace

void add_token(CLI::App& app, Action& action) {
    CLI::App* const token = app.add_subcommand("token", "Make and check JSON Web Tokens");
    token->require_subcommand(1);
    set_help(*token, "", {"stampede token check --config stampede.toml token.txt"});
    add_make(*token, action);
    add_check(*token, action);
}

}  // namespace cli
