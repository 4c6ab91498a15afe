#include "quarry/crawl/job_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "crawl/web/json_reader.hpp"
#include "crawl/web/url_pattern.hpp"
#include "quarry/core/error.hpp"
#include "quarry/crawl/config_upgrade.hpp"
#include "quarry/crawl/html.hpp"

namespace quarry::crawl {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 5> field_types = {"text", "attribute", "link", "image", "html"};
constexpr std::array<std::string_view, 3> follow_scopes = {"host", "prefix", "any"};

/// An upgrade may write out what an older version left to be understood.
constexpr std::size_t upgraded_bytes_max = 4 * limits::config_bytes_max;

/// As long as `Selector` takes.
constexpr std::size_t selector_bytes_max = 1024;

std::string read_selector(JsonReader& reader, std::string_view key, std::string otherwise) {
  const auto text = reader.text(key, selector_bytes_max);
  if (text) reader.check(key, [&] { (void)html::Selector::compile(*text); });
  return text.value_or(std::move(otherwise));
}

void check_default(const FieldConfig& field, const json::value& value, const JsonReader& reader) {
  if (field.required) reader.fail("default", "a required field is never missing: leave out 'default' or 'required'");
  if (value.is_object())
    reader.fail("default", "an object where a string, a number, true, false, null or an array of them is wanted");
  if (value.is_array() != field.multiple)
    reader.fail("default", field.multiple ? "an array is wanted, as the field is 'multiple'"
                                          : "an array is wanted for 'multiple' fields only");
  if (const auto* array = value.if_array())
    for (const auto& entry : *array)
      if (entry.is_structured()) reader.fail("default", "an array of strings, numbers, true, false or null is wanted");
}

FieldConfig read_field(std::string_view name, const json::value& value, const std::string& path) {
  JsonReader reader(value, path);
  FieldConfig field;
  field.name = name;
  const auto type = reader.choice("type", field_types);
  if (!type) reader.fail("type", fmt::format("this key is missing; possible are {}", fmt::join(field_types, ", ")));
  field.type = static_cast<FieldType>(*type);
  field.selector = read_selector(reader, "selector", "");
  field.attribute = reader.text("attribute", limits::name_bytes_max).value_or("");
  field.multiple = reader.boolean("multiple").value_or(false);
  field.required = reader.boolean("required").value_or(false);
  const auto* otherwise = reader.any("default");
  reader.finish();
  if (field.type == FieldType::attribute && field.attribute.empty())
    reader.fail("attribute", "name the attribute that is wanted, such as \"data-id\"");
  if (!field.attribute.empty() && (field.type == FieldType::text || field.type == FieldType::html))
    reader.fail("attribute", "only fields of type attribute, link and image have one");
  // HTML's attribute names are lower case whatever the page wrote.
  for (char& c : field.attribute)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  if (otherwise != nullptr) {
    check_default(field, *otherwise, reader);
    field.default_json = json::serialize(*otherwise);
  }
  return field;
}

void read_fields(JsonReader& reader, JobConfig& config) {
  const auto* value = reader.any("fields");
  if (value == nullptr) return;
  const auto path = reader.path_to("fields");
  const JsonReader fields(*value, path);
  const auto& object = value->get_object();
  if (object.size() > limits::fields_max)
    reader.fail("fields", fmt::format("{} fields; at most {} are possible", object.size(), limits::fields_max));
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (name.empty() || name.size() > limits::name_bytes_max)
      reader.fail("fields", fmt::format("a field's name has 1 to {} bytes", limits::name_bytes_max));
    config.fields.push_back(read_field(name, member.value(), fields.path_to(name)));
  }
}

FollowConfig read_follow(const json::value& value, const std::string& path) {
  JsonReader reader(value, path);
  FollowConfig follow;
  follow.selector = read_selector(reader, "selector", follow.selector);
  if (const auto scope = reader.choice("scope", follow_scopes)) follow.scope = static_cast<FollowScope>(*scope);
  follow.max_depth = reader.integer("maxDepth", 0, limits::depth_max).value_or(follow.max_depth);
  follow.max_pages = reader.integer("maxPages", 1, limits::pages_max).value_or(follow.max_pages);
  const auto read_patterns = [&](std::string_view key, std::vector<std::string>& out) {
    out = reader.texts(key, limits::patterns_max, limits::pattern_bytes_max);
    for (const auto& pattern : out) reader.check(key, [&] { (void)UrlPattern(pattern); });
  };
  read_patterns("include", follow.include);
  read_patterns("exclude", follow.exclude);
  reader.finish();
  return follow;
}

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

/// No control characters: a line break would begin another header.
bool is_header_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || static_cast<unsigned char>(c) >= 0x20; }) &&
         text.find('\x7F') == std::string_view::npos;
}

