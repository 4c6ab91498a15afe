/// `quarry billing`: whether plans are enforced, and the inbox of the payment provider's events.

#include <fmt/format.h>

#include <iostream>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "cli/commands/billing_input.hpp"
#include "cli/key_ring_option.hpp"
#include "cli/page_options.hpp"
#include "cli/read_file.hpp"
#include "cli/text.hpp"
#include "quarry/billing/inbox.hpp"
#include "quarry/billing/metering.hpp"

namespace quarry::cli {
namespace {

using billing::WebhookEvent;
using billing::WebhookStatus;

struct EnforcedResult {
  bool enforced = false;
};
BOOST_DESCRIBE_STRUCT(EnforcedResult, (), (enforced))

ExitCode print_enforced(Console& console, bool enforced) {
  console.result(EnforcedResult{enforced}, [&] {
    console.line(enforced ? "plans are enforced: every user's tasks are metered, the local user's too"
                          : "plans are not enforced: nothing is metered");
  });
  return ExitCode::ok;
}
ExitCode switch_billing(Context& context, bool on) {
  context.open(Access::write).write([&](Write& tx) { billing::set_enforced(tx, on); });
  return print_enforced(context.console(), on);
}
ExitCode billing_on(Context& context) { return switch_billing(context, true); }
ExitCode billing_off(Context& context) { return switch_billing(context, false); }
ExitCode billing_status(Context& context) {
  return print_enforced(context.console(),
                        context.open(Access::read).read([](Read& tx) { return billing::is_enforced(tx); }));
}

struct IngestCli {
  std::string file;
  std::optional<std::string> signature;
  std::vector<std::string> secret_files;
  std::optional<std::string> event_name;
  std::string keys;
};
struct IngestedResult {
  billing::Ingested outcome = billing::Ingested::stored;
  WebhookEvent event;
};
BOOST_DESCRIBE_STRUCT(IngestedResult, (), (outcome, event))

/// One byte more than is taken is enough to see that it is too much.
std::string read_body(const std::string& name) {
  if (name != "-") return read_file(name, "the event", billing::webhook_bytes_max, Named::file_or_pipe);
  std::string body(billing::webhook_bytes_max + 1, '\0');
  std::cin.read(body.data(), static_cast<std::streamsize>(body.size()));
  body.resize(static_cast<std::size_t>(std::cin.gcount()));
  return body;
}

void refuse_unless_stored(billing::Ingested outcome) {
  switch (outcome) {
    case billing::Ingested::too_large:
      throw_invalid(fmt::format("the event is larger than {} bytes", billing::webhook_bytes_max));
    case billing::Ingested::no_signature:
    case billing::Ingested::bad_signature:
      throw Error(ErrorCode::denied, "the signature is not that of this body under one of the secrets: nothing was stored");
    case billing::Ingested::stored:
    case billing::Ingested::duplicate:
      break;
  }
}

void print_event(Console& console, const WebhookEvent& event) {
  console.line(fmt::format("{} {} is {}{}", event.event_name, to_string(event.id),
                           boost::describe::enum_to_string(event.status, "unknown"),
                           event.error_message ? ": " + *event.error_message : ""));
}

ExitCode ingest(Context& context, const IngestCli& cli) {
  if (cli.signature.has_value() != !cli.secret_files.empty())
    throw_invalid("--signature and --secret-file go together: the one is checked with the other");
  if (cli.secret_files.size() > 2) throw_invalid("--secret-file: the secret, and at most the one before");
  const auto body = read_body(cli.file);
  billing::WebhookSecrets secrets;
  if (!cli.secret_files.empty()) secrets.current = read_secret(cli.secret_files[0], "webhook secret");
  if (cli.secret_files.size() > 1) secrets.previous = read_secret(cli.secret_files[1], "webhook secret");
  billing::WebhookRequest request{.body = body};
  if (cli.signature) request.signature = *cli.signature;
  if (cli.event_name) request.event_name = *cli.event_name;
  const auto keys = find_keys(context.settings(), cli.keys);
  const auto* ring = keys ? &*keys : nullptr;
  const auto db = context.open(Access::write);
  const auto in = db.write([&](Write& tx) {
    return cli.signature ? billing::ingest(tx, request, secrets, ring) : billing::ingest_trusted(tx, request, ring);
  });
  refuse_unless_stored(in.outcome);
  const IngestedResult result{in.outcome, db.write([&](Write& tx) { return billing::process(tx, in.id.value(), ring); })};
  auto& console = context.console();
  console.result(result, [&] { print_event(console, result.event); });
  return result.event.status == WebhookStatus::failed ? ExitCode::failed : ExitCode::ok;
}

struct ReplayCli {
  std::string id;
  bool failed = false;
  bool all = false;
  std::string keys;
};

ExitCode replay(Context& context, const ReplayCli& cli) {
  const auto keys = find_keys(context.settings(), cli.keys);
  const auto* ring = keys ? &*keys : nullptr;
  const auto db = context.open(Access::write);
  auto& console = context.console();
  Replayed done;
  if (!cli.id.empty()) {
    const auto event =
        db.write([&](Write& tx) { return billing::process(tx, billing::WebhookEventId{parse_uuid(cli.id)}, ring); });
    done = {1, event.status == WebhookStatus::processed, event.status == WebhookStatus::parked,
            event.status == WebhookStatus::failed};
  } else {
    done = replay_events(db, cli.all, ring);
  }
  console.result(done, [&] {
    console.line(fmt::format("{}: {} processed, {} waiting, {} failed", counted(done.events, "event"), done.processed,
                             done.parked, done.failed));
  });
  return done.failed > 0 ? ExitCode::failed : ExitCode::ok;
}

struct EventsCli {
  billing::WebhookFilter filter;
  PageRequest page;
};
struct EventsResult {
  std::vector<WebhookEvent> events;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(EventsResult, (), (events, next, total))

ExitCode events(Context& context, const EventsCli& cli) {
  auto page =
      context.open(Access::read).read([&](Read& tx) { return billing::list_webhook_events(tx, cli.filter, cli.page); });
  const EventsResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"EVENT"},
                 {"NAME"},
                 {"OBJECT"},
                 {"STATUS"},
                 {"TRIES", Align::right},
                 {"RECEIVED"},
                 {"WHY", Align::left, Room::wrapped}});
    for (const auto& event : result.events)
      table.row({to_string(event.id), event.event_name,
                 event.object_type.value_or("-") + " " + event.object_id.value_or("-"),
                 std::string(boost::describe::enum_to_string(event.status, "unknown")) + (event.test_mode ? " (test)" : ""),
                 fmt::format("{}", event.attempts), human_time(event.received_at), event.error_message.value_or("")});
    if (table.empty())
      console.note("there are no such events");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

}  // namespace

