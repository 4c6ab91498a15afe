/// `quarry limit`: what callers and scrapers have taken of their limits.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/number_range.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/limits/limits.hpp"
#include "quarry/ops/policy.hpp"

namespace quarry::cli {
namespace {

struct KeyCli {
  std::string scraper;
  std::string endpoint;
  std::string user;
};

UserId user_named(Read& tx, const std::string& name) {
  const auto user = accounts::find_user(tx, name.empty() ? accounts::local_username : std::string_view(name));
  if (!user) throw Error(ErrorCode::not_found, fmt::format("there is no user '{}'", name));
  return user->id;
}

limits::Key key_of(Read& tx, const KeyCli& cli) {
  if (cli.scraper.empty() == cli.endpoint.empty())
    throw_invalid("say either --scraper NAME or --endpoint NAME [--user NAME]");
  if (!cli.scraper.empty()) return limits::Scraper{cli.scraper};
  return limits::ApiCall{user_named(tx, cli.user), cli.endpoint};
}

struct TakeCli : KeyCli {
  std::optional<std::int64_t> requests;
  std::optional<double> period_s;
  std::int64_t burst = 0;
  std::int64_t cost = 1;
  bool dry_run = false;
};

struct DecisionResult {
  bool admitted = false;
  std::int64_t limit = 0;
  std::int64_t remaining = 0;
  std::int64_t retry_after_us = 0;
  std::int64_t reset_after_us = 0;
};
BOOST_DESCRIBE_STRUCT(DecisionResult, (), (admitted, limit, remaining, retry_after_us, reset_after_us))

/// What the command says, and for the rest what the settings say of API calls. Nothing: they are not limited.
std::optional<limits::Limit> limit_of(Read& tx, const limits::Key& key, const TakeCli& cli) {
  std::optional<limits::Limit> limit{limits::Limit{}};
  if (std::holds_alternative<limits::ApiCall>(key)) limit = ops::read_policy(tx).api_calls;
  if (!limit) return std::nullopt;
  if (cli.requests) limit->requests = *cli.requests;
  if (cli.period_s) limit->period = std::chrono::microseconds(static_cast<std::int64_t>(*cli.period_s * 1e6));
  limit->burst = cli.burst;
  return limit;
}

limits::Decision decide(const Database& db, const TakeCli& cli) {
  const auto [key, limit] = db.read([&](Read& tx) {
    const auto wanted = key_of(tx, cli);
    return std::pair(wanted, limit_of(tx, wanted, cli));
  });
  if (!limit) return {.admitted = true};
  if (!cli.dry_run) return limits::take_now(db, key, *limit, cli.cost);
  return db.read([&](Read& tx) { return limits::peek(tx, key, *limit, cli.cost); });
}

ExitCode take(Context& context, const TakeCli& cli) {
  const auto decision = decide(context.open(cli.dry_run ? Access::read : Access::write), cli);
  const DecisionResult result{decision.admitted, decision.limit, decision.remaining, decision.retry_after.count(),
                              decision.reset_after.count()};
  auto& console = context.console();
  console.result(result, [&] {
    if (decision.admitted && decision.limit == 0)
      console.line("admitted; API calls are not limited (setting 'enable_rate_limiting')");
    else if (decision.admitted)
      console.line(fmt::format("{}; {} of {} remain", cli.dry_run ? "would be admitted" : "admitted", decision.remaining,
                               decision.limit));
    else
      console.line(
          fmt::format("{}; again in {}", cli.dry_run ? "would be denied" : "denied", human_duration(decision.retry_after)));
  });
  return decision.admitted ? ExitCode::ok : ExitCode::failed;
}

struct LimitShowResult {
  std::string name;
  std::int64_t admitted = 0;
  std::optional<Instant> tat;
};
BOOST_DESCRIBE_STRUCT(LimitShowResult, (), (name, admitted, tat))

ExitCode show(Context& context, const KeyCli& cli) {
  const auto db = context.open(Access::read);
  const auto result = db.read([&](Read& tx) {
    const auto key = key_of(tx, cli);
    std::optional<LimitShowResult> shown;
    if (const auto* scraper = std::get_if<limits::Scraper>(&key)) {
      if (auto row = limits::find(tx, *scraper)) shown = {scraper->name, row->request_count, row->tat};
    } else if (auto row = limits::find(tx, std::get<limits::ApiCall>(key))) {
      shown = {row->endpoint, row->request_count, row->tat};
    }
    return shown;
  });
  if (!result) throw Error(ErrorCode::not_found, "nothing has been taken from this limit, or so long ago that it was swept");
  auto& console = context.console();
  console.result(*result, [&] {
    Fields fields;
    fields.add("limit of", result->name);
    fields.add("admitted", fmt::format("{} in the period", result->admitted));
    const bool is_free = !result->tat || *result->tat <= db.now();
    fields.add("as if unused", is_free ? "now" : fmt::format("at {}", human_time(*result->tat)));
    console.print(fields);
  });
  return ExitCode::ok;
}

struct LimitListCli {
  std::string user;
  bool scrapers = false;
  PageRequest page;
};
struct LimitListResult {
  std::vector<limits::ApiLimitRow> api;
  std::vector<limits::ScraperLimitRow> scrapers;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(LimitListResult, (), (api, scrapers, next, total))

ExitCode list(Context& context, const LimitListCli& cli) {
  LimitListResult result;
  const auto db = context.open(Access::read);
  db.read([&](Read& tx) {
    if (cli.scrapers) {
      auto page = limits::list_scrapers(tx, cli.page);
      result = {{}, std::move(page.rows), std::move(page.next), page.total};
    } else {
      const auto user = cli.user.empty() ? std::nullopt : std::optional(user_named(tx, cli.user));
      auto page = limits::list_api(tx, user, cli.page);
      result = {std::move(page.rows), {}, std::move(page.next), page.total};
    }
  });
  auto& console = context.console();
  console.result(result, [&] {
    const auto full_at = [&](const std::optional<Instant>& tat) {
      return tat && *tat > db.now() ? human_time(*tat) : std::string("now");
    };
    Table table({{cli.scrapers ? "SCRAPER" : "ENDPOINT"}, {"ADMITTED", Align::right}, {"AS IF UNUSED AT"}});
    for (const auto& row : result.api) table.row({row.endpoint, fmt::format("{}", row.request_count), full_at(row.tat)});
    for (const auto& row : result.scrapers)
      table.row({row.scraper_name, fmt::format("{}", row.request_count), full_at(row.tat)});
    if (table.empty())
      console.note("nothing has been taken");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct LimitResetResult {
  bool reset = false;
};
BOOST_DESCRIBE_STRUCT(LimitResetResult, (), (reset))

ExitCode reset(Context& context, const KeyCli& cli) {
  const auto db = context.open(Access::write);
  const LimitResetResult result{db.write([&](Write& tx) { return limits::reset(tx, key_of(tx, cli)); })};
  auto& console = context.console();
  console.result(result,
                 [&] { console.line(result.reset ? "the limit is as if nobody had asked" : "nothing had been taken"); });
  return ExitCode::ok;
}

struct LimitSweepCli {
  double idle_hours = 24;
};
struct LimitSweepResult {
  std::int64_t rows = 0;
};
BOOST_DESCRIBE_STRUCT(LimitSweepResult, (), (rows))

ExitCode sweep(Context& context, const LimitSweepCli& cli) {
  const auto db = context.open(Access::write);
  const std::chrono::microseconds idle(static_cast<std::int64_t>(cli.idle_hours * 3.6e9));
  constexpr int batch = 1'000;
  LimitSweepResult result;
  for (std::int64_t now = batch; now >= batch; result.rows += now)
    now = db.write([&](Write& tx) { return limits::sweep(tx, idle, batch); });
  auto& console = context.console();
  console.result(result, [&] { console.line(fmt::format("{} idle limits were forgotten", result.rows)); });
  return ExitCode::ok;
}

void add_key_options(CLI::App& command, KeyCli& cli) {
  auto* scraper = command.add_option("--scraper", cli.scraper, "The scraper")->type_name("NAME");
  command.add_option("--endpoint", cli.endpoint, "The endpoint that a user calls")->type_name("NAME")->excludes(scraper);
  command.add_option("--user", cli.user, "Whose calls; the local user's by default")->type_name("NAME")->excludes(scraper);
}

}  // namespace

void add_limit_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "limit", "Take from rate limits, look at them and reset them");
  {
    auto cli = std::make_shared<TakeCli>();
    auto* command = commands.add(group, "take", "Ask a limit for admission; exits with 1 when it denies", cli, take);
    add_key_options(*command, *cli);
    command->add_option(
        "--requests", cli->requests,
        "The limit's requests in a period; for an endpoint what the setting rate_limit_requests says, else 100");
    command
        ->add_option("--period-s", cli->period_s,
                     "The period in seconds; for an endpoint what the setting rate_limit_window_minutes says, else 900")
        ->check(number_range(1e-6, 3.2e7));
    command->add_option("--burst", cli->burst, "How many may come at once; as many as --requests by default");
    command->add_option("--cost", cli->cost, "What the request counts for; 1 by default");
    command->add_flag("--dry-run", cli->dry_run,
                      "Take nothing: say whether it would be admitted, and what remains as it is");
  }
  {
    auto cli = std::make_shared<KeyCli>();
    add_key_options(*commands.add(group, "show", "Show what was taken from one limit", cli, show), *cli);
  }
  {
    auto cli = std::make_shared<LimitListCli>();
    auto* command = commands.add(group, "list", "List what was taken", cli, list);
    auto* user = command->add_option("--user", cli->user, "Only of this user")->type_name("NAME");
    command->add_flag("--scrapers", cli->scrapers, "Of scrapers, instead of API calls")->excludes(user);
    add_page_options(*command, cli->page);
  }
  {
    auto cli = std::make_shared<KeyCli>();
    add_key_options(*commands.add(group, "reset", "Forget what was taken from a limit", cli, reset), *cli);
  }
  {
    auto cli = std::make_shared<LimitSweepCli>();
    auto* command = commands.add(group, "sweep", "Delete the rows of limits that nobody has asked for long", cli, sweep);
    command->add_option("--idle-hours", cli->idle_hours, "How long; 24 by default")->check(number_range(0.0, 1e6));
  }
}

}  // namespace quarry::cli
