/// What people do wrong, and what systems do to them: each is told with its cause and its remedy.

#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "conformance/cli/cli_test.hpp"
#include "support/http/loopback_server.hpp"

namespace quarry::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class CliTrouble : public CliTest {
 protected:
  /// With another database than the fixture's.
  Finished run_on(const std::string& db, Args args) {
    args.insert(args.end(), {"--db", db});
    return test::run({.program = QUARRY_BINARY, .args = std::move(args), .directory = database().folder()});
  }
  /// In a shell that sets something up first.
  Finished run_after(const std::string& setup, Args args) {
    auto wanted = command(std::move(args));
    wanted.args.insert(wanted.args.begin(), {"-c", setup + "; exec \"$0\" \"$@\"", wanted.program.string()});
    wanted.program = "/bin/sh";
    return test::run(wanted);
  }
};
QUARRY_BOTH_ENGINES(CliTrouble);

TEST_P(CliTrouble, APasswordInTheWrongPlaceIsNotRepeated) {
  const std::string secret = "postgresql://u:sekret@h/db";
  for (const auto& args : std::vector<Args>{{"--log", secret, "queue", "list"},
                                            {"job", "show", secret},
                                            {"postgresql:/u:sekret@h", "queue", "list"},
                                            {"queue", "list", "--limit", secret}}) {
    for (const auto& json : {Args{}, Args{"--json"}}) {
      auto all = args;
      all.insert(all.end(), json.begin(), json.end());
      const auto done = run(all);
      EXPECT_NE(done.exit.code, 0);
      EXPECT_THAT(done.err + done.out, Not(HasSubstr("sekret"))) << args[0];
    }
  }
  const auto done = run_after("export QUARRY_JSON=" + secret, {"queue", "list"});
  EXPECT_EQ(done.exit.code, 64);
  EXPECT_THAT(done.err + done.out, Not(HasSubstr("sekret")));
}

TEST_P(CliTrouble, NumbersOutOfRangeNameTheRange) {
  EXPECT_THAT(refused({"queue", "host", "set", "x", "--delay-ms", "9223372036854775807"}, 64), HasSubstr("86400000"));
  EXPECT_THAT(refused({"queue", "task", "9223372036854775808"}, 64), HasSubstr("9223372036854775807"));
  EXPECT_THAT(refused({"queue", "task", "9223372036854775807"}, 66), HasSubstr("9223372036854775807"));
}

TEST_P(CliTrouble, AGraceThatIsTooShortIsRemarkedOn) {
  fs::create_directories(database().folder() / "blobs");
  EXPECT_THAT(run({"artifact", "gc", "--grace-hours", "0"}).err, HasSubstr("not yet committed"));
  EXPECT_THAT(run({"artifact", "gc"}).err, Not(HasSubstr("not yet committed")));
}

TEST_P(CliTrouble, AHostThatAsksForALongRestIsNamed) {
  LoopbackServer server([](const HttpRequest& request) -> HttpReply {
    if (request.target == "/robots.txt") return {.status = 404};
    return {.status = 503, .headers = {{"Retry-After", "99999999999999999999"}}};
  });
  auto crawl = Process::start(command({"crawl", server.url("/"), "--allow-private"}));
  crawl.wait_for_output("asks to be left alone until");
  crawl.signal(SIGINT);
  EXPECT_EQ(crawl.wait().code, 130);
  const auto hosts = json({"queue", "hosts"});
  EXPECT_NE(boost::json::serialize(hosts).find("blocked_until"), std::string::npos);
}

TEST_P(CliTrouble, AConfigThatIsAPipeIsNotWaitedFor) {
  const auto pipe = database().folder() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(refused({"crawl", "http://127.0.0.1:1/", "--config", pipe.string()}, 64), HasSubstr("is no file"));
  EXPECT_THAT(run({"queue", "list", "--config-file", pipe.string()}).err, HasSubstr("file"));
}

class CliSqliteTrouble : public CliTrouble {};
INSTANTIATE_TEST_SUITE_P(Sqlite, CliSqliteTrouble, testing::Values(Engine::sqlite), [](const auto&) { return "sqlite"; });

TEST_P(CliSqliteTrouble, WhatIsNoFileIsNoDatabase) {
  const auto pipe = database().folder() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const auto& path : {std::string("/dev/null"), pipe.string(), database().folder().string()}) {
    for (const auto& args : std::vector<Args>{{"init"}, {"queue", "list"}}) {
      const auto done = run_on("sqlite:" + path, args);
      EXPECT_EQ(done.exit.code, 6) << path << done.err;
      EXPECT_THAT(done.err, HasSubstr("is no file")) << path;
    }
  }
  EXPECT_FALSE(fs::exists("/dev/null-journal"));
}

TEST_P(CliSqliteTrouble, TooManyOpenFilesAreCalledThat) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "the sanitizer needs files of its own to look at an object, and takes one that it cannot see for a wild one";
#endif
  const auto done = run_after("ulimit -n 6", {"queue", "list"});
  EXPECT_EQ(done.exit.code, 69) << done.err;
  EXPECT_THAT(done.err, HasSubstr("ulimit -n"));
}

TEST_P(CliSqliteTrouble, AFormatThatNobodyKnowsIsDamage) {
  const auto path = database().folder() / "odd.db";
  ASSERT_EQ(run_on("sqlite:" + path.string(), {"init"}).exit.code, 0);
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(44);
    file.write("\0\0\0\x63", 4);
  }
  const auto done = run_on("sqlite:" + path.string(), {"queue", "list"});
  EXPECT_EQ(done.exit.code, 74) << done.err;
  EXPECT_THAT(done.err, HasSubstr("restore it from a backup"));
}

}  // namespace
}  // namespace quarry::test
