/// robots.txt in whole crawls: files in every state, servers in trouble, redirects.

#include "quarry/crawl/robots.hpp"

#include <atomic>
#include <chrono>
#include <mutex>

#include "conformance/crawl/crawl_test.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::test {
namespace {

using namespace std::string_literals;

constexpr sql::Query<std::string()> stored_text{"test.stored_text", "select content_text from artifacts"};

class CrawlRobots : public CrawlTest {
 protected:
  using Reply = std::optional<HttpReply>;

  /// A site of ten pages with this robots.txt; returns how its crawl ended.
  jobs::Job crawl_ten_pages(const HttpReply& robots) {
    LoopbackServer server(small_site(10, [&](const HttpRequest& request) -> Reply {
      if (request.target == "/robots.txt") return robots;
      return std::nullopt;
    }));
    const auto config = config_for(server.url("/page/0"));
    const auto job = start(config).job.id;
    work_until_end_of(job);
    stored_ = db().read(
        [&](Read& tx) { return queue::find_robots(tx, queue::find_host(tx, crawl::host_key(*config.target_url))->id); });
    return get(job);
  }
  /// Only the page that it names.
  static crawl::JobConfig single_page(const std::string& url) {
    auto config = crawl::parse_job_config(R"({"request": {"delayMs": 0}})");
    config.target_url = crawl::Url::parse(url);
    return config;
  }

