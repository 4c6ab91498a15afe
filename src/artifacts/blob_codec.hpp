#pragma once
/// Bodies to files and back. A file that begins with zstd's magic number is one zstd frame; every other file is the body as
/// it is. A body that itself begins with the magic number is always put into a frame, so that the two can be told apart.

#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/artifacts/blob_store.hpp"
#include "quarry/sql/function_ref.hpp"

namespace quarry::artifacts {

struct Encoded {
  BlobEncoding encoding = BlobEncoding::none;
  std::int64_t stored_bytes = 0;
  int error = 0;  ///< errno of the write that failed, or 0
};

/// Writes `body` to `fd`, compressed when that saves a sixteenth or more. Bodies up to a few MB are compressed in one step;
/// of larger ones the beginning tells whether it pays, and they go through a buffer of fixed size.
Encoded encode_body(int fd, std::span<const std::byte> body, int level);

enum class Decoded {
  whole,    ///< everything went to the sink
  damaged,  ///< a broken frame, something behind it, or more than `body_bytes_max`
  stopped,  ///< the sink said so
  failed,   ///< the file could not be read; errno says why
};

struct Decoding {
  Decoded outcome = Decoded::whole;
  BlobEncoding encoding = BlobEncoding::none;
};

/// Reads a file through in constant memory. The sink returns false to stop.
Decoding decode_body(int fd, std::int64_t body_bytes_max, sql::FunctionRef<bool(std::span<const std::byte>)> sink);

}  // namespace quarry::artifacts
