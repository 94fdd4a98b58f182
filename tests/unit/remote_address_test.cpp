// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/remote_address.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace trainyard::remote_address_test {

TEST_CASE("addresses of remotes are read, and written the same way each time", "[remotes]") {
  struct Row {
    std::string text;
    RemoteAddress address;
    std::string written;  // empty: as it was read
  };
  using Kind = RemoteAddress::Kind;
  const std::vector<Row> rows = {
      {"file:///srv/models", {Kind::folder, "/srv/models", ""}, ""},
      {"file:/srv/models", {Kind::folder, "/srv/models", ""}, "file:///srv/models"},
      {"file:///srv/models///", {Kind::folder, "/srv/models", ""}, "file:///srv/models"},
      {"file:///srv//models/./a", {Kind::folder, "/srv/models/a", ""}, "file:///srv/models/a"},
      {"file:///", {Kind::folder, "/", ""}, ""},
      {"file:///srv/my models", {Kind::folder, "/srv/my models", ""}, ""},
      {"file:///srv/a?b=c", {Kind::folder, "/srv/a?b=c", ""}, ""},
      {"file:///srv/ada@home", {Kind::folder, "/srv/ada@home", ""}, ""},
      {"s3://bucket", {Kind::s3, "bucket", ""}, ""},
      {"s3://bucket/", {Kind::s3, "bucket", ""}, "s3://bucket"},
      {"s3://my.bucket-1/team/Models", {Kind::s3, "my.bucket-1", "team/Models"}, ""},
      {"s3://b/p/?region=us-east-1&endpoint=http://127.0.0.1:9000/",
       {Kind::s3, "b", "p", "http://127.0.0.1:9000", "us-east-1"},
       "s3://b/p?endpoint=http://127.0.0.1:9000&region=us-east-1"},
      {"s3://b?endpoint=https://[::1]:9000", {Kind::s3, "b", "", "https://[::1]:9000"}, ""},
      {"oci://registry.example.com/team/models", {Kind::oci, "registry.example.com", "team/models"}, ""},
      {"oci://registry.example.com:443", {Kind::oci, "registry.example.com:443", ""}, ""},
      {"oci+http://127.0.0.1:5000/models", {Kind::oci, "127.0.0.1:5000", "models", "", "", false}, ""},
      {"oci+http://[::1]:5000/models", {Kind::oci, "[::1]:5000", "models", "", "", false}, ""},
      {"oci://[2001:db8::7]/a", {Kind::oci, "[2001:db8::7]", "a"}, ""},
      {"oci://localhost/a.b/c_d/e--f", {Kind::oci, "localhost", "a.b/c_d/e--f"}, ""},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto read = RemoteAddress::parse(row.text);
    if (!read.ok()) FAIL_CHECK(read.error().message);
    if (!read.ok()) continue;
    CHECK(*read == row.address);
    CHECK(read->text() == (row.written.empty() ? row.text : row.written));
    CHECK(RemoteAddress::parse(read->text()).value() == *read);
  }
}

TEST_CASE("what is no address of a remote is refused with one sentence", "[remotes]") {
  for (const std::string& text : std::vector<std::string>{"",
                                                          ":",
                                                          "/srv/models",
                                                          "srv",
                                                          "file:",
                                                          "file://",
                                                          "file:srv",
                                                          "file://host/srv",
                                                          "file:///srv/../etc",
                                                          "file:///..",
                                                          "file:///srv/\x01",
                                                          std::string("file:///srv\0x", 13),
                                                          "file:///srv\nx",
                                                          "http://host/x",
                                                          "https://host/x",
                                                          "S3://bucket",
                                                          "s4://bucket",
                                                          "s3:bucket",
                                                          "s3:///prefix",
                                                          "s3://",
                                                          "s3://bu cket",
                                                          "s3://bucket/../x",
                                                          "s3://bucket/a//b",
                                                          "s3://bucket/./a",
                                                          "s3://bucket/a b",
                                                          "s3://bucket?",
                                                          "s3://bucket?endpoint=ftp://x",
                                                          "s3://bucket?endpoint=",
                                                          "s3://bucket?endpoint=http://",
                                                          "s3://bucket?endpoint=http://x/?y",
                                                          "s3://bucket?endpoint=http://x y",
                                                          "s3://bucket?region=",
                                                          "s3://bucket?region=a/b",
                                                          "s3://bucket?regoin=x",
                                                          "s3://bucket?region=a&region=b",
                                                          "s3://bucket#x",
                                                          "s3://b:9000/x",
                                                          "oci://",
                                                          "oci:///a",
                                                          "oci://host/Upper",
                                                          "oci://host/a?x=y",
                                                          "oci://host:/a",
                                                          "oci://host:port/a",
                                                          "oci://host:99999/a",
                                                          "oci://:5000/a",
                                                          "oci://::1/a",
                                                          "oci://[::1/a",
                                                          "oci://]::1[/a",
                                                          "oci://[]/a",
                                                          "oci://[::1]x/a",
                                                          "oci://[zz]/a",
                                                          "oci://ho_st:5:6/a",
                                                          "oci://host/a/../b",
                                                          "oci+https://host/a",
                                                          "oci://-host/a",
                                                          "oci://host..com/a"}) {
    INFO(text);
    const auto read = RemoteAddress::parse(text);
    CHECK_FALSE(read.ok());
    if (read.ok()) continue;
    CHECK(read.error().code == Errc::invalid);
    CHECK(read.error().message.find('\n') == std::string::npos);
    CHECK(read.error().message.size() < 400);
  }
}

TEST_CASE("a password in an address is refused and never repeated", "[remotes]") {
  for (const std::string& text : std::vector<std::string>{
           "s3://ada:hunter2@bucket/x", "oci://ada:hunter2@registry/x", "oci+http://ada:hunter2@registry/x",
           "s3://b?endpoint=http://ada:hunter2@127.0.0.1:9000", "http://ada:hunter2@host/x", "hunter2@host",
           "ada:hunter2@registry/x", "s3://b?secret=hunter2", "s3://b?endpoint=hunter2", "s3://b?hunter2=x@y",
           "oci://registry/x?password=hunter2", "hunter2@s3://bucket", "file://ada:hunter2@host/srv",
           "s3://ada:hunter2%40bucket/x", "oci://ada:hunter2%40registry/x", "oci://ada:hunter2/x"}) {
    INFO(text);
    const auto read = RemoteAddress::parse(text);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == Errc::invalid);
    INFO(read.error().message);
    CHECK(read.error().message.find("hunter2") == std::string::npos);
  }
}

}  // namespace trainyard::remote_address_test
