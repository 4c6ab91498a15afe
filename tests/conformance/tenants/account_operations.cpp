/// Users, their sessions and keys, their limits, and the log of what was done.

#include <algorithm>

#include "conformance/tenants/tenants_test.hpp"
#include "quarry/accounts/login.hpp"
#include "quarry/accounts/user_change.hpp"
#include "quarry/accounts/user_list.hpp"
#include "quarry/limits/limits.hpp"
#include "quarry/system/audit_partitions.hpp"
#include "quarry/system/audit_verify.hpp"
#include "quarry/system/record.hpp"

namespace quarry::test {

Operations TenantStores::of_users() {
  const std::string table = "users";
  return {
      {table, "accounts::find_user", [&](Write& tx) { return accounts::find_user(tx, bob_).has_value(); }},
      {table, "accounts::find_user", [&](Write& tx) { return accounts::find_user(tx, "bob").has_value(); }},
      {table, "accounts::find_user_by_email",
       [&](Write& tx) { return accounts::find_user_by_email(tx, "bob@example.org").has_value(); }},
      {table, "accounts::find_user_by_google_id",
       [&](Write& tx) { return accounts::find_user_by_google_id(tx, "bob").has_value(); }},
      {table, "accounts::find_any_user", [&](Write& tx) { return accounts::find_any_user(tx, bob_).has_value(); }},
      {table, "accounts::get_user", [&](Write& tx) { return accounts::get_user(tx, bob_).id == bob_; }},
      {table, "accounts::user_exists", [&](Write& tx) { return accounts::user_exists(tx, bob_); }},
      {table, "accounts::list_users",
       [&](Write& tx) {
         const auto rows = accounts::list_users(tx).rows;
         return std::ranges::any_of(rows, [](const auto& user) { return user.id == bob_; });
       }},
      {table, "accounts::count_users", [&](Write& tx) { return accounts::count_users(tx, {.text = "bob"}) > 0; }},
      {table, "accounts::update_user",
       [&](Write& tx) { return accounts::update_user(tx, bob_, {.full_name = "Bob"}).full_name == "Bob"; }},
      {table, "accounts::set_password", [&](Write& tx) { return accounts::set_password(tx, bob_, {}), true; }},
      {table, "accounts::delete_user", [&](Write& tx) { return accounts::delete_user(tx, bob_); }},
      everybodys(
          table, "accounts::create_user",
          [](Write& tx) { accounts::create_user(tx, {.username = "x", .email = "x@example.org", .google_id = "x"}); }),
      everybodys(table, "accounts::set_role", [](Write& tx) { accounts::set_role(tx, bob_, accounts::Role::moderator); }),
      everybodys(table, "accounts::activate_user", [](Write& tx) { accounts::activate_user(tx, bob_); }),
      everybodys(table, "accounts::deactivate_user", [](Write& tx) { accounts::deactivate_user(tx, bob_); }),
      everybodys(table, "accounts::verify_user", [](Write& tx) { accounts::verify_user(tx, bob_); }),
      everybodys(table, "accounts::undelete_user", [](Write& tx) { accounts::undelete_user(tx, bob_); }),
      everybodys(table, "accounts::unlock_user", [](Write& tx) { accounts::unlock_user(tx, bob_); }),
      everybodys(table, "accounts::user_statistics", [](Write& tx) { accounts::user_statistics(tx); }),
      everybodys(table, "accounts::ensure_local_user", [](Write& tx) { accounts::ensure_local_user(tx); }),
  };
}

Operations TenantStores::of_credentials() {
  const std::string sessions = "user_sessions", keys = "api_keys";
  return {
      {sessions, "accounts::open_session",
       [&](Write& tx) { return accounts::open_session(tx, bob_).session.user_id == bob_; }},
      {sessions, "accounts::find_session", [&](Write& tx) { return accounts::find_session(tx, token_).has_value(); }},
      {sessions, "accounts::list_sessions", [&](Write& tx) { return !accounts::list_sessions(tx, bob_).rows.empty(); }},
      {sessions, "accounts::list_sessions", [&](Write& tx) { return !accounts::list_sessions(tx).rows.empty(); }},
      {sessions, "accounts::revoke_session", [&](Write& tx) { return accounts::revoke_session(tx, session_); }},
      {sessions, "accounts::revoke_sessions", [&](Write& tx) { return accounts::revoke_sessions(tx, bob_) > 0; }},
      everybodys(sessions, "accounts::purge_sessions", [](Write& tx) { accounts::purge_sessions(tx, tx.now()); }),
      {keys, "accounts::create_key",
       [&](Write& tx) { return accounts::create_key(tx, peppers_, {.user_id = bob_, .name = "x"}).key.user_id == bob_; }},
      {keys, "accounts::rotate_key",
       [&](Write& tx) { return accounts::rotate_key(tx, peppers_, key_).key.user_id == bob_; }},
      {keys, "accounts::find_key", [&](Write& tx) { return accounts::find_key(tx, key_).has_value(); }},
      {keys, "accounts::find_key", [&](Write& tx) { return accounts::find_key(tx, key_id_).has_value(); }},
      {keys, "accounts::find_key_holder",
       [&](Write& tx) { return accounts::find_key_holder(tx, peppers_, key_text_).has_value(); }},
      {keys, "accounts::list_keys", [&](Write& tx) { return !accounts::list_keys(tx, bob_).rows.empty(); }},
      {keys, "accounts::list_keys", [&](Write& tx) { return !accounts::list_keys(tx).rows.empty(); }},
      {keys, "accounts::revoke_key", [&](Write& tx) { return accounts::revoke_key(tx, key_); }},
  };
}

Operations TenantStores::of_limits() {
  const std::string table = "api_rate_limits";
  const limits::ApiCall call{bob_, "e"};
  const limits::Scraper scraper{"papers"};
  return {
      {table, "limits::take", [=](Write& tx) { return limits::take(tx, call, {}).admitted; }},
      {table, "limits::take_all",
       [=](Write& tx) {
         return limits::take_all(tx, std::vector<limits::Take>{{call, {}}}).at(0).admitted;
       }},
      {table, "limits::peek", [=](Write& tx) { return limits::peek(tx, call, {}).admitted; }},
      {table, "limits::find", [=](Write& tx) { return limits::find(tx, call).has_value(); }},
      {table, "limits::list_api", [](Write& tx) { return !limits::list_api(tx).rows.empty(); }},
      {table, "limits::list_api", [](Write& tx) { return !limits::list_api(tx, bob_).rows.empty(); }},
      everybodys(table, "limits::find", [=](Write& tx) { limits::find(tx, scraper); }),
      everybodys(table, "limits::list_scrapers", [](Write& tx) { limits::list_scrapers(tx); }),
      everybodys(table, "limits::reset", [=](Write& tx) { limits::reset(tx, call); }),
      everybodys(table, "limits::sweep", [](Write& tx) { limits::sweep(tx, std::chrono::hours(1)); }),
  };
}

Operations TenantStores::of_audit() {
  const std::string table = "audit_logs";
  return {
      {table, "system::list_audit", [](Write& tx) { return !system::list_audit(tx, {.user_id = bob_}).rows.empty(); }},
      {table, "system::list_audit", [](Write& tx) { return !system::list_audit(tx, {.action = "bob.did"}).rows.empty(); }},
      {table, "system::count_audit", [](Write& tx) { return system::count_audit(tx, {.user_id = bob_}) > 0; }},
      {table, "system::audit", [](Write& tx) { return system::audit(tx, {.action = "bob.did", .user_id = bob_}).seq > 0; }},
      {table, "system::record", [](Write& tx) { return system::record(tx, {.action = "bob.did", .user_id = bob_}); }},
      everybodys(table, "system::audit_head", [](Write& tx) { system::audit_head(tx); }),
      everybodys(table, "system::verify_audit", [](Write& tx) { system::verify_audit(tx); }),
      everybodys(table, "system::verify_audit_end", [](Write& tx) { system::verify_audit_end(tx, 1); }),
      everybodys(table, "system::audit_partitions", [](Write& tx) { system::audit_partitions(tx); }),
      everybodys(table, "system::ensure_audit_partitions", [](Write& tx) { system::ensure_audit_partitions(tx); }),
      everybodys(table, "system::retire_audit_partition", [](Write& tx) { system::retire_audit_partition(tx, Instant{0}); }),
  };
}

}  // namespace quarry::test
