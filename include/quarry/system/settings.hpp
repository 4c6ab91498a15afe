#pragma once
/// Settings of the whole system, in the table `system_config`: typed, described, and encrypted where they are sensitive.
///
///     system::set(tx, {.key = "max_file_size_mb", .type = SettingType::integer, .value = "50"});
///     const auto size = system::get_integer(tx, "max_file_size_mb").value_or(50);
///
/// | type    | a value is                                                                       |
/// |---------|----------------------------------------------------------------------------------|
/// | string  | UTF-8 text without zero bytes, up to 64 KiB                                        |
/// | integer | a decimal number from -2^63 to 2^63 - 1, without leading zeros, spaces or a plus  |
/// | boolean | `true` or `false`                                                                |
/// | json    | one JSON value, up to 64 KiB                                                       |
///
/// A value is checked when it is written, so nothing else is ever read. A key has 1 to 100 characters: small letters,
/// digits, `_`, `.` and `-`, the first one a letter.
///
/// A sensitive value is encrypted before it reaches the engine (quarry/system/key_ring.hpp), and every function but `reveal`
/// shows `********` in its place. What was once stored in clear may stay in free pages of the file and in backups after the
/// setting has become sensitive: give it a new value then.
///
/// Settings are for the system and for admins: `denied` for other actors. Other errors: `invalid`, `not_found`, `conflict`.
/// Times are UTC.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/core/secret.hpp"
#include "quarry/sql/transaction.hpp"
#include "quarry/store/list.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::system {

enum class SettingType { string, integer, boolean, json };
BOOST_DESCRIBE_ENUM(SettingType, string, integer, boolean, json)

/// What stands for a value that is not shown.
inline constexpr std::string_view masked_value = "********";

struct Setting {
  Uuid id;
  std::string key;
  SettingType type = SettingType::string;
  std::optional<std::string> value;  ///< `masked_value` when it is sensitive; nothing when it has none
  std::optional<std::string> description;
  bool is_sensitive = false;
  std::optional<std::string> key_id;  ///< the key that a sensitive value is encrypted with
  Instant created_at;
  Instant updated_at;
};
BOOST_DESCRIBE_STRUCT(Setting, (), (id, key, type, value, description, is_sensitive, key_id, created_at, updated_at))

/// Nothing when it is not set. A sensitive value is masked.
std::optional<Setting> find(Read& tx, std::string_view key);
/// Throws `not_found`.
Setting get(Read& tx, std::string_view key);
/// Whether it is set.
bool exists(Read& tx, std::string_view key);

/// A setting's value as its type; nothing when there is no such setting. `invalid` when it has another type, and for a
/// sensitive one, which only `reveal` reads.
std::optional<std::string> get_string(Read& tx, std::string_view key);
/// The same of an integer.
std::optional<std::int64_t> get_integer(Read& tx, std::string_view key);
/// The same of a boolean.
std::optional<bool> get_boolean(Read& tx, std::string_view key);
/// The same of JSON.
std::optional<Json> get_json(Read& tx, std::string_view key);

/// The value of a setting, sensitive or not, whatever its type. Throws `not_found` (no such setting or value, or the ring
/// lacks its key), `denied` (the ring's key of that name is another one) and `corrupt` (it was changed or moved).
Secret reveal(Read& tx, std::string_view key, const KeyRing& ring);

struct SettingFilter {
  std::optional<SettingType> type{};
  std::optional<bool> is_sensitive{};
  std::optional<std::string> prefix{};  ///< of the key
  std::optional<std::string> text{};    ///< stands in the key or the description, without regard to (ASCII) case
};
enum class SettingOrder { key, updated_at };
BOOST_DESCRIBE_ENUM(SettingOrder, key, updated_at)
struct SettingListOrder {
  SettingOrder by = SettingOrder::key;
  store::Direction direction = store::Direction::ascending;
};
/// By key, unless another order is asked for.
Page<Setting> list(Read& tx, const SettingFilter& filter = {}, const PageRequest& page = {},
                   const SettingListOrder& order = {});
/// How many there are. Its cost grows with their number.
std::int64_t count(Read& tx, const SettingFilter& filter = {});

/// A setting to be made or changed. What is not set stays as it is; of a new setting it is a string in clear, undescribed.
struct SettingChange {
  std::string_view key;
  std::optional<SettingType> type{};
  /// Not set: only the description changes; a new setting needs a value. Refers to the caller's text.
  std::optional<std::string_view> value{};
  std::optional<std::optional<std::string>> description{};
  std::optional<bool> is_sensitive{};
  /// `updated_at` as the caller read it; the setting must be there and must not have changed since.
  std::optional<Instant> unchanged_since{};
};

/// The setting as it is now. Changes of settings are recorded in the audit log, without their values.
///
/// The type of a setting that is there does not change, nor does a sensitive one become readable: `conflict`; unset it
/// first. One that becomes sensitive needs a new value. A sensitive value needs a ring (`invalid`), whose primary key must
/// be the one that other settings are encrypted with under that name (`denied`).
Setting set(Write& tx, const SettingChange& change, const KeyRing* ring = nullptr);

/// False when there is no such setting. `conflict` when it has changed since `unchanged_since`.
bool unset(Write& tx, std::string_view key, std::optional<Instant> unchanged_since = {});

/// Throws `invalid`, naming the key, unless `value` is one of `type`.
void check_value(std::string_view key, SettingType type, std::string_view value);

/// Throws `denied` when the ring has a key of the right name and wrong content for a stored setting, and `not_found` when it
/// lacks one that is in use: what a program does once at its start.
void check_keys(Read& tx, const KeyRing& ring);

struct Rotated {
  std::int64_t rotated = 0;
  std::int64_t remaining = 0;  ///< settings under other keys than the primary one
};
BOOST_DESCRIBE_STRUCT(Rotated, (), (rotated, remaining))
/// Encrypts at most `limit` (1 to 1000) sensitive settings under the ring's primary key that are under another one. Call it,
/// each time in a transaction of its own, until none remains: every row names its key, so this goes on wherever it was
/// stopped, and meanwhile everything can be read with the ring. Then the other keys may be taken out of the ring.
Rotated rotate_keys(Write& tx, const KeyRing& ring, int limit = 100);

}  // namespace quarry::system
