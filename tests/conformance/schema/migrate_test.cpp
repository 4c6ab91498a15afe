/// The migrator's promises that need no crash and no second migrator.

#include <gmock/gmock.h>

#include "conformance/schema/migration_files.hpp"
#include "support/both_engines.hpp"

namespace quarry::schema::test {
namespace {

using quarry::test::BothEngines;
using testing::HasSubstr;

class Migrate : public BothEngines {
 protected:
  std::int64_t count(const std::string& sql) {
    return db().read([&](Read& tx) { return tx.value(sql::Query<std::int64_t()>("test.count", sql)); });
  }
  void run(const std::string& sql) {
    db().write([&](Write& tx) { tx.session().run_script("test.run", sql); });
  }
  std::string schema() { return to_text(introspect(db())); }
};
QUARRY_BOTH_ENGINES(Migrate);

const std::vector<FileTexts> three = {
    first_migration(),
    both("second", "create table c (id int); create index c_id on c (id);", "drop index c_id; drop table c;"),
    both("third", "alter table a add column d text;", "alter table a drop column d;")};

TEST_P(Migrate, BringsAnEmptyDatabaseToTheHead) {
  const auto set = set_of(three);
  EXPECT_EQ(status(db(), set).state, State::empty);
  const auto steps = migrate_up(db(), set);
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[1].name, "second");
  EXPECT_EQ(steps[1].statements, 2u);
  const auto now = status(db(), set);
  EXPECT_EQ(now.state, State::current);
  EXPECT_EQ(now.version, 3);
  ASSERT_EQ(now.applied.size(), 3u);
  EXPECT_EQ(now.applied[1].checksum, set.find(2)->script(GetParam(), Direction::up).checksum);
  EXPECT_EQ(now.applied[1].statement_count, 2);
  EXPECT_EQ(now.applied[1].applied_count, 2);
  EXPECT_TRUE(now.applied[1].finished_at);
  EXPECT_NO_THROW(check(db(), set));
  EXPECT_TRUE(migrate_up(db(), set).empty());
  EXPECT_EQ(count("select count(*) from c"), 0);
}

TEST_P(Migrate, RoundTripGivesTheSameSchema) {
  const auto set = set_of(three);
  std::vector<std::string> schemas(4);
  schemas[0] = schema();
  for (std::int64_t version = 1; version <= 3; ++version) {
    migrate_to(db(), set, version);
    schemas[static_cast<std::size_t>(version)] = schema();
    migrate_to(db(), set, version - 1, {.allow_data_loss = true});
    EXPECT_EQ(schema(), schemas[static_cast<std::size_t>(version) - 1]);
    migrate_to(db(), set, version);
    EXPECT_EQ(schema(), schemas[static_cast<std::size_t>(version)]);
  }
  migrate_to(db(), set, 0, {.allow_data_loss = true});
  EXPECT_EQ(schema(), schemas[0]);
  EXPECT_EQ(status(db(), set).state, State::empty);
}

TEST_P(Migrate, KeepsAHistory) {
  const auto set = set_of(three);
  migrate_up(db(), set);
  migrate_down(db(), set, 1, {.allow_data_loss = true});
  const auto log = history(db());
  ASSERT_EQ(log.size(), 4u);
  EXPECT_EQ(log[0].outcome, "applied");
  EXPECT_EQ(log[3].name, "third");
  EXPECT_EQ(log[3].direction, "down");
  EXPECT_EQ(log[3].outcome, "reverted");
  EXPECT_FALSE(log[3].host.empty());
  EXPECT_FALSE(log[3].os_user.empty());
}

TEST_P(Migrate, PlansWithoutDoing) {
  const auto set = set_of(three);
  migrate_to(db(), set, 1);
  const auto up = plan(db(), set, 3);
  ASSERT_EQ(up.size(), 2u);
  EXPECT_EQ(up[0].statements, (std::vector<std::string>{"create table c (id int)", "create index c_id on c (id)"}));
  const auto down = plan(db(), set, 0);
  ASSERT_EQ(down.size(), 1u);
  EXPECT_EQ(down[0].direction, Direction::down);
  EXPECT_TRUE(down[0].destructive);
  EXPECT_EQ(status(db(), set).version, 1);
}

TEST_P(Migrate, RefusesToLoseDataUnlessTold) {
  const auto set = set_of(three);
  migrate_up(db(), set);
  const auto [reason, message] = refusal([&] { migrate_down(db(), set); });
  EXPECT_EQ(reason, Reason::data_loss);
  EXPECT_THAT(message, HasSubstr("0003_third"));
  EXPECT_THAT(message, HasSubstr("--allow-data-loss"));
  EXPECT_EQ(status(db(), set).version, 3);
}

TEST_P(Migrate, BacksUpASqliteFileBeforeItLosesData) {
  const auto set = set_of(three);
  migrate_up(db(), set);
  run("insert into a (id, b, d) values (1, 'x', 'precious')");
  const auto steps = migrate_to(db(), set, 1, {.allow_data_loss = true});
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[1].backup, "");  // one for the whole run
  if (is_postgres()) {
    EXPECT_EQ(steps[0].backup, "");
    return;
  }
  ASSERT_THAT(steps[0].backup, HasSubstr("test.db.before-0003_third-"));
  const auto copy = Database::open("sqlite:" + steps[0].backup);
  EXPECT_EQ(
      copy.read([](Read& tx) { return tx.value(sql::Query<std::string()>("test.copy", std::string("select d from a"))); }),
      "precious");
  EXPECT_EQ(status(copy, set).state, State::current);
  // Another one at the same time gets another name, and none when it is not wanted.
  migrate_up(db(), set);
  EXPECT_NE(migrate_down(db(), set, 1, {.allow_data_loss = true})[0].backup, steps[0].backup);
  migrate_up(db(), set);
  EXPECT_EQ(migrate_down(db(), set, 1, {.allow_data_loss = true, .backup = false})[0].backup, "");
}

