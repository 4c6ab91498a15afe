#include "conformance/cli/cli_test.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class CliAccounts : public CliTest {
 protected:
  Finished run_with(const std::string& input, Args args) {
    auto with_input = command(std::move(args));
    with_input.input = input;
    return test::run(with_input);
  }
  boost::json::object json_with(const std::string& input, Args args, int code = 0) {
    args.push_back("--json");
    const auto done = run_with(input, args);
    EXPECT_EQ(done.exit.code, code) << done.err << done.out;
    return document_of(done);
  }
  boost::json::object add(const std::string& name, Args more = {}) {
    Args args{"user", "add", name, "--email", name + "@example.org"};
    args.insert(args.end(), more.begin(), more.end());
    return json_with("correct horse\n", args);
  }
  boost::json::object login(const std::string& name, const std::string& password, int code = 0) {
    return json_with(password, {"session", "open", name}, code);
  }
  static bool flag(const boost::json::object& object, const char* key) { return object.at(key).as_bool(); }
};
QUARRY_BOTH_ENGINES(CliAccounts);

TEST_P(CliAccounts, UsersAreMadeListedAndShown) {
  const auto ada = add("ada", {"--full-name", "Ada L.", "--role", "admin", "--verified"});
  EXPECT_EQ(text(ada, "role"), "admin");
  EXPECT_TRUE(flag(ada, "has_password"));
  EXPECT_TRUE(flag(ada, "is_verified"));
  EXPECT_FALSE(flag(add("bob", {"--google-id", "1001", "--inactive"}), "has_password")) << "no password is asked for";
  const auto page = json({"user", "list", "--sort", "username", "--reverse", "--limit", "1", "--total"});
  EXPECT_EQ(number(page, "total"), 2);
  EXPECT_EQ(text(page.at("users").as_array().at(0).as_object(), "username"), "ada");
  const auto rest = json({"user", "list", "--sort", "username", "--reverse", "--after", text(page, "next")});
  EXPECT_EQ(text(rest.at("users").as_array().at(0).as_object(), "username"), "bob");
  for (const Args& args : {Args{"--role", "admin"}, Args{"--active"}, Args{"--verified"}, Args{"--text", "ADA@"}}) {
    Args list{"user", "list"};
    list.insert(list.end(), args.begin(), args.end());
    const auto found = json(list).at("users").as_array();
    ASSERT_EQ(found.size(), 1U) << args[0];
    EXPECT_EQ(text(found.at(0).as_object(), "username"), "ada");
  }
  EXPECT_THAT(run({"user", "list"}).out, HasSubstr("bob@example.org"));
  EXPECT_THAT(run({"user", "show", "ADA@example.org"}).out, HasSubstr("Ada L."));
  EXPECT_EQ(text(json({"user", "show", text(ada, "id")}), "username"), "ada");
  EXPECT_EQ(number(json({"user", "stats"}), "users"), 2);
  EXPECT_THAT(run({"user", "stats"}).out, HasSubstr("moderators"));
}

TEST_P(CliAccounts, PasswordsComeFromFilesAndAreNeverPrinted) {
  write_file(database().folder() / "password", "battery staple\n");
  json_with("", {"user", "add", "ada", "--email", "ada@example.org", "--password-file", "password"});
  login("ada", "battery staple");
  const auto done = run_with("sieben7", {"user", "passwd", "ada"});
  EXPECT_EQ(done.exit.code, 64);
  EXPECT_THAT(done.err, testing::AllOf(HasSubstr("at least 8"), Not(HasSubstr("sieben7"))));
  EXPECT_EQ(run_with("another horse", {"user", "passwd", "ada"}).exit.code, 0);
  login("ada", "battery staple", 77);
  login("ada@example.org", "another horse");
  EXPECT_THAT(refused({"user", "passwd", "ada", "--password-file", "missing"}, 66), HasSubstr("missing"));
  EXPECT_THAT(run_with("", {"user", "passwd", "ada"}).err, HasSubstr("empty"));
  EXPECT_THAT(run_with("two\nlines\n", {"user", "passwd", "ada"}).err, HasSubstr("more than one line"));
  refused({"user", "add", "eve", "--email", "eve@example.org", "a password"}, 64);
}

TEST_P(CliAccounts, HashesOfOldSystemsAreTaken) {
  write_file(database().folder() / "hash", "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e");
  json({"user", "add", "ada", "--email", "ada@example.org", "--password-hash-file", "hash"});
  EXPECT_THAT(text(login("ada", "correct horse"), "token"), MatchesRegex("qrys_.{43}"));
}

