#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "quarry/store/patch.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/sealed.hpp"
#include "quarry/system/settings.hpp"
#include "system/setting_rows.hpp"

namespace quarry::system {
namespace {

constexpr std::size_t setting_key_characters_max = 100;
constexpr std::size_t setting_value_bytes_max = 64 * 1024;
constexpr std::size_t setting_description_characters_max = 1'000;
constexpr int rotate_limit_max = 1'000;

constexpr sql::Command<void(StoredSetting)> insert_setting{"system.insert_setting",
                                                           "insert into system_config (" QUARRY_SETTING_COLUMNS
                                                           ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr sql::Command<void(std::string_view)> delete_setting{"system.delete_setting",
                                                              "delete from system_config where key = $1"};
constexpr sql::Query<StoredSetting(std::string_view)> lock_by_key{
    "system.lock_setting", sql::sqlite("select " QUARRY_SETTING_COLUMNS " from system_config where key = $1"),
    sql::postgres("select " QUARRY_SETTING_COLUMNS " from system_config where key = $1 for update")};
/// One writer of a key at a time, also while the row is not there yet.
constexpr sql::Query<bool(std::string_view)> lock_key_name{
    "system.lock_setting_name", sql::sqlite("select $1 is not null"),
    sql::postgres("select true from (select pg_advisory_xact_lock(hashtext('quarry.setting'), hashtext($1))) locked")};
constexpr sql::Query<std::string(std::string_view)> one_under_key{
    "system.one_under_key", "select value from system_config where key_id = $1 and value is not null limit 1"};
constexpr sql::Query<StoredSetting(std::string_view, int)> lock_under_other_keys{
    "system.lock_under_other_keys",
    sql::sqlite("select " QUARRY_SETTING_COLUMNS " from system_config where key_id is not null and key_id <> $1"
                " and value is not null order by id limit $2"),
    sql::postgres("select " QUARRY_SETTING_COLUMNS " from system_config where key_id is not null and key_id <> $1"
                  " and value is not null order by id limit $2 for update")};
constexpr sql::Query<std::int64_t(std::string_view)> count_under_other_keys{
    "system.count_under_other_keys",
    "select count(*) from system_config where key_id is not null and key_id <> $1 and value is not null"};

std::string_view type_name(SettingType type) { return boost::describe::enum_to_string(type, "?"); }

void check_setting_key(std::string_view key) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  };
  if (key.empty() || key.size() > setting_key_characters_max || key[0] < 'a' || key[0] > 'z' ||
      !std::ranges::all_of(key, is_allowed))
    throw_invalid(fmt::format("a setting's key has 1 to {} small letters, digits, '_', '.' or '-', the first one a letter",
                              setting_key_characters_max));
}

std::optional<StoredSetting> lock_setting(Write& tx, std::string_view key) {
  require_system(tx.actor(), "settings");
  if (tx.engine() == Engine::postgres) tx.value(lock_key_name, key);
  return tx.one(lock_by_key, key);
}

void check_unchanged(std::string_view key, const std::optional<StoredSetting>& before, std::optional<Instant> since) {
  if (!since) return;
  if (!before) throw Error(ErrorCode::not_found, fmt::format("there is no setting '{}'", key));
  if (before->updated_at != *since)
    throw Error(ErrorCode::conflict,
                fmt::format("setting '{}' has changed since {}; read it again", key, to_iso8601(*since)));
}

/// Type and sensitivity may be chosen once.
void check_same_nature(const SettingChange& change, const StoredSetting& before) {
  if (change.type && *change.type != before.type)
    throw Error(ErrorCode::conflict, fmt::format("setting '{}' is of type {}; unset it to make it one of type {}",
                                                 change.key, type_name(before.type), type_name(*change.type)));
  if (before.is_sensitive && change.is_sensitive == false)
    throw Error(ErrorCode::conflict, fmt::format("setting '{}' is sensitive; unset it to make it one in clear", change.key));
  if (!before.is_sensitive && change.is_sensitive == true && !change.value)
    throw_invalid(
        fmt::format("setting '{}' needs a new value to become sensitive: the old one was stored in clear", change.key));
}

void put_value(Write& tx, StoredSetting& row, std::string_view value, const KeyRing* ring) {
  check_value(row.key, row.type, value);
  if (!row.is_sensitive) {
    row.value = value;
    row.key_id.reset();
    return;
  }
  if (!ring)
    throw_invalid(
        fmt::format("setting '{}' is sensitive: a key ring is wanted; `quarry setting keygen` makes one", row.key));
  if (const auto other = tx.one(one_under_key, ring->primary())) check_key_of(*ring, ring->primary(), *other);
  row.value = seal(*ring, {row.id, row.key}, value);
  row.key_id = ring->primary();
}

void note_change(Write& tx, std::string_view action, const StoredSetting& row) {
  // The key's characters need no escapes.
  audit(tx, {.action = std::string(action),
             .resource_type = "setting",
             .resource_id = row.id,
             .details = Json{fmt::format(R"({{"key":"{}","type":"{}","is_sensitive":{}}})", row.key, type_name(row.type),
                                         row.is_sensitive)}});
}

void store_change(Write& tx, const StoredSetting& row, const SettingChange& change) {
  store::Patch patch("system_config");
  patch.set("description", change.description);
  if (change.value) patch.set_to("value", row.value).set_to("key_id", row.key_id).set_to("is_sensitive", row.is_sensitive);
  patch.apply(tx, "system.update_setting", "setting", row.id, "", {.unchanged_since = change.unchanged_since});
}

}  // namespace

