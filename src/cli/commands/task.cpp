/// `quarry queue cancel|retry|task ID`: one task.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/explain.hpp"

namespace quarry::cli {
namespace {

struct TaskCli {
  TaskId id = 0;
};

Error no_such_task(TaskId id) { return Error(ErrorCode::not_found, fmt::format("there is no task {}", id)); }

queue::Task get(Read& tx, TaskId id) {
  if (auto task = queue::find_task(tx, id)) return *std::move(task);
  throw no_such_task(id);
}

struct TaskResult {
  queue::Task task;
  std::vector<queue::Attempt> attempts;
};
BOOST_DESCRIBE_STRUCT(TaskResult, (), (task, attempts))

ExitCode show(Context& context, const TaskCli& cli) {
  const auto result = context.open(Access::read).read([&](Read& tx) {
    return TaskResult{get(tx, cli.id), queue::attempts_of(tx, cli.id)};
  });
  auto& console = context.console();
  console.result(result, [&] {
    const auto& task = result.task;
    Fields fields;
    fields.add("task", fmt::format("{}", task.id));
    fields.add("status", boost::describe::enum_to_string(task.status, "unknown"));
    fields.add("type", task.task_type);
    fields.add("payload", task.payload.text);
    if (task.job_id) fields.add("job", to_string(*task.job_id));
    fields.add("priority", fmt::format("{}", task.priority));
    fields.add("scheduled", human_time(task.scheduled_at));
    fields.add("tries", fmt::format("{} of {}", task.retry_count, task.max_retries));
    fields.add_if("worker", task.worker);
    if (task.lease_until) fields.add("lease until", human_time(*task.lease_until));
    if (task.completed_at) fields.add("ended", human_time(*task.completed_at));
    fields.add_if("error", task.error_message);
    console.print(fields);
    Table table({{"ATTEMPT", Align::right}, {"OUTCOME"}, {"ENDED"}, {"WORKER"}, {"ERROR", Align::left, Room::wrapped}});
    for (const auto& attempt : result.attempts)
      table.row({fmt::format("{}", attempt.attempt), attempt.outcome, human_time(attempt.ended_at),
                 attempt.worker.value_or(""), attempt.error_message.value_or("")});
    if (!table.empty()) console.print(table);
  });
  return ExitCode::ok;
}

struct CancelResult {
  TaskId task = 0;
  std::string outcome;
};
BOOST_DESCRIBE_STRUCT(CancelResult, (), (task, outcome))

ExitCode cancel(Context& context, const TaskCli& cli) {
  const auto outcome = context.open(Access::write).write([&](Write& tx) { return queue::cancel_task(tx, cli.id); });
  auto& console = context.console();
  const auto tell = [&](const char* word, const char* sentence) {
    console.result(CancelResult{cli.id, word}, [&] { console.line(fmt::format("task {} {}", cli.id, sentence)); });
  };
  switch (outcome) {
    case queue::CancelOutcome::cancelled:
      tell("cancelled", "is cancelled");
      return ExitCode::ok;
    case queue::CancelOutcome::requested:
      tell("requested", "is running: its worker will be told to stop");
      return ExitCode::ok;
    case queue::CancelOutcome::not_found:
      throw no_such_task(cli.id);
    case queue::CancelOutcome::already_ended:
      break;
  }
  throw Error(ErrorCode::conflict, fmt::format("task {} has ended already: there is nothing left to cancel", cli.id));
}

ExitCode retry(Context& context, const TaskCli& cli) {
  context.open(Access::write).write([&](Write& tx) {
    const auto status = get(tx, cli.id).status;
    if (!queue::retry_task(tx, cli.id))
      throw Error(ErrorCode::conflict, fmt::format("task {} is {}: only failed, dead and cancelled tasks can be tried again",
                                                   cli.id, boost::describe::enum_to_string(status, "unknown")));
  });
  auto& console = context.console();
  console.result(CancelResult{cli.id, "pending"}, [&] { console.line(fmt::format("task {} will be tried again", cli.id)); });
  return ExitCode::ok;
}

ExitCode explain(Context& context, const TaskCli& cli) {
  const auto found = context.open(Access::read).read([&](Read& tx) { return queue::explain(tx, cli.id, tx.now()); });
  if (!found.status) throw no_such_task(cli.id);
  auto& console = context.console();
  console.result(found, [&] {
    for (const auto& finding : found.findings) console.line(finding.message);
    if (found.runs_at) console.line(fmt::format("it can run at {} at the earliest", human_time(*found.runs_at)));
    Table table({{"TASK", Align::right}, {"WORKER"}, {"LEASE UNTIL"}});
    for (const auto& holder : found.holders)
      table.row({fmt::format("{}", holder.id), holder.worker.value_or(""),
                 holder.lease_until ? human_time(*holder.lease_until) : "-"});
    if (!table.empty()) console.print(table);
  });
  return ExitCode::ok;
}

}  // namespace

void add_task_commands(CLI::App& group, Commands& commands) {
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const TaskCli&)) {
    auto cli = std::make_shared<TaskCli>();
    commands.add(group, name, help, cli, action)->add_option("id", cli->id, "The task")->required();
  };
  add("task", "Show a task and its attempts", show);
  add("explain", "Tell why a task is not running, and when it will", explain);
  add("cancel", "Cancel a task, or ask its worker to stop", cancel);
  add("retry", "Try an ended task again", retry);
}

}  // namespace quarry::cli
