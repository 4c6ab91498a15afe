#include <fmt/format.h>
#include <zstd.h>

#include <vector>

#include "backup/file.hpp"
#include "backup/key_derivation.hpp"
#include "backup/part_header.hpp"
#include "quarry/backup/sealed.hpp"

namespace quarry::backup {
namespace {

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

}  // namespace

Subject subject_of(std::string_view name) { return blake2b(name); }

struct SealedWriter::Impl {
  std::filesystem::path file;
  File fd;
  HeaderBytes header{};
  crypto_secretstream_xchacha20poly1305_state state{};
  std::unique_ptr<ZSTD_CCtx, FreeCompressor> compressor{ZSTD_createCCtx()};
  std::vector<unsigned char> chunk = std::vector<unsigned char>(chunk_bytes);
  std::size_t filled = 0;
  std::vector<unsigned char> sealed = std::vector<unsigned char>(sealed_chunk_bytes);
  bool first = true;
  SealedSize size;

  ~Impl() { sodium_memzero(&state, sizeof(state)); }

  void put(const unsigned char* bytes, std::size_t count) {
    fd.write(std::as_bytes(std::span(bytes, count)), file);
    size.sealed_bytes += static_cast<std::int64_t>(count);
  }
  void push(bool last) {
    unsigned long long written = 0;
    crypto_secretstream_xchacha20poly1305_push(&state, sealed.data(), &written, chunk.data(), filled,
                                               first ? header.data() : nullptr, first ? header.size() : 0,
                                               last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
    first = false;
    filled = 0;
    put(sealed.data(), static_cast<std::size_t>(written));
  }
  /// True when zstd has nothing left to say.
  bool compress(ZSTD_inBuffer& in, ZSTD_EndDirective how) {
    if (filled == chunk_bytes) push(false);
    ZSTD_outBuffer out{chunk.data(), chunk_bytes, filled};
    const auto left = ZSTD_compressStream2(compressor.get(), &out, &in, how);
    if (ZSTD_isError(left)) throw_bug(fmt::format("zstd refuses to compress: {}", ZSTD_getErrorName(left)));
    filled = out.pos;
    return how == ZSTD_e_end ? left == 0 : in.pos == in.size;
  }
};

SealedWriter::SealedWriter(const std::filesystem::path& file, const Keys& keys, const Options& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->file = file;
  impl_->fd = File::make(file);
  if (!impl_->compressor) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(impl_->compressor.get(), ZSTD_c_compressionLevel, options.zstd_level);
  KeyBytes part_key;
  crypto_secretstream_xchacha20poly1305_keygen(part_key.bytes.data());
  PartHeader header{
      .kind = options.kind, .subject = options.subject, .envelope = wrap(keys, part_key, options.salt), .stream = {}};
  crypto_secretstream_xchacha20poly1305_init_push(&impl_->state, header.stream.data(), part_key.bytes.data());
  impl_->header = encode(header);
  impl_->size.check = check_of(impl_->header);
  impl_->put(impl_->header.data(), impl_->header.size());
}

SealedWriter::~SealedWriter() = default;

void SealedWriter::write(std::span<const std::byte> bytes) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (!impl_->compress(in, ZSTD_e_continue)) {
  }
  impl_->size.plain_bytes += static_cast<std::int64_t>(bytes.size());
}

SealedSize SealedWriter::finish(bool durable) {
  ZSTD_inBuffer nothing{nullptr, 0, 0};
  while (!impl_->compress(nothing, ZSTD_e_end)) {
  }
  impl_->push(true);
  const auto trailer = encode_trailer(static_cast<std::uint64_t>(impl_->size.sealed_bytes) + trailer_bytes);
  impl_->put(trailer.data(), trailer.size());
  if (durable) impl_->fd.sync(impl_->file);
  if (impl_->fd.close() != 0) throw file_error(errno, "write", impl_->file);
  return impl_->size;
}

}  // namespace quarry::backup
