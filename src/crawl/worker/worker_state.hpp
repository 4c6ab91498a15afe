#pragma once
/// What a worker is made of: `run` and its tasks are in worker.cpp, the ends of their leases in worker_leases.cpp,
/// robots.txt and redirects in worker_robots.cpp.
///
/// All of it belongs to the thread that runs `run`, except `woken`, `note_end` and what has its own rules (`Committer`,
/// `WorkerStats`).

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "crawl/worker/committer.hpp"
#include "crawl/worker/identity.hpp"
#include "crawl/worker/outcome.hpp"
#include "crawl/worker/patience.hpp"
#include "crawl/worker/robots_gate.hpp"
#include "quarry/crawl/fetcher.hpp"
#include "quarry/crawl/html.hpp"
#include "quarry/crawl/worker.hpp"
#include "quarry/ops/policy.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/lease_keeper.hpp"
#include "quarry/queue/waiter.hpp"

namespace quarry::crawl {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Requests for robots.txt carry the host's id under this bit, page requests the claim's number: both are far below it.
constexpr std::uint64_t robots_bit = std::uint64_t{1} << 63;

/// A task under lease, from its claim until its fate is settled.
struct Held {
  Outcome outcome;
  PageTask page;
  bool settled = false;  ///< the committer has its outcome

  std::string redirect_forbidden = {};  ///< why a redirect is not followed
};

struct Worker::State {
  State(Database database, artifacts::BlobStore& blob_store, WorkerOptions worker_options)
      : db(std::move(database)),
        options(std::move(worker_options)),
        clock(std::make_shared<SystemClock>()),
        fetcher(options.fetcher, *clock),
        jobs(db),
        robots(db, options.product),
        blobs(blob_store) {}

  void run(std::stop_token stop);

  bool wants_more() const { return postponed.empty() && static_cast<int>(held.size()) <= options.claim_max * 3 / 4; }
  /// Runs `action`, which asks the database, waiting for one that is away.
  template <class F>
  auto patiently(F&& action) {
    return with_patience(options.give_up_after, stopping, std::forward<F>(action));
  }
  void claim();
  void look_ahead();
  void look_at_settings();
  std::vector<queue::ClaimedTask> claim_tasks(const queue::ClaimOptions& wish);
  void admit(Held& task);
  void submit(Held& task);
  bool admits_redirect(std::uint64_t number, const Url& to);
  bool robots_admit_redirect(Held& task, const Url& to);
  bool stays_on_host(Held& task, const Url& to);
  void wait_for_robots(Held& task, const Url& page);
  void answered(Response response);
  void robots_answered(Response response);
  void without_robots(Held& task, const Response& response);
  void keep_to_file_types(Outcome& outcome) const;
  void tell_of_long_rest(const Outcome& outcome, const Url& page);
  void postpone(const Held& task, const Response& response);
  void resume_postponed();
  void settle(Held& task);
  void give_back(std::vector<queue::LeaseRef> leases);
  void forget_settled();
  void forget(const std::unordered_set<TaskId>& tasks);
  void forget_lost();
  void note_end(TaskId task, queue::LeaseEnd why);
  void stop_cancelled();
  milliseconds nap() const;

  Database db;
  const WorkerOptions options;
  WorkerStats stats;
  std::shared_ptr<Clock> clock;
  Fetcher fetcher;
  JobContexts jobs;
  RobotsGate robots;
  artifacts::BlobStore& blobs;
  html::Parser parser;
  const std::string identity = worker_identity();
  queue::QueueId queue;
  std::unique_ptr<Committer> committer;
  queue::LeaseKeeper* keeper = nullptr;    ///< while `run` runs
  std::atomic<bool> some_are_lost{false};  ///< the keeper has been told so
  std::mutex cancelled_mutex;
  std::unordered_set<TaskId> cancelled;  ///< the keeper has been told so; guarded by `cancelled_mutex`
  std::stop_token stopping;
  std::uint64_t claims = 0;
  std::unordered_map<std::uint64_t, Held> held;                                     ///< by the number of the claim
  std::unordered_map<std::int64_t, std::vector<std::uint64_t>> waiting_for_robots;  ///< by host
  std::exception_ptr redirect_trouble;  ///< what the database threw when it was asked about a redirect
  std::atomic<bool> woken{true};
  SteadyClock::time_point next_look{};
  queue::IdleTime idle;
  SteadyClock::time_point next_maintenance{};
  SteadyClock::time_point next_question{};
  std::vector<std::uint64_t> postponed;  ///< claims whose pages could not be asked for, for lack of descriptors
  SteadyClock::time_point postponed_until{};
  SteadyClock::time_point next_complaint{};
  SteadyClock::time_point next_settings_look{};
  ops::Policy allowed;  ///< what the operator's settings allow
  std::string settings_trouble;
  std::unordered_map<std::string, Instant> rests;  ///< hosts that asked for a long one, and until when
  bool metered = false;                            ///< what is claimed from now on is claimed under its user's plan
};

}  // namespace quarry::crawl
