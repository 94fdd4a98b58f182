// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/values/result.hpp"

namespace trainyard {

// What S3 answers with: elements that hold others or a text. Attributes do not count.
struct XmlElement {
  std::string name;
  std::string text;
  std::vector<XmlElement> children;

  // The first of that name; null when there is none.
  [[nodiscard]] const XmlElement* child(std::string_view wanted) const;
  // The text of that; empty when there is none.
  [[nodiscard]] std::string text_of(std::string_view wanted) const;
};

// The one element of a document, strictly: no DOCTYPE, no CDATA, no entities but the five of XML and those of numbers, and
// within bounds of depth and number. `corrupt` for anything else.
Result<XmlElement> read_xml(std::string_view text);

// `text` as an XML text.
std::string xml_escaped(std::string_view text);

}  // namespace trainyard
