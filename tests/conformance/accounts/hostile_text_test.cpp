/// Names and tokens come from strangers: whatever bytes they have, they are nobody's, on both engines alike.

#include "conformance/accounts/accounts_test.hpp"
#include "quarry/accounts/api_keys.hpp"
#include "quarry/accounts/login.hpp"

namespace quarry::test {
namespace {

class HostileText : public AccountsTest {};
QUARRY_BOTH_ENGINES(HostileText);

std::vector<std::string> hostile() {
  using namespace std::string_literals;
  return {
      "\xff"s, "ada\0"s,       "\0"s,         "\xc0\x80"s, "ada\xed\xa0\x80"s,     "\xf4\x90\x80\x80"s, "%"s,
      "_da"s,  "' or 1=1 --"s, "ad\xc3\xa4"s, "\x1b[2J"s,  std::string(5000, 'a'), "\xff@example.org"s, "a\0@example.org"s};
}

TEST_P(HostileText, IsNobodysName) {
  create("ada");
  const accounts::PasswordHasher hasher({.cost = {64, 1}});
  for (const auto& text : hostile()) {
    const auto shown = testing::PrintToString(text);
    EXPECT_EQ(accounts::login(db(), hasher, {.name = text, .password = Secret("correct horse")}).status,
              accounts::LoginStatus::wrong)
        << shown;
    db().write([&](Write& tx) {
      EXPECT_FALSE(accounts::find_user(tx, text)) << shown;
      EXPECT_FALSE(accounts::find_user_by_email(tx, text)) << shown;
      EXPECT_FALSE(accounts::find_user_by_google_id(tx, text)) << shown;
      EXPECT_FALSE(accounts::find_key(tx, text)) << shown;
      EXPECT_EQ(accounts::login_with_google(tx, text).status, accounts::LoginStatus::wrong) << shown;
    });
    EXPECT_FALSE(accounts::authenticate(db(), text)) << shown;
    EXPECT_FALSE(accounts::authenticate_key(db(), {}, text)) << shown;
  }
}

TEST_P(HostileText, IsNobodysPassword) {
  const accounts::PasswordHasher hasher({.cost = {64, 1}});
  create({.username = "ada", .email = "ada@example.org", .password_hash = hasher.hash(Secret("correct horse"))});
  for (const auto& text : hostile()) {
    const auto result = accounts::login(db(), hasher, {.name = "ada", .password = Secret(text)});
    EXPECT_NE(result.status, accounts::LoginStatus::ok) << testing::PrintToString(text);
  }
}

TEST_P(HostileText, IsFoundByNoSearchOrRefused) {
  create("ada");
  using namespace std::string_literals;
  for (const auto& text : {"\xff"s, "ada\0"s, "\xc0\x80"s}) {
    try {
      const auto page = db().read([&](Read& tx) { return accounts::list_users(tx, {.text = text}); });
      EXPECT_TRUE(page.rows.empty()) << testing::PrintToString(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid) << testing::PrintToString(text) << ": " << error.client_message();
    }
  }
}

}  // namespace
}  // namespace quarry::test