void add_billing_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "billing", "Whether plans are enforced, and the events of the payment provider");
  commands.add(group, "status", "Whether plans are enforced", billing_status);
  commands.add(group, "on", "Enforce plans: workers meter every user's tasks within seconds", billing_on);
  commands.add(group, "off", "Enforce plans no more", billing_off);
  {
    auto cli = std::make_shared<IngestCli>();
    auto* command = commands.add(group, "ingest", "Store an event of the payment provider, and apply it", cli, ingest);
    command->add_option("file", cli->file, "The raw body; - is standard input")->required();
    command->add_option("--signature", cli->signature, "X-Signature as it came; without it the file is trusted")
        ->type_name("HEX");
    command->add_option("--secret-file", cli->secret_files, "The file of the webhook's secret; again for the one before")
        ->type_name("FILE");
    command->add_option("--event-name", cli->event_name, "X-Event-Name, for a body that does not say");
    add_keys_option(*command, cli->keys);
  }
  {
    auto cli = std::make_shared<ReplayCli>();
    auto* command =
        commands.add(group, "replay", "Apply stored events again: by default those that wait or failed", cli, replay);
    auto* id = command->add_option("--id", cli->id, "This one");
    auto* failed = command->add_flag("--failed", cli->failed, "Those that wait or failed")->excludes(id);
    command->add_flag("--all", cli->all, "All of them")->excludes(id)->excludes(failed);
    add_keys_option(*command, cli->keys);
  }
  {
    auto cli = std::make_shared<EventsCli>();
    auto* command = commands.add(group, "events", "The stored events, the newest first", cli, events);
    add_enum<WebhookStatus>(*command, "--status", cli->filter.status, "Only those in this state");
    command->add_option("--name", cli->filter.event_name, "Only those of this name");
    command->add_option("--subscription", cli->filter.subscription_id,
                        "Only those of this subscription, by the provider's id");
    add_page_options(*command, cli->page);
  }
}

}  // namespace quarry::cli
