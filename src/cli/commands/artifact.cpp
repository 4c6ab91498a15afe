/// `quarry artifact`: what was fetched, and the bodies that it was fetched in.

#include <fmt/format.h>
#include <sodium.h>

#include "cli/commands.hpp"
#include "cli/commands/account_input.hpp"
#include "cli/page_options.hpp"
#include "cli/text.hpp"
#include "quarry/artifacts/extractions.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

using artifacts::Artifact;

struct ArtifactCli {
  std::string id;
  bool text = false;
};

Artifact get(Read& tx, const std::string& id) { return artifacts::get(tx, ArtifactId{parse_uuid(id)}); }

struct ListCli {
  std::string user;
  std::string job;
  std::string tag;
  std::string keyword;
  std::string text;
  std::optional<artifacts::ArtifactType> type;
  artifacts::ArtifactOrder by = artifacts::ArtifactOrder::created_at;
  bool reverse = false;
  bool deleted = false;
  PageRequest page;
};

struct ListResult {
  std::vector<Artifact> artifacts;
  std::optional<std::string> next;  ///< for --after; nothing on the last page
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(ListResult, (), (artifacts, next, total))

ExitCode list(Context& context, const ListCli& cli) {
  artifacts::ArtifactFilter filter{.type = cli.type, .deleted = cli.deleted};
  if (!cli.job.empty()) filter.job_id = JobId{parse_uuid(cli.job)};
  if (!cli.tag.empty()) filter.tag = cli.tag;
  if (!cli.keyword.empty()) filter.keyword = cli.keyword;
  if (!cli.text.empty()) filter.text = cli.text;
  artifacts::ArtifactListOrder order{.by = cli.by};
  if (cli.reverse) order.direction = store::Direction::ascending;
  auto page = context.open(Access::read).read([&](Read& tx) {
    if (!cli.user.empty()) filter.user_id = user_of(tx, cli.user).id;
    return artifacts::list(tx, filter, cli.page, order);
  });
  const ListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"ARTIFACT"}, {"STATUS", Align::right}, {"SIZE", Align::right}, {"TITLE"}, {"URL"}});
    for (const auto& artifact : result.artifacts)
      table.row({to_string(artifact.id), artifact.http_status ? fmt::format("{}", *artifact.http_status) : "-",
                 human_bytes(artifact.file_size.value_or(0)), artifact.title.value_or(""),
                 artifact.source_url.value_or("")});
    if (table.empty())
      console.note("there are no such artifacts");
    else
      console.print(table);
    if (result.total) console.note(fmt::format("{} in all", *result.total));
    if (result.next) console.note(fmt::format("there are more: --after {}", *result.next));
  });
  return ExitCode::ok;
}

struct ShowResult {
  Artifact artifact;
  std::vector<artifacts::StoredExtraction> extractions;
};
BOOST_DESCRIBE_STRUCT(ShowResult, (), (artifact, extractions))

ExitCode show(Context& context, const ArtifactCli& cli) {
  const auto result = context.open(Access::read).read([&](Read& tx) {
    ShowResult found{get(tx, cli.id), {}};
    found.extractions = artifacts::list_extractions(tx, found.artifact.user_id, found.artifact.id);
    return found;
  });
  auto& console = context.console();
  console.result(result, [&] {
    const auto& artifact = result.artifact;
    Fields fields;
    fields.add("artifact", to_string(artifact.id));
    fields.add("type", boost::describe::enum_to_string(artifact.artifact_type, "unknown"));
    fields.add_if("url", artifact.source_url);
    fields.add_if("title", artifact.title);
    fields.add_if("description", artifact.description);
    fields.add_if("media type", artifact.mime_type);
    if (artifact.http_status) fields.add("status", fmt::format("{}", *artifact.http_status));
    if (artifact.file_size) fields.add("size", human_bytes(*artifact.file_size));
    fields.add("sha-256", artifact.content_hash);
    if (artifact.job_id) fields.add("job", to_string(*artifact.job_id));
    if (artifact.fetched_at) fields.add("fetched", human_time(*artifact.fetched_at));
    if (artifact.deleted_at) fields.add("deleted", human_time(*artifact.deleted_at));
    for (const auto& extraction : result.extractions) fields.add(extraction.extraction_type, extraction.extracted_data.text);
    console.print(fields);
  });
  return ExitCode::ok;
}

