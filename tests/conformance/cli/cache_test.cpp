#include "conformance/cli/cli_test.hpp"

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

TEST_P(CliCache, BadInputIsNamed) {
  EXPECT_THAT(refused({"cache", "get", "nothing"}, 66), HasSubstr("nothing"));
  EXPECT_THAT(refused({"cache", "set", "quarry.x", "v"}, 64), HasSubstr("quarry."));
  EXPECT_THAT(refused({"cache", "set", std::string(256, 'k'), "v"}, 64), HasSubstr("256"));
  EXPECT_THAT(refused({"cache", "delete"}, 64), HasSubstr("--prefix"));
  refused({"cache", "set", "k", "v", "--ttl-s", "0"}, 64);
}

}  // namespace
}  // namespace quarry::test
