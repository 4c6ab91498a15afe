#include "conformance/cli/cli_test.hpp"
#include "support/postgres_admin.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class CliBackup : public CliTest {
 protected:
  void SetUp() override { ASSERT_TRUE(run({"setting", "keygen", keys()}).exit.ok()); }
  void TearDown() override {
    if (is_postgres()) run_as_admin("drop database if exists " + other_name());
  }
  std::string path(const std::string& name) { return (database().folder() / name).string(); }
  std::string keys() { return path("keys"); }
  std::string dir() { return path("backups"); }
  std::string other_name() {
    const auto path = database().url().substr(0, database().url().find('?'));
    return path.substr(path.rfind('/') + 1) + "_restored";
  }
  std::string other_url() {
    return is_sqlite() ? "sqlite:" + path("other.db") : url_of_database(database().url(), other_name());
  }
  Finished restore(Args more) {
    Args args{"restore", dir(), "--key-file", keys(), "--json", "--db", other_url(), "--blobs", path("other-blobs")};
    args.insert(args.end(), more.begin(), more.end());
    return test::run({.program = QUARRY_BINARY, .args = args, .directory = database().folder()});
  }
};
QUARRY_BOTH_ENGINES(CliBackup);

TEST_P(CliBackup, IsMadeListedVerifiedPrunedAndRestored) {
  ASSERT_TRUE(run({"init"}).exit.ok());
  const auto made = json({"backup", dir(), "--key-file", keys()}).at("backup").as_object();
  EXPECT_TRUE(made.at("verified_at").is_string());
  EXPECT_EQ(text(made, "key_mode"), "key_file");
  const auto again = json({"backup", dir(), "--key-file", keys(), "--keep", "1d"});
  EXPECT_THAT(again.at("pruned").at("removed").as_array(), SizeIs(1));
  const auto listed = json({"backup", "list", dir()}).at("backups").as_array();
  ASSERT_THAT(listed, SizeIs(1));
  const auto name = text(again.at("backup").as_object(), "name");
  EXPECT_EQ(text(listed[0].as_object(), "name"), name);
  EXPECT_THAT(run({"backup", "list", dir()}).out, HasSubstr(name));
  EXPECT_THAT(
      json({"backup", "verify", dir(), "--backup", name.substr(0, 20), "--key-file", keys()}).at("backups").as_array(),
      SizeIs(1));
  EXPECT_EQ(number(json({"backup", "prune", dir(), "--keep", "7d,4w", "--dry-run"}), "kept"), 1);

  const auto restored = restore({});
  ASSERT_TRUE(restored.exit.ok()) << restored.err << restored.out;
  EXPECT_EQ(text(document_of(restored), "name"), name);
  EXPECT_EQ(test::run({.program = QUARRY_BINARY, .args = {"migrate", "current", "--db", other_url()}}).exit.code, 0);
  EXPECT_EQ(restore({}).exit.code, 75) << "it has rows now";
  EXPECT_TRUE(restore({"--replace"}).exit.ok());
}

TEST_P(CliBackup, WantsAKey) {
  EXPECT_THAT(refused({"backup", dir()}, 64), HasSubstr("--key-file"));
  EXPECT_THAT(refused({"backup", "--key-file", keys()}, 64), HasSubstr("quarry backup DIR"));
  EXPECT_THAT(refused({"backup", "prune", dir()}, 64), HasSubstr("--keep-log"));
  EXPECT_THAT(refused({"backup", "prune", dir(), "--keep-log", "14"}, 64), HasSubstr("14d"));
  EXPECT_THAT(refused({"backup", dir(), "--key-file", keys(), "--public-key", keys()}, 64), HasSubstr("name one"));
  EXPECT_THAT(refused({"backup", dir(), "--key-file", path("none")}, 66), HasSubstr("none"));
  EXPECT_THAT(refused({"backup", dir(), "--key-file", keys(), "--keep", "7 days"}, 64), HasSubstr("7d,4w,12m"));
  EXPECT_FALSE(std::filesystem::exists(dir()));
}

TEST_P(CliBackup, KeepsDatabasesApart) {
  json({"backup", dir(), "--key-file", keys()});
  ASSERT_TRUE(test::run({.program = QUARRY_BINARY, .args = {"init", "--db", "sqlite:" + path("second.db")}}).exit.ok());
  const auto second = [&](const std::string& url) {
    return test::run({.program = QUARRY_BINARY, .args = {"backup", dir(), "--key-file", keys(), "--db", url}});
  };
  const auto refused = second("sqlite:" + path("second.db"));
  EXPECT_EQ(refused.exit.code, 75);
  EXPECT_THAT(refused.err, HasSubstr("another database"));
  // Restored elsewhere it is the same one.
  ASSERT_TRUE(restore({}).exit.ok());
  EXPECT_EQ(second(other_url()).exit.code, 0);
}

