// SPDX-License-Identifier: Apache-2.0
#include "charts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "svg.hpp"

namespace digits {
namespace {

constexpr std::string_view kTrainingColour = "#2563eb";
constexpr std::string_view kValidationColour = "#ea580c";
constexpr std::string_view kInkColour = "#0f172a";
constexpr std::string_view kGridColour = "#e2e8f0";
constexpr std::string_view kAxisColour = "#64748b";
const Svg::Text kTitle{.size = 18, .colour = kInkColour, .weight = "bold"};
const Svg::Text kSubtitle{.size = 13, .colour = kAxisColour};

constexpr int kTicks = 5;

/// 1, 2 or 5 times a power of ten: the distance of ticks so that about `count` of them cover `range`.
double tick_distance(double range, int count) {
  const double rough = range / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double ratio = rough / power;
  return power * (ratio <= 1.0 ? 1.0 : ratio <= 2.0 ? 2.0 : ratio <= 5.0 ? 5.0 : 10.0);
}

/// `value` or a little more, so that it is a multiple of `step`.
double whole_steps(double value, double step) { return std::ceil(value / step - 1e-9) * step; }

/// One chart over epochs: where it lies on the drawing and which values it spans.
struct Panel {
  double left, top, width, height;
  double first, last;  // epochs
  double low, high;    // values
  double step;         // from tick to tick; low and high are ticks

  double x(double epoch) const {
    return last > first ? left + (epoch - first) / (last - first) * width : left + width / 2.0;
  }
  double y(double value) const { return top + height - (value - low) / (high - low) * height; }
};

void draw_axes(Svg& svg, const Panel& panel, std::string_view name) {
  const double bottom = panel.top + panel.height;
  const double right = panel.left + panel.width;
  svg.text(panel.left, panel.top - 14, name, {.size = 14, .colour = kInkColour, .weight = "bold"});

  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(panel.step) - 1e-9)));
  for (double value = panel.low; value < panel.high + panel.step / 2; value += panel.step) {
    svg.line(panel.left, panel.y(value), right, panel.y(value), kGridColour);
    svg.text(panel.left - 8, panel.y(value) + 4, fixed(value, decimals),
             {.size = 12, .anchor = "end", .colour = kAxisColour});
  }
  const double epochs = std::max(1.0, std::round(tick_distance(std::max(1.0, panel.last - panel.first), 8)));
  for (double epoch = std::ceil(panel.first / epochs) * epochs; epoch <= panel.last; epoch += epochs) {
    svg.line(panel.x(epoch), bottom, panel.x(epoch), bottom + 5, kAxisColour);
    svg.text(panel.x(epoch), bottom + 20, fixed(epoch, 0), {.size = 12, .anchor = "middle", .colour = kAxisColour});
  }
  svg.line(panel.left, bottom, right, bottom, kAxisColour);
  svg.text(panel.left + panel.width / 2, bottom + 42, "epoch", {.size = 13, .anchor = "middle", .colour = kAxisColour});
}

void draw_curve(Svg& svg, const Panel& panel, const std::vector<EpochMetrics>& history, double EpochMetrics::*value,
                std::string_view colour) {
  std::string points;
  for (const EpochMetrics& metrics : history) {
    const double x = panel.x(static_cast<double>(metrics.epoch));
    const double y = panel.y(metrics.*value);
    points += fixed(x, 2) + "," + fixed(y, 2) + " ";
    if (history.size() <= 60) svg.circle(x, y, 2.5, colour);
  }
  svg.curve(points, colour);
}

void draw_legend(Svg& svg, double x, double y, std::string_view name, std::string_view colour) {
  svg.line(x, y - 4, x + 24, y - 4, colour, 2.5);
  svg.circle(x + 12, y - 4, 3, colour);
  svg.text(x + 32, y, name, {.size = 13});
}

std::string percent(double share) { return fixed(100.0 * share, 1) + " %"; }

