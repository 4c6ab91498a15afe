#include "quarry/core/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>
#include <cmath>
#include <memory>
#include <string>

#include "quarry/core/error.hpp"
#include "quarry/core/log_event.hpp"
#include "quarry/core/secret.hpp"
#include "quarry/core/time.hpp"
#include "quarry/core/utf8.hpp"

namespace quarry::log {
namespace {

/// spdlog's own default logger writes to stdout, where `--json` must stand alone.
std::shared_ptr<spdlog::logger> logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("quarry", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return instance;
}

std::atomic<bool> as_json{false};

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

bool read_level(std::string_view word, Level& level) {
  constexpr std::pair<std::string_view, Level> names[] = {{"trace", Level::trace}, {"debug", Level::debug},
                                                          {"info", Level::info},   {"warn", Level::warn},
                                                          {"error", Level::error}, {"off", Level::off}};
  for (const auto& [name, value] : names)
    if (name == word) return level = value, true;
  return false;
}

/// With `?` for each piece that is no character, so that a line is text whatever an argument or a database holds.
std::string valid_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    if (character.valid)
      out += text.substr(0, character.length);
    else
      out += '?';
    text.remove_prefix(character.length);
  }
  return out;
}

/// Without control characters either: a message must not begin a line of its own, or move a terminal's cursor.
std::string harmless(std::string_view text) {
  auto out = valid_text(text);
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return out;
}

std::string json_string(std::string_view text) { return boost::json::serialize(boost::json::string_view(valid_text(text))); }

std::string number_of(const Field& field) {
  if (const auto* integer = std::get_if<std::int64_t>(&field.value)) return fmt::format("{}", *integer);
  const auto number = std::get<double>(field.value);
  return std::isfinite(number) ? fmt::format("{}", number) : "null";
}

}  // namespace

Options parse_options(std::string_view text) {
  Options options;
  for (std::string_view rest = text; !rest.empty();) {
    const auto comma = rest.find(',');
    const auto word = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (word == "json")
      options.format = Format::json;
    else if (word == "text")
      options.format = Format::text;
    else if (!read_level(word, options.level))
      throw_invalid(
          fmt::format("the setting 'log' is '{}': it takes a level (trace, debug, info, warn, error, off), a format "
                      "(text, json), or both with a comma between",
                      text));
  }
  return options;
}

void configure(const Options& options) {
  as_json = options.format == Format::json;
  logger()->set_level(native(options.level));
  logger()->set_pattern(options.format == Format::json ? "%v" : "%Y-%m-%dT%H:%M:%S.%fZ %^%l%$ %v",
                        spdlog::pattern_time_type::utc);
}

bool enabled(Level level) noexcept { return logger()->should_log(native(level)); }

void write(Level level, std::string_view message) { event(level, message, {}); }

std::string text_line(std::string_view message, std::initializer_list<Field> fields) {
  std::string line = harmless(without_passwords(message));
  for (const auto& field : fields) {
    line += fmt::format(" {}=", field.name);
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      const bool plain = !text->empty() && text->find_first_of(" \"=\\") == std::string_view::npos;
      const auto shown = harmless(without_passwords(*text));
      line += plain ? shown : boost::json::serialize(boost::json::string_view(shown));
    } else {
      line += number_of(field);
    }
  }
  return line;
}

std::string json_line(std::string_view time, std::string_view level, std::string_view message,
                      std::initializer_list<Field> fields) {
  auto line =
      fmt::format(R"({{"time":"{}","level":"{}","message":{})", time, level, json_string(without_passwords(message)));
  for (const auto& field : fields) {
    const auto* text = std::get_if<std::string_view>(&field.value);
    line += fmt::format(R"(,"{}":{})", field.name, text ? json_string(without_passwords(*text)) : number_of(field));
  }
  return line + "}";
}

void event(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  if (!as_json) {
    logger()->log(native(level), text_line(message, fields));
    return;
  }
  const auto name = spdlog::level::to_string_view(native(level));
  logger()->log(native(level),
                json_line(to_iso8601(SystemClock{}.now()), std::string_view(name.data(), name.size()), message, fields));
}

}  // namespace quarry::log
