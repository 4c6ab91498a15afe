#include "conformance/cli/cli_test.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/jobs/log.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/enqueue.hpp"
#include "quarry/queue/finish.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliJobs : public CliTest {
 protected:
  std::string submit(Args more = {}) {
    Args args{"job", "submit", "http://127.0.0.1:1/"};
    args.insert(args.end(), more.begin(), more.end());
    return text(json(args).at("job").as_object(), "id");
  }
  /// Ends the one task that there is.
  void fail_all() {
    const auto db = on_real_time();
    db.write([](Write& tx) {
      const auto queue = queue::find_queue(tx, "crawl").value();
      for (const auto& task : queue::claim(tx, queue, {.worker = "test", .limit = 100})) {
        const queue::Failure failure{.id = task.id, .lease_token = task.lease_token, .error = "404", .permanent = true};
        queue::fail(tx, std::span(&failure, 1));
      }
    });
  }
};
QUARRY_BOTH_ENGINES(CliJobs);

TEST_P(CliJobs, SubmitShowAndList) {
  const auto id = submit({"--title", "Lithium", "--priority", "2", "--keyword", "a", "--keyword", "b", "--max-pages", "7"});
  const auto job = json({"job", "show", id});
  EXPECT_EQ(text(job, "title"), "Lithium");
  EXPECT_EQ(number(job, "priority"), 2);
  EXPECT_EQ(number(job, "total_items"), 1);
  EXPECT_EQ(number(job.at("config").at("follow").as_object(), "maxPages"), 7);
  EXPECT_EQ(job.at("keywords").as_array().size(), 2U);
  const auto plain = run({"job", "submit", "http://127.0.0.1:1/other"});
  EXPECT_THAT(plain.out, testing::MatchesRegex("[0-9a-f-]{36}\n"));

  const auto page = json({"job", "list", "--limit", "1"});
  ASSERT_EQ(page.at("jobs").as_array().size(), 1U);
  EXPECT_EQ(text(page.at("jobs").as_array()[0].as_object(), "id") + "\n", plain.out);
  EXPECT_EQ(text(json({"job", "list", "--after", text(page, "next")}).at("jobs").as_array().at(0).as_object(), "id"), id);
  EXPECT_TRUE(json({"job", "list", "--status", "failed"}).at("jobs").as_array().empty());
  const auto found = [&](const char* filter, const std::string& value) {
    return json({"job", "list", filter, value}).at("jobs").as_array().size();
  };
  EXPECT_EQ(found("--user", "local"), 2U);
  EXPECT_EQ(found("--keyword", "a"), 1U);
  EXPECT_EQ(found("--keyword", "c"), 0U);
  EXPECT_EQ(found("--search", id), 0U);
  refused({"job", "list", "--user", "nobody"}, 66);
  refused({"job", "list", "--sort", "updated_at"}, 64);
  EXPECT_THAT(run({"job", "list"}).out, HasSubstr("Lithium"));
}