TEST_P(Migrate, RefusesAnEditedMigrationByName) {
  migrate_up(db(), set_of(three));
  auto edited = three;
  edited[1].up_sqlite += "-- later\n";
  edited[1].up_postgres += "-- later\n";
  const auto set = set_of(edited);
  for (const auto& [reason, message] : {refusal([&] { check(db(), set); }), refusal([&] { migrate_up(db(), set); }),
                                        refusal([&] { migrate_down(db(), set); })}) {
    EXPECT_EQ(reason, Reason::checksum);
    EXPECT_THAT(message, HasSubstr("0002_second"));
  }
  EXPECT_EQ(status(db(), set).edited, std::vector<std::string>{"0002_second"});
}

TEST_P(Migrate, RefusesADatabaseThatIsNewer) {
  migrate_up(db(), set_of(three));
  const auto older = set_of(first(three, 2));
  for (const auto& [reason, message] : {refusal([&] { check(db(), older); }), refusal([&] { migrate_up(db(), older); })}) {
    EXPECT_EQ(reason, Reason::newer);
    EXPECT_THAT(message, HasSubstr("0003_third"));
    EXPECT_THAT(message, HasSubstr("newer quarry"));
  }
}

TEST_P(Migrate, RefusesADatabaseThatIsNotOurs) {
  run("create table somebody_elses (id int)");
  const auto set = set_of(three);
  EXPECT_EQ(refusal([&] { check(db(), set); }).first, Reason::not_ours);
  EXPECT_EQ(refusal([&] { migrate_up(db(), set); }).first, Reason::not_ours);
  EXPECT_EQ(count("select count(*) from somebody_elses"), 0);
}

TEST_P(Migrate, RefusesAnotherToolsStateTable) {
  run("create table schema_migrations (version text primary key)");
  EXPECT_EQ(refusal([&] { migrate_up(db(), set_of(three)); }).first, Reason::not_ours);
}

TEST_P(Migrate, TellsWhenMigrationsArePending) {
  const auto set = set_of(three);
  EXPECT_EQ(refusal([&] { check(db(), set); }).first, Reason::not_initialised);
  migrate_to(db(), set, 2);
  const auto [reason, message] = refusal([&] { check(db(), set); });
  EXPECT_EQ(reason, Reason::pending);
  EXPECT_THAT(message, HasSubstr("quarry migrate up"));
  EXPECT_EQ(status(db(), set).pending, std::vector<std::string>{"0003_third"});
}

