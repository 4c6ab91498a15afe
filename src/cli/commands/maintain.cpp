/// `quarry maintain`: what a database needs done from time to time.

#include "quarry/ops/maintain.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/key_ring_option.hpp"
#include "cli/text.hpp"
#include "quarry/artifacts/file_blob_store.hpp"

namespace quarry::cli {
namespace {

struct MaintainCli {
  bool dry_run = false;
  std::vector<std::string> only;
  std::string keys;
};

std::vector<std::string> step_names() {
  std::vector<std::string> names;
  for (const auto& step : ops::maintain_steps()) names.emplace_back(step.name);
  return names;
}

std::string figures_of(const ops::StepReport& step) {
  std::string text;
  for (const auto& figure : step.figures) {
    if (!text.empty()) text += ", ";
    constexpr std::string_view unit = "bytes";
    text += figure.what.starts_with(unit) ? human_bytes(figure.count) + figure.what.substr(unit.size())
                                          : fmt::format("{} {}", figure.count, figure.what);
  }
  if (step.message) text += fmt::format("{}{}", text.empty() ? "" : "; ", *step.message);
  return text;
}

void show_maintenance(Console& console, const ops::MaintainReport& report) {
  Table table(
      {{"STEP"}, {report.dry_run ? "WOULD BE" : "RESULT"}, {"WHAT", Align::left, Room::wrapped}, {"TIME", Align::right}});
  for (const auto& step : report.steps)
    table.row({step.step, boost::describe::enum_to_string(step.outcome, "unknown"), figures_of(step),
               human_duration(std::chrono::microseconds(step.duration_us))});
  console.print(table);
  for (const auto& step : report.steps)
    if (step.outcome == ops::StepOutcome::failed)
      console.note(
          fmt::format("step {} failed: {}. Remedy: {}", step.step, step.message.value_or(""), step.remedy.value_or("")));
}

ExitCode maintain(Context& context, const MaintainCli& cli) {
  const auto db = context.open(cli.dry_run ? Access::read : Access::write);
  // Where nothing was ever fetched there is no folder, and the step that looks into it is skipped.
  std::optional<artifacts::FileBlobStore> blobs;
  if (std::filesystem::exists(context.settings().blobs))
    blobs.emplace(context.settings().blobs, artifacts::FileBlobStoreOptions{.create = false});
  const auto keys = find_keys(context.settings(), cli.keys);
  const Interrupt interrupt;
  const auto report =
      ops::maintain(db, blobs ? &*blobs : nullptr,
                    {.dry_run = cli.dry_run, .only = cli.only, .keys = keys ? &*keys : nullptr, .stop = interrupt.token()});
  if (!report.led)
    throw CommandError(ExitCode::busy, ErrorCode::busy,
                       fmt::format("{} maintains this database right now, and one at a time is enough: try again when it "
                                   "has ended",
                                   report.leader.value_or("another process")));
  auto& console = context.console();
  console.result(report, [&] { show_maintenance(console, report); });
  if (interrupt.signal() != 0) {
    console.note("interrupted; what was done stays done, and the same command goes on");
    return ended_by(interrupt.signal());
  }
  return report.failed > 0 ? ExitCode::failed : ExitCode::ok;
}

}  // namespace

void add_maintain_command(CLI::App& app, Commands& commands) {
  auto cli = std::make_shared<MaintainCli>();
  auto* command = commands.add(app, "maintain",
                               "Take away what is old, roll up figures, give space back; `quarry work` does it by itself",
                               cli, maintain);
  command->add_flag("--dry-run", cli->dry_run, "Only count what would be done");
  command->add_option("--only", cli->only, "This step and no other; may be said several times")
      ->type_name("STEP")
      ->check(CLI::IsMember(step_names()))
      ->allow_extra_args(false);
  add_keys_option(*command, cli->keys);
}

}  // namespace quarry::cli
