/// A rate limit, a value computed once for all programs, a setting, and what was done in the audit log.
#include <fmt/format.h>

#include "open.hpp"

using namespace quarry;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const auto db = open_example(argc, argv);

  const limits::Limit limit{.requests = 2, .period = 1min};
  for (int i = 0; i < 3; ++i) {
    const auto decision = limits::take_now(db, limits::Scraper{"papers"}, limit);
    if (decision.admitted)
      fmt::print("admitted, {} remain\n", decision.remaining);
    else
      fmt::print("denied, again in {} s\n", std::chrono::ceil<std::chrono::seconds>(decision.retry_after).count());
  }

  cache::Cache cache(db, {.max_stale = 2s});
  for (int i = 0; i < 2; ++i)
    fmt::print("{}\n", cache.get_or_compute("rates", 10min, [] {
      fmt::print("computing\n");  // once, of all threads and programs
      return std::string("1.07");
    }));

  db.write([](Write& tx) {
    system::set(tx, {.key = "max_pages", .type = system::SettingType::integer, .value = "500"});
    system::audit(tx,
                  {.action = "example.ran", .details = Json{R"({"pages": 500})"}});  // in the transaction that it reports
  });
  fmt::print("max_pages = {}\n", *db.read([](Read& tx) { return system::get_integer(tx, "max_pages"); }));
  const auto report = db.read([](Read& tx) { return system::verify_audit(tx); });
  fmt::print("the audit log is whole: {}\n", report.intact());
}
