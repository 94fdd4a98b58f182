// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <random>
#include <stdexcept>

#include "storage/values/tree.hpp"
#include "tests/unit/tree_samples.hpp"

namespace trainyard::tree_reader_test {

using namespace tree_samples;

namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::invalid_argument("'" + from + "' is not there to be replaced");
  return text.replace(at, from.size(), to);
}

Result<Tree> read_in_pieces(std::string_view text, const std::function<std::size_t()>& next) {
  TreeReader reader;
  while (!text.empty()) {
    const std::size_t bytes = std::min(next(), text.size());
    const auto fed = reader.feed(text.substr(0, bytes));
    if (!fed.ok()) {
      const auto finished = std::move(reader).finish();
      CHECK_FALSE(finished.ok());
      return fed.error();
    }
    text.remove_prefix(bytes);
  }
  return std::move(reader).finish();
}

Result<Tree> read_by_bytes(std::string_view text) {
  return read_in_pieces(text, [] { return std::size_t{1}; });
}

}  // namespace

TEST_CASE("a stored tree is read with suspicion", "[tree]") {
  struct Row {
    std::string from;
    std::string to;
    std::string message;  // how the refusal ends
  };
  const std::string empty_digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const std::string path = R"("path":"bin/run")";
  const std::string not_escaped = "entry 1 of a tree has a path that is not in its one escaped form";
  const std::string not_a_size = "entry 1 of a tree has a size that is not a whole number in its shortest form";
  const std::string canonical_is = "is not in the canonical form: '";
  const std::string belongs = "' is not where it belongs";
  const Row rows[] = {
      {path, R"("path":"../run")", "the path '../run' has '..' in it, so it could leave its folder"},
      {path, R"("path":"/bin/run")", "the path '/bin/run' is absolute; give one relative to its folder"},
      {path, R"("path":"bin//run")", "the path 'bin//run' has an empty name in it"},
      {path, R"("path":"bin/")", "the path 'bin/' has an empty name in it"},
      {path, R"("path":"")", "a path is empty"},
      {path, R"("path":"%00")", not_escaped},
      {path, R"("path":"\u0000")", not_escaped},
      {path, R"("path":")" + std::string(256, 'a') + "\"", "has a name longer than 255 bytes"},
      {path, R"("path":")" + longest_path('a') + "/b\"", "is longer than 4096 bytes"},
      {path, R"("path":"b%69n")", not_escaped},
      {path, R"("path":"b%ffn")", not_escaped},
      {path, R"("path":"bin%2Frun")", not_escaped},
      {path, R"("path":"b%F")", not_escaped},
      {path, R"("path":"b%")", not_escaped},
      {path, R"("path":"b%zz")", not_escaped},
      {path, R"("path":"b\u0069n")", not_escaped},
      {path, R"("path":"b\u00e9n")", not_escaped},
      {path, R"("path":"b\u20acn")", not_escaped},
      {path, R"("path":"b\u000an")", not_escaped},
      {path, R"("path":"b\u001Fn")", not_escaped},
      {path, R"("path":"bin\/run")", not_escaped},
      {path, R"("path":"b\u00")", not_escaped},
      {path, R"("path":"b\x")", not_escaped},
      {path, "\"path\":\"b\nn\"", not_escaped},
      {path, "\"path\":\"b\xFFn\"", not_escaped},
      {path, std::string("\"path\":\"b\0n\"", 12), not_escaped},
      {path, R"("path":"b%C3%BC")", not_escaped},
      {path, R"("path":null)", canonical_is + R"(,"path":")" + belongs},
      {path, R"("path":"zzz")", "a tree is not sorted by path: 'empty' comes after 'zzz'"},
      {path, R"("path":"empty")", "a tree names 'empty' twice"},
      {R"("path":"empty")", R"("path":"bin/run/x")", "a tree has both 'bin/run' and something inside it"},
      {R"("size":3)", R"("size":-3)", not_a_size},
      {R"("size":3)", R"("size":03)", not_a_size},
      {R"("size":3)", R"("size":"3")", not_a_size},
      {R"("size":3)", R"("size":+3)", not_a_size},
      {R"("size":3)", R"("size":)", not_a_size},
      {R"("size":3)", R"("size":3.0)", "entry 1 of a tree " + canonical_is + "}" + belongs},
      {R"("size":3)", R"("size":3e1)", "entry 1 of a tree " + canonical_is + "}" + belongs},
      {R"("size":3)", R"("size":3,"mode":420)", "entry 1 of a tree " + canonical_is + "}" + belongs},
      {R"("size":3)", R"("size":9223372036854775808)", "has a size above 9223372036854775807"},
      {R"("size":3)", R"("size":99999999999999999999)", "has a size above 9223372036854775807"},
      {R"("size":3)", R"("size":18446744073709551617)", "has a size above 9223372036854775807"},
      {R"("kind":"folder")", R"("kind":"link")", "entry 2 of a tree is of a kind that is neither 'file' nor 'folder'"},
      {R"("kind":"folder")", R"("kind":"file")", "entry 2 of a tree is a file without a digest"},
      {R"("kind":"file")", R"("kind":"folder")", "entry 1 of a tree is a folder with a digest"},
      {R"("kind":"file")", R"("kind":"file","mode":420)", canonical_is + R"(,"path":")" + belongs},
      {R"("path":"empty","size":0)", R"("path":"empty","size":1)",
       "entry 2 of a tree is a folder with a size or an executable bit"},
      {R"(null,"executable":false)", R"(null,"executable":true)",
       "entry 2 of a tree is a folder with a size or an executable bit"},
      {R"("executable":true)", R"("executable":1)", "entry 1 of a tree is executable neither true nor false"},
      {R"("executable":true)", R"("executable": true)", "entry 1 of a tree is executable neither true nor false"},
      {R"("executable":true,)", "", canonical_is + R"(,"executable":)" + belongs},
      {R"("digest":null)", R"("digest":0)", "entry 2 of a tree has a digest that is neither a text nor null"},
      {empty_digest, empty_digest.substr(1), "has a digest that is not a SHA-256 of 64 lowercase hexadecimal digits"},
      {empty_digest, empty_digest + "0", "has a digest that is not a SHA-256 of 64 lowercase hexadecimal digits"},
      {"e3b0", "E3B0", "has a digest that is not a SHA-256 of 64 lowercase hexadecimal digits"},
      {"e3b0", "g3b0", "has a digest that is not a SHA-256 of 64 lowercase hexadecimal digits"},
      {empty_digest, std::string(64, '0'), "a tree has the file 'f%FF\"' without a digest"},
      {"},{", "}, {", "entry 2 of a tree " + canonical_is + R"({"digest":)" + belongs},
      {"},{", "}{", "entry 2 of a tree does not begin with ','"},
      {"},{", "},,{", "entry 2 of a tree " + canonical_is + R"({"digest":)" + belongs},
      {"}],", "},],", "entry 4 of a tree " + canonical_is + R"({"digest":)" + belongs},
      {"[{", "[,{", "entry 1 of a tree " + canonical_is + R"({"digest":)" + belongs},
      {"[{", "[ {", "entry 1 of a tree " + canonical_is + R"({"digest":)" + belongs},
      {"[{", "[[{", "entry 1 of a tree " + canonical_is + R"({"digest":)" + belongs},
      {R"({"entries")", R"( {"entries")", R"(the text of a tree does not begin with '{"entries":[')"},
      {R"({"entries")", R"({"items")", R"(the text of a tree does not begin with '{"entries":[')"},
      {"tree/1", "tree/2", R"(the text of a tree does not end with '],"schema":"trainyard.tree/1"}')"},
      {R"(,"schema":"trainyard.tree/1")", "",
       R"(the text of a tree does not end with '],"schema":"trainyard.tree/1"}')"},
      {R"(tree/1"})", R"(tree/1"} )", "the text of a tree goes on after its end"},
      {R"(tree/1"})", "tree/1\"}\n", "the text of a tree goes on after its end"},
      {R"(tree/1"})", R"(tree/1"})" + std::string(kCanonical), "the text of a tree goes on after its end"},
  };
  const std::string good(kCanonical);
  for (const Row& row : rows) {
    const std::string bad = replaced(good, row.from, row.to);
    CAPTURE(row.to);
    const auto whole = Tree::from_canonical(bad);
    REQUIRE_FALSE(whole.ok());
    CHECK(whole.error().code == Errc::invalid);
    CHECK_THAT(whole.error().message, Catch::EndsWith(row.message));
    const auto by_bytes = read_by_bytes(bad);
    REQUIRE_FALSE(by_bytes.ok());
    CHECK(by_bytes.error() == whole.error());
  }
}

