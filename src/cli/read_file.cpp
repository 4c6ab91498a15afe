#include "cli/read_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

[[noreturn]] void not_opened(int reason, std::string_view what, const std::string& path) {
  if (reason == EACCES || reason == EPERM)
    throw Error(ErrorCode::denied, fmt::format("{} '{}' cannot be read: this user may not", what, path));
  if (reason == ENOENT || reason == ENOTDIR || reason == ENAMETOOLONG)
    throw Error(ErrorCode::not_found, fmt::format("{} '{}' cannot be read: is the name right?", what, path));
  throw Error(ErrorCode::unavailable, fmt::format("{} '{}' cannot be read", what, path),
              {.message = {}, .sqlstate = {}, .native_code = reason});
}

}  // namespace

std::string read_file(const std::string& path, std::string_view what, std::size_t bytes_max, Named named) {
  std::error_code unknown;
  const auto status = std::filesystem::status(path, unknown);
  const bool is_wrong =
      named == Named::file ? !std::filesystem::is_regular_file(status) : std::filesystem::is_directory(status);
  if (std::filesystem::exists(status) && is_wrong)
    throw_invalid(fmt::format("{} '{}' is no file: name another", what, path));
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) not_opened(errno, what, path);
  std::string text(bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) not_opened(errno, what, path);
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > bytes_max) throw_invalid(fmt::format("{} '{}' is larger than {} bytes", what, path, bytes_max));
  return text;
}

}  // namespace quarry::cli
