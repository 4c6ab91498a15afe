#pragma once
/// From the target of a request to a file's bytes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace quarry::test {

struct CachedFile {
  std::string head;  ///< the header lines that describe it, without status line and empty line
  std::string etag;
  std::string body;
  std::int64_t size = 0, modified_ns = 0;  ///< as they were when it was read
};

struct Found {
  int status = 404;  ///< 200, 301 (to `location`), 400 or 404
  std::shared_ptr<const CachedFile> file;
  std::string location;
};

class FileCache {
 public:
  explicit FileCache(std::string folder) : folder_(std::move(folder)) {}

  /// `target` as it stands in the request line.
  Found find(std::string_view target);

 private:
  std::shared_ptr<const CachedFile> load(const std::string& path, std::string_view type, bool gzip);

  std::string folder_;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, std::shared_ptr<const CachedFile>> files_;
};

}  // namespace quarry::test
