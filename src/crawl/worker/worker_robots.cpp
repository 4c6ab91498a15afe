/// What the worker asks of hosts before it fetches from them: their robots.txt, and where redirects may lead.

#include <fmt/format.h>

#include "crawl/worker/process_page.hpp"
#include "crawl/worker/worker_state.hpp"
#include "quarry/core/log.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::crawl {

/// Called on our thread, while it polls.
bool Worker::State::admits_redirect(std::uint64_t number, const Url& to) {
  const auto found = held.find(number);
  if (found == held.end()) return false;  // its lease was lost: no need to go on
  auto& task = found->second;
  try {
    return task.outcome.job->extractor.admits(to) && stays_on_host(task, to) && robots_admit_redirect(task, to);
  } catch (...) {
    // The fetcher takes a throw for a "no", but this one says nothing of the page.
    redirect_trouble = std::current_exception();
    return false;
  }
}

/// Another host has a delay, a limit and rules of its own: the task is put back, to wait for its turn there.
bool Worker::State::stays_on_host(Held& task, const Url& to) {
  if (host_key(to) == host_key(task.page.url)) return true;
  if (task.page.hosts_before < hosts_before_max)
    task.outcome.elsewhere = PageTask{to, task.page.depth, task.page.hosts_before + 1};
  else
    task.redirect_forbidden = "too many redirects from host to host";
  return false;
}

bool Worker::State::robots_admit_redirect(Held& task, const Url& to) {
  const auto& outcome = task.outcome;
  if (!outcome.job->config.request.obey_robots || !outcome.task.host_id) return true;
  const auto policy = patiently([&] { return robots.find(*outcome.task.host_id); });
  // What was known when the page was asked for has become too old meanwhile: the next claim asks again.
  if (!policy) task.outcome.elsewhere = PageTask{to, task.page.depth, task.page.hosts_before + 1};
  if (policy && !policy->allows(to))
    task.redirect_forbidden = fmt::format("robots.txt forbids it: {}", policy->deciding_rule(to));
  return policy && policy->allows(to);
}

/// The page's turn comes again when the host's robots.txt has been answered for.
void Worker::State::wait_for_robots(Held& task, const Url& page) {
  const auto host_id = *task.outcome.task.host_id;
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
    if (task == held.end() || task->second.settled) continue;
    if (response.error == FetchError::starved)
      postpone(task->second, response);
    else if (trouble)
      without_robots(task->second, response);
    else if (refused)
      submit(task->second);
    else
      admit(task->second);
  }
}

/// A host may ask for up to a day of rest, in which a crawl of it seems to hang.
void Worker::State::tell_of_long_rest(const Outcome& outcome, const Url& page) {
  constexpr std::chrono::minutes worth_telling{1};
  if (!outcome.host_in_trouble || !outcome.retry_after || *outcome.retry_after < worth_telling) return;
  const auto until = db.now() + *outcome.retry_after;
  auto& told = rests[host_key(page)];
  if (until < told + worth_telling) return;
  told = until;
  log::warn(
      "{} asks to be left alone until {}: its pages wait ('quarry queue hosts' shows it, 'quarry queue host unblock' ends "
      "it)",
      host_key(page), to_iso8601(until));
}

/// The page fails as if it had been answered so itself.
void Worker::State::without_robots(Held& task, const Response& response) {
  auto& outcome = task.outcome;
  fail_page(response, outcome);
  outcome.error = "robots.txt could not be fetched: " + outcome.error;
  outcome.worth_a_retry = response.error != FetchError::refused_address;
  outcome.host_in_trouble = outcome.host_in_trouble || response.error == FetchError::none;
  tell_of_long_rest(outcome, task.page.url);
  settle(task);
}

}  // namespace quarry::crawl
