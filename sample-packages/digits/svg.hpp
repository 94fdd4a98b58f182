// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace digits {

/// `value` with so many digits after the point, the same in every locale.
std::string fixed(double value, int decimals);

/// A drawing that grows by shapes, later ones above earlier ones. Lengths are pixels from the top left; colours are
/// written as in SVG.
class Svg {
 public:
  Svg(double width, double height);

  struct Text {
    double size = 13;
    std::string_view anchor = "start";  // start, middle, end
    std::string_view colour = "#334155";
    std::string_view weight = "normal";  // normal, bold
    double turn = 0;                     // degrees around (x, y)
  };

  void rectangle(double x, double y, double width, double height, std::string_view fill,
                 std::string_view stroke = "none");
  void circle(double x, double y, double radius, std::string_view fill);
  void line(double x1, double y1, double x2, double y2, std::string_view colour, double width = 1);
  void curve(std::string_view points, std::string_view colour);  // points as "x,y x,y"
  void text(double x, double y, std::string_view words, const Text& style);

  std::string str() const { return shapes_ + "</svg>\n"; }

 private:
  std::string shapes_;
};

}  // namespace digits
