/// Keys from files.

#include "quarry/backup/keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "backup/envelope.hpp"
#include "backup/file.hpp"
#include "backup/key_derivation.hpp"
#include "quarry/core/error.hpp"

namespace quarry::backup {
namespace {

constexpr std::string_view public_prefix = "quarry-backup-public:";
constexpr std::size_t key_text_bytes_max = 4096;

/// A short file. `secret` ones must be closed to everybody but their owner.
Secret read_short_file(const std::filesystem::path& file, std::string_view what, bool secret) {
  const File fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) throw file_error(errno, fmt::format("open the file of the {}", what), file);
  struct stat seen {};
  if (::fstat(fd.get(), &seen) != 0 || !S_ISREG(seen.st_mode))
    throw_invalid(fmt::format("the file of the {} '{}' is no regular file", what, file.native()));
  if (secret && (seen.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error(ErrorCode::denied,
                fmt::format("the file of the {0} '{1}' is open to others: chmod 600 {1}", what, file.native()));
  std::string text(key_text_bytes_max + 1, '\0');
  const auto size = fd.read(std::as_writable_bytes(std::span(text)), file);
  if (size > key_text_bytes_max)
    throw_invalid(fmt::format("the file of the {} '{}' is longer than {} bytes", what, file.native(), key_text_bytes_max));
  const Secret whole(std::move(text));
  auto line = whole.reveal().substr(0, size);
  line = line.substr(0, line.find_first_of("\r\n"));
  return Secret(std::string(line));
}

/// 8 hexadecimal digits that tell a mistyped public key.
std::string check_of(std::string_view public_key) { return hex(as_text(blake2b(public_key)).substr(0, 4)); }

}  // namespace

Keys::Keys(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Keys::Keys(Keys&&) noexcept = default;
Keys& Keys::operator=(Keys&&) noexcept = default;
Keys::~Keys() = default;

Keys Keys::from_key_file(const std::filesystem::path& file) {
  start_sodium();
  auto impl = std::make_unique<Impl>();
  impl->mode = KeyMode::key_file;
  impl->ring = system::KeyRing::from_file(file);
  return Keys(std::move(impl));
}

Keys Keys::from_passphrase_file(const std::filesystem::path& file) {
  start_sodium();
  auto impl = std::make_unique<Impl>();
  impl->mode = KeyMode::passphrase;
  impl->passphrase = read_short_file(file, "passphrase", true);
  if (impl->passphrase.reveal().size() < 8)
    throw_invalid(fmt::format("the first line of '{}' is the passphrase: it needs at least 8 bytes", file.native()));
  return Keys(std::move(impl));
}

Keys Keys::from_public_key_file(const std::filesystem::path& file) {
  start_sodium();
  auto impl = std::make_unique<Impl>();
  impl->mode = KeyMode::public_key;
  const auto line = read_short_file(file, "public key", false);
  auto text = line.reveal();
  const auto wrong = [&](const char* why) {
    throw_invalid(fmt::format("'{}' holds no public key: {}; `quarry backup public-key` prints one", file.native(), why));
  };
  if (!text.starts_with(public_prefix)) wrong("it begins with quarry-backup-public:");
  text.remove_prefix(public_prefix.size());
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) wrong("a check of 8 digits stands behind the key");
  std::size_t size = 0;
  if (sodium_base642bin(impl->public_key.data(), impl->public_key.size(), text.data(), colon, nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      size != impl->public_key.size())
    wrong("it is 32 bytes in base64");
  if (check_of(as_text(impl->public_key)) != text.substr(colon + 1)) wrong("its check does not fit, so it is mistyped");
  return Keys(std::move(impl));
}

bool Keys::can_open() const noexcept { return impl_->mode != KeyMode::public_key; }

std::string Keys::mode() const {
  switch (impl_->mode) {
    case KeyMode::key_file:
      return "key_file";
    case KeyMode::passphrase:
      return "passphrase";
    case KeyMode::public_key:
      return "public_key";
  }
  return "unknown";
}

std::string Keys::public_text() const {
  if (impl_->mode != KeyMode::key_file) throw_invalid("a public key is made from a key file: --key-file FILE");
  const auto key = public_half(secret_half(impl_->ring->reveal(impl_->ring->primary())));
  std::string base64(sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(base64.data(), base64.size(), key.data(), key.size(), sodium_base64_VARIANT_ORIGINAL);
  base64.pop_back();  // the zero byte at its end
  return fmt::format("{}{}:{}", public_prefix, base64, check_of(as_text(key)));
}

}  // namespace quarry::backup
