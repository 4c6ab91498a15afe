#pragma once
/// The bounds of a job's fields, as the schema has them, told before an engine has to. Each throws `invalid`.

#include <string>
#include <vector>

#include "quarry/sql/param.hpp"

namespace quarry::jobs {

void check_title(const std::string& title);
void check_description(const std::string& description);
void check_job_type(const std::string& type);
void check_keywords(const std::vector<std::string>& keywords);
void check_priority(int priority);
void check_config(const Json& config);
void check_schema_version(int version);

}  // namespace quarry::jobs
