#include "cli/json.hpp"

#include <gtest/gtest.h>

#include "quarry/jobs/job.hpp"

namespace quarry::cli {
namespace {

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Inner {
  std::string name;
  Colour colour = Colour::red;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (name, colour))

struct Outer {
  std::int64_t n = 0;
  bool yes = false;
  double x = 0;
  std::optional<int> none;
  std::optional<Instant> at;
  Uuid id;
  Json stored;
  std::vector<Inner> list;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (n, yes, x, none, at, id, stored, list))

TEST(ToJson, EveryKindOfMember) {
  Outer value{.n = 9'007'199'254'740'993,
              .yes = true,
              .x = 0.5,
              .none = {},
              .at = Instant{1'772'366'400'000'000},
              .id = {},
              .stored = {R"({"a":[1,null]})"},
              .list = {{"\x1b\"", Colour::green}}};
  EXPECT_EQ(
      boost::json::serialize(to_json(value)),
      R"({"n":9007199254740993,"yes":true,"x":5E-1,"none":null,"at":"2026-03-01T12:00:00.000000Z",)"
      R"("id":"00000000-0000-0000-0000-000000000000","stored":{"a":[1,null]},"list":[{"name":"\u001b\"","colour":"green"}]})");
}

TEST(ToJson, DamagedJsonIsShownAsText) { EXPECT_EQ(boost::json::serialize(to_json(Json{"{"})), R"("{")"); }

TEST(ToJson, ANumberBeyondADoublesRangeIsShownAsText) {
  EXPECT_EQ(boost::json::serialize(to_json(Json{R"({"a":[1e400]})"})), R"("{\"a\":[1e400]}")");
  EXPECT_TRUE(to_json(Json{R"({"a":[1e300,2,"x",null]})"}).is_object());
}

TEST(ToJson, AJobHasAllItsMembers) {
  const auto object = to_json(jobs::Job{}).as_object();
  EXPECT_EQ(object.at("status").as_string(), "pending");
  EXPECT_TRUE(object.at("keywords").as_array().empty());
  EXPECT_TRUE(object.at("depends_on_job_id").is_null());
}

}  // namespace
}  // namespace quarry::cli
