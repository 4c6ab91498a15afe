#include <fmt/format.h>

#include <thread>

#include "conformance/cli/cli_test.hpp"
#include "quarry/system/audit_verify.hpp"
#include "quarry/system/settings.hpp"
#include "support/postgres_admin.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class CliSystem : public CliTest {
 protected:
  Finished run_with_input(Args args, const std::string& input) {
    auto with_input = command(std::move(args));
    with_input.input = input;
    return test::run(with_input);
  }
  void set_password(const std::string& value, const std::string& keys = "keys") {
    const auto done = run_with_input({"setting", "set", "smtp_password", "--sensitive", "--stdin", "--keys", keys}, value);
    EXPECT_EQ(done.exit.code, 0) << done.err;
    EXPECT_THAT(done.out + done.err, Not(HasSubstr("hunter2")));
  }
  void tamper(const std::string& sql) {
    database().db().write([&](Write& tx) {
      tx.session().run_script("test.tamper", (is_sqlite() ? "drop trigger if exists audit_logs_no_update; "
                                                            "drop trigger if exists audit_logs_no_delete; "
                                                          : "alter table audit_logs disable trigger audit_logs_append_only;"
                                                            "alter table audit_logs_default disable trigger "
                                                            "audit_logs_append_only; ") +
                                                 sql);
    });
  }
};
QUARRY_BOTH_ENGINES(CliSystem);

TEST_P(CliSystem, SettingsAreSetReadListedAndUnset) {
  const auto made = json({"setting", "set", "max_file_size_mb", "50", "--type", "integer", "--description", "Largest file"});
  EXPECT_EQ(text(made, "type"), "integer");
  EXPECT_EQ(run({"setting", "get", "max_file_size_mb"}).out, "50\n");
  EXPECT_EQ(text(json({"setting", "get", "max_file_size_mb"}), "description"), "Largest file");
  EXPECT_THAT(refused({"setting", "set", "max_file_size_mb", "much"}, 64), HasSubstr("integer"));
  refused({"setting", "set", "max_file_size_mb", "true", "--type", "boolean"}, 75);
  refused({"setting", "set", "files", "['pdf']", "--type", "json"}, 64);
  refused({"setting", "set", "Bad Key", "x"}, 64);
  // SL-10: what nobody could obey is not stored.
  EXPECT_THAT(refused({"setting", "set", "max_file_size_mb", "0"}, 64), HasSubstr("from 1 to"));
  EXPECT_THAT(refused({"setting", "set", "session_max_hours", "8"}, 64), HasSubstr("integer")) << "a new one is text";
  EXPECT_THAT(refused({"setting", "set", "allowed_file_types", R"({"pdf":1})", "--type", "json"}, 64), HasSubstr("list"));
  refused({"setting", "set", "maintain.cache_mb", "0", "--type", "integer"}, 64);
  EXPECT_EQ(run({"setting", "get", "max_file_size_mb"}).out, "50\n");
  refused({"setting", "get", "session_max_hours"}, 66);
  refused({"setting", "get", "absent"}, 66);
  json({"setting", "set", "max_file_size_mb", "60", "--unchanged-since", text(made, "updated_at")});
  refused({"setting", "set", "max_file_size_mb", "70", "--unchanged-since", text(made, "updated_at")}, 75);
  json({"setting", "set", "title", "Quarry"});
  const auto page = json({"setting", "list", "--limit", "1", "--total"});
  EXPECT_EQ(number(page, "total"), 2);
  EXPECT_EQ(text(page.at("settings").as_array().at(0).as_object(), "value"), "60");
  EXPECT_THAT(run({"setting", "list", "--after", text(page, "next")}).out, HasSubstr("Quarry"));
  EXPECT_THAT(run({"setting", "list", "--type", "json"}).err, HasSubstr("no such settings"));
  EXPECT_TRUE(json({"setting", "unset", "title"}).at("removed").as_bool());
  EXPECT_FALSE(json({"setting", "unset", "title"}).at("removed").as_bool());
}

TEST_P(CliSystem, ASensitiveValueIsMaskedAndComesByStandardInput) {
  EXPECT_EQ(text(json({"setting", "keygen", "keys"}), "primary"), "k1");
  EXPECT_THAT(refused({"setting", "set", "smtp_password", "hunter2", "--sensitive", "--keys", "keys"}, 64),
              Not(HasSubstr("hunter2")));
  set_password("hunter2\n");
  EXPECT_EQ(run({"setting", "get", "smtp_password"}).out, "********\n");
  EXPECT_THAT(run({"setting", "list"}).out, Not(HasSubstr("hunter2")));
  EXPECT_EQ(run({"setting", "get", "smtp_password", "--reveal", "--keys", "keys"}).out, "hunter2\n");
  EXPECT_THAT(refused({"setting", "get", "smtp_password", "--reveal"}, 64), HasSubstr("QUARRY_KEYS"));
  refused({"setting", "set", "smtp_password", "hunter3"}, 64);
  std::filesystem::permissions(database().folder() / "keys", std::filesystem::perms(0644));
  EXPECT_THAT(refused({"setting", "get", "smtp_password", "--reveal", "--keys", "keys"}, 77), HasSubstr("chmod 600"));
}

