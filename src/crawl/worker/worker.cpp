#include "quarry/crawl/worker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crawl/worker/process_page.hpp"
#include "crawl/worker/worker_state.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/queue/maintain.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::crawl {
namespace {

/// Between looks for tasks that have fallen due and for dead workers' leases, while there is plenty to do.
constexpr milliseconds maintenance_interval{200};
/// Between questions whether the work is done.
constexpr milliseconds question_interval{50};
/// How long nothing new is begun when there is no descriptor left, and between two lines of log about it.
constexpr milliseconds starving_pause{1'000};
constexpr std::chrono::seconds complaint_interval{60};
/// Between looks whether plans are enforced, and at what the settings allow.
constexpr milliseconds settings_look_interval{2'000};

}  // namespace

Worker::Worker(Database db, artifacts::BlobStore& blobs, WorkerOptions options)
    : state_(std::make_unique<State>(std::move(db), blobs, std::move(options))) {}
Worker::~Worker() = default;
void Worker::run(std::stop_token stop) { state_->run(std::move(stop)); }
const WorkerStats& Worker::stats() const noexcept { return state_->stats; }

void Worker::State::run(std::stop_token stop) {
  const auto wake = [this] {
    woken = true;
    fetcher.wake();
  };
  stopping = stop;
  queue = patiently([&] { return db.write([](Write& tx) { return queue::open_queue(tx, crawl_queue); }); });
  if (const int dead = patiently([&] { return bury_dead_workers(db); }))
    log::info("{} workers died on this machine; their tasks go on here", dead);
  const auto subscription = db.backend().subscribe(queue::wake_channel(queue), wake);
  committer = std::make_unique<Committer>(db, blobs, options, stats, stop, [this] { fetcher.wake(); });
  const std::stop_callback stopper(stop, wake);
  queue::LeaseKeeper own_keeper(db, options.lease, [this](TaskId task, queue::LeaseEnd why) { note_end(task, why); });
  keeper = &own_keeper;

  while (!stop.stop_requested()) {
    const auto now = SteadyClock::now();
    if (options.finished && now >= next_question) {
      next_question = now + question_interval;
      if (patiently(options.finished)) break;
    }
    if (wants_more()) {
      const bool was_woken = woken.exchange(false);
      if (was_woken) idle.reset();
      if (was_woken || now >= next_look) claim();
    }
    for (auto& response : fetcher.poll(nap())) answered(std::move(response));
    if (!postponed.empty() && SteadyClock::now() >= postponed_until) resume_postponed();
    if (some_are_lost.exchange(false)) forget_lost();
    stop_cancelled();
    forget_settled();
  }
  for (auto& response : fetcher.cancel_all())
    if (response.error != FetchError::cancelled) answered(std::move(response));
  std::vector<queue::LeaseRef> unworked;
  for (const auto& [number, task] : held)
    if (!task.settled) unworked.push_back(task.outcome.lease());
  give_back(std::move(unworked));
  committer->drain();
  committer.reset();
  held.clear();
}

milliseconds Worker::State::nap() const {
  if (wants_more() && woken) return milliseconds(0);
  auto until = SteadyClock::now() + queue::IdleTime::longest;
  if (wants_more()) until = std::min(until, next_look);
  if (options.finished) until = std::min(until, next_question);
  if (!postponed.empty()) until = std::min(until, postponed_until);
  return std::max(std::chrono::duration_cast<milliseconds>(until - SteadyClock::now()), milliseconds(0));
}

void Worker::State::claim() {
  const auto now = SteadyClock::now();
  const int room = options.claim_max - static_cast<int>(held.size());
  const bool maintain = now >= next_maintenance;
  if (maintain) next_maintenance = now + maintenance_interval;
  const auto started_at = db.now();
  auto tasks = claim_tasks({.worker = identity, .limit = room, .lease = options.lease, .maintain = maintain});
  ++stats.claims;
  // A full hand means that there is more; else the next event, or a notification, says when to look again.
  next_look = now + maintenance_interval;
  if (std::cmp_equal(tasks.size(), room))
    woken = true;
  else if (tasks.empty() && held.empty())
    next_look = now + queue::IdleTime::longest;
  if (tasks.empty()) return look_ahead();
  idle.reset();
  // Who is given a task that it still holds had lost it: what is under way for the old lease is worth nothing.
  std::unordered_set<TaskId> given;
  for (const auto& task : tasks) given.insert(task.id);
  forget(given);
  std::vector<queue::LeaseRef> leases;
  for (const auto& task : tasks) leases.push_back({task.id, task.lease_token});
  keeper->add(leases);
  for (auto& task : tasks) {
    const auto number = ++claims;
    auto& entry = held.emplace(number, Held{{.number = number,
                                             .task = std::move(task),
                                             .metered = metered,
                                             .address = {},
                                             .started_at = started_at,
                                             .job = {},
                                             .content = {},
                                             .elsewhere = {},
                                             .error = {},
                                             .retry_after = {}},
                                            {Url::parse("http://unknown/"), 0}})
                      .first->second;
    admit(entry);
  }
}

/// Nothing was there: when time alone may bring something.
void Worker::State::look_ahead() {
  const auto event = patiently([&] { return db.read([](Read& tx) { return queue::next_event(tx); }); });
  if (!event) return;
  next_look = SteadyClock::now() + idle.until(event, db.now());
  next_maintenance = std::min(next_maintenance, next_look);
}

/// A setting that cannot be read leaves what was known before, and is told once.
void Worker::State::look_at_settings() {
  metered = db.read([](Read& tx) { return billing::is_enforced(tx); });
  try {
    allowed = db.read([](Read& tx) { return ops::read_policy(tx); });
    settings_trouble.clear();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid) throw;
    if (settings_trouble != error.client_message()) log::warn("{}", error.client_message());
    settings_trouble = error.client_message();
  }
  jobs.limit_pages(allowed.artifacts_per_job_max);
  next_settings_look = SteadyClock::now() + settings_look_interval;
}

std::vector<queue::ClaimedTask> Worker::State::claim_tasks(const queue::ClaimOptions& wish) {
  return patiently([&] {
    // First of all after an outage: the claim takes back what has run out, our own leases as well as others'.
    keeper->catch_up();
    if (SteadyClock::now() >= next_settings_look) look_at_settings();
    return db.write([&](Write& tx) { return metered ? billing::claim(tx, queue, wish) : queue::claim(tx, queue, wish); });
  });
}

void Worker::State::admit(Held& task) {
  auto& outcome = task.outcome;
  try {
    task.page = from_payload(outcome.task.payload);
    outcome.address = task.page.url.text();
    if (outcome.task.job_id)
      outcome.job = patiently([&] { return jobs.get(*outcome.task.job_id, outcome.error); });
    else
      outcome.error = "a fetch task without a job";
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    outcome.error = error.client_message();
  }
  if (!outcome.error.empty()) return settle(task);
  if (!outcome.job->config.request.obey_robots || !outcome.task.host_id) return submit(task);

  const auto host = *outcome.task.host_id;
  const auto policy = waiting_for_robots.contains(host) ? std::nullopt : patiently([&] { return robots.find(host); });
  if (!policy) return wait_for_robots(task, task.page.url);
  if (policy->allows(task.page.url)) return submit(task);
  outcome.error = fmt::format("robots.txt forbids it: {}", policy->deciding_rule(task.page.url));
  settle(task);
}

void Worker::State::submit(Held& task) {
  const auto& config = task.outcome.job->config.request;
  Request request{.id = task.outcome.number, .url = task.page.url};
  // They are for the host that the job names, not for one that a redirect led to.
  if (task.page.hosts_before == 0) request.headers = config.headers;
  request.user_agent = config.user_agent;
  request.timeout = milliseconds(config.timeout_ms);
  request.body_bytes_max =
      static_cast<std::size_t>(std::min(config.max_bytes, allowed.file_bytes_max.value_or(config.max_bytes)));
  request.admit_redirect = [this, number = task.outcome.number](const Url&, const Url& to) {
    return admits_redirect(number, to);
  };
  fetcher.submit(std::move(request));
}

void Worker::State::answered(Response response) {
  if ((response.id & robots_bit) != 0) return robots_answered(std::move(response));
  const auto found = held.find(response.id);
  if (found == held.end()) return;  // its lease was lost meanwhile
  auto& task = found->second;
  if (redirect_trouble) std::rethrow_exception(redirect_trouble);
  if (response.error == FetchError::starved) return postpone(task, response);
  if (task.outcome.elsewhere) return settle(task);
  if (!task.redirect_forbidden.empty()) response.error_detail = task.redirect_forbidden;
  stats.bytes += static_cast<std::int64_t>(response.body.size());
  process_page(std::move(response), task.page.depth, options.text_bytes_max, parser, task.outcome);
  keep_to_file_types(task.outcome);
  tell_of_long_rest(task.outcome, task.page.url);
  settle(task);
}

/// What may not be stored is not, and its task says so.
void Worker::State::keep_to_file_types(Outcome& outcome) const {
  if (!outcome.content) return;
  const auto type = ops::file_type_of(outcome.content->mime_type, outcome.content->url.text());
  if (ops::allows_file_type(allowed, type)) return;
  outcome.error = fmt::format("a file of type '{}' is not stored: the setting 'allowed_file_types' has others", type);
  outcome.content.reset();
}

/// Trouble of our own is charged to nobody: the task keeps its lease, and is tried again when we may be better off.
void Worker::State::postpone(const Held& task, const Response& response) {
  if (postponed.empty()) {
    postponed_until = SteadyClock::now() + starving_pause;
    if (SteadyClock::now() >= next_complaint) log::warn("cannot fetch: {}", response.error_detail);
    next_complaint = std::max(next_complaint, SteadyClock::now() + complaint_interval);
  }
  postponed.push_back(task.outcome.number);
}

void Worker::State::resume_postponed() {
  for (const auto number : std::exchange(postponed, {}))
    if (const auto task = held.find(number); task != held.end() && !task->second.settled) admit(task->second);
}

void Worker::State::settle(Held& task) {
  task.settled = true;
  // The held entry stays, without its content, until the committer says that the task's fate is settled.
  Outcome outcome = std::move(task.outcome);
  task.outcome.task.id = outcome.task.id;
  task.outcome.task.lease_token = outcome.task.lease_token;
  committer->submit(std::move(outcome));
}

}  // namespace quarry::crawl
