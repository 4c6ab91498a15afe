/// `quarry init`: an empty database becomes one that everything else works with.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/schema/migrator.hpp"

namespace quarry::cli {
namespace {

struct InitResult {
  std::string database;
  std::string engine;
  std::int64_t version = 0;
  std::int64_t applied = 0;  ///< migrations, by this call
  UserId local_user;
};
BOOST_DESCRIBE_STRUCT(InitResult, (), (database, engine, version, applied, local_user))

ExitCode init(Context& context) {
  const auto db = context.open_any_version(true);
  const auto steps = schema::migrate_up(db, schema::MigrationSet::embedded());
  InitResult result{.database = db.display_url(),
                    .engine = std::string(to_string(db.engine())),
                    .version = schema::MigrationSet::embedded().head(),
                    .applied = static_cast<std::int64_t>(steps.size()),
                    .local_user = db.write([](Write& tx) { return accounts::ensure_local_user(tx); })};
  auto& console = context.console();
  console.result(result, [&] {
    console.line(steps.empty() ? fmt::format("{} is ready, as it was (version {:04})", result.database, result.version)
                               : fmt::format("{} is ready: version {:04}, {} migration{} applied", result.database,
                                             result.version, steps.size(), steps.size() == 1 ? "" : "s"));
  });
  return ExitCode::ok;
}

}  // namespace

void add_init_command(CLI::App& app, Commands& commands) {
  commands.add(app, "init", "Make the database ready: its tables, and the local user that the command line works as", init);
}

}  // namespace quarry::cli
