// `stampede passwd`: adds, changes or removes a user of a users file.
// The passcode comes from the terminal or stdin, never from the arguments (S-SEC-02).
#include "broker/cli/commands.hpp"
#include "broker/cli/exit_code.hpp"
#include "broker/cli/help.hpp"
#include "broker/cli/passcode_input.hpp"
#include "broker/cli/replace_file.hpp"
#include "broker/files/small_file.hpp"
#include "broker/security/names.hpp"
#include "broker/security/password_hash.hpp"
#include "broker/security/users_edit.hpp"
#include "broker/security/users_file_load.hpp"
#include "protocol/utf8.hpp"

#include <boost/json.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

namespace cli {
namespace {

constexpr unsigned new_file_mode = 0640;

struct PasswdOptions {
    std::string file;
    std::string name;
    std::vector<std::string> roles;
    std::string kind = "yescrypt";
    bool deletes = false;
    bool as_json = false;
};

std::string name_fault(const std::string& text) {
    const std::string fault = security::name_fault(text);
    return fault.empty() ? fault : "The name " + fault;
}

std::string role_fault(const std::string& text) {
    const std::string fault = security::name_fault(text);
    if (!fault.empty()) { return "The role " + fault; }
    return text.find(',') == std::string::npos ? "" : "A role has no comma: repeat --role";
}

/// Each once, in the order given.
std::vector<std::string> distinct(const std::vector<std::string>& roles) {
    std::vector<std::string> once;
    for (const std::string& role : roles) {
        if (std::ranges::find(once, role) == once.end()) { once.push_back(role); }
    }
    if (once.size() <= security::roles_max) { return once; }
    throw Failure(ExitCode::usage, "a user has at most 64 roles");
}

security::HashKind kind_of(const PasswdOptions& options) {
    const auto kind = security::hash_kind_named(options.kind);
    if (kind && security::is_available(*kind)) { return *kind; }
    throw Failure(
        ExitCode::failure, "this build lacks " + options.kind + "; use --kind yescrypt or bcrypt"
    );
}

std::string hash_for(const PasswdOptions& options) {
    const security::HashKind kind = kind_of(options);
    const Passcode passcode = read_passcode(STDIN_FILENO, STDERR_FILENO, options.name);
    std::string fault = security::passcode_fault(passcode.reveal(), kind);
    if (fault.empty() && !protocol::is_utf8(passcode.reveal())) {
        fault = "is not UTF-8, so no client could send it";
    }
    if (!fault.empty()) {
        throw Failure(ExitCode::failure, "the passcode " + fault + "; nothing was changed");
    }
    return security::make_hash(passcode.reveal(), kind);
}

/// The text of the users file; none yet is an empty one if `may_be_missing`.
std::string text_of(const std::string& file, bool may_be_missing) {
    files::SmallFile read = files::read_small_file(file, security::users_file_bytes_max);
    if (read.is_missing && may_be_missing) { return {}; }
    if (read.error.empty()) { return std::move(read.text); }
    throw Failure(ExitCode::failure, security::unreadable_users(file, read.error));
}

security::EditedUsers edit(const PasswdOptions& options, const std::string& hash) {
    const std::string text = text_of(options.file, !options.deletes);
    if (options.deletes) { return security::without_user(text, options.name); }
    const bool keeps_roles = options.roles.empty();
    return security::with_user(
        text,
        options.name,
        hash,
        keeps_roles ? std::nullopt : std::optional(distinct(options.roles))
    );
}

/// What else must be done before the broker takes the file; the change itself is made.
void warn_of_errors(const std::string& file) {
    const security::LoadedUsers loaded = security::load_users(file, false);
    for (const std::string& warning : {loaded.error, loaded.warning}) {
        if (!warning.empty()) { std::fprintf(stderr, "stampede: warning: %s\n", warning.c_str()); }
    }
}

void report(const PasswdOptions& options, bool was_there) {
    const char* const changed = was_there ? "changed" : "added";
    const char* const done = options.deletes ? "deleted" : changed;
    if (!options.as_json) {
        std::printf("%s: %s\n", options.name.c_str(), done);
        return;
    }
    const boost::json::object object{{"user", options.name}, {"done", done}};
    std::puts(boost::json::serialize(object).c_str());
}

int passwd(const PasswdOptions& options) {
    const std::string hash = options.deletes ? std::string() : hash_for(options);
    bool was_there = false;
    replace_file(options.file, new_file_mode, [&options, &hash, &was_there] {
        security::EditedUsers edited = edit(options, hash);
        was_there = edited.was_there;
        if (edited.error.empty()) { return std::move(edited.text); }
        throw Failure(ExitCode::failure, options.file + ": " + options.name + ": " + edited.error);
    });
    report(options, was_there);
    warn_of_errors(options.file);
    return to_int(ExitCode::ok);
}

}  // namespace

void add_passwd(CLI::App& app, Action& action) {
    CLI::App* const command = app.add_subcommand(
        "passwd",
        "Add, change or delete a user of a users file; asks for the passcode or reads it "
        "from stdin"
    );
    const auto options = std::make_shared<PasswdOptions>();
    set_help(
        *command,
        "The passcode is asked for, or read from stdin if that is no terminal.",
        {"stampede passwd /etc/stampede/users alice --role staff",
         "stampede passwd /etc/stampede/users alice --delete"}
    );
    command->add_option("FILE", options->file, "Users file; made if it is not there")
        ->required()
        ->type_name("FILE");
    command->add_flag("--json", options->as_json, "Print what was done as JSON");
    command->add_option("NAME", options->name, "User")
        ->required()
        ->check(CLI::Validator(name_fault, "NAME"));
    auto* const roles =
        command->add_option("--role", options->roles, "Role, in place of those it has; repeatable")
            ->allow_extra_args(false)
            ->check(CLI::Validator(role_fault, "ROLE"));
    auto* const kind =
        command->add_option("--kind", options->kind, "Kind of hash: yescrypt, bcrypt or argon2id")
            ->capture_default_str()
            ->check(CLI::IsMember({"yescrypt", "bcrypt", "argon2id"}));
    command->add_flag("--delete", options->deletes, "Delete the user")
        ->excludes(roles)
        ->excludes(kind);
    command->callback([&action, options] { action = [options] { return passwd(*options); }; });
}

}  // namespace cli