void check_value(std::string_view key, SettingType type, std::string_view value) {
  const auto refuse = [&](std::string_view wanted) {
    throw_invalid(fmt::format("setting '{}' is of type {}: its value must be {}", key, type_name(type), wanted));
  };
  if (value.size() > setting_value_bytes_max) refuse(fmt::format("at most {} bytes long", setting_value_bytes_max));
  switch (type) {
    case SettingType::string:
      if (!store::count_characters(value)) refuse("UTF-8 text without zero bytes");
      break;
    case SettingType::integer: {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error != std::errc() || end != value.data() + value.size() || fmt::format("{}", number) != value)
        refuse("a decimal number of at most 63 bits, such as 50 or -1");
      break;
    }
    case SettingType::boolean:
      if (value != "true" && value != "false") refuse("true or false");
      break;
    case SettingType::json:
      store::check_json(fmt::format("the value of setting '{}'", key), std::string(value), setting_value_bytes_max);
  }
}

Setting set(Write& tx, const SettingChange& change, const KeyRing* ring) {
  check_setting_key(change.key);
  if (change.description && *change.description)
    store::check_text("the description", **change.description, 0, setting_description_characters_max);
  const auto before = lock_setting(tx, change.key);
  check_unchanged(change.key, before, change.unchanged_since);
  if (before) check_same_nature(change, *before);
  if (!before && !change.value) throw_invalid(fmt::format("setting '{}' is new and needs a value", change.key));
  StoredSetting row = before.value_or(StoredSetting{});
  if (!before) {
    row.id = tx.new_uuid();
    row.key = change.key;
    row.created_at = row.updated_at = tx.now();
  }
  row.type = change.type.value_or(row.type);
  row.is_sensitive = change.is_sensitive.value_or(row.is_sensitive);
  if (change.description) row.description = *change.description;
  if (change.value) put_value(tx, row, *change.value, ring);
  if (before)
    store_change(tx, row, change);
  else
    tx.run(insert_setting, row);
  note_change(tx, "setting.set", row);
  return get(tx, change.key);
}

bool unset(Write& tx, std::string_view key, std::optional<Instant> unchanged_since) {
  const auto before = lock_setting(tx, key);
  check_unchanged(key, before, unchanged_since);
  if (!before) return false;
  tx.run(delete_setting, key);
  note_change(tx, "setting.unset", *before);
  return true;
}

Rotated rotate_keys(Write& tx, const KeyRing& ring, int limit) {
  require_system(tx.actor(), "settings");
  if (limit < 1 || limit > rotate_limit_max) throw_invalid(fmt::format("a batch has 1 to {} settings", rotate_limit_max));
  if (const auto other = tx.one(one_under_key, ring.primary())) check_key_of(ring, ring.primary(), *other);
  Rotated done;
  for (const auto& row : tx.all(lock_under_other_keys, ring.primary(), limit)) {
    const SealedPlace place{row.id, row.key};
    const auto clear = unseal(ring, *row.key_id, place, *row.value);
    store::Patch patch("system_config");
    const auto sealed = seal(ring, place, clear.reveal());
    patch.set_to("value", sealed).set_to("key_id", ring.primary());
    patch.apply(tx, "system.rotate_setting", "setting", row.id, "", {});
    note_change(tx, "setting.rotate", row);
    ++done.rotated;
  }
  done.remaining = tx.value(count_under_other_keys, ring.primary());
  return done;
}

}  // namespace quarry::system
