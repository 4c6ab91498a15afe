/// `quarry cache`: the cache's table, looked at and changed by hand.

#include "quarry/cache/cache.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/number_range.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"

namespace quarry::cli {
namespace {

struct CacheKeyCli {
  std::string key;
};

struct CacheValueResult {
  std::string key;
  std::string value;
  std::optional<Instant> expires_at;
};
BOOST_DESCRIBE_STRUCT(CacheValueResult, (), (key, value, expires_at))

ExitCode get(Context& context, const CacheKeyCli& cli) {
  const auto found = context.open(Access::read).read([&](Read& tx) { return cache::get(tx, cli.key); });
  if (!found) throw Error(ErrorCode::not_found, fmt::format("the cache has no '{}', or it has expired", cli.key));
  auto& console = context.console();
  console.result(CacheValueResult{cli.key, found->value, found->expires_at}, [&] { console.line(found->value); });
  return ExitCode::ok;
}

struct CacheSetCli : CacheKeyCli {
  std::string value;
  std::optional<double> ttl_s;
  bool if_absent = false;
};
struct CacheSetResult {
  std::string key;
  bool is_set = false;
};
BOOST_DESCRIBE_STRUCT(CacheSetResult, (), (key, is_set))

ExitCode set(Context& context, const CacheSetCli& cli) {
  cache::Ttl ttl;
  if (cli.ttl_s) ttl = std::chrono::microseconds(static_cast<std::int64_t>(*cli.ttl_s * 1e6));
  const CacheSetResult result{cli.key, context.open(Access::write).write([&](Write& tx) {
                                if (cli.if_absent) return cache::set_if_absent(tx, cli.key, cli.value, ttl);
                                cache::set(tx, cli.key, cli.value, ttl);
                                return true;
                              })};
  auto& console = context.console();
  console.result(result, [&] { console.line(result.is_set ? "set" : "there is a value already; it stays"); });
  return result.is_set ? ExitCode::ok : ExitCode::failed;
}

struct CacheRemovedResult {
  std::int64_t entries = 0;
};
BOOST_DESCRIBE_STRUCT(CacheRemovedResult, (), (entries))

struct CacheDeleteCli : CacheKeyCli {
  std::string prefix;
};

ExitCode remove(Context& context, const CacheDeleteCli& cli) {
  if (cli.key.empty() == cli.prefix.empty()) throw_invalid("say either which key to delete, or --prefix TEXT");
  cache::Cache cache(context.open(Access::write));
  const CacheRemovedResult result{cli.key.empty() ? cache.remove_prefix(cli.prefix) : cache.remove(cli.key) ? 1 : 0};
  auto& console = context.console();
  console.result(result, [&] { console.line(fmt::format("{} deleted", result.entries)); });
  return ExitCode::ok;
}

struct CacheListCli {
  std::string prefix;
  PageRequest page;
};
struct CacheListResult {
  std::vector<cache::Entry> entries;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(CacheListResult, (), (entries, next, total))

ExitCode list(Context& context, const CacheListCli& cli) {
  auto page = context.open(Access::read).read([&](Read& tx) { return cache::list(tx, cli.prefix, cli.page); });
  const CacheListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"KEY"}, {"SIZE", Align::right}, {"HITS", Align::right}, {"LAST USED"}, {"EXPIRES"}});
    for (const auto& entry : result.entries)
      table.row({entry.id, human_bytes(entry.size_bytes), fmt::format("{}", entry.hit_count), human_time(entry.last_used_at),
                 entry.expires_at ? human_time(*entry.expires_at) : "-"});
    if (table.empty())
      console.note("the cache has no such keys");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct CacheStatsResult {
  std::int64_t entries = 0;
  std::int64_t expired = 0;
  std::int64_t bytes = 0;
  std::int64_t hits = 0;
  std::int64_t misses = 0;
  double hit_rate = 0;
};
BOOST_DESCRIBE_STRUCT(CacheStatsResult, (), (entries, expired, bytes, hits, misses, hit_rate))

ExitCode stats(Context& context) {
  const auto figures = context.open(Access::read).read([](Read& tx) { return cache::table_statistics(tx); });
  auto& console = context.console();
  const CacheStatsResult result{figures.entries, figures.expired, figures.bytes,
                                figures.hits,    figures.misses,  figures.hit_rate()};
  console.result(result, [&] {
    Fields fields;
    fields.add("entries", fmt::format("{} ({} of them expired)", figures.entries, figures.expired));
    fields.add("size", human_bytes(figures.bytes));
    fields.add("hits", fmt::format("{} ({:.1f} %)", figures.hits, 100 * figures.hit_rate()));
    fields.add("misses", fmt::format("{}", figures.misses));
    console.print(fields);
  });
  return ExitCode::ok;
}

struct CachePurgeCli {
  std::int64_t keep_bytes = std::int64_t{1} << 30;
};
struct CachePurgeResult {
  std::int64_t expired = 0;
  std::int64_t evicted = 0;
};
BOOST_DESCRIBE_STRUCT(CachePurgeResult, (), (expired, evicted))

ExitCode purge(Context& context, const CachePurgeCli& cli) {
  cache::Cache cache(context.open(Access::write), {.table_bytes_max = cli.keep_bytes});
  const auto done = cache.maintain();
  auto& console = context.console();
  console.result(CachePurgeResult{done.expired, done.evicted}, [&] {
    console.line(
        fmt::format("{} had expired; {} were evicted to keep {}", done.expired, done.evicted, human_bytes(cli.keep_bytes)));
  });
  return ExitCode::ok;
}

}  // namespace

void add_cache_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "cache", "Look into the cache, and change it");
  {
    auto cli = std::make_shared<CacheKeyCli>();
    commands.add(group, "get", "Print a value", cli, get)->add_option("key", cli->key, "The key")->required();
  }
  {
    auto cli = std::make_shared<CacheSetCli>();
    auto* command = commands.add(group, "set", "Set a value", cli, set);
    command->add_option("key", cli->key, "The key")->required();
    commands.may_be_empty(command->add_option("value", cli->value, "The value"))->required();
    command->add_option("--ttl-s", cli->ttl_s, "How many seconds it is good for; without an end by default")
        ->check(number_range(1e-6, 1e9));
    command->add_flag("--if-absent", cli->if_absent, "Only if there is none; exits with 1 when there is");
  }
  add_cache_compute_command(group, commands);
  {
    auto cli = std::make_shared<CacheDeleteCli>();
    auto* command = commands.add(group, "delete", "Delete a value, or all whose keys begin alike", cli, remove);
    command->add_option("key", cli->key, "The key");
    command->add_option("--prefix", cli->prefix, "What the keys begin with")->type_name("TEXT");
  }
  {
    auto cli = std::make_shared<CacheListCli>();
    auto* command = commands.add(group, "list", "List the keys with their sizes and hits", cli, list);
    command->add_option("--prefix", cli->prefix, "Only keys that begin so")->type_name("TEXT");
    add_page_options(*command, cli->page);
  }
  commands.add(group, "stats", "Show the cache in figures", stats);
  {
    auto cli = std::make_shared<CachePurgeCli>();
    auto* command =
        commands.add(group, "purge", "Delete what has expired, and what was used longest ago beyond a size", cli, purge);
    command->add_option("--keep-bytes", cli->keep_bytes, "The size to keep; 1 GiB by default")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 50));
  }
}

}  // namespace quarry::cli
