/// Whatever lies where a part of a backup should: it is refused with one of the errors of quarry/backup/error.hpp, or it is
/// the part that was written there. The fuzzer has no key, so three ways in are made for it: bytes as they are; bytes as a
/// header whose check fits, with the end that belongs to it; and changes of a part that is whole.

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "backup/part_header.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/backup/sealed.hpp"
#include "quarry/system/key_ring.hpp"

namespace {

using namespace quarry::backup;

constexpr std::size_t check_at = 188;

void require(bool holds) {
  if (!holds) std::abort();
}

/// In memory where there is such a file system: every input is a file.
class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::exists("/dev/shm") ? "/dev/shm/quarry-fuzz-XXXXXX" : "/tmp/quarry-fuzz-XXXXXX";
    require(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// What the inputs are held against.
struct Known {
  Folder folder;
  Keys keys;
  std::string text;   ///< three chunks, which zstd cannot make much smaller
  std::string whole;  ///< the part that holds it

  Known() : keys(make_keys(folder)) {
    std::uint32_t state = 1;
    while (text.size() < 150'000) text += static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
    SealedWriter writer(folder / "whole", keys, {.kind = PartKind::database, .subject = subject_of("one")});
    writer.write(text);
    writer.finish(false);
    std::ifstream in(folder / "whole", std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(in), {});
  }
  static Keys make_keys(const Folder& folder) {
    quarry::system::KeyRing::generate("k1").write_file(folder / "keys");
    return Keys::from_key_file(folder / "keys");
  }
};

const Known& known() {
  static const Known one;
  return one;
}

void open_as_part(std::string_view bytes) {
  const auto file = known().folder / "part";
  std::ofstream(file, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  try {
    SealedReader reader(file, known().keys, PartKind::database, subject_of("one"));
    const auto text = read_sealed(reader, 1U << 20);
    require(text == known().text && bytes == known().whole);
  } catch (const BackupError&) {
    require(bytes != known().whole);
  }
}

/// As whoever forges a part would: the check of the header and the end need no key.
void open_with_fitting_ends(std::string_view bytes) {
  std::string part(known().whole.substr(0, header_bytes));
  std::copy_n(bytes.begin(), std::min(bytes.size(), check_at), part.begin());
  HeaderBytes header{};
  std::copy_n(part.begin(), header.size(), header.begin());
  const auto check = check_of(header);
  std::copy(check.begin(), check.end(), part.begin() + check_at);
  if (bytes.size() > check_at) part += bytes.substr(check_at);
  const auto end = encode_trailer(part.size() + trailer_bytes);
  part.append(reinterpret_cast<const char*>(end.data()), end.size());
  open_as_part(part);
}

/// Each five bytes: where, and how. The third one says whether a byte is altered, or what is behind it left out or repeated.
void open_changed(std::string_view bytes) {
  auto part = known().whole;
  for (; bytes.size() >= 5 && !part.empty(); bytes.remove_prefix(5)) {
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
    const auto at = (byte(0) | byte(1) << 8 | byte(2) << 16) % part.size();
    switch (byte(3) % 4) {
      case 0:
        part[at] = static_cast<char>(part[at] ^ bytes[4]);
        break;
      case 1:
        part.resize(at);
        break;
      case 2:
        part.erase(at, byte(4) * 257);
        break;
      default:
        part.insert(at, part.substr(at, byte(4) * 257));
        break;
    }
    if (part.size() > known().whole.size() * 2) return;
  }
  open_as_part(part);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  open_as_part(bytes);
  open_with_fitting_ends(bytes);
  open_changed(bytes);
  return 0;
}
