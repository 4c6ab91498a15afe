/// 100,000 search results through `searches`, beside a prepared loop (SQLite) and binary COPY (PostgreSQL).

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>

#include "bench/raw/raw_rows.h"
#include "bench/support/scratch.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/searches/results.hpp"

namespace quarry::bench {
namespace {

constexpr int bulk_rows = 100'000;

struct Searched {
  explicit Searched(Engine engine) : scratch(engine) {
    user = scratch.db().write([](Write& tx) { return accounts::ensure_local_user(tx); });
  }
  SearchId fresh() {
    return scratch.db().write([&](Write& tx) {
      tx.session().run_script("bench.empty", "delete from search_results; delete from searches");
      return searches::create(tx, {.user_id = user, .query = "q", .sources = {"news"}}).id;
    });
  }
  Scratch scratch;
  UserId user;
};
Searched& searched(Engine engine) {
  // One is no reason to start the other.
  if (engine == Engine::sqlite) {
    static Searched sqlite(Engine::sqlite);
    return sqlite;
  }
  static Searched postgres(Engine::postgres);
  return postgres;
}

std::string title(int i) { return fmt::format("Result number {}", i); }
std::string url(int i) { return fmt::format("http://example.org/pages/{}", i); }
constexpr const char* snippet = "Some words that stand around what was found, eighty characters of them or so.";

void results_raw(benchmark::State& state, Engine engine) {
  auto& where = searched(engine);
  auto& db = where.scratch.db();
  for (auto _ : state) {
    state.PauseTiming();
    const auto search = where.fresh();
    std::vector<raw_result> rows(bulk_rows);
    for (int i = 0; i < bulk_rows; ++i) {
      auto& row = rows[static_cast<std::size_t>(i)];
      const auto id = make_uuid_v7(db.now(), db.random());
      std::memcpy(row.id, id.bytes.data(), 16);
      std::memcpy(row.search_id, search.value.bytes.data(), 16);
      std::memcpy(row.user_id, where.user.value.bytes.data(), 16);
      std::strcpy(row.source, "news");
      std::strcpy(row.title, title(i).c_str());
      std::strcpy(row.snippet, snippet);
      std::strcpy(row.url, url(i).c_str());
      row.position = i;
      row.scraped_at = db.now().us;
    }
    state.ResumeTiming();
    if (engine == Engine::sqlite)
      raw_insert_results(where.scratch.url().substr(7).c_str(), rows.data(), bulk_rows);
    else
      raw_copy_results(where.scratch.url().c_str(), rows.data(), bulk_rows);
  }
}

void results_quarry(benchmark::State& state, Engine engine) {
  auto& where = searched(engine);
  for (auto _ : state) {
    state.PauseTiming();
    const auto search = where.fresh();
    std::vector<searches::NewResult> rows;
    for (int i = 0; i < bulk_rows; ++i)
      rows.push_back({.source = "news", .title = title(i), .snippet = snippet, .url = url(i), .position = i});
    state.ResumeTiming();
    where.scratch.db().write([&](Write& tx) { searches::add_results(tx, search, rows); });
  }
}

BENCHMARK_CAPTURE(results_raw, s, Engine::sqlite)->Name("sqlite_search_results_100k/raw")->Iterations(1)->UseRealTime();
BENCHMARK_CAPTURE(results_quarry, s, Engine::sqlite)
    ->Name("sqlite_search_results_100k/quarry")
    ->Iterations(1)
    ->UseRealTime();
BENCHMARK_CAPTURE(results_raw, p, Engine::postgres)->Name("postgres_search_results_100k/raw")->Iterations(1)->UseRealTime();
BENCHMARK_CAPTURE(results_quarry, p, Engine::postgres)
    ->Name("postgres_search_results_100k/quarry")
    ->Iterations(1)
    ->UseRealTime();

}  // namespace
}  // namespace quarry::bench
