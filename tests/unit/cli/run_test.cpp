/// The program within the test's process: what needs no database.

#include "cli/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace quarry::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ran {
  int code = 0;
  std::string out, err;
};

Ran run_with(
    std::vector<std::string> args, Environment environment = [](const char*) { return std::nullopt; }) {
  std::ostringstream out, err;
  const auto code = run({.args = std::move(args), .environment = std::move(environment), .out = out, .err = err});
  return {static_cast<int>(code), out.str(), err.str()};
}

boost::json::object error_of(const Ran& ran) { return boost::json::parse(ran.out).as_object().at("error").as_object(); }

TEST(Run, VersionAndHelp) {
  EXPECT_THAT(run_with({"--version"}).out, HasSubstr("quarry 0."));
  EXPECT_EQ(run_with({"--version"}).code, 0);
  const auto help = run_with({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const auto* command : {"init", "migrate", "queue", "job", "crawl", "work"}) EXPECT_THAT(help.out, HasSubstr(command));
  EXPECT_THAT(run_with({"queue", "tasks", "--help"}).out, HasSubstr("--status"));
  EXPECT_EQ(help.err, "");
  EXPECT_TRUE(boost::json::parse(run_with({"--version", "--json"}).out).as_object().contains("version"));
  EXPECT_TRUE(boost::json::parse(run_with({"--json", "queue", "--help"}).out).as_object().contains("help"));
}

TEST(Run, HelpIsACommandToo) {
  EXPECT_EQ(run_with({"help"}).out, run_with({"--help"}).out);
  EXPECT_EQ(run_with({"help", "queue", "tasks"}).out, run_with({"queue", "tasks", "--help"}).out);
  EXPECT_EQ(run_with({"--json", "help", "queue"}).out, run_with({"--json", "queue", "--help"}).out);
  EXPECT_EQ(run_with({"help"}).code, 0);
  const auto unknown = run_with({"help", "frobnicate"});
  EXPECT_EQ(unknown.code, 64);
  EXPECT_THAT(unknown.err, HasSubstr("there is no command 'frobnicate'"));
  EXPECT_THAT(run_with({"help", "queue", "frobnicate"}).err, HasSubstr("`quarry queue` has no 'frobnicate'"));
}

TEST(Run, ErrorsOfUsageAreOneLineAndNameTheMatter) {
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{}, "a command is wanted, such as `quarry init`: see `quarry --help`"},
      {{"frobnicate"}, "there is no command 'frobnicate': see `quarry --help`"},
      {{"queue"}, "`quarry queue` wants one of list, show, counts"},
      {{"queue", "frobnicate"}, "`quarry queue` has no 'frobnicate': there are list, show, counts"},
      {{"queue", "host", "frobnicate"}, "`quarry queue host` has no 'frobnicate': there are show, set, block, unblock"},
      {{"queue", "list", "--frobnicate"}, "--frobnicate"},
      {{"queue", "tasks", "--limit", "x"},
       "--limit 'x': it must be a number from 1 to 10000: see `quarry queue tasks --help`"},
      {{"queue", "tasks", "--limit", "0"}, "--limit '0': it must be a number from 1 to 10000"},
      {{"queue", "purge", "--older-than-hours", "-1"}, "--older-than-hours '-1': it must be a number from 0 to 1000000:"},
      {{"queue", "tasks", "--status", "happy"}, "--status 'happy': there are scheduled, pending, blocked"},
      {{"queue", "cancel"}, "id is required: see `quarry queue cancel --help`"},
      {{"queue", "cancel", "x"}, "id 'x': it must be a whole number"},
      {{"job", "list", "--deleted=maybe"}, "--deleted 'maybe': it takes no value, or true or false"},
      {{"queue", "list", "--connections", "many"}, "--connections 'many': it must be a whole number"},
      {{"queue", "list", "--db"}, "--db wants a value"},
      {{"queue", "list", "--log", "loud"}, "'log' is 'loud'"},
      {{"migrate", "to", "-1"}, "version"},
      {{"--db", "sqlite:a", "queue", "list", "--db", "sqlite:b"}, "--db"},
  };
  for (const auto& [args, words] : wrong) {
    const auto ran = run_with(args);
    EXPECT_EQ(ran.code, 64) << words;
    EXPECT_THAT(ran.err, testing::StartsWith("quarry: "));
    EXPECT_THAT(ran.err, HasSubstr(words));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST(Run, HelpSaysWhatAnOptionTakesAndFitsTheTerminal) {
  const auto tasks = run_with({"queue", "tasks", "--help"}).out;
  EXPECT_THAT(tasks, HasSubstr("--limit N"));
  EXPECT_THAT(tasks, HasSubstr("(1 to 10000)"));
  EXPECT_THAT(tasks, HasSubstr("(scheduled, pending, blocked,"));
  EXPECT_THAT(tasks, HasSubstr("quarry --help"));  // the options that every command has
  EXPECT_THAT(tasks, Not(HasSubstr(" in [")));
  EXPECT_THAT(run_with({"health", "--help"}).out, HasSubstr("(not with --check, --ready)"));
  for (const std::size_t width : {60U, 80U}) {
    for (const auto& args : std::vector<std::vector<std::string>>{{"--help"}, {"maintain", "--help"}, {"crawl", "--help"}}) {
      std::ostringstream out, err;
      run({.args = args,
           .environment = [](const char*) { return std::nullopt; },
           .out = out,
           .err = err,
           .terminal = {.out_width = width}});
      std::istringstream lines(out.str());
      for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), width) << line;
    }
  }
}

