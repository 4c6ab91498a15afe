#include "conformance/system/system_test.hpp"

namespace quarry::test {
namespace {

using system::KeyRing;
using system::SettingType;

class Settings : public SystemTest {
 protected:
  bool unset(const std::string& key, std::optional<Instant> since = {}) {
    return db().write([&](Write& tx) { return system::unset(tx, key, since); });
  }
  /// Everything that the engine has put into files, or the table as it would be dumped.
  std::string stored_bytes() {
    if (is_sqlite()) {
      std::string all;
      for (const auto& file : std::filesystem::recursive_directory_iterator(database().folder()))
        if (file.is_regular_file()) all += read_file(file.path());
      EXPECT_GT(all.size(), 100'000U);
      return all;
    }
    return db().read([](Read& tx) {
      static constexpr sql::Query<std::string()> dump{
          "test.dump", sql::sqlite("select ''"),
          sql::postgres("select string_agg(to_jsonb(s)::text, ' ') || (select string_agg(to_jsonb(a)::text, ' ')"
                        " from audit_logs a) from system_config s")};
      return tx.value(dump);
    });
  }
};
QUARRY_BOTH_ENGINES(Settings);

TEST_P(Settings, AreMadeReadChangedAndTakenAway) {
  const auto made = set({.key = "max_file_size_mb", .type = SettingType::integer, .value = "50", .description = "Per file"});
  EXPECT_EQ(made.value, "50");
  EXPECT_EQ(made.created_at, clock().now());
  clock().advance(std::chrono::seconds(1));
  const auto changed = set({.key = "max_file_size_mb", .value = "60"});
  EXPECT_EQ(changed.id, made.id);
  EXPECT_EQ(changed.type, SettingType::integer) << "what is not named stays";
  EXPECT_EQ(changed.description, "Per file");
  EXPECT_EQ(changed.updated_at, clock().now());
  EXPECT_EQ(set({.key = "max_file_size_mb", .description = std::optional<std::string>()}).description, std::nullopt);
  db().read([&](Read& tx) {
    EXPECT_EQ(system::get_integer(tx, "max_file_size_mb"), 60);
    EXPECT_TRUE(system::exists(tx, "max_file_size_mb"));
    EXPECT_EQ(system::get_integer(tx, "absent"), std::nullopt);
    EXPECT_EQ(code_of([&] { system::get(tx, "absent"); }), ErrorCode::not_found);
    EXPECT_EQ(code_of([&] { system::get_string(tx, "max_file_size_mb"); }), ErrorCode::invalid) << "another type";
  });
  EXPECT_TRUE(unset("max_file_size_mb"));
  EXPECT_FALSE(unset("max_file_size_mb"));
  EXPECT_FALSE(find("max_file_size_mb"));
}

// SL-10: allowed_file_types was stored with single quotes, which no JSON has.
TEST_P(Settings, ValuesAreOfTheirTypeOrRefused) {
  const auto refused = [&](SettingType type, std::string_view value) {
    const auto code = code_of([&] { set({.key = "x", .type = type, .value = value}); });
    EXPECT_FALSE(find("x"));
    if (find("x")) unset("x");
    return code;
  };
  EXPECT_EQ(refused(SettingType::json, "['pdf', 'html']"), ErrorCode::invalid);
  for (const auto* bad : {"", "ten", "1.5", "+1", "01", " 1", "1 ", "9223372036854775808", "0x10", "-0"})
    EXPECT_EQ(refused(SettingType::integer, bad), ErrorCode::invalid) << bad;
  for (const auto* bad : {"", "yes", "1", "True", "TRUE"})
    EXPECT_EQ(refused(SettingType::boolean, bad), ErrorCode::invalid) << bad;
  EXPECT_EQ(refused(SettingType::string, "\xff"), ErrorCode::invalid);
  EXPECT_EQ(refused(SettingType::string, std::string_view("\0", 1)), ErrorCode::invalid);
  EXPECT_EQ(refused(SettingType::string, std::string(70'000, 'x')), ErrorCode::invalid);
  set({.key = "a.json", .type = SettingType::json, .value = R"(["pdf", "html"])"});
  set({.key = "an.integer", .type = SettingType::integer, .value = "-9223372036854775808"});
  set({.key = "a.boolean", .type = SettingType::boolean, .value = "false"});
  set({.key = "a.string", .value = "grüße"});
  db().read([&](Read& tx) {
    EXPECT_EQ(system::get_json(tx, "a.json")->text, R"(["pdf", "html"])");
    EXPECT_EQ(system::get_integer(tx, "an.integer"), INT64_MIN);
    EXPECT_EQ(system::get_boolean(tx, "a.boolean"), false);
    EXPECT_EQ(system::get_string(tx, "a.string"), "grüße");
  });
  EXPECT_EQ(code_of([&] { set({.key = "a.boolean", .value = "maybe"}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { set({.key = "a.boolean", .type = SettingType::string, .value = "x"}); }), ErrorCode::conflict);
  EXPECT_EQ(find("a.boolean")->value, "false");
}

TEST_P(Settings, KeysAreNamedPlainly) {
  for (const auto& bad : {std::string(), std::string("A"), std::string("1a"), std::string("a b"), std::string("a'b"),
                          std::string(101, 'a'), std::string("ä")})
    EXPECT_EQ(code_of([&] { set({.key = bad, .value = "x"}); }), ErrorCode::invalid) << bad;
  EXPECT_EQ(code_of([&] { set({.key = "new"}); }), ErrorCode::invalid) << "without a value";
}

TEST_P(Settings, AStaleChangeIsRefused) {
  const auto first = set({.key = "x", .value = "1"});
  const auto second = set({.key = "x", .value = "2", .unchanged_since = first.updated_at});
  EXPECT_GT(second.updated_at, first.updated_at) << "although the clock stands still";
  EXPECT_EQ(code_of([&] { set({.key = "x", .value = "3", .unchanged_since = first.updated_at}); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { unset("x", first.updated_at); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { set({.key = "y", .value = "3", .unchanged_since = first.updated_at}); }), ErrorCode::not_found);
  EXPECT_EQ(find("x")->value, "2");
}

TEST_P(Settings, ListFilterSortAndPage) {
  for (const auto* key : {"b_two", "a.one", "c-three"}) {
    clock().advance(std::chrono::seconds(1));
    set({.key = key, .value = "v", .description = std::string("About ") + key});
  }
  set({.key = "d", .type = SettingType::boolean, .value = "true"});
  const auto keys = [&](const system::SettingFilter& filter, const system::SettingListOrder& order = {}) {
    std::vector<std::string> found;
    for (const auto& setting : db().read([&](Read& tx) { return system::list(tx, filter, {}, order).rows; }))
      found.push_back(setting.key);
    return found;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys({}), (Keys{"a.one", "b_two", "c-three", "d"}));
  EXPECT_EQ(keys({.type = SettingType::boolean}), Keys{"d"});
  EXPECT_EQ(keys({.prefix = "b_"}), Keys{"b_two"});
  EXPECT_EQ(keys({.text = "ABOUT A.ONE"}), Keys{"a.one"});
  EXPECT_EQ(keys({}, {system::SettingOrder::updated_at, store::Direction::descending})[0], "d");
  db().read([&](Read& tx) {
    EXPECT_EQ(system::count(tx), 4);
    const auto first = system::list(tx, {}, {.limit = 3, .with_total = true});
    EXPECT_EQ(first.total, 4);
    const auto second = system::list(tx, {}, {.limit = 3, .after = first.next.value()});
    ASSERT_EQ(second.rows.size(), 1U);
    EXPECT_EQ(second.rows[0].key, "d");
    EXPECT_EQ(code_of([&] { system::list(tx, {}, {.after = "bad"}); }), ErrorCode::invalid);
  });
}

// SL-12: is_sensitive was only a flag.
TEST_P(Settings, ASensitiveValueIsNowhereInClear) {
  const auto ring = KeyRing::generate("k1");
  const std::string secret = "correct-horse-battery-staple";
  const auto made = set({.key = "smtp_password", .value = secret, .is_sensitive = true}, &ring);
  EXPECT_EQ(made.value, system::masked_value);
  EXPECT_EQ(made.key_id, "k1");
  EXPECT_EQ(find("smtp_password")->value, system::masked_value);
  db().read([&](Read& tx) {
    EXPECT_EQ(system::list(tx).rows[0].value, system::masked_value);
    EXPECT_EQ(code_of([&] { system::get_string(tx, "smtp_password"); }), ErrorCode::invalid);
  });
  set({.key = "smtp_password", .value = secret + "-2"}, &ring);
  EXPECT_EQ(reveal("smtp_password", ring), secret + "-2");
  set({.key = "in_clear", .value = "wrong-donkey-charger-clip"});
  EXPECT_NE(stored_bytes().find("wrong-donkey-charger-clip"), std::string::npos) << "the search would find it";
  EXPECT_EQ(stored_bytes().find("horse-battery"), std::string::npos);
  EXPECT_EQ(reveal("in_clear", ring), "wrong-donkey-charger-clip");
}

TEST_P(Settings, ASensitiveOneStaysSo) {
  const auto ring = KeyRing::generate("k1");
  EXPECT_EQ(code_of([&] { set({.key = "s", .value = "x", .is_sensitive = true}); }), ErrorCode::invalid) << "no ring";
  set({.key = "s", .type = SettingType::integer, .value = "42", .is_sensitive = true}, &ring);
  EXPECT_EQ(code_of([&] { set({.key = "s", .value = "43"}); }), ErrorCode::invalid) << "no ring";
  EXPECT_EQ(code_of([&] { set({.key = "s", .value = "x"}, &ring); }), ErrorCode::invalid) << "checked before it is sealed";
  EXPECT_EQ(code_of([&] { set({.key = "s", .value = "43", .is_sensitive = false}); }), ErrorCode::conflict);
  EXPECT_EQ(set({.key = "s", .description = "a number"}).description, "a number") << "needs no ring";
  EXPECT_EQ(reveal("s", ring), "42");
  set({.key = "t", .value = "open"});
  EXPECT_EQ(code_of([&] { set({.key = "t", .is_sensitive = true}, &ring); }), ErrorCode::invalid);
  EXPECT_EQ(set({.key = "t", .value = "closed", .is_sensitive = true}, &ring).value, system::masked_value);
  EXPECT_EQ(reveal("t", ring), "closed");
}

TEST_P(Settings, AValueOfAnotherRowDoesNotOpen) {
  const auto ring = KeyRing::generate("k1");
  set({.key = "mine", .value = "my-value", .is_sensitive = true}, &ring);
  set({.key = "theirs", .value = "their-value", .is_sensitive = true}, &ring);
  tamper("update system_config set value = (select value from system_config where key = 'theirs') where key = 'mine'");
  EXPECT_EQ(code_of([&] { reveal("mine", ring); }), ErrorCode::corrupt);
  EXPECT_EQ(reveal("theirs", ring), "their-value");
  tamper("update system_config set key = 'renamed' where key = 'theirs'");
  EXPECT_EQ(code_of([&] { reveal("renamed", ring); }), ErrorCode::corrupt);
}

TEST_P(Settings, AreForTheSystemAndForAdmins) {
  set({.key = "x", .value = "1"});
  const auto as_ada = [&](auto&& body) { return code_of([&] { db().write({.actor = Actor::user(ada_)}, body); }); };
  EXPECT_EQ(as_ada([](Write& tx) { system::find(tx, "x"); }), ErrorCode::denied);
  EXPECT_EQ(as_ada([](Write& tx) { system::list(tx); }), ErrorCode::denied);
  EXPECT_EQ(as_ada([](Write& tx) { system::count(tx); }), ErrorCode::denied);
  EXPECT_EQ(as_ada([](Write& tx) { system::set(tx, {.key = "x", .value = "2"}); }), ErrorCode::denied);
  EXPECT_EQ(as_ada([](Write& tx) { system::unset(tx, "x"); }), ErrorCode::denied);
  db().write({.actor = Actor::admin(bob_)}, [](Write& tx) { system::set(tx, {.key = "x", .value = "3"}); });
  EXPECT_EQ(find("x")->value, "3");
  EXPECT_EQ(entries({.user_id = bob_}).at(0).action, "setting.set") << "changes of settings are recorded";
}

}  // namespace
}  // namespace quarry::test
