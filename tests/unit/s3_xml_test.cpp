// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/s3_xml.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "storage/remotes/md5.hpp"
#include "storage/remotes/s3_listing.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard::s3_xml_test {

TEST_CASE("the answers of S3 are read", "[s3]") {
  const auto root = read_xml(
      "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a list --><ListBucketResult xmlns='http://s3/'>"
      "<Contents><Key>a&amp;b&#x41;&#228;</Key><Size>3</Size></Contents><Contents><Key/></Contents>"
      "<IsTruncated>false</IsTruncated ></ListBucketResult>\n");
  REQUIRE(root.ok());
  CHECK(root->name == "ListBucketResult");
  REQUIRE(root->children.size() == 3);
  CHECK(root->children[0].text_of("Key") == "a&bA\u00e4");
  CHECK(root->children[0].text_of("Size") == "3");
  CHECK(root->children[1].text_of("Key").empty());
  CHECK(root->text_of("IsTruncated") == "false");
  CHECK(root->child("Marker") == nullptr);
  CHECK(read_xml("<a>" + xml_escaped("\"<&>\"") + "</a>")->text == "\"<&>\"");
}

TEST_CASE("what S3 never answers is refused", "[s3]") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  std::string many = "<a>";
  for (int i = 0; i < 100'001; ++i) many += "<b/>";
  many += "</a>";
  const std::string doctype = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
  for (const std::string& text : {deep,
                                  many,
                                  doctype,
                                  std::string(),
                                  std::string("x"),
                                  std::string("<a>"),
                                  std::string("<a></b>"),
                                  std::string("<a/><b/>"),
                                  std::string("<a>&c;</a>"),
                                  std::string("<a>&#0;</a>"),
                                  std::string("<a>&#xD800;</a>"),
                                  std::string("<a>&#99999999999;</a>"),
                                  std::string("<a>&#65</a>"),
                                  std::string("<a b></a>"),
                                  std::string("<a b=c></a>"),
                                  std::string("<a b=\"c></a>"),
                                  std::string("<a><![CDATA[x]]></a>"),
                                  std::string("<></>"),
                                  std::string("<a"),
                                  std::string("<?xml <a/>"),
                                  std::string("<a><!-- </a>")}) {
    INFO(text.substr(0, 100));
    const auto root = read_xml(text);
    REQUIRE_FALSE(root.ok());
    CHECK(root.error().code == Errc::corrupt);
  }
}

TEST_CASE("what is wrong with an answer of S3 is told in a short text, whatever the answer holds", "[s3]") {
  const std::string name(10'000, 'a');
  for (const std::string& text : {"<" + name + ">", "<" + name + "></b>", "<" + name + "></" + name + "x"}) {
    const auto root = read_xml(text);
    REQUIRE_FALSE(root.ok());
    CHECK(root.error().message.size() < 200);
  }
  for (const char* const text :
       {"2026-01\xd4T01T00:00:00.000Z", "2026-01-01T00:00:00.\xffZ", "\xff", "2026-01-01T00:00:00.Z"}) {
    const auto time = s3_time(text);
    REQUIRE_FALSE(time.ok());
    CHECK(is_utf8(time.error().message));
  }
}

TEST_CASE("MD5 gives the digests of RFC 1321", "[s3]") {
  CHECK(md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(md5_hex("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
}

}  // namespace trainyard::s3_xml_test