/// The words of the lines that stand under `heading`.
std::vector<std::string> listed_under(const std::string& heading, const std::string& help) {
  std::vector<std::string> names;
  std::istringstream lines(help);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  "))
      inside = line == heading;
    else if (inside && line[2] != ' ')
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

/// Every command and every option has words, and none of the parser's own.
void look_at_help(const std::vector<std::string>& command, std::size_t& seen) {
  auto args = command;
  args.push_back("--help");
  const auto help = run_with(args);
  ASSERT_EQ(help.code, 0) << testing::PrintToString(command);
  ++seen;
  EXPECT_THAT(help.out,
              Not(testing::AnyOf(HasSubstr(" in ["), HasSubstr(":{"), HasSubstr("Excludes:"), HasSubstr("Needs:"))))
      << testing::PrintToString(command);
  std::istringstream lines(help.out);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  ")) continue;
    // What is too long to stand beside its words has them in the next line.
    if (line.size() < 30 && !std::getline(lines, line)) line.clear();
    EXPECT_THAT(line.substr(std::min<std::size_t>(line.size(), 28)), testing::ContainsRegex("[A-Za-z]")) << line;
  }
  for (const auto& name : listed_under("Subcommands:", help.out)) {
    auto longer = command;
    longer.push_back(name);
    look_at_help(longer, seen);
  }
}

TEST(Run, EveryCommandAndEveryOptionHasWords) {
  std::size_t seen = 0;
  look_at_help({}, seen);
  EXPECT_GT(seen, 150U);
}

TEST(Run, GlobalOptionsWorkBeforeAndAfterTheCommand) {
  for (const auto& args : std::vector<std::vector<std::string>>{{"--json", "--db", "mysql:x", "queue", "list"},
                                                                {"queue", "--json", "list", "--db", "mysql:x"},
                                                                {"queue", "list", "--db=mysql:x", "--json"}}) {
    const auto ran = run_with(args);
    EXPECT_EQ(ran.code, 64);
    EXPECT_EQ(error_of(ran).at("code").as_string(), "invalid");
    EXPECT_EQ(error_of(ran).at("exit_code").as_int64(), 64);
    EXPECT_THAT(ran.err, HasSubstr("'mysql:'"));
  }
}

TEST(Run, WithJsonErrorsOfUsageAreJsonToo) {
  EXPECT_THAT(std::string(error_of(run_with({"frobnicate", "--json"})).at("message").as_string()), HasSubstr("frobnicate"));
  const auto variable = run_with({"frobnicate"}, [](const char* name) {
    return std::string_view(name) == "QUARRY_JSON" ? std::optional<std::string>("1") : std::nullopt;
  });
  EXPECT_EQ(error_of(variable).at("exit_code").as_int64(), 64);
}

