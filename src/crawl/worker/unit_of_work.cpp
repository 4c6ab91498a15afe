#include "crawl/worker/unit_of_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>

#include "quarry/artifacts/extractions.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/crawl/search_run.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/as_one.hpp"
#include "quarry/queue/finish.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::crawl {
namespace {

using artifacts::ArtifactType;

/// An outcome whose lease is held, with its body.
struct Accepted {
  const Outcome* outcome;
  const artifacts::StagedBlob* blob;  ///< null without content
};

ArtifactType type_of(std::string_view mime) {
  if (mime == "application/pdf") return ArtifactType::pdf;
  if (mime.starts_with("image/")) return ArtifactType::image;
  if (mime.starts_with("video/")) return ArtifactType::video;
  if (mime.starts_with("audio/")) return ArtifactType::audio;
  return ArtifactType::web_page;
}

std::vector<Accepted> hold_leases(Write& tx, std::span<const Outcome> outcomes,
                                  std::span<const artifacts::StagedBlob> blobs) {
  std::vector<queue::LeaseRef> leases;
  for (const auto& outcome : outcomes) leases.push_back(outcome.lease());
  const auto held = queue::hold(tx, leases);
  const std::set<TaskId> ours(held.begin(), held.end());
  // A task that was lost and claimed again may be here with both leases: tokens grow, and only the last can be held.
  std::map<TaskId, std::int64_t> last_token;
  for (const auto& lease : leases) last_token[lease.id] = std::max(last_token[lease.id], lease.lease_token);
  std::vector<Accepted> accepted;
  std::size_t next_blob = 0;
  for (const auto& outcome : outcomes) {
    const auto* blob = outcome.content ? &blobs[next_blob++] : nullptr;
    const auto& task = outcome.task;
    if (ours.contains(task.id) && task.lease_token == last_token[task.id]) accepted.push_back({&outcome, blob});
  }
  return accepted;
}

std::int64_t put_contents(Write& tx, std::span<const Accepted> accepted) {
  std::vector<artifacts::NewArtifact> rows;
  std::vector<const Extraction*> extractions;
  for (const auto& [outcome, blob] : accepted) {
    if (!blob) continue;
    const auto& content = *outcome->content;
    artifacts::NewArtifact row;
    row.user_id = *outcome->task.user_id;
    row.job_id = outcome->task.job_id;
    row.type = type_of(content.mime_type);
    row.source_url = content.url.text();
    row.title = content.title;
    row.description = content.description;
    row.http_status = content.status;
    row.mime_type = content.mime_type;
    row.content_text = content.text;
    row.blob = *blob;
    row.fetched_at = outcome->started_at;
    rows.push_back(std::move(row));
    extractions.push_back(&content.extraction);
  }
  const auto ids = artifacts::put_artifacts(tx, rows);
  std::vector<artifacts::NewExtraction> found;
  std::int64_t results = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (extractions[i]->items == 0) continue;
    results += static_cast<std::int64_t>(extractions[i]->items);
    found.push_back({rows[i].user_id, ids[i], "fields", Json{extractions[i]->json}, {}});
  }
  artifacts::put_extractions(tx, found);
  return results;
}

/// Positions go on where the source's earlier pages ended.
void put_results(Write& tx, const JobContext& job, std::span<const std::string_view> pages) {
  int position = static_cast<int>(searches::count_results(tx, *job.search_id, {.source = job.source})) + 1;
  std::vector<searches::NewResult> results;
  for (const auto page : pages) {
    auto found = results_in(page, job.source, position);
    position += static_cast<int>(found.size());
    std::move(found.begin(), found.end(), std::back_inserter(results));
  }
  searches::add_results(tx, *job.search_id, results);
}

