/// `quarry key`: API keys.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "cli/number_range.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/accounts/api_keys.hpp"

namespace quarry::cli {
namespace {

using accounts::ApiKey;

struct KeyMadeResult {
  std::string key;  ///< the whole of it, this once
  ApiKey api_key;
};
BOOST_DESCRIBE_STRUCT(KeyMadeResult, (), (key, api_key))

ExitCode show_made(Context& context, const accounts::CreatedApiKey& made) {
  const KeyMadeResult result{std::string(made.text.reveal()), made.key};
  auto& console = context.console();
  console.result(result, [&] {
    console.line(result.key);
    console.note(made.key.expires_at ? fmt::format("this is shown once; it works until {}", human_time(*made.key.expires_at))
                                     : "this is shown once; it works until it is revoked");
  });
  return ExitCode::ok;
}

/// By its row's id or by its public part. Throws `not_found`.
ApiKey key_of(Read& tx, const std::string& name) {
  auto found =
      name.size() == 36 ? accounts::find_key(tx, accounts::ApiKeyId{parse_uuid(name)}) : accounts::find_key(tx, name);
  if (!found) throw Error(ErrorCode::not_found, fmt::format("there is no API key '{}'", name));
  return *std::move(found);
}

struct KeyAddCli {
  std::string user;
  std::string name;
  std::vector<std::string> scopes;
  std::optional<double> days;
  std::vector<std::string> peppers;
};

ExitCode add_key(Context& context, const KeyAddCli& cli) {
  const auto peppers = read_peppers(context.settings(), cli.peppers);
  const auto made = context.open(Access::write).write([&](Write& tx) {
    accounts::NewApiKey key{.user_id = user_of(tx, cli.user).id, .name = cli.name, .scopes = cli.scopes};
    if (cli.days) key.expires_at = tx.now() + std::chrono::microseconds(static_cast<std::int64_t>(*cli.days * 86.4e9));
    return accounts::create_key(tx, peppers, key);
  });
  return show_made(context, made);
}

struct KeyRotateCli {
  std::string key;
  double grace_hours = 24;
  std::vector<std::string> peppers;
};

ExitCode rotate_key(Context& context, const KeyRotateCli& cli) {
  const auto peppers = read_peppers(context.settings(), cli.peppers);
  const auto grace = std::chrono::seconds(static_cast<std::int64_t>(cli.grace_hours * 3600));
  const auto made = context.open(Access::write).write([&](Write& tx) {
    return accounts::rotate_key(tx, peppers, key_of(tx, cli.key).id, grace);
  });
  return show_made(context, made);
}

struct KeyListCli {
  std::string user;
  bool live = false;
  PageRequest page;
};
struct KeyListResult {
  std::vector<ApiKey> keys;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(KeyListResult, (), (keys, next, total))

std::string end_of(const ApiKey& key) {
  if (key.revoked_at) return "revoked";
  if (!key.expires_at) return "-";
  return human_time(*key.expires_at) + (key.replaced_by ? " (rotated)" : "");
}

ExitCode list_keys(Context& context, const KeyListCli& cli) {
  auto page = context.open(Access::read).read([&](Read& tx) {
    std::optional<UserId> user;
    if (!cli.user.empty()) user = user_of(tx, cli.user).id;
    return accounts::list_keys(tx, user, cli.live, cli.page);
  });
  const KeyListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"KEY"}, {"NAME"}, {"SCOPES"}, {"LAST USED"}, {"ENDS"}});
    for (const auto& key : result.keys)
      table.row({key.key_id, key.key_name, fmt::format("{}", fmt::join(key.permissions, " ")),
                 key.last_used_at ? human_time(*key.last_used_at) : "-", end_of(key)});
    if (table.empty())
      console.note("there are no such keys");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct KeyRevokeCli {
  std::string key;
};
struct KeyRevokedResult {
  std::string key_id;
  bool changed = false;
};
BOOST_DESCRIBE_STRUCT(KeyRevokedResult, (), (key_id, changed))

ExitCode revoke_key(Context& context, const KeyRevokeCli& cli) {
  KeyRevokedResult result;
  context.open(Access::write).write([&](Write& tx) {
    const auto key = key_of(tx, cli.key);
    result = {key.key_id, accounts::revoke_key(tx, key.id)};
  });
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("key {} {}", result.key_id, result.changed ? "is revoked" : "was revoked already"));
  });
  return ExitCode::ok;
}

