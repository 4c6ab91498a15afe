#include "conformance/cli/cli_test.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/queue/claim.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliUserPurge : public CliTest {
 protected:
  UserId user_with_job(const std::string& name) {
    return db().write([&](Write& tx) {
      const auto user = accounts::create_user(tx, {.username = name, .email = name + "@h", .password_hash = "!"});
      const auto job = jobs::submit(tx, {.user_id = user.id, .title = "A job"});
      const queue::NewTask task;
      jobs::add_tasks(tx, job.id, queue::open_queue(tx, "crawl"), std::span(&task, 1));
      return user.id;
    });
  }
  void hide(UserId user) {
    db().write([&](Write& tx) { accounts::delete_user(tx, user); });
  }
};
QUARRY_BOTH_ENGINES(CliUserPurge);

TEST_P(CliUserPurge, OneWhoIsDeleted) {
  const auto ada = user_with_job("ada");
  EXPECT_THAT(refused({"user", "purge", to_string(ada)}, 75), HasSubstr("not deleted"));
  hide(ada);
  const auto purged = json({"user", "purge", to_string(ada)});
  EXPECT_EQ(number(purged, "users"), 1);
  EXPECT_EQ(number(purged, "jobs"), 1);
  EXPECT_EQ(number(purged, "tasks"), 1);
  refused({"user", "purge", to_string(ada)}, 66);
}

TEST_P(CliUserPurge, AllWhoWereDeletedLongAgo) {
  hide(user_with_job("ada"));
  hide(user_with_job("bob"));
  user_with_job("eve");
  EXPECT_EQ(number(json({"user", "purge", "--deleted-days", "90000"}), "users"), 0);
  EXPECT_THAT(run({"user", "purge", "--deleted-days", "0"}).out, HasSubstr("2 users and 2 jobs"));
  EXPECT_EQ(number(json({"user", "list", "--total"}), "total"), 1);
}

TEST_P(CliUserPurge, WaitsForTasksThatRun) {
  const auto ada = user_with_job("ada");
  auto now = on_real_time();
  const auto queue = now.write([](Write& tx) { return queue::open_queue(tx, "crawl"); });
  const auto tasks = now.write([&](Write& tx) {
    return queue::claim(tx, queue, {.worker = "w", .limit = 1, .lease = std::chrono::milliseconds(1'500)});
  });
  ASSERT_EQ(tasks.size(), 1U);
  hide(ada);
  EXPECT_EQ(number(json({"user", "purge", to_string(ada), "--wait-s", "0"}, 75), "running"), 1);
  EXPECT_EQ(number(json({"user", "purge", to_string(ada), "--wait-s", "60"}), "users"), 1) << "its lease ran out";
}

TEST_P(CliUserPurge, BadInputIsNamed) {
  EXPECT_THAT(refused({"user", "purge"}, 64), HasSubstr("--deleted-days"));
  refused({"user", "purge", "ada"}, 64);
  refused({"user", "purge", "01890a5d-ac96-774b-bcce-b302099a8057", "--deleted-days", "1"}, 64);
  refused({"user", "purge", "01890a5d-ac96-774b-bcce-b302099a8057"}, 66);
}

}  // namespace
}  // namespace quarry::test
