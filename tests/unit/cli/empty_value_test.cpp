/// Every option of every command: what is empty is not taken for what is not given, and what contradicts is refused.

#include "cli/empty_value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "cli/program.hpp"
#include "cli/usage.hpp"

namespace quarry::cli {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;

/// The program's command line, of which nothing is run.
struct Line {
  CLI::App app{program_description, "quarry"};
  Globals globals;
  Commands commands;
  Line() { build_program(app, globals, commands, std::nullopt); }

  /// What a person would read, or nothing when it can be read.
  std::string refusal_of(const Words& args) {
    if (auto refusal = empty_by_equals_sign(args); !refusal.empty()) return refusal;
    try {
      app.parse(Words(args.rbegin(), args.rend()));
    } catch (const CLI::ParseError& error) {
      return usage_message(app, error);
    }
    return {};
  }
};

using Visit = std::function<void(const Words& command, CLI::App& app)>;

void walk(CLI::App& app, const Words& words, const Visit& visit) {
  visit(words, app);
  for (auto* command : app.get_subcommands({})) {
    auto longer = words;
    longer.push_back(command->get_name());
    walk(*command, longer, visit);
  }
}

bool takes_a_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

/// The command line that gives this option, or this argument, an empty value. Arguments before it have one that may be a
/// number as well as a word.
Words with_empty(Words words, CLI::App& command, const CLI::Option& option) {
  if (option.get_positional()) {
    for (const auto* before : command.get_options()) {
      if (before == &option) break;
      if (before->get_positional()) words.push_back("1");
    }
  } else {
    words.push_back(option.get_name());
  }
  words.push_back("");
  return words;
}

std::string shown(const Words& command, const CLI::Option& option) {
  std::string text;
  for (const auto& word : command) text += word + " ";
  return text + option.get_name();
}

/// Who adds one here says in its help what an empty value does, and in docs/cli.md.
const char* const may_be_empty[] = {
    "artifact edit --description",
    "artifact edit --keyword",
    "artifact edit --tag",
    "artifact edit --title",
    "cache set value",
    "job config value",
    "job edit --description",
    "job edit --expanded-keyword",
    "job edit --keyword",
    "setting set --description",
    "setting set value",
    "user set --full-name",
    "user set --google-id",
};

TEST(EmptyValue, IsRefusedByEveryOptionOfEveryCommandAndTheOptionIsNamed) {
  std::vector<std::string> allowed;
  std::size_t seen = 0;
  Line names, line;
  walk(names.app, {}, [&](const Words& words, CLI::App& command) {
    for (const auto* option : command.get_options()) {
      if (!takes_a_value(*option)) continue;
      ++seen;
      const auto refusal = line.refusal_of(with_empty(words, command, *option));
      if (refusal.find(empty_value_refusal) == std::string::npos)
        allowed.push_back(shown(words, *option));
      else
        EXPECT_THAT(refusal, HasSubstr(option->get_name() + " '': it may not be empty: see `quarry"));
    }
  });
  EXPECT_GT(seen, 250U);
  EXPECT_THAT(allowed, testing::UnorderedElementsAreArray(may_be_empty));
}

TEST(EmptyValue, BehindAnEqualsSignTakesNotTheNextArgument) {
  std::size_t seen = 0;
  Line names, line;
  walk(names.app, {}, [&](const Words& words, CLI::App& command) {
    for (const auto* option : command.get_options()) {
      for (const auto& name : option->get_lnames()) {
        auto args = words;
        args.insert(args.end(), {"--" + name + "=", "--json"});
        EXPECT_THAT(line.refusal_of(args), HasSubstr("--" + name + " '': it may not be empty")) << shown(words, *option);
        ++seen;
      }
    }
  });
  EXPECT_GT(seen, 250U);
  EXPECT_EQ(empty_by_equals_sign({"find", "--", "--a="}), "");
  EXPECT_EQ(empty_by_equals_sign({"cache", "set", "k", "a=", "--ttl-s=1", "--json"}), "");
}

TEST(EmptyValue, OneOfSeveralIsRefusedToo) {
  EXPECT_THAT(Line().refusal_of({"key", "add", "ada", "--name", "n", "--scope", "jobs:read", "--scope", ""}),
              HasSubstr("--scope '': it may not be empty"));
  EXPECT_THAT(Line().refusal_of({"find", "lithium", ""}), HasSubstr("words '': it may not be empty"));
}

TEST(Contradictions, OppositeFlagsExcludeEachOther) {
  std::size_t pairs = 0;
  Line names;
  walk(names.app, {}, [&](const Words& words, CLI::App& command) {
    for (const auto* option : command.get_options()) {
      for (const auto& name : option->get_lnames()) {
        for (const auto* prefix : {"in", "un", "no-"}) {
          const auto opposite = prefix + name;
          if (command.get_option_no_throw("--" + opposite) == nullptr) continue;
          ++pairs;
          const auto& excluded = option->get_excludes();
          EXPECT_TRUE(excluded.contains(command.get_option("--" + opposite))) << shown(words, *option);
        }
      }
    }
  });
  EXPECT_GE(pairs, 4U);
}

TEST(Contradictions, AreRefusedAndBothAreNamed) {
  const std::pair<Words, std::pair<const char*, const char*>> lines[] = {
      {{"user", "list", "--active", "--inactive"}, {"--active", "--inactive"}},
      {{"user", "list", "--unverified", "--verified"}, {"--verified", "--unverified"}},
      {{"limit", "list", "--scrapers", "--user", "ada"}, {"--scrapers", "--user"}},
      {{"limit", "show", "--scraper", "s", "--user", "ada"}, {"--scraper", "--user"}},
      {{"limit", "take", "--scraper", "s", "--endpoint", "e"}, {"--scraper", "--endpoint"}},
      {{"limit", "reset", "--scraper", "s", "--user", "ada"}, {"--scraper", "--user"}},
      {{"migrate", "diff", "--live", "--schema", "schema"}, {"--live", "--schema"}},
      {{"migrate", "new", "n", "--schema", "schema"}, {"--autogenerate", "--schema"}},
      {{"restore", "d", "--at", "2026-03-01T12:00:00Z", "--backup", "b"}, {"--at", "--backup"}},
      {{"backup", "d", "--no-verify", "--scratch", "s"}, {"--no-verify", "--scratch"}},
      {{"backup", "d", "--no-verify", "--scratch-db", "s"}, {"--no-verify", "--scratch-db"}},
      {{"plan", "set", "p", "--active", "--inactive"}, {"--active", "--inactive"}},
      {{"health", "--live", "--ready"}, {"--live", "--ready"}},
  };
  for (const auto& [args, both] : lines) {
    const auto refusal = Line().refusal_of(args);
    EXPECT_THAT(refusal, testing::AllOf(HasSubstr(both.first), HasSubstr(both.second))) << args[0] << " " << args[1];
  }
}

}  // namespace
}  // namespace quarry::cli
