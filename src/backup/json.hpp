#pragma once
/// Described structs as JSON text and back; times are ISO 8601.

#include <boost/json.hpp>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/backup/error.hpp"
#include "quarry/core/time.hpp"

namespace quarry {

inline void tag_invoke(const boost::json::value_from_tag&, boost::json::value& into, const Instant& at) {
  into = to_iso8601(at);
}
inline Instant tag_invoke(const boost::json::value_to_tag<Instant>&, const boost::json::value& from) {
  return parse_iso8601(std::string_view(from.as_string()));
}

}  // namespace quarry

namespace quarry::backup {

template <class T>
std::string to_json_text(const T& value) {
  return boost::json::serialize(boost::json::value_from(value)) + "\n";
}

/// Throws `BackupError` (changed), naming the file, when it is not what `to_json_text` writes.
template <class T>
T from_json_text(std::string_view text, std::string_view name) {
  try {
    return boost::json::value_to<T>(boost::json::parse(boost::json::string_view(text.data(), text.size())));
  } catch (const std::bad_alloc&) {
    throw;  // says nothing of the file
  } catch (const std::exception&) {
    throw BackupError(Damage::changed, std::string("'").append(name).append("' was changed: it cannot be read"));
  }
}

}  // namespace quarry::backup
