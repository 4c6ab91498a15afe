/// A search from its question to its results, by the worker.

#include "conformance/crawl/crawl_test.hpp"
#include "quarry/crawl/search_run.hpp"

namespace quarry::test {
namespace {

using searches::SearchStatus;

class SearchRuns : public CrawlTest {
 protected:
  static HttpReply answer(const HttpRequest& request) {
    if (request.target == "/papers?q=solid%20state%20%26%20more")
      return {
          .headers = {{"Content-Type", "text/html"}},
          .body =
              "<ol><li><a href='/1'>One</a><p>first</p></li><li><a>no link</a></li>"
              "<li><a href='/2'>Two</a></li><li><a href='/1'>One again</a></li></ol><a class=next href='/papers?page=2'>"};
    if (request.target == "/papers?page=2")
      return {.headers = {{"Content-Type", "text/html"}}, .body = "<ol><li><a href='/3'>Three</a></li></ol>"};
    if (request.target.starts_with("/news"))
      return {.headers = {{"Content-Type", "text/html"}}, .body = "<ol><li><a href='/1'>News</a></li></ol>"};
    return {.status = 404};
  }
  static std::string source(const std::string& url, const std::string& more = "") {
    return R"({"targetUrl": ")" + url +
           R"(?q={query}", "containerSelector": "li", "request": {"delayMs": 0}, "fields": {)"
           R"("url": {"type": "link", "selector": "a", "required": true}, "title": {"type": "text", "selector": "a"},)"
           R"("snippet": {"type": "text", "selector": "p"}})" +
           more + "}";
  }
  crawl::StartedSearch start(const std::vector<crawl::SearchSource>& sources, std::chrono::microseconds max_age = {}) {
    return db().write([&](Write& tx) {
      return crawl::start_search(tx, {.user_id = user_,
                                      .query = "solid state  & more",
                                      .sources = sources,
                                      .max_age = max_age,
                                      .politeness = {.delay_ms = 0}});
    });
  }
  void work(SearchId search) {
    crawl::WorkerOptions options;
    options.fetcher.allow_private = true;
    options.politeness.delay_ms = 0;
    options.finished = [this, search] { return !searches::is_open(status(search)); };
    crawl::Worker(db(), *blobs_, options).run({});
  }
  SearchStatus status(SearchId search) {
    return db().read([&](Read& tx) { return searches::get(tx, search).status; });
  }
  LoopbackServer server_{answer};
};
QUARRY_BOTH_ENGINES(SearchRuns);

TEST_P(SearchRuns, FanOutAndAnswer) {
  const auto started =
      start({{"papers", source(server_.url("/papers"), R"(, "follow": {"selector": "a.next", "maxDepth": 1})")},
             {"news", source(server_.url("/news"))}});
  EXPECT_EQ(started.search.query, "solid state & more");
  ASSERT_EQ(started.jobs.size(), 2U);
  work(started.search.id);
  EXPECT_EQ(status(started.search.id), SearchStatus::completed);
  const auto results = [&](const char* name) {
    return db().read([&](Read& tx) { return searches::list_results(tx, started.search.id, {.source = name}).rows; });
  };
  const auto papers = results("papers");
  ASSERT_EQ(papers.size(), 3U);
  EXPECT_EQ(papers[0].title, "One");
  EXPECT_EQ(papers[0].snippet, "first");
  EXPECT_EQ(papers[0].url, server_.url("/1"));
  EXPECT_EQ(papers[0].position, 1);
  EXPECT_EQ(papers[1].title, "Two");
  EXPECT_EQ(papers[2].title, "Three");
  EXPECT_GT(papers[2].position, papers[1].position) << "the second page goes on where the first ended";
  EXPECT_EQ(results("news").size(), 1U) << "the same page, of another source";
  const auto job = get(started.jobs[0]);
  EXPECT_EQ(job.search_id, started.search.id);
  EXPECT_EQ(job.status, jobs::JobStatus::completed);
}

TEST_P(SearchRuns, AnEarlierAnswerIsTakenWhileItIsFresh) {
  const std::vector<crawl::SearchSource> sources{{"news", source(server_.url("/news"))}};
  const auto first = start(sources, std::chrono::hours(1));
  EXPECT_FALSE(first.from_before);
  work(first.search.id);
  const auto second = start(sources, std::chrono::hours(1));
  EXPECT_TRUE(second.from_before);
  EXPECT_EQ(second.search.id, first.search.id);
  EXPECT_TRUE(second.jobs.empty());
  EXPECT_FALSE(start(sources).from_before) << "asked to ask anew";
}

TEST_P(SearchRuns, FailWithTheirSources) {
  const auto started = start({{"gone", source(server_.url("/gone"))}});
  work(started.search.id);
  EXPECT_EQ(status(started.search.id), SearchStatus::failed);
}

TEST_P(SearchRuns, SourcesAreCheckedByName) {
  const auto refused = [](const char* json) {
    try {
      crawl::parse_sources(json);
      return std::string("taken");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid);
      return error.client_message();
    }
  };
  EXPECT_THAT(refused("[]"), testing::HasSubstr("not an object"));
  EXPECT_THAT(refused("{}"), testing::HasSubstr("no source"));
  EXPECT_THAT(refused("{\"a\": 1"), testing::HasSubstr("not JSON"));
  EXPECT_THAT(refused(R"({"papers": {"targetUrl": "http://h/"}})"), testing::HasSubstr("'papers'"));
  EXPECT_THAT(refused(R"({"papers": {"targetUrl": "http://h/?q={query}"}})"), testing::HasSubstr("\"url\""));
  EXPECT_THAT(refused(R"({"papers": {"targetUrl": "http://h/?q={query}", "fileds": {}}})"), testing::HasSubstr("fileds"));
  EXPECT_EQ(crawl::parse_sources(R"({"papers": )" + source("http://h/") + "}").size(), 1U);
}

}  // namespace
}  // namespace quarry::test