TEST_P(CliBackup, TellsOfBodiesThatABackupDoesNotHold) {
  ASSERT_TRUE(run({"seed", "--demo"}).exit.ok());
  const auto made = json({"backup", dir(), "--key-file", keys(), "--no-bodies"}).at("backup").as_object();
  EXPECT_EQ(number(made, "bodies_left_out"), 3);
  const auto restored = restore({});
  EXPECT_EQ(restored.exit.code, 0) << restored.err;
  EXPECT_EQ(number(document_of(restored), "bodies_missing"), 3);
  EXPECT_THAT(restored.err, HasSubstr("3 bodies"));
}

TEST_P(CliBackup, RefusesAnEmptyValue) {
  json({"backup", dir(), "--key-file", keys()});
  EXPECT_THAT(refused({"restore", dir(), "--key-file", keys(), "--at", ""}, 64), HasSubstr("--at"));
  EXPECT_THAT(refused({"restore", dir(), "--key-file", keys(), "--backup", ""}, 64), HasSubstr("--backup"));
  EXPECT_THAT(refused({"backup", dir(), "--key-file", keys(), "--keep", ""}, 64), HasSubstr("--keep"));
  EXPECT_THAT(refused({"backup", "verify", dir(), "--key-file", keys(), "--backup", ""}, 64), HasSubstr("--backup"));
  EXPECT_EQ(json({"backup", "list", dir()}).at("backups").as_array().size(), 1U);
}

class CliBackupOfNothing : public EmptyCliTest {};
QUARRY_BOTH_ENGINES(CliBackupOfNothing);

TEST_P(CliBackupOfNothing, IsRefusedAsEverywhere) {
  const auto path = [&](const std::string& name) { return (database().folder() / name).string(); };
  ASSERT_TRUE(test::run({.program = QUARRY_BINARY, .args = {"setting", "keygen", path("keys")}}).exit.ok());
  const Args backup{"backup", path("backups"), "--key-file", path("keys"), "--keep", "1d"};
  EXPECT_THAT(refused(backup, 2), HasSubstr("quarry init"));
  // Another program's, with a table named like one of ours.
  if (is_postgres())
    run_on_postgres(database().url(), "create table subscription_plans (id integer)");
  else
    database().open().write(
        [](Write& tx) { tx.session().run_script("test.strange", "create table subscription_plans (id integer)"); });
  EXPECT_EQ(run(backup).exit.code, 6);
  EXPECT_FALSE(std::filesystem::exists(path("backups")));
}

TEST_P(CliBackup, NamesWhatIsWrongWithOne) {
  const auto name = text(json({"backup", dir(), "--key-file", keys()}).at("backup").as_object(), "name");
  const auto part = std::filesystem::path(dir()) / name / "database.sealed";
  const auto whole = read_file(part);
  const auto reason = [&](Args more, int code) {
    const auto done = restore(std::move(more));
    EXPECT_EQ(done.exit.code, code) << done.out;
    const auto document = document_of(done);
    return text(document.at("error").as_object(), "reason");
  };
  write_file(part, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(reason({}, 74), "cut");
  std::filesystem::remove(part);
  EXPECT_EQ(reason({}, 74), "missing");
  auto bytes = whole;
  bytes[300] = static_cast<char>(bytes[300] ^ 1);
  write_file(part, bytes);
  EXPECT_EQ(reason({}, 74), "changed");
  write_file(part, whole);
  ASSERT_TRUE(run({"setting", "keygen", path("other-keys")}).exit.ok());
  EXPECT_THAT(refused({"backup", "verify", dir(), "--key-file", path("other-keys")}, 77), HasSubstr("was sealed with"));
}

TEST_P(CliBackup, IsSealedByAHostThatCannotOpenIt) {
  const auto printed = json({"backup", "public-key", "--key-file", keys()});
  write_file(path("public"), text(printed, "public_key") + "\n");
  json({"backup", dir(), "--public-key", path("public")});
  EXPECT_THAT(refused({"backup", "verify", dir()}, 64), HasSubstr("--key-file"));
  EXPECT_TRUE(restore({}).exit.ok());
}

TEST_P(CliBackup, ShowsNeitherPasswordNorUrl) {
  if (is_sqlite()) return;
  const auto done =
      test::run({.program = QUARRY_BINARY,
                 .args = {"backup", dir(), "--key-file", keys(), "--db", "postgresql://ada:secret-word@127.0.0.1:1/none"}});
  EXPECT_FALSE(done.exit.ok());
  EXPECT_EQ((done.out + done.err).find("secret-word"), std::string::npos);
}

}  // namespace
}  // namespace quarry::test
