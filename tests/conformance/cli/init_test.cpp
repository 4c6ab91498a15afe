#include "conformance/cli/cli_test.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliInit : public EmptyCliTest {};
QUARRY_BOTH_ENGINES(CliInit);

TEST_P(CliInit, MakesTheTablesAndTheLocalUserOnce) {
  const auto first = json({"init"});
  EXPECT_EQ(number(first, "applied"), number(first, "version"));
  EXPECT_EQ(text(first, "engine"), is_sqlite() ? "sqlite" : "postgresql");
  const auto again = json({"init"});
  EXPECT_EQ(number(again, "applied"), 0);
  EXPECT_EQ(text(again, "local_user"), text(first, "local_user"));
  const auto user = db().read([](Read& tx) { return accounts::find_user(tx, "local"); });
  ASSERT_TRUE(user);
  EXPECT_EQ(to_string(user->id), text(first, "local_user"));
  EXPECT_THAT(run({"init"}).out, HasSubstr("as it was"));
}

TEST_P(CliInit, AClosedStandardStreamIsNotTakenForAFileOfOurs) {
  json({"init"});
  const auto with_closed = [&](const std::string& streams) {
    auto wanted = command({"queue", "list", "--json"});
    wanted.args.insert(wanted.args.begin(), {"-c", "exec \"$0\" \"$@\" " + streams, wanted.program.string()});
    wanted.program = "/bin/sh";
    return test::run(wanted);
  };
  // That nobody gets the result is told, and what was meant for the closed stream went nowhere.
  EXPECT_EQ(with_closed("<&- >&- 2>&-").exit.code, 69);
  EXPECT_EQ(with_closed(">&-").exit.code, 69);
  const auto heard = with_closed("<&- 2>&-");
  EXPECT_EQ(heard.exit.code, 0);
  EXPECT_TRUE(document_of(heard).contains("queues"));
}

TEST_P(CliInit, EverythingElseWantsItFirst) {
  EXPECT_THAT(refused({"queue", "list"}, 2), HasSubstr("quarry init"));
  EXPECT_THAT(refused({"job", "list"}, 2), HasSubstr("quarry init"));
  EXPECT_THAT(refused({"crawl", "http://127.0.0.1:1/"}, 2), HasSubstr("quarry init"));
}

TEST_P(CliInit, SomebodyElsesDatabaseIsLeftAlone) {
  db().write([](Write& tx) { tx.session().run_script("theirs", "create table theirs (a integer)"); });
  EXPECT_THAT(refused({"init"}, 6), HasSubstr("somebody else's tables"));
  EXPECT_THAT(refused({"queue", "list"}, 6), HasSubstr("somebody else's tables"));
  EXPECT_THAT(refused({"migrate", "up"}, 6), HasSubstr("somebody else's tables"));
}

TEST_P(CliInit, ADatabaseThatIsNewerThanTheProgram) {
  json({"init"});
  db().write([](Write& tx) {
    tx.session().run_script(
        "newer",
        "update schema_migrations set version = version + 100 where version = (select max(version) from schema_migrations)");
  });
  EXPECT_THAT(refused({"queue", "list"}, 7), HasSubstr("use a newer quarry"));
  EXPECT_THAT(refused({"init"}, 7), HasSubstr("use a newer quarry"));
}

TEST(CliFiles, AFileOfSomethingElseIsNotTouched) {
  const TempDir folder;
  const auto quarry = [&](std::vector<std::string> args) {
    return test::run({.program = QUARRY_BINARY, .args = std::move(args), .directory = folder.path()});
  };
  write_file(folder / "letter.txt",
             "Dear all, this is no database, and it is longer than a hundred bytes, which is what a header takes.\n");
  const auto before = read_file(folder / "letter.txt");
  const auto refused = quarry({"init", "--db", "sqlite:letter.txt"});
  EXPECT_EQ(refused.exit.code, 6);
  EXPECT_THAT(refused.err, HasSubstr("no SQLite database"));
  EXPECT_EQ(read_file(folder / "letter.txt"), before);

  // Another program's database keeps its journal mode: not a byte changes.
  {
    auto theirs = Database::open("sqlite:" + (folder / "theirs.db").string());
    theirs.write([](Write& tx) { tx.session().run_script("theirs", "create table theirs (a integer)"); });
    theirs.backend().run_outside_transaction("journal", "pragma wal_checkpoint(truncate)");
  }
  const auto theirs = read_file(folder / "theirs.db");
  EXPECT_EQ(quarry({"init", "--db", "sqlite:theirs.db"}).exit.code, 6);
  EXPECT_EQ(quarry({"queue", "list", "--db", "sqlite:theirs.db"}).exit.code, 6);
  EXPECT_EQ(read_file(folder / "theirs.db"), theirs);
}

