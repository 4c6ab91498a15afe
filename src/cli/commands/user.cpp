/// `quarry user`: who may use the system.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/accounts/password.hpp"
#include "quarry/accounts/user_list.hpp"

namespace quarry::cli {
namespace {

using accounts::Role;
using accounts::User;

struct UserAddCli {
  std::string username;
  std::string email;
  std::string password_file;
  std::string hash_file;
  std::string google_id;
  std::string full_name;
  Role role = Role::user;
  bool inactive = false;
  bool verified = false;
};

/// Before a transaction is opened: hashing takes its time.
std::optional<std::string> hash_for(const UserAddCli& cli) {
  if (!cli.hash_file.empty()) {
    if (!cli.password_file.empty()) throw_invalid("say either --password-file or --password-hash-file");
    return std::string(read_secret(cli.hash_file, "password hash").reveal());
  }
  if (!cli.google_id.empty() && cli.password_file.empty()) return std::nullopt;
  return accounts::PasswordHasher().hash(read_secret(cli.password_file, "password"));
}

ExitCode add_user(Context& context, const UserAddCli& cli) {
  const auto db = context.open(Access::write);
  accounts::NewUser user{.username = cli.username, .email = cli.email, .role = cli.role};
  user.password_hash = hash_for(cli);
  if (!cli.google_id.empty()) user.google_id = cli.google_id;
  if (!cli.full_name.empty()) user.full_name = cli.full_name;
  user.is_active = !cli.inactive;
  user.is_verified = cli.verified;
  const auto made = db.write([&](Write& tx) { return accounts::create_user(tx, user); });
  auto& console = context.console();
  console.result(made, [&] { console.line(fmt::format("user {} is {}", made.username, to_string(made.id))); });
  return ExitCode::ok;
}

struct UserListCli {
  std::optional<Role> role;
  bool active = false, inactive = false, verified = false, unverified = false, deleted = false, reverse = false;
  std::string text;
  accounts::UserOrder by = accounts::UserOrder::created_at;
  PageRequest page;
};
struct UserListResult {
  std::vector<User> users;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(UserListResult, (), (users, next, total))

std::string state_of(const User& user) {
  if (user.deleted_at) return "deleted";
  return user.is_active ? "active" : "inactive";
}

ExitCode list_users(Context& context, const UserListCli& cli) {
  accounts::UserFilter filter{.role = cli.role, .deleted = cli.deleted};
  if (cli.active || cli.inactive) filter.is_active = cli.active;
  if (cli.verified || cli.unverified) filter.is_verified = cli.verified;
  if (!cli.text.empty()) filter.text = cli.text;
  accounts::UserListOrder order{.by = cli.by};
  if (cli.reverse) order.direction = store::Direction::ascending;
  auto page = context.open(Access::read).read([&](Read& tx) { return accounts::list_users(tx, filter, cli.page, order); });
  const UserListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"USER"}, {"EMAIL"}, {"ROLE"}, {"STATE"}, {"LAST LOGIN"}, {"ID"}});
    for (const auto& user : result.users)
      table.row({user.username, user.email, std::string(accounts::to_string(user.role)), state_of(user),
                 user.last_login ? human_time(*user.last_login) : "-", to_string(user.id)});
    if (table.empty())
      console.note("there are no such users");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct UserShowCli {
  std::string name;
};

ExitCode show_user(Context& context, const UserShowCli& cli) {
  const auto user = context.open(Access::read).read([&](Read& tx) { return user_of(tx, cli.name); });
  auto& console = context.console();
  console.result(user, [&] {
    Fields fields;
    fields.add("user", user.username);
    fields.add("id", to_string(user.id));
    fields.add("email", fmt::format("{}{}", user.email, user.is_verified ? "" : " (not verified)"));
    fields.add_if("name", user.full_name);
    fields.add("role", accounts::to_string(user.role));
    fields.add("state", state_of(user));
    fields.add("logs in by", user.has_password && user.google_id ? "password or Google"
                             : user.has_password                 ? "password"
                             : user.google_id                    ? "Google"
                                                                 : "nothing");
    fields.add("created", human_time(user.created_at));
    fields.add("last login", user.last_login ? human_time(*user.last_login) : "-");
    console.print(fields);
  });
  return ExitCode::ok;
}

ExitCode user_stats(Context& context) {
  const auto figures = context.open(Access::read).read([](Read& tx) { return accounts::user_statistics(tx); });
  auto& console = context.console();
  console.result(figures, [&] {
    Fields fields;
    const auto add = [&](const char* name, std::int64_t n) { fields.add(name, fmt::format("{}", n)); };
    add("users", figures.users);
    add("active", figures.active);
    add("verified", figures.verified);
    add("admins", figures.admins);
    add("moderators", figures.moderators);
    add("with a password", figures.with_password);
    add("with Google", figures.with_google);
    add("new in 30 days", figures.new_in_30_days);
    add("logged in within 30 days", figures.logged_in_within_30_days);
    add("deleted", figures.deleted);
    console.print(fields);
  });
  return ExitCode::ok;
}

}  // namespace

void add_user_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "user", "Make, find and change those who may use the system");
  {
    auto cli = std::make_shared<UserAddCli>();
    auto* command = commands.add(group, "add", "Make a user; the password comes from standard input", cli, add_user);
    command->add_option("username", cli->username, "Letters, digits, '.', '_', '-'")->required();
    command->add_option("--email", cli->email, "Their address")->required();
    command->add_option("--password-file", cli->password_file, "Read the password from this file; - is standard input")
        ->type_name("FILE");
    command->add_option("--password-hash-file", cli->hash_file, "Read a hash instead, such as bcrypt's of an old system")
        ->type_name("FILE");
    command->add_option("--google-id", cli->google_id, "Their Google account; then no password is asked for");
    command->add_option("--full-name", cli->full_name, "What they are called");
    add_enum<Role>(*command, "--role", cli->role, "user (default), moderator or admin");
    command->add_flag("--inactive", cli->inactive, "They may not log in yet");
    command->add_flag("--verified", cli->verified, "The address is known to be theirs");
  }
  {
    auto cli = std::make_shared<UserListCli>();
    auto* command = commands.add(group, "list", "List users, the newest first", cli, list_users);
    add_enum<Role>(*command, "--role", cli->role, "Only with this role");
    auto* active = command->add_flag("--active", cli->active, "Only the active ones");
    command->add_flag("--inactive", cli->inactive, "Only the others")->excludes(active);
    auto* verified = command->add_flag("--verified", cli->verified, "Only those whose address is verified");
    command->add_flag("--unverified", cli->unverified, "Only the others")->excludes(verified);
    command->add_flag("--deleted", cli->deleted, "Those that were deleted instead");
    command->add_option("--text", cli->text, "Only with this in the username, the email or the full name");
    add_enum<accounts::UserOrder>(*command, "--sort", cli->by, "By created_at (default), username or email");
    command->add_flag("--reverse", cli->reverse, "The lowest first, instead of the highest");
    add_page_options(*command, cli->page);
  }
  {
    auto cli = std::make_shared<UserShowCli>();
    commands.add(group, "show", "Show a user", cli, show_user)
        ->add_option("user", cli->name, "Username, email or id")
        ->required();
  }
  commands.add(group, "stats", "Show the users in figures", user_stats);
  add_user_change_commands(group, commands);
  add_user_purge_command(group, commands);
}

}  // namespace quarry::cli
