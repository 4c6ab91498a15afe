#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <vector>

#include "backup/file.hpp"
#include "backup/key_derivation.hpp"
#include "backup/part_header.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/backup/sealed.hpp"

namespace quarry::backup {
namespace {

struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

std::string_view name_of(PartKind kind) {
  switch (kind) {
    case PartKind::manifest:
      return "manifest";
    case PartKind::database:
      return "database";
    case PartKind::body:
      return "body";
    case PartKind::base_backup:
      return "base backup";
    case PartKind::wal_segment:
      return "segment of the log";
  }
  return "unknown part";
}

}  // namespace

struct SealedReader::Impl {
  std::filesystem::path file;
  std::string name;  ///< for messages
  File fd;
  HeaderBytes header{};
  PartCheck check{};
  crypto_secretstream_xchacha20poly1305_state state{};
  std::unique_ptr<ZSTD_DCtx, FreeDecompressor> decompressor{ZSTD_createDCtx()};
  std::vector<unsigned char> sealed = std::vector<unsigned char>(sealed_chunk_bytes);
  std::vector<unsigned char> chunk = std::vector<unsigned char>(chunk_bytes);
  ZSTD_inBuffer in{nullptr, 0, 0};
  std::uint64_t left = 0;  ///< sealed bytes that have not been read
  std::uint64_t at = header_bytes;
  bool last_seen = false;
  bool frame_ended = false;
  bool ended = false;

  ~Impl() { sodium_memzero(&state, sizeof(state)); }

  [[noreturn]] void changed(std::string_view what) const {
    throw BackupError(Damage::changed, fmt::format("'{}' was changed: {}", name, what));
  }
  void read_exactly(unsigned char* into, std::size_t bytes) {
    if (fd.read(std::as_writable_bytes(std::span(into, bytes)), file) != bytes)
      throw BackupError(Damage::cut, fmt::format("'{}' was cut while it was read", name));
  }
  void open();
  void check_end(std::uint64_t file_bytes) const;
  void pull();
};

void SealedReader::Impl::check_end(std::uint64_t file_bytes) const {
  TrailerBytes trailer{};
  const auto got = ::pread(fd.get(), trailer.data(), trailer.size(), static_cast<off_t>(file_bytes - trailer.size()));
  if (got != static_cast<ssize_t>(trailer.size())) throw file_error(errno, "read", file);
  check_trailer(trailer, file_bytes, name);
}

void SealedReader::Impl::open() {
  fd = File(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) throw BackupError(Damage::missing, fmt::format("'{}' is missing", file.native()));
  if (!fd) throw file_error(errno, "open", file);
  const auto bytes = fd.size(file);
  if (bytes < header_bytes + crypto_secretstream_xchacha20poly1305_ABYTES + trailer_bytes)
    throw BackupError(Damage::cut, fmt::format("'{}' was cut: {} bytes are no part of a backup", name, bytes));
  left = bytes - header_bytes - trailer_bytes;
  read_exactly(header.data(), header.size());
}

/// The next chunk.
void SealedReader::Impl::pull() {
  if (left == 0) throw BackupError(Damage::cut, fmt::format("'{}' was cut: its last chunk is missing", name));
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left, sealed_chunk_bytes));
  read_exactly(sealed.data(), bytes);
  left -= bytes;
  unsigned long long plain = 0;
  unsigned char tag = 0;
  const bool first = at == header_bytes;
  if (crypto_secretstream_xchacha20poly1305_pull(&state, chunk.data(), &plain, &tag, sealed.data(), bytes,
                                                 first ? header.data() : nullptr, first ? header.size() : 0) != 0)
    changed(fmt::format("what stands in its bytes {} to {} is not what was written there", at, at + bytes));
  at += bytes;
  last_seen = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  if (last_seen && left > 0) changed("something stands behind its last chunk");
  in = {chunk.data(), static_cast<std::size_t>(plain), 0};
}

SealedReader::SealedReader(const std::filesystem::path& file, const Keys& keys, PartKind kind, const Subject& subject)
    : impl_(std::make_unique<Impl>()) {
  if (!impl_->decompressor) throw std::bad_alloc();
  impl_->file = file;
  impl_->name = (file.parent_path().filename() / file.filename()).native();
  impl_->open();
  const auto header = decode(impl_->header, impl_->name);
  impl_->check_end(impl_->left + header_bytes + trailer_bytes);
  if (header.kind != kind || header.subject != subject)
    throw BackupError(Damage::swapped, header.kind == kind
                                           ? fmt::format("'{}' belongs to another backup: parts were swapped", impl_->name)
                                           : fmt::format("'{}' holds a {} instead of a {}: parts were swapped", impl_->name,
                                                         name_of(header.kind), name_of(kind)));
  const auto part_key = unwrap(keys, header.envelope, impl_->name);
  impl_->check = check_of(impl_->header);
  if (crypto_secretstream_xchacha20poly1305_init_pull(&impl_->state, header.stream.data(), part_key.bytes.data()) != 0)
    impl_->changed("its stream cannot begin");
}

SealedReader::~SealedReader() = default;

const PartCheck& SealedReader::check() const noexcept { return impl_->check; }

std::size_t SealedReader::read(std::span<std::byte> into) {
  ZSTD_outBuffer out{into.data(), into.size(), 0};
  while (out.pos < out.size && !impl_->ended) {
    // zstd may hold back what has been decrypted, so it is asked first.
    if (impl_->in.pos == impl_->in.size && !impl_->last_seen && !impl_->frame_ended) impl_->pull();
    const auto before = out.pos;
    const auto in_before = impl_->in.pos;
    const auto hint = ZSTD_decompressStream(impl_->decompressor.get(), &out, &impl_->in);
    if (ZSTD_isError(hint)) impl_->changed("it cannot be decompressed");
    impl_->frame_ended = hint == 0;
    if (impl_->frame_ended) {
      while (!impl_->last_seen && impl_->in.pos == impl_->in.size) impl_->pull();
      if (impl_->in.pos != impl_->in.size) impl_->changed("something stands behind its contents");
      impl_->ended = true;
    } else if (impl_->last_seen && impl_->in.pos == impl_->in.size && out.pos == before && in_before == impl_->in.pos) {
      throw BackupError(Damage::cut, fmt::format("'{}' was cut: its contents do not end", impl_->name));
    }
  }
  return out.pos;
}

std::string read_sealed(SealedReader& reader, std::size_t bytes_max) {
  std::string text;
  std::array<std::byte, 16'384> buffer;
  for (;;) {
    const auto got = reader.read(buffer);
    if (got == 0) return text;
    text.append(reinterpret_cast<const char*>(buffer.data()), got);
    if (text.size() > bytes_max) throw Error(ErrorCode::corrupt, "a part of the backup is larger than it can be");
  }
}

}  // namespace quarry::backup
