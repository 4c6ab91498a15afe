#pragma once
/// A database with a queue in it, and short words for looking at its health.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "quarry/core/error.hpp"
#include "quarry/ops/health.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/hosts.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/settings.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

using namespace std::chrono_literals;
using ops::CheckState;
using ops::HealthState;

class WatchTest : public MigratedEngines {
 protected:
  ops::HealthReport health(const ops::HealthOptions& options = {}) { return ops::check_health(db(), options); }
  ops::HealthCheck check(const std::string& name) {
    const auto report = health({.only = {name}});
    if (report.checks.size() != 1) throw std::runtime_error("there is no single check " + name);
    return report.checks.front();
  }

  queue::QueueId open_queue(const std::string& name = "crawl") {
    return db().write([&](Write& tx) { return queue::open_queue(tx, name); });
  }
  void put(queue::QueueId into, int count, const queue::NewTask& like = {}) {
    const std::vector<queue::NewTask> tasks(static_cast<std::size_t>(count), like);
    db().write([&](Write& tx) { queue::enqueue(tx, into, tasks); });
  }
  std::vector<queue::ClaimedTask> take(queue::QueueId from, int limit) {
    return db().write([&](Write& tx) { return queue::claim(tx, from, {.worker = "test", .limit = limit, .lease = 30s}); });
  }
  void finish(const std::vector<queue::ClaimedTask>& tasks) {
    std::vector<queue::Finish> ends;
    for (const auto& task : tasks) ends.push_back({task.id, task.lease_token, {}});
    db().write([&](Write& tx) { queue::finish_or_throw(tx, ends); });
  }
  void set(const std::string& key, const std::string& value, system::SettingType type = system::SettingType::string) {
    db().write([&](Write& tx) { system::set(tx, {.key = key, .type = type, .value = value}); });
  }
  /// What somebody with the database in his hands does, past the library. `postgres` where it differs.
  void script(const std::string& sql, const std::string& postgres = {}) {
    db().write([&](Write& tx) { tx.session().run_script("test.script", is_sqlite() || postgres.empty() ? sql : postgres); });
  }
};

}  // namespace quarry::test
