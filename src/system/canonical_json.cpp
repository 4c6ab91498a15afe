#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <utility>
#include <vector>

#include "quarry/core/error.hpp"
#include "quarry/system/audit.hpp"

namespace quarry::system {
namespace {

using boost::json::error_code;

constexpr std::size_t digits_max = 100;
constexpr std::int64_t exponent_max = 300;
constexpr std::int64_t plain_digits_max = 21;
constexpr std::int64_t small_exponent_min = -7;

std::string quoted_json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c == '\0') throw_invalid("a JSON text holds the character U+0000, which is not stored");
        if (static_cast<unsigned char>(c) < 0x20)
          out += fmt::format("\\u{:04x}", static_cast<int>(c));
        else
          out += c;
    }
  }
  return out += '"';
}

/// Works on the digits, so that no number is rounded.
std::string canonical_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::int64_t exponent = 0;
  if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
    auto digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc()) throw_invalid("a JSON number has an exponent beyond 300");
    text = text.substr(0, e);
  }
  std::string digits(text);
  if (const auto point = digits.find('.'); point != std::string::npos) {
    exponent -= static_cast<std::int64_t>(digits.size() - point - 1);
    digits.erase(point, 1);
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) return "0";
  const auto kept = digits.find_last_not_of('0') + 1;
  exponent += static_cast<std::int64_t>(digits.size() - kept);
  digits.resize(kept);
  const auto size = static_cast<std::int64_t>(digits.size());
  const auto scientific = exponent + size - 1;  // of the first digit
  if (digits.size() > digits_max || scientific > exponent_max || scientific < -exponent_max)
    throw_invalid(fmt::format("a JSON number has more than {} digits or lies beyond 1e{}", digits_max, exponent_max));
  std::string out = negative ? "-" : "";
  if (exponent >= 0 && scientific < plain_digits_max)
    return out + digits + std::string(static_cast<std::size_t>(exponent), '0');
  if (exponent < 0 && scientific >= 0 && size <= plain_digits_max) {
    const auto whole = static_cast<std::size_t>(scientific + 1);
    return out + digits.substr(0, whole) + '.' + digits.substr(whole);
  }
  if (exponent < 0 && scientific < 0 && scientific >= small_exponent_min && size <= plain_digits_max)
    return out + "0." + std::string(static_cast<std::size_t>(-scientific - 1), '0') + digits;
  out += digits[0];
  if (size > 1) out += '.' + digits.substr(1);
  return scientific == 0 ? out : out + fmt::format("e{}", scientific);
}

/// What Boost.JSON's parser calls. Values are put together from the inside out.
class Canonicaliser {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return open(); }
  bool on_array_begin(error_code&) { return open(); }
  bool on_object_end(std::size_t, error_code&) {
    auto members = std::move(open_.back());
    open_.pop_back();
    std::ranges::sort(members);
    std::string text = "{";
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0 && members[i].key == members[i - 1].key) throw_invalid("a JSON object has a key twice");
      text += (i > 0 ? "," : "") + quoted_json(members[i].key) + ':' + members[i].value;
    }
    return put(text + '}');
  }
  bool on_array_end(std::size_t, error_code&) {
    const auto elements = std::move(open_.back());
    open_.pop_back();
    std::string text = "[";
    for (std::size_t i = 0; i < elements.size(); ++i) text += (i > 0 ? "," : "") + elements[i].value;
    return put(text + ']');
  }
  bool on_key_part(std::string_view part, std::size_t, error_code&) { return collect(part); }
  bool on_key(std::string_view part, std::size_t, error_code&) {
    collect(part);
    open_.back().push_back({std::exchange(pending_, {}), {}});
    has_key_ = true;
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, error_code&) { return collect(part); }
  bool on_string(std::string_view part, std::size_t, error_code&) {
    collect(part);
    return put(quoted_json(std::exchange(pending_, {})));
  }
  bool on_number_part(std::string_view part, error_code&) { return collect(part); }
  bool on_int64(std::int64_t, std::string_view part, error_code&) { return number(part); }
  bool on_uint64(std::uint64_t, std::string_view part, error_code&) { return number(part); }
  bool on_double(double, std::string_view part, error_code&) { return number(part); }
  bool on_bool(bool value, error_code&) { return put(value ? "true" : "false"); }
  bool on_null(error_code&) { return put("null"); }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

  std::string result;

 private:
  struct Member {
    std::string key, value;
    auto operator<=>(const Member&) const = default;
  };

  bool open() {
    open_.emplace_back();
    key_waits_.push_back(std::exchange(has_key_, false));
    return true;
  }
  bool collect(std::string_view part) {
    pending_ += part;
    return true;
  }
  bool number(std::string_view part) {
    collect(part);
    return put(canonical_number(std::exchange(pending_, {})));
  }
  bool put(std::string text) {
    if (key_waits_.size() > open_.size()) {  // this closes what was opened
      has_key_ = key_waits_.back();
      key_waits_.pop_back();
    }
    if (open_.empty()) {
      result = std::move(text);
    } else if (std::exchange(has_key_, false)) {
      open_.back().back().value = std::move(text);
    } else {
      open_.back().push_back({{}, std::move(text)});
    }
    return true;
  }

  std::vector<std::vector<Member>> open_;
  std::vector<bool> key_waits_;  ///< whether what was opened is the value of a key
  bool has_key_ = false;
  std::string pending_;
};

}  // namespace

std::string canonical_json(std::string_view text) {
  boost::json::basic_parser<Canonicaliser> parser{boost::json::parse_options{}};
  error_code error;
  const auto read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size() && text.find_first_not_of(" \t\r\n", read) != std::string_view::npos)
    error = boost::json::error::extra_data;
  if (error) throw_invalid(fmt::format("this is not JSON: {}", error.message()));
  return std::move(parser.handler().result);
}

}  // namespace quarry::system
