/// What somebody meets who tries the program out on an empty database: empty lists, options that were forgotten, files that
/// are none.

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "conformance/cli/cli_test.hpp"

namespace quarry::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class CliNewcomer : public CliTest {};
QUARRY_BOTH_ENGINES(CliNewcomer);

TEST_P(CliNewcomer, EmptyListsSaySoInsteadOfHeadingsAlone) {
  const auto hosts = run({"queue", "hosts"});
  EXPECT_EQ(hosts.out, "");
  EXPECT_THAT(hosts.err, HasSubstr("no task has named a host yet"));
  json({"schedule", "add", "tick", "@hourly", "--queue", "mine", "--task-type", "beat"});
  json({"job", "submit", "https://example.org/"});
  const auto dead = run({"queue", "tasks", "--status", "dead"});
  EXPECT_EQ(dead.out, "");
  EXPECT_THAT(dead.err, HasSubstr("there are no tasks that are dead"));
  EXPECT_TRUE(json({"queue", "tasks", "--status", "dead"}).at("tasks").as_array().empty());
}

TEST_P(CliNewcomer, TheFolderOfBodiesIsNotMissedBeforeThereIsABody) {
  ASSERT_FALSE(fs::exists(database().folder() / "blobs"));
  EXPECT_TRUE(json({"artifact", "fsck"}).at("is_sound").as_bool());
  EXPECT_EQ(number(json({"artifact", "gc"}), "blobs"), 0);
}

TEST_P(CliNewcomer, AFolderOfBodiesThatIsGoneIsMissed) {
  json({"seed", "--demo"});
  const auto folder = database().folder() / "blobs";
  fs::rename(folder, database().folder() / "elsewhere");
  EXPECT_THAT(refused({"artifact", "gc"}, 69), HasSubstr("blobs"));
  EXPECT_THAT(refused({"artifact", "fsck"}, 69), HasSubstr("blobs"));
}

TEST_P(CliNewcomer, AChangeOfNothingIsNoChange) {
  EXPECT_THAT(refused({"plan", "set", "starter"}, 64), HasSubstr("nothing to change"));
  const auto job = text(json({"job", "submit", "https://example.org/"}).at("job").as_object(), "id");
  EXPECT_THAT(refused({"job", "edit", job}, 64), HasSubstr("nothing to change"));
  json({"init"});
  EXPECT_THAT(refused({"user", "set", "local"}, 64), HasSubstr("nothing to change"));
  json({"user", "set", "local", "--full-name", "Who sits here"});
}

TEST_P(CliNewcomer, AScheduleTellsWhatItDoes) {
  json({"schedule", "add", "tick", "@hourly", "--queue", "mine", "--task-type", "beat", "--payload", "{\"n\": 1}"});
  const auto shown = run({"schedule", "show", "tick"}).out;
  EXPECT_THAT(shown, HasSubstr("queue      mine"));
  EXPECT_THAT(shown, HasSubstr("task type  beat"));
}

TEST_P(CliNewcomer, ADayIsADay) {
  for (const auto* day : {"yesterday", "2026-02-30", "2026-3-1"})
    EXPECT_THAT(refused({"usage", "rollup", "--date", day}, 64), HasSubstr("is no day: write it as 2026-03-01"));
}

TEST_P(CliNewcomer, WhatIsReadMustBeAFileThatMayBeRead) {
  const auto folder = database().folder().string();
  EXPECT_THAT(refused({"billing", "ingest", folder}, 64), HasSubstr("the event '" + folder + "' is no file"));
  EXPECT_TRUE(json({"billing", "events"}).at("events").as_array().empty()) << "nothing of it was stored";
  EXPECT_THAT(refused({"billing", "ingest", folder + "/none"}, 66), HasSubstr("is the name right?"));
  EXPECT_THAT(refused({"user", "add", "ada", "--email", "ada@example.org", "--password-file", folder}, 64),
              HasSubstr("the file of the password"));
  EXPECT_THAT(refused({"queue", "list", "--config-file", folder + "/none"}, 66), HasSubstr("the config file"));
  EXPECT_THAT(refused({"job", "submit", "--config", folder}, 64), HasSubstr("is no file"));
  EXPECT_THAT(refused({"migrate", "new", "x", "--dir", folder + "/none"}, 66), HasSubstr("migrations' folder"));
  EXPECT_THAT(refused({"backup", "public-key", "--key-file", folder + "/none"}, 66), HasSubstr("is the name right?"));
  if (::geteuid() == 0) return;  // who may read everything
  const auto closed = folder + "/closed.toml";
  std::ofstream(closed) << "json = true\n";
  fs::permissions(closed, fs::perms::none);
  EXPECT_THAT(refused({"queue", "list", "--config-file", closed}, 77), HasSubstr("this user may not"));
}

TEST_P(CliNewcomer, BackupsAskForWhatTheyNeed) {
  const auto key = (database().folder() / "key").string();
  json({"setting", "keygen", key});
  EXPECT_THAT(refused({"backup", "--key-file", key}, 64), HasSubstr("`quarry backup DIR`"));
  EXPECT_THAT(refused({"backup", "somewhere"}, 64), HasSubstr("--public-key"));
  for (const auto* command : {"restore", "backup"}) {
    const auto told = command == std::string("backup") ? refused({"backup", "verify", "somewhere"}, 64)
                                                       : refused({"restore", "somewhere"}, 64);
    EXPECT_THAT(told, testing::AllOf(HasSubstr("--key-file or --passphrase-file"), Not(HasSubstr("--public-key"))))
        << command;
  }
}

TEST_P(CliNewcomer, OneIsNotMany) {
  json({"setting", "set", "a", "1"});
  EXPECT_THAT(run({"audit", "verify"}).out, HasSubstr("1 entry, and the chain is whole"));
  json({"setting", "set", "a", "2"});
  EXPECT_THAT(run({"audit", "verify"}).out, HasSubstr("2 entries, and the chain is whole"));
  EXPECT_THAT(run({"usage", "expire"}).out, HasSubstr("0 reservations were given back"));
}

TEST_P(CliNewcomer, AUserComesBack) {
  const auto made = json({"user", "add", "ada", "--email", "ada@example.org", "--google-id", "1"});
  const auto id = text(made, "id");
  EXPECT_THAT(run({"user", "undelete", "ada"}).out, HasSubstr("user ada was not deleted"));
  json({"user", "delete", "ada"});
  EXPECT_THAT(run({"user", "undelete", id}).out, HasSubstr("is back"));
  EXPECT_THAT(refused({"user", "show", "nobody"}, 66), HasSubstr("`quarry user list`"));
}

}  // namespace
}  // namespace quarry::test
