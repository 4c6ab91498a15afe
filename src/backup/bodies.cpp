#include "backup/bodies.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "backup/file.hpp"
#include "backup/layout.hpp"
#include "backup/part_header.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/core/log.hpp"

namespace quarry::backup {
namespace {

constexpr std::size_t body_buffer_bytes = std::size_t{256} * 1024;
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

/// Whether a body lies there with its beginning and its end. What is altered in between takes reading all of it, which
/// `verify` does.
bool is_there(const fs::path& file, const Digest& name) {
  const File in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in && errno == ENOENT) return false;
  if (!in) throw file_error(errno, "open", file);
  try {
    const auto bytes = in.size(file);
    HeaderBytes header{};
    TrailerBytes trailer{};
    if (bytes < header.size() + trailer.size()) return false;
    if (in.read(std::as_writable_bytes(std::span(header)), file) != header.size()) return false;
    if (::pread(in.get(), trailer.data(), trailer.size(), static_cast<off_t>(bytes - trailer.size())) !=
        static_cast<ssize_t>(trailer.size()))
      throw file_error(errno, "read", file);
    check_trailer(trailer, bytes, file.native());
    return decode(header, file.native()).subject == name;
  } catch (const BackupError& error) {
    if (error.damage() == Damage::newer_format) throw;
    return false;
  }
}

/// What is no body any more makes room, so that the next backup stores it again.
void set_aside(const fs::path& file) {
  auto aside = file;
  aside += ".damaged";
  if (::rename(file.c_str(), aside.c_str()) != 0)
    log::warn("'{}' is damaged, and could not be set aside; remove it, so that the next backup stores it again",
              file.native());
}

}  // namespace

fs::path body_path(const Repository& repository, const Digest& name) {
  const auto text = hex(as_text(name));
  return repository.bodies_dir() / text.substr(0, 2) / (text + ".sealed");
}

std::optional<Digest> name_of_body(const fs::path& file) {
  constexpr std::string_view ending = ".sealed";
  const auto text = file.filename().native();
  Digest name{};
  std::size_t size = 0;
  if (text.size() != 2 * name.size() + ending.size() || !text.ends_with(ending) ||
      sodium_hex2bin(name.data(), name.size(), text.data(), 2 * name.size(), nullptr, &size, nullptr) != 0 ||
      size != name.size())
    return std::nullopt;
  return name;
}

void BodyCollector::add(std::string_view hash) {
  Digest digest{};
  if (hash.size() != digest.size()) throw Error(ErrorCode::corrupt, "a row of blobs has a hash of another length");
  std::memcpy(digest.data(), hash.data(), digest.size());
  hashes_.push_back(digest);
}

StoredBodies BodyCollector::store(const fs::path& blobs, const fs::path& check_in, const Pause& pause) {
  StoredBodies stored;
  // Names take the place of their hashes: there may be millions.
  stored.names = std::move(hashes_);
  if (stored.names.empty()) return stored;
  artifacts::FileBlobStore content(blobs, {.create = false});
  make_folder(repository_.bodies_dir());
  DurableBatch batch(repository_.bodies_dir());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < stored.names.size(); ++i) {
    const auto hash = stored.names[i];
    const auto name = blob_name(keys_, repository_.salt(), as_text(hash));
    const auto file = body_path(repository_, name);
    if (!is_there(file, name)) {
      if (content.verify(hash_from(hash)).state != artifacts::BlobState::whole) {
        ++stored.missing;
        continue;
      }
      make_folder(file.parent_path());
      auto incoming = file;
      incoming += ".new";
      stored.fresh_bytes += seal_body(content.path_of(hash_from(hash)), hash, incoming, name, keys_, repository_.salt());
      if (check_in.empty())
        keys_.impl().sealed_now.clear();  // nobody will look
      else
        check_body(incoming, keys_, name, check_in);
      ++stored.fresh;
      batch.add(incoming, file);
      pause();
    }
    stored.names[kept++] = name;
  }
  stored.names.resize(kept);
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
  std::exception_ptr first;
  for (const auto& name : names) {
    const auto file = body_path(repository, name);
    try {
      check_body(file, keys, name, scratch);
    } catch (const BackupError& error) {
      if (error.damage() == Damage::wrong_key || error.damage() == Damage::newer_format) throw;
      if (error.damage() != Damage::missing) set_aside(file);
      if (!first) first = std::current_exception();
    }
    pause();
  }
  if (first) std::rethrow_exception(first);
}

BodyRestorer::BodyRestorer(const Repository& repository, const Keys& keys, const fs::path& blobs)
    : repository_(repository),
      keys_(keys),
      blobs_(blobs),
      made_store_(!fs::exists(blobs)),
      content_(std::make_unique<artifacts::FileBlobStore>(blobs, artifacts::FileBlobStoreOptions{})) {
  make_folder(blobs_ / "tmp");
  staging_.emplace(blobs_ / "tmp");
}

BodyRestorer::~BodyRestorer() {
  staging_.reset();
  if (in_place_ || !made_store_) return;
  std::error_code ignored;
  fs::remove(blobs_ / "tmp", ignored);
  fs::remove(blobs_, ignored);
}

bool BodyRestorer::has(const artifacts::BlobHash& hash) {
  return content_->exists(hash) && content_->verify(hash).state == artifacts::BlobState::whole;
}

bool BodyRestorer::take(const Digest& name) {
  SealedReader reader(body_path(repository_, name), keys_, PartKind::body, name);
  const auto hash = hash_from(read_hash(reader));
  if (has(hash)) return false;
  unseal_rest(reader, staging_->path() / to_string(hash));
  return true;
}

std::int64_t BodyRestorer::take_named(const std::vector<Digest>& names, const Pause& pause) {
  std::int64_t taken = 0;
  for (const auto& name : names) {
    taken += take(name);
    pause();
  }
  return taken;
}

FoundBodies BodyRestorer::take_with_hashes(const std::vector<Digest>& hashes) {
  FoundBodies found;
  for (const auto& hash : hashes) {
    if (has(hash_from(hash))) continue;
    const auto names = blob_names(keys_, repository_.salt(), as_text(hash));
    const auto name = std::ranges::find_if(names, [&](const auto& one) { return fs::exists(body_path(repository_, one)); });
    if (name == names.end())
      ++found.missing;
    else
      found.restored += take(*name);
  }
  return found;
}

void BodyRestorer::put_in_place() {
  // What they hold is on the disk before they have their names.
  sync_file_system(blobs_);
  for (const auto& staged : fs::directory_iterator(staging_->path())) {
    const auto hash = artifacts::parse_blob_hash(staged.path().filename().native());
    make_folder(content_->path_of(hash).parent_path());
    if (::rename(staged.path().c_str(), content_->path_of(hash).c_str()) != 0)
      throw file_error(errno, "put in its place", content_->path_of(hash));
  }
  sync_file_system(blobs_);
  in_place_ = true;
}

void require_place_for_bodies(const fs::path& blobs) {
  std::error_code none;
  if (fs::is_directory(blobs, none)) return;
  const auto parent = folder_of(blobs.has_filename() ? blobs : blobs.parent_path());
  if (!fs::is_directory(parent, none))
    throw Error(ErrorCode::not_found,
                fmt::format("the folder for bodies '{}' cannot be made: make '{}' first, or name another", blobs.native(),
                            parent.native()));
  if (::access(parent.c_str(), W_OK | X_OK) != 0) throw file_error(errno, "make the folder for bodies in", parent);
}

}  // namespace quarry::backup
