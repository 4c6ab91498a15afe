#include "quarry/ops/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "quarry/core/error.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::ops {
namespace {

constexpr std::size_t file_types_max = 1'000;

struct Bounds {
  std::string_view key;
  std::int64_t least;
  std::int64_t most;
};
constexpr std::array<Bounds, 9> numbers{{
    {"login_failures_max", 1, 1'000},
    {"login_lock_minutes", 1, 1'440},
    {"max_artifacts_per_job", 1, 1'000'000'000},
    {"max_file_size_mb", 1, 1'048'576},
    {"max_jobs_per_user", 1, 1'000'000},
    {"rate_limit_requests", 1, 1'000'000},
    {"rate_limit_window_minutes", 1, 527'040},
    {"session_idle_minutes", 1, 576'000},
    {"session_max_hours", 1, 9'600},
}};

/// `key` is one of the numbers above.
std::optional<std::int64_t> bounded(Read& tx, std::string_view key) {
  const auto* const bounds = std::ranges::find(numbers, key, &Bounds::key);
  if (bounds == numbers.end()) throw_bug(fmt::format("'{}' is no number of the policy", key));
  const auto value = system::get_integer(tx, key);
  if (value && (*value < bounds->least || *value > bounds->most))
    throw_invalid(fmt::format("setting '{}' is {}: it must be from {} to {}", key, *value, bounds->least, bounds->most));
  return value;
}

[[noreturn]] void refuse_file_types() {
  throw_invalid(R"(setting 'allowed_file_types' is not a list of file types: it must be like ["html","pdf"])");
}

std::optional<std::vector<std::string>> read_file_types(Read& tx) {
  const auto json = system::get_json(tx, "allowed_file_types");
  if (!json) return std::nullopt;
  const auto value = boost::json::parse(json->text);
  if (!value.is_array() || value.get_array().size() > file_types_max) refuse_file_types();
  std::vector<std::string> types;
  for (const auto& type : value.get_array()) {
    if (!type.is_string()) refuse_file_types();
    auto& text = types.emplace_back(type.get_string());
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (text.starts_with('.')) text.erase(0, 1);
  }
  return types;
}

std::optional<limits::Limit> read_api_limit(Read& tx) {
  const auto requests = bounded(tx, "rate_limit_requests").value_or(100);
  const auto minutes = bounded(tx, "rate_limit_window_minutes").value_or(15);
  if (!system::get_boolean(tx, "enable_rate_limiting").value_or(true)) return std::nullopt;
  limits::Limit limit;
  limit.requests = requests;
  limit.period = std::chrono::minutes(minutes);
  return limit;
}

}  // namespace

Policy read_policy(Read& tx) {
  Policy policy;
  policy.file_types = read_file_types(tx);
  if (const auto mb = bounded(tx, "max_file_size_mb")) policy.file_bytes_max = *mb * 1'048'576;
  policy.artifacts_per_job_max = bounded(tx, "max_artifacts_per_job");
  if (const auto jobs = bounded(tx, "max_jobs_per_user")) policy.open_jobs_max = static_cast<int>(*jobs);
  policy.api_calls = read_api_limit(tx);
  return policy;
}

accounts::LoginRules read_login_rules(Read& tx) {
  accounts::LoginRules rules;
  if (const auto idle = bounded(tx, "session_idle_minutes")) rules.session.idle = std::chrono::minutes(*idle);
  if (const auto most = bounded(tx, "session_max_hours")) rules.session.absolute = std::chrono::hours(*most);
  if (const auto failures = bounded(tx, "login_failures_max")) rules.failures_max = static_cast<int>(*failures);
  if (const auto lock = bounded(tx, "login_lock_minutes")) rules.window = std::chrono::minutes(*lock);
  return rules;
}

void check_policy_setting(Read& tx, std::string_view key) {
  if (std::ranges::find(numbers, key, &Bounds::key) != numbers.end())
    bounded(tx, key);
  else if (key == "allowed_file_types")
    read_file_types(tx);
  else if (key == "enable_rate_limiting" || key == "enable_audit_logging")
    system::get_boolean(tx, key);
}

}  // namespace quarry::ops