TEST_P(CliJobs, WhatCannotBeSubmittedIsToldApart) {
  EXPECT_THAT(refused({"job", "submit"}, 64), HasSubstr("no target"));
  EXPECT_THAT(refused({"job", "submit", "not a url"}, 64), HasSubstr("not a url"));
  EXPECT_THAT(refused({"job", "submit", "http://h/", "--config", "nowhere.json"}, 66), HasSubstr("nowhere.json"));
  write_file(database().folder() / "bad.json", R"({"targetUrl": "http://h/", "fieldz": {}})");
  EXPECT_THAT(refused({"job", "submit", "--config", "bad.json"}, 64), HasSubstr("fieldz"));
  EXPECT_THAT(refused({"job", "submit", "http://h/", "--title", std::string(256, 'x')}, 64), HasSubstr("title"));
  EXPECT_THAT(refused({"job", "submit", "http://h/", "--depends-on", "01a1fb79-8374-7d74-b691-8346b832d337"}, 66),
              HasSubstr("depend"));
  EXPECT_THAT(refused({"job", "show", "five"}, 64), HasSubstr("five"));
  EXPECT_THAT(refused({"job", "show", "01a1fb79-8374-7d74-b691-8346b832d337"}, 66), HasSubstr("there is no job"));
}

TEST_P(CliJobs, AJobOfAnotherTypeKeepsItsUrl) {
  const auto made = [&](const Args& more) {
    Args args{"job", "submit", "--type", "mine"};
    args.insert(args.end(), more.begin(), more.end());
    return json(args).at("job").as_object();
  };
  const auto job = made({"http://h/a"});
  EXPECT_EQ(text(job, "title"), "http://h/a");
  EXPECT_EQ(text(job.at("config").as_object(), "targetUrl"), "http://h/a");
  EXPECT_EQ(number(job, "total_items"), 0) << "its tasks come from whoever works on it";
  EXPECT_EQ(text(made({"http://h/a", "--title", "Mine"}), "title"), "Mine");
  EXPECT_TRUE(made({"--title", "Mine"}).at("config").as_object().empty());
  write_file(database().folder() / "own.json", R"({"targetUrl": "http://h/old", "depth": "mine"})");
  const auto with_config = made({"http://h/new", "--config", "own.json"}).at("config").as_object();
  EXPECT_EQ(text(with_config, "targetUrl"), "http://h/new");
  EXPECT_EQ(text(with_config, "depth"), "mine");
  EXPECT_EQ(text(made({"--config", "own.json", "--title", "t"}).at("config").as_object(), "targetUrl"), "http://h/old");
  std::string umlauts = "http://h/a";
  for (int i = 0; i < 300; ++i) umlauts += "\xC3\xA4";
  EXPECT_EQ(text(made({umlauts}), "title"), umlauts.substr(0, 10 + 2 * 245)) << "255 characters, not bytes";

  EXPECT_THAT(refused({"job", "submit", "--type", "mine"}, 64), HasSubstr("--title"));
  EXPECT_THAT(refused({"job", "submit", "--type", "mine", "http://h/", "--depth", "3"}, 64),
              HasSubstr("--depth is for a crawl"));
  EXPECT_THAT(refused({"job", "submit", "--type", "mine", "--title", "t", "--no-robots"}, 64), HasSubstr("--no-robots"));
  write_file(database().folder() / "list.json", "[1]");
  EXPECT_THAT(refused({"job", "submit", "--type", "mine", "http://h/", "--config", "list.json"}, 64),
              HasSubstr("list.json is no JSON object"));
}

TEST_P(CliJobs, AnEmptyValueIsNotTakenForNone) {
  const auto id = submit({"--title", "Lithium", "--keyword", "a", "--keyword", "b", "--description", "d"});
  for (const auto* filter : {"--search", "--user", "--keyword", "--type", "--text", "--after", "--status"}) {
    EXPECT_THAT(refused({"job", "list", filter, ""}, 64), HasSubstr(std::string(filter) + " ''"));
    EXPECT_THAT(run({"job", "list", std::string(filter) + "=", "--reverse"}).err, HasSubstr(std::string(filter) + " ''"));
  }
  refused({"job", "edit", id, "--title", "New", "--unchanged-since", ""}, 64);
  EXPECT_EQ(text(json({"job", "show", id}), "title"), "Lithium");

  EXPECT_THAT(refused({"job", "edit", id, "--keyword", "c", "--keyword", ""}, 64), HasSubstr("keyword"));
  EXPECT_EQ(json({"job", "show", id}).at("keywords").as_array().size(), 2U);
  json({"job", "edit", id, "--expanded-keyword", "x"});
  EXPECT_TRUE(json({"job", "edit", id, "--keyword", "", "--description", ""}).at("keywords").as_array().empty());
  EXPECT_TRUE(json({"job", "edit", id, "--expanded-keyword", ""}).at("expanded_keywords").is_null());
  EXPECT_TRUE(json({"job", "show", id}).at("keywords").as_array().empty());
  EXPECT_TRUE(json({"job", "show", id}).at("description").is_null());
}

TEST_P(CliJobs, CancelPauseResumeAndRetry) {
  const auto id = submit();
  EXPECT_EQ(number(json({"job", "pause", id}), "tasks"), 1);
  EXPECT_EQ(text(json({"job", "explain", id}).at("findings").as_array().at(0).as_object(), "reason"), "paused");
  EXPECT_EQ(number(json({"job", "resume", id}), "tasks"), 1);
  fail_all();
  EXPECT_EQ(text(json({"job", "show", id}), "status"), "failed");
  EXPECT_THAT(run({"job", "explain", id}).out, HasSubstr("job retry"));
  EXPECT_EQ(number(json({"job", "retry", id}), "tasks"), 1);
  EXPECT_EQ(text(json({"job", "show", id}), "status"), "running");
  EXPECT_EQ(text(json({"job", "cancel", id}), "status"), "cancelled");
  EXPECT_THAT(refused({"job", "retry", id}, 75), HasSubstr("is cancelled"));
  EXPECT_THAT(refused({"job", "pause", id}, 75), HasSubstr("is cancelled"));
}

TEST_P(CliJobs, APausedJobThatIsCancelledIsCalledCancelled) {
  const auto id = submit();
  run({"job", "pause", id});
  EXPECT_THAT(run({"job", "list"}).out, HasSubstr(" paused "));
  EXPECT_THAT(run({"job", "cancel", id}).out, HasSubstr(id + " is cancelled"));
  EXPECT_THAT(run({"job", "list"}).out, testing::AllOf(HasSubstr(" cancelled "), testing::Not(HasSubstr(" paused "))));
  EXPECT_THAT(run({"job", "show", id}).out, testing::Not(HasSubstr("(paused)")));
}

TEST_P(CliJobs, OldConfigsAreUpgraded) {
  const auto db = on_real_time();
  const auto put = [&](const char* config, int version) {
    return db.write([&](Write& tx) {
      const jobs::NewJob job{.user_id = accounts::ensure_local_user(tx),
                             .title = "An old one",
                             .config = Json{config},
                             .schema_version = version};
      return to_string(jobs::submit(tx, job).id);
    });
  };
  const auto old = put(R"({"url": "http://127.0.0.1:1/", "fields": [{"name": "t", "type": "text", "selector": "h1"}],
                           "proxy": {"enabled": true}})",
                       1);
  const auto seen = json({"job", "config", "upgrade", "--dry-run"});
  EXPECT_EQ(number(seen, "upgraded"), 1);
  EXPECT_TRUE(seen.at("dry_run").as_bool());
  EXPECT_EQ(number(json({"job", "show", old}), "schema_version"), 1);
  EXPECT_THAT(
      run({"job", "config", "upgrade", "--dry-run"}).out,
      testing::AllOf(HasSubstr(old + " from version 1, without $.proxy"), HasSubstr("1 config would be brought to")));
  EXPECT_EQ(number(json({"job", "config", "upgrade"}), "upgraded"), 1);
  EXPECT_EQ(number(json({"job", "show", old}), "schema_version"), 2);
  EXPECT_EQ(number(json({"job", "config", "upgrade"}), "upgraded"), 0);

  put(R"({"schemaVersion": 99})", 99);
  const auto kept = json({"job", "config", "upgrade"}, 1);
  EXPECT_EQ(number(kept, "kept"), 1);
  EXPECT_THAT(text(kept.at("jobs").as_array().at(0).as_object(), "problem"), HasSubstr("newer than this program"));
  write_file(database().folder() / "newer.json", R"({"schemaVersion": 99, "targetUrl": "http://h/"})");
  EXPECT_THAT(refused({"job", "submit", "--config", "newer.json"}, 64), HasSubstr("newer than this program"));

  json({"job", "config", old, "reviewer", "ada"});
  EXPECT_THAT(run({"job", "config", old}).out, HasSubstr("reviewer = ada"));
  EXPECT_THAT(refused({"job", "config"}, 64), HasSubstr("say which job"));
}

TEST_P(CliJobs, LogsAreFilteredAndFollowed) {
  const auto id = submit();
  const auto db = on_real_time();
  const JobId job{parse_uuid(id)};
  db.write([&](Write& tx) {
    jobs::append_log(tx, job, {jobs::LogLevel::debug, "a detail"});
    jobs::append_log(tx, job, {jobs::LogLevel::warning, "a warning\x1b[0m"});
  });
  EXPECT_EQ(json({"job", "logs", id}).at("lines").as_array().size(), 1U);
  EXPECT_EQ(json({"job", "logs", id, "--level", "debug"}).at("lines").as_array().size(), 2U);
  EXPECT_THAT(run({"job", "logs", id}).out, testing::AllOf(HasSubstr("a warning"), testing::Not(HasSubstr("\x1b"))));
  refused({"job", "logs", "01a1fb79-8374-7d74-b691-8346b832d337"}, 66);

  auto follower = Process::start(command({"job", "logs", id, "--follow"}));
  follower.wait_for_output("a warning");
  db.write([&](Write& tx) { jobs::append_log(tx, job, {jobs::LogLevel::info, "news"}); });
  follower.wait_for_output("news");
  auto another = Process::start(command({"job", "logs", id, "--follow"}));
  another.wait_for_output("news");
  another.signal(SIGINT);
  EXPECT_EQ(another.wait().code, 130);
  json({"job", "cancel", id});
  EXPECT_EQ(follower.wait().code, 0);
  EXPECT_EQ(json({"job", "logs", id, "--follow", "--limit", "1"}).at("lines").as_array().size(), 1U);
}

}  // namespace
}  // namespace quarry::test
