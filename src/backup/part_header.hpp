#pragma once
/// The first 204 bytes and the last 16 of a part: quarry/backup/sealed.hpp has the table.

#include <array>
#include <cstdint>
#include <string_view>

#include "backup/envelope.hpp"
#include "quarry/backup/sealed.hpp"

namespace quarry::backup {

inline constexpr std::size_t header_bytes = 204;
inline constexpr std::size_t trailer_bytes = 16;
inline constexpr std::size_t chunk_bytes = 65'536;
inline constexpr std::size_t sealed_chunk_bytes = chunk_bytes + crypto_secretstream_xchacha20poly1305_ABYTES;

using HeaderBytes = std::array<unsigned char, header_bytes>;
using TrailerBytes = std::array<unsigned char, trailer_bytes>;
using StreamHeader = std::array<unsigned char, crypto_secretstream_xchacha20poly1305_HEADERBYTES>;

struct PartHeader {
  PartKind kind = PartKind::database;
  Subject subject{};
  Envelope envelope{};
  StreamHeader stream{};
};

HeaderBytes encode(const PartHeader& header);
/// Throws `changed` or `newer_format`; `name` is the part's, for messages.
PartHeader decode(const HeaderBytes& bytes, std::string_view name);
PartCheck check_of(const HeaderBytes& bytes);

TrailerBytes encode_trailer(std::uint64_t file_bytes);
/// Throws `cut` or `changed` unless it is the trailer of a file of that length.
void check_trailer(const TrailerBytes& bytes, std::uint64_t file_bytes, std::string_view name);

}  // namespace quarry::backup
