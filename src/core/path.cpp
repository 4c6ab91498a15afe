#include "quarry/core/path.hpp"

#include <system_error>

namespace quarry {
namespace {

namespace fs = std::filesystem;

/// As many as Linux follows (path_resolution(7)).
constexpr int links_max = 40;

}  // namespace

fs::path resolved_path(const fs::path& file) {
  std::error_code error;
  auto path = fs::absolute(file, error);
  if (error) return file;
  for (int links = 0; links < links_max && fs::is_symlink(path, error); ++links) {
    const auto leads_to = fs::read_symlink(path, error);
    if (error) break;
    path = path.parent_path() / leads_to;  // an absolute one takes the whole place
  }
  const auto folder = fs::weakly_canonical(path.parent_path(), error);
  return error ? path : folder / path.filename();
}

}  // namespace quarry
