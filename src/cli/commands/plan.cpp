/// `quarry plan`: what can be subscribed to.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/billing_input.hpp"
#include "cli/key_ring_option.hpp"
#include "quarry/billing/inbox.hpp"
#include "quarry/billing/plans.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

using billing::Plan;

struct PlanListCli {
  bool all = false;
};
struct PlanListResult {
  std::vector<Plan> plans;
};
BOOST_DESCRIBE_STRUCT(PlanListResult, (), (plans))

ExitCode list_plans(Context& context, const PlanListCli& cli) {
  const PlanListResult result{context.open(Access::read).read([&](Read& tx) { return billing::list_plans(tx, cli.all); })};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"PLAN"},
                 {"NAME"},
                 {"UNITS A MONTH", Align::right},
                 {"TASKS AT ONCE", Align::right},
                 {"PRICE", Align::right},
                 {"SOLD AS"}});
    for (const auto& plan : result.plans)
      table.row({plan.id, plan.name + (plan.is_active ? "" : " (not for sale)"),
                 fmt::format("{}", plan.compute_units_per_month), fmt::format("{}", plan.max_concurrent_tasks),
                 fmt::format("{}.{:02}", plan.price_cents / 100, plan.price_cents % 100),
                 plan.provider_variant_id.value_or("-")});
    console.print(table);
  });
  return ExitCode::ok;
}

ExitCode print_plan(Console& console, const Plan& plan) {
  console.result(plan, [&] {
    Fields fields;
    fields.add("plan", plan.id);
    fields.add("name", plan.name);
    fields.add("units", fmt::format("{} a month", plan.compute_units_per_month));
    fields.add("tasks", fmt::format("{} at once", plan.max_concurrent_tasks));
    fields.add("price", fmt::format("{}.{:02}", plan.price_cents / 100, plan.price_cents % 100));
    fields.add("sold as", plan.provider_variant_id ? "variant " + *plan.provider_variant_id : "not sold");
    fields.add("active", plan.is_active ? "yes" : "no");
    console.print(fields);
  });
  return ExitCode::ok;
}

struct PlanShowCli {
  std::string id;
};

ExitCode show_plan(Context& context, const PlanShowCli& cli) {
  return print_plan(context.console(),
                    context.open(Access::read).read([&](Read& tx) { return billing::get_plan(tx, cli.id); }));
}

struct PlanSetCli {
  std::string id;
  billing::PlanChanges changes;
  std::optional<std::string> variant;
  bool no_variant = false;
};

/// Applies the events that waited for a plan of a variant.
void let_waiting_events_in(Context& context, const Database& db, const std::optional<system::KeyRing>& keys) {
  try {
    if (const auto done = replay_events(db, false, keys ? &*keys : nullptr); done.events > 0)
      context.console().note(fmt::format("of the payment events that waited, {} could be applied", done.processed));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unavailable) throw;
    context.console().note(fmt::format("`quarry billing replay` applies the events that wait: {}", error.client_message()));
  }
}

ExitCode add_plan(Context& context, const PlanSetCli& cli) {
  const auto& wish = cli.changes;
  const auto keys = find_keys(context.settings(), "");
  const auto db = context.open(Access::write);
  const auto plan = db.write([&](Write& tx) {
    return billing::create_plan(tx, {.id = cli.id,
                                     .name = wish.name.value_or(cli.id),
                                     .compute_units_per_month = wish.compute_units_per_month.value_or(0),
                                     .max_concurrent_tasks = wish.max_concurrent_tasks.value_or(1),
                                     .price_cents = wish.price_cents.value_or(0),
                                     .provider_variant_id = cli.variant});
  });
  if (cli.variant) let_waiting_events_in(context, db, keys);
  return print_plan(context.console(), plan);
}

ExitCode set_plan(Context& context, const PlanSetCli& cli) {
  auto changes = cli.changes;
  const bool changes_something = changes.name || changes.compute_units_per_month || changes.max_concurrent_tasks ||
                                 changes.price_cents || changes.is_active || cli.variant || cli.no_variant;
  if (!changes_something) throw_invalid("nothing to change: name what, as in --units 1000 (see `quarry plan set --help`)");
  if (cli.variant) changes.provider_variant_id = cli.variant;
  if (cli.no_variant) changes.provider_variant_id = std::optional<std::string>{};
  const auto keys = find_keys(context.settings(), "");
  const auto db = context.open(Access::write);
  const auto plan = db.write([&](Write& tx) { return billing::update_plan(tx, cli.id, changes); });
  if (cli.variant) let_waiting_events_in(context, db, keys);
  return print_plan(context.console(), plan);
}

void add_plan_options(CLI::App& command, PlanSetCli& cli) {
  command.add_option("id", cli.id, "The plan: a short word")->required();
  command.add_option("--name", cli.changes.name, "What people read");
  command.add_option("--units", cli.changes.compute_units_per_month, "Compute units a month: minutes of run time");
  command.add_option("--tasks", cli.changes.max_concurrent_tasks, "Tasks at once");
  command.add_option("--price-cents", cli.changes.price_cents, "Its price a month, for people");
  command.add_option("--variant", cli.variant, "What the payment provider sells it as");
}

}  // namespace

void add_plan_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "plan", "What can be subscribed to");
  {
    auto cli = std::make_shared<PlanListCli>();
    auto* command = commands.add(group, "list", "The plans, the cheapest first", cli, list_plans);
    command->add_flag("--all", cli->all, "Those that are not for sale any more, too");
  }
  {
    auto cli = std::make_shared<PlanShowCli>();
    commands.add(group, "show", "Show a plan", cli, show_plan)->add_option("id", cli->id, "The plan")->required();
  }
  {
    auto cli = std::make_shared<PlanSetCli>();
    add_plan_options(*commands.add(group, "add", "Make a plan", cli, add_plan), *cli);
  }
  {
    auto cli = std::make_shared<PlanSetCli>();
    auto* command = commands.add(group, "set", "Change a plan, in what is given", cli, set_plan);
    add_plan_options(*command, *cli);
    command->add_flag("--no-variant", cli->no_variant, "It is not sold any more")->excludes("--variant");
    command->add_flag_callback(
        "--active", [cli] { cli->changes.is_active = true; }, "It may be subscribed to");
    command
        ->add_flag_callback(
            "--inactive", [cli] { cli->changes.is_active = false; }, "It may not; who has it keeps it")
        ->excludes("--active");
  }
}

}  // namespace quarry::cli
