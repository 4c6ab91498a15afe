#include "cli/console.hpp"

#include <algorithm>
#include <cmath>

#include "cli/text.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/core/log_event.hpp"
#include "quarry/core/time.hpp"
#include "quarry/schema/error.hpp"

namespace quarry::cli {

bool all_finite(const boost::json::value& value) {
  if (const auto* number = value.if_double()) return std::isfinite(*number);
  if (const auto* array = value.if_array()) return std::all_of(array->begin(), array->end(), all_finite);
  if (const auto* object = value.if_object())
    return std::all_of(object->begin(), object->end(), [](const auto& member) { return all_finite(member.value()); });
  return true;
}

void Console::print(const Table& table) { out_ << table.to_text(terminal_.out_width); }
void Console::print(const Fields& fields) { out_ << fields.to_text(); }
void Console::line(std::string_view text) { out_ << printable(text) << '\n'; }
void Console::raw(std::string_view bytes) { out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); }
void Console::flush() { out_.flush(); }
void Console::print_json(const boost::json::value& value) {
  // Arguments, paths and what is damaged in a database may hold any bytes; outside of strings all is ASCII.
  out_ << valid_utf8(boost::json::serialize(value)) << '\n';
}
void Console::note(std::string_view text) { tell("info", text); }

void Console::tell(std::string_view level, std::string_view text) {
  if (structured_notes_)
    err_ << log::json_line(to_iso8601(SystemClock().now()), level, text, {}) << std::endl;
  else
    err_ << (level == "error" ? "quarry: " : "") << printable(text) << std::endl;
}

std::string Console::strong(std::string_view text) const {
  return terminal_.colour ? "\x1b[1m" + std::string(text) + "\x1b[0m" : std::string(text);
}

ExitCode Console::report(const std::exception& error) {
  const auto exit_code = exit_code_of(error);
  const auto* known = dynamic_cast<const Error*>(&error);
  // The words of an exception that is not ours may hold anything.
  const std::string message =
      known ? known->client_message()
            : "something that should not happen has happened: run it again with --log debug and report it";
  if (json_) {
    boost::json::object body{{"code", known ? to_string(known->code()) : std::string_view("bug")},
                             {"message", message},
                             {"exit_code", static_cast<int>(exit_code)}};
    if (const auto* migration = dynamic_cast<const schema::MigrationError*>(&error))
      body["reason"] = schema::to_string(migration->reason());
    if (const auto* damaged = dynamic_cast<const backup::BackupError*>(&error))
      body["reason"] = boost::describe::enum_to_string(damaged->damage(), "unknown");
    if (known && !known->query_name().empty()) body["query"] = known->query_name();
    if (known && known->outcome_unknown()) body["outcome_unknown"] = true;
    print_json(boost::json::object{{"error", std::move(body)}});
  }
  tell("error", message);
  if (known && known->outcome_unknown())
    tell("error",
         "the connection broke during the commit, so the change may have been made or not: look before you repeat it");
  if (known && !known->engine_message().empty())
    log::debug("query '{}', sqlstate '{}', native code {}: {}", known->query_name(), known->sqlstate(), known->native_code(),
               known->engine_message());
  if (!known) log::debug("{}", error.what());
  return exit_code;
}

}  // namespace quarry::cli
