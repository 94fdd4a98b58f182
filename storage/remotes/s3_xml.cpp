// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/s3_xml.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace trainyard {

namespace {

constexpr int kDeepest = 8;
constexpr std::size_t kMostElements = 100'000;
constexpr std::size_t kMostShown = 100;  // of a name, in an error

bool is_xml_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':';
}

void append_utf8(std::uint32_t code, std::string& text) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0U | code >> 6U);
    add(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    add(0xE0U | code >> 12U);
    add(0x80U | (code >> 6U & 0x3FU));
    add(0x80U | (code & 0x3FU));
  } else {
    add(0xF0U | code >> 18U);
    add(0x80U | (code >> 12U & 0x3FU));
    add(0x80U | (code >> 6U & 0x3FU));
    add(0x80U | (code & 0x3FU));
  }
}

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : text_(text) {}

  Result<XmlElement> document() {
    skip_blanks();
    if (takes("<?xml")) TRY(pass("?>"));
    TRY(skip_comments());
    XmlElement root = TRY(element(1));
    TRY(skip_comments());
    if (!text_.empty()) return wrong("more than one element");
    return root;
  }

 private:
  static Error wrong(const std::string& what) { return fail(Errc::corrupt, "the XML has " + what); }
  static std::string shown(const std::string& name) { return "'" + name.substr(0, kMostShown) + "'"; }

  void skip_blanks() {
    while (!text_.empty() && is_xml_blank(text_.front())) text_.remove_prefix(1);
  }
  bool takes(std::string_view beginning) {
    if (text_.substr(0, beginning.size()) != beginning) return false;
    text_.remove_prefix(beginning.size());
    return true;
  }
  Result<void> pass(std::string_view end) {
    const std::size_t found = text_.find(end);
    if (found == std::string_view::npos) return wrong("no '" + std::string(end) + "' where one must come");
    text_.remove_prefix(found + end.size());
    return {};
  }
  Result<void> skip_comments() {
    skip_blanks();
    while (takes("<!--")) {
      TRY(pass("-->"));
      skip_blanks();
    }
    return {};
  }
  Result<std::string> name() {
    std::size_t size = 0;
    while (size < text_.size() && is_of_name(text_[size])) ++size;
    if (size == 0) return wrong("a nameless element");
    std::string result(text_.substr(0, size));
    text_.remove_prefix(size);
    return result;
  }

  // After the name of an element; whether it is empty.
  enum class Ends { here, later };
  Result<Ends> attributes() {
    for (;;) {
      skip_blanks();
      if (takes("/>")) return Ends::here;
      if (takes(">")) return Ends::later;
      TRY(name());
      skip_blanks();
      if (!takes("=")) return wrong("an attribute without a value");
      skip_blanks();
      if (text_.empty() || (text_.front() != '"' && text_.front() != '\'')) return wrong("a value without quotes");
      const char quote = text_.front();
      text_.remove_prefix(1);
      TRY(pass(std::string_view(&quote, 1)));
    }
  }

  // After '&'.
  Result<void> entity(std::string& into) {
    struct Entity {
      std::string_view name;
      char character;
    };
    constexpr std::array kEntities{Entity{"amp;", '&'}, Entity{"lt;", '<'}, Entity{"gt;", '>'}, Entity{"quot;", '"'},
                                   Entity{"apos;", '\''}};
    for (const Entity& each : kEntities) {
      if (!takes(each.name)) continue;
      into += each.character;
      return {};
    }
    if (!takes("#")) return wrong("an entity that S3 does not send");
    const int base = takes("x") ? 16 : 10;
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), code, base);
    const bool character = code != 0 && code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    if (error != std::errc() || !character) return wrong("a number that is no character");
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    if (!takes(";")) return wrong("an entity without an end");
    append_utf8(code, into);
    return {};
  }

  Result<XmlElement> element(int depth) {
    if (depth > kDeepest) return wrong("elements that are nested too deep");
    if (++elements_ > kMostElements) return wrong("too many elements");
    if (!takes("<")) return wrong("no element where one must come");
    XmlElement result;
    result.name = TRY(name());
    if (TRY(attributes()) == Ends::here) return result;
    for (;;) {
      if (text_.empty()) return wrong("no end of " + shown(result.name));
      if (takes("</")) break;
      if (takes("<!--")) {
        TRY(pass("-->"));
      } else if (text_.front() == '<') {
        result.children.push_back(TRY(element(depth + 1)));
      } else if (takes("&")) {
        TRY(entity(result.text));
      } else {
        const std::size_t size = std::min(text_.find_first_of("<&"), text_.size());
        result.text += text_.substr(0, size);
        text_.remove_prefix(size);
      }
    }
    if (TRY(name()) != result.name) return wrong("another end than that of " + shown(result.name));
    skip_blanks();
    if (!takes(">")) return wrong("an end of " + shown(result.name) + " that does not end");
    return result;
  }

  std::string_view text_;
  std::size_t elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  for (const XmlElement& each : children)
    if (each.name == wanted) return &each;
  return nullptr;
}

std::string XmlElement::text_of(std::string_view wanted) const {
  const XmlElement* const found = child(wanted);
  return found == nullptr ? "" : found->text;
}

Result<XmlElement> read_xml(std::string_view text) { return XmlReader(text).document(); }

std::string xml_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

}  // namespace trainyard