TEST_P(CliAccounts, UsersAreChanged) {
  const auto ada = add("ada");
  const auto seen = text(json({"user", "set", "ada", "--full-name", "Ada", "--role", "moderator"}), "updated_at");
  EXPECT_EQ(text(json({"user", "show", "ada"}), "role"), "moderator");
  json({"user", "set", "ada", "--full-name", "", "--unchanged-since", seen});
  EXPECT_TRUE(json({"user", "show", "ada"}).at("full_name").is_null());
  EXPECT_THAT(refused({"user", "set", "ada", "--email", "a@b.org", "--unchanged-since", seen}, 75),
              HasSubstr("read it again"));
  EXPECT_TRUE(flag(json({"user", "verify", "ada"}), "changed"));
  EXPECT_FALSE(flag(json({"user", "verify", "ada"}), "changed"));
  EXPECT_TRUE(flag(json({"user", "deactivate", "ada"}), "changed"));
  EXPECT_THAT(text(login("ada", "correct horse", 77).at("error").as_object(), "message"), HasSubstr("deactivated"));
  EXPECT_THAT(run({"user", "activate", "ada"}).out, HasSubstr("is active"));
  EXPECT_TRUE(flag(json({"user", "delete", "ada"}), "changed"));
  refused({"user", "show", "ada"}, 66);
  const auto deleted = json({"user", "list", "--deleted"}).at("users").as_array();
  EXPECT_EQ(deleted.at(0).as_object().at("id"), ada.at("id"));
  add("ada");
  EXPECT_THAT(refused({"user", "undelete", text(ada, "id")}, 75), HasSubstr("another user"));
  json({"user", "set", "ada", "--username", "ada2", "--email", "ada2@example.org"});
  EXPECT_TRUE(flag(json({"user", "undelete", text(ada, "id")}), "changed"));
}

TEST_P(CliAccounts, AGuardWithAnEmptyValueGuards) {
  add("ada");
  EXPECT_THAT(refused({"user", "set", "ada", "--full-name", "Ada", "--unchanged-since", ""}, 64),
              HasSubstr("--unchanged-since '': it may not be empty"));
  refused({"user", "set", "ada", "--full-name", "Ada", "--unchanged-since="}, 64);
  EXPECT_TRUE(json({"user", "show", "ada"}).at("full_name").is_null());
  const auto key = text(json({"key", "add", "ada", "--name", "CI", "--scope", "jobs:read"}), "key");
  EXPECT_THAT(text(json_with(key, {"key", "check", "--scope", ""}, 64).at("error").as_object(), "message"),
              HasSubstr("--scope ''"));
  refused({"session", "revoke", "--user", ""}, 64);
  refused({"usage", "show", ""}, 64);
}

TEST_P(CliAccounts, OppositeFiltersAreRefused) {
  EXPECT_THAT(refused({"user", "list", "--active", "--inactive"}, 64),
              testing::AllOf(HasSubstr("--active"), HasSubstr("--inactive")));
  EXPECT_THAT(refused({"user", "list", "--verified", "--unverified"}, 64),
              testing::AllOf(HasSubstr("--verified"), HasSubstr("--unverified")));
  EXPECT_THAT(refused({"limit", "list", "--scrapers", "--user", "ada"}, 64),
              testing::AllOf(HasSubstr("--scrapers"), HasSubstr("--user")));
  add("ada");
  EXPECT_EQ(json({"user", "list", "--inactive"}).at("users").as_array().size(), 0U);
  EXPECT_EQ(json({"user", "list", "--active", "--unverified"}).at("users").as_array().size(), 1U);
}

TEST_P(CliAccounts, SessionsAreOpenedCheckedAndEnded) {
  add("ada");
  const auto one = login("ada", "correct horse"), two = login("ada", "correct horse");
  const auto token = text(one, "token");
  EXPECT_EQ(text(json_with(token, {"session", "check"}).at("user").as_object(), "username"), "ada");
  EXPECT_THAT(run_with(token, {"session", "check"}).out, Not(HasSubstr(token)));
  EXPECT_EQ(json({"session", "list", "--user", "ada", "--live"}).at("sessions").as_array().size(), 2U);
  const auto id = text(one.at("session").as_object(), "id");
  EXPECT_EQ(number(json({"session", "revoke", id}), "sessions"), 1);
  json_with(token, {"session", "check"}, 77);
  EXPECT_THAT(run({"session", "list"}).out, HasSubstr("revoked"));
  EXPECT_EQ(number(json({"session", "revoke", "--user", "ada"}), "sessions"), 1);
  EXPECT_EQ(number(json({"session", "purge"}), "sessions"), 0);
  refused({"session", "revoke"}, 64);
  refused({"session", "revoke", "01890a5d-ac96-774b-bcce-b302099a8057"}, 66);
  refused({"session", "list", "--user", "eve"}, 66);
}

