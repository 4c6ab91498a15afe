/// PostgreSQL: bulk insert against binary COPY, point read against a prepared statement.

#include <benchmark/benchmark.h>

#include "bench/raw/raw_postgres.h"
#include "bench/small/rows.hpp"

namespace quarry::bench {
namespace {

constexpr std::int64_t bulk_rows = 100'000;

Scratch& scratch() {
  static Scratch made(Engine::postgres, false);
  [[maybe_unused]] static const bool filled = [] {
    made.db().write([](Write& tx) {
      tx.session().run_script("bench.create", create_things(Engine::postgres));
      tx.insert_all(things, make_things(bulk_rows));
    });
    return true;
  }();
  return made;
}

void empty_table() {
  scratch().db().write([](Write& tx) { tx.session().run_script("bench.truncate", "truncate things"); });
}

void fill_table() {
  empty_table();
  scratch().db().write([](Write& tx) { tx.insert_all(things, make_things(bulk_rows)); });
}

void bulk_raw(benchmark::State& state) {
  auto* raw = raw_postgres_open(scratch().url().c_str());
  const auto rows = make_raw(make_things(bulk_rows));
  for (auto _ : state) {
    state.PauseTiming();
    empty_table();
    state.ResumeTiming();
    raw_postgres_copy(raw, rows.data(), bulk_rows);
  }
  raw_postgres_close(raw);
}
BENCHMARK(bulk_raw)->Name("postgres_bulk_insert_100k/raw")->Unit(benchmark::kMillisecond)->Iterations(3)->UseRealTime();

void bulk_quarry(benchmark::State& state) {
  const auto rows = make_things(bulk_rows);
  for (auto _ : state) {
    state.PauseTiming();
    empty_table();
    state.ResumeTiming();
    scratch().db().write([&](Write& tx) { tx.insert_all(things, rows); });
  }
}
BENCHMARK(bulk_quarry)
    ->Name("postgres_bulk_insert_100k/quarry")
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3)
    ->UseRealTime();

void read_raw(benchmark::State& state) {
  fill_table();
  auto* raw = raw_postgres_open(scratch().url().c_str());
  raw_row row{};
  std::int64_t i = 0;
  for (auto _ : state) {
    if (!raw_postgres_find(raw, ++i * 7919 % bulk_rows + 1, &row)) state.SkipWithError("missing row");
    benchmark::DoNotOptimize(row);
  }
  raw_postgres_close(raw);
}
BENCHMARK(read_raw)->Name("postgres_point_read_one_transaction/raw")->UseRealTime();

/// Inside one transaction, as the raw side is: what the skin costs, without BEGIN and COMMIT.
void read_quarry(benchmark::State& state) {
  fill_table();
  scratch().db().read([&](Read& tx) {
    std::int64_t i = 0;
    for (auto _ : state) {
      auto row = tx.one(find_thing, ++i * 7919 % bulk_rows + 1);
      if (!row) state.SkipWithError("missing row");
      benchmark::DoNotOptimize(row);
    }
  });
}
BENCHMARK(read_quarry)->Name("postgres_point_read_one_transaction/quarry")->UseRealTime();

}  // namespace
}  // namespace quarry::bench
