#include "backup/bodies.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "backup/file.hpp"
#include "backup/layout.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/backup/error.hpp"

namespace quarry::backup {
namespace {

constexpr std::size_t body_buffer_bytes = 256 * 1024;
/// Files whose durability is paid for at once.
constexpr std::size_t batch_files = 500;

artifacts::BlobHash hash_from(const Digest& digest) {
  artifacts::BlobHash hash;
  std::copy(digest.begin(), digest.end(), hash.bytes.begin());
  return hash;
}

void sync_file_system(const fs::path& folder) {
  const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::syncfs(opened.get()) != 0) throw file_error(errno, "make durable", folder);
}

void make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) throw file_error(errno, "make the folder", folder);
}

/// Names files when what they hold is on the disk: `add` them under another name, and each batch is synced once and renamed.
class DurableBatch {
 public:
  explicit DurableBatch(fs::path folder) : folder_(std::move(folder)) {}
  void add(fs::path from, fs::path to) {
    files_.emplace_back(std::move(from), std::move(to));
    if (files_.size() >= batch_files) flush();
  }
  void flush() {
    if (files_.empty()) return;
    sync_file_system(folder_);
    for (const auto& [from, to] : files_)
      if (::rename(from.c_str(), to.c_str()) != 0) throw file_error(errno, "put in its place", to);
    files_.clear();
    sync_file_system(folder_);
  }

 private:
  fs::path folder_;
  std::vector<std::pair<fs::path, fs::path>> files_;
};

/// Seals the file of a body; the number of bytes it takes.
std::int64_t seal_body(const fs::path& body, const Digest& hash, const fs::path& file, const Digest& name, const Keys& keys,
                       const Salt& salt) {
  const auto in = File::open_to_read(body);
  std::error_code ignored;
  fs::remove(file, ignored);
  SealedWriter writer(file, keys, {.kind = PartKind::body, .subject = name, .salt = salt, .zstd_level = 1});
  writer.write(as_text(hash));
  std::vector<std::byte> buffer(body_buffer_bytes);
  while (const auto got = in.read(buffer, body)) writer.write(std::span(buffer).first(got));
  return writer.finish(false).sealed_bytes;
}

/// Opens a sealed body: its hash comes first.
Digest read_hash(SealedReader& reader) {
  Digest hash{};
  if (reader.read(std::as_writable_bytes(std::span(hash))) != hash.size())
    throw BackupError(Damage::differs, "a body in the backup has no hash");
  return hash;
}

void unseal_rest(SealedReader& reader, const fs::path& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
  const auto out = File::make(file);
  std::vector<std::byte> buffer(body_buffer_bytes);
  while (const auto got = reader.read(buffer)) out.write(std::span(buffer).first(got), file);
}

void check_body(const fs::path& sealed, const Keys& keys, const Digest& name, const fs::path& scratch) {
  artifacts::FileBlobStore content(scratch / "bodies", {.durable = false});
  SealedReader reader(sealed, keys, PartKind::body, name);
  const auto hash = hash_from(read_hash(reader));
  const auto file = content.path_of(hash);
  make_folder(file.parent_path());
  unseal_rest(reader, file);
  if (content.verify(hash).state != artifacts::BlobState::whole)
    throw BackupError(Damage::differs, fmt::format("'{}' holds a body that is damaged", sealed.native()));
  fs::remove(file);
}

}  // namespace

fs::path body_path(const Repository& repository, const Digest& name) {
  const auto text = hex(as_text(name));
  return repository.bodies_dir() / text.substr(0, 2) / (text + ".sealed");
}

void BodyCollector::add(std::string_view hash) {
  Digest digest{};
  if (hash.size() != digest.size()) throw Error(ErrorCode::corrupt, "a row of blobs has a hash of another length");
  std::memcpy(digest.data(), hash.data(), digest.size());
  hashes_.push_back(digest);
}

StoredBodies BodyCollector::store(const fs::path& blobs, const fs::path& check_in, const Pause& pause) {
  StoredBodies stored;
  if (hashes_.empty()) return stored;
  artifacts::FileBlobStore content(blobs, {.create = false});
  make_folder(repository_.bodies_dir());
  DurableBatch batch(repository_.bodies_dir());
  for (const auto& hash : hashes_) {
    const auto name = blob_name(keys_, repository_.salt(), as_text(hash));
    const auto file = body_path(repository_, name);
    if (!fs::exists(file)) {
      if (content.verify(hash_from(hash)).state != artifacts::BlobState::whole) {
        ++stored.missing;
        continue;
      }
      make_folder(file.parent_path());
      auto incoming = file;
      incoming += ".new";
      stored.fresh_bytes += seal_body(content.path_of(hash_from(hash)), hash, incoming, name, keys_, repository_.salt());
      if (!check_in.empty()) check_body(incoming, keys_, name, check_in);
      stored.fresh.push_back(name);
      batch.add(incoming, file);
      pause();
    }
    stored.names.push_back(name);
  }
  batch.flush();
  std::ranges::sort(stored.names);
  return stored;
}

void require_bodies(const Repository& repository, const std::vector<Digest>& names) {
  for (const auto& name : names)
    if (!fs::exists(body_path(repository, name)))
      throw BackupError(Damage::missing, fmt::format("'{}' is missing", body_path(repository, name).native()));
}

void check_bodies(const Repository& repository, const Keys& keys, const std::vector<Digest>& names, const fs::path& scratch,
                  const Pause& pause) {
  for (const auto& name : names) {
    check_body(body_path(repository, name), keys, name, scratch);
    pause();
  }
}

std::int64_t restore_bodies(const Repository& repository, const Keys& keys, const std::vector<Digest>& names,
                            const fs::path& blobs, const Pause& pause) {
  // Made also for nothing: a content store that is not there is an error to whoever opens it next.
  artifacts::FileBlobStore content(blobs, {});
  if (names.empty()) return 0;
  make_folder(blobs / "tmp");
  DurableBatch batch(blobs);
  std::int64_t restored = 0;
  for (const auto& name : names) {
    SealedReader reader(body_path(repository, name), keys, PartKind::body, name);
    const auto hash = hash_from(read_hash(reader));
    if (content.exists(hash) && content.verify(hash).state == artifacts::BlobState::whole) continue;
    const auto incoming = blobs / "tmp" / (to_string(hash) + ".restored");
    unseal_rest(reader, incoming);
    make_folder(content.path_of(hash).parent_path());
    batch.add(incoming, content.path_of(hash));
    ++restored;
    pause();
  }
  batch.flush();
  return restored;
}

}  // namespace quarry::backup
