#pragma once
/// The first version of a job's config, Selextract's, as the second.
///
/// Source of the keys, their bounds and what they default to: `worker/task_schemas.py` ("schema v1.0") and `api/schemas.py`
/// of selectium-saas, revision 306bc07.

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace quarry::crawl {

/// Adds the paths of what has no counterpart to `left_out`. Throws `invalid` with the path.
boost::json::object second_version_of(const boost::json::object& first, std::vector<std::string>& left_out);

}  // namespace quarry::crawl
