#include "crawl/web/json_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <set>
#include <utility>

#include "quarry/core/error.hpp"

namespace quarry::crawl {
namespace {

namespace json = boost::json;

/// Far more than any config needs, far less than a stack holds.
constexpr std::size_t depth_max = 16;

/// Listens to the parser for what a finished value no longer shows: keys that stand there twice (the last would win), and
/// NUL.
struct Listener {
  static constexpr std::size_t max_object_size = std::size_t(-1), max_array_size = std::size_t(-1),
                               max_key_size = std::size_t(-1), max_string_size = std::size_t(-1);
  std::vector<std::set<std::string>> keys;
  std::string key, twice;
  bool has_nul = false;

  bool part(json::string_view text) {
    has_nul = has_nul || text.find('\0') != json::string_view::npos;
    return true;
  }
  bool key_part(json::string_view text) { return key.append(text.data(), text.size()), part(text); }
  bool key_end() {
    if (!keys.back().insert(key).second && twice.empty()) twice = key;
    key.clear();
    return true;
  }

  using Code = json::error_code;
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return keys.emplace_back(), true; }
  bool on_object_end(std::size_t, Code&) { return keys.pop_back(), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(json::string_view text, std::size_t, Code&) { return key_part(text); }
  bool on_key(json::string_view text, std::size_t, Code&) { return key_part(text) && key_end(); }
  bool on_string_part(json::string_view text, std::size_t, Code&) { return part(text); }
  bool on_string(json::string_view text, std::size_t, Code&) { return part(text); }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, Code&) { return true; }
  bool on_double(double, json::string_view, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }
};

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

/// `$.fields.title`, or `$.fields["my title"]` where a dot would mislead.
std::string joined(const std::string& path, std::string_view key) {
  const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return plain ? fmt::format("{}.{}", path, key) : fmt::format("{}[\"{}\"]", path, key.substr(0, 100));
}

}  // namespace

json::value read_json(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    throw_invalid(fmt::format("the JSON is {} bytes long; at most {} are read", text.size(), bytes_max));
  json::parse_options options;
  options.max_depth = depth_max;
  json::basic_parser<Listener> parser(options);
  json::error_code failed;
  const auto read = parser.write_some(false, text.data(), text.size(), failed);
  if (!failed && text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) failed = json::error::extra_data;
  if (failed) throw_invalid(fmt::format("the JSON cannot be read at byte {}: {}", read + 1, failed.message()));
  const auto& listener = parser.handler();
  if (!listener.twice.empty()) throw_invalid(fmt::format("the JSON has the key '{}' twice in one object", listener.twice));
  if (listener.has_nul) throw_invalid("the JSON holds the character \\u0000, which no database keeps");
  return json::parse(json::string_view(text.data(), text.size()), {}, options);
}

JsonReader::JsonReader(const json::value& value, std::string path) : object_(value.if_object()), path_(std::move(path)) {
  if (object_ == nullptr) throw_invalid(fmt::format("{}: {} where an object is wanted", path_, kind_of(value)));
}

std::string JsonReader::path_to(std::string_view key) const { return joined(path_, key); }

void JsonReader::fail(std::string_view key, std::string_view what) const {
  throw_invalid(fmt::format("{}: {}", path_to(key), what));
}

const json::value* JsonReader::any(std::string_view key) {
  asked_.push_back(key);
  return object_->if_contains(json::string_view(key.data(), key.size()));
}

std::optional<std::string> JsonReader::text(std::string_view key, std::size_t bytes_max) {
  const auto* value = any(key);
  if (value == nullptr) return std::nullopt;
  const auto* string = value->if_string();
  if (string == nullptr) fail(key, fmt::format("{} where a string is wanted", kind_of(*value)));
  if (string->size() > bytes_max) fail(key, fmt::format("{} bytes; at most {} are possible", string->size(), bytes_max));
  return std::string(string->data(), string->size());
}

std::optional<bool> JsonReader::boolean(std::string_view key) {
  const auto* value = any(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) fail(key, fmt::format("{} where true or false is wanted", kind_of(*value)));
  return value->get_bool();
}

std::optional<std::int64_t> JsonReader::integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const auto* value = any(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) fail(key, fmt::format("{} where a whole number is wanted", kind_of(*value)));
  json::error_code failed;
  const auto number = value->to_number<std::int64_t>(failed);
  if (failed || value->is_double() || number < min || number > max)
    fail(key, fmt::format("a whole number from {} to {} is wanted", min, max));
  return number;
}

std::optional<std::size_t> JsonReader::choice(std::string_view key, std::span<const std::string_view> names) {
  const auto chosen = text(key, 100);
  if (!chosen) return std::nullopt;
  const auto at = std::find(names.begin(), names.end(), *chosen);
  if (at == names.end()) fail(key, fmt::format("'{}' is not possible; possible are {}", *chosen, fmt::join(names, ", ")));
  return static_cast<std::size_t>(at - names.begin());
}

std::vector<std::string> JsonReader::texts(std::string_view key, std::size_t count_max, std::size_t bytes_max) {
  std::vector<std::string> out;
  const auto* value = any(key);
  if (value == nullptr) return out;
  const auto* array = value->if_array();
  if (array == nullptr) fail(key, fmt::format("{} where an array of strings is wanted", kind_of(*value)));
  if (array->size() > count_max) fail(key, fmt::format("{} entries; at most {} are possible", array->size(), count_max));
  for (const auto& entry : *array) {
    const auto* string = entry.if_string();
    if (string == nullptr) fail(key, fmt::format("entry {} is {} where a string is wanted", out.size() + 1, kind_of(entry)));
    if (string->size() > bytes_max) fail(key, fmt::format("entry {} is longer than {} bytes", out.size() + 1, bytes_max));
    out.emplace_back(string->data(), string->size());
  }
  return out;
}

void JsonReader::check(std::string_view key, const std::function<void()>& read) const {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid) throw;
    fail(key, error.client_message());
  }
}

void JsonReader::finish() const {
  for (const auto& member : *object_) {
    const std::string_view key(member.key().data(), member.key().size());
    if (std::find(asked_.begin(), asked_.end(), key) == asked_.end())
      fail(key, fmt::format("this key is not known; possible are {}", fmt::join(asked_, ", ")));
  }
}

}  // namespace quarry::crawl
