#include "crawl/web/config_v1.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "crawl/web/json_reader.hpp"
#include "quarry/crawl/job_config.hpp"

namespace quarry::crawl {
namespace {

namespace json = boost::json;

constexpr std::size_t text_bytes_max = 4096;
constexpr std::int64_t minute_ms = 60'000;

/// Nothing is lost with it: null, false, an empty text or list, or a part that is switched off.
bool says_nothing(const json::value& value) {
  if (value.is_null()) return true;
  if (const auto* flag = value.if_bool()) return !*flag;
  if (const auto* text = value.if_string()) return text->empty();
  if (const auto* array = value.if_array()) return array->empty();
  if (const auto* object = value.if_object()) {
    const auto* enabled = object->if_contains("enabled");
    return object->empty() || (enabled != nullptr && says_nothing(*enabled));
  }
  return false;
}

/// The original wrote out what was not given as null.
json::value without_nulls(const json::value& value) {
  if (const auto* array = value.if_array()) {
    json::array out;
    for (const auto& entry : *array) out.push_back(without_nulls(entry));
    return out;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  json::object out;
  for (const auto& [key, member] : *object)
    if (!member.is_null()) out[key] = without_nulls(member);
  return out;
}

class FirstVersion {
 public:
  FirstVersion(const json::value& first, std::vector<std::string>& left_out) : top_(first, "$"), left_out_(left_out) {
    top_.any("schemaVersion");
  }

  /// `worker/task_schemas.py`: one page, a list of fields.
  json::object of_worker() {
    out_["targetUrl"] = required(top_, "url");
    fields_from_list();
    if (const auto* pagination = top_.any("pagination")) follow(*pagination);
    request_["delayMs"] = delay_ms();
    if (const auto* browser = top_.any("browser")) read_browser(*browser);
    headers();
    refuse_login();
    for (const char* key : {"proxy", "wait_conditions", "max_retries", "retry_delay"}) leave_out(top_, key);
    return finished();
  }

  /// `api/schemas.py`: pages, and a selector for each name.
  json::object of_interface() {
    const auto urls = top_.texts("urls", 1000, text_bytes_max);
    if (urls.size() != 1)
      top_.fail("urls", fmt::format("{} URLs, where a job of today begins at one: submit a job for each", urls.size()));
    out_["targetUrl"] = urls.front();
    fields_from_selectors();
    if (const auto timeout = top_.integer("timeout", 5, 300)) request_["timeoutMs"] = *timeout * 1000;
    if (const auto agent = top_.text("user_agent", text_bytes_max)) request_["userAgent"] = *agent;
    headers();
    for (const char* key :
         {"output_format", "include_metadata", "follow_redirects", "javascript_enabled", "wait_for_selector",
          "proxy_rotation", "rate_limit", "batch_size", "parallel_requests", "retry_attempts", "export_individual_files",
          "schedule", "notification_email", "change_threshold"})
      leave_out(top_, key);
    return finished();
  }

 private:
  static std::string required(JsonReader& reader, std::string_view key) {
    auto text = reader.text(key, text_bytes_max);
    if (!text) reader.fail(key, "this key is missing");
    return *std::move(text);
  }

  void leave_out(JsonReader& reader, std::string_view key) {
    const auto* value = reader.any(key);
    if (value != nullptr && !says_nothing(*value)) left_out_.push_back(reader.path_to(key));
  }

  void fields_from_list() {
    const auto* list = top_.any("fields");
    if (list == nullptr || !list->is_array() || list->get_array().empty())
      top_.fail("fields", "an array of fields is wanted");
    json::object fields;
    for (std::size_t i = 0; i < list->get_array().size(); ++i) {
      JsonReader reader(list->get_array()[i], fmt::format("{}[{}]", top_.path_to("fields"), i));
      const auto name = required(reader, "name");
      if (fields.contains(name)) reader.fail("name", fmt::format("'{}' is the name of another field, too", name));
      fields[name] = field(reader);
      reader.finish();
    }
    out_["fields"] = std::move(fields);
  }

  /// A field was required unless it said otherwise; one with a default is never missing.
  json::object field(JsonReader& reader) {
    const auto type = required(reader, "type");
    json::object out{{"type", type}, {"selector", required(reader, "selector")}};
    const auto attribute = reader.text("attribute", text_bytes_max);
    if (attribute && !attribute->empty() && type != "text") out["attribute"] = *attribute;
    const bool multiple = reader.boolean("multiple").value_or(false);
    out["multiple"] = multiple;
    const auto otherwise = reader.text("default_value", text_bytes_max);
    out["required"] = reader.boolean("required").value_or(true) && !otherwise;
    if (otherwise) out["default"] = multiple ? json::value(json::array{*otherwise}) : json::value(*otherwise);
    return out;
  }

  void fields_from_selectors() {
    const auto* selectors = top_.any("selectors");
    if (selectors == nullptr) top_.fail("selectors", "this key is missing");
    JsonReader reader(*selectors, top_.path_to("selectors"));
    json::object fields;
    for (const auto& [key, value] : selectors->get_object()) {
      const std::string_view name(key.data(), key.size());
      fields[key] = json::object{{"type", "text"}, {"selector", *reader.text(name, text_bytes_max)}};
    }
    out_["fields"] = std::move(fields);
  }

  /// The link to the next page, as often as there were pages.
  void follow(const json::value& value) {
    JsonReader reader(value, top_.path_to("pagination"));
    const bool enabled = reader.boolean("enabled").value_or(false);
    const auto next = reader.text("next_selector", text_bytes_max);
    const auto pages = reader.integer("max_pages", 1, 100).value_or(10);
    reader.any("wait_after_click");  // the delay between requests says it
    if (enabled) {
      leave_out(reader, "stop_condition");
      if (!next) reader.fail("next_selector", "this key is missing");
      out_["follow"] = json::object{{"selector", *next}, {"scope", "host"}, {"maxDepth", pages - 1}, {"maxPages", pages}};
    } else {
      reader.any("stop_condition");
    }
    reader.finish();
  }

  /// Both were obeyed, and both had a default.
  std::int64_t delay_ms() {
    std::int64_t each_minute = 30;
    std::int64_t between_ms = 1'000;
    if (const auto* rate = top_.any("rate_limit")) {
      JsonReader reader(*rate, top_.path_to("rate_limit"));
      each_minute = reader.integer("requests_per_minute", 1, 120).value_or(each_minute);
      between_ms = reader.integer("delay_between_requests", 100, 10'000).value_or(between_ms);
      for (const char* key : {"random_delay", "max_random_delay"}) leave_out(reader, key);
      reader.finish();
    }
    return std::max((minute_ms + each_minute - 1) / each_minute, between_ms);
  }

  void read_browser(const json::value& value) {
    JsonReader reader(value, top_.path_to("browser"));
    if (const auto agent = reader.text("user_agent", text_bytes_max)) request_["userAgent"] = *agent;
    if (const auto timeout = reader.integer("timeout", 5'000, 120'000)) request_["timeoutMs"] = *timeout;
    leave_out(reader, "javascript_enabled");
    for (const char* key : {"headless", "viewport_width", "viewport_height", "load_images"}) reader.any(key);  // looks alone
    reader.finish();
  }

  /// Cookies travel as the header that they are.
  void headers() {
    json::object headers;
    if (const auto* given = top_.any("custom_headers")) {
      JsonReader reader(*given, top_.path_to("custom_headers"));
      for (const auto& [key, value] : given->get_object()) {
        const std::string_view name(key.data(), key.size());
        headers[key] = *reader.text(name, text_bytes_max);
      }
    }
    if (const auto* cookies = top_.any("cookies")) {
      JsonReader reader(*cookies, top_.path_to("cookies"));
      std::string line;
      for (const auto& [key, value] : cookies->get_object()) {
        const std::string_view name(key.data(), key.size());
        line += fmt::format("{}{}={}", line.empty() ? "" : "; ", name, *reader.text(name, text_bytes_max));
      }
      if (!line.empty()) headers["Cookie"] = line;
    }
    if (!headers.empty()) request_["headers"] = std::move(headers);
  }

  void refuse_login() {
    if (top_.boolean("login_required").value_or(false))
      top_.fail("login_required", "a crawl does not log in: give the session's cookie in \"cookies\" instead");
  }

  json::object finished() {
    top_.finish();
    if (!request_.empty()) out_["request"] = std::move(request_);
    return std::move(out_);
  }

  JsonReader top_;
  std::vector<std::string>& left_out_;
  json::object out_;
  json::object request_;
};

}  // namespace

json::object second_version_of(const json::object& first, std::vector<std::string>& left_out) {
  if (!first.contains("url") && !first.contains("urls")) return first;  // its documents' form, which is today's
  const json::value clean = without_nulls(first);
  FirstVersion reader(clean, left_out);
  return first.contains("url") ? reader.of_worker() : reader.of_interface();
}

}  // namespace quarry::crawl
