#include "searches/rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::searches {
namespace {

constexpr std::size_t sources_max = 50;
constexpr std::string_view white = " \t\r\n\v\f";

}  // namespace

std::string normal_query(std::string_view query) {
  std::string normal;
  while (true) {
    const auto begin = query.find_first_not_of(white);
    if (begin == std::string_view::npos) break;
    query.remove_prefix(begin);
    const auto end = query.find_first_of(white);
    if (!normal.empty()) normal += ' ';
    normal += query.substr(0, end);
    query.remove_prefix(std::min(end, query.size()));
  }
  store::check_text("the query", normal, 1, 500);
  return normal;
}

std::vector<std::string> normal_sources(std::vector<std::string> sources) {
  if (sources.empty() || sources.size() > sources_max)
    throw_invalid(fmt::format("{} sources: a search asks 1 to {}", sources.size(), sources_max));
  for (const auto& source : sources) store::check_text("a source's name", source, 1, 50);
  std::sort(sources.begin(), sources.end());
  if (const auto twice = std::adjacent_find(sources.begin(), sources.end()); twice != sources.end())
    throw_invalid(fmt::format("the source '{}' is named twice: a search asks each once", *twice));
  return sources;
}

void throw_no_search(SearchId id) { throw Error(ErrorCode::not_found, fmt::format("there is no search {}", to_string(id))); }

}  // namespace quarry::searches
