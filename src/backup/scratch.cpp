#include "backup/scratch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>

#include "backup/postgres/left_server.hpp"

namespace quarry::backup {
namespace {

constexpr std::string_view prefix = ".quarry-backup-scratch-";
constexpr std::string_view unlocked_prefix = ".quarry-backup-new-";

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
  // Under a name that nobody clears away until it is locked.
  const auto number = randombytes_random();
  const auto unlocked = in / fmt::format("{}{:08x}", unlocked_prefix, number);
  path_ = in / fmt::format("{}{:08x}", prefix, number);
  if (::mkdir(unlocked.c_str(), 0700) != 0) throw file_error(errno, "make the folder", unlocked);
  lock_ = File(::open(unlocked.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_ || !lock_.lock(unlocked)) throw file_error(errno, "lock", unlocked);
  if (::rename(unlocked.c_str(), path_.c_str()) != 0) throw file_error(errno, "make the folder", path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace quarry::backup
