/// `quarry queue`: look at queues and their tasks, and steer them.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/commands.hpp"
#include "cli/commands/batches.hpp"
#include "cli/number_range.hpp"
#include "cli/text.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"

namespace quarry::cli {
namespace {

using queue::TaskStatus;

struct QueueView {
  std::string name;
  bool is_paused = false;
  std::map<std::string, std::int64_t> counts;
  std::int64_t open = 0;
  std::optional<Instant> oldest_pending;
};

boost::json::value to_json(const QueueView& view) {
  boost::json::object counts;
  for (const auto& [status, n] : view.counts) counts[status] = n;
  return boost::json::object{{"name", view.name},
                             {"is_paused", view.is_paused},
                             {"open", view.open},
                             {"counts", std::move(counts)},
                             {"oldest_pending", cli::to_json(view.oldest_pending)}};
}

QueueView view_of(Read& tx, const queue::QueueInfo& info) {
  QueueView view{.name = info.name, .is_paused = info.is_paused, .counts = {}, .open = 0, .oldest_pending = {}};
  const auto counts = queue::counts(tx, info.id);
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<TaskStatus>>(
      [&](auto status) { view.counts[status.name] = counts.of(status.value); });
  view.open = counts.open();
  view.oldest_pending = queue::oldest_pending(tx, info.id);
  return view;
}

queue::QueueId find(Read& tx, const std::string& name) {
  if (const auto id = queue::find_queue(tx, name)) return *id;
  throw Error(ErrorCode::not_found, fmt::format("there is no queue '{}': `quarry queue list` names those that are", name));
}

queue::QueueInfo info_of(Read& tx, const std::string& name) {
  const auto id = find(tx, name);
  for (const auto& info : queue::list_queues(tx))
    if (info.id == id) return info;
  throw_bug("a queue that was found is not in the list of queues");
}

ExitCode list(Context& context) {
  const auto views = context.open(Access::read).read([](Read& tx) {
    std::vector<QueueView> found;
    for (const auto& info : queue::list_queues(tx)) found.push_back(view_of(tx, info));
    return found;
  });
  boost::json::array queues;
  for (const auto& view : views) queues.push_back(to_json(view));
  auto& console = context.console();
  console.result(boost::json::object{{"queues", std::move(queues)}}, [&] {
    Table table({{"QUEUE"},
                 {"STATE"},
                 {"PENDING", Align::right},
                 {"SCHEDULED", Align::right},
                 {"PROCESSING", Align::right},
                 {"COMPLETED", Align::right},
                 {"FAILED", Align::right},
                 {"DEAD", Align::right}});
    for (const auto& view : views) {
      const auto n = [&](const char* status) { return fmt::format("{}", view.counts.at(status)); };
      table.row({view.name, view.is_paused ? "paused" : "open", n("pending"), n("scheduled"), n("processing"),
                 n("completed"), n("failed"), n("dead")});
    }
    if (table.empty())
      console.note("there are no queues yet: they are made when their first task is put in");
    else
      console.print(table);
  });
  return ExitCode::ok;
}

struct NameCli {
  std::string name = "crawl";
};

ExitCode show(Context& context, const NameCli& cli) {
  const auto view = context.open(Access::read).read([&](Read& tx) { return view_of(tx, info_of(tx, cli.name)); });
  auto& console = context.console();
  console.result(to_json(view).as_object(), [&] {
    Fields fields;
    fields.add("queue", view.name);
    fields.add("state", view.is_paused ? "paused" : "open");
    for (const auto& [status, n] : view.counts)
      if (n > 0) fields.add(status, fmt::format("{}", n));
    if (view.oldest_pending) fields.add("oldest pending", human_time(*view.oldest_pending));
    console.print(fields);
  });
  return ExitCode::ok;
}

ExitCode counts(Context& context, const NameCli& cli) {
  const auto view = context.open(Access::read).read([&](Read& tx) { return view_of(tx, info_of(tx, cli.name)); });
  auto& console = context.console();
  console.result(to_json(view).as_object().at("counts").as_object(), [&] {
    Table table({{"STATUS"}, {"TASKS", Align::right}});
    for (const auto& [status, n] : view.counts) table.row({status, fmt::format("{}", n)});
    console.print(table);
  });
  return ExitCode::ok;
}

struct TasksCli : NameCli {
  TaskStatus status = TaskStatus::pending;
  std::int64_t after = 0;
  int limit = 100;
};

struct TasksResult {
  std::vector<queue::Task> tasks;
  std::optional<TaskId> next;  ///< for --after; nothing on the last page
};
BOOST_DESCRIBE_STRUCT(TasksResult, (), (tasks, next))

ExitCode tasks(Context& context, const TasksCli& cli) {
  TasksResult result{context.open(Access::read).read([&](Read& tx) {
                       return queue::list_tasks(tx, find(tx, cli.name), cli.status, cli.after, cli.limit);
                     }),
                     {}};
  if (std::ssize(result.tasks) == cli.limit) result.next = result.tasks.back().id;
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"ID", Align::right},
                 {"TYPE"},
                 {"PRIORITY", Align::right},
                 {"SCHEDULED"},
                 {"TRIES", Align::right},
                 {"PAYLOAD"},
                 {"ERROR", Align::left, Room::wrapped}});
    for (const auto& task : result.tasks)
      table.row({fmt::format("{}", task.id), task.task_type, fmt::format("{}", task.priority), human_time(task.scheduled_at),
                 fmt::format("{}/{}", task.retry_count, task.max_retries), task.payload.text,
                 task.error_message.value_or("")});
    if (table.empty())
      console.note(fmt::format("there are no tasks that are {}", boost::describe::enum_to_string(cli.status, "so")));
    else
      console.print(table);
    if (result.next) console.note(fmt::format("there may be more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct PausedResult {
  std::string queue;
  bool is_paused = false;
  bool changed = false;
};
BOOST_DESCRIBE_STRUCT(PausedResult, (), (queue, is_paused, changed))

ExitCode set_paused(Context& context, const NameCli& cli, bool paused) {
  const bool changed =
      context.open(Access::write).write([&](Write& tx) { return queue::set_paused(tx, find(tx, cli.name), paused); });
  auto& console = context.console();
  console.result(PausedResult{cli.name, paused, changed}, [&] {
    console.line(
        fmt::format("the queue '{}' {} {}", cli.name, changed ? "is now" : "was already", paused ? "paused" : "open"));
  });
  return ExitCode::ok;
}

ExitCode pause(Context& context, const NameCli& cli) { return set_paused(context, cli, true); }
ExitCode resume(Context& context, const NameCli& cli) { return set_paused(context, cli, false); }

struct RedriveCli : NameCli {
  TaskStatus status = TaskStatus::dead;
  std::int64_t limit = 0;
};

struct RedriveResult {
  std::int64_t tasks = 0;
  std::int64_t left = 0;  ///< because their jobs are cancelled or deleted
};
BOOST_DESCRIBE_STRUCT(RedriveResult, (), (tasks, left))

ExitCode redrive(Context& context, const RedriveCli& cli) {
  const auto db = context.open(Access::write);
  const auto queue = db.read([&](Read& tx) { return find(tx, cli.name); });
  // No more than there are now: workers may end them again faster than they are redriven.
  auto left = std::max<std::int64_t>(db.read([&](Read& tx) { return queue::counts(tx, queue); }).of(cli.status), 1);
  if (cli.limit > 0) left = std::min(left, cli.limit);
  RedriveResult result;
  for (queue::Moved moved{.done = false}; left > 0 && !moved.done; left -= moved.tasks) {
    const auto limit = static_cast<int>(std::min<std::int64_t>(left, queue::move_limit));
    moved = db.write([&](Write& tx) { return queue::redrive(tx, queue, cli.status, limit); });
    result.tasks += moved.tasks;
  }
  result.left = db.read([&](Read& tx) { return queue::count_beyond_redrive(tx, queue, cli.status); });
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("{} will be tried again", counted(result.tasks, "task")));
    if (result.left > 0)
      console.note(fmt::format("{}{} left: their jobs are cancelled or deleted", counted(result.left, "task"),
                               result.left >= queue::move_limit ? " or more are"
                               : result.left == 1               ? " is"
                                                                : " are"));
  });
  return ExitCode::ok;
}

