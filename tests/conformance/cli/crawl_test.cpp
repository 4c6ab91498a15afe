#include <fmt/format.h>

#include <csignal>
#include <mutex>
#include <set>
#include <thread>

#include "conformance/cli/cli_test.hpp"
#include "support/http/loopback_server.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

/// A site of numbered pages, each linking to the next two; it notes who was asked for.
class Site {
 public:
  explicit Site(int pages, std::chrono::milliseconds delay = {}) : pages_(pages), delay_(delay) {}

  std::string url(const std::string& path = "/0.html") const { return server_.url(path); }
  std::multiset<std::string> asked() {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }

 private:
  HttpReply answer(const HttpRequest& request) {
    if (request.target == "/robots.txt") return {.status = 404};
    {
      const std::scoped_lock lock(mutex_);
      asked_.insert(request.target);
    }
    const int number = std::atoi(request.target.c_str() + 1);
    if (number >= pages_) return {.status = 404};
    return {
        .headers = {{"Content-Type", "text/html"}},
        .body = fmt::format("<title>Page {0}</title><p>lithium number{0} <a href='{1}.html'>a</a><a href='{2}.html'>b</a>",
                            number, std::min(number + 1, pages_ - 1), std::min(number + 2, pages_ - 1)),
        .delay = delay_};
  }

  const int pages_;
  const std::chrono::milliseconds delay_;
  std::mutex mutex_;
  std::multiset<std::string> asked_;
  LoopbackServer server_{[this](const HttpRequest& request) { return answer(request); }};
};

