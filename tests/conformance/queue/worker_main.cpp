/// A worker in a process of its own: `queue_worker URL QUEUE MODE [LEASE_MS]`.
///
/// `drain` claims and finishes until the queue has no open task, and prints the id of each task that it has finished.
/// `hang` claims one task, says so, and does nothing until it is killed.
/// Errors end it with code 1: nothing that a caller of the library sees is retried here.

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include "quarry/queue/claim.hpp"
#include "quarry/queue/control.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/sql/database.hpp"

namespace {

using quarry::Database;
using quarry::Read;
using quarry::Write;
using namespace quarry::queue;

void drain(Database& db, QueueId queue, std::chrono::milliseconds lease) {
  const auto me = std::to_string(getpid());
  for (;;) {
    const auto tasks = db.write([&](Write& tx) { return claim(tx, queue, {.worker = me, .limit = 7, .lease = lease}); });
    if (tasks.empty()) {
      if (db.read([&](Read& tx) { return counts(tx, queue); }).open() == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    std::vector<Finish> done;
    for (const auto& task : tasks) done.push_back({task.id, task.lease_token, {}});
    db.write([&](Write& tx) { finish_or_throw(tx, done); });
    for (const auto& task : tasks) std::cout << task.id << '\n';
    std::cout.flush();
  }
}

void hang(Database& db, QueueId queue) {
  const auto tasks = db.write([&](Write& tx) { return claim(tx, queue, {.worker = "hanging"}); });
  for (const auto& task : tasks) std::cout << "claimed " << task.id << std::endl;
  for (;;) pause();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::chrono::milliseconds lease(argc > 4 ? std::stoi(argv[4]) : 30'000);
  try {
    auto db = Database::open(argv[1]);
    const auto queue = db.write([&](Write& tx) { return open_queue(tx, argv[2]); });
    if (std::string_view(argv[3]) == "hang")
      hang(db, queue);
    else
      drain(db, queue, lease);
    return 0;
  } catch (const quarry::Error& error) {
    std::cerr << error.what() << " [" << error.query_name() << "] " << error.engine_message() << '\n';
    return 1;
  }
}
