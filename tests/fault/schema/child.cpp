#include "fault/schema/child.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "conformance/schema/migration_files.hpp"

namespace quarry::schema::test {

using quarry::test::Process;

const MigrationSet& small_set() {
  static const MigrationSet set = set_of(
      {first_migration(),
       {"second",
        "-- quarry: no-transaction\ncreate table c (id integer primary key, a_id integer references a on delete cascade);\n"
        "insert into a values (1, 'one'), (2, 'two');\nvacuum;\ninsert into c values (1, 1), (2, 1), (3, 2);\ncreate index "
        "c_a on c (a_id);",
        "-- quarry: no-transaction\ndrop index c_a;\nvacuum;\ndelete from c;\ndrop table c;\ndelete from a;",
        "-- quarry: no-transaction\ncreate table c (id bigint primary key, a_id bigint references a on delete cascade);\n"
        "insert into a values (1, 'one'), (2, 'two');\ncreate index concurrently c_a on c (a_id);\n"
        "insert into c values (1, 1), (2, 1), (3, 2);\ncreate unique index concurrently if not exists a_b on a (b);\nvacuum "
        "c;",
        "-- quarry: no-transaction\ndrop index concurrently a_b;\ndelete from c;\ndrop index concurrently c_a;\ndrop table "
        "c;\n"
        "delete from a;"},
       {"third",
        "-- quarry: rebuild\ncreate table new_a (id integer primary key, b text not null, d integer default 7);\n"
        "insert into new_a (id, b) select id, b from a;\ndrop table a;\nalter table new_a rename to a;\ncreate index a_d on "
        "a (d);",
        "-- quarry: rebuild\n-- quarry: destructive\ncreate table new_a (id integer primary key, b text not null);\n"
        "insert into new_a select id, b from a;\ndrop table a;\nalter table new_a rename to a;",
        "alter table a add column d integer default 7;\ncreate index a_d on a (d);",
        "drop index a_d;\nalter table a drop column d;"},
       both("fourth", "create table e (id integer);\ninsert into e values (1);\ncreate view v as select b from a, e;",
            "drop view v;\ndrop table e;")});
  return set;
}

Process start_child(const ChildJob& job) {
  quarry::test::Command command{.program = "/proc/self/exe", .args = {"--gtest_filter=MigratorChild.Migrates"}};
  command.environment = {
      {"QUARRY_CHILD_URL", job.url}, {"QUARRY_CHILD_SET", job.set}, {"QUARRY_CHILD_VERSION", std::to_string(job.version)}};
  command.environment["QUARRY_CHILD_KILLED_AT"] = std::to_string(job.killed_at.value_or(-1));
  return Process::start(command);
}

bool run_child(const ChildJob& job) {
  auto child = start_child(job);
  const auto exit = child.wait();
  if (exit.signal == SIGKILL) return false;
  EXPECT_TRUE(exit.ok()) << child.out() << child.err();
  return true;
}

TEST(MigratorChild, Migrates) {
  const char* url = std::getenv("QUARRY_CHILD_URL");
  if (!url) GTEST_SKIP() << "runs in a child process of the other tests";
  const auto& set = std::string_view(std::getenv("QUARRY_CHILD_SET")) == "embedded" ? MigrationSet::embedded() : small_set();
  const auto killed_at = std::stoll(std::getenv("QUARRY_CHILD_KILLED_AT"));
  long long moments = 0;
  MigrateOptions options{.allow_data_loss = true, .verify = false};
  options.at_moment = [&](const Moment&) {
    if (moments++ == killed_at) std::raise(SIGKILL);
  };
  migrate_to(Database::open(url), set, std::stoll(std::getenv("QUARRY_CHILD_VERSION")), options);
}

}  // namespace quarry::schema::test
