/// The figures are those of the rows: exactly where it says so, and near them elsewhere.

#include "quarry/ops/stats.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/watch/watch_test.hpp"
#include "quarry/cache/entries.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::test {
namespace {

using ops::Exactness;

class Stats : public WatchTest {
 protected:
  ops::Statistics stats(const ops::StatisticsOptions& options = {}) { return ops::statistics(db(), options); }
  static const ops::TableFigures& table(const ops::Statistics& stats, const std::string& name) {
    const auto found = std::ranges::find(stats.tables, name, &ops::TableFigures::name);
    if (found == stats.tables.end()) throw std::runtime_error("no table " + name);
    return *found;
  }
  /// Rows of tables that are made in different ways: a hundred thousand are more than a few pages.
  void fill_cache(int rows) {
    script(fmt::format("with recursive n(i) as (select 1 union all select i + 1 from n where i < {})"
                       " insert into cache (key, value, size_bytes) select 'key ' || i, 'value ' || i, 10 from n",
                       rows),
           fmt::format("insert into cache (key, value, size_bytes) select 'key ' || i, 'value ' || i, 10"
                       " from generate_series(1, {}) i",
                       rows));
  }
  void fill_rate_limits(int rows) {
    script(fmt::format("with recursive n(i) as (select 1 union all select i + 1 from n where i < {})"
                       " insert into rate_limits (id, scraper_name) select randomblob(16), 'scraper ' || i from n",
                       rows),
           fmt::format("insert into rate_limits (id, scraper_name) select gen_random_uuid(), 'scraper ' || i"
                       " from generate_series(1, {}) i",
                       rows));
  }
  void analyze() {
    if (is_postgres()) db().backend().run_outside_transaction("test.analyze", "analyze");
  }
};
QUARRY_BOTH_ENGINES(Stats);

TEST_P(Stats, ANewDatabase) {
  const auto figures = stats();
  EXPECT_EQ(figures.engine, is_sqlite() ? "sqlite" : "postgresql");
  EXPECT_EQ(figures.at, clock().now());
  EXPECT_GT(figures.database_bytes, 0);
  EXPECT_EQ(figures.free_bytes.has_value(), is_sqlite());
  EXPECT_TRUE(figures.queues.empty());
  EXPECT_GT(figures.tables.size(), 25U);
  EXPECT_EQ(table(figures, "task_queue").rows, 0);
  EXPECT_EQ(table(figures, "task_queue").exactness, Exactness::exact);
  EXPECT_GT(table(figures, "task_queue").bytes.value_or(0), 0) << "its indexes";
  for (const auto& each : figures.tables) {
    EXPECT_EQ(each.name.find("fts"), std::string::npos) << each.name;
    EXPECT_FALSE(each.name.starts_with("sqlite_")) << each.name;
    EXPECT_FALSE(each.name.starts_with("audit_logs_")) << "partitions are part of their table: " << each.name;
  }
  EXPECT_EQ(figures.pool.connections_max, is_sqlite() ? 9 : 8);
  EXPECT_GT(figures.pool.reads, 0);
}

TEST_P(Stats, QueuesByState) {
  const auto crawl = open_queue("crawl");
  const auto other = open_queue("other");
  put(crawl, 10);
  put(other, 2, {.scheduled_at = clock().now() + 1h});
  finish(take(crawl, 4));
  take(crawl, 1);
  db().write([&](Write& tx) { queue::set_paused(tx, other, true); });
  clock().advance(90s);
  const auto figures = stats();
  ASSERT_EQ(figures.queues.size(), 2U);
  const auto& first = figures.queues.front();
  EXPECT_EQ(first.name, "crawl");
  EXPECT_EQ(first.pending, 5);
  EXPECT_EQ(first.processing, 1);
  EXPECT_EQ(first.completed, 4);
  EXPECT_EQ(first.oldest_pending_us, 90'000'000);
  EXPECT_FALSE(first.is_paused);
  EXPECT_EQ(figures.queues.back().scheduled, 2);
  EXPECT_TRUE(figures.queues.back().is_paused);
  EXPECT_EQ(figures.queues.back().oldest_pending_us, std::nullopt);
  EXPECT_EQ(table(figures, "task_queue").rows, 12);
}

TEST_P(Stats, RatesAreOfTheLastMinute) {
  const auto crawl = open_queue();
  put(crawl, 40);
  finish(take(crawl, 10));
  clock().advance(2min);
  finish(take(crawl, 30));
  clock().advance(30s);
  const auto rates = stats().rates;
  EXPECT_EQ(rates.ended, 30);
  EXPECT_EQ(rates.succeeded, 30);
  EXPECT_EQ(rates.window_us, 60'000'000);
  EXPECT_DOUBLE_EQ(rates.ended_per_second, 0.5);
  clock().advance(1h);
  EXPECT_EQ(stats().rates.ended_per_second, 0);
}

TEST_P(Stats, AFastQueueIsMeasuredOverItsLastTwoThousand) {
  const auto crawl = open_queue();
  put(crawl, 3'000);
  for (int i = 0; i < 3; ++i) {
    finish(take(crawl, 1'000));
    clock().advance(1s);
  }
  const auto rates = stats().rates;
  EXPECT_EQ(rates.ended, 2'000);
  EXPECT_EQ(rates.window_us, 2'000'000);
  EXPECT_DOUBLE_EQ(rates.ended_per_second, 1'000);
}

TEST_P(Stats, HostsWithTheMostToDo) {
  const auto crawl = open_queue();
  for (int i = 1; i <= 12; ++i) put(crawl, i, {.host_key = fmt::format("h{:02}.example", i)});
  db().write([&](Write& tx) {
    queue::configure_host(tx, "full.example", {.max_in_flight = 1});
    const auto host = queue::find_host(tx, "h12.example").value();
    queue::block_host(tx, host.id, tx.now() + 1h);
  });
  const auto before = stats({.hosts_max = 3}).hosts;
  ASSERT_EQ(before.size(), 3U);
  EXPECT_EQ(before.at(0).host, "h12.example");
  EXPECT_EQ(before.at(0).pending, 12);
  EXPECT_EQ(before.at(0).blocked_until, clock().now() + 1h);
  EXPECT_EQ(before.at(1).blocked_until, std::nullopt);
  // A host at its limit is not due; it is found through the task that it has under way.
  put(crawl, 50, {.host_key = "full.example"});
  take(crawl, 500);
  const auto after = stats({.hosts_max = 1}).hosts;
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after.front().host, "full.example");
  EXPECT_EQ(after.front().in_flight, 1);
  EXPECT_EQ(after.front().pending, 49);
}

TEST_P(Stats, TheCachesHits) {
  db().write([](Write& tx) { cache::add_asked(tx, 3, 1); });
  const auto figures = stats().cache;
  EXPECT_EQ(figures.hits, 3);
  EXPECT_EQ(figures.misses, 1);
  EXPECT_DOUBLE_EQ(figures.hit_rate, 0.75);
}

TEST_P(Stats, SmallTablesAreCountedAndLargeOnesEstimated) {
  fill_cache(50);
  fill_rate_limits(40);
  analyze();
  if (is_sqlite()) {
    const auto figures = stats();
    EXPECT_EQ(table(figures, "cache").rows, 50);
    EXPECT_EQ(table(figures, "cache").exactness, Exactness::exact);
    EXPECT_EQ(table(figures, "rate_limits").rows, 40);
  }
  script("delete from cache; delete from rate_limits");
  fill_cache(100'000);
  fill_rate_limits(100'000);
  analyze();
  const auto guessed = stats();
  const auto counted = stats({.exact = true});
  for (const auto* name : {"cache", "rate_limits"}) {
    const auto& guess = table(guessed, name);
    const auto& truth = table(counted, name);
    EXPECT_EQ(truth.rows, 100'000) << name;
    EXPECT_EQ(truth.exactness, Exactness::exact);
    EXPECT_EQ(guess.exactness, Exactness::estimate);
    EXPECT_NEAR(static_cast<double>(guess.rows), 100'000, 50'000) << name;
    ASSERT_TRUE(guess.bytes && truth.bytes);
    EXPECT_NEAR(static_cast<double>(*guess.bytes), static_cast<double>(*truth.bytes),
                0.6 * static_cast<double>(*truth.bytes))
        << name;
  }
  EXPECT_EQ(table(guessed, "cache").rows, is_sqlite() ? 100'000 : table(guessed, "cache").rows)
      << "rowids without gaps tell exactly";
}

TEST_P(Stats, LargeValuesBesideTheirRowsCount) {
  script(
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 400)"
      " insert into cache (key, value) select 'key ' || i, hex(zeroblob(100000)) from n",
      "insert into cache (key, value) select 'key ' || i, (select string_agg(md5(i::text || j::text), '')"
      " from generate_series(1, 2000) j) from generate_series(1, 400) i");
  analyze();
  const auto guess = table(stats(), "cache");
  const auto truth = table(stats({.exact = true}), "cache");
  ASSERT_TRUE(guess.bytes && truth.bytes);
  EXPECT_GT(*truth.bytes, 10'000'000);
  EXPECT_NEAR(static_cast<double>(*guess.bytes), static_cast<double>(*truth.bytes), 0.6 * static_cast<double>(*truth.bytes));
}

TEST_P(Stats, TablesMayBeLeftOut) { EXPECT_TRUE(stats({.tables = false}).tables.empty()); }

TEST_P(Stats, AuditEntriesAreThoseWritten) {
  for (int i = 0; i < 3; ++i) db().write([](Write& tx) { system::audit(tx, {.action = "act"}); });
  EXPECT_EQ(stats().audit_entries, 3);
}

}  // namespace
}  // namespace quarry::test
