/// Runs the programs of `examples/` on an empty database of each engine, and reads what they print.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/both_engines.hpp"
#include "support/process.hpp"

namespace quarry::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Examples : public BothEngines {
 protected:
  std::string output_of(const std::string& name) {
    const auto done = run({.program = std::string(QUARRY_EXAMPLES) + "/" + name,
                           .args = {database().url()},
                           .directory = database().folder()});
    EXPECT_EQ(done.exit.code, 0) << done.err;
    return done.out;
  }
};
QUARRY_BOTH_ENGINES(Examples);

TEST_P(Examples, OpenADatabase) {
  EXPECT_THAT(output_of("01_open_a_database"), AllOf(HasSubstr("; 1 pending"), HasSubstr("refused, as it should be")));
}
TEST_P(Examples, JobsAndPages) {
  EXPECT_THAT(output_of("02_jobs_and_pages"), AllOf(HasSubstr("Job 5  pending\nJob 4"), HasSubstr("conflict: "),
                                                    HasSubstr("4 jobs are left\n0 deleted jobs")));
}
TEST_P(Examples, SearchesCacheAndQueue) {
  EXPECT_THAT(output_of("03_searches_cache_and_queue"), AllOf(HasSubstr("1 First\n2 Second"), HasSubstr(R"({"url": "2"})"),
                                                              HasSubstr("test_value missing"), HasSubstr("10 searches")));
}
TEST_P(Examples, UsersPlansAndUnits) {
  EXPECT_THAT(output_of("04_users_plans_and_units"),
              AllOf(HasSubstr("3 of 100 units used"), HasSubstr("$99.00"), HasSubstr("balance equals ledger: true")));
}
TEST_P(Examples, LoginsKeysAndTenants) {
  EXPECT_THAT(output_of("05_logins_keys_and_tenants"), AllOf(HasSubstr("false true"), HasSubstr("the key is ada's"),
                                                             HasSubstr("ada false, bob true, an admin true")));
}
TEST_P(Examples, LimitsCacheAndSettings) {
  EXPECT_THAT(output_of("06_limits_cache_and_settings"),
              AllOf(HasSubstr("admitted, 1 remain\nadmitted, 0 remain\ndenied"), HasSubstr("computing\n1.07\n1.07\n"),
                    HasSubstr("max_pages = 500"), HasSubstr("whole: true")));
}
TEST_P(Examples, ArtifactsAndSearch) {
  EXPECT_THAT(output_of("07_artifacts_and_search"),
              AllOf(HasSubstr("http://a.example/: "), HasSubstr("2 artifacts, one body")));
}
TEST_P(Examples, AWorker) {
  EXPECT_THAT(output_of("08_a_worker"), AllOf(HasSubstr("4 squared is 16"), HasSubstr("completed: 4 of 4 done, 4 results")));
}

}  // namespace
}  // namespace quarry::test
