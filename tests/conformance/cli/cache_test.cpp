#include "conformance/cli/cli_test.hpp"
#include "quarry/cache/entries.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliCache : public CliTest {};
QUARRY_BOTH_ENGINES(CliCache);

TEST_P(CliCache, SetGetListAndDelete) {
  json({"cache", "set", "user:1", "Ada", "--ttl-s", "3600"});
  json({"cache", "set", "user:2", "Bob"});
  EXPECT_FALSE(json({"cache", "set", "user:2", "Eve", "--if-absent"}, 1).at("is_set").as_bool());
  EXPECT_EQ(run({"cache", "get", "user:2"}).out, "Bob\n");
  EXPECT_EQ(text(json({"cache", "get", "user:1"}), "value"), "Ada");
  const auto page = json({"cache", "list", "--prefix", "user:", "--limit", "1", "--total"});
  EXPECT_EQ(number(page, "total"), 2);
  EXPECT_EQ(json({"cache", "list", "--prefix", "user:", "--after", text(page, "next")}).at("entries").as_array().size(), 1U);
  EXPECT_EQ(number(json({"cache", "stats"}), "entries"), 2);
  EXPECT_EQ(number(json({"cache", "delete", "user:1"}), "entries"), 1);
  EXPECT_EQ(number(json({"cache", "delete", "--prefix", "user:"}), "entries"), 1);
  EXPECT_THAT(run({"cache", "list"}).err, HasSubstr("no such keys"));
}

TEST_P(CliCache, PurgeKeepsTheBudget) {
  json({"cache", "set", "a", "x"});
  json({"cache", "set", "b", "x"});
  EXPECT_EQ(number(json({"cache", "purge"}), "evicted"), 0);
  EXPECT_EQ(number(json({"cache", "purge", "--keep-bytes", "2"}), "evicted"), 1);
  EXPECT_EQ(run({"cache", "get", "b"}).out, "x\n");
}

TEST_P(CliCache, OneOfManyProgramsComputes) {
  const auto log = database().folder() / "runs";
  const Args compute{"cache", "compute", "rates", "--run", "echo run >> " + log.string() + "; sleep 0.3; echo 'EUR 1.08'"};
  std::vector<Process> programs;
  for (int i = 0; i < 6; ++i) programs.push_back(Process::start(command(compute)));
  for (auto& program : programs) {
    EXPECT_EQ(program.wait().code, 0) << program.err();
    EXPECT_EQ(program.out(), "EUR 1.08\n");
  }
  EXPECT_EQ(std::filesystem::file_size(log), 4U) << "one run";
  EXPECT_FALSE(json(compute).at("computed").as_bool());
  EXPECT_EQ(run({"cache", "get", "rates"}).out, "EUR 1.08\n");
}

TEST_P(CliCache, AProgramThatIsKilledWhileItComputesIsFollowedByAnother) {
  auto dying = Process::start(
      command({"cache", "compute", "k", "--compute-max-s", "1", "--run", "echo begun >&2; sleep 5; echo late"}));
  dying.wait_for_output("begun");
  dying.kill();
  EXPECT_EQ(run({"cache", "compute", "k", "--run", "echo fresh"}).out, "fresh\n");
}

TEST_P(CliCache, ACommandThatFailsKeepsNothing) {
  EXPECT_TRUE(json({"cache", "compute", "k", "--run", "echo half; exit 3"}, 1).at("value").is_null());
  EXPECT_THAT(run({"cache", "compute", "k", "--run", "exit 3"}).err, HasSubstr("ended with 3"));
  EXPECT_EQ(run({"cache", "compute", "k", "--run", "echo whole"}).out, "whole\n") << "the next one tries at once";
}

TEST_P(CliCache, StatisticsAreOfAllPrograms) {
  db().write([](Write& tx) { cache::add_asked(tx, 3, 1); });
  const auto figures = json({"cache", "stats"});
  EXPECT_EQ(number(figures, "hits"), 3);
  EXPECT_EQ(number(figures, "misses"), 1);
  EXPECT_DOUBLE_EQ(figures.at("hit_rate").as_double(), 0.75);
  EXPECT_THAT(run({"cache", "stats"}).out, HasSubstr("75.0 %"));
}

TEST_P(CliCache, BadInputIsNamed) {
  EXPECT_THAT(refused({"cache", "get", "nothing"}, 66), HasSubstr("nothing"));
  EXPECT_THAT(refused({"cache", "set", "quarry.x", "v"}, 64), HasSubstr("quarry."));
  EXPECT_THAT(refused({"cache", "set", std::string(256, 'k'), "v"}, 64), HasSubstr("256"));
  EXPECT_THAT(refused({"cache", "delete"}, 64), HasSubstr("--prefix"));
  refused({"cache", "set", "k", "v", "--ttl-s", "0"}, 64);
}

}  // namespace
}  // namespace quarry::test
