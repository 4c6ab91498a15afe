/// `quarry job`: jobs, their logs, and why they do not get on.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "cli/commands/batches.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/jobs/explain.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/queue/until_done.hpp"

namespace quarry::cli {
namespace {

struct JobCli {
  std::string id;
  JobId job() const { return {parse_uuid(id)}; }
};

void add_fields(Fields& fields, const jobs::Job& job) {
  fields.add("job", to_string(job.id));
  fields.add("title", job.title);
  fields.add("type", job.job_type);
  fields.add("status", std::string(to_string(job.status)) + (job.is_paused ? " (paused)" : ""));
  fields.add("progress", fmt::format("{} %: {} of {} done, {} failed, {} open", job.progress, job.processed_items,
                                     job.total_items, job.failed_items, job.open_tasks));
  if (job.attempt > 1) fields.add("attempt", fmt::format("{}", job.attempt));
  fields.add("results", fmt::format("{}", job.results_count));
  fields.add("bytes", human_bytes(job.bytes_fetched));
  fields.add("priority", fmt::format("{}", job.priority));
  if (job.depends_on_job_id) fields.add("after", to_string(*job.depends_on_job_id));
  fields.add("created", human_time(job.created_at));
  if (job.started_at) fields.add("started", human_time(*job.started_at));
  if (job.completed_at) fields.add("ended", human_time(*job.completed_at));
  fields.add_if("error", job.error_message);
  fields.add("config", job.config.text);
}

ExitCode show(Context& context, const JobCli& cli) {
  const auto job = context.open(Access::read).read([&](Read& tx) { return jobs::get(tx, cli.job()); });
  auto& console = context.console();
  console.result(job, [&] {
    Fields fields;
    add_fields(fields, job);
    console.print(fields);
  });
  return ExitCode::ok;
}

struct ListCli {
  std::optional<jobs::JobStatus> status;
  std::string type;
  std::string text;
  std::string user;
  std::string keyword;
  std::string search;
  jobs::JobOrder by = jobs::JobOrder::created_at;
  bool reverse = false;
  bool deleted = false;
  PageRequest page;
};

struct ListResult {
  std::vector<jobs::Job> jobs;
  std::optional<std::string> next;  ///< for --after; nothing on the last page
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(ListResult, (), (jobs, next, total))

ExitCode list(Context& context, const ListCli& cli) {
  jobs::ListFilter filter{.status = cli.status, .deleted = cli.deleted};
  if (!cli.type.empty()) filter.job_type = cli.type;
  if (!cli.text.empty()) filter.text = cli.text;
  if (!cli.keyword.empty()) filter.keyword = cli.keyword;
  if (!cli.search.empty()) filter.search_id = SearchId{parse_uuid(cli.search)};
  jobs::ListOrder order{.by = cli.by};
  if (cli.reverse) order.direction = store::Direction::ascending;
  auto page = context.open(Access::read).read([&](Read& tx) {
    if (!cli.user.empty()) filter.user_id = user_of(tx, cli.user).id;
    return jobs::list(tx, filter, cli.page, order);
  });
  const ListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"JOB"},
                 {"STATUS"},
                 {"DONE", Align::right},
                 {"KNOWN", Align::right},
                 {"FAILED", Align::right},
                 {"CREATED"},
                 {"TITLE"}});
    for (const auto& job : result.jobs)
      table.row({to_string(job.id), job.is_paused ? "paused" : std::string(to_string(job.status)),
                 fmt::format("{}", job.processed_items), fmt::format("{}", job.total_items),
                 fmt::format("{}", job.failed_items), human_time(job.created_at), job.title});
    if (table.empty())
      console.note("there are no such jobs");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct ControlResult {
  JobId job;
  jobs::JobStatus status = jobs::JobStatus::pending;
  bool is_paused = false;
  std::int64_t tasks = 0;  ///< that were moved
};
BOOST_DESCRIBE_STRUCT(ControlResult, (), (job, status, is_paused, tasks))

using Control = jobs::Moved (*)(Write&, JobId, int);

ExitCode control(Context& context, const JobCli& cli, Control move, const char* what) {
  const auto id = cli.job();
  const auto db = context.open(Access::write);
  ControlResult result{.job = id};
  result.tasks = queue::until_done([&] { return db.write([&](Write& tx) { return move(tx, id, queue::move_limit); }); });
  const auto job = db.read([&](Read& tx) { return jobs::get(tx, id); });
  result.status = job.status;
  result.is_paused = job.is_paused;
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("job {} is {}; {} {}", to_string(id), job.is_paused ? "paused" : to_string(job.status),
                             counted(result.tasks, "task"), what));
  });
  return ExitCode::ok;
}

