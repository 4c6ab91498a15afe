#include "quarry/crawl/search_run.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "quarry/core/error.hpp"
#include "quarry/crawl/config_upgrade.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::crawl {
namespace {

constexpr std::string_view hole = "{query}";
constexpr std::size_t url_characters_max = 1000;  ///< of a result, as the schema has it
constexpr std::size_t sources_bytes_max = 1 << 20;

/// RFC 3986: everything but the unreserved characters.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (unreserved.find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

[[noreturn]] void refuse(const std::string& source, std::string_view what) {
  throw_invalid(fmt::format("the source '{}': {}", source, what));
}

std::string replace_all(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

/// The text of an item's field; nothing when it is missing, null or empty.
std::optional<std::string> field(const boost::json::object& item, std::string_view name) {
  const auto* value = item.if_contains(name);
  if (value && value->is_array() && !value->get_array().empty()) value = &value->get_array().front();
  if (!value || !value->is_string() || value->get_string().empty()) return std::nullopt;
  return std::string(value->get_string());
}

}  // namespace

std::vector<SearchSource> parse_sources(std::string_view json) {
  if (json.size() > sources_bytes_max)
    throw_invalid(fmt::format("the sources have {} bytes: at most {}", json.size(), sources_bytes_max));
  boost::json::error_code error;
  const auto value = boost::json::parse(json, error);
  if (error) throw_invalid(fmt::format("the sources are not JSON: {}", error.message()));
  if (!value.is_object()) throw_invalid("the sources are not an object of configs by name: {\"name\": {...}}");
  std::vector<SearchSource> sources;
  for (const auto& [name, config] : value.get_object()) {
    sources.push_back({std::string(name), boost::json::serialize(config)});
    config_for(sources.back(), "a question");
  }
  if (sources.empty()) throw_invalid("there is no source in the sources");
  return sources;
}

JobConfig config_for(const SearchSource& source, std::string_view query) {
  store::check_text("a source's name", source.name, 1, 50);
  boost::json::error_code error;
  auto value = boost::json::parse(source.config_json, error);
  if (error || !value.is_object()) refuse(source.name, "its config is not a JSON object");
  auto* target = value.get_object().if_contains("targetUrl");
  if (!target || !target->is_string() || target->get_string().find(hole) == boost::json::string::npos)
    refuse(source.name, "its \"targetUrl\" must hold {query}, which is replaced by what is searched for");
  *target = replace_all(std::string(target->get_string()), hole, percent_encoded(query));
  try {
    auto config = parse_job_config(boost::json::serialize(value));
    if (std::ranges::none_of(config.fields, [](const FieldConfig& f) { return f.name == "url"; }))
      refuse(source.name, "its fields must have \"url\", which makes an item a result");
    return config;
  } catch (const Error& refused) {
    if (refused.code() != ErrorCode::invalid || refused.client_message().starts_with("the source")) throw;
    refuse(source.name, refused.client_message());
  }
}

StartedSearch start_search(Write& tx, const SearchRequest& request) {
  searches::NewSearch wanted{.user_id = request.user_id, .query = request.query, .sources = {}};
  for (const auto& source : request.sources) wanted.sources.push_back(source.name);
  if (request.max_age.count() > 0)
    if (auto before = searches::find_fresh(tx, wanted, request.max_age)) return {*std::move(before), {}, true};

  StartedSearch started{searches::create(tx, wanted), {}, false};
  for (const auto& source : request.sources) {
    const auto config = config_for(source, started.search.query);
    jobs::NewJob job;
    job.user_id = request.user_id;
    job.job_type = "search";
    job.title = std::string(store::first_characters(fmt::format("{}: {}", source.name, started.search.query), 255));
    job.config = Json{to_json(config)};
    job.schema_version = config_version;
    job.search_id = started.search.id;
    job.scraper_name = source.name;
    job.open_jobs_max = request.open_jobs_max;
    const auto id = jobs::submit(tx, job).id;
    const PageTask first{*config.target_url, 0};
    add_pages(tx, id, config, std::span(&first, 1), request.politeness);
    started.jobs.push_back(id);
  }
  return started;
}

std::vector<searches::NewResult> results_in(std::string_view items_json, std::string_view source, int first_position) {
  std::vector<searches::NewResult> results;
  const auto items = boost::json::parse(items_json);
  int position = first_position;
  for (const auto& value : items.as_array()) {
    const auto& item = value.as_object();
    const int at = position++;
    auto url = field(item, "url");
    if (!url || store::count_characters(*url).value_or(SIZE_MAX) > url_characters_max) continue;
    results.push_back({std::string(source), field(item, "title"), field(item, "snippet"), *std::move(url), at});
  }
  return results;
}

}  // namespace quarry::crawl