  queue::HostRobots stored_;
};
QUARRY_BOTH_ENGINES(CrawlRobots);

TEST_P(CrawlRobots, AFileThatIsNotUtf8IsKeptWithItsMeaning) {
  const auto file = "User-agent: *\nDisallow: /caf\xE9\nDisallow: /page/9\n# \xFF\xFE\0 \xE2\x82"s;
  const auto job = crawl_ten_pages({.body = file});
  EXPECT_EQ(job.processed_items, 9);
  EXPECT_EQ(job.failed_items, 1);
  ASSERT_TRUE(stored_.robots_txt);
  const auto policy = crawl::RobotsPolicy::parse(*stored_.robots_txt, "quarry");
  EXPECT_FALSE(policy.allows(crawl::Url::parse("http://h/caf%E9")));
  EXPECT_TRUE(policy.allows(crawl::Url::parse("http://h/cafe")));
}

TEST_P(CrawlRobots, OfAnAnswerThatIsNoFileOnlyTheStatusIsKept) {
  const auto job = crawl_ten_pages({.status = 404, .body = "Seite nicht verf\xFCgbar"});
  EXPECT_EQ(job.processed_items, 10);
  EXPECT_EQ(stored_.robots_status, 404);
  EXPECT_FALSE(stored_.robots_txt);
}

TEST_P(CrawlRobots, OfALongFileTheBeginningCounts) {
  std::string file = "User-agent: *\nDisallow: /page/9\n";
  while (file.size() < 600 * 1024) file += "# a line like many others\n";
  file += "Disallow: /\n";
  const auto job = crawl_ten_pages({.body = file});
  EXPECT_EQ(job.processed_items, 9);
  EXPECT_EQ(job.failed_items, 1);
  ASSERT_TRUE(stored_.robots_txt);
  EXPECT_LE(stored_.robots_txt->size(), crawl::robots_bytes_max);
  EXPECT_TRUE(stored_.robots_txt->ends_with("others\n"));
}

TEST_P(CrawlRobots, AServerInTroubleIsAskedAgainWithTheNextTry) {
  std::atomic<int> asked = 0;
  LoopbackServer server(small_site(10, [&](const HttpRequest& request) -> Reply {
    if (request.target == "/robots.txt" && asked++ == 0) return HttpReply{.status = 503, .headers = {{"Retry-After", "1"}}};
    return std::nullopt;
  }));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  work_until_end_of(job);
  EXPECT_EQ(get(job).status, jobs::JobStatus::completed);
  EXPECT_EQ(get(job).processed_items, 10);
  EXPECT_EQ(asked, 2);
}

TEST_P(CrawlRobots, ARedirectLeadsNowhereThatIsForbidden) {
  std::atomic<int> trespasses = 0;
  LoopbackServer server(small_site(10, [&](const HttpRequest& request) -> Reply {
    if (request.target == "/robots.txt") return HttpReply{.body = "User-agent: *\nDisallow: /private\n"};
    if (request.target.starts_with("/private")) ++trespasses;
    if (request.target == "/page/9") return HttpReply{.status = 302, .headers = {{"Location", "/private/b"}}};
    return std::nullopt;
  }));
  const auto job = start(config_for(server.url("/page/0"))).job.id;
  work_until_end_of(job);
  EXPECT_EQ(trespasses, 0);
  EXPECT_EQ(get(job).failed_items, 1);
  EXPECT_EQ(get(job).processed_items, 9);
}

TEST_P(CrawlRobots, ARedirectToAnotherHostAsksForItsRulesFirst) {
  std::atomic<int> rules_asked = 0, pages_asked = 0;
  LoopbackServer other([&](const HttpRequest& request) -> HttpReply {
    if (request.target == "/robots.txt") {
      ++rules_asked;
      return {.body = "User-agent: *\nDisallow: /private\n"};
    }
    ++pages_asked;
    EXPECT_GT(rules_asked, 0);
    EXPECT_FALSE(request.target.starts_with("/private"));
    return {.headers = {{"Content-Type", "text/html"}}, .body = "<title>Moved</title>"};
  });
  LoopbackServer server([&](const HttpRequest& request) -> HttpReply {
    if (request.target == "/robots.txt") return {.status = 404};
    return {.status = 301, .headers = {{"Location", other.url(request.target)}}};
  });
  const auto moved = start(single_page(server.url("/open"))).job.id;
  work_until_end_of(moved);
  EXPECT_EQ(get(moved).status, jobs::JobStatus::completed);
  const auto page = db().read([&](Read& tx) { return artifacts::find_by_url(tx, moved, other.url("/open")); });
  ASSERT_TRUE(page);
  EXPECT_EQ(page->title, "Moved");
  const auto forbidden = start(single_page(server.url("/private"))).job.id;
  work_until_end_of(forbidden);
  EXPECT_EQ(get(forbidden).status, jobs::JobStatus::failed);
  EXPECT_EQ(pages_asked, 1);
  EXPECT_EQ(rules_asked, 1) << "known since the first crawl";
}

TEST_P(CrawlRobots, ARedirectToAnotherHostWaitsForItsTurnThere) {
  constexpr std::chrono::milliseconds delay{150};
  std::mutex mutex;
  std::vector<std::chrono::steady_clock::time_point> asked;
  LoopbackServer other([&](const HttpRequest& request) -> HttpReply {
    if (request.target == "/robots.txt") return {.status = 404};
    const std::scoped_lock lock(mutex);
    asked.push_back(std::chrono::steady_clock::now());
    return {.headers = {{"Content-Type", "text/html"}}, .body = "<title>Moved</title>"};
  });
  LoopbackServer server([&](const HttpRequest& request) -> HttpReply {
    if (request.target == "/robots.txt") return {.status = 404};
    if (request.target != "/") return {.status = 302, .headers = {{"Location", other.url(request.target)}}};
    return {.headers = {{"Content-Type", "text/html"}},
            .body = "<a href=/1>1</a><a href=/2>2</a><a href=/3>3</a><a href=/4>4</a>"};
  });
  db().write([&](Write& tx) {
    queue::configure_host(tx, crawl::host_key(crawl::Url::parse(other.url("/"))),
                          {.delay_ms = static_cast<int>(delay.count())});
  });
  auto config = config_for(server.url("/"));
  config.follow->scope = crawl::FollowScope::any;
  const auto job = start(config).job.id;
  work_until_end_of(job);
  EXPECT_EQ(get(job).processed_items, 5);
  EXPECT_EQ(get(job).total_items, 5) << "a redirect is no page of its own";
  ASSERT_EQ(asked.size(), 4U);
  // A connection may be slow, and its successor fast: what is counted on is the sum.
  EXPECT_GE(asked.back() - asked.front(), delay * 5 / 2);
  EXPECT_EQ(task_counts().open(), 0);
}

TEST_P(CrawlRobots, RedirectsFromHostToHostEnd) {
  std::atomic<int> hops = 0;
  std::string first, second;
  const auto bounce = [&](const std::string& to) {
    return [&](const HttpRequest& request) -> HttpReply {
      if (request.target == "/robots.txt") return {.status = 404};
      return {.status = 302, .headers = {{"Location", to + std::to_string(++hops)}}};
    };
  };
  LoopbackServer a(bounce(second)), b(bounce(first));
  first = a.url("/"), second = b.url("/");
  const auto job = start(single_page(a.url("/"))).job.id;
  work_until_end_of(job);
  EXPECT_EQ(get(job).status, jobs::JobStatus::failed);
  EXPECT_EQ(hops, crawl::hosts_before_max + 1);
}

TEST_P(CrawlRobots, PlainTextIsKeptAsItIs) {
  LoopbackServer server([&](const HttpRequest& request) -> HttpReply {
    if (request.target == "/robots.txt") return {.status = 404};
    return {.headers = {{"Content-Type", "text/plain; charset=iso-8859-1"}},
            .body = "#include <stdio.h>\nList<String> caf\xE9"};
  });
  const auto job = start(single_page(server.url("/a.h"))).job.id;
  work_until_end_of(job);
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(stored_text); }), "#include <stdio.h>\nList<String> caf\xC3\xA9");
}

}  // namespace
}  // namespace quarry::test
