#include "crawl/web/charset.hpp"

#include <myencoding/encoding.h>

#include "crawl/web/html_space.hpp"
#include "crawl/web/transcode.hpp"
#include "quarry/core/utf8.hpp"

namespace quarry::crawl {
namespace {

/// As far as the HTML standard looks for a `<meta>`.
constexpr std::size_t prescan_bytes = 1024;

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto outer = [](char c) { return is_html_space(c) || c == '"' || c == '\''; };
  while (!text.empty() && outer(text.front())) text.remove_prefix(1);
  while (!text.empty() && outer(text.back())) text.remove_suffix(1);
  return text;
}

/// By the standard's labels, of which the HTML library has the list.
bool by_label(std::string_view label, myencoding_t& encoding) {
  label = trimmed(label);
  return !label.empty() && label.size() < 32 && myencoding_by_name(label.data(), label.size(), &encoding);
}

/// The value after `charset` and `=` in the text of one tag; `charset` alone may also stand inside `content="..."`.
std::string_view charset_in_tag(std::string_view tag) {
  for (auto at = tag.find("charset"); at != std::string_view::npos; at = tag.find("charset", at + 1)) {
    auto rest = tag.substr(at + 7);
    while (!rest.empty() && is_html_space(rest.front())) rest.remove_prefix(1);
    if (rest.empty() || rest.front() != '=') continue;
    rest.remove_prefix(1);
    while (!rest.empty() && is_html_space(rest.front())) rest.remove_prefix(1);
    if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
      const auto end = rest.find(rest.front(), 1);
      return end == std::string_view::npos ? std::string_view{} : rest.substr(1, end - 1);
    }
    return rest.substr(0, rest.find_first_of(" \t\r\n\f;\"'/>"));
  }
  return {};
}

bool by_meta(std::string_view bytes, myencoding_t& encoding) {
  const std::string head = lowered(bytes.substr(0, prescan_bytes));
  std::string_view rest = head;
  for (auto at = rest.find('<'); at != std::string_view::npos; at = rest.find('<')) {
    rest.remove_prefix(at);
    const bool comment = rest.substr(0, 4) == "<!--";
    const auto end = comment ? rest.find("-->", 4) : rest.find('>');
    if (end == std::string_view::npos) return false;
    const auto tag = rest.substr(0, end);
    rest.remove_prefix(end);
    if (comment || tag.substr(0, 5) != "<meta" || !by_label(charset_in_tag(tag), encoding)) continue;
    // A page that says so in ASCII cannot be UTF-16.
    if (encoding == MyENCODING_UTF_16LE || encoding == MyENCODING_UTF_16BE) encoding = MyENCODING_UTF_8;
    if (encoding == MyENCODING_X_USER_DEFINED) encoding = MyENCODING_WINDOWS_1252;
    return true;
  }
  return false;
}

/// Removes the mark from `bytes`.
bool by_mark(std::string_view& bytes, myencoding_t& encoding) {
  const auto cut = [&](std::string_view mark, myencoding_t named) {
    if (bytes.substr(0, mark.size()) != mark) return false;
    bytes.remove_prefix(mark.size());
    encoding = named;
    return true;
  };
  return cut("\xEF\xBB\xBF", MyENCODING_UTF_8) || cut("\xFF\xFE", MyENCODING_UTF_16LE) ||
         cut("\xFE\xFF", MyENCODING_UTF_16BE);
}

/// As WHATWG calls it, in lower case.
std::string name_of(myencoding_t encoding) {
  std::size_t length = 0;
  const char* name = myencoding_name_by_id(encoding, &length);
  return lowered(name == nullptr ? "utf-8" : std::string_view(name, length));
}

}  // namespace

void decode(std::string_view bytes, std::string_view charset, Decoded& out) {
  myencoding_t encoding = MyENCODING_UTF_8;
  const bool known = by_mark(bytes, encoding) || by_label(lowered(charset), encoding) || by_meta(bytes, encoding);
  const bool clean = clean_prefix(bytes) == bytes.size();
  // NUL is no sign of another encoding: a page may hold one by mistake.
  if (!known && !clean && bytes.find('\0') == std::string_view::npos) encoding = MyENCODING_WINDOWS_1252;
  out.encoding = name_of(encoding);
  out.storage.clear();
  if (encoding == MyENCODING_UTF_8 && clean) {
    out.text = bytes;
    return;
  }
  append_as_utf8(out.storage, bytes, out.encoding);
  out.text = out.storage;
}

}  // namespace quarry::crawl
