#pragma once
/// Rows under headings, aligned.
///
/// Columns are as wide as their widest cell. When the terminal is narrower than that, columns of sentences go on in further
/// lines; then the widest of the others give way, and their cells end in an ellipsis. Ids and hashes are never cut, because
/// people copy them: sooner a line is longer than the terminal. Into a file or a pipe everything is written whole.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quarry::cli {

enum class Align { left, right };

/// What becomes of cells that are wider than there is room.
enum class Room { cut, wrapped, whole };

struct Column {
  std::string heading;
  Align align = Align::left;
  Room room = Room::cut;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell for each column, made printable.
  void row(std::vector<std::string> cells);
  bool empty() const noexcept { return rows_.empty(); }

  /// Lines with line breaks. `width` is the terminal's, or nothing for no limit.
  std::string to_text(std::optional<std::size_t> width) const;

 private:
  /// Of each column; one with ids or hashes in it is whole.
  std::vector<Room> rooms() const;
  std::vector<std::size_t> widths(const std::vector<Room>& rooms, std::optional<std::size_t> limit) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Names and values below each other, the values aligned.
class Fields {
 public:
  void add(std::string name, std::string_view value);
  /// Nothing is added for a value that is not there.
  void add_if(std::string name, const std::optional<std::string>& value) {
    if (value) add(std::move(name), *value);
  }
  std::string to_text() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace quarry::cli
