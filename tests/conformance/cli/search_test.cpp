#include "conformance/cli/cli_test.hpp"
#include "support/http/loopback_server.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliSearch : public CliTest {
 protected:
  void SetUp() override {
    const auto source = [&](const char* name) {
      return std::string("\"") + name + R"(": {"targetUrl": ")" + server_.url("/") + name +
             R"(?q={query}", "containerSelector": "li", "request": {"delayMs": 0}, "fields": {)"
             R"("url": {"type": "link", "selector": "a"}, "title": {"type": "text", "selector": "a"}}})";
    };
    write_file(database().folder() / "sources.json", "{" + source("papers") + ", " + source("gone") + "}");
  }
  Args run_args(Args more = {}) {
    Args args{"search", "run", "lithium cells", "--sources", "sources.json", "--allow-private"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }

  std::atomic<bool> is_up_{true};
  LoopbackServer server_{[this](const HttpRequest& request) -> HttpReply {
    if (!is_up_ || request.target != "/papers?q=lithium%20cells") return {.status = 404};
    return {.headers = {{"Content-Type", "text/html"}},
            .body = "<li><a href='/1'>One</a></li><li><a href='/2'>Two</a></li>"};
  }};
};
QUARRY_BOTH_ENGINES(CliSearch);

TEST_P(CliSearch, AsksAndAnswersAndAnswersAgainFromBefore) {
  const auto first = json(run_args());
  EXPECT_FALSE(first.at("from_before").as_bool());
  EXPECT_EQ(number(first, "results"), 2);
  const auto id = text(first.at("search").as_object(), "id");
  EXPECT_EQ(text(first.at("search").as_object(), "status"), "completed") << "one source is enough";
  EXPECT_TRUE(json(run_args()).at("from_before").as_bool());
  EXPECT_THAT(run(run_args()).err, HasSubstr("earlier search"));
  EXPECT_FALSE(json(run_args({"--max-age-hours", "0"})).at("from_before").as_bool());

  const auto results = json({"search", "results", id, "--limit", "1", "--total"});
  EXPECT_EQ(number(results, "total"), 2);
  EXPECT_EQ(text(results.at("results").as_array().at(0).as_object(), "title"), "One");
  const auto next = text(results, "next");
  EXPECT_EQ(text(json({"search", "results", id, "--after", next}).at("results").as_array().at(0).as_object(), "title"),
            "Two");
  EXPECT_THAT(refused({"search", "results", id, "--after", "x"}, 64), HasSubstr("cursor"));
  EXPECT_THAT(run({"search", "show", id}).out, HasSubstr("papers"));
  EXPECT_EQ(json({"search", "list", "--text", "LITHIUM"}).at("searches").as_array().size(), 2U);
  EXPECT_THAT(run({"search", "list"}).out, HasSubstr("lithium cells"));
}

TEST_P(CliSearch, ASubmittedSearchIsDoneByWork) {
  const auto submitted = json(run_args({"--submit-only", "--source", "papers"}));
  EXPECT_EQ(text(submitted.at("search").as_object(), "status"), "pending");
  json({"work", "--until-idle", "--allow-private"});
  const auto id = text(submitted.at("search").as_object(), "id");
  EXPECT_EQ(text(json({"search", "show", id}).at("search").as_object(), "status"), "completed");
  EXPECT_EQ(number(json({"search", "purge", id}), "jobs"), 1);
  refused({"search", "show", id}, 66);
}

TEST_P(CliSearch, CancelEndsItsJobs) {
  const auto id = text(json(run_args({"--submit-only"})).at("search").as_object(), "id");
  EXPECT_EQ(text(json({"search", "cancel", id}), "status"), "cancelled");
  EXPECT_EQ(number(json({"work", "--until-idle", "--allow-private"}), "pages"), 0);
}

TEST_P(CliSearch, FollowsAJobThatIsCancelledOrRetriedByHand) {
  const auto submit = [&] {
    const auto submitted = json(run_args({"--submit-only", "--source", "papers", "--max-age-hours", "0"}));
    return std::pair(text(submitted.at("search").as_object(), "id"),
                     std::string(submitted.at("jobs").as_array().at(0).as_string()));
  };
  const auto status = [&](const std::string& id) {
    return text(json({"search", "show", id}).at("search").as_object(), "status");
  };
  const auto [stopped, stopped_job] = submit();
  json({"job", "cancel", stopped_job});
  EXPECT_EQ(status(stopped), "cancelled");

  is_up_ = false;
  const auto [tried, tried_job] = submit();
  json({"work", "--until-idle", "--allow-private"});
  EXPECT_EQ(status(tried), "failed");
  is_up_ = true;
  json({"job", "retry", tried_job});
  EXPECT_EQ(status(tried), "processing");
  json({"work", "--until-idle", "--allow-private"});
  EXPECT_EQ(status(tried), "completed");
  EXPECT_EQ(json({"search", "results", tried}).at("results").as_array().size(), 2U);
}

TEST_P(CliSearch, BadInputIsNamed) {
  EXPECT_THAT(refused(run_args({"--source", "nowhere"}), 64), HasSubstr("nowhere"));
  EXPECT_THAT(refused({"search", "run", "x", "--sources", "missing.json"}, 66), HasSubstr("missing.json"));
  write_file(database().folder() / "bad.json", "{\"papers\": {\"targetUrl\": \"http://h/\"}}");
  EXPECT_THAT(refused({"search", "run", "x", "--sources", "bad.json"}, 64), HasSubstr("papers"));
  refused({"search", "run", "  ", "--sources", "sources.json"}, 64);
  EXPECT_EQ(json(run_args({"--source", "gone"}), 1).at("results").as_int64(), 0);
}

}  // namespace
}  // namespace quarry::test
