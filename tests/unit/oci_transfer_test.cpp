// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>

#include "storage/remotes/oci_registry.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/scripted_registry.hpp"

// Content on its way to and from registries that fail, forget and misunderstand.
namespace trainyard::oci_transfer_test {

namespace {

using Asked = ScriptedRegistry::Asked;
using Said = ScriptedRegistry::Said;
using Lines = std::vector<std::string>;

constexpr std::size_t kMiB = std::size_t{1} << 20U;
constexpr std::size_t kPart = 32 * kMiB;

// What an upload of more than 64 MiB meets.
struct Uploads {
  std::string there;  // of the upload that was begun last
  int begun = 0;
  int parts = 0;
  int whole = 0;  // sent by one PUT
  std::string kept;

  [[nodiscard]] std::string range() const {
    return "Range: 0-" + std::to_string(there.empty() ? 0 : there.size() - 1) + "\r\n";
  }
  Said took() const { return {"202 Accepted", "", range() + place()}; }
  std::string place() const {
    return to_location("/v2/m/blobs/uploads/" + std::to_string(begun) + "?at=" + std::to_string(there.size()));
  }
  // As the specification has it.
  Said obey(const Asked& asked) {
    if (asked.method == "HEAD") return {"404 Not Found"};
    if (asked.method == "POST") {
      ++begun;
      there.clear();
      return {"202 Accepted", "", place()};
    }
    const bool current = asked.target.find("/uploads/" + std::to_string(begun) + "?") != std::string::npos;
    if (!current) return {"404 Not Found"};
    if (asked.method == "GET") return {"204 No Content", "", range() + place()};
    if (asked.method == "PATCH") {
      const std::string first = std::to_string(there.size());
      const std::string last = std::to_string(there.size() + asked.body.size() - 1);
      if (asked.header("Content-Range") != first + "-" + last) return {"416 Range Not Satisfiable", "", range()};
      there += asked.body;
      return took();
    }
    if (!asked.body.empty()) ++whole;
    kept = there + asked.body;
    return {"201 Created"};
  }
};

const std::string& large() {
  static const std::string bytes = [] {
    std::string made(2 * kPart + 5, 'a');
    for (std::size_t at = 0; at < made.size(); at += 4096) made[at] = static_cast<char>('a' + at / 4096 % 23);
    return made;
  }();
  return bytes;
}

}  // namespace

TEST_CASE("content that is cut off is gone on with", "[oci]") {
  const std::string content = "0123456789";
  const Said cut{"200 OK", content, "", 4};
  const auto part = [&](std::size_t from, const std::string& range) -> Said {
    return {"206 Partial Content", content.substr(from), range.empty() ? "" : "Content-Range: " + range + "\r\n"};
  };
  struct Row {
    const char* what;
    std::vector<Said> said;  // the last for ever
    Lines ranges;
    Errc code = Errc::io;
    std::string error = {};  // empty: it comes whole
  };
  const std::string name = oci_digest(sha256(content));
  const std::string damaged = "the content " + name + " of 'm' is damaged there";
  const std::string another = "yields another part of " + name + " than it was asked for";
  const std::vector<Row> rows = {
      {"from where it ended", {cut, part(4, "bytes 4-9/10")}, {"", "bytes=4-"}},
      {"from there, of a length unknown", {cut, part(4, "bytes 4-9/*")}, {"", "bytes=4-"}},
      {"from there, as it seems", {cut, part(4, "")}, {"", "bytes=4-"}},
      {"from the beginning", {cut, {"200 OK", content}}, {"", "bytes=4-"}},
      {"from the beginning, and cut off before that point",
       {cut, {"200 OK", content, "", 2}, {"200 OK", content, "", 7}, part(7, "bytes 7-9/10")},
       {"", "bytes=4-", "bytes=4-", "bytes=7-"}},
      {"from before that point", {cut, part(2, "bytes 2-9/10")}, {"", "bytes=4-"}},
      {"after a while", {cut, {"503 Slow Down"}, part(4, "bytes 4-9/10")}, {"", "bytes=4-", "bytes=4-"}},
      {"from after that point", {cut, part(6, "bytes 6-9/10")}, {"", "bytes=4-"}, Errc::incompatible, another},
      {"from nobody knows where", {cut, part(4, "lines 4-9/10")}, {"", "bytes=4-"}, Errc::incompatible, another},
      {"with something else",
       {cut, {"206 Partial Content", "45678x", "Content-Range: bytes 4-9/10\r\n"}},
       {"", "bytes=4-"},
       Errc::corrupt,
       damaged},
      {"and ends too early",
       {cut, {"206 Partial Content", "45678", "Content-Range: bytes 4-8/10\r\n"}},
       {"", "bytes=4-"},
       Errc::corrupt,
       damaged},
      {"and does not end",
       {cut, {"206 Partial Content", "456789x", "Content-Range: bytes 4-10/11\r\n"}},
       {"", "bytes=4-"},
       Errc::corrupt,
       damaged},
      {"unless it has gone meanwhile",
       {cut, {"404 Not Found"}},
       {"", "bytes=4-"},
       Errc::not_found,
       "has no content " + name + " in 'm'"},
      {"or was something else anyway", {{"200 OK", "012345678x"}}, {""}, Errc::corrupt, damaged},
      {"or may not be read", {{"403 Forbidden"}}, {""}, Errc::invalid, "may not do that (403)"},
      {"or never comes", {{"200 OK", content, "", 0}}, {"", "", "", "", ""}, Errc::unavailable, "cannot reach"},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    std::size_t number = 0;
    const ScriptedRegistry registry([&](const Asked&) { return row.said[std::min(number++, row.said.size() - 1)]; });
    KnownClient client(registry);
    const GotBlob got = got_blob(client.registry, content);
    CHECK((got.result.ok() ? row.error.empty() : !row.error.empty()));
    if (got.result.ok()) {
      CHECK(got.bytes == content);
    } else {
      CHECK(got.result.error().code == row.code);
      CHECK_THAT(message_of(got.result), Catch::Contains(row.error));
    }
    Lines ranges;
    for (const Asked& asked : registry.asked()) ranges.push_back(asked.header("Range"));
    CHECK(ranges == row.ranges);
  }
}

TEST_CASE("large content is sent part by part, whatever becomes of the parts", "[oci]") {
  using Says = std::function<std::optional<Said>(const Asked& asked, Uploads& uploads)>;
  struct Row {
    const char* what;
    Says says;  // before the registry obeys; sees the number of this part
    int begun;
    int parts;
    int whole;
    std::string error = {};
  };
  const auto is_part = [](const Asked& asked) { return asked.method == "PATCH"; };
  const std::vector<Row> rows = {
      {"all is well", [](const Asked&, Uploads&) { return std::nullopt; }, 1, 3, 0},
      {"less was taken than was sent",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         if (!is_part(asked) || at.parts != 2) return std::nullopt;
         at.there += asked.body.substr(0, kMiB);
         return at.took();
       },
       1, 3, 0},
      {"it was taken, and the answer got lost",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         if (!is_part(asked) || at.parts != 1) return std::nullopt;
         at.obey(asked);
         return Said{""};
       },
       1, 3, 0},
      {"it was taken, and is refused when it comes again",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         if (!is_part(asked) || at.parts != 2) return std::nullopt;
         at.obey(asked);
         return Said{"416 Range Not Satisfiable"};
       },
       1, 3, 0},
      {"the registry failed, and has some of it",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         if (!is_part(asked) || at.parts != 2) return std::nullopt;
         at.there += asked.body.substr(0, kMiB);
         return Said{"502 Bad Gateway"};
       },
       1, 3, 0},
      {"the registry has less than it said",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         if (!is_part(asked) || at.parts != 2) return std::nullopt;
         at.there.resize(kMiB);
         return Said{"416 Range Not Satisfiable"};
       },
       1, 4, 0},
      {"the upload was forgotten",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         if (asked.method == "POST" || at.parts != 2 || at.begun != 1) return std::nullopt;
         return Said{"404 Not Found"};
       },
       2, 5, 0},
      {"the registry does not tell how much it has",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         if (asked.method == "GET") return Said{"405 Method Not Allowed"};
         if (!is_part(asked) || at.parts != 2) return std::nullopt;
         return Said{"500 Internal Server Error"};
       },
       2, 5, 0},
      {"it wants larger parts",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         if (asked.method != "POST") return std::nullopt;
         Said said = at.obey(asked);
         said.headers += "OCI-Chunk-Min-Length: " + std::to_string(40 * kMiB) + "\r\n";
         return said;
       },
       1, 2, 0},
      {"GitHub's takes smaller parts, and does not say so",
       [&](const Asked& asked, Uploads&) -> std::optional<Said> {
         if (!is_part(asked)) return std::nullopt;
         return Said{"416 Range Not Satisfiable", "the request body is too large"};
       },
       2, 1, 1},
      {"so does one that does not tell how much it has",
       [&](const Asked& asked, Uploads&) -> std::optional<Said> {
         if (asked.method == "GET") return Said{"404 Not Found"};
         return is_part(asked) ? std::optional(Said{"416 Range Not Satisfiable"}) : std::nullopt;
       },
       2, 1, 1},
      {"Amazon's throws away all parts but the first",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         if (!is_part(asked)) return std::nullopt;
         if (at.there.empty()) at.obey(asked);
         Said said = at.took();
         said.status = "201 Created";
         return said;
       },
       2, 2, 1},
      {"there is no room",
       [&](const Asked& asked, Uploads&) -> std::optional<Said> {
         return is_part(asked) ? std::optional(Said{"413 Too Large"}) : std::nullopt;
       },
       1, 1, 0, ": cannot send content to 'm': the registry has no room for it (413)"},
      {"the registry forgets every upload",
       [&](const Asked& asked, Uploads& at) -> std::optional<Said> {
         return is_part(asked) && !at.there.empty() ? std::optional(Said{"404 Not Found"})
                : asked.method == "GET"             ? std::optional(Said{"404 Not Found"})
                                                    : std::nullopt;
       },
       5, 10, 0, " does not take " + oci_digest(sha256(large())) + " at present"},
  };
  const TempFolder temp;
  const Path file = temp.write("large", large());
  for (const Row& row : rows) {
    INFO(row.what);
    Uploads uploads;
    const ScriptedRegistry registry([&](const Asked& asked) -> Said {
      if (is_part(asked)) ++uploads.parts;
      if (auto said = row.says(asked, uploads)) return std::move(*said);
      return uploads.obey(asked);
    });
    KnownClient client(registry);
    std::uint64_t moved = 0;
    const auto put = client.registry.put_blob("m", sha256(large()), large().size(), file,
                                              [&](std::uint64_t bytes) { moved += bytes; });
    CHECK(uploads.begun == row.begun);
    CHECK(uploads.parts == row.parts);
    CHECK(uploads.whole == row.whole);
    if (row.error.empty()) {
      CHECK(message_of(put) == "");
      CHECK((uploads.kept == large()));
      CHECK(moved == large().size());
    } else {
      REQUIRE_FALSE(put.ok());
      CHECK(put.error().code == Errc::unavailable);
      CHECK(message_of(put) == "'oci+http://" + registry.host() + "'" + row.error);
    }
  }
}

