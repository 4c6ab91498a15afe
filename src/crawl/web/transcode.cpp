#include "crawl/web/transcode.hpp"

#include <iconv.h>

#include <array>
#include <cerrno>

#include "quarry/core/utf8.hpp"

namespace quarry::crawl {
namespace {

/// What a broken sequence is, and how far it goes.
enum class Family { single_byte, two_bytes, shift_jis, gb18030, utf16, escapes };

struct Known {
  std::string_view name;
  const char* iconv_name;
  Family family;
};

/// Those that iconv has under another name, or that are more than a table of 128 characters.
constexpr Known known[] = {
    {"big5", "BIG5-HKSCS", Family::two_bytes},
    {"euc-jp", "EUC-JP-MS", Family::two_bytes},
    {"euc-kr", "CP949", Family::two_bytes},
    {"gb18030", "GB18030", Family::gb18030},
    {"gbk", "GB18030", Family::gb18030},
    {"iso-2022-jp", "ISO-2022-JP", Family::escapes},
    {"shift_jis", "CP932", Family::shift_jis},
    {"utf-16be", "UTF-16BE", Family::utf16},
    {"utf-16le", "UTF-16LE", Family::utf16},
    {"iso-8859-8-i", "ISO-8859-8", Family::single_byte},
    {"windows-874", "CP874", Family::single_byte},
    {"x-mac-cyrillic", "MAC-UK", Family::single_byte},
    {"macintosh", "MACINTOSH", Family::single_byte},
};

class Converter {
 public:
  explicit Converter(const char* from) : handle_(::iconv_open("UTF-8", from)) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() {
    if (works()) ::iconv_close(handle_);
  }
  bool works() const { return handle_ != none(); }

  /// Converts as far as it goes and takes that off `bytes`. 0 when all is done, else iconv's `errno`.
  int run(std::string& out, std::string_view& bytes) {
    // iconv's interface is older than const; it does not write there.
    char* from = const_cast<char*>(bytes.data());
    std::size_t left = bytes.size();
    const int cause = step(out, &from, &left);
    bytes.remove_prefix(bytes.size() - left);
    return cause;
  }

  /// Gives a character that was kept back because a combining mark might have followed, and begins anew.
  void flush(std::string& out) { step(out, nullptr, nullptr); }

 private:
  static iconv_t none() { return reinterpret_cast<iconv_t>(-1); }

  int step(std::string& out, char** from, std::size_t* left) {
    char* to = buffer_.data();
    std::size_t room = buffer_.size();
    const bool done = ::iconv(handle_, from, left, &to, &room) != static_cast<std::size_t>(-1);
    const int cause = done ? 0 : errno;
    append_clean(out, {buffer_.data(), buffer_.size() - room});
    return cause;
  }

  iconv_t handle_;
  std::array<char, 16384> buffer_{};
};

/// Appends what WHATWG's decoder makes of the broken sequence that `bytes` begins with, and takes it off.
void take_broken(std::string& out, std::string_view& bytes, Family family) {
  const auto byte = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U; };
  const unsigned first = byte(0);
  unsigned long meaning = 0;
  std::size_t length = 1;
  switch (family) {
    case Family::single_byte:
      if (first >= 0x80 && first < 0xA0) meaning = first;  // WHATWG fills Windows' gaps with C1 controls
      break;
    case Family::gb18030:
      if (first == 0x80) meaning = 0x20AC;  // the Euro sign of Windows' GBK
      [[fallthrough]];
    case Family::two_bytes:
      // A pair without a character. A second byte that is ASCII is not part of it: it may be a '<'.
      if (first > 0x80 && first < 0xFF && byte(1) >= 0x80) length = 2;
      break;
    case Family::shift_jis:
      if (first == 0x80) meaning = 0x80;
      if (first > 0x80 && first < 0xFD && (first < 0xA0 || first > 0xDF) && byte(1) >= 0x80) length = 2;
      break;
    case Family::utf16:
      length = 2;
      break;
    case Family::escapes:
      break;
  }
  append_code_point(out, meaning);
  bytes.remove_prefix(std::min(length, bytes.size()));
}

void append_user_defined(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    append_code_point(out, byte < 0x80 ? byte : 0xF700UL + byte);
  }
}

}  // namespace

void append_as_utf8(std::string& out, std::string_view bytes, std::string_view encoding) {
  if (encoding == "utf-8") return append_clean(out, bytes);
  if (encoding == "x-user-defined") return append_user_defined(out, bytes);
  const std::string same_name(encoding);
  Known found{encoding, same_name.c_str(), Family::single_byte};
  for (const auto& one : known)
    if (one.name == encoding) found = one;
  Converter converter(found.iconv_name);
  if (!converter.works()) return append_clean(out, bytes);
  out.reserve(out.size() + bytes.size() + bytes.size() / 2);
  while (!bytes.empty()) {
    const int cause = converter.run(out, bytes);
    if (cause == E2BIG) continue;
    // Where escapes change the meaning of what follows, beginning anew would lose it.
    if (found.family != Family::escapes) converter.flush(out);
    if (cause == EINVAL) {
      out += replacement_character;  // the last character is cut short
      return;
    }
    if (cause != 0) take_broken(out, bytes, found.family);
  }
  converter.flush(out);
}

}  // namespace quarry::crawl
