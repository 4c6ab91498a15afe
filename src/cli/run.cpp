#include "cli/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "cli/config_file.hpp"
#include "cli/empty_value.hpp"
#include "cli/number_range.hpp"
#include "cli/program.hpp"
#include "cli/usage.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

SettingsSources gather(const Globals& globals, const Environment& environment) {
  SettingsSources sources{.flags = globals.flags, .environment = settings_from(environment)};
  if (const auto file = globals.config_file ? globals.config_file : environment("QUARRY_CONFIG_FILE")) {
    sources.file = settings_from_file(*file);
    sources.file_name = *file;
  }
  return sources;
}

/// What was asked for by `--help` or `--version`, or an error of usage.
ExitCode stop_parsing(const CLI::App& app, const CLI::ParseError& error, Console& console) {
  if (error.get_exit_code() != 0)
    return console.report(CommandError(ExitCode::usage, ErrorCode::invalid, usage_message(app, error)));
  const bool is_version = dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr;
  const auto text = is_version ? app.version() + "\n" : app.help();
  if (console.json())
    console.print_json(boost::json::object{{is_version ? "version" : "help", is_version ? QUARRY_VERSION : text}});
  else
    console.raw(text);
  return ExitCode::ok;
}

/// `quarry help queue list` is `quarry queue list --help`, where there is such a command; where not, the parser says so.
/// Nothing but `--json` may stand before it.
std::vector<std::string> without_help_command(const CLI::App& app, std::vector<std::string> args) {
  const auto first = std::ranges::find_if(args, [](const auto& arg) { return arg != "--json"; });
  if (first == args.end() || *first != "help") return args;
  const CLI::App* command = &app;
  for (const auto& word : std::span(first + 1, args.end())) {
    const auto commands = command->get_subcommands([&](const CLI::App* one) { return one->get_name() == word; });
    if (commands.empty() && word != "--json") command = nullptr;
    if (!command) break;
    if (!commands.empty()) command = commands.front();
  }
  args.erase(first);
  if (command) args.emplace_back("--help");
  return args;
}

ExitCode run_command(const Invocation& invocation, Console& console) {
  CLI::App app(program_description, "quarry");
  Globals globals;
  Commands commands;
  build_program(app, globals, commands, console.terminal().out_width);
  if (const auto refusal = empty_by_equals_sign(invocation.args); !refusal.empty()) throw_invalid(refusal);
  try {
    auto words = without_help_command(app, invocation.args);
    std::ranges::reverse(words);
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return stop_parsing(app, error, console);
  }
  if (const auto refusal = number_beyond_range(app); !refusal.empty()) throw_invalid(refusal);
  const auto sources = gather(globals, invocation.environment);
  const auto settings = resolve(sources.flags, sources.environment, sources.file);
  console.set_json(settings.json);
  log::configure(settings.log);
  console.set_structured_notes(settings.log.format == log::Format::json);
  Context context(settings, sources, console);
  return commands.chosen()(context);
}

/// Whether errors are told as JSON when the command line or a setting cannot be read: what flag, variable and file say, as
/// far as each of them can be made out.
bool wants_json(const Invocation& invocation) {
  std::optional<std::string> file;
  const auto& args = invocation.args;
  for (auto arg = args.begin(); arg != args.end(); ++arg) {
    if (*arg == "--json" || *arg == "--json=1" || *arg == "--json=true") return true;
    constexpr std::string_view option = "--config-file";
    if (*arg == option && arg + 1 != args.end()) file = *(arg + 1);
    if (arg->starts_with(option) && arg->size() > option.size() && (*arg)[option.size()] == '=')
      file = arg->substr(option.size() + 1);
  }
  const auto variable = invocation.environment("QUARRY_JSON");
  if (variable == "1" || variable == "true") return true;
  if (variable == "0" || variable == "false") return false;
  if (!file) file = invocation.environment("QUARRY_CONFIG_FILE");
  return file && json_in_file(*file).value_or(false);
}

}  // namespace

ExitCode run(const Invocation& invocation) {
  Console console(invocation.out, invocation.err, invocation.terminal);
  // Errors of usage come before the settings are known.
  console.set_json(wants_json(invocation));
  try {
    const auto code = run_command(invocation, console);
    invocation.out.flush();
    if (!invocation.out)
      return console.report(
          CommandError(ExitCode::unavailable, ErrorCode::unavailable, "standard output cannot be written"));
    return code;
  } catch (const std::exception& error) {
    return console.report(error);
  }
}

}  // namespace quarry::cli
