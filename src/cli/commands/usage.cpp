/// `quarry usage`: what users have used, and the proof of it.

#include "quarry/billing/usage.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "cli/commands/billing_input.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/billing/metering.hpp"

namespace quarry::cli {
namespace {

using billing::units_text;

struct UsageShowCli {
  std::string user{accounts::local_username};
};

struct UsageShowResult {
  UserId user_id;
  std::string plan_id;
  int max_concurrent_tasks = 0;
  bool is_enforced = false;
  billing::Balance balance;
  std::int64_t remaining = 0;
  std::vector<billing::Balance> periods;
};
BOOST_DESCRIBE_STRUCT(UsageShowResult, (),
                      (user_id, plan_id, max_concurrent_tasks, is_enforced, balance, remaining, periods))

ExitCode show_usage(Context& context, const UsageShowCli& cli) {
  const auto result = context.open(Access::read).read([&](Read& tx) {
    const auto user = user_of(tx, cli.user).id;
    const auto now = billing::usage(tx, user, tx.now());
    return UsageShowResult{user,
                           now.entitlement.plan.id,
                           now.entitlement.plan.max_concurrent_tasks,
                           billing::is_enforced(tx),
                           now.balance,
                           now.balance.remaining(),
                           billing::periods_of(tx, user)};
  });
  auto& console = context.console();
  console.result(result, [&] {
    Fields fields;
    fields.add("plan", fmt::format("{}: {} at once{}", result.plan_id, counted(result.max_concurrent_tasks, "task"),
                                   result.is_enforced ? "" : " (plans are not enforced: `quarry billing on`)"));
    fields.add("period",
               fmt::format("{} to {}", human_time(result.balance.period_start), human_time(result.balance.period_end)));
    fields.add("units", fmt::format("{} granted, {} used, {} reserved, {} left", units_text(result.balance.granted),
                                    units_text(result.balance.used), units_text(result.balance.reserved),
                                    units_text(result.remaining)));
    console.print(fields);
    Table table({{"PERIOD"}, {"GRANTED", Align::right}, {"USED", Align::right}, {"RESERVED", Align::right}});
    for (const auto& period : result.periods)
      table.row({to_iso8601(period.period_start).substr(0, 10), units_text(period.granted), units_text(period.used),
                 units_text(period.reserved)});
    if (!table.empty()) console.print(table);
  });
  return ExitCode::ok;
}

struct UsageEventsCli {
  std::string user;
  std::optional<billing::UsageKind> kind;
  std::optional<TaskId> task;
  PageRequest page;
};
struct UsageEventsResult {
  std::vector<billing::UsageEvent> events;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(UsageEventsResult, (), (events, next, total))

ExitCode list_usage(Context& context, const UsageEventsCli& cli) {
  auto page = context.open(Access::read).read([&](Read& tx) {
    billing::UsageFilter filter{.kind = cli.kind, .task_id = cli.task};
    if (!cli.user.empty()) filter.user_id = user_of(tx, cli.user).id;
    return billing::list_usage_events(tx, filter, cli.page);
  });
  const UsageEventsResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"TIME"}, {"KIND"}, {"UNITS", Align::right}, {"PERIOD"}, {"EVENT"}});
    for (const auto& event : result.events)
      table.row({human_time(event.created_at), boost::describe::enum_to_string(event.kind, "unknown"),
                 units_text(event.units), to_iso8601(event.period_start).substr(0, 10), event.event_id});
    if (table.empty())
      console.note("the ledger has no such events");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct UsageCheckCli {
  std::string user;
};

ExitCode check_usage(Context& context, const UsageCheckCli& cli) {
  const auto check = context.open(Access::read).read([&](Read& tx) {
    return billing::check_usage(tx, cli.user.empty() ? std::nullopt : std::optional(user_of(tx, cli.user).id));
  });
  auto& console = context.console();
  console.result(check, [&] {
    Table table({{"USER"}, {"PERIOD"}, {"WHAT"}, {"COUNTER", Align::right}, {"EVENTS SAY", Align::right}});
    for (const auto& d : check.differences) {
      const auto row = [&](const char* what, std::int64_t counter, std::int64_t events) {
        if (counter != events)
          table.row({to_string(d.user_id), to_iso8601(d.period_start).substr(0, 10), what, units_text(counter),
                     units_text(events)});
      };
      row("granted", d.granted, d.granted_by_events);
      row("used", d.used, d.used_by_events);
      row("reserved", d.reserved, d.reserved_by_events);
    }
    if (!table.empty()) console.print(table);
    for (const auto& event : check.altered_events) console.line(fmt::format("event '{}' is not what its hash says", event));
    console.line(fmt::format("{}, {} of them other than the sum of their events", counted(check.periods, "period"),
                             check.differences.size()));
    console.line(fmt::format("{}, {} of them altered", counted(check.events, "event"), check.altered));
  });
  return check.is_good() ? ExitCode::ok : ExitCode::failed;
}

struct UsageGrantCli {
  std::string user;
  std::string units;
  std::string event_id;
};
struct UsageGrantResult {
  billing::LedgerOutcome outcome = billing::LedgerOutcome::recorded;
  std::optional<billing::UsageEvent> event;
  billing::Balance balance;
};
BOOST_DESCRIBE_STRUCT(UsageGrantResult, (), (outcome, event, balance))

ExitCode post_usage(Context& context, const UsageGrantCli& cli, billing::Entry (*post)(Write&, const billing::Grant&)) {
  const auto entry = context.open(Access::write).write([&](Write& tx) {
    return post(tx, {user_of(tx, cli.user).id, cli.event_id, parse_units(cli.units)});
  });
  auto& console = context.console();
  console.result(UsageGrantResult{entry.outcome, entry.event, entry.balance}, [&] {
    console.line(fmt::format("{}{}: {} units left until {}", cli.user,
                             entry.outcome == billing::LedgerOutcome::repeated ? " had it already" : "",
                             units_text(entry.balance.remaining()), human_time(entry.balance.period_end)));
  });
  return ExitCode::ok;
}
ExitCode grant_usage(Context& context, const UsageGrantCli& cli) { return post_usage(context, cli, billing::grant); }
ExitCode adjust_usage(Context& context, const UsageGrantCli& cli) { return post_usage(context, cli, billing::adjust); }

}  // namespace

