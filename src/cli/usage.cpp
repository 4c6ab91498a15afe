#include "cli/usage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "cli/empty_value.hpp"
#include "cli/help.hpp"

namespace quarry::cli {
namespace {

/// The command that was named, as far as the line was understood.
struct Understood {
  const CLI::App* command;
  std::string words;  ///< `quarry job`
};

Understood understood(const CLI::App& app) {
  Understood found{&app, app.get_name()};
  for (auto inner = app.get_subcommands(); !inner.empty(); inner = found.command->get_subcommands()) {
    found.command = inner.back();
    found.words += " " + found.command->get_name();
  }
  return found;
}

std::string names_of_commands(const CLI::App& group) {
  std::vector<std::string> names;
  for (const auto* command : group.get_subcommands({})) names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

/// No command, or one that is not there.
std::string no_command(const CLI::App& app, const Understood& last) {
  const bool is_program = last.command == &app;
  auto rest = app.remaining(true);
  std::erase_if(rest, [](const std::string& argument) { return argument.starts_with('-'); });
  if (rest.empty())
    return is_program ? "a command is wanted, such as `quarry init`"
                      : fmt::format("`{}` wants one of {}", last.words, names_of_commands(*last.command));
  if (is_program) return fmt::format("there is no command '{}'", rest.front());
  return fmt::format("`{}` has no '{}': there are {}", last.words, rest.front(), names_of_commands(*last.command));
}

/// An option by its name, of the command or of those above it.
const CLI::Option* option_named(const CLI::App* command, const std::string& name) {
  for (; command != nullptr; command = command->get_parent())
    if (const auto* option = command->get_option_no_throw(name)) return option;
  return nullptr;
}

/// `Could not convert: NAME = VALUE`
std::optional<std::string> not_converted(const CLI::App& command, const std::string& message) {
  constexpr std::string_view converting = "Could not convert: ";
  const auto equals = message.find(" = ");
  if (!message.starts_with(converting) || equals == std::string::npos) return std::nullopt;
  const auto name = message.substr(converting.size(), equals - converting.size());
  const auto* option = option_named(&command, name);
  const bool is_flag = option != nullptr && option->get_expected_min() == 0;
  return fmt::format("{} '{}': {}", name, message.substr(equals + 3),
                     is_flag ? "it takes no value, or true or false" : "it must be a whole number");
}

/// `NAME: Value VALUE not in range A to B`, `NAME: VALUE not in {a,b}`, `NAME: 1 required TEXT missing`, and an empty value
std::optional<std::string> wrong_value(const std::string& message) {
  constexpr std::string_view range = " not in range ";
  constexpr std::string_view choices = " not in {";
  const auto colon = message.find(": ");
  if (colon == std::string::npos) return std::nullopt;
  const auto name = message.substr(0, colon);
  const auto rest = message.substr(colon + 2);
  if (rest == empty_value_refusal) return fmt::format("{} '': {}", name, rest);
  if (const auto at = rest.rfind(range); at != std::string::npos && rest.starts_with("Value ")) {
    const auto bounds = rest.substr(at + range.size());
    const auto to = bounds.find(" to ");
    if (to == std::string::npos) return std::nullopt;
    return fmt::format("{} '{}': it must be a number from {} to {}", name, rest.substr(6, at - 6),
                       readable_number(bounds.substr(0, to)), readable_number(bounds.substr(to + 4)));
  }
  if (const auto at = rest.rfind(choices); at != std::string::npos && rest.ends_with('}')) {
    const auto first = at + choices.size();
    return fmt::format("{} '{}': there are {}", name, rest.substr(0, at),
                       spaced(rest.substr(first, rest.size() - first - 1)));
  }
  if (rest.starts_with("1 required ") && rest.ends_with(" missing")) return name + " wants a value";
  return std::nullopt;
}

}  // namespace

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const auto last = understood(app);
  std::string message = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) && message == "A subcommand is required")
    message = no_command(app, last);
  else if (auto unread = not_converted(*last.command, message))
    message = *std::move(unread);
  else if (auto wrong = wrong_value(message))
    message = *std::move(wrong);
  if (message.empty()) message = "the command line cannot be read";
  // `quarry postgresql://...` without --db would print the URL.
  if (message.find("://") != std::string::npos) message = "an argument was not expected (a database URL is given with --db)";
  std::replace(message.begin(), message.end(), '\n', ' ');
  message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  return fmt::format("{}: see `{} --help`", message, last.words);
}

}  // namespace quarry::cli
