/// `quarry artifact gc` and `quarry artifact fsck`: the bodies that nobody refers to, and those that somebody misses.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/number_range.hpp"
#include "cli/text.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/fsck.hpp"
#include "quarry/artifacts/store.hpp"

namespace quarry::cli {
namespace {

struct UpkeepCli {
  bool dry_run = false;
  bool deep = false;
  bool repair = false;
  double grace_hours = 1;

  std::chrono::microseconds grace() const {
    return std::chrono::microseconds(static_cast<std::int64_t>(grace_hours * 3.6e9));
  }
};

/// The folder is made with its first body. Where it is missing although there are artifacts, somebody has not mounted it.
bool nothing_stored_yet(const Database& db) {
  return db.read([](Read& tx) {
    return artifacts::list(tx, {}, {.limit = 1}).rows.empty() &&
           artifacts::list(tx, {.deleted = true}, {.limit = 1}).rows.empty();
  });
}

ExitCode collect(Context& context, const UpkeepCli& cli) {
  const auto db = context.open(Access::write);
  artifacts::FileBlobStore blobs(context.settings().blobs, {.create = nothing_stored_yet(db)});
  artifacts::GarbageOptions options;
  options.grace = cli.grace();
  options.dry_run = cli.dry_run;
  auto& console = context.console();
  if (options.grace < artifacts::grace_default && !options.dry_run)
    console.note(
        "quarry: with a grace of less than an hour, bodies that a crawl has written and not yet committed are lost: make "
        "sure "
        "that nothing else is at work");
  const auto result = artifacts::collect_garbage(db, blobs, options);
  console.result(result, [&] {
    Table table({{result.dry_run ? "WOULD GO" : "GONE"}, {"NUMBER", Align::right}, {"SIZE", Align::right}});
    table.row({"bodies that nothing refers to", fmt::format("{}", result.blobs), human_bytes(result.blob_bytes)});
    table.row({"files that no row knows", fmt::format("{}", result.stray_files), human_bytes(result.stray_bytes)});
    table.row({"half-written files", fmt::format("{}", result.abandoned_files), human_bytes(result.abandoned_bytes)});
    console.print(table);
  });
  return ExitCode::ok;
}

ExitCode check(Context& context, const UpkeepCli& cli) {
  const auto db = context.open(Access::write);
  artifacts::FileBlobStore blobs(context.settings().blobs, {.create = nothing_stored_yet(db)});
  artifacts::FsckOptions options;
  options.deep = cli.deep;
  options.repair = cli.repair;
  options.grace = cli.grace();
  const auto result = artifacts::check_store(db, blobs, options);
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"FOUND"}, {"BODY"}, {"ARTIFACTS", Align::right}, {"REPAIRED"}});
    for (const auto& problem : result.problems)
      table.row({boost::describe::enum_to_string(problem.finding, "unknown"), problem.blob.empty() ? "-" : problem.blob,
                 fmt::format("{}", problem.artifacts), problem.repaired ? "yes" : "no"});
    if (!table.empty()) console.print(table);
    const bool more = std::size(result.problems) >= options.problems_max;
    if (more)
      console.note(fmt::format("only the first {} are listed; --json has how many there are of each", options.problems_max));
    console.line(fmt::format(
        "{}, {}{}: {}", counted(result.blobs, "body", "bodies"), human_bytes(result.stored_bytes),
        cli.deep ? fmt::format(", {} read through", result.bodies_hashed) : "",
        result.is_sound ? "all is well"
        : result.lost_artifacts == 0
            ? fmt::format("{}{} wrong, but no artifact has lost its body", more ? "at least " : "",
                          counted(std::ssize(result.problems), "thing is", "things are"))
            : fmt::format("{} lost their body", counted(result.lost_artifacts, "artifact has", "artifacts have"))));
    if (result.wrongly_indexed > 0 && !result.is_sound && !cli.repair)
      console.note("search misses pages or finds wrong ones: `quarry artifact fsck --deep --repair` builds its index anew");
  });
  return result.is_sound ? ExitCode::ok : ExitCode::corrupt;
}

}  // namespace

void add_artifact_upkeep_commands(CLI::App& group, Commands& commands) {
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const UpkeepCli&)) {
    auto cli = std::make_shared<UpkeepCli>();
    auto* command = commands.add(group, name, help, cli, action);
    command
        ->add_option("--grace-hours", cli->grace_hours,
                     "Leave alone what is younger: it may be about to get its row; 1 by default")
        ->check(number_range(0.0, 1e5));
    return std::pair(command, cli);
  };
  {
    const auto [command, cli] =
        add("gc", "Remove the bodies that nothing refers to; others may write meanwhile if the grace is an hour or more",
            collect);
    command->add_flag("--dry-run", cli->dry_run, "Only count them");
  }
  const auto [command, cli] =
      add("fsck", "Check that every body is there, every count right, and with --deep what search knows", check);
  command->add_flag("--deep", cli->deep,
                    "Read every body and compare it with its hash, and every text with the search index");
  command->add_flag("--repair", cli->repair,
                    "Set counts right, remove files that no row knows, build a wrong search index anew");
}

}  // namespace quarry::cli