std::string base64(std::string_view bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the final zero
  return text;
}

struct TextResult {
  ArtifactId id;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(TextResult, (), (id, text))

struct BodyResult {
  ArtifactId id;
  std::optional<std::string> mime_type;
  std::int64_t size_bytes = 0;
  std::string base64;
};
BOOST_DESCRIBE_STRUCT(BodyResult, (), (id, mime_type, size_bytes, base64))

/// The artifact exists, so a body that does not is damage.
Bytes body_of(artifacts::BlobStore& blobs, const artifacts::Artifact& artifact) {
  try {
    return blobs.get(*artifact.blob_hash);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    throw Error(
        ErrorCode::corrupt,
        fmt::format("the body of artifact {} is missing: restore the folder of the bodies from a backup, or name the "
                    "right one with --blobs; `quarry artifact fsck` lists all that is missing",
                    to_string(artifact.id)));
  }
}

/// The bytes as they came, which may be anything: they are for a file or a pipe.
ExitCode cat(Context& context, const ArtifactCli& cli) {
  auto& console = context.console();
  const auto db = context.open(Access::read);
  const auto artifact = db.read([&](Read& tx) { return get(tx, cli.id); });
  if (cli.text) {
    const auto text = db.read([&](Read& tx) { return artifacts::read_text(tx, artifact.user_id, artifact.id); });
    console.result(TextResult{artifact.id, text.value_or("")}, [&] { console.raw(text.value_or("")); });
    return ExitCode::ok;
  }
  if (!artifact.blob_hash) throw Error(ErrorCode::not_found, fmt::format("artifact {} has no body", cli.id));
  artifacts::FileBlobStore blobs(context.settings().blobs, {.create = false});
  const auto body = body_of(blobs, artifact);
  const std::string_view bytes(reinterpret_cast<const char*>(body.data()), body.size());
  if (console.json())
    console.print_json(to_json(BodyResult{artifact.id, artifact.mime_type, std::ssize(bytes), base64(bytes)}));
  else
    console.raw(bytes);
  return ExitCode::ok;
}

}  // namespace

void add_artifact_commands(CLI::App& app, Commands& commands) {
  auto& group =
      *commands.group(app, "artifact", "Look at what was fetched, change and delete it, and look after its bodies");
  {
    auto cli = std::make_shared<ListCli>();
    auto* command = commands.add(group, "list", "List artifacts, the newest first", cli, list);
    command->add_option("--user", cli->user, "Only those of this user")->type_name("NAME");
    command->add_option("--job", cli->job, "Only those of this job");
    command->add_option("--tag", cli->tag, "Only those with this tag");
    command->add_option("--keyword", cli->keyword, "Only those with this keyword");
    command->add_option("--text", cli->text, "Only those with this in the title or the description; see also `quarry find`");
    add_enum<artifacts::ArtifactType>(*command, "--type", cli->type, "Only those of this type");
    add_enum<artifacts::ArtifactOrder>(*command, "--sort", cli->by, "By created_at");
    command->add_flag("--reverse", cli->reverse, "The oldest first, instead of the newest");
    command->add_flag("--deleted", cli->deleted, "The deleted ones instead of the others");
    add_page_options(*command, cli->page);
  }
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const ArtifactCli&)) {
    auto cli = std::make_shared<ArtifactCli>();
    auto* command = commands.add(group, name, help, cli, action);
    command->add_option("id", cli->id, "The artifact")->required();
    return std::pair(command, cli);
  };
  add("show", "Show an artifact and what was extracted from it", show);
  const auto [command, cli] = add("cat", "Print an artifact's body, byte for byte; in base64 with --json", cat);
  command->add_flag("--text", cli->text, "The text that search reads instead");
  add_artifact_change_commands(group, commands);
  add_artifact_upkeep_commands(group, commands);
}

}  // namespace quarry::cli
