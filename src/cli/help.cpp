#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cli/text.hpp"

namespace quarry::cli {
namespace {

constexpr std::size_t text_column = 30;
/// On a terminal that leaves less than this beside the names, lines are broken by the terminal itself.
constexpr std::size_t text_width_min = 20;

/// What stands between the two, or nothing.
std::optional<std::string> between(const std::string& text, std::string_view begin, std::string_view end) {
  const auto from = text.find(begin);
  if (from == std::string::npos) return std::nullopt;
  const auto first = from + begin.size();
  const auto last = text.find(end, first);
  if (last == std::string::npos) return std::nullopt;
  return text.substr(first, last - first);
}

/// `text` from `column` on, its lines broken between words so that they end before `width`.
std::string wrapped(const std::string& text, std::size_t column, std::optional<std::size_t> width) {
  if (!width || *width < column + text_width_min) return text;
  return fmt::format("{}", fmt::join(in_lines(text, *width - column), "\n" + std::string(column, ' ')));
}

std::string names_of_options(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const auto* option : options) names.push_back(option->get_name());
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

/// What the parser knows of an option's values and neighbours, unless the words say it already.
std::string conditions_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  const auto& words = option.get_description();
  std::vector<std::string> conditions;
  if (const auto range = between(type, " in [", "]")) {
    const auto dash = range->find(" - ");
    const auto least = readable_number(range->substr(0, dash));
    const auto most = readable_number(range->substr(dash + 3));
    if (words.find(most) == std::string::npos) conditions.push_back(fmt::format("{} to {}", least, most));
  }
  if (const auto choices = between(type, "{", "}"))
    if (words.find(choices->substr(choices->rfind(',') + 1)) == std::string::npos) conditions.push_back(spaced(*choices));
  if (!option.get_needs().empty()) conditions.push_back("with " + names_of_options(option.get_needs()));
  if (!option.get_excludes().empty()) conditions.push_back("not with " + names_of_options(option.get_excludes()));
  return conditions.empty() ? "" : fmt::format(" ({})", fmt::join(conditions, "; "));
}

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::optional<std::size_t> width) : width_(width) {}

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    return entry(make_option_name(option, is_positional) + make_option_opts(option),
                 option->get_description() + conditions_of(*option));
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    auto type = option->get_type_name();
    type = type.substr(0, type.find(':'));
    if (type == "INT" || type == "UINT" || type == "FLOAT") type = "N";
    const bool is_list = option->get_expected_max() == CLI::detail::expected_max_vector_size;
    return " " + type + (is_list ? " ..." : "") + (option->get_required() ? " REQUIRED" : "");
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_name(), command->get_description());
  }
  std::string make_description(const CLI::App* command) const override {
    return wrapped(command->get_description(), 0, width_) + "\n";
  }
  std::string make_footer(const CLI::App* command) const override {
    std::string footer;
    for (const auto& line : CLI::detail::split(command->get_footer(), '\n')) footer += wrapped(line, 0, width_) + "\n";
    return footer;
  }

 private:
  std::string entry(const std::string& name, const std::string& words) const {
    auto line = "  " + name;
    const auto shown = display_width(line);
    line += shown + 1 < text_column ? std::string(text_column - shown, ' ') : "\n" + std::string(text_column, ' ');
    return line + wrapped(words, text_column, width_) + "\n";
  }

  std::optional<std::size_t> width_;
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter(std::optional<std::size_t> width) {
  return std::make_shared<HelpFormatter>(width);
}

std::string readable_number(const std::string& text) {
  double number = 0;
  if (!CLI::detail::lexical_cast(text, number)) return text;
  // Every whole number of an option's bounds is exact in a double.
  return std::trunc(number) == number ? fmt::format("{:.0f}", number) : fmt::format("{}", number);
}

std::string spaced(std::string_view names) {
  std::string text;
  for (const char c : names) text += c == ',' ? std::string(", ") : std::string(1, c);
  return text;
}

}  // namespace quarry::cli