class CliCrawl : public CliTest {
 protected:
  Args crawl(const Site& site, Args more = {}) {
    Args args{"crawl", site.url(), "--allow-private", "--delay-ms", "0"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
};
QUARRY_BOTH_ENGINES(CliCrawl);

TEST_P(CliCrawl, FetchesASiteAndEndsWithATable) {
  Site site(12);
  const auto result = json(crawl(site));
  EXPECT_EQ(number(result, "pages"), 12);
  EXPECT_FALSE(result.at("resumed").as_bool());
  EXPECT_EQ(text(result.at("job").as_object(), "status"), "completed");
  EXPECT_EQ(number(result.at("job").as_object(), "processed_items"), 12);
  const auto plain = run(crawl(site));
  EXPECT_EQ(plain.exit.code, 0) << plain.err;
  EXPECT_THAT(plain.out, testing::AllOf(HasSubstr("completed"), HasSubstr("12 of 12")));
  EXPECT_EQ(json({"job", "list"}).at("jobs").as_array().size(), 2U);
}

TEST_P(CliCrawl, WhatWasFetchedCanBeListedShownAndPrinted) {
  Site site(3);
  write_file(database().folder() / "job.json",
             R"({"fields": {"title": {"type": "text", "selector": "title"}}, "follow": {"maxPages": 10}})");
  const auto job = text(json(crawl(site, {"--config", "job.json"})).at("job").as_object(), "id");
  const auto list = json({"artifact", "list", "--job", job}).at("artifacts").as_array();
  ASSERT_EQ(list.size(), 3U);
  const auto page = json({"artifact", "list", "--limit", "2"});
  EXPECT_EQ(page.at("artifacts").as_array().size(), 2U);
  EXPECT_EQ(json({"artifact", "list", "--after", text(page, "next")}).at("artifacts").as_array().size(), 1U);

  const auto id = text(list[0].as_object(), "id");
  const auto shown = json({"artifact", "show", id});
  EXPECT_EQ(number(shown.at("artifact").as_object(), "http_status"), 200);
  EXPECT_THAT(boost::json::serialize(shown.at("extractions")), HasSubstr("Page "));
  EXPECT_THAT(run({"artifact", "cat", id}).out, testing::StartsWith("<title>Page "));
  EXPECT_THAT(run({"artifact", "cat", id, "--text"}).out, HasSubstr("lithium number"));
  const auto body = run({"artifact", "cat", id}).out;
  EXPECT_EQ(number(json({"artifact", "cat", id}), "size_bytes"), std::ssize(body));
  EXPECT_THAT(text(json({"artifact", "cat", id}), "base64"), testing::StartsWith("PHRpdGxlPlBhZ2Ug"));
  EXPECT_THAT(text(json({"artifact", "cat", id, "--text"}), "text"), HasSubstr("lithium number"));
  EXPECT_THAT(run({"artifact", "list"}).out, HasSubstr("Page 1"));
  refused({"artifact", "show", job}, 66);
  refused({"artifact", "cat", "five"}, 64);
}

TEST_P(CliCrawl, ArtifactsAreListedAsOtherListsAre) {
  Site site(3);
  const auto job = text(json(crawl(site)).at("job").as_object(), "id");
  const auto ids = [&](const std::vector<std::string>& more) {
    std::vector<std::string> args{"artifact", "list"}, found;
    args.insert(args.end(), more.begin(), more.end());
    const auto page = json(args);
    for (const auto& artifact : page.at("artifacts").as_array()) found.push_back(text(artifact.as_object(), "id"));
    return found;
  };
  auto all = ids({});
  ASSERT_EQ(all.size(), 3U);
  auto oldest_first = ids({"--sort", "created_at", "--reverse"});
  std::ranges::reverse(oldest_first);
  EXPECT_EQ(oldest_first, all);
  const auto counted = json({"artifact", "list", "--limit", "1", "--total"});
  EXPECT_EQ(number(counted, "total"), 3);
  EXPECT_THAT(run({"artifact", "list", "--total"}).err, HasSubstr("3 in all"));
  EXPECT_EQ(ids({"--text", "pAGE 1"}).size(), 1U);
  EXPECT_EQ(ids({"--text", "no such words"}).size(), 0U);
  EXPECT_EQ(ids({"--user", "local"}).size(), 3U);
  for (const auto* cursor : {"00000000-0000-0000-0000-000000000000", "x"})
    refused({"artifact", "list", "--after", cursor}, 64);
  refused({"artifact", "list", "--after", job}, 64);
  refused({"find", "page", "--after", std::string(48, '0')}, 64);
  refused({"artifact", "list", "--after", text(counted, "next"), "--reverse"}, 64);
  refused({"artifact", "list", "--sort", "size"}, 64);
  refused({"artifact", "list", "--user", "nobody"}, 66);
}

TEST_P(CliCrawl, AnArtifactIsEditedDeletedBroughtBackAndPurged) {
  Site site(3);
  json(crawl(site));
  const auto first = json({"artifact", "list"}).at("artifacts").as_array().at(0).as_object();
  const auto id = text(first, "id"), seen = text(first, "updated_at");
  const auto edited =
      json({"artifact", "edit", id, "--title", "Mine", "--tag", "a", "--tag", "b", "--unchanged-since", seen});
  EXPECT_EQ(text(edited, "title"), "Mine");
  EXPECT_EQ(edited.at("tags").as_array().size(), 2U);
  refused({"artifact", "edit", id, "--title", "Late", "--unchanged-since", seen}, 75);
  refused({"artifact", "edit", id}, 64);
  const auto bare = json({"artifact", "edit", id, "--title", "", "--tag", ""});
  EXPECT_TRUE(bare.at("title").is_null());
  EXPECT_TRUE(bare.at("tags").as_array().empty());
  refused({"artifact", "edit", id, "--tag", "a", "--tag", ""}, 64);
  EXPECT_THAT(run({"artifact", "edit", id, "--title", "Yours"}).out, HasSubstr("is changed: Yours"));

  EXPECT_TRUE(json({"artifact", "delete", id}).at("changed").as_bool());
  EXPECT_FALSE(json({"artifact", "delete", id}).at("changed").as_bool());
  EXPECT_EQ(json({"artifact", "list", "--deleted"}).at("artifacts").as_array().size(), 1U);
  EXPECT_EQ(json({"artifact", "list"}).at("artifacts").as_array().size(), 2U);
  EXPECT_THAT(run({"artifact", "undelete", id}).out, HasSubstr("is back"));
  EXPECT_FALSE(json({"artifact", "undelete", id}).at("changed").as_bool());

  EXPECT_EQ(number(json({"artifact", "purge", "--older-than-hours", "0"}), "artifacts"), 0);
  EXPECT_THAT(run({"artifact", "delete", id}).out, HasSubstr("quarry artifact undelete"));
  EXPECT_EQ(number(json({"artifact", "purge", "--older-than-hours", "1"}), "artifacts"), 0);
  EXPECT_EQ(number(json({"artifact", "purge", "--older-than-hours", "0"}), "artifacts"), 1);
  const auto other = text(json({"artifact", "list"}).at("artifacts").as_array().at(0).as_object(), "id");
  EXPECT_EQ(number(json({"artifact", "purge", other}), "artifacts"), 1);
  const auto recorded = json({"audit", "list", "--prefix", "artifact."}).at("entries").as_array();
  ASSERT_GE(recorded.size(), 2U);
  EXPECT_EQ(text(recorded[0].as_object(), "action"), "artifact.purge");
  EXPECT_EQ(text(recorded[0].as_object(), "resource_id"), other);
  refused({"artifact", "purge"}, 64);
  refused({"artifact", "purge", other, "--older-than-hours", "1"}, 64);
  for (const auto* verb : {"show", "delete", "undelete", "purge"}) refused({"artifact", verb, other}, 66);
  refused({"artifact", "edit", other, "--title", "x"}, 66);
}

TEST_P(CliCrawl, WhatWasFetchedIsFound) {
  Site site(12);
  json(crawl(site));
  const auto found = json({"find", "number7"});
  ASSERT_EQ(found.at("hits").as_array().size(), 1U);
  EXPECT_EQ(text(found.at("hits").as_array()[0].as_object(), "title"), "Page 7");
  EXPECT_THAT(run({"find", "number7"}).out, testing::AllOf(HasSubstr("Page 7"), HasSubstr("7.html")));
  const auto page = json({"find", "lithium", "--limit", "8"});
  EXPECT_EQ(page.at("hits").as_array().size(), 8U);
  EXPECT_EQ(json({"find", "lithium", "--limit", "8", "--after", text(page, "next")}).at("hits").as_array().size(), 4U);
  EXPECT_TRUE(json({"find", "lithium -lithium"}).at("hits").as_array().empty());
  EXPECT_THAT(run({"find", "zirconium"}).err, HasSubstr("nothing was found"));
  refused({"find"}, 64);
  refused({"find", "!!"}, 64);
}

TEST_P(CliCrawl, BodiesAreCheckedAndCollected) {
  Site site(3);
  json(crawl(site));
  EXPECT_TRUE(json({"artifact", "fsck", "--deep"}).at("is_sound").as_bool());
  EXPECT_EQ(number(json({"artifact", "gc", "--grace-hours", "0"}), "blobs"), 0);
  EXPECT_THAT(run({"artifact", "fsck"}).out, HasSubstr("all is well"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(database().folder() / "blobs"))
    if (entry.is_regular_file()) {
      std::filesystem::remove(entry.path());
      break;
    }
  const auto broken = json({"artifact", "fsck"}, 74);
  EXPECT_EQ(number(broken, "missing"), 1);
  EXPECT_EQ(number(broken, "lost_artifacts"), 1);
  EXPECT_THAT(run({"artifact", "fsck"}).out, HasSubstr("missing_body"));
}

TEST_P(CliCrawl, AnEmptiedSearchIndexIsFoundAndBuiltAnew) {
  Site site(3);
  json(crawl(site));
  database().db().write([&](Write& tx) {
    if (tx.engine() == Engine::sqlite) {
      tx.session().run_script("test.damage", "insert into artifacts_fts (artifacts_fts) values ('delete-all')");
      return;
    }
    // Rows written while another function made their vectors.
    const auto function =
        tx.value(sql::Query<std::string()>{"test.function", "select pg_get_functiondef('artifact_search_vector'::regproc)"});
    tx.session().run_script("test.damage",
                            "create or replace function artifact_search_vector(title text, description text, content_text "
                            "text) returns tsvector language sql immutable as $$ select ''::tsvector $$;"
                            "update artifacts set title = title;" +
                                function);
  });
  EXPECT_TRUE(json({"find", "number2"}).at("hits").as_array().empty());
  const auto found = json({"artifact", "fsck", "--deep"}, 74);
  EXPECT_EQ(number(found, "wrongly_indexed"), 3);
  EXPECT_EQ(text(found.at("problems").as_array().at(0).as_object(), "finding"), "wrong_search_index");
  const auto told = run({"artifact", "fsck", "--deep"});
  EXPECT_EQ(told.exit.code, 74);
  EXPECT_THAT(told.out, HasSubstr("1 thing is wrong, but no artifact has lost its body"));
  EXPECT_THAT(told.err, HasSubstr("quarry artifact fsck --deep --repair"));
  EXPECT_EQ(number(json({"artifact", "fsck", "--deep", "--repair"}), "repaired"), 1);
  EXPECT_TRUE(json({"artifact", "fsck", "--deep"}).at("problems").as_array().empty());
  EXPECT_EQ(json({"find", "number2"}).at("hits").as_array().size(), 1U);
}

TEST_P(CliCrawl, MoreProblemsThanAreListedAreSaidToBeMore) {
  std::filesystem::create_directories(database().folder() / "blobs");
  database().db().write([](Write& tx) {
    tx.session().run_script("test.damage",
                            tx.engine() == Engine::sqlite
                                ? "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1001)"
                                  " insert into blobs (hash, size_bytes, stored_bytes, ref_count)"
                                  " select randomblob(32), 1, 1, 1 from n"
                                : "insert into blobs (hash, size_bytes, stored_bytes, ref_count)"
                                  " select sha256(i::text::bytea), 1, 1, 1 from generate_series(1, 1001) i");
  });
  EXPECT_EQ(json({"artifact", "fsck"}, 74).at("problems").as_array().size(), 1000U);
  const auto told = run({"artifact", "fsck"});
  EXPECT_THAT(told.err, HasSubstr("only the first 1000 are listed"));
  EXPECT_THAT(told.out, HasSubstr("at least 1000 things"));
}

TEST_P(CliCrawl, KeepsToItsLimits) {
  Site site(12);
  EXPECT_EQ(number(json(crawl(site, {"--max-pages", "5"})), "pages"), 5);
  EXPECT_EQ(number(json(crawl(site, {"--depth", "1"})), "pages"), 3);
}

TEST_P(CliCrawl, AJobThatFailsIsAFailure) {
  Site site(0);
  const auto result = json(crawl(site), 1);
  EXPECT_EQ(text(result.at("job").as_object(), "status"), "failed");
  EXPECT_THAT(text(result, "last_failure"), HasSubstr("0.html: HTTP status 404"));
  const auto again = run(crawl(site));
  EXPECT_THAT(again.out, HasSubstr("quarry job logs ")) << "where to read why";
  EXPECT_THAT(refused({"crawl"}, 64), HasSubstr("no target"));
  write_file(database().folder() / "bad.json", "{\"name");
  EXPECT_THAT(refused({"crawl", "--config", "bad.json"}, 64), HasSubstr("bad.json: "));
  EXPECT_THAT(refused({"crawl", "ftp://h/"}, 64), HasSubstr("ftp"));
}

TEST_P(CliCrawl, PrivateAddressesAreRefusedUnlessAllowed) {
  Site site(3);
  json({"crawl", site.url(), "--delay-ms", "0"}, 1);
  EXPECT_TRUE(site.asked().empty());
  EXPECT_THAT(run({"crawl", site.url(), "--delay-ms", "0"}).err, HasSubstr("--allow-private"));
}

TEST_P(CliCrawl, CtrlCLeavesAJobThatTheSameCommandResumes) {
  Site site(40, std::chrono::milliseconds(30));
  auto first = Process::start(command(crawl(site, {"--depth", "100", "--concurrency", "2", "--json"})));
  while (site.asked().size() < 6 && first.running()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  first.signal(SIGINT);
  EXPECT_EQ(first.wait().code, 130) << first.err();
  const auto stopped = document_of({{}, first.out(), first.err()});
  EXPECT_TRUE(stopped.at("interrupted").as_bool());
  EXPECT_THAT(first.err(), HasSubstr("goes on where this one stopped"));
  EXPECT_EQ(number(json({"queue", "counts"}), "processing"), 0);

  const auto id = text(stopped.at("job").as_object(), "id");
  json({"job", "pause", id});
  // As from a terminal, also when these tests are run by nohup, which the program would keep to.
  const auto hangup_before = std::signal(SIGHUP, SIG_DFL);
  auto waiting = Process::start(command(crawl(site, {"--depth", "100"})));
  std::signal(SIGHUP, hangup_before);
  while (waiting.err().find("quarry job resume " + id) == std::string::npos && waiting.running())
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  waiting.signal(SIGHUP);
  EXPECT_EQ(waiting.wait().code, 129) << waiting.err();
  json({"job", "resume", id});

  const auto second = json(crawl(site, {"--depth", "100", "--concurrency", "8"}));
  EXPECT_TRUE(second.at("resumed").as_bool());
  EXPECT_EQ(text(second.at("job").as_object(), "id"), text(stopped.at("job").as_object(), "id"));
  EXPECT_EQ(text(second.at("job").as_object(), "status"), "completed");
  EXPECT_EQ(number(second.at("job").as_object(), "processed_items"), 40);
  EXPECT_EQ(number(second, "pages") + number(stopped, "pages"), 40);
}

TEST_P(CliCrawl, WorkDoesWhatWasSubmitted) {
  Site site(6);
  json({"job", "submit", site.url(), "--delay-ms", "0"});
  const auto result = json({"work", "--until-idle", "--allow-private"});
  EXPECT_EQ(number(result, "pages"), 6);
  auto worker = Process::start(command({"work", "--allow-private"}));
  json({"job", "submit", site.url(), "--delay-ms", "0", "--title", "again"});
  while (worker.running() && number(json({"queue", "counts"}), "completed") < 12)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait().code, 0) << worker.err();
}

}  // namespace
}  // namespace quarry::test
