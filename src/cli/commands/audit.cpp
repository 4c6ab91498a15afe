/// `quarry audit`: who did what, and whether the record of it is whole.

#include "quarry/system/audit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/system/audit_partitions.hpp"
#include "quarry/system/audit_verify.hpp"

namespace quarry::cli {
namespace {

struct AuditListCli {
  std::string user, action, prefix, resource_type, resource_id, since, until;
  bool reverse = false;
  PageRequest page;
};
struct AuditListResult {
  std::vector<system::AuditEntry> entries;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(AuditListResult, (), (entries, next, total))

system::AuditFilter filter_of(const AuditListCli& cli) {
  system::AuditFilter filter;
  if (!cli.user.empty()) filter.user_id = UserId{parse_uuid(cli.user)};
  if (!cli.action.empty()) filter.action = cli.action;
  if (!cli.prefix.empty()) filter.action_prefix = cli.prefix;
  if (!cli.resource_type.empty()) filter.resource_type = cli.resource_type;
  if (!cli.resource_id.empty()) filter.resource_id = parse_uuid(cli.resource_id);
  if (!cli.since.empty()) filter.since = parse_iso8601(cli.since);
  if (!cli.until.empty()) filter.until = parse_iso8601(cli.until);
  return filter;
}

std::string resource_of(const system::AuditEntry& entry) {
  auto text = entry.resource_type.value_or("");
  if (entry.resource_id) text += (text.empty() ? "" : " ") + to_string(*entry.resource_id);
  return text;
}

ExitCode list(Context& context, const AuditListCli& cli) {
  const auto filter = filter_of(cli);
  const auto direction = cli.reverse ? store::Direction::ascending : store::Direction::descending;
  auto page = context.open(Access::read).read([&](Read& tx) { return system::list_audit(tx, filter, cli.page, direction); });
  const AuditListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"#", Align::right}, {"TIME"}, {"ACTION"}, {"USER"}, {"RESOURCE"}, {"FROM"}, {"DETAILS"}});
    for (const auto& entry : result.entries)
      table.row({fmt::format("{}", entry.chain_seq), human_time(entry.created_at), entry.action,
                 entry.user_id ? to_string(*entry.user_id) : "-", resource_of(entry), entry.ip_address.value_or("-"),
                 entry.details ? entry.details->text : ""});
    if (table.empty())
      console.note("there are no such entries");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct HeadResult {
  std::optional<system::ChainHead> head;
};
BOOST_DESCRIBE_STRUCT(HeadResult, (), (head))

ExitCode head(Context& context) {
  const HeadResult result{context.open(Access::read).read([](Read& tx) { return system::audit_head(tx); })};
  auto& console = context.console();
  console.result(result, [&] {
    if (result.head)
      console.line(to_string(*result.head));
    else
      console.note("the audit log is empty");
  });
  return ExitCode::ok;
}

struct VerifyCli {
  std::string expect;
};

ExitCode verify(Context& context, const VerifyCli& cli) {
  system::VerifyOptions options;
  if (!cli.expect.empty()) options.expect = system::parse_chain_head(cli.expect);
  // As long as it takes: one statement reads the whole log.
  DatabaseOptions patient;
  patient.statement_timeout = std::chrono::hours(24);
  const auto report = context.open(Access::read, patient).read([&](Read& tx) { return system::verify_audit(tx, options); });
  auto& console = context.console();
  console.result(report, [&] {
    for (const auto& found : report.breaks) console.line(found.message);
    if (report.faults > static_cast<std::int64_t>(report.breaks.size()))
      console.line(fmt::format("and {} more", report.faults - static_cast<std::int64_t>(report.breaks.size())));
    if (report.retired > 0)
      console.note(fmt::format("{} before these were retired", counted(report.retired, "entry", "entries")));
    if (report.intact())
      console.line(fmt::format("{}, and the chain is whole", counted(report.checked, "entry", "entries")));
  });
  return report.intact() ? ExitCode::ok : ExitCode::corrupt;
}

struct PartitionsResult {
  std::vector<system::AuditPartition> partitions;
};
BOOST_DESCRIBE_STRUCT(PartitionsResult, (), (partitions))

ExitCode partitions(Context& context) {
  const PartitionsResult result{context.open(Access::read).read([](Read& tx) { return system::audit_partitions(tx); })};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"PARTITION"}, {"FROM"}, {"UNTIL"}, {"STATE"}});
    for (const auto& each : result.partitions)
      table.row({each.name, each.from ? human_time(*each.from) : "-", each.until ? human_time(*each.until) : "-",
                 each.is_empty ? "empty" : "has entries"});
    if (table.empty())
      console.note("on SQLite the audit log has no partitions");
    else
      console.print(table);
  });
  return ExitCode::ok;
}