/// Those that the fetcher writes, and those that would change what a message is.
bool is_reserved_header(std::string_view name) {
  constexpr std::array<std::string_view, 12> reserved = {
      "accept-encoding", "connection", "content-length", "content-type",      "expect",  "host",
      "keep-alive",      "te",         "trailer",        "transfer-encoding", "upgrade", "user-agent"};
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return std::find(reserved.begin(), reserved.end(), lower) != reserved.end() || lower.substr(0, 6) == "proxy-";
}

void read_headers(JsonReader& reader, RequestConfig& request) {
  const auto* value = reader.any("headers");
  if (value == nullptr) return;
  JsonReader headers(*value, reader.path_to("headers"));
  const auto& object = value->get_object();
  if (object.size() > limits::headers_max)
    reader.fail("headers", fmt::format("{} headers; at most {} are possible", object.size(), limits::headers_max));
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (name.size() > limits::name_bytes_max || !is_token(name)) headers.fail(name, "this is no name of a header");
    if (is_reserved_header(name))
      headers.fail(name, "this header is written by the crawler itself; for User-Agent there is 'userAgent'");
    auto content = *headers.text(name, limits::header_bytes_max);
    if (!is_header_value(content)) headers.fail(name, "a header's value must have no control characters");
    request.headers.emplace_back(name, std::move(content));
  }
}

RequestConfig read_request(const json::value& value, const std::string& path) {
  JsonReader reader(value, path);
  RequestConfig request;
  request.timeout_ms =
      reader.integer("timeoutMs", limits::timeout_ms_min, limits::timeout_ms_max).value_or(request.timeout_ms);
  request.max_bytes = reader.integer("maxBytes", limits::body_bytes_min, limits::body_bytes_max).value_or(request.max_bytes);
  request.delay_ms = reader.integer("delayMs", 0, limits::delay_ms_max);
  request.obey_robots = reader.boolean("obeyRobots").value_or(true);
  request.user_agent = reader.text("userAgent", limits::user_agent_bytes_max).value_or("");
  if (!is_header_value(request.user_agent)) reader.fail("userAgent", "it must have no control characters");
  read_headers(reader, request);
  reader.finish();
  return request;
}

json::value array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

json::value field_json(const FieldConfig& field) {
  json::object out;
  out["type"] = json::string_view(field_types[static_cast<std::size_t>(field.type)].data(),
                                  field_types[static_cast<std::size_t>(field.type)].size());
  if (!field.selector.empty()) out["selector"] = field.selector;
  if (!field.attribute.empty()) out["attribute"] = field.attribute;
  out["multiple"] = field.multiple;
  out["required"] = field.required;
  if (field.default_json) out["default"] = json::parse(*field.default_json);
  return out;
}

json::value follow_json(const FollowConfig& follow) {
  const auto scope = follow_scopes[static_cast<std::size_t>(follow.scope)];
  return json::object{{"selector", follow.selector},         {"scope", json::string_view(scope.data(), scope.size())},
                      {"maxDepth", follow.max_depth},        {"maxPages", follow.max_pages},
                      {"include", array_of(follow.include)}, {"exclude", array_of(follow.exclude)}};
}

json::value request_json(const RequestConfig& request) {
  json::object out{{"timeoutMs", request.timeout_ms}, {"maxBytes", request.max_bytes}};
  if (request.delay_ms) out["delayMs"] = *request.delay_ms;
  out["obeyRobots"] = request.obey_robots;
  if (!request.user_agent.empty()) out["userAgent"] = request.user_agent;
  if (!request.headers.empty()) {
    json::object headers;
    for (const auto& [name, value] : request.headers) headers[name] = value;
    out["headers"] = std::move(headers);
  }
  return out;
}

}  // namespace

JobConfig parse_job_config(std::string_view text, int stored_version) {
  const auto value = read_json(upgrade_config(text, stored_version).text, upgraded_bytes_max);
  JsonReader reader(value, "$");
  JobConfig config;
  reader.any("schemaVersion");
  if (const auto target = reader.text("targetUrl", 4 * url_bytes_max))
    reader.check("targetUrl", [&] { config.target_url = Url::parse(*target); });
  config.container_selector = read_selector(reader, "containerSelector", "");
  read_fields(reader, config);
  if (const auto* follow = reader.any("follow")) config.follow = read_follow(*follow, reader.path_to("follow"));
  if (const auto* request = reader.any("request")) config.request = read_request(*request, reader.path_to("request"));
  reader.finish();
  return config;
}

std::string to_json(const JobConfig& config) {
  json::object out{{"schemaVersion", config_version}};
  if (config.target_url) out["targetUrl"] = config.target_url->text();
  if (!config.container_selector.empty()) out["containerSelector"] = config.container_selector;
  json::object fields;
  for (const auto& field : config.fields) fields[field.name] = field_json(field);
  out["fields"] = std::move(fields);
  if (config.follow) out["follow"] = follow_json(*config.follow);
  out["request"] = request_json(config.request);
  return json::serialize(out);
}

}  // namespace quarry::crawl
