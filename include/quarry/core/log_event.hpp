#pragma once
/// Log lines with fields, for programs to read: `slow query  query=queue.claim duration_ms=1204`, or with the JSON form one
/// object that has `query` and `duration_ms` beside `time`, `level` and `message`.
///
///     log::event(log::Level::warn, "slow query", {{"query", name}, {"duration_ms", milliseconds}});
///
/// A message names what happened and a field says to what; neither holds a secret, a parameter of a statement or a row's
/// data. Field names are ours: small letters, digits and `_`. Thread-safe; never throws for what a value holds.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "quarry/core/log.hpp"

namespace quarry::log {

struct Field {
  std::string_view name;
  std::variant<std::int64_t, double, std::string_view> value;

  Field(std::string_view field, std::string_view text) : name(field), value(text) {}
  Field(std::string_view field, const char* text) : name(field), value(std::string_view(text)) {}
  Field(std::string_view field, const std::string& text) : name(field), value(std::string_view(text)) {}
  template <std::integral T>
  Field(std::string_view field, T number) : name(field), value(static_cast<std::int64_t>(number)) {}
  Field(std::string_view field, double number) : name(field), value(number) {}
};

/// Writes one line at `level`, if that is enabled.
void event(Level level, std::string_view message, std::initializer_list<Field> fields);

/// The line without its line break, as `event` writes it in the JSON form: for tests and for who writes elsewhere.
std::string json_line(std::string_view time, std::string_view level, std::string_view message,
                      std::initializer_list<Field> fields);
/// The same in the text form, behind time and level. Control characters become `?`, so that a value cannot begin a line of
/// its own.
std::string text_line(std::string_view message, std::initializer_list<Field> fields);

}  // namespace quarry::log
