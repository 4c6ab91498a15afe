/// Jobs whose configs are of older versions: worked as they are, and brought to today's on request.

#include "conformance/crawl/crawl_test.hpp"
#include "quarry/artifacts/extractions.hpp"
#include "quarry/core/error.hpp"
#include "quarry/crawl/stored_configs.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Selextract's worker's form.
std::string first_form(const std::string& url) {
  return R"({"url": ")" + url + R"(", "fields": [{"name": "title", "type": "text", "selector": "title"}],
      "pagination": {"enabled": true, "next_selector": "a[href]", "max_pages": 5},
      "rate_limit": {"requests_per_minute": 120, "delay_between_requests": 500}, "wait_conditions": [{"type": "network"}]})";
}

class ConfigVersions : public CrawlTest {
 protected:
  JobId submit(std::string config, int version = 1, std::string type = "crawl", std::optional<UserId> user = {}) {
    return db().write([&](Write& tx) {
      jobs::NewJob job;
      job.user_id = user.value_or(user_);
      job.job_type = std::move(type);
      job.title = "A job";
      job.config = Json{std::move(config)};
      job.schema_version = version;
      return jobs::submit(tx, job).id;
    });
  }
  crawl::ConfigUpgradePage look(const crawl::ConfigUpgradeRequest& request = {}) {
    return db().read([&](Read& tx) { return crawl::look_at_stored_configs(tx, request); });
  }
  crawl::ConfigUpgradePage upgrade(const crawl::ConfigUpgradeRequest& request = {}) {
    return db().write([&](Write& tx) { return crawl::upgrade_stored_configs(tx, request); });
  }
};
QUARRY_BOTH_ENGINES(ConfigVersions);

TEST_P(ConfigVersions, AnOldConfigIsWorkedAsItStands) {
  LoopbackServer server(small_site(20));
  const auto url = server.url("/page/0");
  const auto job = submit(first_form(url));
  const auto config = crawl::parse_job_config(first_form(url));
  db().write([&](Write& tx) {
    const crawl::PageTask first{crawl::Url::parse(url), 0};
    crawl::add_pages(tx, job, config, std::span(&first, 1), {.delay_ms = 0});
    queue::configure_host(tx, crawl::host_key(first.url), {.delay_ms = 0});
  });
  work_until_end_of(job);
  EXPECT_EQ(get(job).status, jobs::JobStatus::completed);
  EXPECT_EQ(get(job).processed_items, 5) << "max_pages of the first version";
  EXPECT_EQ(get(job).results_count, 5) << "its fields were found";
  EXPECT_EQ(get(job).schema_version, 1) << "reading changes nothing";
}

TEST_P(ConfigVersions, ADryRunTellsWhatAnUpgradeDoes) {
  const auto job = submit(first_form("http://127.0.0.1:1/"));
  const auto before = get(job);
  const auto seen = look();
  ASSERT_EQ(seen.jobs.size(), 1U);
  EXPECT_EQ(seen.jobs[0].job_id, job);
  EXPECT_EQ(seen.jobs[0].from, 1);
  EXPECT_THAT(seen.jobs[0].left_out, ElementsAre("$.wait_conditions"));
  EXPECT_FALSE(seen.jobs[0].problem);
  EXPECT_EQ(get(job).config, before.config);

  EXPECT_EQ(upgrade().jobs.size(), 1U);
  const auto after = get(job);
  EXPECT_EQ(after.schema_version, crawl::config_version);
  EXPECT_GT(after.updated_at, before.updated_at);
  EXPECT_EQ(crawl::parse_job_config(after.config.text), crawl::parse_job_config(before.config.text));
  EXPECT_THAT(look().jobs, IsEmpty()) << "once is enough";
  EXPECT_THAT(upgrade().jobs, IsEmpty());
}

TEST_P(ConfigVersions, WhatIsNewerOrCannotBeReadStaysAndIsReported) {
  const auto newer = submit(R"({"schemaVersion": 3, "spell": "abracadabra"})", 3);
  const auto several = submit(R"({"urls": ["http://a/", "http://b/"], "selectors": {"t": "b"}})");
  const auto good = submit(R"({"targetUrl": "http://127.0.0.1:1/"})");
  const auto page = upgrade();
  ASSERT_EQ(page.jobs.size(), 3U);
  for (const auto& job : page.jobs) {
    if (job.job_id == newer) {
      EXPECT_THAT(job.problem.value_or(""), HasSubstr("newer than this program"));
    }
    if (job.job_id == several) {
      EXPECT_THAT(job.problem.value_or(""), HasSubstr("$.urls: 2 URLs"));
    }
    EXPECT_EQ(job.problem.has_value(), job.job_id != good);
  }
  EXPECT_EQ(get(newer).schema_version, 3);
  EXPECT_EQ(get(several).schema_version, 1);
  EXPECT_EQ(get(good).schema_version, 2);
  EXPECT_EQ(look().jobs.size(), 2U);
}

TEST_P(ConfigVersions, OtherTypesOfJobsAreTheirOwnWorkersBusiness) {
  const auto job = submit(R"({"anything": 1})", 1, "report");
  submit(R"({"targetUrl": "http://127.0.0.1:1/"})", 1, "search");
  EXPECT_EQ(upgrade().jobs.size(), 1U);
  EXPECT_EQ(get(job).schema_version, 1);
}

TEST_P(ConfigVersions, PageByPageAndForWhatTheActorSees) {
  const auto ada = db().write([](Write& tx) {
    return accounts::create_user(tx, {.username = "ada", .email = "ada@example.org", .google_id = "1"}).id;
  });
  for (int i = 0; i < 5; ++i) submit("{}", 1, "crawl", i % 2 == 0 ? std::optional(ada) : std::nullopt);
  std::size_t seen = 0;
  int pages = 0;
  std::optional<JobId> after;
  do {
    const auto page = look({.after = after, .limit = 2});
    seen += page.jobs.size();
    after = page.next;
    ++pages;
  } while (after);
  EXPECT_EQ(seen, 5U);
  EXPECT_EQ(pages, 3);
  const auto hers = db().write({.actor = Actor::user(ada)}, [](Write& tx) { return crawl::upgrade_stored_configs(tx); });
  EXPECT_EQ(hers.jobs.size(), 3U);
  EXPECT_EQ(look().jobs.size(), 2U);
  EXPECT_THROW(look({.limit = 0}), Error);
}

TEST_P(ConfigVersions, APendingJobsConfigIsReplacedWithItsVersion) {
  const auto job = submit("{}");
  db().write([&](Write& tx) { jobs::update(tx, job, {.config = Json{R"({"schemaVersion": 2})"}, .schema_version = 2}); });
  EXPECT_EQ(get(job).schema_version, 2);
  EXPECT_THROW(db().write([&](Write& tx) { jobs::update(tx, job, {.schema_version = 0}); }), Error);
  const auto made = start(config_for("http://127.0.0.1:1/"));
  EXPECT_EQ(made.job.schema_version, crawl::config_version);
}

}  // namespace
}  // namespace quarry::test
