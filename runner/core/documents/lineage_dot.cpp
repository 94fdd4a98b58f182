// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/lineage_dot.hpp"

#include "runner/core/documents/lineage_captions.hpp"

namespace trainyard {

namespace {

// A quoted string of DOT. In labels a backslash begins an escape, so it stands twice there.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string label(const Caption& caption) {
  std::string out;
  for (const std::string& line : caption.lines) {
    const std::string text = quoted(line);
    out += (out.empty() ? "" : "\\n") + text.substr(1, text.size() - 2);
  }
  return "\"" + out + "\"";
}

std::string node(const std::string& id, const Caption& caption, const std::string& shape) {
  return "  " + quoted(id) + " [" + shape + (caption.missing ? ", style=dashed" : "") + ", label=" + label(caption) +
         "];\n";
}

}  // namespace

std::string lineage_dot(const Lineage& lineage) {
  std::string text =
      "digraph lineage {\n  rankdir=TB;\n  node [fontname=\"Helvetica\", fontsize=10];\n"
      "  edge [color=\"#5b6770\"];\n";
  for (const LineageVersion& version : lineage.versions())
    text += node(node_id(version), caption_of(version), "shape=box, penwidth=2");
  for (const LineageRun& run : lineage.runs()) text += node(node_id(run), caption_of(run), "shape=ellipse");
  for (const auto& [digest, dataset] : lineage.datasets())
    text += node(node_id(dataset), caption_of(dataset), "shape=cylinder");
  for (const LineageEdge& edge : lineage.edges()) {
    text += "  " + quoted(edge.from) + " -> " + quoted(edge.to);
    if (edge.kind == LineageEdge::Kind::derived) text += " [style=dotted]";
    text += ";\n";
  }
  return text + "}\n";
}

}  // namespace trainyard
