/// `quarry config`: what the program was told, and by whom.

#include "cli/commands.hpp"

namespace quarry::cli {
namespace {

struct ConfigShowCli {
  bool effective = false;
};
struct ConfigShowResult {
  std::vector<ShownSetting> settings;
};
BOOST_DESCRIBE_STRUCT(ConfigShowResult, (), (settings))

ExitCode show_config(Context& context, const ConfigShowCli& cli) {
  ConfigShowResult result{show_settings(context.sources())};
  if (!cli.effective) std::erase_if(result.settings, [](const ShownSetting& one) { return one.from == "default"; });
  auto& console = context.console();
  console.result(result, [&] {
    if (result.settings.empty()) {
      console.line("nothing was said: every setting has its default (--effective shows them)");
      return;
    }
    Table table({{"SETTING"}, {"VALUE"}, {"FROM"}});
    for (const auto& one : result.settings) table.row({one.name, one.value.empty() ? "-" : one.value, one.from});
    console.print(table);
  });
  return ExitCode::ok;
}

}  // namespace

void add_config_command(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "config", "What the program was told");
  auto cli = std::make_shared<ConfigShowCli>();
  auto* command = commands.add(group, "show", "The settings that flags, environment and file say, and which of them said it",
                               cli, show_config);
  command->add_flag("--effective", cli->effective, "All of them, with the defaults of those that nobody has said");
}

}  // namespace quarry::cli
