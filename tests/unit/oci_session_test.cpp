// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_session.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/scripted_registry.hpp"

// Where registries lead their clients, and what these say there.
namespace trainyard::oci_session_test {

namespace {

using Asked = ScriptedRegistry::Asked;
using Said = ScriptedRegistry::Said;
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("content may lie at another host, which does not learn the login", "[oci]") {
  const std::string content = "0123456789";
  for (const char* const status : {"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"}) {
    INFO(status);
    const ScriptedRegistry elsewhere([&](const Asked& asked) -> Said {
      if (asked.header("Range").empty()) return {"200 OK", content, "", 4};
      return {"206 Partial Content", content.substr(4), "Content-Range: bytes 4-9/10\r\n"};
    });
    const ScriptedRegistry registry([&](const Asked& asked) -> Said {
      if (asked.authorization() != kAdasBasic) return asks_who();
      if (asked.target.find("moved") == std::string::npos)
        return {status, "a page for people", to_location("/moved?to=here")};
      return {status, "", to_location(elsewhere.url() + "/bucket/x?signature=hunter23")};
    });
    KnownClient client(registry);
    const GotBlob got = got_blob(client.registry, content);
    CHECK(message_of(got.result) == "");
    CHECK(got.bytes == content);
    CHECK(registry.authorizations() == Lines{"", kAdasBasic, kAdasBasic, kAdasBasic, kAdasBasic});
    CHECK(elsewhere.lines() == Lines(2, "GET /bucket/x?signature=hunter23"));
    CHECK(elsewhere.authorizations() == Lines{"", ""});
    // It goes on where it was cut off.
    CHECK(elsewhere.asked().back().header("Range") == "bytes=4-");
  }
}

TEST_CASE("nobody but the registry itself is told who asks", "[oci]") {
  // Whoever leads a client elsewhere could learn the login, if a challenge from there were answered.
  for (const std::string challenge : {"Basic realm=r", "Bearer realm=\"http://<thief>/token\",service=s"}) {
    INFO(challenge);
    const ScriptedRegistry thief([&](const Asked& asked) -> Said {
      std::string own = challenge;
      if (const auto at = own.find("<thief>"); at != std::string::npos) own.replace(at, 7, asked.header("Host"));
      return {"401 Unauthorized", "", "WWW-Authenticate: " + own + "\r\n"};
    });
    const ScriptedRegistry registry([&](const Asked& asked) -> Said {
      if (asked.authorization() != kAdasBasic) return asks_who();
      if (asked.target.find("/tags/") != std::string::npos)
        return {"200 OK", R"({"tags":["1.0"]})", to_next_page(thief.url() + "/v2/m/tags/list")};
      if (asked.method == "POST") return {"202 Accepted", "", to_location(thief.url() + "/upload")};
      if (asked.method == "HEAD") return {"404 Not Found"};
      return {"307 Temporary", "", to_location(thief.url() + "/blob")};
    });
    KnownClient client(registry);
    const GotBlob got = got_blob(client.registry, "x");
    REQUIRE_FALSE(got.result.ok());
    CHECK(got.result.error().code == Errc::invalid);
    CHECK_FALSE(client.registry.tags("m").ok());
    CHECK_FALSE(client.registry.put_bytes("m", "x").ok());
    Lines asked = thief.lines();
    for (std::string& line : asked) line.erase(std::min(line.find('?'), line.size()));
    CHECK(asked == Lines{"GET /blob", "GET /v2/m/tags/list", "PUT /upload"});
    CHECK(thief.authorizations() == Lines{"", "", ""});
  }
}

TEST_CASE("where redirections end", "[oci]") {
  SECTION("they have an end") {
    const ScriptedRegistry registry([&](const Asked& asked) -> Said {
      return {"307 Temporary", "", to_location(asked.target + "x")};
    });
    KnownClient client(registry);
    const GotBlob got = got_blob(client.registry, "x");
    REQUIRE_FALSE(got.result.ok());
    CHECK(got.result.error().code == Errc::incompatible);
    CHECK(message_of(got.result) ==
          "'oci+http://" + registry.host() + "' leads from one address to the next without an end");
    CHECK(registry.asked().size() == 6);
  }
  SECTION("the error about a host that cannot be reached does not tell what opens it") {
    const std::string nobody = TinyServer::nobody();
    const ScriptedRegistry registry([&](const Asked&) -> Said {
      return {"307 Temporary", "", to_location(nobody + "/b?signature=hunter23")};
    });
    KnownClient client(registry);
    const auto there = client.registry.read("m", "1.0");
    REQUIRE_FALSE(there.ok());
    CHECK(there.error().code == Errc::unavailable);
    CHECK_THAT(there.error().message, Catch::Contains("'" + nobody + "/b'"));
    CHECK_THAT(there.error().message, !Catch::Contains("hunter23"));
  }
  SECTION("what is written is not sent elsewhere") {
    const ScriptedRegistry registry([&](const Asked&) -> Said {
      return {"307 Temporary", "", to_location("/elsewhere")};
    });
    KnownClient client(registry);
    const auto written = client.registry.write("m", "1.0", "x", "text");
    CHECK(message_of(written) ==
          "'oci+http://" + registry.host() + "': cannot write the manifest 'm:1.0': the registry answered 307");
    CHECK(registry.asked().size() == 1);
  }
  SECTION("one without an address leads nowhere") {
    const ScriptedRegistry registry([&](const Asked&) -> Said { return {"302 Found"}; });
    KnownClient client(registry);
    CHECK_FALSE(client.registry.read("m", "1.0").ok());
    CHECK(registry.asked().size() == 1);
  }
}

TEST_CASE("a registry with TLS leads to nothing without", "[oci]") {
  const RemoteAddress address{RemoteAddress::Kind::oci, "r.example.com", ""};
  struct Row {
    const char* what;
    HttpHeader header;
    long status;
  };
  for (const Row& row : {Row{"content", {"location", "http://cdn.example.com/x?secret"}, 307},
                         Row{"itself", {"location", "http://r.example.com/v2/x?secret"}, 302},
                         Row{"a page", {"link", "<http://r.example.com/v2/x?secret>; rel=next"}, 200},
                         Row{"a place to send to", {"location", "http://r.example.com/v2/x?secret"}, 202}}) {
    INFO(row.what);
    ScriptedHttp http([&](const HttpRequest& request) {
      return request.method == "HEAD" ? ScriptedHttp::answer(404)
                                      : ScriptedHttp::answer(row.status, R"({"tags":[]})", {row.header});
    });
    OciRegistry registry(address, http, no_logins(), nullptr);
    const Result<void> done = row.status == 202 ? registry.put_bytes("m", "x") : [&]() -> Result<void> {
      auto tags = registry.tags("m");
      return tags.ok() ? Result<void>() : tags.error();
    }();
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().code == Errc::incompatible);
    CHECK_THAT(done.error().message, Catch::Contains("which has no TLS") && !Catch::Contains("secret"));
    for (const HttpRequest& asked : http.asked) CHECK(asked.url.substr(0, 8) == "https://");
  }
}

TEST_CASE("a port that goes without saying makes no other host", "[oci]") {
  struct Row {
    const char* place;
    const char* leads_to;
    bool same;
  };
  const std::vector<Row> rows = {
      {"r.example.com", "https://r.example.com:443/x", true},
      {"r.example.com:443", "https://R.example.com/x", true},
      {"r.example.com", "https://r.example.com:80/x", false},
      {"r.example.com", "https://r.example.com:8443/x", false},
      {"r.example.com", "https://r.example.com.evil/x", false},
      {"r.example.com", "https://r.example.com@evil/x", false},
      {"r.example.com", "https://r.example.com:443@evil/x", false},
      {"r.example.com", "//r.example.com/x", true},
  };
  for (const Row& row : rows) {
    INFO(row.place << " " << row.leads_to);
    ScriptedHttp http([&](const HttpRequest& request) {
      if (request.url.find("/tags/") == std::string::npos) return ScriptedHttp::answer(200, R"({"tags":[]})");
      if (ScriptedHttp::authorization(request) != kAdasBasic)
        return ScriptedHttp::answer(401, "", {{"www-authenticate", "Basic"}});
      return ScriptedHttp::answer(307, "", {{"location", row.leads_to}});
    });
    KnownClient client({RemoteAddress::Kind::oci, row.place, ""}, &http);
    CHECK(client.registry.tags("m").ok());
    CHECK(ScriptedHttp::authorization(http.asked.back()) == (row.same ? kAdasBasic : ""));
  }
}

}  // namespace trainyard::oci_session_test