TEST_P(Migrate, AFailingStatementLeavesNothingAndIsNamed) {
  auto broken = three;
  broken[1] = both("second", "create table c (id int);\n\ncreate table c (id int);", "drop table c");
  const auto set = set_of(broken);
  const auto [reason, message] = refusal([&] { migrate_up(db(), set); });
  EXPECT_EQ(reason, Reason::failed);
  EXPECT_THAT(message, HasSubstr("migration 0002_second up failed at statement 2 of 2 (0002_second/up."));
  EXPECT_THAT(message, HasSubstr("line 3"));
  EXPECT_EQ(status(db(), set).version, 1);
  EXPECT_THAT(schema(), testing::Not(HasSubstr("table c\n")));
  const auto log = history(db());
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[1].outcome, "failed");
  EXPECT_EQ(log[1].error_statement, 2);
  EXPECT_THAT(*log[1].error_message, HasSubstr("already exists"));
  // Mended, it goes on from there.
  EXPECT_EQ(migrate_up(db(), set_of(three)).size(), 2u);
}

TEST_P(Migrate, TheFirstMigrationMakesTheStateTables) {
  const auto set = set_of({both("first", "create table a (id int)", "drop table a")});
  EXPECT_EQ(refusal([&] { migrate_up(db(), set); }).first, Reason::bad_set);
  EXPECT_EQ(status(db(), set).state, State::empty);
}

TEST_P(Migrate, SeesAfterwardsThatSomebodyMeddled) {
  const auto set = set_of(three);
  migrate_to(db(), set, 1);
  run("create index by_hand on a (b)");
  const auto [reason, message] = refusal([&] { migrate_up(db(), set); });
  EXPECT_EQ(reason, Reason::drift);
  EXPECT_THAT(message, HasSubstr("index a.by_hand is extra"));
  EXPECT_EQ(status(db(), set).state, State::current);
  EXPECT_EQ(diff_live(db(), set).differences.size(), 1u);
}

TEST_P(Migrate, RefusesVersionsThatDoNotExist) {
  const auto set = set_of(three);
  EXPECT_THROW(migrate_to(db(), set, 4), Error);
  EXPECT_THROW(migrate_to(db(), set, -1), Error);
  EXPECT_THROW(migrate_down(db(), set, 0), Error);
}

TEST_P(Migrate, WithoutTransactionStatementsCommitOneByOne) {
  auto migrations = three;
  migrations[1] = {"second", "-- quarry: no-transaction\ncreate table c (id int);\nvacuum;\ncreate table c (id int);",
                   "-- quarry: no-transaction\ndrop table c;\nvacuum;",
                   "-- quarry: no-transaction\ncreate table c (id int);\nvacuum;\ncreate table c (id int);",
                   "-- quarry: no-transaction\ndrop table c;\nvacuum;"};
  EXPECT_EQ(refusal([&] { migrate_up(db(), set_of(migrations)); }).first, Reason::failed);
  auto now = status(db(), set_of(migrations));
  EXPECT_EQ(now.state, State::behind);
  ASSERT_TRUE(now.interrupted);
  EXPECT_EQ(now.interrupted->applied_count, 2);
  EXPECT_EQ(now.interrupted->error_statement, 3);
  // What is done must stay as it was; what failed may be mended.
  auto edited = migrations;
  for (auto* text : {&edited[1].up_sqlite, &edited[1].up_postgres}) text->replace(text->find("(id int)"), 8, "(id bigint)");
  EXPECT_EQ(refusal([&] { migrate_up(db(), set_of(edited)); }).first, Reason::checksum);
  for (auto* text : {&migrations[1].up_sqlite, &migrations[1].up_postgres})
    text->replace(text->rfind("table c"), 7, "table e");
  const auto set = set_of(migrations);
  const auto steps = migrate_up(db(), set);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_TRUE(steps[0].resumed);
  EXPECT_EQ(steps[0].statements, 1u);
  EXPECT_EQ(status(db(), set).state, State::current);
  EXPECT_EQ(status(db(), set).applied[1].error_message, std::nullopt);
}

TEST_P(Migrate, WritesNewMigrations) {
  const quarry::test::TempDir folder("migrations");
  for (const auto& file : files_of(three)) {
    std::filesystem::create_directories((folder / file.path).parent_path());
    quarry::test::write_file(folder / file.path, file.text);
  }
  const auto made = new_migration(folder.path(), "fourth");
  EXPECT_EQ(made.label, "0004_fourth");
  ASSERT_EQ(made.files.size(), 4u);
  EXPECT_EQ(quarry::test::read_file(made.files[0]), "");
  EXPECT_EQ(MigrationSet::from_directory(folder.path()).head(), 4);
  EXPECT_THROW(new_migration(folder.path(), "Fifth one"), Error);
}

}  // namespace
}  // namespace quarry::schema::test
