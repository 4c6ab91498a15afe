/// Tags and extractions.

#include <gtest/gtest.h>

#include <cmath>

#include "conformance/artifacts/artifacts_test.hpp"
#include "quarry/artifacts/extractions.hpp"
#include "quarry/artifacts/tags.hpp"
#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

class Notes : public ArtifactsTest {
 protected:
  template <class F>
  auto write(F body) {
    return db().write([&](Write& tx) { return body(tx); });
  }
  std::string tags_of(ArtifactId id) {
    std::string all;
    for (const auto& tag : db().read([&](Read& tx) { return list_tags(tx, user_, id); }))
      all += tag.tag_type + ":" + tag.tag_key + "=" + tag.tag_value.value_or("-") + " ";
    return all;
  }
  std::vector<StoredExtraction> extractions_of(ArtifactId id) {
    return db().read([&](Read& tx) { return list_extractions(tx, user_, id); });
  }
};
QUARRY_BOTH_ENGINES(Notes);

TEST_P(Notes, TagsAreReplacedByTypeAndKey) {
  const auto id = put(page("a"));
  const std::vector<MetadataTag> tags{{"user", "colour", "red"}, {"privacy", "level", std::nullopt}, {"user", "size", "10"}};
  for (int i = 0; i < 2; ++i) write([&](Write& tx) { put_tags(tx, user_, id, tags); });
  EXPECT_EQ(tags_of(id), "privacy:level=- user:colour=red user:size=10 ");
  write([&](Write& tx) { put_tags(tx, user_, id, std::vector<MetadataTag>{{"user", "colour", "blue"}}); });
  EXPECT_EQ(tags_of(id), "privacy:level=- user:colour=blue user:size=10 ");
  EXPECT_TRUE(write([&](Write& tx) { return remove_tag(tx, user_, id, "user", "size"); }));
  EXPECT_FALSE(write([&](Write& tx) { return remove_tag(tx, user_, id, "user", "size"); }));
  EXPECT_EQ(tags_of(id), "privacy:level=- user:colour=blue ");
}

TEST_P(Notes, TaggedArtifactsAreFound) {
  const auto a = put(page("a"));
  clock().advance(1ms);
  const auto b = put(page("b"));
  write([&](Write& tx) { put_tags(tx, user_, a, std::vector<MetadataTag>{{"user", "colour", "red"}}); });
  write([&](Write& tx) { put_tags(tx, user_, b, std::vector<MetadataTag>{{"user", "colour", "blue"}}); });
  const auto tagged = [&](std::optional<std::string> value) {
    return db().read([&](Read& tx) { return find_tagged(tx, user_, "user", "colour", value); });
  };
  EXPECT_EQ(tagged(std::nullopt), (std::vector{b, a}));
  EXPECT_EQ(tagged("red"), std::vector{a});
  EXPECT_TRUE(tagged("green").empty());
  write([&](Write& tx) { return soft_delete(tx, user_, a); });
  EXPECT_EQ(tagged(std::nullopt), std::vector{b});
}

TEST_P(Notes, AnExtractionReplacesTheFormerOfItsKind) {
  const auto id = put(page("a"));
  const std::vector<NewExtraction> first{{user_, id, "fields", {R"({"n": 0})"}, {}},
                                         {user_, id, "links", {"[]"}, {}},
                                         {user_, id, "fields", {R"({"n": 1})"}, 0.876}};
  for (int i = 0; i < 2; ++i) {
    write([&](Write& tx) { put_extractions(tx, first); });
    const auto all = extractions_of(id);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].extraction_type, "fields");
    EXPECT_EQ(all[0].extracted_data.text, R"({"n": 1})");
    EXPECT_NEAR(*all[0].confidence_score, 0.88, 1e-9);
    EXPECT_EQ(all[1].extraction_type, "links");
    EXPECT_FALSE(all[1].confidence_score);
  }
  write([&](Write& tx) { put_extraction(tx, {user_, id, "fields", {"{}"}, {}}); });
  EXPECT_EQ(extractions_of(id).at(0).extracted_data.text, "{}");
  write([&](Write& tx) { put_extractions(tx, {}); });
}

TEST_P(Notes, BelongToTheOwnerAndEndWithTheArtifact) {
  const auto id = put(page("a"));
  const auto eve = make_user(db(), "eve");
  const std::vector<MetadataTag> tag{{"user", "k", "v"}};
  EXPECT_THROW(write([&](Write& tx) { put_tags(tx, eve, id, tag); }), Error);
  EXPECT_THROW(write([&](Write& tx) { put_extraction(tx, {eve, id, "fields", {"{}"}, {}}); }), Error);
  write([&](Write& tx) {
    put_tags(tx, user_, id, tag);
    put_extraction(tx, {user_, id, "fields", {"{}"}, {}});
  });
  EXPECT_TRUE(db().read([&](Read& tx) { return list_tags(tx, eve, id); }).empty());
  write([&](Write& tx) { return purge(tx, user_, id); });
  EXPECT_EQ(tags_of(id), "");
  EXPECT_TRUE(extractions_of(id).empty());
}

TEST_P(Notes, RefusesWhatCannotBeStored) {
  const auto id = put(page("a"));
  const auto refused = [&](auto act) {
    try {
      write(act);
    } catch (const Error& error) {
      return error.code() == ErrorCode::invalid;
    }
    return false;
  };
  using Tags = std::vector<MetadataTag>;
  EXPECT_TRUE(refused([&](Write& tx) { put_tags(tx, user_, id, Tags{{"", "k", {}}}); }));
  EXPECT_TRUE(refused([&](Write& tx) { put_tags(tx, user_, id, Tags{{"t", std::string(101, 'k'), {}}}); }));
  EXPECT_TRUE(refused([&](Write& tx) { put_tags(tx, user_, id, Tags{{"t", "k", "1"}, {"t", "k", "2"}}); }));
  EXPECT_TRUE(refused([&](Write& tx) { put_extraction(tx, {user_, id, "", {"{}"}, {}}); }));
  EXPECT_TRUE(refused([&](Write& tx) { put_extraction(tx, {user_, id, "t", {"{}"}, 1.5}); }));
  EXPECT_TRUE(refused([&](Write& tx) { put_extraction(tx, {user_, id, "t", {"{}"}, std::nan("")}); }));
}

}  // namespace
}  // namespace quarry::test
