#include "quarry/backup/repository.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "backup/envelope.hpp"
#include "backup/file.hpp"
#include "backup/json.hpp"
#include "backup/layout.hpp"

namespace quarry::backup {
namespace {

constexpr std::string_view mark_text = "a folder of quarry's backups, format 1, salt ";

fs::path mark_of(const fs::path& dir) { return dir / "quarry-backup"; }

std::optional<std::array<unsigned char, 16>> read_salt(const fs::path& dir) {
  const auto text = read_text(mark_of(dir), 1024);
  if (!text) return std::nullopt;
  std::array<unsigned char, 16> salt{};
  std::size_t size = 0;
  if (!text->starts_with(mark_text) ||
      sodium_hex2bin(salt.data(), salt.size(), text->data() + mark_text.size(), text->size() - mark_text.size(), "\n", &size,
                     nullptr) != 0 ||
      size != salt.size())
    throw BackupError(Damage::changed, fmt::format("'{}' was changed, or is of a newer format", mark_of(dir).native()));
  return salt;
}

std::vector<fs::path> folders_in(const fs::path& dir) {
  return in_our_words([&] {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(dir))
      if (entry.is_directory()) folders.push_back(entry.path());
    return folders;
  });
}

bool is_name(const std::string& name) { return name.size() == 32 && name[8] == 'T' && name[23] == '-'; }

}  // namespace

RepositoryLock::~RepositoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

Repository Repository::open(const fs::path& dir) {
  std::error_code ignored;
  if (!fs::is_directory(dir, ignored))
    throw Error(ErrorCode::not_found, fmt::format("there is no folder '{}'", dir.native()));
  const auto salt = read_salt(dir);
  if (!salt) throw_invalid(fmt::format("'{}' is no folder of backups: `quarry backup` makes one", dir.native()));
  return {dir, *salt};
}

Repository Repository::open_or_make(const fs::path& dir) {
  std::error_code ignored;
  if (!fs::exists(dir, ignored)) {
    make_folder(dir);
    sync_folder(backup::folder_of(dir));
  }
  if (!fs::is_directory(dir, ignored)) throw_invalid(fmt::format("'{}' is no folder", dir.native()));
  if (const auto salt = read_salt(dir)) return {dir, *salt};
  in_our_words([&] {
    for (const auto& entry : fs::directory_iterator(dir))
      if (entry.path().filename() != "quarry-backup.new")
        throw_invalid(fmt::format("'{}' is no folder of backups and not empty: name another", dir.native()));
  });
  std::array<unsigned char, 16> salt{};
  randombytes_buf(salt.data(), salt.size());
  write_durably(mark_of(dir), fmt::format("{}{}\n", mark_text, hex(as_text(salt))));
  return {dir, salt};
}

RepositoryLock Repository::lock() const {
  File file(::open(mark_of(dir_).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw file_error(errno, "open", mark_of(dir_));
  if (!file.lock(mark_of(dir_)))
    throw Error(ErrorCode::busy, fmt::format("another backup is being made in '{}': wait for its end", dir_.native()));
  return RepositoryLock(file.release());
}

std::vector<Summary> Repository::list() const {
  std::vector<Summary> found;
  for (const auto& path : folders_in(dir_)) {
    const auto name = path.filename().native();
    if (!is_name(name)) continue;
    try {
      found.push_back(read_summary(path));
      found.back().name = name;
    } catch (const Error& error) {
      Summary damaged;
      damaged.name = name;
      damaged.failure = error.client_message();
      found.push_back(damaged);
    }
  }
  std::ranges::sort(found, {}, &Summary::name);
  return found;
}

Summary Repository::get(const std::string& name) const {
  std::vector<Summary> fitting;
  for (auto& summary : list())
    if (!name.empty() && summary.name.starts_with(name)) fitting.push_back(std::move(summary));
  if (fitting.empty())
    throw Error(ErrorCode::not_found,
                fmt::format("there is no backup '{}' in '{}': `quarry backup list` shows them", name, dir_.native()));
  if (fitting.size() > 1) throw_invalid(fmt::format("{} backups begin with '{}': name one", fitting.size(), name));
  return fitting.front();
}

std::optional<Summary> Repository::latest_verified() const {
  const auto all = list();
  const auto newest =
      std::find_if(all.rbegin(), all.rend(), [](const Summary& backup) { return backup.verified_at && !backup.failure; });
  return newest == all.rend() ? std::nullopt : std::optional(*newest);
}

std::optional<Summary> latest_verified(const fs::path& dir) {
  std::error_code ignored;
  if (!fs::exists(mark_of(dir), ignored)) return std::nullopt;
  return Repository::open(dir).latest_verified();
}

}  // namespace quarry::backup
