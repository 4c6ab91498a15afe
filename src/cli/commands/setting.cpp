/// `quarry setting`: the system's settings, and the keys of those that are sensitive.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/key_ring_option.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/billing/inbox.hpp"
#include "quarry/ops/maintain_settings.hpp"
#include "quarry/ops/policy.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::cli {
namespace {

using system::Setting;
using system::SettingType;

constexpr std::size_t stdin_bytes_max = 64 * 1024 + 1;

struct SettingListCli {
  system::SettingFilter filter;
  std::string prefix;
  std::string text;
  bool sensitive = false;
  system::SettingOrder by = system::SettingOrder::key;
  bool reverse = false;
  PageRequest page;
};
struct SettingListResult {
  std::vector<Setting> settings;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(SettingListResult, (), (settings, next, total))

ExitCode list(Context& context, const SettingListCli& cli) {
  auto filter = cli.filter;
  if (!cli.prefix.empty()) filter.prefix = cli.prefix;
  if (!cli.text.empty()) filter.text = cli.text;
  if (cli.sensitive) filter.is_sensitive = true;
  system::SettingListOrder order{.by = cli.by};
  if (cli.reverse) order.direction = store::Direction::descending;
  auto page = context.open(Access::read).read([&](Read& tx) { return system::list(tx, filter, cli.page, order); });
  const SettingListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table(
        {{"SETTING", Align::left, Room::whole}, {"TYPE"}, {"VALUE"}, {"KEY"}, {"DESCRIPTION", Align::left, Room::wrapped}});
    for (const auto& setting : result.settings)
      table.row({setting.key, boost::describe::enum_to_string(setting.type, "?"), setting.value.value_or("-"),
                 setting.key_id.value_or("-"), setting.description.value_or("")});
    if (table.empty())
      console.note("there are no such settings");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct SettingGetCli {
  std::string key;
  bool reveal = false;
  std::string keys;
};

ExitCode get(Context& context, const SettingGetCli& cli) {
  const auto db = context.open(Access::read);
  auto setting = db.read([&](Read& tx) { return system::get(tx, cli.key); });
  if (cli.reveal && setting.is_sensitive) {
    const auto ring = get_keys(context.settings(), cli.keys);
    setting.value = db.read([&](Read& tx) { return std::string(system::reveal(tx, cli.key, ring).reveal()); });
  }
  auto& console = context.console();
  console.result(setting, [&] { console.line(setting.value.value_or("")); });
  return ExitCode::ok;
}

struct SettingSetCli {
  std::string key;
  std::optional<std::string> value;
  bool from_stdin = false;
  std::optional<SettingType> type;
  bool sensitive = false;
  std::optional<std::string> description;
  std::string unchanged_since;
  std::string keys;
};

/// All of standard input, without the line break that ends it.
std::string read_stdin() {
  std::string text(stdin_bytes_max + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

/// What nobody could obey is refused now, and not whenever somebody reads it.
void check_obeyable(Read& tx, std::string_view key) {
  ops::check_policy_setting(tx, key);
  for (const auto& setting : ops::maintain_settings())
    if (setting.key == key) ops::maintain_setting(tx, key);
}

ExitCode set(Context& context, const SettingSetCli& cli) {
  if (cli.value && cli.from_stdin) throw_invalid("the value is named, or comes with --stdin, not both");
  const auto db = context.open(Access::write);
  const bool sensitive = cli.sensitive || db.read([&](Read& tx) {
    const auto found = system::find(tx, cli.key);
    return found && found->is_sensitive;
  });
  if (cli.value && sensitive)
    throw_invalid(
        "a sensitive value is handed in with --stdin: in a command line, every process and the shell's history "
        "could read it");
  const auto ring = sensitive && cli.from_stdin ? std::optional(get_keys(context.settings(), cli.keys)) : std::nullopt;
  const auto value = cli.from_stdin ? std::optional(read_stdin()) : cli.value;
  system::SettingChange change{.key = cli.key, .type = cli.type};
  if (value) change.value = *value;
  if (cli.sensitive) change.is_sensitive = true;
  if (cli.description)
    change.description = cli.description->empty() ? std::nullopt : std::optional<std::string>(*cli.description);
  if (!cli.unchanged_since.empty()) change.unchanged_since = parse_iso8601(cli.unchanged_since);
  const auto setting = db.write([&](Write& tx) {
    auto made = system::set(tx, change, ring ? &*ring : nullptr);
    check_obeyable(tx, cli.key);
    return made;
  });
  auto& console = context.console();
  console.result(setting, [&] { console.line(fmt::format("{} is {}", setting.key, setting.value.value_or("not set"))); });
  return ExitCode::ok;
}

struct SettingUnsetCli {
  std::string key;
  std::string unchanged_since;
};
struct SettingUnsetResult {
  std::string key;
  bool removed = false;
};
BOOST_DESCRIBE_STRUCT(SettingUnsetResult, (), (key, removed))

ExitCode unset(Context& context, const SettingUnsetCli& cli) {
  std::optional<Instant> since;
  if (!cli.unchanged_since.empty()) since = parse_iso8601(cli.unchanged_since);
  const bool removed = context.open(Access::write).write([&](Write& tx) { return system::unset(tx, cli.key, since); });
  auto& console = context.console();
  console.result(SettingUnsetResult{cli.key, removed},
                 [&] { console.line(fmt::format("{} {}", cli.key, removed ? "is unset" : "was not set")); });
  return ExitCode::ok;
}

struct RotateCli {
  std::string keys;
  int batch = 100;
};
struct RotateResult {
  std::string primary;
  std::int64_t rotated = 0;
  std::int64_t messages = 0;  ///< of the payment provider
};
BOOST_DESCRIBE_STRUCT(RotateResult, (), (primary, rotated, messages))

ExitCode rotate_key(Context& context, const RotateCli& cli) {
  const auto ring = get_keys(context.settings(), cli.keys);
  const auto db = context.open(Access::write);
  RotateResult result{.primary = ring.primary()};
  for (;;) {
    const auto done = db.write([&](Write& tx) { return system::rotate_keys(tx, ring, cli.batch); });
    result.rotated += done.rotated;
    if (done.remaining == 0) break;
  }
  for (;;) {
    const auto done = db.write([&](Write& tx) { return billing::seal_webhook_bodies(tx, ring, cli.batch); });
    result.messages += done.rotated;
    if (done.remaining == 0) break;
  }
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("{} brought under key '{}'; no other key is in use",
                             counted(result.rotated, "setting was", "settings were"), result.primary));
  });
  if (result.messages > 0) console.note(fmt::format("messages of the payment provider that were, too: {}", result.messages));
  return ExitCode::ok;
}

struct KeygenCli {
  std::string file;
  std::string id;
};
struct KeygenResult {
  std::string file;
  std::string primary;
  std::vector<std::string> keys;
};
BOOST_DESCRIBE_STRUCT(KeygenResult, (), (file, primary, keys))

ExitCode keygen(Context& context, const KeygenCli& cli) {
  std::optional<system::KeyRing> ring;
  if (std::filesystem::exists(cli.file)) ring = system::KeyRing::from_file(cli.file);
  auto id = cli.id;
  for (int number = 1; id.empty(); ++number)
    if (auto next = fmt::format("k{}", number); !ring || !ring->has(next)) id = std::move(next);
  if (ring)
    ring->add_primary(id);
  else
    ring = system::KeyRing::generate(id);
  ring->write_file(cli.file);
  const KeygenResult result{cli.file, ring->primary(), ring->ids()};
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("{} holds the new primary key '{}'", result.file, result.primary));
    if (result.keys.size() > 1) console.note("`quarry setting rotate-key` brings everything under it");
    console.note("keep a copy where backups of the database are not: what it encrypts is lost without it");
  });
  return ExitCode::ok;
}