ExitCode cancel(Context& context, const JobCli& cli) { return control(context, cli, jobs::cancel, "cancelled"); }
ExitCode pause(Context& context, const JobCli& cli) { return control(context, cli, jobs::pause, "held back"); }
ExitCode resume(Context& context, const JobCli& cli) { return control(context, cli, jobs::resume, "let go"); }
ExitCode retry(Context& context, const JobCli& cli) { return control(context, cli, jobs::retry, "will be tried again"); }

ExitCode explain(Context& context, const JobCli& cli) {
  const auto db = context.open(Access::read);
  const auto found = db.read([&](Read& tx) { return jobs::explain(tx, cli.job()); });
  auto& console = context.console();
  console.result(found, [&] {
    for (const auto& finding : found.findings) console.line(finding.message);
    Table states({{"TASKS"}, {"NUMBER", Align::right}});
    for (const auto& count : found.tasks)
      states.row({boost::describe::enum_to_string(count.status, "unknown"), fmt::format("{}", count.n)});
    if (!states.empty()) console.print(states);
    Table hosts({{"HOST"}, {"WAITING", Align::right}, {"IN FLIGHT", Align::right}, {"FREE AT"}});
    for (const auto& host : found.hosts)
      hosts.row({host.host_key, fmt::format("{}", host.tasks), fmt::format("{} of {}", host.in_flight, host.max_in_flight),
                 host.free_at > db.now() ? human_time(host.free_at) : "now"});
    if (!hosts.empty()) console.print(hosts);
  });
  return ExitCode::ok;
}

}  // namespace

void add_job_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "job", "Submit jobs, look at them and steer them");
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const JobCli&)) {
    auto cli = std::make_shared<JobCli>();
    commands.add(group, name, help, cli, action)->add_option("id", cli->id, "The job")->required();
  };
  add_job_submit_command(group, commands);
  add("show", "Show a job", show);
  {
    auto cli = std::make_shared<ListCli>();
    auto* command = commands.add(group, "list", "List jobs, the newest first", cli, list);
    add_enum<jobs::JobStatus>(*command, "--status", cli->status, "Only jobs in this state");
    command->add_option("--type", cli->type, "Only jobs of this type");
    command->add_option("--text", cli->text, "Only jobs with this in the title or the description");
    command->add_option("--user", cli->user, "Only jobs of this user")->type_name("NAME");
    command->add_option("--keyword", cli->keyword, "Only jobs with this keyword");
    command->add_option("--search", cli->search, "Only the jobs of this search")->type_name("ID");
    add_enum<jobs::JobOrder>(*command, "--sort", cli->by, "By created_at (default), priority or title");
    command->add_flag("--reverse", cli->reverse, "The lowest first, instead of the highest");
    command->add_flag("--deleted", cli->deleted, "The deleted jobs, instead of the others");
    add_page_options(*command, cli->page);
  }
  add_job_log_command(group, commands);
  add("cancel", "Cancel a job: what runs is asked to stop, the rest will not run", cancel);
  add("retry", "Try a job's failed and dead tasks again", retry);
  add("pause", "Start nothing more of a job; what is under way goes on", pause);
  add("resume", "Let a paused job go on", resume);
  add_job_change_commands(group, commands);
  add_job_config_commands(group, commands);
  add("explain", "Tell why a job does not get on", explain);
}

}  // namespace quarry::cli
