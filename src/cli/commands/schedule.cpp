/// `quarry schedule`: work that comes back by the clock.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/crawl_only.hpp"
#include "cli/commands/crawl_options.hpp"
#include "cli/text.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/crawl/crawl_job.hpp"
#include "quarry/queue/schedules.hpp"

namespace quarry::cli {
namespace {

using queue::Schedule;

/// By name; the local user's.
Schedule get(Read& tx, const std::string& name) {
  const auto user = accounts::find_user(tx, accounts::local_username);
  auto found = user ? queue::find_schedule(tx, user->id, name) : std::nullopt;
  if (found) return *std::move(found);
  throw Error(ErrorCode::not_found,
              fmt::format("there is no schedule '{}': `quarry schedule list` names those that are", name));
}

void show_one(Context& context, const Schedule& schedule) {
  auto& console = context.console();
  console.result(schedule, [&] {
    Fields fields;
    fields.add("schedule", schedule.name);
    fields.add("cron", schedule.cron + " (UTC)");
    if (!schedule.job_config) fields.add("queue", schedule.queue);
    if (!schedule.job_config && !schedule.task_type.empty()) fields.add("task type", schedule.task_type);
    fields.add("state", schedule.is_enabled ? "enabled" : "disabled");
    fields.add("next run", schedule.next_run_at ? human_time(*schedule.next_run_at) : "never");
    if (schedule.last_run_at) fields.add("last run", human_time(*schedule.last_run_at));
    fields.add(schedule.job_config ? "job" : "payload",
               schedule.job_config ? schedule.job_config->text : schedule.payload.text);
    console.print(fields);
  });
}

struct ListResult {
  std::vector<Schedule> schedules;
};
BOOST_DESCRIBE_STRUCT(ListResult, (), (schedules))

ExitCode list(Context& context) {
  const auto result = context.open(Access::read).read([](Read& tx) {
    ListResult found;
    const auto user = accounts::find_user(tx, accounts::local_username);
    if (!user) return found;
    for (std::string after;;) {
      auto page = queue::list_schedules(tx, user->id, after, 1000);
      found.schedules.insert(found.schedules.end(), page.begin(), page.end());
      if (page.size() < 1000) return found;
      after = page.back().name;
    }
  });
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"SCHEDULE", Align::left, Room::whole}, {"CRON"}, {"STATE"}, {"NEXT RUN"}, {"LAST RUN"}, {"WHAT"}});
    for (const auto& schedule : result.schedules)
      table.row({schedule.name, schedule.cron, schedule.is_enabled ? "enabled" : "disabled",
                 schedule.next_run_at ? human_time(*schedule.next_run_at) : "never",
                 schedule.last_run_at ? human_time(*schedule.last_run_at) : "-",
                 schedule.job_config ? "a job" : fmt::format("a task '{}' in '{}'", schedule.task_type, schedule.queue)});
    if (table.empty())
      console.note("there are no schedules");
    else
      console.print(table);
  });
  return ExitCode::ok;
}

struct AddCli : TargetCli {
  std::string name;
  std::string cron;
  std::string queue;
  std::string task_type;
  std::string payload;
  int priority = queue::priority_default;
  queue::OverlapPolicy overlap = queue::OverlapPolicy::skip;
  queue::MisfirePolicy misfire = queue::MisfirePolicy::run_once;
  bool disabled = false;
};

/// What the other kind of schedule knows would be dropped without a word.
void check_kind(const AddCli& cli, bool is_crawl) {
  const auto refuse = [](bool given, const char* option, const char* remedy) {
    if (given) throw_invalid(fmt::format("{} {}", option, remedy));
  };
  if (is_crawl && !cli.queue.empty())
    throw_invalid("both a crawl and a task were named: give a URL or --config, or --queue, not both");
  if (is_crawl) {
    refuse(!cli.task_type.empty(), "--task-type", "is for a task of your own (with --queue): a crawl has none");
    refuse(!cli.payload.empty(), "--payload", "is for a task of your own (with --queue): a crawl has none");
    return;
  }
  if (cli.queue.empty()) throw_invalid("say what to do: a URL or --config for a crawl, or --queue for a task of your own");
  refuse_crawl_options(cli, "is for a crawl (with a URL or --config): a task of your own has its --payload");
}

Json read_payload(const std::string& text) {
  boost::json::error_code error;
  const auto value = boost::json::parse(text, error);
  if (error) throw_invalid(fmt::format("--payload is not JSON: {}", error.message()));
  if (!all_finite(value))
    throw_invalid("--payload holds a number beyond a double's range (1.8e308): give it as a text in quotes");
  return Json{text};
}

