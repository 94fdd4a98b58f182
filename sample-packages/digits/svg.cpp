// SPDX-License-Identifier: Apache-2.0
#include "svg.hpp"

#include <charconv>
#include <system_error>

namespace digits {
namespace {

/// name="value", with a blank before it.
std::string attribute(std::string_view name, std::string_view value) {
  return std::string(" ").append(name).append("=\"").append(value).append("\"");
}

std::string attribute(std::string_view name, double value) { return attribute(name, fixed(value, 2)); }

}  // namespace

std::string fixed(double value, int decimals) {
  char text[400];  // the largest double has 309 digits before the point
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed, decimals);
  return error == std::errc() ? std::string(text, end) : std::string("?");
}

Svg::Svg(double width, double height)
    : shapes_("<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", width) + attribute("height", height) +
              attribute("viewBox", "0 0 " + fixed(width, 0) + " " + fixed(height, 0)) +
              attribute("font-family", "DejaVu Sans, Verdana, Arial, sans-serif") + ">\n") {
  rectangle(0, 0, width, height, "#ffffff");
}

void Svg::rectangle(double x, double y, double width, double height, std::string_view fill, std::string_view stroke) {
  shapes_ += "<rect" + attribute("x", x) + attribute("y", y) + attribute("width", width) + attribute("height", height) +
             attribute("fill", fill) + (stroke == "none" ? "" : attribute("stroke", stroke)) + "/>\n";
}

void Svg::circle(double x, double y, double radius, std::string_view fill) {
  shapes_ +=
      "<circle" + attribute("cx", x) + attribute("cy", y) + attribute("r", radius) + attribute("fill", fill) + "/>\n";
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view colour, double width) {
  shapes_ += "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) + attribute("y2", y2) +
             attribute("stroke", colour) + attribute("stroke-width", width) + "/>\n";
}

void Svg::curve(std::string_view points, std::string_view colour) {
  shapes_ += "<polyline" + attribute("points", points) + attribute("fill", "none") + attribute("stroke", colour) +
             attribute("stroke-width", 2) + attribute("stroke-linejoin", "round") + "/>\n";
}

void Svg::text(double x, double y, std::string_view words, const Text& style) {
  shapes_ +=
      "<text" + attribute("x", x) + attribute("y", y) + attribute("font-size", style.size) +
      attribute("fill", style.colour) + (style.anchor == "start" ? "" : attribute("text-anchor", style.anchor)) +
      (style.weight == "normal" ? "" : attribute("font-weight", style.weight)) +
      (style.turn == 0
           ? ""
           : attribute("transform", "rotate(" + fixed(style.turn, 0) + " " + fixed(x, 2) + " " + fixed(y, 2) + ")")) +
      ">" + std::string(words) + "</text>\n";
}

}  // namespace digits
