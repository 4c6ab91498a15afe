#pragma once
/// What a crawl job is asked to do: Selextract's JSON, plus following links.
///
///     {
///       "targetUrl": "https://example.org/books/",
///       "containerSelector": "li.book",
///       "fields": {
///         "title":  {"type": "text", "selector": "h2", "required": true},
///         "price":  {"type": "text", "selector": ".price", "default": "0"},
///         "isbn":   {"type": "attribute", "selector": "[data-isbn]", "attribute": "data-isbn"},
///         "tags":   {"type": "text", "selector": ".tag", "multiple": true},
///         "page":   {"type": "link", "selector": "a"},
///         "cover":  {"type": "image", "selector": "img"}
///       },
///       "follow":  {"scope": "prefix", "maxDepth": 5, "maxPages": 1000, "exclude": ["*.pdf"]},
///       "request": {"delayMs": 200, "timeoutMs": 20000}
///     }
///
/// Everything is optional; `{}` fetches one page and extracts nothing. `targetUrl` may come from elsewhere, such as a
/// command line. Reading is strict: a key that is not known, a value of another type or outside its bounds, and a
/// selector or pattern that cannot be read are each refused with the path to it (`$.fields.title.type`) and what is
/// possible there.
///
/// Patterns (`include`, `exclude`) see the whole canonical URL. `*` stands for any text and everything else for itself;
/// with `re:` in front it is a regular expression (Perl's syntax) that is searched for in the URL. A URL is followed if
/// any `include` fits, or there is none, and no `exclude` does.
///
/// Thread safety: values and pure functions. Errors: `invalid`.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quarry/crawl/url.hpp"

namespace quarry::crawl {

/// Bounds. Each is enforced by `parse_job_config`.
namespace limits {
inline constexpr std::size_t config_bytes_max = std::size_t{64} * 1024;
inline constexpr std::size_t fields_max = 50;
inline constexpr std::size_t name_bytes_max = 100;  ///< a field's name
inline constexpr std::size_t patterns_max = 50;     ///< in each of `include` and `exclude`
inline constexpr std::size_t pattern_bytes_max = 500;
inline constexpr std::size_t headers_max = 20;
inline constexpr std::size_t header_bytes_max = 4096;  ///< a header's value
inline constexpr std::size_t user_agent_bytes_max = 256;
inline constexpr std::int64_t depth_max = 1000;
inline constexpr std::int64_t pages_max = 100'000'000;
inline constexpr std::int64_t timeout_ms_min = 100, timeout_ms_max = 300'000;
inline constexpr std::int64_t body_bytes_min = 1024, body_bytes_max = std::int64_t{256} * 1024 * 1024;
inline constexpr std::int64_t delay_ms_max = 86'400'000;
}  // namespace limits

enum class FieldType {
  text,       ///< the visible text, as one line
  attribute,  ///< the attribute named by `attribute`
  link,       ///< the absolute URL in `href`, or in `attribute`
  image,      ///< the absolute URL in `src`, or in `attribute`
  html,       ///< the markup inside
};

struct FieldConfig {
  std::string name = {};
  FieldType type = FieldType::text;
  std::string selector = {};                     ///< empty: the container itself
  std::string attribute = {};                    ///< empty: the type's own
  bool multiple = false;                         ///< all matches as an array, instead of the first
  bool required = false;                         ///< an item without it is left out
  std::optional<std::string> default_json = {};  ///< JSON text of what stands for a missing value; `null` or `[]` if absent

  friend bool operator==(const FieldConfig&, const FieldConfig&) = default;
};

enum class FollowScope {
  host,    ///< the target's host and port, whatever the scheme
  prefix,  ///< the same, and a path that begins with the target's folder
  any,
};

struct FollowConfig {
  std::string selector = "a[href], area[href]";
  FollowScope scope = FollowScope::host;
  std::int64_t max_depth = 10;  ///< the target has depth 0
  std::int64_t max_pages = 10'000;
  std::vector<std::string> include = {}, exclude = {};

  friend bool operator==(const FollowConfig&, const FollowConfig&) = default;
};

struct RequestConfig {
  std::int64_t timeout_ms = 30'000;
  std::int64_t max_bytes = std::int64_t{8} * 1024 * 1024;  ///< of a body, after decompression
  std::optional<std::int64_t> delay_ms = {};               ///< between requests to one host; absent: the crawler's own
  bool obey_robots = true;
  std::string user_agent = {};                                    ///< empty: the crawler's own
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< sent to the target's own host only

  friend bool operator==(const RequestConfig&, const RequestConfig&) = default;
};

struct JobConfig {
  std::optional<Url> target_url = {};
  std::string container_selector = {};      ///< empty: the page is the one item
  std::vector<FieldConfig> fields = {};     ///< in the order written
  std::optional<FollowConfig> follow = {};  ///< absent: only the target is fetched
  RequestConfig request;

  friend bool operator==(const JobConfig&, const JobConfig&) = default;
};

/// Reads it, strictly, and in any version (`config_upgrade.hpp`); `stored_version` is that of a config that does not say.
/// Throws `invalid` with the path to what is wrong.
JobConfig parse_job_config(std::string_view text, int stored_version = 1);

/// In today's version, with every default written out, so that a stored job keeps its meaning. `parse_job_config` reads it
/// back to an equal value.
std::string to_json(const JobConfig& config);

}  // namespace quarry::crawl
