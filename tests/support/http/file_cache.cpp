#include "support/http/file_cache.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <utility>

namespace quarry::test {
namespace {

constexpr std::size_t cache_bytes_max = 512u << 20;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Nothing for what no file may be called, and for every way upwards.
std::optional<std::string> decoded(std::string_view target) {
  std::string path;
  for (std::size_t i = 0; i < target.size(); ++i) {
    char c = target[i];
    if (c == '%') {
      const int high = i + 2 < target.size() ? hex_digit(target[i + 1]) : -1;
      const int low = i + 2 < target.size() ? hex_digit(target[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high << 4 | low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    path += c;
  }
  if (path.empty() || path[0] != '/') return std::nullopt;
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at + 1), path.size());
    if (path.compare(at, end - at, "/..") == 0) return std::nullopt;
    at = end;
  }
  return path;
}

std::string_view type_of(std::string_view path) {
  constexpr std::pair<std::string_view, std::string_view> types[] = {{".html", "text/html; charset=utf-8"},
                                                                     {".htm", "text/html; charset=utf-8"},
                                                                     {".css", "text/css"},
                                                                     {".js", "text/javascript"},
                                                                     {".json", "application/json"},
                                                                     {".txt", "text/plain; charset=utf-8"},
                                                                     {".xml", "application/xml"},
                                                                     {".svg", "image/svg+xml"},
                                                                     {".png", "image/png"},
                                                                     {".jpg", "image/jpeg"},
                                                                     {".gif", "image/gif"},
                                                                     {".ico", "image/vnd.microsoft.icon"},
                                                                     {".pdf", "application/pdf"}};
  for (const auto& [end, type] : types)
    if (path.size() >= end.size() && path.substr(path.size() - end.size()) == end) return type;
  return "application/octet-stream";
}

std::int64_t modified_ns(const struct stat& info) { return info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec; }

}  // namespace

Found FileCache::find(std::string_view target) {
  const auto raw = target.substr(0, target.find_first_of("?#"));
  auto path = decoded(raw);
  if (!path) return {.status = 400, .file = nullptr, .location = {}};
  struct stat info {};
  if (stat((folder_ + *path).c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    if (path->back() != '/') return {.status = 301, .file = nullptr, .location = std::string(raw) + '/'};
    *path += "index.html";
  }
  const auto full = folder_ + *path;
  auto file = load(full, type_of(*path), false);
  if (!file) file = load(full + ".gz", type_of(*path), true);
  return {.status = file ? 200 : 404, .file = std::move(file), .location = {}};
}

std::shared_ptr<const CachedFile> FileCache::load(const std::string& path, std::string_view type, bool gzip) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return nullptr;
  const auto known = files_.find(path);
  if (known != files_.end()) {
    if (known->second->size == info.st_size && known->second->modified_ns == modified_ns(info)) return known->second;
    bytes_ -= known->second->body.size();
    files_.erase(known);
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return nullptr;
  auto file = std::make_shared<CachedFile>();
  file->body.assign(std::istreambuf_iterator<char>(stream), {});
  file->size = info.st_size;
  file->modified_ns = modified_ns(info);
  file->etag = '"' + std::to_string(file->modified_ns) + '-' + std::to_string(file->size) + '"';
  file->head = "Content-Type: " + std::string(type) + "\r\nETag: " + file->etag + "\r\n";
  if (gzip) file->head += "Content-Encoding: gzip\r\n";
  if (bytes_ + file->body.size() <= cache_bytes_max) {
    bytes_ += file->body.size();
    files_.emplace(path, file);
  }
  return file;
}

}  // namespace quarry::test
