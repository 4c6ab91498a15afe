/// `quarry job logs`

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <thread>

#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/text.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/log.hpp"

namespace quarry::cli {
namespace {

struct LogCli {
  std::string id;
  jobs::LogLevel level = jobs::LogLevel::info;
  std::int64_t after = 0;
  int limit = 100;
  bool follow = false;
};

struct LogResult {
  std::vector<jobs::LogLine> lines;
};
BOOST_DESCRIBE_STRUCT(LogResult, (), (lines))

constexpr std::chrono::milliseconds look_interval{250};

void print(Console& console, const std::vector<jobs::LogLine>& lines) {
  for (const auto& line : lines)
    console.line(fmt::format("{} {:7} {}{}{}", human_time(line.created_at),
                             boost::describe::enum_to_string(line.level, "unknown"), line.message, line.metadata ? " " : "",
                             line.metadata ? line.metadata->text : ""));
}

/// Hands on what is new, until the job has ended and its last line was read, or a signal comes: its number, else 0.
template <class Show>
int follow(const Database& db, JobId job, jobs::LogFilter filter, const Interrupt& interrupt, Show&& show) {
  filter.newest = false;
  while (!interrupt.token().stop_requested()) {
    const bool open = db.read([&](Read& tx) { return jobs::is_open(jobs::get(tx, job).status); });
    auto lines = db.read([&](Read& tx) { return jobs::list_log(tx, job, filter); });
    if (!lines.empty()) {
      filter.after = lines.back().id;
      show(std::move(lines));
      continue;
    }
    if (!open) return 0;
    std::this_thread::sleep_for(look_interval);
  }
  return interrupt.signal();
}

ExitCode logs(Context& context, const LogCli& cli) {
  const JobId job{parse_uuid(cli.id)};
  auto& console = context.console();
  const auto db = context.open(Access::read);
  // Before the first line is seen: who reads it may press Ctrl-C at once.
  std::optional<Interrupt> interrupt;
  if (cli.follow) interrupt.emplace();
  jobs::LogFilter filter{.at_least = cli.level, .after = cli.after, .limit = cli.limit, .newest = cli.after == 0};
  LogResult result{db.read([&](Read& tx) {
    jobs::get(tx, job);
    return jobs::list_log(tx, job, filter);
  })};
  if (!console.json()) print(console, result.lines);
  int signal = 0;
  if (cli.follow) {
    console.flush();
    if (!result.lines.empty()) filter.after = result.lines.back().id;
    signal = follow(db, job, filter, *interrupt, [&](std::vector<jobs::LogLine> lines) {
      // One document can only come at the end.
      if (console.json()) return void(std::move(lines.begin(), lines.end(), std::back_inserter(result.lines)));
      print(console, lines);
      console.flush();
    });
  }
  if (console.json()) console.print_json(to_json(result));
  return signal == 0 ? ExitCode::ok : ended_by(signal);
}

}  // namespace

void add_job_log_command(CLI::App& group, Commands& commands) {
  auto cli = std::make_shared<LogCli>();
  auto* command = commands.add(group, "logs", "Show what happened in a job: the newest lines, oldest first", cli, logs);
  command->add_option("id", cli->id, "The job")->required();
  add_enum<jobs::LogLevel>(*command, "--level", cli->level, "This and worse; info by default");
  command->add_option("--after", cli->after, "Only lines behind this id");
  command->add_option("--limit", cli->limit, "Lines at most; 100 by default")->check(CLI::Range(1, 10'000));
  command->add_flag("--follow", cli->follow, "Go on until the job has ended; with --json, everything is printed then");
}

}  // namespace quarry::cli
