#pragma once
/// What a command is handed when it runs.

#include <functional>
#include <memory>
#include <string>

#include "cli/console.hpp"
#include "cli/settings.hpp"
#include "quarry/ops/query_watch.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::cli {

enum class Access { read, write };

class Context {
 public:
  Context(const Settings& settings, const SettingsSources& sources, Console& console)
      : settings_(settings), sources_(sources), console_(console) {}

  const Settings& settings() const noexcept { return settings_; }
  /// Who has said what of the settings.
  const SettingsSources& sources() const noexcept { return sources_; }
  Console& console() const noexcept { return console_; }

  /// The database that the settings name, with the schema that this program wants. Otherwise throws: what is missing, not
  /// ours, too old or too new each has a message and an exit code of its own.
  Database open(Access access, DatabaseOptions options = {}) const;
  /// The same without a look at the schema's version; with `create`, a SQLite file is made when it is not there. Refuses to
  /// open what is somebody else's file for writing, because that alone would change it.
  Database open_any_version(bool create, DatabaseOptions options = {}) const;
  /// Counts and times the statements of a handle that nobody else uses yet. Those that are slow are logged, as the settings
  /// say.
  std::shared_ptr<ops::QueryWatch> watch_queries(const Database& db) const;

 private:
  const Settings& settings_;
  const SettingsSources& sources_;
  Console& console_;
};

/// What a command does. Results go to the console; trouble is thrown.
using Action = std::function<ExitCode(Context&)>;

}  // namespace quarry::cli
