#pragma once
/// What a new installation begins with: the settings, the plans, and on PostgreSQL the audit log's next months.
///
///     const auto report = db.write([](Write& tx) { return ops::seed(tx); });
///
/// Each setting and each plan is looked at by itself: what is missing is made, and what is there stays as it is, whatever
/// its value. So an operator's changes survive every repetition, and a table that was filled in part ends like an empty one.
/// What was unset or deleted comes back.
///
/// Programs that seed at the same time take turns. What was made is recorded in the audit log, as `system.seed`.
///
/// For the system and for admins, and on PostgreSQL for the owner of the tables: `denied` for others.
///
/// Errors: `denied`. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/sql/transaction.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::ops {

struct DefaultSetting {
  std::string_view key;
  system::SettingType type;
  std::string_view value;
  std::string_view description;
};
/// By key.
std::span<const DefaultSetting> default_settings() noexcept;

struct SeedReport {
  std::vector<std::string> settings_made;
  std::int64_t settings_kept = 0;
  /// Kept as well, but of another type than the default one: who reads them by type is told `invalid`.
  std::vector<std::string> settings_of_other_type;
  std::vector<std::string> plans_made;
  std::int64_t plans_kept = 0;
  std::vector<std::string> partitions_made;
};
BOOST_DESCRIBE_STRUCT(SeedReport, (),
                      (settings_made, settings_kept, settings_of_other_type, plans_made, plans_kept, partitions_made))
/// Makes what is missing, and says what that was.
SeedReport seed(Write& tx);

}  // namespace quarry::ops
