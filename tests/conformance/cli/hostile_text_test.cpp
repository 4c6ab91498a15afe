/// What is no text is refused in the same way by every command that reads, on both engines: SQLite would find nothing, and
/// say so as if there were nothing, where PostgreSQL refuses it. The commands and their options are read from their help.

#include <fmt/format.h>

#include <regex>
#include <set>
#include <sstream>

#include "conformance/cli/cli_test.hpp"

namespace quarry::test {
namespace {

using Args = std::vector<std::string>;

const std::string no_text = "\xff";

struct ReadingCommand {
  Args words;
  std::vector<std::string> options;      ///< that take any text
  std::vector<std::string> positionals;  ///< required ones
};

std::string name_of(const Args& words) { return fmt::format("{}", fmt::join(words, " ")); }

class CliHostileText : public CliTest {
 protected:
  /// The lines of a part of a help text, such as `Subcommands:`.
  static std::vector<std::string> part(const std::string& help, const std::string& title) {
    std::vector<std::string> lines;
    std::istringstream in(help);
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
      if (line == title)
        inside = true;
      else if (line.empty())
        inside = false;
      else if (inside)
        lines.push_back(line);
    }
    return lines;
  }

  static std::string help(Args words) {
    words.push_back("--help");
    return test::run({.program = QUARRY_BINARY, .args = words}).out;
  }

  /// Every command that only looks, by its last word.
  static void find_commands(const Args& words, std::vector<ReadingCommand>& found) {
    static const std::set<std::string> looks{"list", "show", "get", "results", "events", "tasks", "hosts", "daily", "find"};
    static const std::regex subcommand("^  ([a-z][a-z-]*) .*"), option(R"(^  (?:-\w,)?(--[a-z-]+) TEXT(?: .*|$))"),
        positional(R"(^  ([a-z_]+) TEXT REQUIRED.*)");
    const auto text = help(words);
    std::smatch match;
    for (const auto& line : part(text, "Subcommands:"))
      if (std::regex_match(line, match, subcommand)) {
        auto deeper = words;
        deeper.push_back(match[1]);
        find_commands(deeper, found);
      }
    if (words.empty() || !looks.contains(words.back())) return;
    ReadingCommand command{words, {}, {}};
    for (const auto& line : part(text, "Options:"))
      if (std::regex_match(line, match, option)) command.options.push_back(match[1]);
    for (const auto& line : part(text, "Positionals:"))
      if (std::regex_match(line, match, positional)) command.positionals.push_back(match[1]);
    found.push_back(std::move(command));
  }
};
QUARRY_BOTH_ENGINES(CliHostileText);

TEST_P(CliHostileText, EveryFilterOfEveryListRefusesWhatIsNoText) {
  std::vector<ReadingCommand> commands;
  find_commands({}, commands);
  ASSERT_GT(commands.size(), 20U) << "the help could not be read";
  std::size_t tried = 0;
  for (const auto& command : commands) {
    for (const auto& option : command.options) {
      auto args = command.words;
      // An id of nobody: where it is looked up first, that it is not there is the answer. So it is of a user's name.
      for (std::size_t i = 0; i < command.positionals.size(); ++i) args.push_back("01a1fb79-8374-7d74-b691-8346b832d337");
      args.insert(args.end(), {option, no_text});
      const auto done = run(args);
      const bool may_be_absent = !command.positionals.empty() || option == "--user";
      EXPECT_TRUE(done.exit.code == 64 || (may_be_absent && done.exit.code == 66))
          << name_of(command.words) << " " << option << ": " << done.exit.code << " " << done.out << done.err;
      ++tried;
    }
    if (command.positionals.empty()) continue;
    auto args = command.words;
    for (std::size_t i = 0; i < command.positionals.size(); ++i) args.push_back(no_text);
    const auto done = run(args);
    // Nothing can have such a name: that there is no such user or schedule is as good an answer, on both engines.
    const bool is_absent = command.words.front() == "user" || command.words.front() == "schedule";
    const int code = is_absent ? 66 : 64;
    EXPECT_EQ(done.exit.code, code) << name_of(command.words) << ": " << done.out << done.err;
    EXPECT_NE(done.err, "");
    ++tried;
  }
  EXPECT_GT(tried, 20U) << "the options could not be read";
}

}  // namespace
}  // namespace quarry::test
