#include "accounts/rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/store/checks.hpp"
#include "quarry/system/record.hpp"

namespace quarry::accounts {
namespace {

constexpr bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

}  // namespace

void check_username(std::string_view username) {
  store::check_text("username", username, 1, 50);
  const auto may_stand = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; };
  if (!is_letter_or_digit(username[0]) || !std::ranges::all_of(username, may_stand))
    throw_invalid("a username has letters (a to z), digits, '.', '_' and '-', and begins with a letter or a digit");
}

void check_email(std::string_view email) {
  store::check_text("email", email, 3, 255);
  const auto at = email.find('@');
  const bool is_address = std::ranges::all_of(email, is_visible) && std::ranges::count(email, '@') == 1 && at > 0 &&
                          at + 1 < email.size() && email[at + 1] != '.' && email.back() != '.';
  if (!is_address)
    throw_invalid("the email is not an address like name@example.org (an international domain is written as xn--...)");
}

void check_full_name(std::string_view name) { store::check_text("full name", name, 1, 100); }

void check_google_id(std::string_view google_id) {
  store::check_text("Google id", google_id, 1, 255);
  if (!std::ranges::all_of(google_id, is_visible)) throw_invalid("the Google id has other characters than visible ASCII");
}

bool can_be_stored(std::string_view text) { return store::count_characters(text).has_value(); }

void require_admin(const Read& tx, std::string_view what) {
  if (!tx.actor().sees_all()) throw Error(ErrorCode::denied, fmt::format("{} is for administrators: ask one of them", what));
}

void throw_no_user(UserId user) { throw Error(ErrorCode::not_found, fmt::format("there is no user {}", to_string(user))); }

void record_user(Write& tx, std::string_view action, UserId user, std::string_view details) {
  system::record(tx, {.action = std::string(action),
                      .resource_type = "user",
                      .resource_id = user.value,
                      .details = Json{std::string(details)}});
}

namespace {

[[noreturn]] void throw_taken(const char* what) {
  throw Error(ErrorCode::conflict, fmt::format("another user has {}: choose another one", what));
}

}  // namespace

void throw_if_taken(Read& tx, std::string_view username, std::string_view email,
                    const std::optional<std::string>& google_id) {
  if (find_user(tx, username)) throw_taken("this username");
  if (find_user_by_email(tx, email)) throw_taken("this email");
  if (google_id && find_user_by_google_id(tx, *google_id)) throw_taken("this Google account");
}

void translate(const Error& error) {
  const auto& message = error.engine_message();
  const auto names = [&](std::string_view what) { return message.find(what) != std::string::npos; };
  if (names("idx_users_username")) throw_taken("this username");
  if (names("idx_users_email")) throw_taken("this email");
  if (names("google_id")) throw_taken("this Google account");
  if (names("users_have_a_credential"))
    throw Error(ErrorCode::conflict, "the user would have neither a password nor a Google account: set the other one first");
}

}  // namespace quarry::accounts