std::string rights(const Assessment& assessment) {
  int images = 0;
  for (const auto& row : assessment.confusion) {
    for (const int count : row) images += count;
  }
  const int right = images - static_cast<int>(assessment.mistakes.size());
  return std::to_string(right) + " of " + std::to_string(images) + " images right, accuracy " +
         percent(assessment.accuracy);
}

/// From white (0) to `colour` (1), as #rrggbb.
std::string tint(const std::array<int, 3>& colour, double strength) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "#";
  for (const int part : colour) {
    const auto value = static_cast<std::size_t>(std::lround(255.0 + (part - 255.0) * std::clamp(strength, 0.0, 1.0)));
    text += kHex[value / 16];
    text += kHex[value % 16];
  }
  return text;
}

void draw_image(Svg& svg, const Pixels& pixels, double x, double y, double pixel_size) {
  const double side = pixel_size * static_cast<double>(kSide);
  for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
    if (pixels[pixel] == 0.0F) continue;
    svg.rectangle(x + static_cast<double>(pixel % kSide) * pixel_size,
                  y + static_cast<double>(pixel / kSide) * pixel_size, pixel_size, pixel_size,
                  tint({15, 23, 42}, static_cast<double>(pixels[pixel])));
  }
  svg.rectangle(x, y, side, side, "none", "#94a3b8");
}

}  // namespace

std::string learning_curve_svg(const std::vector<EpochMetrics>& history) {
  const auto first = static_cast<double>(history.front().epoch);
  const auto last = static_cast<double>(history.back().epoch);
  double highest_loss = 1e-6;
  double lowest_accuracy = 1.0;
  for (const EpochMetrics& metrics : history) {
    highest_loss = std::max({highest_loss, metrics.loss, metrics.validation_loss});
    lowest_accuracy = std::min({lowest_accuracy, metrics.accuracy, metrics.validation_accuracy});
  }
  const double loss_step = tick_distance(highest_loss, kTicks);
  const double lost = std::max(0.01, 1.0 - lowest_accuracy);
  const double lost_step = tick_distance(lost, kTicks);

  Svg svg(960, 420);
  svg.text(28, 36, "Learning curve", kTitle);
  svg.text(28, 57,
           "after epoch " + fixed(last, 0) + ": accuracy on the validation images " +
               percent(history.back().validation_accuracy),
           kSubtitle);
  draw_legend(svg, 700, 38, "training", kTrainingColour);
  draw_legend(svg, 820, 38, "validation", kValidationColour);

  const Panel loss{70, 110, 370, 240, first, last, 0.0, whole_steps(highest_loss, loss_step), loss_step};
  draw_axes(svg, loss, "Loss (mean cross-entropy)");
  draw_curve(svg, loss, history, &EpochMetrics::loss, kTrainingColour);
  draw_curve(svg, loss, history, &EpochMetrics::validation_loss, kValidationColour);

  const Panel accuracy{555, 110, 370, 240, first, last, 1.0 - whole_steps(lost, lost_step), 1.0, lost_step};
  draw_axes(svg, accuracy, "Accuracy");
  draw_curve(svg, accuracy, history, &EpochMetrics::accuracy, kTrainingColour);
  draw_curve(svg, accuracy, history, &EpochMetrics::validation_accuracy, kValidationColour);
  return svg.str();
}

