// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/lineage_svg.hpp"

#include <algorithm>
#include <cstdlib>

#include "runner/core/documents/lineage_captions.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

// All lengths are pixels.
constexpr int kMargin = 32;
constexpr int kTitleHeight = 56;
constexpr int kBoxWidth = 280;
constexpr int kBetweenColumns = 56;
constexpr int kBetweenRows = 36;
constexpr int kBetweenStacked = 10;
constexpr int kLine = 17;
constexpr int kPadding = 11;
constexpr std::size_t kCharacters = 35;  // that fit into a box
constexpr std::size_t kBoldCharacters = 31;

enum class Kind { version, itself, run, data, evaluation };

struct Colours {
  const char* fill;
  const char* stroke;
};
constexpr Colours kColours[] = {{"#eaf1fb", "#2457a5"},
                                {"#cfe0fa", "#123a77"},
                                {"#fdf3e1", "#96590a"},
                                {"#e8f5ea", "#2b7040"},
                                {"#f3ecfa", "#6b3d99"}};
constexpr Colours kMissing = {"#f6f6f6", "#6b6b6b"};

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += text[i];
    }
  }
  // U+FFFE and U+FFFF are UTF-8 and no characters of XML 1.0.
  for (const char* const bad : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (std::size_t at = out.find(bad); at != std::string::npos; at = out.find(bad)) out.replace(at, 3, "?");
  }
  return out;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

// The end of a path tells more than its beginning.
std::string fitted_line(const std::string& text, std::size_t most) {
  const std::size_t count = characters(text);
  if (count <= most) return text;
  return "\u2026" + text.substr(utf8_prefix(text, count - (most - 1)).size());
}

struct Box {
  Kind kind = Kind::version;
  Caption caption;
  int x = 0;
  int y = 0;

  [[nodiscard]] int height() const { return static_cast<int>(caption.lines.size()) * kLine + 2 * kPadding; }
  [[nodiscard]] int middle() const { return y + height() / 2; }
};

int stacked_height(const std::vector<Box>& boxes) {
  int height = 0;
  for (const Box& box : boxes) height += box.height() + (height == 0 ? 0 : kBetweenStacked);
  return height;
}

// A version or the run that made one, with what stands beside it.
struct Row {
  Box centre;
  std::vector<Box> beside;
  bool left = false;

  [[nodiscard]] int height() const { return std::max(centre.height(), stacked_height(beside)); }
};

Row row_of(const Lineage& lineage, const LineageVersion& version, bool itself) {
  Row row{{itself ? Kind::itself : Kind::version, caption_of(version)}, {}, false};
  for (const LineageRun* const run : lineage.evaluations_of(version)) {
    Box box{Kind::evaluation, caption_of(*run)};
    for (const RecordedInput& input : run->record->inputs) box.caption.lines.push_back("on " + printable(input.source));
    row.beside.push_back(std::move(box));
  }
  return row;
}

Row row_of(const Lineage& lineage, const LineageRun& run) {
  Row row{{Kind::run, caption_of(run)}, {}, true};
  if (!run.record) return row;
  for (const RecordedInput& input : run.record->inputs) {
    if (const LineageDataset* const dataset = lineage.dataset_of(input))
      row.beside.push_back({Kind::data, caption_of(*dataset)});
  }
  return row;
}

std::vector<Row> rows_of(const Lineage& lineage) {
  std::vector<Row> rows;
  const auto& versions = lineage.versions();
  for (std::size_t i = versions.size(); i-- > 0;) {
    if (const LineageRun* const maker = lineage.maker_of(versions[i])) rows.push_back(row_of(lineage, *maker));
    rows.push_back(row_of(lineage, versions[i], i == 0));
  }
  return rows;
}

std::string number(int value) { return std::to_string(value); }

std::string drawn(const Box& box) {
  const Colours& colours = box.caption.missing ? kMissing : kColours[static_cast<std::size_t>(box.kind)];
  const bool round = box.kind == Kind::run || box.kind == Kind::evaluation;
  std::string text = "<g><title>";
  for (std::size_t i = 0; i < box.caption.lines.size(); ++i)
    text += (i == 0 ? "" : "\n") + xml_escaped(box.caption.lines[i]);
  text += "</title><rect x=\"" + number(box.x) + "\" y=\"" + number(box.y) + "\" width=\"" + number(kBoxWidth) +
          "\" height=\"" + number(box.height()) + "\" rx=\"" + (round ? "18" : "3") + "\" fill=\"" + colours.fill +
          "\" stroke=\"" + colours.stroke + "\" stroke-width=\"" + (box.kind == Kind::itself ? "3" : "1.5") + "\"" +
          (box.caption.missing ? " stroke-dasharray=\"6 4\"" : "") + "/>";
  for (std::size_t i = 0; i < box.caption.lines.size(); ++i) {
    text += "<text x=\"" + number(box.x + kBoxWidth / 2) + "\" y=\"" +
            number(box.y + kPadding + static_cast<int>(i) * kLine + 13) + "\"" +
            (i == 0 ? " font-weight=\"bold\"" : "") + ">" +
            xml_escaped(fitted_line(box.caption.lines[i], i == 0 ? kBoldCharacters : kCharacters)) + "</text>";
  }
  return text + "</g>\n";
}

