/// What CIAP's test file does: a search and its results, tasks by priority, a cache with time to live, ten writers at once.
#include <fmt/format.h>

#include <set>
#include <thread>

#include "open.hpp"

using namespace quarry;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const auto db = open_example(argc, argv);
  const auto user = db.write([](Write& tx) { return accounts::ensure_local_user(tx); });

  const auto search = db.write([&](Write& tx) {
    const auto made = searches::create(tx, {.user_id = user, .query = "test query", .sources = {"google", "bing"}});
    const std::vector<searches::NewResult> results{
        {.source = "bing", .title = "Second", .url = "http://b.example/", .position = 2},
        {.source = "bing", .title = "First", .url = "http://a.example/", .position = 1}};
    searches::add_results(tx, made.id, results);
    searches::change_status(tx, made.id, searches::SearchStatus::completed);
    return made.id;
  });
  for (const auto& row : db.read([&](Read& tx) { return searches::list_results(tx, search).rows; }))
    fmt::print("{} {}\n", *row.position, *row.title);

  const auto queue = db.write([](Write& tx) {
    const auto made = queue::open_queue(tx, "analyze");
    const std::vector<queue::NewTask> tasks{{.task_type = "scrape", .payload = {R"({"url": "1"})"}, .priority = 5},
                                            {.task_type = "scrape", .payload = {R"({"url": "2"})"}, .priority = 1}};
    queue::enqueue(tx, made, tasks);
    return made;
  });
  const auto task = db.write([&](Write& tx) { return queue::claim(tx, queue, {.worker = "me"}).at(0); });
  db.write([&](Write& tx) { queue::finish_or_throw(tx, std::vector<queue::Finish>{{task.id, task.lease_token}}); });
  fmt::print("the urgent one first: {}\n", task.payload.text);

  cache::Cache cache(db);
  cache.set("test_key", "test_value", 1h);
  fmt::print("{} {}\n", *cache.get("test_key"), cache.get("missing") ? "found" : "missing");

  std::set<SearchId> ids;
  std::mutex mutex;
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 10; ++i)
      writers.emplace_back([&, i] {
        const auto id = db.write([&](Write& tx) {
          return searches::create(tx, {.user_id = user, .query = fmt::format("query_{}", i), .sources = {"google"}}).id;
        });
        const std::scoped_lock lock(mutex);
        ids.insert(id);
      });
  }
  fmt::print("{} searches\n", ids.size());
}
