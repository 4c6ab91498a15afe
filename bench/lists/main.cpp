/// A page of 50 at the beginning of a list and one that begins behind row 1,000,000: medians of interleaved runs, and their
/// ratio.
///
///     quarry-bench-lists --engine postgres [--rows 1000000]
///
/// The lists are read as a tenant reads them (on PostgreSQL under row-level security), those of users as an admin does.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "bench/lists/rows.hpp"
#include "bench/support/program.hpp"
#include "quarry/accounts/user_list.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/searches/results.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::bench {
namespace {

constexpr int page_rows = 50;
constexpr int rounds = 301;

/// One list: a page of `limit` rows behind `after`, and how the next one is named.
struct List {
  const char* name;
  Actor actor;
  std::function<std::optional<std::string>(Read& tx, int limit, const std::string& after)> page;
};

std::vector<List> lists_of(const Tenant& tenant) {
  const auto as_tenant = Actor::user(tenant.user);
  const auto artifacts_of = [tenant](std::optional<JobId> job) {
    return [=](Read& tx, int limit, const std::string& after) {
      return artifacts::list(tx, {.user_id = tenant.user, .job_id = job}, {.limit = limit, .after = after}).next;
    };
  };
  return {
      {"jobs of a tenant", as_tenant,
       [](Read& tx, int limit, const std::string& after) {
         return jobs::list(tx, {}, {.limit = limit, .after = after}).next;
       }},
      {"jobs of a tenant, in one status", as_tenant,
       [](Read& tx, int limit, const std::string& after) {
         return jobs::list(tx, {.status = jobs::JobStatus::completed}, {.limit = limit, .after = after}).next;
       }},
      {"jobs of everybody", Actor::system(),
       [](Read& tx, int limit, const std::string& after) {
         return jobs::list(tx, {}, {.limit = limit, .after = after}).next;
       }},
      {"artifacts of a tenant", as_tenant, artifacts_of({})},
      {"artifacts of a job", as_tenant, artifacts_of(tenant.job)},
      {"results of a search", as_tenant,
       [tenant](Read& tx, int limit, const std::string& after) {
         return searches::list_results(tx, tenant.search, {}, {.limit = limit, .after = after}).next;
       }},
      {"users", Actor::system(),
       [](Read& tx, int limit, const std::string& after) {
         return accounts::list_users(tx, {}, {.limit = limit, .after = after}).next;
       }},
  };
}

double page_us(Database& db, const List& list, const std::string& after) {
  const auto start = std::chrono::steady_clock::now();
  db.read({.actor = list.actor}, [&](Read& tx) { return list.page(tx, page_rows, after); });
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// Walks page by page, as a client would.
std::string cursor_behind(Database& db, const List& list, std::int64_t row) {
  std::string after;
  for (std::int64_t at = 0; at < row; at += 1000) {
    const auto next = db.read({.actor = list.actor}, [&](Read& tx) { return list.page(tx, 1000, after); });
    if (!next) throw Error(ErrorCode::bug, fmt::format("{}: the list ends before row {}", list.name, row));
    after = *next;
  }
  return after;
}

void run(Engine engine, std::int64_t rows) {
  Scratch scratch(engine);
  auto& db = scratch.db();
  const auto tenant = put_in(db, rows + 2'000);
  db.backend().run_outside_transaction("bench.analyze", engine == Engine::postgres ? "vacuum analyze" : "analyze");
  fmt::print("{:<34}{:>14}{:>18}{:>8}\n", "list of 50", "first page", "behind row", "ratio");
  for (const auto& list : lists_of(tenant)) {
    const bool is_half = std::string_view(list.name).find("status") != std::string_view::npos;
    const auto row = is_half ? rows / 2 : rows;
    const auto deep = cursor_behind(db, list, row);
    std::vector<double> first_us, deep_us;
    for (int i = 0; i < rounds; ++i) {
      first_us.push_back(page_us(db, list, ""));
      deep_us.push_back(page_us(db, list, deep));
    }
    fmt::print("{:<34}{:>11.0f} us{:>8.0f} us {:>7}{:>8.2f}\n", list.name, median(first_us), median(deep_us), row,
               median(deep_us) / median(first_us));
  }
}

}  // namespace
}  // namespace quarry::bench

int main(int argc, char** argv) {
  std::string engine = "sqlite";
  std::int64_t rows = 1'000'000;
  CLI::App app{"Pages of long lists, the first and a late one"};
  app.add_option("--engine", engine, "sqlite or postgres");
  app.add_option("--rows", rows, "behind which the late page begins");
  return quarry::bench::run_program(app, argc, argv, [&] { quarry::bench::run(quarry::bench::parse_engine(engine), rows); });
}
