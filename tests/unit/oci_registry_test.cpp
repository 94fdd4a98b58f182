// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_registry.hpp"

#include <catch2/catch.hpp>

#include "storage/values/oci_manifest.hpp"
#include "storage/values/sha256.hpp"
#include "tests/unit/scripted_registry.hpp"

// Lists, as the registries of the world tell them.
namespace trainyard::oci_registry_test {

namespace {

using Asked = ScriptedRegistry::Asked;
using Said = ScriptedRegistry::Said;
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("lists go on page by page", "[oci]") {
  struct Row {
    const char* what;
    std::string link;  // <url>: of the registry
  };
  const std::vector<Row> rows = {
      {"from the root", to_next_page("/v2/m/tags/list?n=1000&last=1.0")},
      {"in full", to_next_page("<url>/v2/m/tags/list?n=1000&last=1.0")},
      {"from the page", to_next_page("list?n=1000&last=1.0")},
      {"of the same page", to_next_page("?n=1000&last=1.0")},
      {"after another link", "Link: </v2/>; rel=\"prev\", </v2/m/tags/list?n=1000&last=1.0>;rel=next\r\n"},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const ScriptedRegistry* self = nullptr;
    const ScriptedRegistry registry([&](const Asked& asked) -> Said {
      if (asked.authorization() != kAdasBasic) return asks_who();
      if (asked.target.find("last=1.0") != std::string::npos) return {"200 OK", R"({"tags":["1.1","1.2"]})"};
      std::string link = row.link;
      if (const auto at = link.find("<url>"); at != std::string::npos) link.replace(at, 5, self->url());
      return {"200 OK", R"({"tags":["0.9","1.0"]})", link};
    });
    self = &registry;
    KnownClient client(registry);
    const auto tags = client.registry.tags("m");
    REQUIRE(tags.ok());
    CHECK(*tags == Lines{"0.9", "1.0", "1.1", "1.2"});
    CHECK(registry.lines() ==
          Lines{"GET /v2/m/tags/list?n=1000", "GET /v2/m/tags/list?n=1000", "GET /v2/m/tags/list?n=1000&last=1.0"});
    CHECK(registry.authorizations() == Lines{"", kAdasBasic, kAdasBasic});
  }
}

TEST_CASE("a page of another host is read as a stranger", "[oci]") {
  const ScriptedRegistry elsewhere([&](const Asked&) -> Said { return {"200 OK", R"({"tags":["1.1"]})"}; });
  const ScriptedRegistry registry([&](const Asked& asked) -> Said {
    if (asked.authorization() != kAdasBasic) return asks_who();
    return {"200 OK", R"({"tags":["1.0"]})", to_next_page(elsewhere.url() + "/p")};
  });
  KnownClient client(registry);
  CHECK(*client.registry.tags("m") == Lines{"1.0", "1.1"});
  CHECK(elsewhere.authorizations() == Lines{""});
}

TEST_CASE("what is no list, or has no end", "[oci]") {
  const RemoteAddress address{RemoteAddress::Kind::oci, "r.example.com", ""};
  const std::string name = "m/tags/list?n=1000";
  const std::string list = "'oci://r.example.com' lists " + name;
  const std::string cannot = "'oci://r.example.com': cannot list " + name + ": ";
  const auto page = [](std::string link) {
    return ScriptedHttp::answer(200, R"({"tags":["1.0"]})", {{"link", "<" + std::move(link) + ">; rel=next"}});
  };
  int number = 0;
  struct Row {
    const char* what;
    std::function<Result<HttpAnswer>(const HttpRequest&)> says;
    Errc code;
    std::string error;
    std::size_t requests;
  };
  const std::vector<Row> rows = {
      {"a page that leads to itself", [&](const HttpRequest&) { return page("/v2/m/tags/list?n=1000"); },
       Errc::incompatible, list + " without an end", 1},
      {"pages in a circle", [&](const HttpRequest&) { return page(++number % 2 == 0 ? "/a" : "/b"); },
       Errc::incompatible, list + " without an end", 3},
      {"ever new pages", [&](const HttpRequest&) { return page("/" + std::to_string(++number)); }, Errc::incompatible,
       list + " without an end", 10'000},
      {"a page for people", [&](const HttpRequest&) { return ScriptedHttp::answer(200, "<html>"); }, Errc::incompatible,
       list + " in a form that nobody knows", 1},
      {"a refusal on the way",
       [&](const HttpRequest&) { return ++number == 1 ? page("/b") : ScriptedHttp::answer(403, "no"); }, Errc::invalid,
       cannot + "the login to 'r.example.com' may not do that (403: no)", 2},
      {"the end of the registry on the way",
       [&](const HttpRequest&) { return ++number == 1 ? page("/b") : ScriptedHttp::answer(404); }, Errc::not_found,
       cannot + "the registry does not know it (404)", 2},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    number = 0;
    ScriptedHttp http(row.says);
    OciRegistry registry(address, http, no_logins(), nullptr);
    const auto tags = registry.tags("m");
    REQUIRE_FALSE(tags.ok());
    CHECK(tags.error().code == row.code);
    CHECK(tags.error().message == row.error);
    CHECK(http.asked.size() == row.requests);
  }
  // Neither a repository that is not there nor an empty one has tags.
  for (const auto& answer : {ScriptedHttp::answer(404), ScriptedHttp::answer(200, R"({"name":"m","tags":null})")}) {
    ScriptedHttp http([&](const HttpRequest&) { return answer; });
    OciRegistry registry(address, http, no_logins(), nullptr);
    CHECK(registry.tags("m")->empty());
  }
}

TEST_CASE("what is attached is listed page by page, by registries that know it", "[oci]") {
  const auto entry = [](const std::string& text) {
    return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + oci_digest(sha256(text)) +
           R"(","size":)" + std::to_string(text.size()) + "}";
  };
  const ScriptedRegistry registry([&](const Asked& asked) -> Said {
    if (asked.target == "/v2/m/referrers/" + oci_digest(sha256("subject")))
      return {"200 OK", R"({"manifests":[)" + entry("a") + R"(,{"digest":"sha512:x"}]})", to_next_page("/v2/page/two")};
    return {"200 OK", R"({"manifests":[)" + entry("b") + "]}"};
  });
  KnownClient client(registry);
  const auto attached = client.registry.referrers("m", sha256("subject"));
  REQUIRE(attached.ok());
  REQUIRE(*attached);
  REQUIRE((*attached)->size() == 2);
  CHECK((**attached)[0].digest == sha256("a"));
  CHECK((**attached)[1].digest == sha256("b"));

  struct Row {
    Said said;
    bool error;
  };
  for (const Row& row : {Row{{"404 Not Found"}, false}, Row{{"400 Bad Request"}, false},
                         Row{{"405 Method Not Allowed"}, false}, Row{{"406 Not Acceptable"}, false},
                         Row{{"501 Not Implemented"}, false}, Row{{"200 OK", "<html>a page for people"}, false},
                         Row{{"403 Forbidden"}, true}, Row{{"500 Internal Server Error"}, true}}) {
    INFO(row.said.status);
    const ScriptedRegistry old([&](const Asked&) { return row.said; });
    KnownClient asking(old);
    const auto told = asking.registry.referrers("m", sha256("subject"));
    CHECK(told.ok() != row.error);
    if (told.ok()) CHECK_FALSE(*told);
  }
}

}  // namespace trainyard::oci_registry_test
