/// Bodies stored once however often they are seen, found again by their words.
#include <fmt/format.h>

#include <filesystem>

#include "open.hpp"

using namespace quarry;

int main(int argc, char** argv) {
  const auto db = open_example(argc, argv);
  const auto folder = std::filesystem::temp_directory_path() / "quarry-example-blobs";
  std::filesystem::create_directories(folder);
  artifacts::FileBlobStore blobs(folder);
  const auto user = db.write([](Write& tx) { return accounts::ensure_local_user(tx); });

  const std::string page = "<h1>Lithium</h1><p>The lightest metal.";
  for (const auto* url : {"http://a.example/", "http://b.example/"}) {
    const auto blob = blobs.put(std::as_bytes(std::span(page)));  // durable first, the row afterwards
    db.write([&](Write& tx) {
      const auto id = artifacts::put_artifact(tx, {.user_id = user,
                                                   .source_url = url,
                                                   .title = "Lithium",
                                                   .mime_type = "text/html",
                                                   .content_text = "Lithium. The lightest metal.",
                                                   .blob = blob});
      artifacts::put_tags(tx, user, id, std::vector<artifacts::MetadataTag>{{"keyword", "element", "Li"}});
    });
  }
  const auto found = db.read([](Read& tx) { return artifacts::search(tx, {.query = "lightest metals"}); });
  for (const auto& hit : found.items) fmt::print("{}: {}\n", *hit.source_url, hit.snippet);
  const auto first = db.read([](Read& tx) { return artifacts::list(tx).rows.at(0); });
  fmt::print("{} bytes, {} artifacts, one body\n", blobs.get(*first.blob_hash).size(), found.items.size());
  std::filesystem::remove_all(folder);
}