std::string confusion_matrix_svg(const Assessment& assessment, std::string_view title) {
  constexpr double kCell = 46;
  constexpr double kLeft = 86;
  constexpr double kTop = 124;
  constexpr double kEnd = kCell * static_cast<double>(kClasses);
  Svg svg(kLeft + kEnd + 110, kTop + kEnd + 30);
  svg.text(28, 36, title, kTitle);
  svg.text(28, 57, rights(assessment), kSubtitle);
  svg.text(kLeft + kEnd / 2, kTop - 30, "predicted digit", {.size = 13, .anchor = "middle", .colour = kAxisColour});
  svg.text(42, kTop + kEnd / 2, "true digit", {.size = 13, .anchor = "middle", .colour = kAxisColour, .turn = -90});
  svg.text(kLeft + kEnd + 48, kTop - 10, "recall", {.size = 13, .anchor = "middle", .colour = kAxisColour});

  for (std::size_t truth = 0; truth < kClasses; ++truth) {
    const double y = kTop + kCell * static_cast<double>(truth);
    const double middle = y + kCell / 2 + 5;
    int of_this_digit = 0;
    for (const int count : assessment.confusion[truth]) of_this_digit += count;
    svg.text(kLeft - 16, middle, std::to_string(truth), {.size = 15, .anchor = "middle", .weight = "bold"});
    svg.text(kLeft + kCell * (static_cast<double>(truth) + 0.5), kTop - 10, std::to_string(truth),
             {.size = 15, .anchor = "middle", .weight = "bold"});
    for (std::size_t said = 0; said < kClasses; ++said) {
      const int count = assessment.confusion[truth][said];
      const double share = of_this_digit == 0 ? 0.0 : static_cast<double>(count) / of_this_digit;
      // Mistakes are few and must be seen, so their colour rises fast.
      const std::string fill = truth == said ? tint({30, 64, 175}, share)
                               : count == 0  ? std::string("#ffffff")
                                             : tint({220, 38, 38}, 0.25 + 0.75 * std::sqrt(share));
      const double x = kLeft + kCell * static_cast<double>(said);
      svg.rectangle(x, y, kCell, kCell, fill, kGridColour);
      const std::string_view colour = count == 0 ? "#cbd5e1" : share > 0.45 ? "#ffffff" : kInkColour;
      svg.text(x + kCell / 2, middle, std::to_string(count), {.size = 14, .anchor = "middle", .colour = colour});
    }
    svg.text(
        kLeft + kEnd + 48, middle,
        of_this_digit == 0 ? "none" : percent(static_cast<double>(assessment.confusion[truth][truth]) / of_this_digit),
        {.size = 13, .anchor = "middle"});
  }
  return svg.str();
}

std::string misclassified_svg(const Assessment& assessment, std::string_view title) {
  constexpr std::size_t kColumns = 6;
  constexpr std::size_t kMost = 60;
  constexpr double kPixel = 13;
  constexpr double kTileWidth = 140;
  constexpr double kTileHeight = 160;
  constexpr double kTop = 84;
  const std::size_t shown = std::min(assessment.mistakes.size(), kMost);
  const auto rows = static_cast<double>(std::max<std::size_t>(1, (shown + kColumns - 1) / kColumns));
  Svg svg(56 + kTileWidth * static_cast<double>(kColumns), kTop + kTileHeight * rows);
  svg.text(28, 36, title, kTitle);
  svg.text(
      28, 57,
      rights(assessment) +
          (shown < assessment.mistakes.size() ? "; here are the first " + std::to_string(shown) + " mistakes" : ""),
      kSubtitle);
  if (shown == 0) svg.text(28, kTop + 40, "No image was misclassified.", {.size = 16, .colour = "#15803d"});
  for (std::size_t i = 0; i < shown; ++i) {
    const Assessment::Mistake& mistake = assessment.mistakes[i];
    const double x = 28 + kTileWidth * static_cast<double>(i % kColumns);
    const double y = kTop + kTileHeight * static_cast<double>(i / kColumns);
    const double middle = x + kPixel * static_cast<double>(kSide) / 2;
    draw_image(svg, mistake.image.pixels, x, y, kPixel);
    svg.text(middle, y + 122,
             "is " + std::to_string(mistake.image.label) + ", said " + std::to_string(mistake.predicted),
             {.size = 13, .anchor = "middle", .weight = "bold"});
    svg.text(middle, y + 138, percent(mistake.probability) + " sure",
             {.size = 11, .anchor = "middle", .colour = kAxisColour});
  }
  return svg.str();
}

}  // namespace digits
