// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace tumours {

// Tumours as rows of numbers, and of each whether it is benign (1) or malignant (0).
struct Table {
  std::vector<std::string> names;  // of the columns, without the first
  std::vector<float> values;       // row by row
  std::vector<float> labels;

  [[nodiscard]] std::size_t rows() const { return labels.size(); }
  [[nodiscard]] std::size_t columns() const { return names.size(); }
};

// All files of the folder that end in .csv and lie in it directly, in the order of their names. The first column is the
// label; all files have the same header. Throws trainyard::InvalidInput with the file and the line.
Table read_tables(const std::filesystem::path& folder);
bool has_tables(const std::filesystem::path& folder);

// Makes one file; throws std::runtime_error when it cannot be written.
void write_table(const std::filesystem::path& file, const Table& table);

// Every `n`th tumour of each label goes into the second table, the others into the first.
std::pair<Table, Table> hold_out_every(std::size_t n, const Table& table);

}  // namespace tumours
