#include "backup/part_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "quarry/backup/error.hpp"

namespace quarry::backup {
namespace {

constexpr std::string_view first_bytes = "QUARRYBK";
constexpr std::string_view last_bytes = "QUARRYND";
constexpr std::uint64_t format_version = 1;
constexpr std::size_t check_at = 188;

/// Walks along a fixed layout.
template <class Byte>
class Cursor {
 public:
  explicit Cursor(Byte* at) : at_(at) {}
  void put(std::string_view text) {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void put_number(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i, value >>= 8) *at_++ = static_cast<unsigned char>(value);
  }
  template <std::size_t n>
  void get(std::array<unsigned char, n>& into) {
    std::memcpy(into.data(), at_, n);
    at_ += n;
  }
  std::uint64_t get_number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= std::uint64_t{at_[i]} << (8 * i);
    at_ += bytes;
    return value;
  }

 private:
  Byte* at_;
};

}  // namespace

PartCheck check_of(const HeaderBytes& bytes) {
  PartCheck check{};
  crypto_generichash(check.data(), check.size(), bytes.data(), check_at, nullptr, 0);
  return check;
}

HeaderBytes encode(const PartHeader& header) {
  HeaderBytes bytes{};
  Cursor out(bytes.data());
  out.put(first_bytes);
  out.put_number(format_version, 2);
  out.put_number(static_cast<std::uint64_t>(header.kind), 1);
  out.put_number(static_cast<std::uint64_t>(header.envelope.mode), 1);
  out.put_number(chunk_bytes, 4);
  out.put(as_text(header.subject));
  out.put(as_text(header.envelope.key_id));
  out.put(as_text(header.envelope.salt));
  out.put_number(header.envelope.passes, 4);
  out.put_number(header.envelope.memory_bytes, 8);
  out.put(as_text(header.envelope.wrapped));
  out.put(as_text(header.stream));
  out.put(as_text(check_of(bytes)));
  return bytes;
}

PartHeader decode(const HeaderBytes& bytes, std::string_view name) {
  const auto changed = [&](const char* what) {
    throw BackupError(Damage::changed, fmt::format("'{}' was changed: {}", name, what));
  };
  if (!as_text(bytes).starts_with(first_bytes)) changed("it does not begin as a part of a backup does");
  const auto check = check_of(bytes);
  if (!std::equal(check.begin(), check.end(), bytes.begin() + check_at)) changed("its header does not fit its check");
  PartHeader header;
  Cursor in(bytes.data() + first_bytes.size());
  const auto version = in.get_number(2);
  if (version != format_version)
    throw BackupError(Damage::newer_format, fmt::format("'{}' has format {}, this program knows {}: use a newer quarry",
                                                        name, version, format_version));
  header.kind = static_cast<PartKind>(in.get_number(1));
  const auto mode = in.get_number(1);
  if (mode < 1 || mode > 3) changed("its kind of key does not exist");
  header.envelope.mode = static_cast<KeyMode>(mode);
  if (in.get_number(4) != chunk_bytes) changed("its chunks have another size");
  in.get(header.subject);
  in.get(header.envelope.key_id);
  in.get(header.envelope.salt);
  header.envelope.passes = static_cast<std::uint32_t>(in.get_number(4));
  header.envelope.memory_bytes = in.get_number(8);
  in.get(header.envelope.wrapped);
  in.get(header.stream);
  return header;
}

TrailerBytes encode_trailer(std::uint64_t file_bytes) {
  TrailerBytes bytes{};
  Cursor out(bytes.data());
  out.put_number(file_bytes, 8);
  out.put(last_bytes);
  return bytes;
}

void check_trailer(const TrailerBytes& bytes, std::uint64_t file_bytes, std::string_view name) {
  Cursor in(bytes.data());
  const auto said = in.get_number(8);
  const bool named = as_text(bytes).ends_with(last_bytes);
  if (said == file_bytes && named) return;
  // One of the two is right where bits were flipped in the other; a cut leaves neither.
  if (said == file_bytes || named)
    throw BackupError(Damage::changed, fmt::format("'{}' was changed: its end is not as it was written", name));
  throw BackupError(Damage::cut, fmt::format("'{}' was cut: its end is missing", name));
}

}  // namespace quarry::backup