TEST_P(CliSystem, KeysComeFromTheEnvironmentToo) {
  json({"setting", "keygen", "keys", "--id", "first"});
  set_password("hunter2");
  auto by_file = command({"setting", "get", "smtp_password", "--reveal"});
  by_file.environment = {{"QUARRY_KEYS_FILE", (database().folder() / "keys").string()}};
  EXPECT_EQ(test::run(by_file).out, "hunter2\n");
  auto by_value = command({"setting", "get", "smtp_password", "--reveal"});
  by_value.environment = {{"QUARRY_KEYS", read_file(database().folder() / "keys")}};
  EXPECT_EQ(test::run(by_value).out, "hunter2\n");
}

TEST_P(CliSystem, KeysAreRotatedAndAWrongOneIsTold) {
  json({"setting", "keygen", "keys"});
  set_password("hunter2");
  EXPECT_EQ(text(json({"setting", "keygen", "keys"}), "primary"), "k2");
  EXPECT_EQ(number(json({"setting", "rotate-key", "--keys", "keys", "--batch", "1"}), "rotated"), 1);
  EXPECT_EQ(number(json({"setting", "rotate-key", "--keys", "keys"}), "rotated"), 0);
  EXPECT_EQ(text(json({"setting", "get", "smtp_password"}), "key_id"), "k2");
  write_file(database().folder() / "event.json",
             R"({"meta":{"event_name":"order_created"},"data":{"type":"orders","id":"1","attributes":{}}})");
  json({"billing", "ingest", "event.json"});
  EXPECT_EQ(number(json({"setting", "rotate-key", "--keys", "keys"}), "messages"), 1);
  EXPECT_THAT(refused({"billing", "replay", "--all"}, 69), HasSubstr("key 'k2'"));
  EXPECT_EQ(number(json({"billing", "replay", "--all", "--keys", "keys"}), "processed"), 1);
  json({"setting", "keygen", "others", "--id", "k2"});
  EXPECT_THAT(refused({"setting", "get", "smtp_password", "--reveal", "--keys", "others"}, 77), HasSubstr("another key"));
}

// Killed in its midst, whenever that is, a rotation loses nothing and goes on.
TEST_P(CliSystem, ARotationSurvivesBeingKilled) {
  constexpr int settings = 150;
  const auto file = database().folder() / "keys";
  auto ring = system::KeyRing::generate("k1");
  const auto db = on_real_time();
  db.write([&](Write& tx) {
    for (int i = 0; i < settings; ++i)
      system::set(tx, {.key = fmt::format("s{}", i), .value = fmt::format("value {}", i), .is_sensitive = true}, &ring);
  });
  const auto rotated = [&] {
    const auto all = db.read([](Read& tx) { return system::list(tx, {}, {.limit = 1000}).rows; });
    return std::ranges::count_if(all, [&](const auto& setting) { return setting.key_id == ring.primary(); });
  };
  int kills = 0;
  // A machine that is busy may be done before it is killed: then once more, to another key.
  for (int round = 2; round < 8 && kills <= 1; ++round) {
    ring.add_primary(fmt::format("k{}", round));
    ring.write_file(file);
    kills = 0;
    for (std::ptrdiff_t seen = 0; seen < settings; ++kills) {
      auto process = Process::start(command({"setting", "rotate-key", "--keys", "keys", "--batch", "1"}));
      while (process.running() && rotated() < seen + 20) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      process.kill();
      seen = rotated();
      for (int i = 0; i < settings; ++i)
        db.read([&](Read& tx) {
          EXPECT_EQ(system::reveal(tx, fmt::format("s{}", i), ring).reveal(), fmt::format("value {}", i));
        });
    }
  }
  EXPECT_GT(kills, 1) << "none was killed before its end";
  EXPECT_EQ(number(json({"setting", "rotate-key", "--keys", "keys"}), "rotated"), 0);
  EXPECT_TRUE(db.read([](Read& tx) { return system::verify_audit(tx).intact(); }));
}

