#include "cli/table.hpp"

#include <algorithm>
#include <numeric>

#include "cli/text.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t column_width_min = 4;

std::string padded(const std::string& cell, std::size_t width, Align align, bool last) {
  const auto text = fit(cell, width);
  const auto shown = display_width(text);
  const std::string space(width > shown ? width - shown : 0, ' ');
  if (align == Align::right) return space + text;
  return last ? text : text + space;
}

}  // namespace

void Table::row(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) throw_bug("a table's row has another number of cells than the table has columns");
  for (auto& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths(std::optional<std::size_t> limit) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  if (!limit) return widths;
  const auto gaps = gap * (columns_.size() - 1);
  auto total = std::accumulate(widths.begin(), widths.end(), gaps);
  while (total > *limit) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= column_width_min) break;
    // Down to the next widest at once, but not below what is needed.
    std::size_t next = column_width_min;
    for (auto width : widths)
      if (width < *widest) next = std::max(next, width);
    const auto cut = std::min(*widest - next, total - *limit);
    *widest -= std::max<std::size_t>(cut, 1);
    total -= std::max<std::size_t>(cut, 1);
  }
  return widths;
}

std::string Table::to_text(std::optional<std::size_t> width) const {
  const auto columns = widths(width);
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
  for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
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
