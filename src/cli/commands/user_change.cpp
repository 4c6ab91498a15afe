/// `quarry user set`, `passwd`, `delete`, `undelete`, `activate`, `deactivate`, `verify`, `unlock`.

#include "quarry/accounts/user_change.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "quarry/accounts/login.hpp"

namespace quarry::cli {
namespace {

struct OneUserCli {
  std::string name;
};

struct UserSetCli : OneUserCli {
  std::optional<std::string> username;
  std::optional<std::string> email;
  std::optional<std::string> full_name;
  std::optional<std::string> google_id;
  std::optional<accounts::Role> role;
  std::string unchanged_since;
};

/// An empty word takes the value away.
std::optional<std::optional<std::string>> or_nothing(const std::optional<std::string>& word) {
  if (!word) return std::nullopt;
  return word->empty() ? std::optional<std::string>() : word;
}

ExitCode set_user(Context& context, const UserSetCli& cli) {
  if (!cli.username && !cli.email && !cli.full_name && !cli.google_id && !cli.role)
    throw_invalid("nothing to change: name what, as in --full-name \"Ada Lovelace\" (see `quarry user set --help`)");
  accounts::UserChanges changes{.username = cli.username,
                                .email = cli.email,
                                .full_name = or_nothing(cli.full_name),
                                .google_id = or_nothing(cli.google_id)};
  if (!cli.unchanged_since.empty()) changes.unchanged_since = parse_iso8601(cli.unchanged_since);
  const auto user = context.open(Access::write).write([&](Write& tx) {
    const auto id = user_of(tx, cli.name).id;
    accounts::update_user(tx, id, changes);
    if (cli.role) accounts::set_role(tx, id, *cli.role);
    return accounts::get_user(tx, id);
  });
  auto& console = context.console();
  console.result(user, [&] { console.line(fmt::format("user {} is changed", user.username)); });
  return ExitCode::ok;
}

struct UserPasswdCli : OneUserCli {
  std::string password_file;
  bool none = false;
};

struct UserChangedResult {
  UserId user;
  bool changed = false;
};
BOOST_DESCRIBE_STRUCT(UserChangedResult, (), (user, changed))

ExitCode passwd(Context& context, const UserPasswdCli& cli) {
  if (cli.none && !cli.password_file.empty()) throw_invalid("say either --none or --password-file");
  const auto db = context.open(Access::write);
  const auto id = db.read([&](Read& tx) { return user_of(tx, cli.name).id; });
  std::optional<std::string> hash;
  if (!cli.none) hash = accounts::PasswordHasher().hash(read_secret(cli.password_file, "password"));
  db.write([&](Write& tx) { accounts::set_password(tx, id, hash); });
  auto& console = context.console();
  console.result(UserChangedResult{id, true}, [&] {
    console.line(fmt::format("user {} has {} password; their sessions have ended", cli.name, cli.none ? "no" : "a new"));
  });
  return ExitCode::ok;
}

/// A command that changes one thing about a user, or finds it so already.
template <bool (*Change)(Write&, UserId)>
ExitCode change_user(Context& context, const OneUserCli& cli, const char* done, const char* before = nullptr) {
  UserChangedResult result;
  context.open(Access::write).write([&](Write& tx) {
    // Names of deleted users may be somebody else's by now, so that those are found by their id.
    const bool is_id = cli.name.size() == 36 && cli.name[8] == '-';
    const auto any = is_id ? accounts::find_any_user(tx, UserId{parse_uuid(cli.name)}) : std::nullopt;
    result.user = any ? any->id : user_of(tx, cli.name).id;
    result.changed = Change(tx, result.user);
  });
  auto& console = context.console();
  console.result(result, [&] {
    console.line(result.changed ? fmt::format("user {} is {}", cli.name, done)
                 : before       ? fmt::format("user {} {}", cli.name, before)
                                : fmt::format("user {} was {} already", cli.name, done));
  });
  return ExitCode::ok;
}

ExitCode delete_one(Context& context, const OneUserCli& cli) {
  const auto code = change_user<accounts::delete_user>(context, cli, "deleted");
  context.console().note("`quarry user list --deleted` has the id that `quarry user undelete` wants");
  return code;
}
ExitCode undelete_one(Context& context, const OneUserCli& cli) {
  return change_user<accounts::undelete_user>(context, cli, "back", "was not deleted");
}
ExitCode activate_one(Context& context, const OneUserCli& cli) {
  return change_user<accounts::activate_user>(context, cli, "active");
}
ExitCode deactivate_one(Context& context, const OneUserCli& cli) {
  return change_user<accounts::deactivate_user>(context, cli, "inactive");
}
ExitCode verify_one(Context& context, const OneUserCli& cli) {
  return change_user<accounts::verify_user>(context, cli, "verified");
}
ExitCode unlock_one(Context& context, const OneUserCli& cli) {
  return change_user<accounts::unlock_user>(context, cli, "unlocked");
}

}  // namespace

void add_user_change_commands(CLI::App& group, Commands& commands) {
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const OneUserCli&),
                       const char* who = "Username, email or id") {
    auto cli = std::make_shared<OneUserCli>();
    commands.add(group, name, help, cli, action)->add_option("user", cli->name, who)->required();
  };
  {
    auto cli = std::make_shared<UserSetCli>();
    auto* command = commands.add(group, "set", "Change what a user is called, or their role", cli, set_user);
    command->add_option("user", cli->name, "Username, email or id")->required();
    command->add_option("--username", cli->username, "The new username");
    command->add_option("--email", cli->email, "The new address, which is not verified then");
    commands.may_be_empty(command->add_option("--full-name", cli->full_name, "The new full name; '' for none"));
    commands.may_be_empty(command->add_option("--google-id", cli->google_id, "The new Google account; '' for none"));
    add_enum<accounts::Role>(*command, "--role", cli->role, "user, moderator or admin; another one ends their sessions");
    command->add_option("--unchanged-since", cli->unchanged_since,
                        "Their updated_at as you read it: refuse if it has moved");
  }
  {
    auto cli = std::make_shared<UserPasswdCli>();
    auto* command = commands.add(group, "passwd", "Set a new password, from standard input", cli, passwd);
    command->add_option("user", cli->name, "Username, email or id")->required();
    command->add_option("--password-file", cli->password_file, "Read it from this file; - is standard input")
        ->type_name("FILE");
    command->add_flag("--none", cli->none, "Take it away: the Google account remains");
  }
  add("delete", "Hide a user, whose names are free then", delete_one);
  add("undelete", "Bring a deleted user back", undelete_one, "The id");
  add("activate", "Let a user in again", activate_one);
  add("deactivate", "Keep a user out, and end their sessions", deactivate_one);
  add("verify", "Say that the address is theirs", verify_one);
  add("unlock", "Forget their wrong passwords", unlock_one);
}

}  // namespace quarry::cli
