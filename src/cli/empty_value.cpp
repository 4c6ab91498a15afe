#include "cli/empty_value.hpp"

#include <fmt/format.h>

namespace quarry::cli {

void refuse_empty_values(CLI::App& app, const Commands& commands) {
  for (auto* option : app.get_options()) {
    const bool is_flag = option->get_items_expected_max() == 0;
    if (is_flag || commands.is_empty_allowed(*option)) continue;
    // Before the option's other checks, which would say something else of it.
    option->transform(
        CLI::Validator([](std::string& text) { return std::string(text.empty() ? empty_value_refusal : ""); }, ""));
  }
  for (auto* command : app.get_subcommands({})) refuse_empty_values(*command, commands);
}

std::string empty_by_equals_sign(const std::vector<std::string>& args) {
  for (const auto& arg : args) {
    if (arg == "--") break;
    if (!arg.starts_with("--") || arg.find('=') != arg.size() - 1) continue;
    const auto name = arg.substr(0, arg.size() - 1);
    return fmt::format("{} '': {}; where empty means something, it is written {} ''", name, empty_value_refusal, name);
  }
  return {};
}

}  // namespace quarry::cli