/// A URL or a config makes it a crawl; a queue's name makes it a plain task.
queue::NewSchedule schedule_of(const AddCli& cli) {
  queue::NewSchedule schedule;
  schedule.name = cli.name;
  schedule.cron = cli.cron;
  schedule.priority = cli.priority;
  schedule.overlap_policy = cli.overlap;
  schedule.misfire_policy = cli.misfire;
  schedule.is_enabled = !cli.disabled;
  const bool is_crawl = !cli.url.empty() || !cli.config_file.empty();
  check_kind(cli, is_crawl);
  if (is_crawl) {
    schedule.queue = crawl::crawl_queue;
    schedule.job_config = Json{crawl::to_json(job_config_of(cli))};
    return schedule;
  }
  schedule.queue = cli.queue;
  schedule.task_type = cli.task_type;
  if (!cli.payload.empty()) schedule.payload = read_payload(cli.payload);
  return schedule;
}

ExitCode add(Context& context, const AddCli& cli) {
  auto schedule = schedule_of(cli);
  show_one(context, context.open(Access::write).write([&](Write& tx) {
    schedule.user_id = accounts::ensure_local_user(tx);
    return queue::create_schedule(tx, schedule);
  }));
  return ExitCode::ok;
}

struct NameCli {
  std::string name;
};

ExitCode show(Context& context, const NameCli& cli) {
  show_one(context, context.open(Access::read).read([&](Read& tx) { return get(tx, cli.name); }));
  return ExitCode::ok;
}

ExitCode set_enabled(Context& context, const NameCli& cli, bool enabled) {
  show_one(context, context.open(Access::write).write([&](Write& tx) {
    queue::set_enabled(tx, get(tx, cli.name).id, enabled);
    return get(tx, cli.name);
  }));
  return ExitCode::ok;
}
ExitCode enable(Context& context, const NameCli& cli) { return set_enabled(context, cli, true); }
ExitCode disable(Context& context, const NameCli& cli) { return set_enabled(context, cli, false); }

struct RemoveResult {
  std::string removed;
};
BOOST_DESCRIBE_STRUCT(RemoveResult, (), (removed))

ExitCode remove(Context& context, const NameCli& cli) {
  context.open(Access::write).write([&](Write& tx) { queue::delete_schedule(tx, get(tx, cli.name).id); });
  auto& console = context.console();
  console.result(RemoveResult{cli.name},
                 [&] { console.line(fmt::format("the schedule '{}' is gone; what it put in stays", cli.name)); });
  return ExitCode::ok;
}

}  // namespace

void add_schedule_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "schedule", "Work that comes back by the clock; `quarry work` sees to it");
  commands.add(group, "list", "List the schedules", list);
  {
    auto cli = std::make_shared<AddCli>();
    auto* command = commands.add(group, "add", "Make a schedule: a crawl, or a task of your own", cli, add);
    command->add_option("name", cli->name, "What to call it")->required();
    command->add_option("cron", cli->cron, "When, in UTC: '30 2 * * *', '@daily'")->required();
    add_target_options(*command, *cli);
    command->add_option("--queue", cli->queue, "A task in this queue instead of a crawl");
    command->add_option("--task-type", cli->task_type, "The task's type");
    command->add_option("--payload", cli->payload, "The task's payload")->type_name("JSON");
    command->add_option("--priority", cli->priority, "1 (highest) to 10; 5 by default")->check(CLI::Range(1, 10));
    add_enum<queue::OverlapPolicy>(*command, "--overlap", cli->overlap,
                                   "When the last run has not ended: skip (default) or allow");
    add_enum<queue::MisfirePolicy>(*command, "--misfire", cli->misfire,
                                   "For times that nobody saw: run_once (default), run_all or skip");
    command->add_flag("--disabled", cli->disabled, "Make it, but do not run it yet");
  }
  const auto add_named = [&](const char* name, const char* help, ExitCode (*action)(Context&, const NameCli&)) {
    auto cli = std::make_shared<NameCli>();
    commands.add(group, name, help, cli, action)->add_option("name", cli->name, "The schedule")->required();
  };
  add_named("show", "Show a schedule", show);
  add_named("enable", "Let a schedule run", enable);
  add_named("disable", "Stop a schedule; times that pass meanwhile are not missed", disable);
  add_named("remove", "Remove a schedule", remove);
}

}  // namespace quarry::cli
