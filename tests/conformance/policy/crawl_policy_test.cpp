/// What the crawl worker keeps to: types and sizes of files, and how many of them one job stores.

#include "conformance/crawl/crawl_test.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CrawlPolicy : public CrawlTest {
 protected:
  void set(std::string_view key, system::SettingType type, std::string_view value) {
    db().write([&](Write& tx) { system::set(tx, {.key = key, .type = type, .value = value}); });
  }
  std::string log_of(JobId job) {
    std::string text;
    for (const auto& line : db().read([&](Read& tx) { return jobs::list_log(tx, job); })) text += line.message + "\n";
    return text;
  }
};
QUARRY_BOTH_ENGINES(CrawlPolicy);

// The setting max_artifacts_per_job.
TEST_P(CrawlPolicy, AJobStoresAtMostSoManyArtifacts) {
  set("max_artifacts_per_job", system::SettingType::integer, "12");
  LoopbackServer server(small_site(60));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  work_until_end_of(job);
  EXPECT_EQ(artifact_count(job), 12);
  EXPECT_EQ(get(job).status, jobs::JobStatus::completed);
  EXPECT_EQ(get(job).total_items, 12) << "what cannot be stored is not fetched";
}

// The setting allowed_file_types.
TEST_P(CrawlPolicy, OnlyFilesOfCertainTypesAreStored) {
  set("allowed_file_types", system::SettingType::json, R"(["html", "pdf"])");
  LoopbackServer server([](const HttpRequest& request) -> HttpReply {
    if (request.target == "/")
      return {.headers = {{"Content-Type", "text/html"}},
              .body = "<a href='/a.pdf'>a</a><a href='/b.zip'>b</a><a href='/c'>c</a>"};
    if (request.target == "/a.pdf") return {.headers = {{"Content-Type", "application/octet-stream"}}, .body = "%PDF"};
    if (request.target == "/b.zip") return {.headers = {{"Content-Type", "application/zip"}}, .body = "PK"};
    if (request.target == "/c") return {.headers = {{"Content-Type", "image/png"}}, .body = "png"};
    return {.status = 404};
  });
  const auto job = start(config_for(server.url("/"))).job.id;
  work_until_end_of(job);
  EXPECT_EQ(artifact_count(job), 2);
  EXPECT_EQ(get(job).failed_items, 2);
  EXPECT_THAT(log_of(job),
              HasSubstr("b.zip: a file of type 'zip' is not stored: the setting 'allowed_file_types' has others"));
  EXPECT_THAT(log_of(job), HasSubstr("a file of type 'png'"));
}

// The setting max_file_size_mb.
TEST_P(CrawlPolicy, LargerFilesAreNotFetched) {
  LoopbackServer server([](const HttpRequest& request) -> HttpReply {
    if (request.target == "/robots.txt") return {.status = 404};
    return {.headers = {{"Content-Type", "text/html"}}, .body = std::string(3'000'000, 'x')};
  });
  const auto fits = start(config_for(server.url("/one"))).job.id;
  work_until_end_of(fits);
  EXPECT_EQ(artifact_count(fits), 1) << "the job's own limit is 8 MiB";
  set("max_file_size_mb", system::SettingType::integer, "2");
  const auto too_large = start(config_for(server.url("/two"))).job.id;
  work_until_end_of(too_large);
  EXPECT_EQ(artifact_count(too_large), 0);
  EXPECT_EQ(get(too_large).failed_items, 1);
}

TEST_P(CrawlPolicy, ASettingThatCannotBeReadStopsNoCrawl) {
  set("max_file_size_mb", system::SettingType::string, "large");
  LoopbackServer server(small_site(3));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  work_until_end_of(job);
  EXPECT_EQ(artifact_count(job), 3);
}

// The setting max_jobs_per_user, on its way through a crawl and a search.
TEST_P(CrawlPolicy, CrawlsCountAsOpenJobs) {
  const auto crawl = [&](const std::string& url) {
    db().write(
        [&](Write& tx) { crawl::start_crawl(tx, {.user_id = user_, .config = config_for(url), .open_jobs_max = 1}); });
  };
  crawl("http://example.org/1");
  crawl("http://example.org/1");  // goes on with the one that is open
  EXPECT_THROW(crawl("http://example.org/2"), Error);
}

}  // namespace
}  // namespace quarry::test
