#pragma once
/// Strict reading of JSON objects: every error names the path, and every key must be asked for.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::crawl {

/// One object with the path that leads to it. Ask for each key, then call `finish`.
class JsonReader {
 public:
  /// Throws unless `value` is an object.
  JsonReader(const boost::json::value& value, std::string path);

  /// The value, or nothing if the key is absent. Each throws if it is there with another type or outside its bounds.
  std::optional<std::string> text(std::string_view key, std::size_t bytes_max);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  /// The position of the value in `names`.
  std::optional<std::size_t> choice(std::string_view key, std::span<const std::string_view> names);
  std::vector<std::string> texts(std::string_view key, std::size_t count_max, std::size_t bytes_max);
  const boost::json::value* any(std::string_view key);

  /// Runs `read`, and puts the path in front of what it finds `invalid`.
  void check(std::string_view key, const std::function<void()>& read) const;

  /// Throws if there is a key that nobody asked for.
  void finish() const;

  std::string path_to(std::string_view key) const;
  [[noreturn]] void fail(std::string_view key, std::string_view what) const;

 private:
  const boost::json::object* object_;
  std::string path_;
  std::vector<std::string_view> asked_;
};

/// The whole text as one value: bounded, valid UTF-8, no comments, no key twice. Throws `invalid` with the position.
boost::json::value read_json(std::string_view text, std::size_t bytes_max);

}  // namespace quarry::crawl