void add_set_command(CLI::App& group, Commands& commands) {
  auto cli = std::make_shared<SettingSetCli>();
  auto* command = commands.add(group, "set", "Make or change a setting", cli, set);
  command->add_option("key", cli->key, "Its key")->required();
  commands.may_be_empty(command->add_option("value", cli->value, "Its value; none changes the description only"));
  command->add_flag("--stdin", cli->from_stdin, "Read the value from standard input, without a line break at its end");
  add_enum<SettingType>(*command, "--type", cli->type, "string (default), integer, boolean or json; of a new setting");
  command->add_flag("--sensitive", cli->sensitive, "Encrypt the value, and show it to nobody without the keys");
  commands.may_be_empty(command->add_option("--description", cli->description, "What it is for; '' takes that away"))
      ->type_name("TEXT");
  command->add_option("--unchanged-since", cli->unchanged_since, "Only if its updated_at is still this")->type_name("TIME");
  add_keys_option(*command, cli->keys);
}

}  // namespace

void add_setting_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "setting", "Read and change the settings of the system");
  {
    auto cli = std::make_shared<SettingListCli>();
    auto* command = commands.add(group, "list", "List settings by key", cli, list);
    add_enum<SettingType>(*command, "--type", cli->filter.type, "Only of this type");
    command->add_flag("--sensitive", cli->sensitive, "Only those that are encrypted");
    command->add_option("--prefix", cli->prefix, "Only keys that begin so");
    command->add_option("--text", cli->text, "Only with this in the key or the description");
    add_enum<system::SettingOrder>(*command, "--sort", cli->by, "By key (default) or updated_at");
    command->add_flag("--reverse", cli->reverse, "The highest first, instead of the lowest");
    add_page_options(*command, cli->page);
  }
  {
    auto cli = std::make_shared<SettingGetCli>();
    auto* command = commands.add(group, "get", "Print a setting's value", cli, get);
    command->add_option("key", cli->key, "The setting")->required();
    command->add_flag("--reveal", cli->reveal, "Also when it is sensitive");
    add_keys_option(*command, cli->keys);
  }
  add_set_command(group, commands);
  {
    auto cli = std::make_shared<SettingUnsetCli>();
    auto* command = commands.add(group, "unset", "Take a setting away", cli, unset);
    command->add_option("key", cli->key, "The setting")->required();
    command->add_option("--unchanged-since", cli->unchanged_since, "Only if its updated_at is still this")
        ->type_name("TIME");
  }
  {
    auto cli = std::make_shared<RotateCli>();
    auto* command =
        commands.add(group, "rotate-key", "Encrypt all that is sensitive under the primary key", cli, rotate_key);
    add_keys_option(*command, cli->keys);
    command->add_option("--batch", cli->batch, "Rows in one transaction; 100 by default")->check(CLI::Range(1, 1000));
  }
  {
    auto cli = std::make_shared<KeygenCli>();
    auto* command = commands.add(group, "keygen", "Add a new primary key to a file of keys", cli, keygen);
    command->add_option("file", cli->file, "The file, which is made when it is not there")->type_name("FILE")->required();
    command->add_option("--id", cli->id, "The key's name; k1, k2, ... by default");
  }
}

}  // namespace quarry::cli
