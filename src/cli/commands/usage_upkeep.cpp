/// `quarry usage daily`, `rollup` and `expire`: what is done once a day, and to set things right.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "cli/text.hpp"
#include "quarry/billing/analytics.hpp"
#include "quarry/billing/metering.hpp"

namespace quarry::cli {
namespace {

struct UsageRollupCli {
  std::string date;
};
struct UsageRollupResult {
  std::string date;
  std::int64_t users = 0;
};
BOOST_DESCRIBE_STRUCT(UsageRollupResult, (), (date, users))

/// Its midnight in UTC.
Instant day_of(const std::string& date) {
  try {
    return parse_iso8601(date + "T00:00:00Z");
  } catch (const Error&) {
    throw_invalid(fmt::format("--date '{}' is no day: write it as 2026-03-01", date));
  }
}

ExitCode roll_up_usage(Context& context, const UsageRollupCli& cli) {
  const auto db = context.open(Access::write);
  const auto at = cli.date.empty() ? db.now() : day_of(cli.date);
  UsageRollupResult result{to_iso8601(at).substr(0, 10)};
  result.users = db.write([&](Write& tx) { return billing::roll_up(tx, at); });
  auto& console = context.console();
  console.result(result, [&] { console.line(fmt::format("{}: {}", result.date, counted(result.users, "user"))); });
  return ExitCode::ok;
}

struct UsageDailyCli {
  std::string user;
  std::string from;
  std::string until;
  int limit = 100;
};
struct UsageDailyResult {
  std::vector<billing::DailyUsage> days;
};
BOOST_DESCRIBE_STRUCT(UsageDailyResult, (), (days))

ExitCode show_daily(Context& context, const UsageDailyCli& cli) {
  const UsageDailyResult result{context.open(Access::read).read([&](Read& tx) {
    billing::DailyFilter filter{.from = cli.from, .until = cli.until};
    if (!cli.user.empty()) filter.user_id = user_of(tx, cli.user).id;
    return billing::daily_usage(tx, filter, cli.limit);
  })};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"DATE"}, {"USER"}, {"TASKS", Align::right}, {"UNITS", Align::right}, {"CALLS", Align::right}});
    for (const auto& day : result.days)
      table.row({day.date, to_string(day.user_id), fmt::format("{}", day.tasks_executed),
                 billing::units_text(day.compute_units_used), fmt::format("{}", day.api_calls)});
    if (table.empty())
      console.note("nothing was rolled up for these days: `quarry usage rollup` does it");
    else
      console.print(table);
  });
  return ExitCode::ok;
}

struct UsageExpireResult {
  std::int64_t reservations = 0;
};
BOOST_DESCRIBE_STRUCT(UsageExpireResult, (), (reservations))

ExitCode expire_usage(Context& context) {
  constexpr int page = 1'000;
  const auto db = context.open(Access::write);
  UsageExpireResult result;
  for (std::int64_t now = page; now == page; result.reservations += now)
    now = db.write([](Write& tx) { return billing::expire_lost(tx, {}, page); });
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("{} given back", counted(result.reservations, "reservation was", "reservations were")));
  });
  return ExitCode::ok;
}

}  // namespace

void add_usage_upkeep_commands(CLI::App& usage_group, Commands& commands) {
  {
    auto cli = std::make_shared<UsageDailyCli>();
    auto* command = commands.add(usage_group, "daily", "What was used day by day, as it was rolled up", cli, show_daily);
    command->add_option("user", cli->user, "Only of this user");
    command->add_option("--from", cli->from, "The first day: 2026-03-01")->type_name("DATE");
    command->add_option("--until", cli->until, "The last day")->type_name("DATE");
    command->add_option("--limit", cli->limit, "Rows at most; 100 by default")->check(CLI::Range(1, 1000));
  }
  {
    auto cli = std::make_shared<UsageRollupCli>();
    commands
        .add(usage_group, "rollup", "Roll up a day of the ledger and the queue; harmless when repeated", cli, roll_up_usage)
        ->add_option("--date", cli->date, "The day, in UTC; today by default")
        ->type_name("DATE");
  }
  commands.add(usage_group, "expire", "Give back what is reserved for leases that are over", expire_usage);
}

}  // namespace quarry::cli