TEST(CliFiles, PlacesThatAreMissing) {
  const TempDir folder;
  const auto quarry = [&](std::vector<std::string> args) {
    return test::run({.program = QUARRY_BINARY, .args = std::move(args), .directory = folder.path()});
  };
  const auto no_folder = quarry({"init"});
  EXPECT_EQ(no_folder.exit.code, 73);
  EXPECT_THAT(no_folder.err, HasSubstr("mkdir -p 'data'"));
  EXPECT_FALSE(std::filesystem::exists(folder / "data"));
  test::write_file(folder / "file", "");
  const auto a_file = quarry({"init", "--db", "sqlite:file/q.db"});
  EXPECT_EQ(a_file.exit.code, 73);
  EXPECT_THAT(a_file.err, testing::AllOf(HasSubstr("'file' is no directory"), testing::Not(HasSubstr("mkdir"))));
  std::filesystem::remove(folder / "file");
  std::filesystem::create_symlink("nowhere/q.db", folder / "link.db");
  const auto a_link = quarry({"init", "--db", "sqlite:link.db"});
  EXPECT_EQ(a_link.exit.code, 73);
  EXPECT_THAT(a_link.err, HasSubstr("mkdir -p 'nowhere'"));
  std::filesystem::remove(folder / "link.db");
  const auto no_file = quarry({"queue", "list", "--db", "sqlite:q.db"});
  EXPECT_EQ(no_file.exit.code, 66);
  EXPECT_FALSE(std::filesystem::exists(folder / "q.db"));
  const auto bad_url = quarry({"init", "--db", "sqlite://q.db"});
  EXPECT_EQ(bad_url.exit.code, 64);
  const auto options = quarry({"init", "--db", "sqlite:q.db?mode=ro"});
  EXPECT_EQ(options.exit.code, 64) << "no file of that name";
  EXPECT_THAT(options.err, HasSubstr("?mode=ro"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 0);
  const auto down = quarry({"queue", "list", "--db", "postgresql://me:s3cret@127.0.0.1:1/q", "--json"});
  EXPECT_EQ(down.exit.code, 69);
  EXPECT_THAT(down.out + down.err, testing::Not(HasSubstr("s3cret")));
}

TEST(CliFiles, SettingsComeFromTheEnvironmentAndAFileToo) {
  const TempDir folder;
  const auto quarry = [&](std::vector<std::string> args, std::map<std::string, std::string> environment) {
    return test::run({.program = QUARRY_BINARY,
                      .args = std::move(args),
                      .environment = std::move(environment),
                      .directory = folder.path()});
  };
  write_file(folder / "q.toml", "db = 'sqlite:file.db'\n");
  EXPECT_EQ(quarry({"init", "--config-file", "q.toml"}, {}).exit.code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "file.db"));
  EXPECT_EQ(quarry({"init"}, {{"QUARRY_CONFIG_FILE", "q.toml"}, {"QUARRY_DB", "sqlite:env.db"}}).exit.code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "env.db"));
  EXPECT_EQ(quarry({"init", "--db", "sqlite:flag.db"}, {{"QUARRY_DB", "sqlite:env.db"}}).exit.code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "flag.db"));
  write_file(folder / "bad.toml", "dbb = 'x'\n");
  EXPECT_THAT(quarry({"init", "--config-file", "bad.toml"}, {}).err, HasSubstr("'dbb'"));
}

}  // namespace
}  // namespace quarry::test
