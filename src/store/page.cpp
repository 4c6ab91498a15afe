#include "quarry/store/page.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <boost/crc.hpp>
#include <charconv>

#include "quarry/core/error.hpp"

namespace quarry::store {
namespace {

constexpr std::size_t cursor_bytes_max = 64 << 10;
constexpr char between = '\x1f';  // the unit separator of ASCII: in no key that sorts
constexpr int base64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

[[noreturn]] void refuse() {
  throw_invalid("the cursor does not belong to this list in this order: take it from the page before, as it came");
}

std::uint32_t checksum(std::string_view order, std::string_view text) {
  boost::crc_32_type crc;
  crc.process_bytes(order.data(), order.size());
  crc.process_bytes(text.data(), text.size());
  return crc.checksum();
}

char letter_of(sql::Kind kind) {
  switch (kind) {
    case sql::Kind::int64:
      return 'i';
    case sql::Kind::instant:
      return 't';
    case sql::Kind::uuid:
      return 'u';
    default:
      return 's';
  }
}

std::string written(const KeyValue& value) {
  switch (value.kind) {
    case sql::Kind::uuid:
      return letter_of(value.kind) + to_string(value.uuid);
    case sql::Kind::text:
      return letter_of(value.kind) + value.text;
    default:
      return letter_of(value.kind) + std::to_string(value.integer);
  }
}

std::int64_t integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) refuse();
  return value;
}

KeyValue read_value(std::string_view text) {
  if (text.empty()) refuse();
  const auto rest = text.substr(1);
  switch (text.front()) {
    case 'i':
      return key(integer_of(rest));
    case 't':
      return key(Instant{integer_of(rest)});
    case 'u':
      return key(parse_uuid(rest));
    case 's':
      return key(rest);
    default:
      refuse();
  }
}

}  // namespace

sql::Param KeyValue::param() const {
  switch (kind) {
    case sql::Kind::uuid:
      return sql::Param::make_view(kind, &uuid, 16);
    case sql::Kind::text:
      return sql::Param::make_view(kind, text.data(), text.size());
    default:
      return sql::Param::make_integer(kind, integer);
  }
}

KeyValue key(std::int64_t value) { return {.kind = sql::Kind::int64, .integer = value}; }
KeyValue key(Instant value) { return {.kind = sql::Kind::instant, .integer = value.us}; }
KeyValue key(std::string_view value) { return {.kind = sql::Kind::text, .text = std::string(value)}; }
KeyValue key(const Uuid& value) { return {.kind = sql::Kind::uuid, .uuid = value}; }

std::string encode_cursor(std::string_view order, const PageEnd& end) {
  // The id has no separator in it, so the sort key may hold anything.
  const std::string text = written(end.id) + between + written(end.sort);
  const std::string sealed = fmt::format("{:08x}{}", checksum(order, text), text);
  std::string encoded(sodium_base64_encoded_len(sealed.size(), base64), '\0');
  sodium_bin2base64(encoded.data(), encoded.size(), reinterpret_cast<const unsigned char*>(sealed.data()), sealed.size(),
                    base64);
  encoded.pop_back();  // the terminating zero
  return encoded;
}

PageEnd decode_cursor(std::string_view order, std::string_view cursor) {
  if (cursor.size() > cursor_bytes_max) refuse();
  std::string sealed(cursor.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(sealed.data()), sealed.size(), cursor.data(), cursor.size(),
                        nullptr, &size, nullptr, base64) != 0)
    refuse();
  sealed.resize(size);
  if (sealed.size() < 8) refuse();
  const std::string_view text = std::string_view(sealed).substr(8);
  if (sealed.substr(0, 8) != fmt::format("{:08x}", checksum(order, text))) refuse();
  const auto cut = text.find(between);
  if (cut == std::string_view::npos) refuse();
  return {.sort = read_value(text.substr(cut + 1)), .id = read_value(text.substr(0, cut))};
}

void check_page(const PageRequest& page) {
  if (page.limit < 1 || page.limit > page_limit_max)
    throw_invalid(fmt::format("limit {}: it must be from 1 to {}", page.limit, page_limit_max));
}

}  // namespace quarry::store
