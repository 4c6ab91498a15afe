/// SQLite: point read, bulk insert, and durable small writes from many threads.

#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>
#include <thread>

#include "bench/small/rows.hpp"

namespace quarry::bench {
namespace {

constexpr std::int64_t table_rows = 100'000;
constexpr std::int64_t bulk_rows = 100'000;
constexpr int writer_threads = 32;
constexpr int writes_per_thread = 100;

/// One table that both sides read.
Scratch& read_scratch() {
  static Scratch scratch(Engine::sqlite, false);
  [[maybe_unused]] static const bool filled = [] {
    scratch.db().write([](Write& tx) {
      tx.session().run_script("bench.create", create_things(Engine::sqlite));
      tx.insert_all(things, make_things(table_rows));
    });
    return true;
  }();
  return scratch;
}

std::int64_t some_id(std::int64_t i) { return i * 7919 % table_rows + 1; }

void read_raw(benchmark::State& state) {
  auto* raw = raw_sqlite_open(read_scratch().url().substr(7).c_str(), 1);
  raw_row row{};
  std::int64_t i = 0;
  for (auto _ : state) {
    if (!raw_sqlite_find(raw, some_id(++i), &row)) state.SkipWithError("missing row");
    benchmark::DoNotOptimize(row);
  }
  raw_sqlite_close(raw);
}
BENCHMARK(read_raw)->Name("sqlite_point_read/raw");

void read_quarry(benchmark::State& state) {
  auto& db = read_scratch().db();
  std::int64_t i = 0;
  for (auto _ : state) {
    const auto id = some_id(++i);
    auto row = db.read([id](Read& tx) { return tx.one(find_thing, id); });
    if (!row) state.SkipWithError("missing row");
    benchmark::DoNotOptimize(row);
  }
}
BENCHMARK(read_quarry)->Name("sqlite_point_read/quarry");

/// Both insert into an empty table of a new file, and pay for their own deletion outside of the measured time.
void bulk_raw(benchmark::State& state) {
  Scratch scratch(Engine::sqlite, false);
  auto* raw = raw_sqlite_open(scratch.path("raw.db").c_str(), 1);
  raw_sqlite_exec(raw, create_things(Engine::sqlite));
  const auto rows = make_raw(make_things(bulk_rows));
  for (auto _ : state) {
    raw_sqlite_insert_all(raw, rows.data(), bulk_rows);
    state.PauseTiming();
    raw_sqlite_exec(raw, "delete from things; pragma wal_checkpoint(truncate)");
    state.ResumeTiming();
  }
  raw_sqlite_close(raw);
}
BENCHMARK(bulk_raw)->Name("sqlite_bulk_insert_100k/raw")->Unit(benchmark::kMillisecond)->Iterations(3);

void bulk_quarry(benchmark::State& state) {
  Scratch scratch(Engine::sqlite, false);
  auto& db = scratch.db();
  db.write([](Write& tx) { tx.session().run_script("bench.create", create_things(Engine::sqlite)); });
  const auto rows = make_things(bulk_rows);
  for (auto _ : state) {
    db.write([&](Write& tx) { tx.insert_all(things, rows); });
    state.PauseTiming();
    db.write([](Write& tx) { tx.session().run_script("bench.delete", "delete from things"); });
    db.backend().run_outside_transaction("bench.checkpoint", "pragma wal_checkpoint(truncate)");
    state.ResumeTiming();
  }
}
BENCHMARK(bulk_quarry)->Name("sqlite_bulk_insert_100k/quarry")->Unit(benchmark::kMillisecond)->Iterations(3);

/// One commit each, durable, from one thread: what a program without group commit gets, however many threads it has.
void durable_raw(benchmark::State& state) {
  Scratch scratch(Engine::sqlite, false);
  auto* raw = raw_sqlite_open(scratch.path("raw.db").c_str(), 1);
  raw_sqlite_exec(raw, create_things(Engine::sqlite));
  const auto rows = make_raw(make_things(writer_threads * writes_per_thread));
  for (auto _ : state) {
    for (const auto& row : rows) raw_sqlite_insert_one(raw, &row);
    state.PauseTiming();
    raw_sqlite_exec(raw, "delete from things; pragma wal_checkpoint(truncate)");
    state.ResumeTiming();
  }
  raw_sqlite_close(raw);
}
BENCHMARK(durable_raw)->Name("sqlite_durable_writes_32_threads/raw")->Unit(benchmark::kMillisecond)->Iterations(1);

void durable_quarry(benchmark::State& state) {
  Scratch scratch(Engine::sqlite, false);
  auto& db = scratch.db();
  db.write([](Write& tx) { tx.session().run_script("bench.create", create_things(Engine::sqlite)); });
  const auto rows = make_things(writer_threads * writes_per_thread);
  for (auto _ : state) {
    // Keys grow in the order in which rows arrive, as those that the library makes do, and as the C program's. One write
    // runs at a time.
    std::size_t arrived = 0;
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < writer_threads; ++t)
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < writes_per_thread; ++i)
          db.write([&](Write& tx) { tx.run(insert_thing, rows[arrived++]); });
      });
    for (auto& thread : threads) thread.join();
    state.PauseTiming();
    db.write([](Write& tx) { tx.session().run_script("bench.delete", "delete from things"); });
    db.backend().run_outside_transaction("bench.checkpoint", "pragma wal_checkpoint(truncate)");
    state.ResumeTiming();
  }
}
BENCHMARK(durable_quarry)
    ->Name("sqlite_durable_writes_32_threads/quarry")
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();

}  // namespace
}  // namespace quarry::bench
