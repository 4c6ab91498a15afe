#include "artifacts/blob_codec.hpp"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "artifacts/posix_file.hpp"
#include "quarry/core/error.hpp"

namespace quarry::artifacts {
namespace {

constexpr std::size_t one_step_max = std::size_t{4} << 20;
constexpr std::size_t sample_bytes = std::size_t{1} << 20;
constexpr std::size_t chunk_bytes = std::size_t{64} << 10;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// A context costs more to make than a page to compress, so each thread keeps one.
ZSTD_CCtx* compressor(int level) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context{ZSTD_createCCtx()};
  if (!context) throw Error(ErrorCode::unavailable, "no memory is left to compress with");
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  return context.get();
}

ZSTD_DCtx* decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context{ZSTD_createDCtx()};
  if (!context) throw Error(ErrorCode::unavailable, "no memory is left to decompress with");
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  return context.get();
}

std::size_t compress(std::span<const std::byte> body, int level, std::vector<std::byte>& into) {
  into.resize(ZSTD_compressBound(body.size()));
  const auto size = ZSTD_compress2(compressor(level), into.data(), into.size(), body.data(), body.size());
  if (ZSTD_isError(size)) throw_bug(std::string("zstd: ") + ZSTD_getErrorName(size));
  return size;
}

bool has_magic(std::span<const std::byte> bytes) {
  constexpr unsigned char magic[4] = {0x28, 0xB5, 0x2F, 0xFD};
  return bytes.size() >= sizeof magic && std::memcmp(bytes.data(), magic, sizeof magic) == 0;
}

bool pays(std::size_t before, std::size_t after) { return after <= before - before / 16 && after < before; }

Encoded write_plain(int fd, std::span<const std::byte> body) {
  return {BlobEncoding::none, static_cast<std::int64_t>(body.size()), write_all(fd, body)};
}

Encoded encode_in_one_step(int fd, std::span<const std::byte> body, int level) {
  thread_local std::vector<std::byte> buffer;
  const auto size = compress(body, level, buffer);
  Encoded done{BlobEncoding::zstd, static_cast<std::int64_t>(size), 0};
  if (pays(body.size(), size) || has_magic(body))
    done.error = write_all(fd, std::span(buffer).first(size));
  else
    done = write_plain(fd, body);
  return done;
}

Encoded encode_as_stream(int fd, std::span<const std::byte> body, int level) {
  auto* context = compressor(level);
  ZSTD_CCtx_setPledgedSrcSize(context, body.size());
  std::vector<std::byte> buffer(ZSTD_CStreamOutSize());
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  Encoded done{BlobEncoding::zstd, 0, 0};
  for (std::size_t left = 1; left != 0 && done.error == 0;) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    left = ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
    if (ZSTD_isError(left)) throw_bug(std::string("zstd: ") + ZSTD_getErrorName(left));
    done.stored_bytes += static_cast<std::int64_t>(out.pos);
    done.error = write_all(fd, std::span(buffer).first(out.pos));
  }
  return done;
}

/// One zstd frame, handed to the sink piece by piece.
class FrameReader {
 public:
  FrameReader() : context_(decompressor()) {}

  /// Takes the next piece of the file. Anything but `whole` ends the reading.
  Decoded feed(std::span<const std::byte> piece, std::int64_t& budget,
               sql::FunctionRef<bool(std::span<const std::byte>)> sink) {
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    while (true) {
      if (left_ == 0) return in.pos < in.size ? Decoded::damaged : Decoded::whole;
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      left_ = ZSTD_decompressStream(context_, &out, &in);
      if (ZSTD_isError(left_)) return Decoded::damaged;
      budget -= static_cast<std::int64_t>(out.pos);
      if (budget < 0) return Decoded::damaged;
      if (out.pos > 0 && !sink(std::span(buffer_).first(out.pos))) return Decoded::stopped;
      // A full buffer may hide more of the content, also when the input is used up.
      if (in.pos == in.size && out.pos < out.size) return Decoded::whole;
    }
  }
  bool ended() const noexcept { return left_ == 0; }

 private:
  ZSTD_DCtx* context_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(ZSTD_DStreamOutSize());
  std::size_t left_ = 1;
};

}  // namespace

Encoded encode_body(int fd, std::span<const std::byte> body, int level) {
  if (body.size() <= one_step_max) return encode_in_one_step(fd, body, level);
  std::vector<std::byte> scratch;
  const auto sample = body.first(sample_bytes);
  if (has_magic(body) || pays(sample.size(), compress(sample, level, scratch))) return encode_as_stream(fd, body, level);
  return write_plain(fd, body);
}

Decoding decode_body(int fd, std::int64_t body_bytes_max, sql::FunctionRef<bool(std::span<const std::byte>)> sink) {
  std::vector<std::byte> chunk(chunk_bytes);
  std::unique_ptr<FrameReader> frame;
  Decoding done;
  std::int64_t budget = body_bytes_max;
  for (bool first = true;; first = false) {
    const auto got = read_some(fd, chunk);
    if (got < 0) return {Decoded::failed, done.encoding};
    const auto piece = std::span(chunk).first(static_cast<std::size_t>(got));
    if (first && has_magic(piece)) {
      frame = std::make_unique<FrameReader>();
      done.encoding = BlobEncoding::zstd;
    }
    if (piece.empty()) break;
    if (frame) {
      done.outcome = frame->feed(piece, budget, sink);
    } else {
      budget -= got;
      if (budget < 0)
        done.outcome = Decoded::damaged;
      else if (!sink(piece))
        done.outcome = Decoded::stopped;
    }
    if (done.outcome != Decoded::whole) return done;
    if (piece.size() < chunk.size()) break;
  }
  if (frame && !frame->ended()) done.outcome = Decoded::damaged;
  return done;
}

}  // namespace quarry::artifacts