// From the one to the other, with an arrow at the end.
std::string arrow(int x1, int y1, int x2, int y2) {
  constexpr int kNearlyStraight = 3;
  if (std::abs(y1 - y2) <= kNearlyStraight && x1 != x2) y1 = y2;
  const std::string from = number(x1) + " " + number(y1);
  const std::string to = number(x2) + " " + number(y2);
  const int half = (x1 + x2) / 2;
  const std::string way =
      x1 == x2 ? "M" + from + "L" + to
               : "M" + from + "C" + number(half) + " " + number(y1) + " " + number(half) + " " + number(y2) + " " + to;
  return "<path d=\"" + way + "\" marker-end=\"url(#end)\"/>\n";
}

struct Columns {
  int left = 0;
  int centre = kMargin;
  int right = 0;
  int width = 0;
};

Columns columns_for(const std::vector<Row>& rows) {
  const auto has = [&](bool left) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const Row& row) { return row.left == left && !row.beside.empty(); });
  };
  Columns columns;
  columns.left = kMargin;
  if (has(true)) columns.centre += kBoxWidth + kBetweenColumns;
  columns.right = columns.centre + kBoxWidth + kBetweenColumns;
  columns.width = (has(false) ? columns.right : columns.centre) + kBoxWidth + kMargin;
  return columns;
}

// Gives each box its place; yields the height of the whole.
int place(std::vector<Row>& rows, const Columns& columns) {
  int y = kTitleHeight;
  for (Row& row : rows) {
    row.centre.x = columns.centre;
    row.centre.y = y + (row.height() - row.centre.height()) / 2;
    int at = y + (row.height() - stacked_height(row.beside)) / 2;
    for (Box& box : row.beside) {
      box.x = row.left ? columns.left : columns.right;
      box.y = at;
      at += box.height() + kBetweenStacked;
    }
    y += row.height() + kBetweenRows;
  }
  return y - kBetweenRows + kMargin;
}

}  // namespace

std::string lineage_svg(const Lineage& lineage) {
  std::vector<Row> rows = rows_of(lineage);
  const Columns columns = columns_for(rows);
  const int height = place(rows, columns);
  const std::string title = "Where " + lineage.versions().front().text() + " comes from";
  std::string arrows;
  std::string boxes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const int middle = columns.centre + kBoxWidth / 2;
    if (i > 0) {
      const Box& above = rows[i - 1].centre;
      arrows += arrow(middle, above.y + above.height(), middle, row.centre.y - 2);
    }
    for (const Box& box : row.beside) {
      arrows += row.left ? arrow(box.x + kBoxWidth, box.middle(), columns.centre - 2, row.centre.middle())
                         : arrow(columns.centre + kBoxWidth, row.centre.middle(), box.x - 2, box.middle());
      boxes += drawn(box);
    }
    boxes += drawn(row.centre);
  }
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(columns.width) + "\" height=\"" +
         number(height) + "\" viewBox=\"0 0 " + number(columns.width) + " " + number(height) +
         "\" role=\"img\" aria-labelledby=\"title description\" font-family=\"DejaVu Sans, Verdana, Arial, "
         "sans-serif\" "
         "font-size=\"12\" text-anchor=\"middle\" fill=\"#1c2430\">\n<title id=\"title\">" +
         title + "</title>\n<desc id=\"description\">Versions: " + std::to_string(lineage.versions().size()) +
         ", runs: " + std::to_string(lineage.runs().size()) +
         ", datasets: " + std::to_string(lineage.datasets().size()) +
         ". The upload is on top, data on the left, evaluations on the right.</desc>\n"
         "<defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
         "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#5b6770\"/></marker></defs>\n"
         "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"" +
         number(columns.width / 2) + "\" y=\"32\" font-size=\"17\" font-weight=\"bold\">" + title +
         "</text>\n<g fill=\"none\" stroke=\"#5b6770\" stroke-width=\"1.5\">\n" + arrows + "</g>\n" + boxes +
         "</svg>\n";
}

}  // namespace trainyard
