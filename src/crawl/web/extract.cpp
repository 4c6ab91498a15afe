#include "quarry/crawl/extract.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>
#include <optional>
#include <unordered_set>
#include <utility>

#include "crawl/web/follow_rules.hpp"
#include "quarry/core/error.hpp"

namespace quarry::crawl {
namespace {

void append_json(std::string& out, std::string_view text) {
  out += boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

/// A field with its selector compiled and its key written.
struct Field {
  FieldConfig config;
  std::optional<html::Selector> selector;
  std::string key_json;

  explicit Field(FieldConfig from) : config(std::move(from)) {
    if (!config.selector.empty()) selector = html::Selector::compile(config.selector);
    append_json(key_json, config.name);
    key_json += ':';
  }
};

std::optional<std::string> url_of(const html::Node& node, std::string_view attribute, const Url& base) {
  const auto reference = node.attribute(attribute);
  if (!reference) return std::nullopt;
  const auto url = try_resolve(base, *reference);
  if (!url) return std::nullopt;
  return url->text();
}

std::optional<std::string> value_of(const FieldConfig& field, const html::Node& node, const Url& base) {
  const auto unless_empty = [](std::string text) { return text.empty() ? std::nullopt : std::optional(std::move(text)); };
  switch (field.type) {
    case FieldType::text:
      return unless_empty(node.text());
    case FieldType::html:
      return unless_empty(node.inner_html());
    case FieldType::link:
      return url_of(node, field.attribute.empty() ? "href" : field.attribute, base);
    case FieldType::image:
      return url_of(node, field.attribute.empty() ? "src" : field.attribute, base);
    case FieldType::attribute: {
      const auto value = node.attribute(field.attribute);
      return value ? std::optional(std::string(*value)) : std::nullopt;
    }
  }
  return std::nullopt;
}

enum class Taken { all, missing, too_much };

/// Appends the JSON of one field to `out`, which stays within about `limits.bytes_max`.
Taken append_field(const Field& field, const html::Node& container, const Url& base, const ExtractLimits& limits,
                   std::string& out) {
  const std::size_t wanted = field.config.multiple ? limits.items_max : 1;
  const auto nodes = field.selector ? field.selector->all(container, wanted) : std::vector{container};
  std::string values;
  std::size_t count = 0;
  for (const auto& node : nodes) {
    const auto value = value_of(field.config, node, base);
    if (!value) continue;
    if (count++ > 0) values += ',';
    append_json(values, *value);
    if (out.size() + values.size() > limits.bytes_max) return Taken::too_much;
  }
  if (count == 0 && field.config.required) return Taken::missing;
  out += field.key_json;
  if (count == 0)
    out += field.config.default_json.value_or(field.config.multiple ? "[]" : "null");
  else if (field.config.multiple)
    out += '[' + values + ']';
  else
    out += values;
  return Taken::all;
}

Taken append_item(const std::vector<Field>& fields, const html::Node& container, const Url& base,
                  const ExtractLimits& limits, std::string& out) {
  for (const auto& field : fields) {
    if (&field != &fields.front()) out += ',';
    if (const auto taken = append_field(field, container, base, limits, out); taken != Taken::all) return taken;
  }
  return Taken::all;
}

}  // namespace

struct Extractor::Rules {
  ExtractLimits limits;
  std::optional<html::Selector> container;
  std::vector<Field> fields;
  std::optional<FollowRules> follow;
  bool obey_robots = true;
};

Extractor::Extractor(const JobConfig& config, std::optional<Url> target, const ExtractLimits& limits) {
  auto rules = std::make_unique<Rules>();
  rules->limits = limits;
  rules->obey_robots = config.request.obey_robots;
  if (!config.container_selector.empty()) rules->container = html::Selector::compile(config.container_selector);
  for (const auto& field : config.fields) rules->fields.emplace_back(field);
  if (config.follow) {
    if (!target) target = config.target_url;
    if (!target) throw_invalid("$.targetUrl: to follow links, the crawl needs to know where it begins");
    rules->follow.emplace(*config.follow, *target);
  }
  rules_ = std::move(rules);
}

Extractor::Extractor(Extractor&&) noexcept = default;
Extractor& Extractor::operator=(Extractor&&) noexcept = default;
Extractor::~Extractor() = default;

bool Extractor::has_fields() const noexcept { return !rules_->fields.empty(); }
bool Extractor::follows() const noexcept { return rules_->follow.has_value(); }
bool Extractor::admits(const Url& url) const { return !rules_->follow || rules_->follow->admits(url); }

Extraction Extractor::items(const html::Document& document, const Url& page) const {
  Extraction result;
  if (rules_->fields.empty()) return result;
  const auto& limits = rules_->limits;
  const Url base = document.base(page);
  // One more than allowed, to know whether there was more.
  const auto containers =
      rules_->container ? rules_->container->all(document.root(), limits.items_max + 1) : std::vector{document.root()};
  result.json = "[";
  std::size_t steps = 0;
  for (const auto& container : containers) {
    // Containers inside containers are searched again and again: a page can make that quadratic.
    steps += (container.descendant_count() + 1) * rules_->fields.size();
    result.truncated = result.items == limits.items_max || (steps > limits.steps_max && result.items > 0);
    if (result.truncated) break;
    std::string item;
    const auto taken = append_item(rules_->fields, container, base, limits, item);
    if (taken == Taken::missing) {
      ++result.incomplete;
      continue;
    }
    result.truncated = taken == Taken::too_much || result.json.size() + item.size() + 4 > limits.bytes_max;
    if (result.truncated) break;
    if (result.items++ > 0) result.json += ',';
    result.json += '{' + item + '}';
  }
  result.json += ']';
  return result;
}

std::vector<Url> Extractor::links(const html::Document& document, const Url& page) const {
  std::vector<Url> links;
  if (!rules_->follow || (rules_->obey_robots && document.robots().nofollow)) return links;
  const Url base = document.base(page);
  std::unordered_set<std::string> seen;
  for (const auto& node : rules_->follow->selector().all(document.root(), rules_->limits.links_max)) {
    if (rules_->obey_robots && is_nofollow(node)) continue;
    const auto reference = node.attribute("href");
    if (!reference) continue;
    auto url = try_resolve(base, *reference);
    if (url && seen.insert(url->text()).second && rules_->follow->admits(*url)) links.push_back(*std::move(url));
  }
  return links;
}

}  // namespace quarry::crawl
