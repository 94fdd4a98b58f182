// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <trainyard/package.hpp>

namespace tumours {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> tables_in(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".csv") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string_view> cells_of(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string_view> cells;
  for (;;) {
    const std::size_t comma = line.find(',');
    cells.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

float number_in(std::string_view cell, const std::string& where) {
  float number = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (error == std::errc() && end == cell.data() + cell.size() && !cell.empty()) return number;
  throw trainyard::InvalidInput(where + ": '" + std::string(cell) + "' is not a number");
}

void append(const fs::path& file, Table& table) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) throw trainyard::InvalidInput(file.string() + " is empty");
  const auto header = cells_of(line);
  std::vector<std::string> names(header.begin() + 1, header.end());
  if (names.empty()) throw trainyard::InvalidInput(file.string() + " has a label and nothing else");
  if (table.names.empty()) table.names = names;
  if (table.names != names)
    throw trainyard::InvalidInput(file.string() + " has other columns than the files before it");
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    const std::string where = file.string() + ", line " + std::to_string(number);
    const auto cells = cells_of(line);
    if (cells.size() != header.size()) {
      throw trainyard::InvalidInput(where + " has " + std::to_string(cells.size()) + " cells where " +
                                    std::to_string(header.size()) + " are wanted");
    }
    const float label = number_in(cells[0], where);
    if (label != 0 && label != 1) throw trainyard::InvalidInput(where + ": the label is neither 0 nor 1");
    table.labels.push_back(label);
    for (std::size_t i = 1; i < cells.size(); ++i) table.values.push_back(number_in(cells[i], where));
  }
}

void add_row(Table& to, const Table& from, std::size_t row) {
  const auto begin = from.values.begin() + static_cast<std::ptrdiff_t>(row * from.columns());
  to.values.insert(to.values.end(), begin, begin + static_cast<std::ptrdiff_t>(from.columns()));
  to.labels.push_back(from.labels[row]);
}

std::string text_of(float number) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return {buffer.data(), end};
}

}  // namespace

bool has_tables(const fs::path& folder) { return !tables_in(folder).empty(); }

Table read_tables(const fs::path& folder) {
  Table table;
  for (const fs::path& file : tables_in(folder)) append(file, table);
  if (table.rows() == 0) throw trainyard::InvalidInput("there is no table with tumours in " + folder.string());
  return table;
}

void write_table(const fs::path& file, const Table& table) {
  std::ofstream out(file);
  out << "benign";
  for (const std::string& name : table.names) out << ',' << name;
  out << '\n';
  for (std::size_t row = 0; row < table.rows(); ++row) {
    out << text_of(table.labels[row]);
    for (std::size_t i = 0; i < table.columns(); ++i) out << ',' << text_of(table.values[row * table.columns() + i]);
    out << '\n';
  }
  out.close();
  if (!out) throw std::runtime_error(file.string() + " cannot be written");
}

std::pair<Table, Table> hold_out_every(std::size_t n, const Table& table) {
  std::pair<Table, Table> parts{{table.names, {}, {}}, {table.names, {}, {}}};
  std::array<std::size_t, 2> seen{};
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const bool held_out = ++seen[table.labels[row] == 0 ? 0 : 1] % n == 0;
    add_row(held_out ? parts.second : parts.first, table, row);
  }
  return parts;
}

}  // namespace tumours
