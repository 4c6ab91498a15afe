#include "backup/scratch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>

#include "backup/postgres/left_server.hpp"

namespace quarry::backup {
namespace {

constexpr std::string_view prefix = ".quarry-backup-scratch-";

void remove_left(const fs::path& parent) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    if (!entry.path().filename().native().starts_with(prefix)) continue;
    const File folder(::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!folder || !folder.lock(entry.path())) continue;
    postgres::stop_left_server(entry.path() / scratch_server);
    fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

ScratchFolder::ScratchFolder(const fs::path& parent) {
  const auto in = parent.empty() ? fs::temp_directory_path() : parent;
  remove_left(in);
  path_ = in / fmt::format("{}{:08x}", prefix, randombytes_random());
  if (::mkdir(path_.c_str(), 0700) != 0) throw file_error(errno, "make the folder", path_);
  lock_ = File(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_ || !lock_.lock(path_)) throw file_error(errno, "lock", path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace quarry::backup
