/// `quarry subscription`: who has which plan.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/billing/usage.hpp"

namespace quarry::cli {
namespace {

using billing::Subscription;

struct SubscriptionShowCli {
  std::string user{accounts::local_username};
};

struct SubscriptionShowResult {
  UserId user_id;
  std::string plan_id;
  std::optional<billing::SubscriptionId> by;  ///< the subscription that gives the plan
  Instant period_start;
  Instant period_end;
  std::vector<Subscription> subscriptions;
};
BOOST_DESCRIBE_STRUCT(SubscriptionShowResult, (), (user_id, plan_id, by, period_start, period_end, subscriptions))

void print_subscriptions(Console& console, const std::vector<Subscription>& subscriptions) {
  Table table({{"SUBSCRIPTION"}, {"PLAN"}, {"STATUS"}, {"SOLD BY"}, {"PERIOD"}, {"ENDS"}});
  for (const auto& s : subscriptions)
    table.row({to_string(s.id), s.plan_id, boost::describe::enum_to_string(s.status, "unknown"),
               s.provider_subscription_id ? fmt::format("{} {}", s.provider, *s.provider_subscription_id) : "given",
               fmt::format("{} to {}", to_iso8601(s.current_period_start).substr(0, 10),
                           to_iso8601(s.current_period_end).substr(0, 10)),
               s.ends_at ? human_time(*s.ends_at) : "-"});
  console.print(table);
}

ExitCode show_subscription(Context& context, const SubscriptionShowCli& cli) {
  const auto result = context.open(Access::read).read([&](Read& tx) {
    const auto user = user_of(tx, cli.user).id;
    const auto may = billing::entitlement(tx, user, tx.now());
    SubscriptionShowResult found{
        user, may.plan.id, {}, may.period.start, may.period.end, billing::subscriptions_of(tx, user)};
    if (may.subscription) found.by = may.subscription->id;
    return found;
  });
  auto& console = context.console();
  console.result(result, [&] {
    Fields fields;
    fields.add("plan", result.plan_id);
    fields.add("by", result.by ? to_string(*result.by) : "no subscription");
    fields.add("period", fmt::format("{} to {}", human_time(result.period_start), human_time(result.period_end)));
    console.print(fields);
    if (!result.subscriptions.empty()) print_subscriptions(console, result.subscriptions);
  });
  return ExitCode::ok;
}

struct SubscriptionListCli {
  billing::SubscriptionFilter filter;
  PageRequest page;
};
struct SubscriptionListResult {
  std::vector<Subscription> subscriptions;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(SubscriptionListResult, (), (subscriptions, next, total))

ExitCode list_subscriptions(Context& context, const SubscriptionListCli& cli) {
  auto page =
      context.open(Access::read).read([&](Read& tx) { return billing::list_subscriptions(tx, cli.filter, cli.page); });
  const SubscriptionListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    if (result.subscriptions.empty())
      console.note("there are no such subscriptions");
    else
      print_subscriptions(console, result.subscriptions);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct SubscriptionGiveCli {
  std::string user;
  std::string plan;
  std::string until;
};

ExitCode give_subscription(Context& context, const SubscriptionGiveCli& cli) {
  std::optional<Instant> ends_at;
  if (!cli.until.empty()) ends_at = parse_iso8601(cli.until);
  const auto given = context.open(Access::write).write([&](Write& tx) {
    return billing::give_plan(tx, {user_of(tx, cli.user).id, cli.plan, ends_at});
  });
  auto& console = context.console();
  console.result(given, [&] {
    console.line(fmt::format("{} has the plan '{}'{}: subscription {}", cli.user, given.plan_id,
                             ends_at ? " until " + human_time(*ends_at) : "", to_string(given.id)));
  });
  return ExitCode::ok;
}

struct SubscriptionEndCli {
  std::string id;
};
struct SubscriptionEndResult {
  billing::SubscriptionId subscription;
  bool changed = false;
};
BOOST_DESCRIBE_STRUCT(SubscriptionEndResult, (), (subscription, changed))

ExitCode end_subscription(Context& context, const SubscriptionEndCli& cli) {
  SubscriptionEndResult result{{parse_uuid(cli.id)}};
  result.changed =
      context.open(Access::write).write([&](Write& tx) { return billing::end_subscription(tx, result.subscription); });
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("subscription {} {}", cli.id, result.changed ? "is ended" : "had ended already"));
  });
  return ExitCode::ok;
}

}  // namespace

void add_subscription_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "subscription", "Who has which plan");
  {
    auto cli = std::make_shared<SubscriptionShowCli>();
    commands.add(group, "show", "A user's plan now, and all their subscriptions", cli, show_subscription)
        ->add_option("user", cli->user, "By username, email or id; the local user by default");
  }
  {
    auto cli = std::make_shared<SubscriptionListCli>();
    auto* command = commands.add(group, "list", "Subscriptions, the newest first", cli, list_subscriptions);
    add_enum<billing::SubscriptionStatus>(*command, "--status", cli->filter.status, "Only those in this state");
    command->add_option("--plan", cli->filter.plan_id, "Only those to this plan");
    add_page_options(*command, cli->page);
  }
  {
    auto cli = std::make_shared<SubscriptionGiveCli>();
    auto* command = commands.add(group, "give", "Give a user a plan that nobody pays for", cli, give_subscription);
    command->add_option("user", cli->user, "By username, email or id")->required();
    command->add_option("plan", cli->plan, "The plan")->required();
    command->add_option("--until", cli->until, "When it ends: 2026-12-31T00:00:00Z")->type_name("TIME");
  }
  {
    auto cli = std::make_shared<SubscriptionEndCli>();
    commands.add(group, "end", "End a subscription that was given", cli, end_subscription)
        ->add_option("id", cli->id, "The subscription")
        ->required();
  }
}

}  // namespace quarry::cli