/// Links and figures of the jobs, each job once, in the order of their ids.
std::int64_t put_jobs(Write& tx, std::span<const Accepted> accepted, const Politeness& politeness) {
  struct JobNews {
    const JobContext* job = nullptr;
    std::vector<PageTask> links;
    std::set<std::string_view> seen;
    jobs::Gain gain;
    std::vector<std::string_view> items;  ///< of a search: each page's
    std::vector<jobs::NewLogLine> log;
  };
  std::map<JobId, JobNews> news;
  for (const auto& [outcome, blob] : accepted) {
    if (!outcome->task.job_id) continue;
    auto& job = news[*outcome->task.job_id];
    if (!outcome->error.empty() && !outcome->was_cancelled) {
      const auto page = boost::json::serialize(boost::json::value{{"task", outcome->task.id}});
      job.log.push_back({jobs::LogLevel::warning, fmt::format("{}: {}", outcome->address, outcome->error), Json{page}});
    }
    if (!outcome->content) continue;
    job.job = outcome->job.get();
    job.gain.bytes += static_cast<std::int64_t>(outcome->content->body.size());
    job.gain.results += static_cast<std::int64_t>(outcome->content->extraction.items);
    if (outcome->job->search_id && outcome->content->extraction.items > 0)
      job.items.push_back(outcome->content->extraction.json);
    for (const auto& link : outcome->content->links)
      if (job.seen.insert(link.url.text()).second) job.links.push_back(link);
  }
  std::int64_t links = 0;
  for (auto& [id, job] : news) {
    if (job.job) links += add_pages(tx, id, job.job->config, job.links, politeness);
    if (!job.items.empty()) put_results(tx, *job.job, job.items);
    if (job.gain.bytes > 0) jobs::add_gain(tx, id, job.gain);
    if (!job.log.empty()) jobs::append_log(tx, id, job.log);
  }
  return links;
}

/// After everything else that is written for the tasks, because a job ends with its last task.
void end_tasks(Write& tx, std::span<const Accepted> accepted, const Politeness& politeness, Committed& done) {
  std::vector<queue::Finish> finished;
  std::vector<queue::Failure> failed;
  for (const auto& [outcome, blob] : accepted) {
    const auto& task = outcome->task;
    if (blob)
      finished.push_back({task.id, task.lease_token, {}});
    else if (outcome->elsewhere)
      move_page(tx, outcome->lease(), outcome->job->config, *outcome->elsewhere, politeness);
    else
      failed.push_back({task.id, task.lease_token, outcome->error, !outcome->worth_a_retry, outcome->retry_after});
  }
  if (!failed.empty()) queue::fail(tx, failed);
  queue::finish_or_throw(tx, finished);
  done.pages = static_cast<std::int64_t>(finished.size());
  done.cancelled = std::ranges::count_if(accepted, [](const Accepted& one) { return one.outcome->was_cancelled; });
  done.failed = static_cast<std::int64_t>(failed.size()) - done.cancelled;
}

/// The units that were reserved with the leases.
void end_reservations(Write& tx, std::span<const Accepted> accepted) {
  std::vector<queue::LeaseRef> finished;
  std::vector<queue::LeaseRef> failed;
  for (const auto& [outcome, blob] : accepted)
    if (outcome->metered) (blob ? finished : failed).push_back(outcome->lease());
  billing::settle_finished(tx, finished);
  billing::settle_unfinished(tx, failed);
}

/// What the answers tell of the hosts. Their rows are ours already, since they had tasks in flight.
void judge_hosts(Write& tx, std::span<const Accepted> accepted) {
  std::set<std::int64_t> answered;
  for (const auto& [outcome, blob] : accepted) {
    if (!outcome->task.host_id) continue;
    if (blob || outcome->elsewhere)
      answered.insert(*outcome->task.host_id);
    else if (outcome->host_in_trouble)
      queue::host_refused(tx, *outcome->task.host_id, outcome->started_at, outcome->retry_after);
  }
  for (const auto host : answered) queue::host_answered(tx, host);
}

std::vector<JobId> jobs_of(std::span<const Accepted> accepted) {
  std::set<JobId> jobs;
  for (const auto& [outcome, blob] : accepted)
    if (outcome->task.job_id) jobs.insert(*outcome->task.job_id);
  return {jobs.begin(), jobs.end()};
}

}  // namespace

Committed commit_outcomes(Write& tx, std::span<const Outcome> outcomes, std::span<const artifacts::StagedBlob> blobs,
                          const Politeness& politeness) {
  const auto accepted = hold_leases(tx, outcomes, blobs);
  Committed done;
  done.lost = static_cast<std::int64_t>(outcomes.size() - accepted.size());
  if (accepted.empty()) return done;
  done.results = put_contents(tx, accepted);
  queue::lock_jobs(tx, jobs_of(accepted));
  queue::as_one(tx, [&](Write& unit) {
    done.links = put_jobs(unit, accepted, politeness);
    end_tasks(unit, accepted, politeness, done);
    end_reservations(unit, accepted);
  });
  judge_hosts(tx, accepted);
  return done;
}

}  // namespace quarry::crawl
