/// Artifacts, their tags and what was extracted from them.

#include "conformance/tenants/tenants_test.hpp"
#include "quarry/artifacts/extractions.hpp"
#include "quarry/artifacts/search.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/artifacts/tags.hpp"

namespace quarry::test {

Operations TenantStores::of_artifacts() {
  const std::string table = "artifacts";
  const auto page = [this] { return artifacts::NewArtifact{.user_id = bob_, .source_url = "http://x/", .blob = blob_}; };
  return {
      {table, "artifacts::find", [&](Write& tx) { return artifacts::find(tx, artifact_).has_value(); }},
      {table, "artifacts::find", [&](Write& tx) { return artifacts::find(tx, bob_, artifact_).has_value(); }},
      {table, "artifacts::get", [&](Write& tx) { return artifacts::get(tx, artifact_).id == artifact_; }},
      {table, "artifacts::exists", [&](Write& tx) { return artifacts::exists(tx, artifact_); }},
      {table, "artifacts::find_by_url",
       [&](Write& tx) { return artifacts::find_by_url(tx, job_, "http://h/").has_value(); }},
      {table, "artifacts::read_text", [&](Write& tx) { return artifacts::read_text(tx, bob_, artifact_).has_value(); }},
      {table, "artifacts::list", [&](Write& tx) { return !artifacts::list(tx).rows.empty(); }},
      {table, "artifacts::list", [&](Write& tx) { return !artifacts::list(tx, {.user_id = bob_}).rows.empty(); }},
      {table, "artifacts::count", [&](Write& tx) { return artifacts::count(tx) > 0; }},
      {table, "artifacts::search", [&](Write& tx) { return !artifacts::search(tx, {.query = "lithium"}).items.empty(); }},
      {table, "artifacts::search",
       [&](Write& tx) { return !artifacts::search(tx, {.query = "lithium", .user_id = bob_}).items.empty(); }},
      {table, "artifacts::put_artifact", [=](Write& tx) { return artifacts::put_artifact(tx, page()) != ArtifactId{}; }},
      {table, "artifacts::put_artifacts",
       [=](Write& tx) { return !artifacts::put_artifacts(tx, std::vector{page()}).empty(); }},
      {table, "artifacts::update",
       [&](Write& tx) { return artifacts::update(tx, bob_, artifact_, {.title = "x"}).title == "x"; }},
      {table, "artifacts::soft_delete", [&](Write& tx) { return artifacts::soft_delete(tx, bob_, artifact_); }},
      {table, "artifacts::restore", [&](Write& tx) { return artifacts::restore(tx, bob_, hidden_); }},
      {table, "artifacts::purge", [&](Write& tx) { return artifacts::purge(tx, bob_, artifact_); }},
      {table, "artifacts::purge_deleted", [&](Write& tx) { return artifacts::purge_deleted(tx, tx.now()) > 0; }},
      {table, "artifacts::purge_of_job", [&](Write& tx) { return artifacts::purge_of_job(tx, job_) > 0; }},
      {table, "artifacts::purge_of_user", [&](Write& tx) { return artifacts::purge_of_user(tx, bob_) > 0; }},
  };
}

Operations TenantStores::of_artifact_children() {
  const std::string tags = "metadata_tags", extractions = "content_extractions";
  const artifacts::NewExtraction found{bob_, artifact_, "x", Json{"[]"}, {}};
  return {
      {tags, "artifacts::put_tags",
       [&](Write& tx) {
         return artifacts::put_tags(tx, bob_, artifact_, std::vector<artifacts::MetadataTag>{{"t", "k", "v"}}), true;
       }},
      {tags, "artifacts::list_tags", [&](Write& tx) { return !artifacts::list_tags(tx, bob_, artifact_).empty(); }},
      {tags, "artifacts::find_tagged", [&](Write& tx) { return !artifacts::find_tagged(tx, bob_, "type", "key").empty(); }},
      {tags, "artifacts::remove_tag", [&](Write& tx) { return artifacts::remove_tag(tx, bob_, artifact_, "type", "key"); }},
      {extractions, "artifacts::put_extraction", [=](Write& tx) { return artifacts::put_extraction(tx, found), true; }},
      {extractions, "artifacts::put_extractions",
       [=](Write& tx) {
         return artifacts::put_extractions(tx, std::vector{found, found}), true;
       }},
      {extractions, "artifacts::list_extractions",
       [&](Write& tx) { return !artifacts::list_extractions(tx, bob_, artifact_).empty(); }},
  };
}

}  // namespace quarry::test
