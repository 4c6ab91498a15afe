#include "quarry/ops/seed_demo.hpp"

#include <array>

#include "ops/seed_turn.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::ops {
namespace {

constexpr sql::Query<bool(std::string_view)> has_other_users{"ops.has_other_users",
                                                             "select exists (select 1 from users where username <> $1)"};
constexpr sql::Query<bool()> has_jobs{"ops.has_jobs", "select exists (select 1 from scraping_jobs)"};
constexpr sql::Query<bool()> has_searches{"ops.has_searches", "select exists (select 1 from searches)"};
constexpr sql::Query<bool()> has_artifacts{"ops.has_artifacts", "select exists (select 1 from artifacts)"};

void check_unused(Read& tx) {
  const auto refuse = [](const char* why) {
    throw Error(ErrorCode::conflict,
                std::string("the database is in use: it has ") + why + "; examples go into a new one only");
  };
  if (tx.value(has_other_users, accounts::local_username)) refuse("users");
  if (tx.value(has_jobs)) refuse("jobs");
  if (tx.value(has_searches)) refuse("searches");
  if (tx.value(has_artifacts)) refuse("artifacts");
}

struct SamplePage {
  const char* url;
  const char* title;
  const char* text;
  const char* tag;
};
constexpr std::array<SamplePage, 3> pages{{
    {"https://example.org/lithium/market-2026", "Lithium market outlook 2026",
     "Demand for battery-grade lithium carbonate grew faster than new brine capacity. Spot prices recovered in spring.",
     "market"},
    {"https://example.org/lithium/brine-extraction", "Direct extraction of lithium from brine",
     "Sorbents recover lithium from brine within hours instead of months, and return most of the water.", "technology"},
    {"https://example.org/lithium/recycling", "Recycling of lithium-ion cells",
     "Black mass from spent cells yields cobalt, nickel and lithium; hydrometallurgy recovers the larger part.",
     "recycling"},
}};
constexpr std::string_view job_config =
    R"({"targetUrl":"https://example.org/lithium/","fields":{"title":{"type":"text","selector":"h1"}}})";

std::string body_of(const SamplePage& page) {
  return std::string("<!doctype html><title>") + page.title + "</title><h1>" + page.title + "</h1><p>" + page.text +
         "</p>\n";
}

std::vector<artifacts::StagedBlob> store_bodies(artifacts::BlobStore& blobs) {
  std::vector<std::string> bodies;
  for (const auto& page : pages) bodies.push_back(body_of(page));
  std::vector<std::span<const std::byte>> spans;
  for (const auto& body : bodies) spans.push_back(std::as_bytes(std::span(body)));
  return blobs.put_many(spans);
}

/// A type of its own: there is no task behind these jobs, and no worker takes them up.
jobs::NewJob sample_job(UserId user, std::string title, std::string description) {
  return {.user_id = user,
          .job_type = "sample",
          .title = std::move(title),
          .description = std::move(description),
          .keywords = {"lithium", "batteries"},
          .config = Json{std::string(job_config)}};
}

JobId add_completed_job(Write& tx, UserId user, std::span<const artifacts::StagedBlob> blobs, DemoReport& report) {
  const auto job = jobs::submit(tx, sample_job(user, "Lithium papers", "A job that has ended, with what it found")).id;
  jobs::change_status(tx, job, jobs::JobStatus::running);
  jobs::Gain gain;
  std::vector<artifacts::NewArtifact> found;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    found.push_back({.user_id = user,
                     .job_id = job,
                     .source_url = pages[i].url,
                     .title = pages[i].title,
                     .http_status = 200,
                     .mime_type = "text/html",
                     .content_text = pages[i].text,
                     .blob = blobs[i],
                     .keywords = {"lithium"},
                     .tags = {pages[i].tag},
                     .fetched_at = tx.now()});
    ++gain.results;
    gain.bytes += blobs[i].size_bytes;
  }
  report.artifacts = artifacts::put_artifacts(tx, found);
  jobs::add_gain(tx, job, gain);
  const std::array<jobs::NewLogLine, 2> lines{{
      {.message = "the job began"},
      {.message = "three pages were stored", .metadata = Json{R"({"pages":3})"}},
  }};
  jobs::append_log(tx, job, lines);
  jobs::change_status(tx, job, jobs::JobStatus::completed);
  return job;
}

JobId add_failed_job(Write& tx, UserId user) {
  const auto job = jobs::submit(tx, sample_job(user, "Battery regulation", "A job that has failed")).id;
  jobs::change_status(tx, job, jobs::JobStatus::running);
  jobs::append_log(tx, job, {.level = jobs::LogLevel::error, .message = "the host answered 503 five times"});
  jobs::change_status(tx, job, jobs::JobStatus::failed, "the host was unavailable");
  return job;
}

}  // namespace

DemoReport seed_demo(const Database& db, artifacts::BlobStore& blobs, const accounts::PasswordHasher& hasher) {
  db.read([](Read& tx) { check_unused(tx); });
  // Hashing takes long and a transaction should not. `rehash` because one of them is shorter than new passwords may be.
  const auto admin_hash = hasher.rehash(Secret("admin123"));
  const auto test_hash = hasher.rehash(Secret("test123"));
  const auto bodies = store_bodies(blobs);
  return db.write([&](Write& tx) {
    take_seed_turn(tx);
    check_unused(tx);
    DemoReport report{.seed = seed(tx), .admin = {}, .test_user = {}, .jobs = {}, .artifacts = {}};
    report.admin = accounts::create_user(tx, {.username = "admin",
                                              .email = "admin@example.org",
                                              .password_hash = admin_hash,
                                              .full_name = "Example Admin",
                                              .role = accounts::Role::admin,
                                              .is_verified = true})
                       .id;
    report.test_user = accounts::create_user(tx, {.username = "testuser",
                                                  .email = "testuser@example.org",
                                                  .password_hash = test_hash,
                                                  .full_name = "Example User",
                                                  .is_verified = true})
                           .id;
    report.jobs.push_back(add_completed_job(tx, report.test_user, bodies, report));
    report.jobs.push_back(add_failed_job(tx, report.test_user));
    report.jobs.push_back(jobs::submit(tx, sample_job(report.admin, "Cathode prices", "A job that has not begun")).id);
    system::audit(tx, {.action = "system.seed_demo", .details = Json{R"({"users":["admin","testuser"],"jobs":3})"}});
    return report;
  });
}

}  // namespace quarry::ops