TEST(Run, ThatErrorsAreJsonMayBeSaidInTheConfigFile) {
  const auto file = testing::TempDir() + "quarry-json.toml";
  std::ofstream(file) << "json = true\nlog = 'nonsense'\n";
  const auto from_environment = [&](const char* name) {
    return std::string_view(name) == "QUARRY_CONFIG_FILE" ? std::optional(file) : std::nullopt;
  };
  for (const auto& ran :
       {run_with({"queue", "list", "--config-file", file}), run_with({"--config-file=" + file, "frobnicate"}),
        run_with({"queue", "tasks", "--limit", "x"}, from_environment),
        run_with({"--json=1", "queue", "tasks", "--limit", "x"})}) {
    EXPECT_EQ(ran.code, 64);
    EXPECT_EQ(error_of(ran).at("exit_code").as_int64(), 64);
  }
  std::ofstream(file) << "json = false\n";
  EXPECT_EQ(run_with({"frobnicate", "--config-file", file}).out, "");
  std::filesystem::remove(file);
}

TEST(Run, NotANumberIsNoNumber) {
  for (const auto& args : std::vector<std::vector<std::string>>{{"queue", "purge", "--older-than-hours"},
                                                                {"queue", "host", "block", "h", "--minutes"},
                                                                {"artifact", "gc", "--grace-hours"},
                                                                {"artifact", "fsck", "--grace-hours"}}) {
    for (const auto* value : {"nan", "-nan", "inf", "-1"}) {
      auto with_value = args;
      with_value.back() += std::string("=") + value;
      const auto ran = run_with(with_value);
      EXPECT_EQ(ran.code, 64) << args[1] << value;
      EXPECT_THAT(ran.err, HasSubstr(args.back())) << value;
    }
  }
}

TEST(Run, WithJsonWhatIsNotUtf8IsReplaced) {
  for (const auto& args :
       std::vector<std::vector<std::string>>{{"frob\xFFnicate", "--json"},
                                             {"--json", "queue", "list", "--log", "\xFF"},
                                             {"--json", "queue", "list", "--db", "sqlite:/tmp/quarry-\xFF"},
                                             {"--json", "queue", "list", "--config-file", "/\xFF"}}) {
    const auto ran = run_with(args);
    EXPECT_NE(ran.code, 0);
    EXPECT_THAT(std::string(error_of(ran).at("message").as_string()), HasSubstr("\xEF\xBF\xBD"));
  }
}

TEST(Run, APasswordIsNeverPrinted) {
  const std::string url = "postgresql://me:s3cret@[bad";
  for (const auto& args :
       std::vector<std::vector<std::string>>{{"--db", url, "queue", "list"},
                                             {"--db", url, "--log", "debug", "queue", "list", "--json"},
                                             {url},
                                             {"queue", url},
                                             {"queue", "list", url, "--json"},
                                             {"--db", "mysql://me:s3cret@h/d", "queue", "list"},
                                             {"--db", url, "--db", url, "queue", "list"},
                                             {"migrate", "current", "--db", "postgresql://me:s3cret@127.0.0.1:1/d"}}) {
    const auto ran = run_with(args);
    EXPECT_NE(ran.code, 0);
    EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("s3cret")));
  }
}

TEST(Run, ADirectoryOrAFileThatIsMissingIsTold) {
  const auto no_folder = run_with({"init", "--db", "sqlite:/nowhere/at/all.db"});
  EXPECT_EQ(no_folder.code, 73);
  EXPECT_THAT(no_folder.err, HasSubstr("mkdir -p '/nowhere/at'"));
  const auto no_file = run_with({"queue", "list", "--db", "sqlite:/tmp/no-such-quarry.db"});
  EXPECT_EQ(no_file.code, 66);
  EXPECT_THAT(no_file.err, HasSubstr("quarry init"));
  EXPECT_EQ(run_with({"queue", "list", "--config-file", "/nowhere/quarry.toml"}).code, 66);
}

TEST(Run, AnOutputThatCannotBeWrittenIsAnError) {
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  const auto code =
      run({.args = {"--version"}, .environment = [](const char*) { return std::nullopt; }, .out = out, .err = err});
  EXPECT_EQ(static_cast<int>(code), 69);
}

}  // namespace
}  // namespace quarry::cli
