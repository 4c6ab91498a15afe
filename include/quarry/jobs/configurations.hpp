#pragma once
/// Settings of one job beside its config, by name: what a program wants to remember of a job.
///
/// Errors: `not_found`, `invalid`, as each function says. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/jobs/job.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::jobs {

struct Configuration {
  std::string config_key;  ///< 1 to 100 characters, unique within the job
  std::optional<std::string> config_value;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(Configuration, (), (config_key, config_value, created_at))

/// Sets or replaces a value of at most 1 MiB. Throws `not_found` for an unknown job, `invalid` for a key out of its bounds.
void set_configuration(Write& tx, JobId job, std::string_view key, const std::optional<std::string>& value);
/// Nothing when the key is not set.
std::optional<Configuration> find_configuration(Read& tx, JobId job, std::string_view key);
/// By key.
std::vector<Configuration> list_configurations(Read& tx, JobId job);
/// False when it was not set.
bool unset_configuration(Write& tx, JobId job, std::string_view key);

}  // namespace quarry::jobs
