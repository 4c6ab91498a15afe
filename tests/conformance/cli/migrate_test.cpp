#include "conformance/cli/cli_test.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliMigrate : public EmptyCliTest {};
QUARRY_BOTH_ENGINES(CliMigrate);

TEST_P(CliMigrate, UpDownAndTo) {
  EXPECT_EQ(text(json({"migrate", "current"}, 2), "state"), "empty");
  const auto up = json({"migrate", "up"});
  const auto head = number(up, "version");
  EXPECT_EQ(std::ssize(up.at("steps").as_array()), head);
  EXPECT_TRUE(json({"migrate", "up"}).at("steps").as_array().empty());
  EXPECT_EQ(text(json({"migrate", "current"}), "state"), "current");

  EXPECT_THAT(refused({"migrate", "down"}, 77), HasSubstr("--allow-data-loss"));
  EXPECT_EQ(number(json({"migrate", "to", "0", "--allow-data-loss"}), "version"), 0);
  const auto behind = json({"migrate", "current"}, 2);
  EXPECT_EQ(std::ssize(behind.at("pending").as_array()), head);
  EXPECT_EQ(number(json({"migrate", "to", std::to_string(head)}), "version"), head);
  EXPECT_GE(json({"migrate", "history"}).at("history").as_array().size(), 1U);
  EXPECT_THAT(refused({"migrate", "to", "99999"}, 64), HasSubstr("99999"));
}

TEST_P(CliMigrate, APlanChangesNothing) {
  const auto plan = json({"migrate", "plan"});
  ASSERT_FALSE(plan.at("steps").as_array().empty());
  const auto& step = plan.at("steps").as_array().front().as_object();
  EXPECT_EQ(text(step, "direction"), "up");
  EXPECT_FALSE(step.at("statements").as_array().empty());
  EXPECT_THAT(run({"migrate", "plan", "--sql"}).out, HasSubstr("CREATE TABLE users"));
  EXPECT_EQ(text(json({"migrate", "current"}, 2), "state"), "empty");
}

TEST_P(CliMigrate, DriftIsFoundInTheDatabase) {
  json({"migrate", "up"});
  EXPECT_TRUE(json({"migrate", "diff", "--live"}).at("differences").as_array().empty());
  db().write([](Write& tx) { tx.session().run_script("drift", "drop index idx_users_role"); });
  const auto found = json({"migrate", "diff", "--live"}, 3);
  ASSERT_EQ(found.at("differences").as_array().size(), 1U);
  EXPECT_THAT(std::string(found.at("differences").as_array()[0].as_string()), HasSubstr("idx_users_role"));
  EXPECT_THAT(run({"migrate", "diff", "--live", "--sql"}).out, HasSubstr("idx_users_role"));
}

TEST_P(CliMigrate, AnEditedMigrationIsRefusedWithItsName) {
  json({"migrate", "up"});
  db().write(
      [](Write& tx) { tx.session().run_script("edit", "update schema_migrations set checksum = 'x' where version = 1"); });
  EXPECT_THAT(refused({"migrate", "up"}, 4), HasSubstr("0001_initial"));
  EXPECT_THAT(refused({"queue", "list"}, 4), HasSubstr("0001_initial"));
  EXPECT_EQ(text(json({"migrate", "current"}, 4), "state"), "edited");
}

TEST_P(CliMigrate, AFolderWithoutMigrationsIsNoReasonToDoNothing) {
  std::filesystem::create_directories(database().folder() / "elsewhere");
  for (const Args& verb : {Args{"up"}, Args{"down"}, Args{"to", "1"}, Args{"current"}, Args{"plan"}}) {
    Args args{"migrate"};
    args.insert(args.end(), verb.begin(), verb.end());
    args.insert(args.end(), {"--dir", "elsewhere"});
    EXPECT_THAT(refused(args, 64), HasSubstr("no migrations in 'elsewhere'"));
  }
}

TEST_P(CliMigrate, ANewMigrationIsWrittenFromTheDifference) {
  namespace fs = std::filesystem;
  const auto folder = database().folder();
  fs::copy(fs::path(QUARRY_SOURCE_DIR) / "migrations", folder / "migrations", fs::copy_options::recursive);
  fs::copy(fs::path(QUARRY_SOURCE_DIR) / "schema", folder / "schema", fs::copy_options::recursive);
  EXPECT_EQ(json({"migrate", "diff", "--dir", "migrations", "--schema", "schema"}).at("differences").as_array().size(), 0U);
  EXPECT_THAT(refused({"migrate", "new", "nothing", "--autogenerate"}, 64), HasSubstr("already give the desired schema"));
  for (const auto* name : {"sqlite.sql", "postgres.sql"})
    write_file(folder / "schema" / name,
               read_file(folder / "schema" / name) + (std::string_view(name) == "sqlite.sql"
                                                          ? "\nCREATE TABLE extras (a INTEGER) STRICT;\n"
                                                          : "\nCREATE TABLE extras (a bigint);\n"));
  json({"migrate", "diff", "--dir", "migrations", "--schema", "schema"}, 3);
  const auto made = json({"migrate", "new", "add_extras", "--autogenerate"});
  EXPECT_THAT(text(made, "label"), testing::EndsWith("_add_extras"));
  EXPECT_EQ(made.at("files").as_array().size(), 4U);
  EXPECT_EQ(json({"migrate", "diff", "--dir", "migrations", "--schema", "schema"}).at("differences").as_array().size(), 0U);
  const auto up = json({"migrate", "up", "--dir", "migrations"});
  EXPECT_EQ(number(up, "version"), std::ssize(up.at("steps").as_array()));
  db().read([](Read& tx) { tx.value(sql::Query<std::int64_t()>("test.extras", "select count(*) from extras")); });
  // The program that is built knows nothing of it.
  EXPECT_THAT(refused({"queue", "list"}, 7), HasSubstr("newer"));
  EXPECT_THAT(refused({"migrate", "new", "Bad Name"}, 64), HasSubstr("Bad Name"));
}

}  // namespace
}  // namespace quarry::test
