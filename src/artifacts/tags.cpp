#include "quarry/artifacts/tags.hpp"

#include <fmt/format.h>

#include <set>

#include "artifacts/sql_text.hpp"
#include "artifacts/text_rules.hpp"
#include "quarry/core/error.hpp"

namespace quarry::artifacts {
namespace {

struct TagKey {
  UserId user_id;
  ArtifactId artifact_id;
  std::string_view tag_type;
  std::string_view tag_key;
};
BOOST_DESCRIBE_STRUCT(TagKey, (), (user_id, artifact_id, tag_type, tag_key))

constexpr sql::Command<void(TagKey)> delete_tag{
    "artifact.remove_tag",
    "delete from metadata_tags where user_id = $1 and artifact_id = $2 and tag_type = $3 and tag_key = $4"};

struct TagRow {
  Uuid id;
  UserId user_id;
  ArtifactId artifact_id;
  std::string_view tag_type;
  std::string_view tag_key;
  std::optional<std::string_view> tag_value;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(TagRow, (), (id, user_id, artifact_id, tag_type, tag_key, tag_value, created_at))

constexpr sql::Command<void(TagRow)> insert_tag{
    "artifact.put_tag",
    "insert into metadata_tags (id, user_id, artifact_id, tag_type, tag_key, tag_value, created_at)"
    " values ($1, $2, $3, $4, $5, $6, $7)"};
constexpr sql::Query<MetadataTag(UserId, ArtifactId)> select_tags{
    "artifact.list_tags",
    "select tag_type, tag_key, tag_value from metadata_tags where user_id = $1 and artifact_id = $2 order by tag_type, "
    "tag_key, id"};

}  // namespace

void put_tags(Write& tx, UserId user, ArtifactId artifact, std::span<const MetadataTag> tags) {
  if (!tx.actor().sees(user)) throw Error(ErrorCode::not_found, fmt::format("there is no artifact {}", to_string(artifact)));
  std::vector<TagKey> keys;
  std::vector<TagRow> rows;
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& tag : tags) {
    check_name("tag_type", tag.tag_type, 50);
    check_name("tag_key", tag.tag_key, 100);
    if (tag.tag_value) check_text("tag_value", *tag.tag_value);
    if (!seen.emplace(tag.tag_type, tag.tag_key).second)
      throw_invalid(fmt::format("the tag '{}' of type '{}' is given twice: once is enough", tag.tag_key, tag.tag_type));
    keys.push_back({user, artifact, tag.tag_type, tag.tag_key});
    rows.push_back({tx.new_uuid(), user, artifact, tag.tag_type, tag.tag_key, tag.tag_value, tx.now()});
  }
  if (rows.empty()) return;
  tx.run_each(delete_tag, keys);
  tx.run_each(insert_tag, rows);
}

bool remove_tag(Write& tx, UserId user, ArtifactId artifact, std::string_view tag_type, std::string_view tag_key) {
  return tx.actor().sees(user) && tx.run(delete_tag, TagKey{user, artifact, tag_type, tag_key}) > 0;
}

std::vector<MetadataTag> list_tags(Read& tx, UserId user, ArtifactId artifact) {
  return tx.actor().sees(user) ? tx.all(select_tags, user, artifact) : std::vector<MetadataTag>{};
}

std::vector<ArtifactId> find_tagged(Read& tx, UserId user, std::string_view tag_type, std::string_view tag_key,
                                    std::optional<std::string> tag_value, int limit) {
  if (limit < 1 || limit > 1000) throw_invalid(fmt::format("a limit of {}: it must be from 1 to 1000", limit));
  if (!tx.actor().sees(user)) return {};
  SqlText text;
  (text << "select id from artifacts a where user_id = ").bind(user)
      << " and deleted_at is null and exists (select 1 from metadata_tags m";
  (text << " where m.user_id = a.user_id and m.artifact_id = a.id and m.tag_type = ").bind(tag_type);
  (text << " and m.tag_key = ").bind(tag_key);
  if (tag_value) (text << " and m.tag_value = ").bind(*tag_value);
  const std::int64_t rows = limit;
  (text << ") order by id desc limit ").bind(rows);
  return text.all<ArtifactId>(tx, "artifact.find_tagged");
}

}  // namespace quarry::artifacts
