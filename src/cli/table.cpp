#include "cli/table.hpp"

#include <algorithm>
#include <numeric>

#include "cli/text.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t cut_width_min = 8;
constexpr std::size_t wrapped_width_min = 30;
constexpr std::size_t key_length_min = 32;

/// Text that already fits.
std::string padded(const std::string& text, std::size_t width, Align align, bool last) {
  const auto shown = display_width(text);
  const std::string space(width > shown ? width - shown : 0, ' ');
  if (align == Align::right) return space + text;
  return last ? text : text + space;
}

/// A UUID, or a hash in hex.
bool is_key(const std::string& cell) {
  return cell.size() >= key_length_min && cell.find_first_not_of("0123456789abcdef-") == std::string::npos;
}

/// Takes from the widest of the columns that are in `room`, down to `least`, until the table is `excess` narrower. Returns
/// what could not be had.
std::size_t narrow(std::vector<std::size_t>& widths, const std::vector<Room>& rooms, Room room, std::size_t least,
                   std::size_t excess) {
  while (excess > 0) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (rooms[i] == room && widths[i] > least && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
    if (widest == widths.size()) break;
    // Down to the next widest at once, but not below what is needed.
    std::size_t next = least;
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (rooms[i] == room && widths[i] < widths[widest]) next = std::max(next, widths[i]);
    const auto cut = std::max<std::size_t>(std::min(widths[widest] - next, excess), 1);
    widths[widest] -= cut;
    excess -= cut;
  }
  return excess;
}

}  // namespace

void Table::row(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) throw_bug("a table's row has another number of cells than the table has columns");
  for (auto& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::vector<Room> Table::rooms() const {
  std::vector<Room> rooms;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool has_keys = std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) { return is_key(row[i]); });
    rooms.push_back(has_keys ? Room::whole : columns_[i].room);
  }
  return rooms;
}

std::vector<std::size_t> Table::widths(const std::vector<Room>& rooms, std::optional<std::size_t> limit) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  const auto total = std::accumulate(widths.begin(), widths.end(), gap * (columns_.size() - 1));
  if (!limit || total <= *limit) return widths;
  const auto excess = narrow(widths, rooms, Room::wrapped, wrapped_width_min, total - *limit);
  narrow(widths, rooms, Room::cut, cut_width_min, excess);
  return widths;
}

std::string Table::to_text(std::optional<std::size_t> width) const {
  const auto room = rooms();
  const auto columns = widths(room, width);
  std::string text;
  const auto add_line = [&](auto cell_at) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) line.append(gap, ' ');
      line += padded(cell_at(i), columns[i], columns_[i].align, i + 1 == columns.size());
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line([&](std::size_t i) { return columns_[i].heading; });
  for (const auto& row : rows_) {
    std::vector<std::vector<std::string>> cells;
    std::size_t lines = 1;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const bool goes_on = room[i] == Room::wrapped && display_width(row[i]) > columns[i];
      cells.push_back(goes_on ? in_lines(row[i], columns[i]) : std::vector<std::string>{fit(row[i], columns[i])});
      lines = std::max(lines, cells.back().size());
    }
    for (std::size_t n = 0; n < lines; ++n)
      add_line([&](std::size_t i) { return n < cells[i].size() ? cells[i][n] : std::string(); });
  }
  return text;
}

void Fields::add(std::string name, std::string_view value) { fields_.emplace_back(std::move(name), printable(value)); }

std::string Fields::to_text() const {
  std::size_t width = 0;
  for (const auto& [name, value] : fields_) width = std::max(width, display_width(name));
  std::string text;
  for (const auto& [name, value] : fields_)
    text += padded(name, width, Align::left, false) + std::string(gap, ' ') + value + "\n";
  return text;
}

}  // namespace quarry::cli
