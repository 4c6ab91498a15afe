/// `quarry seed`: what a new installation begins with, and examples for trying things out.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/ops/seed_demo.hpp"

namespace quarry::cli {
namespace {

struct SeedCli {
  bool demo = false;
};

void say_seed(Console& console, const ops::SeedReport& report) {
  const auto say = [&](std::string_view what, const std::vector<std::string>& made, std::int64_t kept) {
    if (made.empty())
      console.line(fmt::format("{}: all {} were there, and stay as they are", what, kept));
    else
      console.line(fmt::format("{}: made {}; {} were there", what, fmt::join(made, ", "), kept));
  };
  say("settings", report.settings_made, report.settings_kept);
  say("plans", report.plans_made, report.plans_kept);
  if (!report.partitions_made.empty())
    console.line(fmt::format("months of the audit log: made {}", fmt::join(report.partitions_made, ", ")));
  for (const auto& key : report.settings_of_other_type)
    console.note(
        fmt::format("setting '{0}' has another type than the default one; `quarry setting unset {0}` and another "
                    "`quarry seed` bring that back",
                    key));
}

ExitCode seed(Context& context, const SeedCli& cli) {
  const auto db = context.open(Access::write);
  auto& console = context.console();
  if (!cli.demo) {
    const auto report = db.write([](Write& tx) { return ops::seed(tx); });
    console.result(report, [&] { say_seed(console, report); });
    return ExitCode::ok;
  }
  artifacts::FileBlobStore blobs(context.settings().blobs);
  const accounts::PasswordHasher hasher;
  const auto report = ops::seed_demo(db, blobs, hasher);
  console.result(report, [&] {
    say_seed(console, report.seed);
    console.line("users: admin (password admin123, an admin) and testuser (password test123)");
    console.line(fmt::format("examples: {} jobs, {} artifacts", report.jobs.size(), report.artifacts.size()));
  });
  console.note("the passwords are in the documentation: this database is for trying things out only");
  return ExitCode::ok;
}

}  // namespace

void add_seed_command(CLI::App& app, Commands& commands) {
  auto cli = std::make_shared<SeedCli>();
  auto* command =
      commands.add(app, "seed", "Make the settings and plans that are missing; what is there stays as it is", cli, seed);
  command->add_flag("--demo", cli->demo,
                    "Add users, jobs and artifacts to look at; refused (75) on a database with users or jobs");
}

}  // namespace quarry::cli
