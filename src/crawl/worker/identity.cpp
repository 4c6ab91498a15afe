#include "crawl/worker/identity.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "quarry/billing/metering.hpp"

namespace quarry::crawl {
namespace {

constexpr sql::Query<std::string()> list_workers{
    "crawl.list_workers", "select distinct worker from task_queue where status = 'processing' and worker is not null"};
constexpr sql::Command<void(std::string_view, Instant)> end_leases_of{
    "crawl.end_leases_of", "update task_queue set lease_until = $2 where status = 'processing' and worker = $1"};

// Whether it ended a task while it had these. The look goes through what has ended since the oldest of them began.
constexpr sql::Query<bool(std::string_view)> got_on{
    "crawl.got_on",
    "select exists (select 1 from task_queue where worker = $1 and completed_at >="
    " (select min(started_at) from task_queue where worker = $1 and status = 'processing'))"};
constexpr sql::Query<queue::LeaseRef(std::string_view)> list_leases_of{
    "crawl.list_leases_of",
    "select id, lease_token from task_queue where status = 'processing' and worker = $1 order by id"};

std::string machine_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

/// Empty when there is no such process.
std::string start_ticks(long pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return {};
  // The second field is the program's name in parentheses, and may hold anything; the start time is the 20th behind it.
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  std::string field;
  for (int i = 0; i < 20; ++i) rest >> field;
  return field;
}

}  // namespace

std::string worker_identity() { return fmt::format("{}/{}/{}", machine_name(), ::getpid(), start_ticks(::getpid())); }

bool is_dead_here(std::string_view identity) {
  const auto last = identity.rfind('/');
  const auto middle = last == std::string_view::npos || last == 0 ? std::string_view::npos : identity.rfind('/', last - 1);
  if (middle == std::string_view::npos || identity.substr(0, middle) != machine_name()) return false;
  long pid = 0;
  const auto digits = identity.substr(middle + 1, last - middle - 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return false;
  return start_ticks(pid) != identity.substr(last + 1);
}

int bury_dead_workers(const Database& db) {
  int dead = 0;
  for (const auto& worker : db.read([](Read& tx) { return tx.all(list_workers); })) {
    if (!is_dead_here(worker)) continue;
    ++dead;
    db.write([&](Write& tx) {
      // Somebody killed it in the middle of its work, so none of its tasks is under suspicion: they are given back. Of one
      // that never got anywhere each task may be the cause, and has stalled.
      if (tx.value(got_on, worker))
        billing::release(tx, tx.all(list_leases_of, worker));
      else
        tx.run(end_leases_of, worker, tx.now() - std::chrono::milliseconds(1));
    });
  }
  while (dead > 0 && db.write([](Write& tx) { return billing::reap_expired(tx); }) > 0) {
  }
  return dead;
}

}  // namespace quarry::crawl
