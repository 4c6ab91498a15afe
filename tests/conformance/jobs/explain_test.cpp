#include "conformance/jobs/jobs_test.hpp"
#include "quarry/queue/hosts.hpp"

namespace quarry::test {
namespace {

using jobs::Reason;

class JobsExplain : public JobsTest {
 protected:
  std::vector<Reason> reasons(JobId id) {
    std::vector<Reason> result;
    for (const auto& finding : explain(id).findings) {
      EXPECT_FALSE(finding.message.empty());
      result.push_back(finding.reason);
    }
    return result;
  }
};
QUARRY_BOTH_ENGINES(JobsExplain);

TEST_P(JobsExplain, AJobWithoutTasks) { EXPECT_THAT(reasons(submit().id), testing::ElementsAre(Reason::no_tasks)); }

TEST_P(JobsExplain, WaitingForAWorkerAndBeingWorkedOn) {
  const auto job = submit();
  add(job.id, 2);
  EXPECT_THAT(reasons(job.id), testing::ElementsAre(Reason::waits_for_workers));
  claim(1);
  EXPECT_THAT(reasons(job.id), testing::ElementsAre(Reason::working, Reason::waits_for_workers));
}

TEST_P(JobsExplain, AWorkerThatIsNotHeardOf) {
  const auto job = submit();
  add(job.id, 1);
  claim();
  clock().advance(std::chrono::minutes(5));
  EXPECT_THAT(reasons(job.id), testing::ElementsAre(Reason::workers_lost));
}

TEST_P(JobsExplain, PausedByItselfOrByItsQueue) {
  const auto job = submit();
  add(job.id, 1);
  db().write([&](Write& tx) { queue::set_paused(tx, queue_, true); });
  EXPECT_THAT(reasons(job.id), testing::ElementsAre(Reason::queue_paused)) << "and not that a worker would help";
  db().write([&](Write& tx) { jobs::pause(tx, job.id); });
  EXPECT_EQ(reasons(job.id).front(), Reason::paused);
}

TEST_P(JobsExplain, WaitingForHostsAndForTime) {
  const auto job = submit();
  add(job.id, {{.host_key = "slow.example"}, {.host_key = "slow.example"}, {.host_key = "free.example"}});
  const auto later = clock().now() + std::chrono::hours(2);
  add(job.id, {{.scheduled_at = later}});
  const auto until = clock().now() + std::chrono::minutes(5);
  db().write([&](Write& tx) { queue::block_host(tx, queue::find_host(tx, "slow.example")->id, until); });
  const auto found = explain(job.id);
  EXPECT_THAT(reasons(job.id),
              testing::ElementsAre(Reason::waits_for_workers, Reason::waits_for_hosts, Reason::waits_for_time));
  ASSERT_EQ(found.hosts.size(), 2U);
  EXPECT_EQ(found.hosts[0].host_key, "slow.example");
  EXPECT_EQ(found.hosts[0].tasks, 2);
  EXPECT_EQ(found.hosts[0].free_at, until);
  EXPECT_EQ(found.next_due, later);
  EXPECT_THAT(found.findings[1].message, testing::HasSubstr("slow.example"));
}

TEST_P(JobsExplain, WaitingForAnotherJob) {
  const auto first = submit();
  add(first.id, 1);
  const auto second = submit({.depends_on_job_id = first.id});
  add(second.id, 1);
  const auto found = explain(second.id);
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(found.findings[0].reason, Reason::waits_for_job);
  EXPECT_THAT(found.findings[0].message, testing::HasSubstr(to_string(first.id)));
}

TEST_P(JobsExplain, Ended) {
  const auto job = submit();
  add(job.id, 1);
  for (const auto& task : claim()) give_up(task);
  const auto found = explain(job.id);
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(found.findings[0].reason, Reason::ended);
  EXPECT_THAT(found.findings[0].message, testing::HasSubstr("job retry"));
}

}  // namespace
}  // namespace quarry::test
