/// The connection is cut after every byte of an exchange that ends with COMMIT, in either direction: no effect twice, no
/// acknowledged write lost, and when nobody can know what became of the COMMIT, that is what the caller is told. The end of
/// a task is cut at every byte with QUARRY_TEST_LONG=1, at some of them without.

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "fault/postgres/proxy.hpp"
#include "fault/seed.hpp"
#include "quarry/core/error.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"
#include "support/migrated_database.hpp"
#include "support/postgres_admin.hpp"
#include "support/private_cluster.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using Way = PostgresProxy::Way;

constexpr sql::Command<void(std::int64_t)> add_effect{"test.add_effect", "insert into effects (id) values ($1)"};

enum class Told { done, unknown, failed };

class Cut : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    direct = Database::open(cluster.url());
    head().fill(*direct);
    run_on_postgres(cluster.url(), "create table effects (id bigint)");
  }
  Database open_proxied() {
    return Database::open(proxy.url("postgres") + "&application_name=proxied", {.connections_max = 1});
  }
  /// How often the effect is there, once no connection of the proxy's works any more.
  std::int64_t effects(const Database& proxied, std::int64_t id) {
    for (const auto end = std::chrono::steady_clock::now() + 30s; std::chrono::steady_clock::now() < end;) {
      const auto working =
          watcher.run("select count(*)::text from pg_stat_activity where application_name = 'proxied'").at(0);
      if (working <= std::to_string(proxied.stats().connections)) break;
      std::this_thread::sleep_for(100us);
    }
    return std::stoll(watcher.run("select count(*)::text from effects where id = " + std::to_string(id)).at(0));
  }
  Told try_to(const std::function<void()>& write) {
    try {
      write();
      return Told::done;
    } catch (const Error& error) {
      if (!error.outcome_unknown()) ADD_FAILURE() << error.what() << ": " << error.engine_message();
      return error.outcome_unknown() ? Told::unknown : Told::failed;
    }
  }
  /// Cuts `write(id)` at every `stride`th byte. `again(id)` is what its caller does when the outcome is unknown.
  void cut_everywhere(Database& proxied, std::size_t first, std::size_t stride,
                      const std::function<void(std::int64_t)>& write, const std::function<void(std::int64_t)>& again);

  PrivateCluster cluster;
  PostgresProxy proxy{cluster.folder()};
  AdminConnection watcher{cluster.url()};
  std::optional<Database> direct;
  std::size_t passed_before_commit = 0;  ///< set by a closure at its end
  int acknowledged = 0, unknown_done = 0, unknown_undone = 0;
};

void Cut::cut_everywhere(Database& proxied, std::size_t first, std::size_t stride,
                         const std::function<void(std::int64_t)>& write, const std::function<void(std::int64_t)>& again) {
  std::int64_t id = 0;
  for (std::size_t at = first;; at += stride) {
    SCOPED_TRACE("cut after byte " + std::to_string(at));
    write(++id);  // the connection stands, and its statements are prepared
    proxy.take_passed(GetParam());
    write(++id);
    const auto commit_at = passed_before_commit;
    proxy.take_passed(GetParam());
    proxy.cut(GetParam(), at);
    const auto told = try_to([&] { write(++id); });
    const bool was_cut = proxy.has_cut();
    const auto found = effects(proxied, id);
    EXPECT_LE(found, 1);
    EXPECT_TRUE(found == 1 || told != Told::done) << "it was acknowledged";
    const bool commit_was_sent = GetParam() == Way::to_client || at >= commit_at;
    EXPECT_TRUE(commit_was_sent || told == Told::done) << "COMMIT was not sent: nothing is unknown";
    if (told == Told::unknown) {
      again(id);
      EXPECT_EQ(effects(proxied, id), 1);
    }
    acknowledged += told == Told::done;
    (found == 1 ? unknown_done : unknown_undone) += told == Told::unknown;
    if (HasFailure() || !was_cut) break;
  }
}

std::string way_name(const testing::TestParamInfo<Way>& info) {
  return info.param == Way::to_server ? "OnTheWayToTheServer" : "OnTheWayBack";
}
INSTANTIATE_TEST_SUITE_P(, Cut, testing::Values(Way::to_server, Way::to_client), way_name);

TEST_P(Cut, AtEveryByteOfAWrite) {
  auto proxied = open_proxied();
  const auto write = [&](std::int64_t id) {
    proxied.write([&](Write& tx) {
      tx.run(add_effect, id);
      passed_before_commit = proxy.take_passed(GetParam());
    });
  };
  const auto again = [&](std::int64_t id) {
    // Whoever is told "unknown" looks before he repeats.
    if (effects(proxied, id) == 0) write(id);
  };
  cut_everywhere(proxied, 0, 1, write, again);
  EXPECT_GT(acknowledged, 20);
  if (GetParam() == Way::to_server)
    EXPECT_GT(unknown_undone, 5) << "COMMIT did not arrive";
  else
    EXPECT_GT(unknown_done, 5) << "only the answer was lost";
}

TEST_P(Cut, AtTheEndOfATask) {
  const auto queue = direct->write([](Write& tx) { return queue::open_queue(tx, "tests"); });
  auto proxied = open_proxied();
  std::map<std::int64_t, queue::LeaseRef> tasks;
  const auto finish = [&](std::int64_t id) {
    proxied.write([&](Write& tx) {
      tx.run(add_effect, id);
      queue::finish_or_throw(tx, {{{tasks.at(id).id, tasks.at(id).lease_token, Json{"{}"}}}});
      passed_before_commit = proxy.take_passed(GetParam());
    });
  };
  const auto claim_and_finish = [&](std::int64_t id) {
    const auto task = direct->write([&](Write& tx) {
      queue::enqueue(tx, queue, queue::NewTask{});
      return queue::claim(tx, queue, {.worker = "w", .lease = 10min}).at(0);
    });
    tasks[id] = {task.id, task.lease_token};
    finish(id);
  };
  // A worker need not look: the fencing token refuses the second end of a task.
  const auto again = [&](std::int64_t id) {
    try {
      finish(id);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::conflict) << error.what();
    }
    const auto task = direct->read([&](Read& tx) { return queue::find_task(tx, tasks.at(id).id); });
    EXPECT_EQ(task->status, queue::TaskStatus::completed);
  };
  std::mt19937_64 random(test_seed());
  const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
  const std::size_t stride = is_long ? 1 : 11;
  cut_everywhere(proxied, random() % stride, stride, claim_and_finish, again);
  EXPECT_GT(acknowledged, 5);
  EXPECT_GT(unknown_done + unknown_undone, 0);
}

}  // namespace
}  // namespace quarry::test
