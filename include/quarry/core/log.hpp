#pragma once
/// Logging: one line per event, to standard error, through spdlog behind this header.
///
/// The library logs little and never row data, secrets or an engine's message above `debug`. A program picks level and
/// form once, at start. Thread-safe after `configure`.
///
/// Errors: `invalid` for options that cannot be read. Writing a line never fails: what cannot be written is lost.

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace quarry::log {

enum class Level { trace, debug, info, warn, error, off };
enum class Format { text, json };

struct Options {
  Level level = Level::warn;
  Format format = Format::text;
};

/// Reads `debug`, or `debug,json`: a level, then a format. Throws `invalid` and lists what is possible.
Options parse_options(std::string_view text);

/// Sets level and form for the whole program. Once, at start: the rest of this header may run beside it on no other
/// thread.
void configure(const Options& options);
/// Whether lines of this level are written.
bool enabled(Level level) noexcept;
/// Writes one line at `level`, if that is enabled.
void write(Level level, std::string_view message);

/// One line at level `debug`; the arguments are formatted only when it is enabled.
template <class... A>
void debug(fmt::format_string<A...> format, A&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<A>(args)...));
}
/// One line at level `info`; the arguments are formatted only when it is enabled.
template <class... A>
void info(fmt::format_string<A...> format, A&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<A>(args)...));
}
/// One line at level `warn`; the arguments are formatted only when it is enabled.
template <class... A>
void warn(fmt::format_string<A...> format, A&&... args) {
  if (enabled(Level::warn)) write(Level::warn, fmt::format(format, std::forward<A>(args)...));
}
/// One line at level `error`; the arguments are formatted only when it is enabled.
template <class... A>
void error(fmt::format_string<A...> format, A&&... args) {
  if (enabled(Level::error)) write(Level::error, fmt::format(format, std::forward<A>(args)...));
}

}  // namespace quarry::log
