#pragma once
/// The bounds of a search's fields, and their one spelling, so that equal questions are equal rows.

#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/id.hpp"

namespace quarry::searches {

/// White space at the ends is taken off, and every row of it becomes one space. Throws `invalid`.
std::string normal_query(std::string_view query);
/// Sorted. Throws `invalid`, also for a source that stands twice.
std::vector<std::string> normal_sources(std::vector<std::string> sources);

[[noreturn]] void throw_no_search(SearchId id);

}  // namespace quarry::searches