TEST_P(CliSystem, TheAuditLogIsListedAndVerified) {
  EXPECT_THAT(run({"audit", "head"}).err, HasSubstr("empty"));
  EXPECT_EQ(number(json({"audit", "verify"}), "checked"), 0);
  for (const auto* value : {"1", "2", "3"}) json({"setting", "set", "x", value});
  const auto page = json({"audit", "list", "--limit", "2", "--total", "--prefix", "setting."});
  EXPECT_EQ(number(page, "total"), 3);
  EXPECT_EQ(number(page.at("entries").as_array().at(0).as_object(), "chain_seq"), 3);
  EXPECT_EQ(json({"audit", "list", "--after", text(page, "next")}).at("entries").as_array().size(), 1U);
  EXPECT_THAT(refused({"audit", "list", "--after", "x"}, 64), HasSubstr("cursor"));
  auto kept = run({"audit", "head"}).out;
  kept.pop_back();
  EXPECT_EQ(number(json({"audit", "verify", "--expect", kept}), "faults"), 0);
  EXPECT_THAT(run({"audit", "verify"}).out, HasSubstr("whole"));
  refused({"audit", "verify", "--expect", "3"}, 64);

  tamper("update audit_logs set action = 'nothing' where chain_seq = 2");
  EXPECT_THAT(run({"audit", "verify"}).out, HasSubstr("entry 2 was edited"));
  EXPECT_EQ(number(json({"audit", "verify"}, 74), "faults"), 1);
  tamper("delete from audit_logs where chain_seq > 1");
  json({"audit", "verify"});
  EXPECT_EQ(number(json({"audit", "verify", "--expect", kept}, 74), "faults"), 1);
}

TEST_P(CliSystem, PartitionsAreNoDrift) {
  const auto made = json({"audit", "ensure-partitions", "--months-ahead", "1"}).at("made").as_array();
  EXPECT_EQ(made.size(), is_sqlite() ? 0U : 2U);
  EXPECT_EQ(json({"audit", "partitions"}).at("partitions").as_array().size(), is_sqlite() ? 0U : 3U);
  EXPECT_EQ(run({"migrate", "current"}).exit.code, 0);
  EXPECT_EQ(run({"migrate", "diff"}).exit.code, 0) << run({"migrate", "diff"}).out;
  EXPECT_EQ(json({"audit", "retire", "--before", "2020-01-01T00:00:00Z"}).at("retired").as_array().size(), 0U);
  refused({"audit", "retire", "--before", "soon"}, 64);
}

// Superusers pass by row-level security, and so would a test as one: here the tables belong to somebody who does not.
TEST(CliSystemOwner, WhoIsNoSuperuserChainsTheEntriesOfTenants) {
  TestDatabase database(Engine::postgres, Schema::none);
  const auto admin = database.url();
  const auto role = "owner_" + to_string(make_uuid_v7({}, database.db().random())).substr(24);
  run_on_postgres(admin, "create role " + role + " login createrole");
  run_on_postgres(admin, "grant create, usage on schema public to " + role);
  const auto name = run_on_postgres(admin, "select current_database()").at(0);
  run_on_postgres(admin, "grant create, temp on database \"" + name + "\" to " + role);
  auto url = admin;
  const auto at = url.find("user=quarry");
  ASSERT_NE(at, std::string::npos) << "the tests' server is reached as quarry";
  url.replace(at, 11, "user=" + role);
  const auto run = [&](std::vector<std::string> args) {
    args.insert(args.end(), {"--db", url, "--blobs", (database.folder() / "blobs").string()});
    return test::run({.program = QUARRY_BINARY, .args = std::move(args), .directory = database.folder()});
  };
  const auto made = run({"init"});
  ASSERT_EQ(made.exit.code, 0) << made.err;
  EXPECT_EQ(run({"audit", "ensure-partitions"}).exit.code, 0);
  EXPECT_EQ(run({"setting", "set", "x", "1"}).exit.code, 0);
  EXPECT_EQ(run_on_postgres(url, "select chain_seq from quarry_audit_head()"), std::vector<std::string>{"1"});
  AdminConnection tenant(url);
  tenant.run("set role quarry_tenant");
  EXPECT_EQ(tenant.run("select count(*) from audit_logs"), std::vector<std::string>{"0"});
  EXPECT_EQ(tenant.run("select chain_seq from quarry_audit_head()"), std::vector<std::string>{"1"});
  EXPECT_EQ(run({"setting", "set", "x", "2"}).exit.code, 0);
  const auto verified = run({"audit", "verify"});
  EXPECT_EQ(verified.exit.code, 0);
  EXPECT_THAT(verified.out, HasSubstr("2 entries"));
  run_on_postgres(admin, "drop owned by " + role + " cascade");
  run_on_postgres(admin, "drop role " + role);
}

}  // namespace
}  // namespace quarry::test
