#include "jobs/rules.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "quarry/queue/task.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::jobs {
namespace {

constexpr std::size_t config_bytes_max = 1 << 20;
constexpr std::size_t keywords_max = 100;

}  // namespace

void check_title(const std::string& title) { store::check_text("title", title, 1, 255); }
void check_description(const std::string& description) { store::check_text("description", description, 0, 100'000); }
void check_job_type(const std::string& type) { store::check_text("job_type", type, 1, 50); }

void check_keywords(const std::vector<std::string>& keywords) {
  if (keywords.size() > keywords_max)
    throw_invalid(fmt::format("{} keywords: a job has at most {}", keywords.size(), keywords_max));
  for (const auto& keyword : keywords) store::check_text("a keyword", keyword, 1, 100);
}

void check_priority(int priority) {
  if (priority < queue::priority_highest || priority > queue::priority_lowest)
    throw_invalid(fmt::format("priority {}: it must be from {} (highest) to {}", priority, queue::priority_highest,
                              queue::priority_lowest));
}

void check_config(const Json& config) { store::check_json_object("config", config.text, config_bytes_max); }

void check_schema_version(int version) {
  if (version < 1) throw_invalid(fmt::format("schema_version {}: it counts from 1", version));
}

}  // namespace quarry::jobs
