/// `quarry artifact edit`, `delete`, `undelete`, `purge`: an artifact's own words, and its end.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/number_range.hpp"
#include "cli/text.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

struct OneArtifactCli {
  std::string id;
  ArtifactId artifact() const { return {parse_uuid(id)}; }
};

struct ArtifactEditCli : OneArtifactCli {
  std::optional<std::string> title;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> keywords;
  std::optional<std::vector<std::string>> tags;
  std::string unchanged_since;
};

ExitCode edit_artifact(Context& context, const ArtifactEditCli& cli) {
  if (!cli.title && !cli.description && !cli.keywords && !cli.tags)
    throw_invalid("nothing to change: name what, as in --title \"Lithium papers\" (see `quarry artifact edit --help`)");
  artifacts::ArtifactChanges changes{
      .title = cli.title, .description = cli.description, .keywords = cli.keywords, .tags = cli.tags};
  if (!cli.unchanged_since.empty()) changes.unchanged_since = parse_iso8601(cli.unchanged_since);
  const auto artifact = context.open(Access::write).write([&](Write& tx) {
    return artifacts::update(tx, artifacts::get(tx, cli.artifact()).user_id, cli.artifact(), changes);
  });
  auto& console = context.console();
  console.result(artifact, [&] {
    console.line(fmt::format("artifact {} is changed: {}", to_string(artifact.id), artifact.title.value_or("no title")));
  });
  return ExitCode::ok;
}

struct ArtifactChanged {
  ArtifactId artifact;
  bool changed = false;
};
BOOST_DESCRIBE_STRUCT(ArtifactChanged, (), (artifact, changed))

/// Whose it is, the command line need not say: it acts for everybody.
bool change_artifact(Context& context, ArtifactId id, bool (*change)(Write&, UserId, ArtifactId)) {
  return context.open(Access::write).write([&](Write& tx) { return change(tx, artifacts::get(tx, id).user_id, id); });
}

ExitCode delete_artifact(Context& context, const OneArtifactCli& cli) {
  const auto id = cli.artifact();
  const bool changed = change_artifact(context, id, artifacts::soft_delete);
  auto& console = context.console();
  console.result(ArtifactChanged{id, changed}, [&] {
    console.line(changed
                     ? fmt::format("artifact {0} is deleted; `quarry artifact undelete {0}` takes that back", to_string(id))
                     : fmt::format("artifact {} was deleted already", to_string(id)));
  });
  return ExitCode::ok;
}

ExitCode undelete_artifact(Context& context, const OneArtifactCli& cli) {
  const auto id = cli.artifact();
  const bool changed = change_artifact(context, id, artifacts::restore);
  auto& console = context.console();
  console.result(ArtifactChanged{id, changed}, [&] {
    console.line(fmt::format("artifact {} {}", to_string(id), changed ? "is back" : "was not deleted"));
  });
  return ExitCode::ok;
}

struct ArtifactPurgeCli {
  std::string id;
  std::optional<double> older_than_hours;
};

struct ArtifactsPurged {
  std::int64_t artifacts = 0;
};
BOOST_DESCRIBE_STRUCT(ArtifactsPurged, (), (artifacts))

ExitCode purge_artifacts(Context& context, const ArtifactPurgeCli& cli) {
  if (cli.id.empty() == !cli.older_than_hours)
    throw_invalid("say either which artifact to purge, or --older-than-hours for all that were deleted longer ago");
  ArtifactsPurged result;
  if (!cli.id.empty()) {
    result.artifacts = change_artifact(context, ArtifactId{parse_uuid(cli.id)}, artifacts::purge) ? 1 : 0;
  } else {
    const auto db = context.open(Access::write);
    const auto before = db.now() - std::chrono::microseconds(static_cast<std::int64_t>(*cli.older_than_hours * 3.6e9));
    // A batch may come out short of what others hold at the moment.
    for (std::int64_t purged = 1; purged > 0; result.artifacts += purged)
      purged = db.write([&](Write& tx) { return artifacts::purge_deleted(tx, before); });
  }
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("{} purged; `quarry artifact gc` removes bodies that nothing names any more",
                             counted(result.artifacts, "artifact was", "artifacts were")));
  });
  return ExitCode::ok;
}

}  // namespace

void add_artifact_change_commands(CLI::App& group, Commands& commands) {
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const OneArtifactCli&)) {
    auto cli = std::make_shared<OneArtifactCli>();
    commands.add(group, name, help, cli, action)->add_option("id", cli->id, "The artifact")->required();
  };
  {
    auto cli = std::make_shared<ArtifactEditCli>();
    auto* command =
        commands.add(group, "edit", "Change an artifact's title, description, keywords or tags", cli, edit_artifact);
    command->add_option("id", cli->id, "The artifact")->required();
    commands.may_be_empty(command->add_option("--title", cli->title, "The new title; '' for none"));
    commands.may_be_empty(command->add_option("--description", cli->description, "The new description; '' for none"));
    commands.add_words(*command, "--keyword", cli->keywords,
                       "A keyword, instead of the old ones; may be repeated; '' for none");
    commands.add_words(*command, "--tag", cli->tags, "A tag, likewise");
    command->add_option("--unchanged-since", cli->unchanged_since, "Its updated_at as you read it: refuse if it has moved");
  }
  add("delete", "Hide an artifact from lists and search", delete_artifact);
  add("undelete", "Bring a deleted artifact back", undelete_artifact);
  auto cli = std::make_shared<ArtifactPurgeCli>();
  auto* command =
      commands.add(group, "purge", "Remove an artifact for good, or all that were deleted long ago", cli, purge_artifacts);
  command->add_option("id", cli->id, "The artifact");
  command->add_option("--older-than-hours", cli->older_than_hours, "All artifacts that were deleted longer ago")
      ->check(number_range(0.0, 1e6));
}

}  // namespace quarry::cli
