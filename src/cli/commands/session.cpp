/// `quarry session`: logins that are open.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/accounts/login.hpp"
#include "quarry/ops/policy.hpp"

namespace quarry::cli {
namespace {

struct SessionOpenCli {
  std::string name;
  std::string password_file;
};
struct SessionOpenResult {
  std::string token;
  accounts::Session session;
};
BOOST_DESCRIBE_STRUCT(SessionOpenResult, (), (token, session))

ExitCode open_one(Context& context, const SessionOpenCli& cli) {
  const auto db = context.open(Access::write);
  const accounts::PasswordHasher hasher;
  const auto rules = db.read([](Read& tx) { return ops::read_login_rules(tx); });
  auto login =
      accounts::login(db, hasher, {.name = cli.name, .password = read_secret(cli.password_file, "password")}, rules);
  switch (login.status) {
    case accounts::LoginStatus::ok:
      break;
    case accounts::LoginStatus::wrong:
      throw Error(ErrorCode::denied, "there is no such user with this password");
    case accounts::LoginStatus::inactive:
      throw Error(ErrorCode::denied, "the user is deactivated: `quarry user activate` lets them in");
    case accounts::LoginStatus::locked:
      throw CommandError(ExitCode::again, ErrorCode::busy,
                         fmt::format("too many passwords were wrong: try again after {}, or `quarry user unlock`",
                                     human_time(*login.locked_until)));
  }
  const SessionOpenResult result{std::string(login.opened->token.reveal()), login.opened->session};
  auto& console = context.console();
  console.result(result, [&] {
    console.line(result.token);
    console.note(fmt::format("this is shown once; it ends {}", human_time(result.session.expires_at)));
  });
  return ExitCode::ok;
}

struct SessionCheckCli {
  std::string token_file;
};
struct SessionCheckResult {
  accounts::Session session;
  accounts::User user;
};
BOOST_DESCRIBE_STRUCT(SessionCheckResult, (), (session, user))

ExitCode check_one(Context& context, const SessionCheckCli& cli) {
  const auto db = context.open(Access::write);
  const auto found = accounts::authenticate(db, read_secret(cli.token_file, "token").reveal());
  if (!found) throw Error(ErrorCode::denied, "this token opens nothing: it is unknown, has ended, or was revoked");
  auto& console = context.console();
  console.result(SessionCheckResult{found->session, found->user}, [&] {
    console.line(fmt::format("session {} of user {}, until {}", to_string(found->session.id), found->user.username,
                             human_time(found->session.idle_expires_at.value_or(found->session.expires_at))));
  });
  return ExitCode::ok;
}

struct SessionListCli {
  std::string user;
  bool live = false;
  PageRequest page;
};
struct SessionListResult {
  std::vector<accounts::Session> sessions;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(SessionListResult, (), (sessions, next, total))

ExitCode list_all(Context& context, const SessionListCli& cli) {
  auto page = context.open(Access::read).read([&](Read& tx) {
    std::optional<UserId> user;
    if (!cli.user.empty()) user = user_of(tx, cli.user).id;
    return accounts::list_sessions(tx, user, cli.live, cli.page);
  });
  const SessionListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"SESSION"}, {"USER"}, {"LAST SEEN"}, {"ENDS"}, {"FROM"}});
    for (const auto& session : result.sessions)
      table.row({to_string(session.id), to_string(session.user_id),
                 session.last_seen_at ? human_time(*session.last_seen_at) : "-",
                 session.revoked_at ? "revoked" : human_time(session.idle_expires_at.value_or(session.expires_at)),
                 session.ip_address.value_or("-")});
    if (table.empty())
      console.note("there are no such sessions");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct SessionRevokeCli {
  std::string id;
  std::string user;
};
struct SessionCountResult {
  std::int64_t sessions = 0;
};
BOOST_DESCRIBE_STRUCT(SessionCountResult, (), (sessions))

ExitCode revoke_some(Context& context, const SessionRevokeCli& cli) {
  if (cli.id.empty() == cli.user.empty()) throw_invalid("say either which session to revoke, or --user for all of a user's");
  const auto db = context.open(Access::write);
  const SessionCountResult result{db.write([&](Write& tx) -> std::int64_t {
    if (!cli.user.empty()) return accounts::revoke_sessions(tx, user_of(tx, cli.user).id);
    return accounts::revoke_session(tx, {parse_uuid(cli.id)}) ? 1 : 0;
  })};
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("{} session{} revoked", result.sessions, result.sessions == 1 ? " is" : "s are"));
  });
  return ExitCode::ok;
}

ExitCode purge_old(Context& context) {
  const auto db = context.open(Access::write);
  constexpr int batch = 1000;
  SessionCountResult result;
  for (std::int64_t purged = batch; purged == batch; result.sessions += purged)
    purged = db.write([](Write& tx) { return accounts::purge_sessions(tx, tx.now(), batch); });
  auto& console = context.console();
  console.result(result, [&] {
    console.line(
        fmt::format("{} had ended and {} gone", counted(result.sessions, "session"), result.sessions == 1 ? "is" : "are"));
  });
  return ExitCode::ok;
}

}  // namespace

void add_session_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "session", "Log in, and see and end what is logged in");
  {
    auto cli = std::make_shared<SessionOpenCli>();
    auto* command =
        commands.add(group, "open", "Log in with a password from standard input; prints the token", cli, open_one);
    command->add_option("user", cli->name, "Username or email")->required();
    command->add_option("--password-file", cli->password_file, "Read it from this file; - is standard input")
        ->type_name("FILE");
  }
  {
    auto cli = std::make_shared<SessionCheckCli>();
    commands.add(group, "check", "Say whose token this is, which comes from standard input", cli, check_one)
        ->add_option("--token-file", cli->token_file, "Read it from this file; - is standard input")
        ->type_name("FILE");
  }
  {
    auto cli = std::make_shared<SessionListCli>();
    auto* command = commands.add(group, "list", "List sessions, the newest first", cli, list_all);
    command->add_option("--user", cli->user, "Only of this user: username, email or id");
    command->add_flag("--live", cli->live, "Only those that have not ended");
    add_page_options(*command, cli->page);
  }
  {
    auto cli = std::make_shared<SessionRevokeCli>();
    auto* command = commands.add(group, "revoke", "End a session, or all of a user", cli, revoke_some);
    command->add_option("id", cli->id, "The session");
    command->add_option("--user", cli->user, "All of this user: username, email or id");
  }
  commands.add(group, "purge", "Remove sessions that have come to their end", purge_old);
}

}  // namespace quarry::cli