void add_usage_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "usage", "What users have used of their plans, and the proof of it");
  {
    auto cli = std::make_shared<UsageShowCli>();
    commands.add(group, "show", "A user's balance, now and before", cli, show_usage)
        ->add_option("user", cli->user, "By username, email or id; the local user by default");
  }
  {
    auto cli = std::make_shared<UsageEventsCli>();
    auto* command = commands.add(group, "events", "The ledger, the newest event first", cli, list_usage);
    command->add_option("user", cli->user, "Only of this user");
    add_enum<billing::UsageKind>(*command, "--kind", cli->kind, "Only events of this kind");
    command->add_option("--task", cli->task, "Only of this task");
    add_page_options(*command, cli->page);
  }
  {
    auto cli = std::make_shared<UsageCheckCli>();
    commands
        .add(group, "check",
             "Prove that every balance is the sum of its events, and no event altered; exit code 1 otherwise", cli,
             check_usage)
        ->add_option("user", cli->user, "Only this user's");
  }
  const auto add_post = [&](const char* name, const char* help, const char* units, const char* what,
                            ExitCode (*action)(Context&, const UsageGrantCli&)) {
    auto cli = std::make_shared<UsageGrantCli>();
    auto* command = commands.add(group, name, help, cli, action);
    command->add_option("user", cli->user, "By username, email or id")->required();
    command->add_option(units, cli->units, what)->required();
    command->add_option("--event-id", cli->event_id, "The event's own id: the same again counts once")->required();
  };
  add_post("grant", "Give a user units, for the period under way", "units", "Compute units: 12 or 0.5", grant_usage);
  // An option, because a negative number in its place would be taken for one.
  add_post("adjust", "Correct a user's balance", "--by", "Compute units, up or down: 12 or -0.5", adjust_usage);
  add_usage_upkeep_commands(group, commands);
}

}  // namespace quarry::cli
