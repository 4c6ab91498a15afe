/// `quarry queue hosts` and `quarry queue host ...`: how politely hosts are treated.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/number_range.hpp"
#include "cli/text.hpp"
#include "quarry/crawl/url.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::cli {
namespace {

struct HostsCli {
  std::string after;
  int limit = 100;
};

struct HostsResult {
  std::vector<queue::Host> hosts;
  std::optional<std::string> next;  ///< for --after; nothing on the last page
};
BOOST_DESCRIBE_STRUCT(HostsResult, (), (hosts, next))

std::string limit_of(const queue::Host& host) {
  return host.max_in_flight >= 1'000'000 ? "-" : fmt::format("{}", host.max_in_flight);
}

ExitCode list(Context& context, const HostsCli& cli) {
  const auto db = context.open(Access::read);
  HostsResult result{db.read([&](Read& tx) { return queue::list_hosts(tx, cli.after, cli.limit); }), {}};
  if (std::ssize(result.hosts) == cli.limit) result.next = result.hosts.back().host_key;
  auto& console = context.console();
  console.result(result, [&] {
    const auto now = db.now();
    Table table({{"HOST", Align::left, Room::whole},
                 {"PENDING", Align::right},
                 {"IN FLIGHT", Align::right},
                 {"LIMIT", Align::right},
                 {"DELAY", Align::right},
                 {"BLOCKED UNTIL"}});
    for (const auto& host : result.hosts)
      table.row({host.host_key, fmt::format("{}", host.pending), fmt::format("{}", host.in_flight), limit_of(host),
                 fmt::format("{} ms", host.delay_ms), host.blocked_until > now ? human_time(host.blocked_until) : "-"});
    if (table.empty())
      console.note(cli.after.empty() ? "no task has named a host yet" : "there are no more hosts");
    else
      console.print(table);
    if (result.next) console.note(fmt::format("there may be more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

/// After what was done to it, so that a moment that has come is not told as one that is waited for.
void show_host(Context& context, const Database& db, const queue::Host& host) {
  const auto now = db.now();
  auto& console = context.console();
  console.result(host, [&] {
    Fields fields;
    fields.add("host", host.host_key);
    fields.add("delay", fmt::format("{} ms", host.delay_ms));
    fields.add("limit", limit_of(host));
    fields.add("in flight", fmt::format("{}", host.in_flight));
    fields.add("pending", fmt::format("{}", host.pending));
    if (host.blocked_until > now) fields.add("blocked until", human_time(host.blocked_until));
    console.print(fields);
  });
}

struct HostCli {
  std::string host;
  std::optional<int> delay_ms;
  std::optional<int> max_in_flight;
  double minutes = 0;
};

/// The key under which tasks name it. One that is there as it was written goes before: not every queue's hosts are web
/// sites.
std::string host_key_of(Read& tx, const std::string& host) {
  return queue::find_host(tx, host) ? host : crawl::parse_host_key(host);
}

queue::Host get(Read& tx, const std::string& host) {
  const auto key = host_key_of(tx, host);
  if (auto found = queue::find_host(tx, key)) return *std::move(found);
  throw Error(ErrorCode::not_found, fmt::format("there is no host '{}': `quarry queue hosts` names those that are", key));
}

ExitCode show(Context& context, const HostCli& cli) {
  const auto db = context.open(Access::read);
  show_host(context, db, db.read([&](Read& tx) { return get(tx, cli.host); }));
  return ExitCode::ok;
}

ExitCode set(Context& context, const HostCli& cli) {
  if (!cli.delay_ms && !cli.max_in_flight) throw_invalid("nothing to set: say --delay-ms, --max-in-flight or both");
  const auto db = context.open(Access::write);
  show_host(context, db, db.write([&](Write& tx) {
    return queue::configure_host(tx, host_key_of(tx, cli.host),
                                 {.delay_ms = cli.delay_ms, .max_in_flight = cli.max_in_flight});
  }));
  return ExitCode::ok;
}

ExitCode block(Context& context, const HostCli& cli) {
  const auto db = context.open(Access::write);
  const auto duration = std::chrono::microseconds(static_cast<std::int64_t>(cli.minutes * 6e7));
  show_host(context, db, db.write([&](Write& tx) {
    queue::block_host(tx, get(tx, cli.host).id, tx.now() + duration);
    return get(tx, cli.host);
  }));
  return ExitCode::ok;
}

ExitCode unblock(Context& context, const HostCli& cli) {
  const auto db = context.open(Access::write);
  show_host(context, db, db.write([&](Write& tx) {
    queue::block_host(tx, get(tx, cli.host).id, tx.now());
    return get(tx, cli.host);
  }));
  return ExitCode::ok;
}

}  // namespace

void add_host_commands(CLI::App& group, Commands& commands) {
  {
    auto cli = std::make_shared<HostsCli>();
    auto* command = commands.add(group, "hosts", "List the hosts that tasks name", cli, list);
    command->add_option("--after", cli->after, "Only hosts behind this one, in alphabetical order");
    command->add_option("--limit", cli->limit, "Hosts at most; 100 by default")->check(CLI::Range(1, 10'000));
  }
  auto& host = *commands.group(group, "host", "How politely a host is treated");
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const HostCli&)) {
    auto cli = std::make_shared<HostCli>();
    auto* command = commands.add(host, name, help, cli, action);
    command->add_option("host", cli->host, "The host, with its port where that is not 80 or 443; or a URL on it")
        ->required();
    return std::pair(command, cli);
  };
  add("show", "Show a host", show);
  {
    const auto [command, cli] = add("set", "Set a host's delay and limit", set);
    command->add_option("--delay-ms", cli->delay_ms, "Between two starts")->check(CLI::Range(0, 86'400'000));
    command->add_option("--max-in-flight", cli->max_in_flight, "Tasks under way at once")->check(CLI::Range(1, 1'000'000));
  }
  {
    const auto [command, cli] = add("block", "Leave a host alone for a while", block);
    command->add_option("--minutes", cli->minutes, "How long")->required()->check(number_range(0.0, 5.3e6));
  }
  add("unblock", "End a host's block", unblock);
}

}  // namespace quarry::cli
