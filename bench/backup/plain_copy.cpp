#include "bench/backup/plain_copy.hpp"

#include <sodium.h>
#include <unistd.h>
#include <zstd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

namespace quarry::bench {
namespace {

constexpr std::size_t chunk_bytes = 65'536;
constexpr std::size_t sealed_bytes = chunk_bytes + crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::array<unsigned char, 32> key{1, 2, 3};

using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Stream open(const std::filesystem::path& path, const char* mode) {
  Stream stream(std::fopen(path.c_str(), mode), std::fclose);
  if (!stream) throw std::runtime_error("cannot open " + path.native());
  std::setvbuf(stream.get(), nullptr, _IONBF, 0);
  return stream;
}

void put(std::FILE* out, const void* bytes, std::size_t size) {
  if (std::fwrite(bytes, 1, size, out) != size) throw std::runtime_error("cannot write");
}

}  // namespace

void plain_seal(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto in = open(from, "rb"), out = open(to, "wb");
  crypto_secretstream_xchacha20poly1305_state state;
  std::array<unsigned char, crypto_secretstream_xchacha20poly1305_HEADERBYTES> header{};
  crypto_secretstream_xchacha20poly1305_init_push(&state, header.data(), key.data());
  put(out.get(), header.data(), header.size());
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> zstd(ZSTD_createCCtx(), ZSTD_freeCCtx);
  std::vector<unsigned char> plain(1 << 20), chunk(chunk_bytes), sealed(sealed_bytes);
  ZSTD_outBuffer filled{chunk.data(), chunk.size(), 0};
  const auto push = [&](unsigned char tag) {
    unsigned long long size = 0;
    crypto_secretstream_xchacha20poly1305_push(&state, sealed.data(), &size, chunk.data(), filled.pos, nullptr, 0, tag);
    put(out.get(), sealed.data(), static_cast<std::size_t>(size));
    filled.pos = 0;
  };
  for (bool more = true; more;) {
    const auto got = std::fread(plain.data(), 1, plain.size(), in.get());
    more = got == plain.size();
    ZSTD_inBuffer input{plain.data(), got, 0};
    for (std::size_t left = 1; more ? input.pos < input.size : left != 0;) {
      if (filled.pos == filled.size) push(0);
      left = ZSTD_compressStream2(zstd.get(), &filled, &input, more ? ZSTD_e_continue : ZSTD_e_end);
    }
  }
  push(crypto_secretstream_xchacha20poly1305_TAG_FINAL);
}

void plain_restore(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto in = open(from, "rb"), out = open(to, "wb");
  crypto_secretstream_xchacha20poly1305_state state;
  std::array<unsigned char, crypto_secretstream_xchacha20poly1305_HEADERBYTES> header{};
  if (std::fread(header.data(), 1, header.size(), in.get()) != header.size() ||
      crypto_secretstream_xchacha20poly1305_init_pull(&state, header.data(), key.data()) != 0)
    throw std::runtime_error("no stream");
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> zstd(ZSTD_createDCtx(), ZSTD_freeDCtx);
  std::vector<unsigned char> sealed(sealed_bytes), chunk(chunk_bytes), plain(1 << 20);
  for (unsigned char tag = 0; tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL;) {
    const auto got = std::fread(sealed.data(), 1, sealed.size(), in.get());
    unsigned long long size = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(&state, chunk.data(), &size, &tag, sealed.data(), got, nullptr, 0) != 0)
      throw std::runtime_error("not authentic");
    ZSTD_inBuffer input{chunk.data(), static_cast<std::size_t>(size), 0};
    for (bool full = true; input.pos < input.size || full;) {
      ZSTD_outBuffer output{plain.data(), plain.size(), 0};
      ZSTD_decompressStream(zstd.get(), &output, &input);
      put(out.get(), plain.data(), output.pos);
      full = output.pos == output.size;
    }
  }
  if (::fsync(::fileno(out.get())) != 0) throw std::runtime_error("cannot sync");
}

}  // namespace quarry::bench