TEST_CASE("a token that runs out between two parts is fetched anew", "[oci]") {
  Uploads uploads;
  const ScriptedRegistry* self = nullptr;
  int tokens = 0;
  const ScriptedRegistry registry([&](const Asked& asked) -> Said {
    if (asked.target.substr(0, 6) == "/token") return {"200 OK", R"({"token":")" + std::to_string(++tokens) + R"("})"};
    const int needed = asked.method == "PATCH" && uploads.there.size() >= kPart ? 3 : 1;
    const std::string bearer = asked.authorization();
    if (bearer.empty() || std::stoi(bearer.substr(7)) < needed)
      return {"401 Unauthorized", "", "WWW-Authenticate: Bearer realm=\"" + self->url() + "/token\"\r\n"};
    return uploads.obey(asked);
  });
  self = &registry;
  const TempFolder temp;
  KnownClient client(registry);
  const auto put = client.registry.put_blob("m", sha256(large()), large().size(), temp.write("large", large()),
                                            [](std::uint64_t) {});
  CHECK(message_of(put) == "");
  CHECK((uploads.kept == large()));
  CHECK(uploads.begun == 1);
  // One to look, one to send, and one when that had run out.
  CHECK(tokens == 3);
}

TEST_CASE("small content is sent at once, and once more when its upload was forgotten", "[oci]") {
  struct Row {
    const char* what;
    std::vector<Said> said;  // to PUT
    int begun;
    std::string error = {};
  };
  const std::string name = oci_digest(sha256("x"));
  const std::vector<Row> rows = {
      {"all is well", {{"201 Created"}}, 1},
      {"forgotten once", {{"404 Not Found"}, {"201 Created"}}, 2},
      {"arrived damaged", {{"400 Bad Request", "DIGEST_INVALID"}, {"201 Created"}}, 2},
      {"forgotten every time",
       {{"404 Not Found"}},
       2,
       ": cannot send " + name + " to 'm': the registry does not know it (404)"},
      {"something else is kept",
       {{"201 Created", "", "Docker-Content-Digest: sha256:00\r\n"}},
       1,
       ": the registry keeps 'sha256:00' instead of " + name},
      {"nobody may",
       {{"403 Forbidden"}},
       1,
       ": cannot send " + name + " to 'm': the login to '<host>' may not do that (403)"},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    int begun = 0;
    std::size_t put = 0;
    const ScriptedRegistry registry([&](const Asked& asked) -> Said {
      if (asked.method == "HEAD") return {"404 Not Found"};
      if (asked.method == "PUT") return row.said[std::min(put++, row.said.size() - 1)];
      return {"202 Accepted", "", to_location("/upload?number=" + std::to_string(++begun))};
    });
    KnownClient client(registry);
    std::string error = row.error;
    if (const auto at = error.find("<host>"); at != std::string::npos) error.replace(at, 6, registry.host());
    CHECK(message_of(client.registry.put_bytes("m", "x")) ==
          (error.empty() ? "" : "'oci+http://" + registry.host() + "'" + error));
    CHECK(begun == row.begun);
    const Lines lines = registry.lines();
    const std::string last = "PUT /upload?number=" + std::to_string(begun) + "&digest=sha256%3A" + sha256("x").hex();
    CHECK(std::find(lines.begin(), lines.end(), last) != lines.end());
  }
}

}  // namespace trainyard::oci_transfer_test