struct KeyCheckCli {
  std::string key_file;
  std::string scope;
  std::vector<std::string> peppers;
};
struct KeyCheckResult {
  ApiKey api_key;
  accounts::User user;
};
BOOST_DESCRIBE_STRUCT(KeyCheckResult, (), (api_key, user))

ExitCode check_key(Context& context, const KeyCheckCli& cli) {
  const auto peppers = read_peppers(context.settings(), cli.peppers);
  const auto text = read_secret(cli.key_file, "key");
  if (!accounts::parse_key(text.reveal()))
    throw_invalid("this is no API key, or it has a typing error: it is qry_, 16 characters, _ and 49 more");
  const auto found = accounts::authenticate_key(context.open(Access::write), peppers, text.reveal());
  if (!found) throw Error(ErrorCode::denied, "this key opens nothing: it is unknown, has ended, or was revoked");
  if (!cli.scope.empty() && !has_scope(found->key, cli.scope))
    throw Error(ErrorCode::denied, fmt::format("this key has no scope '{}'", cli.scope));
  auto& console = context.console();
  console.result(KeyCheckResult{found->key, found->user}, [&] {
    console.line(fmt::format(
        "key {} of user {}: {}", found->key.key_id, found->user.username,
        found->key.permissions.empty() ? "no scopes" : fmt::format("{}", fmt::join(found->key.permissions, " "))));
  });
  return ExitCode::ok;
}

}  // namespace

void add_key_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "key", "Make, check and end API keys");
  {
    auto cli = std::make_shared<KeyAddCli>();
    auto* command = commands.add(group, "add", "Make a key for a user, and print it once", cli, add_key);
    command->add_option("user", cli->user, "Username, email or id")->required();
    command->add_option("--name", cli->name, "What it is for")->required();
    command->add_option("--scope", cli->scopes, "What it may, such as jobs:read or jobs:*; may be repeated");
    command->add_option("--days", cli->days, "How long it works; for ever by default")->check(number_range(0.0001, 36500.0));
    add_pepper_option(*command, cli->peppers);
  }
  {
    auto cli = std::make_shared<KeyListCli>();
    auto* command = commands.add(group, "list", "List keys, the newest first", cli, list_keys);
    command->add_option("--user", cli->user, "Only of this user: username, email or id");
    command->add_flag("--live", cli->live, "Only those that work");
    add_page_options(*command, cli->page);
  }
  {
    auto cli = std::make_shared<KeyRotateCli>();
    auto* command = commands.add(group, "rotate", "Make a key's successor; both work for a while", cli, rotate_key);
    command->add_option("key", cli->key, "The 16 characters behind qry_, or the id")->required();
    command->add_option("--grace-hours", cli->grace_hours, "How long the old one still works; 24 by default")
        ->check(number_range(0.0, 24.0 * 90));
    add_pepper_option(*command, cli->peppers);
  }
  {
    auto cli = std::make_shared<KeyRevokeCli>();
    commands.add(group, "revoke", "End a key at once", cli, revoke_key)
        ->add_option("key", cli->key, "The 16 characters behind qry_, or the id")
        ->required();
  }
  {
    auto cli = std::make_shared<KeyCheckCli>();
    auto* command = commands.add(group, "check", "Say whose key this is, which comes from standard input", cli, check_key);
    command->add_option("--key-file", cli->key_file, "Read it from this file; - is standard input")->type_name("FILE");
    command->add_option("--scope", cli->scope, "Refuse it without this scope");
    add_pepper_option(*command, cli->peppers);
  }
}

}  // namespace quarry::cli