struct EnsureCli {
  int months_ahead = 3;
};

ExitCode ensure(Context& context, const EnsureCli& cli) {
  const auto result =
      context.open(Access::write).write([&](Write& tx) { return system::ensure_audit_partitions(tx, cli.months_ahead); });
  auto& console = context.console();
  console.result(result, [&] {
    console.line(result.made.empty() ? "no partition was missing" : fmt::format("made {}", fmt::join(result.made, ", ")));
    if (!result.left_to_default.empty())
      console.note(fmt::format("audit_logs_default has entries already of {}", fmt::join(result.left_to_default, ", ")));
  });
  return ExitCode::ok;
}

struct RetireCli {
  std::string before;
};
struct RetireResult {
  std::vector<system::RetiredPartition> retired;
};
BOOST_DESCRIBE_STRUCT(RetireResult, (), (retired))

ExitCode retire(Context& context, const RetireCli& cli) {
  const auto before = parse_iso8601(cli.before);
  const auto db = context.open(Access::write);
  RetireResult result;
  for (;;) {
    auto retired = db.write([&](Write& tx) { return system::retire_audit_partition(tx, before); });
    if (!retired) break;
    result.retired.push_back(*std::move(retired));
  }
  auto& console = context.console();
  console.result(result, [&] {
    for (const auto& each : result.retired)
      console.line(fmt::format("{} is a table of its own now, with entries {} to {}: dump it, then drop it", each.table,
                               each.first, each.last));
    if (result.retired.empty()) console.note("no partition holds entries before that only");
  });
  return ExitCode::ok;
}

}  // namespace

void add_audit_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "audit", "Read the audit log, and check that it is whole");
  {
    auto cli = std::make_shared<AuditListCli>();
    auto* command = commands.add(group, "list", "List what was done, the newest first", cli, list);
    command->add_option("--user", cli->user, "Only by this user")->type_name("ID");
    command->add_option("--action", cli->action, "Only this action");
    command->add_option("--prefix", cli->prefix, "Only actions that begin so");
    command->add_option("--resource-type", cli->resource_type, "Only on things of this type");
    command->add_option("--resource", cli->resource_id, "Only on this thing")->type_name("ID");
    command->add_option("--since", cli->since, "Not before")->type_name("TIME");
    command->add_option("--until", cli->until, "Before")->type_name("TIME");
    command->add_flag("--reverse", cli->reverse, "The oldest first, instead of the newest");
    add_page_options(*command, cli->page);
  }
  commands.add(group, "head", "Print the log's end as SEQ:HASH, to keep outside of the database", head);
  {
    auto cli = std::make_shared<VerifyCli>();
    auto* command = commands.add(group, "verify", "Check every link of the chain", cli, verify);
    command->add_option("--expect", cli->expect, "An end that was kept: the log must still reach it")->type_name("SEQ:HASH");
  }
  commands.add(group, "partitions", "List the log's months (PostgreSQL)", partitions);
  {
    auto cli = std::make_shared<EnsureCli>();
    auto* command = commands.add(group, "ensure-partitions", "Make the months to come (PostgreSQL)", cli, ensure);
    command->add_option("--months-ahead", cli->months_ahead, "How many after this one; 3 by default")
        ->check(CLI::Range(0, 120));
  }
  {
    auto cli = std::make_shared<RetireCli>();
    auto* command = commands.add(group, "retire", "Detach months that are older (PostgreSQL)", cli, retire);
    command->add_option("--before", cli->before, "Only if all of their entries are older")->type_name("TIME")->required();
  }
}

}  // namespace quarry::cli