struct PurgeCli {
  double older_than_hours = 24 * 7;
};

ExitCode purge(Context& context, const PurgeCli& cli) {
  const auto db = context.open(Access::write);
  const auto before = db.now() - std::chrono::microseconds(static_cast<std::int64_t>(cli.older_than_hours * 3.6e9));
  const MovedResult result{in_batches(db, 0, [&](Write& tx, int limit) { return queue::purge_ended(tx, before, limit); })};
  auto& console = context.console();
  console.result(result, [&] {
    console.line(counted(result.tasks, "ended task") + (result.tasks == 1 ? " was" : " were") + " deleted");
  });
  return ExitCode::ok;
}

template <class Options>
CLI::App* add_named(CLI::App& group, Commands& commands, const char* name, const char* help,
                    ExitCode (*action)(Context&, const Options&),
                    std::shared_ptr<Options> cli = std::make_shared<Options>()) {
  auto* command = commands.add(group, name, help, cli, action);
  command->add_option("queue", cli->name, "The queue; `crawl` by default");
  return command;
}

}  // namespace

void add_queue_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "queue", "Look at queues and their tasks, and steer them");
  commands.add(group, "list", "List the queues with their figures", list);
  add_named<NameCli>(group, commands, "show", "Show a queue", show);
  add_named<NameCli>(group, commands, "counts", "Count a queue's tasks by state", counts);
  {
    auto cli = std::make_shared<TasksCli>();
    auto* command = add_named(group, commands, "tasks", "List a queue's tasks in one state", tasks, cli);
    add_enum<TaskStatus>(*command, "--status", cli->status, "The state; pending by default");
    command->add_option("--after", cli->after, "Only tasks with greater ids: the last id of the page before");
    command->add_option("--limit", cli->limit, "Tasks at most; 100 by default")->check(CLI::Range(1, 10'000));
  }
  add_named<NameCli>(group, commands, "pause", "Hand out no more tasks; what is under way goes on", pause);
  add_named<NameCli>(group, commands, "resume", "Hand out tasks again", resume);
  {
    auto cli = std::make_shared<RedriveCli>();
    auto* command = add_named(group, commands, "redrive", "Try tasks again that have ended badly", redrive, cli);
    add_enum<TaskStatus>(*command, "--status", cli->status,
                         "How they ended: dead (default), failed, cancelled or completed");
    command->add_option("--limit", cli->limit, "At most; all by default")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  }
  {
    auto cli = std::make_shared<PurgeCli>();
    auto* command = commands.add(group, "purge", "Delete tasks that ended long ago, in all queues", cli, purge);
    command->add_option("--older-than-hours", cli->older_than_hours, "Ended before that; 168 by default")
        ->check(number_range(0.0, 1e6));
  }
  add_task_commands(group, commands);
  add_host_commands(group, commands);
}

}  // namespace quarry::cli
