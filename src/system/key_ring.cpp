#include "quarry/system/key_ring.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>

#include "quarry/core/error.hpp"

namespace quarry::system {
namespace {

constexpr std::size_t id_bytes_max = 64;  // the column's
constexpr std::size_t key_base64_chars = sodium_base64_ENCODED_LEN(key_bytes, sodium_base64_VARIANT_ORIGINAL) - 1;

bool is_key_id(std::string_view id) {
  return !id.empty() && id.size() <= id_bytes_max && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

void start_sodium() {
  if (sodium_init() < 0) throw Error(ErrorCode::unavailable, "the system has no source of randomness");
}

const unsigned char* bytes_of(std::string_view text) {
  return static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
}

std::string check_value_of(std::string_view key) {
  constexpr std::string_view purpose = "quarry key check 1";
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
  crypto_generichash(hash.data(), hash.size(), bytes_of(purpose), purpose.size(), bytes_of(key), key.size());
  std::array<char, 17> hex{};
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), 8);
  return hex.data();
}

/// `ID:BASE64[:CHECK]` in its parts.
struct Entry {
  std::string_view id, base64, check;
};

Entry split(std::string_view word, std::size_t number) {
  const auto first = word.find(':');
  if (first == std::string_view::npos)
    throw_invalid(fmt::format("key {} of the key ring is not ID:BASE64:CHECK; `quarry setting keygen` makes one", number));
  Entry entry{.id = word.substr(0, first), .base64 = word.substr(first + 1), .check = {}};
  if (const auto second = entry.base64.find(':'); second != std::string_view::npos) {
    entry.check = entry.base64.substr(second + 1);
    entry.base64 = entry.base64.substr(0, second);
  }
  return entry;
}

Secret decode(const Entry& entry) {
  std::string bytes(key_bytes, '\0');
  std::size_t length = 0;
  const int bad =
      sodium_base642bin(static_cast<unsigned char*>(static_cast<void*>(bytes.data())), bytes.size(), entry.base64.data(),
                        entry.base64.size(), nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL);
  Secret key(std::move(bytes));
  if (bad != 0 || length != key_bytes || entry.base64.size() != key_base64_chars)
    throw_invalid(fmt::format("key '{}' of the key ring is not {} bytes in base64", entry.id, key_bytes));
  return key;
}

}  // namespace

KeyRing::Key KeyRing::make_key(std::string_view id, Secret bytes) {
  if (!is_key_id(id)) throw_invalid(fmt::format("a key's name has 1 to {} letters, digits, '.', '_' or '-'", id_bytes_max));
  auto check = check_value_of(bytes.reveal());
  return {std::string(id), std::move(bytes), std::move(check)};
}

KeyRing KeyRing::parse(std::string_view text) {
  start_sodium();
  KeyRing ring;
  const auto read_line = [&](std::string_view line) {
    constexpr std::string_view separators = " \t\r,";
    if (const auto start = line.find_first_not_of(separators); start == std::string_view::npos || line[start] == '#') return;
    while (!line.empty()) {
      const auto end = std::min(line.find_first_of(separators), line.size());
      if (end > 0) {
        const auto entry = split(line.substr(0, end), ring.keys_.size() + 1);
        auto key = make_key(entry.id, decode(entry));
        if (!entry.check.empty() && entry.check != key.check)
          throw_invalid(fmt::format("key '{}' of the key ring does not fit its check value: it was copied wrongly", key.id));
        if (ring.has(key.id)) throw_invalid(fmt::format("key '{}' stands twice in the key ring", key.id));
        ring.keys_.push_back(std::move(key));
      }
      line.remove_prefix(std::min(end + 1, line.size()));
    }
  };
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    read_line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (ring.keys_.empty()) throw_invalid("the key ring holds no key; `quarry setting keygen` makes one");
  return ring;
}

KeyRing KeyRing::generate(const std::string& id) {
  KeyRing ring;
  ring.add_primary(id);
  return ring;
}

void KeyRing::add_primary(const std::string& id) {
  start_sodium();
  if (has(id)) throw_invalid(fmt::format("the key ring has a key '{}' already; give the new one another name", id));
  std::string bytes(key_bytes, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  keys_.insert(keys_.begin(), make_key(id, Secret(std::move(bytes))));
}

Secret KeyRing::to_text() const {
  std::string text;
  text.reserve(keys_.size() * (id_bytes_max + key_base64_chars + 20));  // grown, it would leave copies behind
  for (const auto& key : keys_) {
    std::array<char, key_base64_chars + 1> base64{};
    sodium_bin2base64(base64.data(), base64.size(), bytes_of(key.bytes.reveal()), key_bytes, sodium_base64_VARIANT_ORIGINAL);
    text.append(key.id).append(1, ':').append(base64.data()).append(1, ':').append(key.check).append(1, '\n');
    sodium_memzero(base64.data(), base64.size());
  }
  return Secret(std::move(text));
}

std::vector<std::string> KeyRing::ids() const {
  std::vector<std::string> ids;
  for (const auto& key : keys_) ids.push_back(key.id);
  return ids;
}

bool KeyRing::has(std::string_view id) const noexcept {
  return std::ranges::any_of(keys_, [&](const Key& key) { return key.id == id; });
}

const KeyRing::Key& KeyRing::get(std::string_view id) const {
  const auto found = std::ranges::find(keys_, id, &Key::id);
  if (found == keys_.end())
    throw Error(ErrorCode::not_found, fmt::format("the key ring has no key '{}'; add it to the file of keys", id));
  return *found;
}

const std::string& KeyRing::check_value(std::string_view id) const { return get(id).check; }
std::string_view KeyRing::reveal(std::string_view id) const { return get(id).bytes.reveal(); }

}  // namespace quarry::system
