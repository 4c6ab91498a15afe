#pragma once
/// Tags of an artifact with a type, a key and a value (the plain words in `Artifact::tags` are something else). They belong
/// to the artifact's owner and end with it.
///
/// Putting is by replacement, so that a task that is run twice leaves what one run leaves. Errors: `invalid`; `constraint`
/// when the owner has no such artifact. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/artifacts/artifact.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::artifacts {

struct MetadataTag {
  std::string tag_type;  ///< `keyword`, `user`, `privacy`, ...; 1 to 50 characters
  std::string tag_key;   ///< 1 to 100 characters
  std::optional<std::string> tag_value;
};
BOOST_DESCRIBE_STRUCT(MetadataTag, (), (tag_type, tag_key, tag_value))

/// Gives the artifact these tags; one with the same type and key is replaced.
void put_tags(Write& tx, UserId user, ArtifactId artifact, std::span<const MetadataTag> tags);
/// False when there was none.
bool remove_tag(Write& tx, UserId user, ArtifactId artifact, std::string_view tag_type, std::string_view tag_key);
/// By type, key and age.
std::vector<MetadataTag> list_tags(Read& tx, UserId user, ArtifactId artifact);
/// The owner's artifacts that carry the tag, newest first, at most `limit`; deleted ones are left out. Without a value, any
/// value will do.
std::vector<ArtifactId> find_tagged(Read& tx, UserId user, std::string_view tag_type, std::string_view tag_key,
                                    std::optional<std::string> tag_value = std::nullopt, int limit = 100);

}  // namespace quarry::artifacts
