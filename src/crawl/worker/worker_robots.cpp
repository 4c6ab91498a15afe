/// What the worker asks of hosts before it fetches from them: their robots.txt, also of those that redirects lead to.

#include <fmt/format.h>

#include "crawl/worker/process_page.hpp"
#include "crawl/worker/worker_state.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::crawl {

/// Hosts whose robots.txt is asked for on the way of one page's redirects: as many as are followed.
constexpr int detours_max = 5;

/// Called on our thread, while it polls.
bool Worker::State::admits_redirect(std::uint64_t number, const Url& to) {
  const auto task = held.find(number);
  if (task == held.end()) return false;  // its lease was lost: no need to go on
  const auto& job = *task->second.outcome.job;
  try {
    return job.extractor.admits(to) && (!job.config.request.obey_robots || robots_admit_redirect(task->second, to));
  } catch (...) {
    // The fetcher takes a throw for a "no", but this one says nothing of the page.
    redirect_trouble = std::current_exception();
    return false;
  }
}

bool Worker::State::robots_admit_redirect(Held& task, const Url& to) {
  const auto key = host_key(to);
  auto host = key == host_key(task.page.url) ? task.outcome.task.host_id : std::nullopt;
  if (!host)
    host = patiently([&] {
      if (const auto known = db.read([&](Read& tx) { return queue::find_host(tx, key); })) return known->id;
      return db.write([&](Write& tx) {
        return queue::configure_host(tx, key,
                                     {static_cast<int>(options.politeness.delay_ms), options.politeness.in_flight_max})
            .id;
      });
    });
  const auto policy = patiently([&] { return robots.find(*host); });
  if (!policy)
    task.detour = {*host, to};
  else if (!policy->allows(to))
    task.redirect_forbidden = policy->deciding_rule(to);
  return policy && policy->allows(to);
}

/// Whether the page has to wait, because its redirect leads to a host whose robots.txt is not known.
bool Worker::State::takes_detour(Held& task) {
  const auto detour = std::exchange(task.detour, std::nullopt);
  if (!detour || task.detours++ == detours_max) return false;
  wait_for_robots(task, detour->host_id, detour->to);
  return true;
}

/// The page's turn comes again when the host's robots.txt has been answered for.
void Worker::State::wait_for_robots(Held& task, std::int64_t host_id, const Url& page) {
  auto& waiting = waiting_for_robots[host_id];
  waiting.push_back(task.outcome.number);
  if (waiting.size() > 1) return;
  Request request{.id = robots_bit | static_cast<std::uint64_t>(host_id), .url = robots_url(page)};
  request.body_bytes_max = robots_bytes_max + 1;  // one more tells that it goes on
  request.cut_body = true;
  request.redirects_max = robots_redirects_max;
  fetcher.submit(std::move(request));
}

void Worker::State::robots_answered(Response response) {
  const auto host = static_cast<std::int64_t>(response.id & ~robots_bit);
  // Too many redirects are as good as no file (RFC 9309, 2.3.1.2).
  const bool gone_astray = response.error == FetchError::redirect_loop || response.error == FetchError::redirect_invalid;
  const int status = gone_astray ? 404 : response.error == FetchError::none ? response.status : 0;
  // A host that may not be asked at all says nothing about its rules: its pages are let through, to be refused in their own
  // name.
  const bool refused = response.error == FetchError::refused_address;
  // "All is disallowed" because the server is in trouble holds for now only: nothing is learned, and it is asked again with
  // the next try of a page.
  const bool trouble =
      !refused && RobotsPolicy::from_response(status, {}, options.product).source() == RobotsPolicy::Source::disallow_all;
  if (!refused && !trouble) patiently([&] { return robots.learn(host, status, response.body); });
  const auto waiting = waiting_for_robots.extract(host);
  if (waiting.empty()) return;
  for (const auto number : waiting.mapped()) {
    const auto task = held.find(number);
    if (task == held.end()) continue;
    const bool own_host = task->second.outcome.task.host_id == host;
    if (trouble || (refused && !own_host))
      without_robots(task->second, response, own_host);
    else if (refused)
      submit(task->second);
    else
      admit(task->second);
  }
}

/// The page fails as if it had been answered so itself.
void Worker::State::without_robots(Held& task, const Response& response, bool own_host) {
  auto& outcome = task.outcome;
  fail_page(response, outcome);
  outcome.error = "robots.txt could not be fetched: " + outcome.error;
  outcome.worth_a_retry = response.error != FetchError::refused_address;
  outcome.host_in_trouble = own_host && (outcome.host_in_trouble || response.error == FetchError::none);
  settle(task);
}

}  // namespace quarry::crawl
