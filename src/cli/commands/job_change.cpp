/// `quarry job edit`, `delete`, `undelete`, `purge`, `stats`: a job's own words, its end, and figures.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/number_range.hpp"
#include "cli/text.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/statistics.hpp"
#include "quarry/queue/until_done.hpp"

namespace quarry::cli {
namespace {

struct OneJobCli {
  std::string id;
  JobId job() const { return {parse_uuid(id)}; }
};

struct EditCli : OneJobCli {
  std::optional<std::string> title;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> keywords;
  std::optional<std::vector<std::string>> expanded_keywords;
  std::optional<int> priority;
  std::string unchanged_since;
};

ExitCode edit(Context& context, const EditCli& cli) {
  if (!cli.title && !cli.description && !cli.keywords && !cli.expanded_keywords && !cli.priority)
    throw_invalid("nothing to change: name what, as in --title \"Lithium papers\" (see `quarry job edit --help`)");
  jobs::JobChanges changes{.title = cli.title, .keywords = cli.keywords, .priority = cli.priority};
  if (cli.description)
    changes.description = cli.description->empty() ? std::nullopt : std::optional<std::string>(*cli.description);
  if (cli.expanded_keywords)
    changes.expanded_keywords.emplace(cli.expanded_keywords->empty() ? std::nullopt : cli.expanded_keywords);
  if (!cli.unchanged_since.empty()) changes.unchanged_since = parse_iso8601(cli.unchanged_since);
  const auto job = context.open(Access::write).write([&](Write& tx) { return jobs::update(tx, cli.job(), changes); });
  auto& console = context.console();
  console.result(job, [&] { console.line(fmt::format("job {} is changed: {}", to_string(job.id), job.title)); });
  return ExitCode::ok;
}

struct ChangedResult {
  JobId job;
  bool changed = false;
};
BOOST_DESCRIBE_STRUCT(ChangedResult, (), (job, changed))

ExitCode remove(Context& context, const OneJobCli& cli) {
  const auto job = cli.job();
  const bool changed = context.open(Access::write).write([&](Write& tx) { return jobs::soft_delete(tx, job); });
  auto& console = context.console();
  console.result(ChangedResult{job, changed}, [&] {
    console.line(changed ? fmt::format("job {0} is deleted; `quarry job undelete {0}` takes that back", to_string(job))
                         : fmt::format("job {} was deleted already", to_string(job)));
  });
  return ExitCode::ok;
}

ExitCode undelete(Context& context, const OneJobCli& cli) {
  const auto job = cli.job();
  const bool changed = context.open(Access::write).write([&](Write& tx) { return jobs::undelete(tx, job); });
  auto& console = context.console();
  console.result(ChangedResult{job, changed},
                 [&] { console.line(fmt::format("job {} {}", to_string(job), changed ? "is back" : "was not deleted")); });
  return ExitCode::ok;
}

struct JobPurgeCli {
  std::string id;
  std::optional<double> older_than_hours;
};

struct PurgedResult {
  std::int64_t jobs = 0;
  std::int64_t tasks = 0;
};
BOOST_DESCRIBE_STRUCT(PurgedResult, (), (jobs, tasks))

void purge_whole(const Database& db, JobId job, PurgedResult& result) {
  result.tasks += queue::until_done([&] { return db.write([&](Write& tx) { return jobs::purge(tx, job); }); });
  ++result.jobs;
}

ExitCode purge_jobs(Context& context, const JobPurgeCli& cli) {
  if (cli.id.empty() == !cli.older_than_hours) throw_invalid("say either which job to purge, or --older-than-hours");
  const auto db = context.open(Access::write);
  PurgedResult result;
  if (!cli.id.empty()) {
    purge_whole(db, {parse_uuid(cli.id)}, result);
  } else {
    const auto before = db.now() - std::chrono::microseconds(static_cast<std::int64_t>(*cli.older_than_hours * 3.6e9));
    for (std::vector<JobId> ended; !(ended = db.read([&](Read& tx) { return jobs::ended_before(tx, before); })).empty();)
      for (const auto job : ended) purge_whole(db, job, result);
  }
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("{} and {} were purged; `quarry artifact gc` removes bodies that nothing names any more",
                             counted(result.jobs, "job"), counted(result.tasks, "task")));
  });
  return ExitCode::ok;
}

ExitCode stats(Context& context) {
  const auto figures = context.open(Access::read).read([](Read& tx) { return jobs::statistics(tx); });
  auto& console = context.console();
  console.result(figures, [&] {
    Table states({{"STATUS"}, {"JOBS", Align::right}});
    for (const auto& count : figures.by_status)
      states.row({std::string(jobs::to_string(count.status)), fmt::format("{}", count.n)});
    if (!states.empty()) console.print(states);
    Fields fields;
    fields.add("jobs", fmt::format("{}", figures.jobs));
    fields.add("items",
               fmt::format("{} of {} done, {} failed", figures.processed_items, figures.items, figures.failed_items));
    fields.add("success", figures.success_rate ? fmt::format("{:.1f} %", 100 * *figures.success_rate) : "-");
    fields.add("results", fmt::format("{}", figures.results));
    console.print(fields);
  });
  return ExitCode::ok;
}

}  // namespace

void add_job_change_commands(CLI::App& group, Commands& commands) {
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const OneJobCli&)) {
    auto cli = std::make_shared<OneJobCli>();
    commands.add(group, name, help, cli, action)->add_option("id", cli->id, "The job")->required();
  };
  {
    auto cli = std::make_shared<EditCli>();
    auto* command = commands.add(group, "edit", "Change a job's title, description, keywords or priority", cli, edit);
    command->add_option("id", cli->id, "The job")->required();
    command->add_option("--title", cli->title, "The new title");
    commands.may_be_empty(command->add_option("--description", cli->description, "The new description; '' for none"));
    commands.add_words(*command, "--keyword", cli->keywords,
                       "A keyword, instead of the old ones; may be repeated; '' for none");
    commands.add_words(*command, "--expanded-keyword", cli->expanded_keywords, "Likewise, of the expanded keywords");
    command->add_option("--priority", cli->priority, "1 (highest) to 10, while the job is pending");
    command->add_option("--unchanged-since", cli->unchanged_since, "Its updated_at as you read it: refuse if it has moved");
  }
  add("delete", "Hide a job that has ended", remove);
  add("undelete", "Bring a deleted job back", undelete);
  {
    auto cli = std::make_shared<JobPurgeCli>();
    auto* command = commands.add(group, "purge", "Remove a job for good, or all that ended long ago", cli, purge_jobs);
    command->add_option("id", cli->id, "The job");
    command->add_option("--older-than-hours", cli->older_than_hours, "All jobs that ended longer ago")
        ->check(number_range(0.0, 1e6));
  }
  commands.add(group, "stats", "Show the jobs in figures", stats);
}

}  // namespace quarry::cli
