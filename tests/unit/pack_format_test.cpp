// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/pack_format.hpp"

#include <catch2/catch.hpp>

#include "storage/values/sha256.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::pack_format {

namespace {

std::vector<RecordObject> three_objects() {
  return {{sha256("a"), 1, ObjectKind::bytes}, {sha256(""), 0, ObjectKind::bytes}, {sha256("b"), 40, ObjectKind::list}};
}

Error problem_of(std::string_view front) {
  const auto header = read_header(front);
  if (!header.ok()) return header.error();
  const auto table = read_table(*header, front);
  return table.ok() ? fail(Errc::exists, "nothing is wrong") : table.error();
}

// Writes a number over a front and makes the check fit again.
std::string with_number(std::string front, std::size_t at, std::uint32_t number) {
  std::string bytes;
  put_number(bytes, number);
  front.replace(at, 4, bytes);
  const Digest check = sha256(front.substr(0, 24) + front.substr(kHeaderBytes));
  front.replace(24, 8, std::string(reinterpret_cast<const char*>(check.bytes().data()), 8));
  return front;
}

ChunkList a_list() { return {2, 30, {{sha256("x"), 10}, {sha256("y"), 20}, {sha256("x"), 0}}}; }

}  // namespace

TEST_CASE("the front of a record is read as it was written", "[pack_format]") {
  const auto objects = three_objects();
  const std::string front = record_front(Coding::zstd, objects, 33);
  CHECK(front.size() == kHeaderBytes + 3 * kTableBytes);
  const RecordHeader header = must(read_header(front));
  CHECK(header.coding == Coding::zstd);
  CHECK(header.objects == 3);
  CHECK(header.payload_bytes == 33);
  CHECK(header.raw_bytes == 41);
  CHECK(header.table_bytes() == 3 * kTableBytes);
  CHECK(header.record_bytes() == front.size() + 33);
  const auto read = must(read_table(header, front + "whatever follows"));
  REQUIRE(read.size() == objects.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    CHECK(read[i].digest == objects[i].digest);
    CHECK(read[i].length == objects[i].length);
    CHECK(read[i].kind == objects[i].kind);
  }
}

// What is on disk in stores that exist.
TEST_CASE("the bytes of a record never change", "[pack_format]") {
  const std::vector<RecordObject> objects = {{sha256("abc"), 3, ObjectKind::bytes}};
  const std::string front = record_front(Coding::none, objects, 3);
  CHECK(front.substr(0, 4) == "TYR1");
  CHECK(front.substr(4, 20) == std::string("\0\0\0\0\1\0\0\0\3\0\0\0\3\0\0\0\0\0\0\0", 20));
  CHECK(get_digest(front, 32) == sha256("abc"));
  CHECK(front.substr(64) == std::string("\3\0\0\0", 4));
  CHECK(front.substr(24, 8) ==
        std::string(reinterpret_cast<const char*>(sha256(front.substr(0, 24) + front.substr(32)).bytes().data()), 8));
  const std::string list = write_list({1, 5, {{sha256("abc"), 5}}});
  CHECK(list.substr(0, 24) == std::string("TYL1\1\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0", 24));
  CHECK(get_digest(list, 24) == sha256("abc"));
  CHECK(list.substr(56, 8) == std::string("\5\0\0\0\0\0\0\0", 8));
  CHECK(get_digest(list, 64) == sha256(list.substr(0, 64)));
}

TEST_CASE("no bit of a record's front can be another one", "[pack_format]") {
  const std::string front = record_front(Coding::zstd, three_objects(), 33);
  for (std::size_t bit = 0; bit < 8 * front.size(); ++bit) {
    std::string changed = front;
    changed[bit / 8] = static_cast<char>(static_cast<unsigned char>(changed[bit / 8]) ^ (1U << (bit % 8)));
    if (problem_of(changed).code != Errc::corrupt) FAIL("bit " << bit);
  }
}

TEST_CASE("the front of a record is refused when it ends early", "[pack_format]") {
  const std::string front = record_front(Coding::zstd, three_objects(), 33);
  for (std::size_t size = 0; size < front.size(); ++size) {
    if (problem_of(front.substr(0, size)).code != Errc::corrupt) FAIL("size " << size);
  }
}

TEST_CASE("a record that says nonsense is refused, even when its check fits", "[pack_format]") {
  const std::string front = record_front(Coding::zstd, three_objects(), 33);
  REQUIRE(problem_of(with_number(front, 4, 1)).code == Errc::exists);
  CHECK(problem_of(with_number(front, 4, 2)).message == "a record is coded in an unknown way");
  CHECK(problem_of(with_number(front, 8, 0)).message == "a record says a strange number of objects");
  CHECK(problem_of(with_number(front, 8, 0xFFFF'FFFF)).message == "a record says a strange number of objects");
  CHECK(problem_of(with_number(front, 12, kMostRaw + 1)).message == "a record says that it is too large");
  CHECK(problem_of(with_number(front, 16, 0xFFFF'FFFF)).message == "a record says that it is too large");
  CHECK(problem_of(with_number(front, 16, 42)).message == "the objects of a record are not as long as the record");
  CHECK(problem_of(with_number(front, 4, 0)).message == "a record's two sizes contradict each other");
  CHECK(problem_of("").message == "a record ends within its header");
  CHECK(problem_of(std::string(100, 'x')).message == "there is no record where one should begin");
}

TEST_CASE("lists are read as they were written", "[pack_format]") {
  for (const ChunkList& list : {a_list(), ChunkList{0, 0, {}}, ChunkList{kMostDepth, 7, {{sha256("z"), 7}}}}) {
    const ChunkList read = must(read_list(write_list(list)));
    CHECK(read.depth == list.depth);
    CHECK(read.total == list.total);
    REQUIRE(read.refs.size() == list.refs.size());
    for (std::size_t i = 0; i < read.refs.size(); ++i) {
      CHECK(read.refs[i].digest == list.refs[i].digest);
      CHECK(read.refs[i].bytes == list.refs[i].bytes);
    }
  }
  CHECK(must(read_refs(write_refs(a_list().refs))).size() == 3);
  CHECK(must(read_refs("")).empty());
  CHECK(read_refs("x").error().code == Errc::corrupt);
}

TEST_CASE("a list is refused when it is not what was written", "[pack_format]") {
  const std::string bytes = write_list(a_list());
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(static_cast<unsigned char>(changed[bit / 8]) ^ (1U << (bit % 8)));
    const auto read = read_list(changed);
    if (read.ok() || read.error().code != Errc::corrupt) FAIL("bit " << bit);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (read_list(bytes.substr(0, size)).ok()) FAIL("size " << size);
  }
}

TEST_CASE("a list that says nonsense is refused, even when its check fits", "[pack_format]") {
  ChunkList list = a_list();
  list.depth = kMostDepth + 1;
  CHECK(read_list(write_list(list)).error().message == "a list of chunks is too deep");
  list = a_list();
  list.total = 31;
  CHECK(read_list(write_list(list)).error().message == "the chunks of a list are not as long as the list says");
  list.refs = {{sha256("x"), ~std::uint64_t{0}}, {sha256("y"), 32}};
  CHECK(read_list(write_list(list)).error().message == "a list of chunks is too long");
}

}  // namespace trainyard::pack_format
