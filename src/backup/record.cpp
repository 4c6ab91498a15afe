/// What the database is told of its backups.

#include "backup/record.hpp"

#include <fmt/format.h>

#include <array>

#include "backup/envelope.hpp"
#include "backup/json.hpp"
#include "quarry/core/log.hpp"
#include "quarry/schema/error.hpp"
#include "quarry/schema/migrator.hpp"
#include "quarry/sql/database.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::backup {
namespace {

constexpr std::string_view setting_description =
    "Written by `quarry backup`: the newest verified backup, and the last failure since";

constexpr std::string_view identity_key = "backup.database";
constexpr std::string_view identity_description =
    "Written by `quarry backup`: tells this database from others, so that their backups do not get mixed";

/// A backup is no worse because its database is read-only, or too old to have settings.
void update(std::string_view url, const std::function<void(LastVerified&, Instant)>& change) {
  try {
    const auto db = Database::open(url, {.create = false, .connections_max = 2});
    if (schema::status(db).state != schema::State::current) return;
    db.write([&](Write& tx) {
      auto last = last_verified(tx).value_or(LastVerified{});
      change(last, tx.now());
      const auto text = boost::json::serialize(boost::json::value_from(last));
      system::set(tx, {.key = last_verified_key,
                       .type = system::SettingType::json,
                       .value = text,
                       .description = std::optional<std::string>(setting_description)});
    });
  } catch (const Error& error) {
    log::warn("the database was not told of its backup: {}", error.client_message());
  }
}

std::string make_identity(std::string_view url) {
  const auto db = Database::open(url, {.create = false, .connections_max = 2});
  return db.write([](Write& tx) {
    if (auto other = system::get_string(tx, identity_key)) return *std::move(other);
    std::array<unsigned char, 16> number{};
    randombytes_buf(number.data(), number.size());
    auto made = hex(as_text(number));
    system::set(tx, {.key = identity_key, .value = made, .description = std::optional<std::string>(identity_description)});
    return made;
  });
}

}  // namespace

std::optional<std::string> identity_of(std::string_view url) {
  // Opening a SQLite file for writing would change it: whose it is must be known before.
  const auto db = Database::open(url, {.create = false, .read_only = true, .connections_max = 1});
  const auto status = schema::status(db);
  if (status.state == schema::State::empty) throw schema::MigrationError(schema::Reason::not_initialised, status.message);
  if (status.state == schema::State::foreign) throw schema::MigrationError(schema::Reason::not_ours, status.message);
  try {
    if (auto known = db.read([](Read& tx) { return system::get_string(tx, identity_key); })) return known;
    return make_identity(url);
  } catch (const Error& error) {
    log::warn("which database this is could not be noted in it: {}", error.client_message());
    return std::nullopt;
  }
}

void record_success(std::string_view url, const Summary& made) {
  update(url, [&](LastVerified& last, Instant) {
    last = {.name = made.name, .created_at = made.created_at, .verified_at = made.verified_at};
  });
}

void record_failure(std::string_view url, std::string_view why) {
  update(url, [&](LastVerified& last, Instant now) {
    last.failed_at = now;
    last.failure = std::string(why);
  });
}

std::optional<LastVerified> last_verified(Read& tx) {
  const auto value = system::get_json(tx, last_verified_key);
  if (!value) return std::nullopt;
  return from_json_text<LastVerified>(value->text, last_verified_key);
}

}  // namespace quarry::backup