TEST_CASE("a tree's text that is cut anywhere is refused", "[tree]") {
  const std::string good(kCanonical);
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    CAPTURE(bytes);
    const auto tree = Tree::from_canonical(std::string_view(good).substr(0, bytes));
    REQUIRE_FALSE(tree.ok());
    CHECK(tree.error().message.starts_with("the text of a tree ends early, after "));
  }
  // One byte changed is either refused or another tree.
  const Tree tree = Tree::from_canonical(good).value();
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : {'"', '\\', '%', '}', '0', 'z', ',', '\0', '\xFF', '/'}) {
      if (good[at] == c) continue;
      std::string bad = good;
      bad[at] = c;
      const auto read = Tree::from_canonical(bad);
      if (read.ok()) {
        CHECK_FALSE(*read == tree);
        CHECK(read->canonical() == bad);
      }
    }
  }
}

TEST_CASE("a tree is read in pieces of any size", "[tree]") {
  const Tree tree = tree_of(odd_entries());
  const std::string text = tree.canonical();
  const auto by_bytes = read_by_bytes(text);
  REQUIRE(by_bytes.ok());
  CHECK((*by_bytes == tree));
  std::minstd_rand random(7);  // NOLINT(cert-msc51-cpp): the same pieces each time
  for (const std::size_t most : {2U, 7U, 200U, 1000U, 70'000U}) {
    const auto read = read_in_pieces(text, [&] { return random() % (most + 1); });
    REQUIRE(read.ok());
    CHECK((*read == tree));
  }
}

TEST_CASE("a tree's reader holds no more than an entry, and ends at a refusal", "[tree]") {
  const std::string endless(30'000, 'a');
  TreeReader long_path;
  REQUIRE(long_path.feed(kCanonical.substr(0, kCanonical.find("bin/run"))).ok());
  const auto refused = long_path.feed(endless);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "entry 1 of a tree is longer than an entry can be");
  CHECK_FALSE(read_by_bytes(replaced(std::string(kCanonical), "bin/run", endless)).ok());
  CHECK_THAT(Tree::from_canonical(replaced(std::string(kCanonical), "bin/run", endless)).error().message,
             Catch::EndsWith("is longer than 4096 bytes"));
  TreeReader reader;
  CHECK_FALSE(reader.feed("x").ok());
  CHECK_FALSE(reader.feed(kCanonical).ok());
  const auto finished = std::move(reader).finish();
  CHECK_FALSE(finished.ok());
}

}  // namespace trainyard::tree_reader_test
