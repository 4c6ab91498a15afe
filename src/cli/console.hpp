#pragma once
/// Where a command's words go.
///
/// Standard output carries results and nothing else: tables for people, or with `--json` exactly one JSON document, which is
/// `{"error": {...}}` when the command failed. Standard error carries what people want to know besides, and errors as
/// `quarry: <message>`; where the log is JSON, these are lines of it (`info`, `error`), so that whoever collects standard
/// error meets nothing else.

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <exception>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "cli/exit_code.hpp"
#include "cli/json.hpp"
#include "cli/table.hpp"

namespace quarry::cli {

/// What is known of the two streams.
struct Terminal {
  std::optional<std::size_t> out_width{};  ///< of standard output, when it is a terminal
  std::optional<std::size_t> err_width{};  ///< of standard error, when it is one
  bool colour = false;                     ///< standard output is a terminal and NO_COLOR is not set
};

class Console {
 public:
  Console(std::ostream& out, std::ostream& err, const Terminal& terminal) : out_(out), err_(err), terminal_(terminal) {}

  void set_json(bool json) noexcept { json_ = json; }
  bool json() const noexcept { return json_; }
  void set_structured_notes(bool structured) noexcept { structured_notes_ = structured; }
  const Terminal& terminal() const noexcept { return terminal_; }

  /// The result of a command: its JSON form, or what `human` prints.
  template <class T, class F>
  void result(const T& value, F&& human) {
    if (json_)
      print_json(to_json(value));
    else
      human();
  }

  void print(const Table& table);
  void print(const Fields& fields);
  /// A line of a result for people. Control characters are made visible; `raw` prints what is given.
  void line(std::string_view text);
  void raw(std::string_view bytes);
  /// For results that come bit by bit: what was printed is seen now.
  void flush();
  /// What is not UTF-8 in its strings becomes `\u{fffd}`, so that it is a document in any case.
  void print_json(const boost::json::value& value);

  /// A word beside the result, on standard error.
  void note(std::string_view text);
  /// Reports an error where it belongs, and returns the exit code.
  ExitCode report(const std::exception& error);
  /// The stream for progress.
  std::ostream& err() noexcept { return err_; }

  /// Emphasised when the terminal can.
  std::string strong(std::string_view text) const;

 private:
  void tell(std::string_view level, std::string_view text);

  std::ostream& out_;
  std::ostream& err_;
  Terminal terminal_;
  bool json_ = false;
  bool structured_notes_ = false;
};

}  // namespace quarry::cli