TEST_P(CliAccounts, WrongPasswordsLock) {
  add("ada");
  for (int i = 0; i < 5; ++i) login("ada", "wrong horse", 77);
  EXPECT_THAT(text(login("ada", "correct horse", 75).at("error").as_object(), "message"), HasSubstr("try again after"));
  json({"user", "unlock", "ada"});
  login("ada", "correct horse");
}

TEST_P(CliAccounts, KeysAreMadeCheckedRotatedAndRevoked) {
  add("ada");
  const auto made =
      json({"key", "add", "ada", "--name", "CI", "--scope", "jobs:*", "--scope", "artifacts:read", "--days", "30"});
  const auto key = text(made, "key"), key_id = text(made.at("api_key").as_object(), "key_id");
  EXPECT_EQ(key.substr(4, 16), key_id);
  EXPECT_EQ(text(json_with(key + "\n", {"key", "check", "--scope", "jobs:read"}).at("user").as_object(), "username"), "ada");
  json_with(key, {"key", "check", "--scope", "admin"}, 77);
  EXPECT_THAT(run({"key", "list", "--user", "ada", "--live"}).out,
              testing::AllOf(HasSubstr(key_id), HasSubstr("jobs:* artifacts:read"), Not(HasSubstr(key))));
  const auto next = json({"key", "rotate", key_id, "--grace-hours", "1"});
  json_with(key, {"key", "check"});
  json_with(text(next, "key"), {"key", "check"});
  EXPECT_TRUE(flag(json({"key", "revoke", key_id}), "changed"));
  json_with(key, {"key", "check"}, 77);
  EXPECT_FALSE(flag(json({"key", "revoke", text(made.at("api_key").as_object(), "id")}), "changed"));
  EXPECT_EQ(json({"key", "list", "--live"}).at("keys").as_array().size(), 1U);
  auto typo = key;
  std::swap(typo[30], typo[31] == typo[30] ? typo[32] : typo[31]);
  json_with(typo, {"key", "check"}, 64);
  refused({"key", "revoke", "nokey"}, 66);
  refused({"key", "add", "eve", "--name", "CI"}, 66);
  refused({"key", "add", "ada", "--name", "CI", "--scope", "No Scope"}, 64);
}

TEST_P(CliAccounts, APepperIsKeptOutsideOfTheDatabase) {
  add("ada");
  write_file(database().folder() / "old", std::string(32, 'a') + "\n");
  write_file(database().folder() / "new", std::string(32, 'b') + "\n");
  write_file(database().folder() / "short", "short");
  const auto key = text(json({"key", "add", "ada", "--name", "CI", "--pepper-file", "old"}), "key");
  json_with(key, {"key", "check", "--pepper-file", "old"});
  json_with(key, {"key", "check", "--pepper-file", "new", "--pepper-file", "old"});
  json_with(key, {"key", "check", "--pepper-file", "new"}, 77);
  json_with(key, {"key", "check"}, 77);
  auto by_environment = command({"key", "check", "--json"});
  by_environment.environment["QUARRY_PEPPER_FILE"] = "old";
  by_environment.input = key;
  EXPECT_EQ(test::run(by_environment).exit.code, 0);
  EXPECT_THAT(refused({"key", "add", "ada", "--name", "CI", "--pepper-file", "short"}, 64), HasSubstr("32 bytes"));
}

TEST_P(CliAccounts, BadInputIsNamed) {
  add("ada");
  const auto bad = [&](const Args& args) { return run_with("correct horse", args); };
  EXPECT_THAT(bad({"user", "add", "ada", "--email", "x@example.org"}).err, HasSubstr("another user has this username"));
  EXPECT_EQ(bad({"user", "add", "ada", "--email", "x@example.org"}).exit.code, 75);
  EXPECT_THAT(bad({"user", "add", "ADA", "--email", "ada@example.org"}).err, HasSubstr("another user has this username"));
  EXPECT_EQ(bad({"user", "add", "a b", "--email", "x@example.org"}).exit.code, 64);
  EXPECT_THAT(bad({"user", "add", "eve", "--email", "nowhere"}).err, HasSubstr("email"));
  refused({"user", "show", "eve"}, 66);
  refused({"user", "list", "--role", "king"}, 64);
  refused({"user", "list", "--after", "x"}, 64);
  refused({"user"}, 64);
}

}  // namespace
}  // namespace quarry::test
