/// Works off a history of the queue in a process of its own, for others to kill: `queue-child DATABASE`.
///
/// Standard input: the time, the leases that were given so far, as the model names them, then steps. Each step that is done
/// is told in a line of its own: what it gave back.

#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include "property/queue/real_queue.hpp"
#include "quarry/core/error.hpp"

namespace {

using namespace quarry;
using namespace quarry::test;

int work_off(const char* url) {
  Model model;
  std::size_t leases = 0;
  std::cin >> model.now >> leases;
  for (ModelLease lease; leases > 0 && std::cin >> lease.task >> lease.token; --leases) model.leases.push_back(lease);

  const auto clock = std::make_shared<ManualClock>(Instant{model.now});
  const auto open = [&] { return Database::open(url, {.create = false, .clock = clock}); };
  std::optional<Database> db(open());
  RealQueue queue(*db, *clock, [&] { db.emplace(open()); });
  queue.resume(model);
  int verb = 0;
  for (Step step; std::cin >> verb >> step.a >> step.b;) {
    step.verb = static_cast<Verb>(verb);
    std::string line = "did";
    for (const auto number : queue.run(step)) line += " " + std::to_string(number);
    std::puts(line.c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  try {
    return work_off(argv[1]);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s (%s) %s\n", error.what(), error.query_name().c_str(), error.engine_message().c_str());
    return 1;
  }
}
