#include <fmt/format.h>

#include <charconv>

#include "quarry/core/error.hpp"
#include "quarry/system/sealed.hpp"
#include "quarry/system/settings.hpp"
#include "system/setting_rows.hpp"

namespace quarry::system {
namespace {

constexpr sql::Query<StoredSetting(std::string_view)> find_by_key{
    "system.find_setting", "select " QUARRY_SETTING_COLUMNS " from system_config where key = $1"};

/// The value of a sensitive setting never leaves the engine here.
constexpr store::ListOf<Setting> all_settings{
    "system.list_settings",
    "id, key, type, case when is_sensitive and value is not null then '********' else value end as value, description, "
    "is_sensitive, key_id, created_at, updated_at",
    "system_config"};

constexpr sql::Query<StoredSetting()> each_key_once{
    "system.keys_in_use", "select " QUARRY_SETTING_COLUMNS
                          " from system_config where value is not null and id in"
                          " (select s.id from system_config s where s.key_id is not null and not exists"
                          " (select 1 from system_config o where o.key_id = s.key_id and o.id < s.id)) order by key_id"};

[[noreturn]] void throw_no_setting(std::string_view key) {
  throw Error(ErrorCode::not_found, fmt::format("there is no setting '{}'", key));
}

std::optional<std::string> value_of_type(Read& tx, std::string_view key, SettingType type) {
  auto found = find_stored(tx, key);
  if (!found || !found->value) return std::nullopt;
  if (found->type != type)
    throw_invalid(fmt::format("setting '{}' is of type {}, not {}", key, boost::describe::enum_to_string(found->type, "?"),
                              boost::describe::enum_to_string(type, "?")));
  if (found->is_sensitive) throw_invalid(fmt::format("setting '{}' is sensitive: it is read with a key ring", key));
  return std::move(found->value);
}

/// The filter as a WHERE clause. Owns the patterns that the clause refers to.
struct WantedSettings {
  std::string prefix, text;
  store::Conditions where;

  WantedSettings(Read& tx, const SettingFilter& filter) {
    const bool is_sqlite = tx.engine() == Engine::sqlite;
    if (filter.type) where.add("type = {}", *filter.type);
    if (filter.is_sensitive) where.add("is_sensitive = {}", *filter.is_sensitive);
    if (filter.prefix) {
      prefix = store::like_prefix(*filter.prefix);
      where.add("key like {} escape '\\'", prefix);
    }
    if (filter.text) {
      text = store::like_anywhere(*filter.text);
      where.add(is_sqlite ? "(key like {0} escape '\\' or description like {0} escape '\\')"
                          : "(key collate \"C\" ilike {0} escape '\\' or description collate \"C\" ilike {0} escape '\\')",
                text);
    }
  }
  WantedSettings(const WantedSettings&) = delete;
  WantedSettings& operator=(const WantedSettings&) = delete;
};

store::Order<Setting> order_of(SettingOrder by, Engine engine) {
  if (by == SettingOrder::updated_at)
    return {"updated_at", "updated_at", [](const Setting& setting) { return store::key(setting.updated_at); }};
  return {"key", engine == Engine::postgres ? "key collate \"C\"" : "key",
          [](const Setting& setting) { return store::key(setting.key); }};
}

}  // namespace

void require_system(const Actor& actor, std::string_view what) {
  if (!actor.sees_all()) throw Error(ErrorCode::denied, fmt::format("{} are for the system and for admins", what));
}

std::optional<StoredSetting> find_stored(Read& tx, std::string_view key) {
  require_system(tx.actor(), "settings");
  return tx.one(find_by_key, key);
}

std::optional<Setting> find(Read& tx, std::string_view key) {
  auto found = find_stored(tx, key);
  if (!found) return std::nullopt;
  if (found->is_sensitive && found->value) found->value = masked_value;
  return *std::move(found);
}

Setting get(Read& tx, std::string_view key) {
  if (auto found = find(tx, key)) return *std::move(found);
  throw_no_setting(key);
}

bool exists(Read& tx, std::string_view key) { return find_stored(tx, key).has_value(); }

std::optional<std::string> get_string(Read& tx, std::string_view key) { return value_of_type(tx, key, SettingType::string); }

std::optional<std::int64_t> get_integer(Read& tx, std::string_view key) {
  const auto text = value_of_type(tx, key, SettingType::integer);
  if (!text) return std::nullopt;
  check_value(key, SettingType::integer, *text);
  std::int64_t value = 0;
  std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::optional<bool> get_boolean(Read& tx, std::string_view key) {
  const auto text = value_of_type(tx, key, SettingType::boolean);
  if (!text) return std::nullopt;
  check_value(key, SettingType::boolean, *text);
  return *text == "true";
}

std::optional<Json> get_json(Read& tx, std::string_view key) {
  auto text = value_of_type(tx, key, SettingType::json);
  if (!text) return std::nullopt;
  return Json{*std::move(text)};
}

Secret reveal(Read& tx, std::string_view key, const KeyRing& ring) {
  auto found = find_stored(tx, key);
  if (!found || !found->value) throw_no_setting(key);
  if (!found->is_sensitive) return Secret(*std::move(found->value));
  return unseal(ring, found->key_id.value_or(""), {found->id, found->key}, *found->value);
}

Page<Setting> list(Read& tx, const SettingFilter& filter, const PageRequest& page, const SettingListOrder& order) {
  require_system(tx.actor(), "settings");
  const WantedSettings wanted(tx, filter);
  return store::list(tx, all_settings, order_of(order.by, tx.engine()), order.direction, wanted.where, page);
}

std::int64_t count(Read& tx, const SettingFilter& filter) {
  require_system(tx.actor(), "settings");
  const WantedSettings wanted(tx, filter);
  return store::count(tx, all_settings, wanted.where);
}

void check_keys(Read& tx, const KeyRing& ring) {
  require_system(tx.actor(), "settings");
  for (const auto& setting : tx.all(each_key_once))
    if (setting.value) check_key_of(ring, setting.key_id.value_or(""), *setting.value);
}

}  // namespace quarry::system
