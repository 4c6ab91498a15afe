#include <algorithm>
#include <array>
#include <utility>

#include "quarry/ops/policy.hpp"

namespace quarry::ops {
namespace {

using Named = std::pair<std::string_view, std::string_view>;
/// Media types (https://www.iana.org/assignments/media-types) by the suffixes that people use for them.
constexpr std::array<Named, 34> by_media_type{{
    {"application/epub+zip", "epub"},
    {"application/gzip", "gz"},
    {"application/javascript", "js"},
    {"application/json", "json"},
    {"application/ld+json", "json"},
    {"application/msword", "doc"},
    {"application/pdf", "pdf"},
    {"application/rtf", "rtf"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.ms-powerpoint", "ppt"},
    {"application/vnd.oasis.opendocument.text", "odt"},
    {"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {"application/xhtml+xml", "html"},
    {"application/xml", "xml"},
    {"application/x-javascript", "js"},
    {"application/zip", "zip"},
    {"audio/mpeg", "mp3"},
    {"audio/ogg", "ogg"},
    {"image/gif", "gif"},
    {"image/jpeg", "jpg"},
    {"image/png", "png"},
    {"image/svg+xml", "svg"},
    {"image/webp", "webp"},
    {"text/css", "css"},
    {"text/csv", "csv"},
    {"text/html", "html"},
    {"text/javascript", "js"},
    {"text/markdown", "md"},
    {"text/plain", "txt"},
    {"text/xml", "xml"},
    {"video/mp4", "mp4"},
    {"video/webm", "webm"},
}};

constexpr std::size_t suffix_max = 10;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string suffix_of(std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  path = path.substr(path.find_last_of('/') + 1);
  const auto dot = path.find_last_of('.');
  if (dot == std::string_view::npos || dot == 0) return "bin";
  auto suffix = lower(path.substr(dot + 1));
  const bool is_one = !suffix.empty() && suffix.size() <= suffix_max &&
                      std::ranges::all_of(suffix, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  return is_one ? suffix : "bin";
}

std::string_view canonical(std::string_view type) {
  if (type == "jpeg") return "jpg";
  if (type == "htm") return "html";
  return type;
}

}  // namespace

std::string file_type_of(std::string_view media_type, std::string_view path) {
  auto type = lower(media_type.substr(0, media_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  for (const auto& [name, suffix] : by_media_type)
    if (name == type) return std::string(suffix);
  if (type.ends_with("+json")) return "json";
  if (type.ends_with("+xml")) return "xml";
  return suffix_of(path);
}

bool allows_file_type(const Policy& policy, std::string_view file_type) {
  return !policy.file_types || std::ranges::any_of(*policy.file_types, [&](const std::string& allowed) {
    return canonical(allowed) == canonical(file_type);
  });
}

}  // namespace quarry::ops
