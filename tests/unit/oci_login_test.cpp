// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_login.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "storage/remotes/oci_registry.hpp"
#include "storage/values/base64.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/scripted_registry.hpp"

// Who asks a registry, as the registries of the world want to know it: RFC 6750, distribution's token authentication,
// docker-credential-helpers.
namespace trainyard::oci_login_test {

namespace {

using Asked = ScriptedRegistry::Asked;
using Said = ScriptedRegistry::Said;
using Lines = std::vector<std::string>;

constexpr const char* kPassword = "hunter22";
const std::string kTags = R"({"name":"m","tags":["1.0"]})";

// Ada's, to that registry.
std::string password_for(const std::string& host) {
  return R"({"auths":{")" + host + R"(":{"auth":")" + base64("ada:hunter22") + R"("}}})";
}
std::string identity_token_for(const std::string& host) {
  return R"({"auths":{")" + host + R"(":{"auth":")" + base64("00000000-0000:") +
         R"(","identitytoken":"hunter22 +&"}}})";
}
std::string nothing_for(const std::string&) { return "{}"; }

bool tells(const Error& error, std::string_view secret) { return error.message.find(secret) != std::string::npos; }

// PATH begins with a folder of programs while this lives.
class Programs {
 public:
  Programs() { ::setenv("PATH", (folder_.path().string() + ":" + before_).c_str(), 1); }
  ~Programs() { ::setenv("PATH", before_.c_str(), 1); }
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  void add(const std::string& name, const std::string& script) const {
    const Path path = folder_.write("docker-credential-" + name, "#!/bin/sh\n" + script + "\n");
    ::chmod(path.c_str(), 0755);
  }
  [[nodiscard]] const TempFolder& folder() const { return folder_; }

 private:
  const std::string before_ = std::getenv("PATH");
  TempFolder folder_;
};

}  // namespace

TEST_CASE("a registry is told who asks in the way that it wants", "[oci]") {
  const std::string asks = "Bearer realm=\"<realm>\",service=\"the registry\",scope=\"repository:m:pull\"";
  const std::string query = "service=the%20registry&scope=repository%3Am%3Apull";
  struct Row {
    const char* what;
    std::string (*logins)(const std::string& host);
    std::string challenge;  // <realm>: the server of tokens
    std::string token;      // what that answers
    Lines token_lines;
    std::string token_authorization;
    std::string form;
    std::string authorization;  // what the registry gets in the end
  };
  const std::vector<Row> rows = {
      {"a stranger", nothing_for, asks, R"({"token":"t1"})", {"GET /token?" + query}, "", "", "Bearer t1"},
      {"whose token is called as in OAuth",
       nothing_for,
       asks,
       R"({"access_token":"t2","expires_in":300})",
       {"GET /token?" + query},
       "",
       "",
       "Bearer t2"},
      {"or both ways, and one of them is empty",
       nothing_for,
       asks,
       R"({"token":"","access_token":"t3"})",
       {"GET /token?" + query},
       "",
       "",
       "Bearer t3"},
      {"a password", password_for, asks, R"({"token":"t4"})", {"GET /token?" + query}, kAdasBasic, "", "Bearer t4"},
      {"an identity token",
       identity_token_for,
       asks,
       R"({"access_token":"t5"})",
       {"POST /token"},
       "",
       "grant_type=refresh_token&client_id=trainyard&" + query + "&refresh_token=hunter22%20%2B%26",
       "Bearer t5"},
      {"two scopes",
       nothing_for,
       "Bearer realm=\"<realm>\",scope=\"a:b:pull c:d:pull,push\"",
       R"({"token":"t6"})",
       {"GET /token?scope=a%3Ab%3Apull&scope=c%3Ad%3Apull%2Cpush"},
       "",
       "",
       "Bearer t6"},
      {"two scopes in a form",
       identity_token_for,
       "Bearer realm=\"<realm>\",scope=\"a:b:pull c:d:pull\"",
       R"({"token":"t7"})",
       {"POST /token"},
       "",
       "grant_type=refresh_token&client_id=trainyard&scope=a%3Ab%3Apull%20c%3Ad%3Apull&"
       "refresh_token=hunter22%20%2B%26",
       "Bearer t7"},
      {"a server of tokens that has a query of its own",
       nothing_for,
       "Bearer realm=\"<realm>?a=b\",service=s",
       R"({"token":"t8"})",
       {"GET /token?a=b&service=s"},
       "",
       "",
       "Bearer t8"},
      {"Basic", password_for, "Basic realm=\"r\"", "", {}, "", "", kAdasBasic},
      {"Basic, in capitals and without a realm", password_for, "BASIC", "", {}, "", "", kAdasBasic},
      {"either, as the registry likes it best", password_for, "Basic realm=r, " + asks, "", {}, "", "", kAdasBasic},
      {"either, of which a stranger has one",
       nothing_for,
       "Basic realm=r, " + asks,
       R"({"token":"t9"})",
       {"GET /token?" + query},
       "",
       "",
       "Bearer t9"},
      {"after one that nobody here knows", password_for, "Negotiate, Basic realm=r", "", {}, "", "", kAdasBasic},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const ScriptedRegistry tokens([&](const Asked&) -> Said { return {"200 OK", row.token}; });
    const ScriptedRegistry registry([&](const Asked& asked) -> Said {
      if (!asked.authorization().empty()) return {"200 OK", kTags};
      std::string challenge = row.challenge;
      if (const auto at = challenge.find("<realm>"); at != std::string::npos)
        challenge.replace(at, 7, tokens.url() + "/token");
      return {"401 Unauthorized", "", "WWW-Authenticate: " + challenge + "\r\n"};
    });
    const TempFolder temp;
    const auto http = curl_http();
    OciRegistry client(registry.address(), *http, logins_in(temp.write("auth.json", row.logins(registry.host()))),
                       nullptr);
    const auto tags = client.tags("m");
    if (!tags.ok()) FAIL(tags.error().message);
    CHECK(*tags == Lines{"1.0"});
    CHECK(registry.authorizations() == Lines{"", row.authorization});
    REQUIRE(tokens.lines() == row.token_lines);
    for (const Asked& asked : tokens.asked()) {
      CHECK(asked.authorization() == row.token_authorization);
      CHECK(asked.body == row.form);
    }
  }
}

TEST_CASE("a token serves while it is valid, and one that has run out is fetched anew once", "[oci]") {
  int given = 0;
  int valid = 1;  // the first that is
  const ScriptedRegistry tokens([&](const Asked&) -> Said {
    return {"200 OK", R"({"token":")" + std::to_string(++given) + R"("})"};
  });
  std::string kept;
  const ScriptedRegistry registry([&](const Asked& asked) -> Said {
    const std::string bearer = asked.authorization();
    const std::string scope = "repository:m:" + std::string(asked.method == "GET" ? "pull" : "push");
    if (bearer.empty() || std::stoi(bearer.substr(7)) < valid)
      return {"401 Unauthorized", "",
              "WWW-Authenticate: Bearer realm=\"" + tokens.url() + "/token\",scope=\"" + scope + "\"\r\n"};
    if (asked.method == "GET") return {"200 OK", kTags};
    kept = asked.body;
    return {"201 Created"};
  });
  const auto http = curl_http();
  OciRegistry client(registry.address(), *http, no_logins(), nullptr);
  const std::string pull = "GET /token?scope=repository%3Am%3Apull";
  const std::string push = "GET /token?scope=repository%3Am%3Apush";
  for (int again = 0; again < 3; ++again) CHECK(client.tags("m").ok());
  CHECK(registry.authorizations() == Lines{"", "Bearer 1", "Bearer 1", "Bearer 1"});
  CHECK(tokens.lines() == Lines{pull});

  valid = 2;
  for (int again = 0; again < 2; ++again) CHECK(client.tags("m").ok());
  CHECK(tokens.lines() == Lines{pull, pull});

  // Who may read may not write.
  CHECK(client.write("m", "1.0", "x", "text").ok());
  CHECK(client.tags("m").ok());
  CHECK(tokens.lines() == Lines{pull, pull, push});

  // What is sent is sent again, all of it.
  valid = 4;
  kept.clear();
  CHECK(client.write("m", "1.0", "x", "another text").ok());
  CHECK(kept == "another text");
  CHECK(tokens.lines() == Lines{pull, pull, push, push});
}

TEST_CASE("a registry that never knows enough is asked twice, and then it is told so", "[oci]") {
  for (const std::string scheme : {"Bearer", "Basic"}) {
    INFO(scheme);
    const ScriptedRegistry tokens([&](const Asked&) -> Said { return {"200 OK", R"({"token":"open-sesame"})"}; });
    const ScriptedRegistry registry([&](const Asked&) -> Said {
      return {"401 Unauthorized", R"({"errors":[{"code":"UNAUTHORIZED"}]})",
              "WWW-Authenticate: " + scheme + " realm=\"" + tokens.url() + "/token\"\r\n"};
    });
    const TempFolder temp;
    const auto http = curl_http();
    OciRegistry client(registry.address(), *http, logins_in(temp.write("auth.json", password_for(registry.host()))),
                       nullptr);
    for (int again = 1; again <= 2; ++again) {
      const auto tags = client.tags("m");
      REQUIRE_FALSE(tags.ok());
      CHECK(tags.error().code == Errc::invalid);
      const std::string host = registry.host();
      CHECK(tags.error().message == "'oci+http://" + host +
                                        "': cannot list m/tags/list?n=1000: the registry wants to know who asks; log "
                                        "in, as with 'skopeo login " +
                                        host + "' or 'docker login " + host +
                                        "' (401: {\"errors\":[{\"code\":\"UNAUTHORIZED\"}]})");
      // Nothing is kept that did not open the door.
      CHECK(registry.asked().size() == static_cast<std::size_t>(2 * again));
      CHECK(tokens.asked().size() == static_cast<std::size_t>(scheme == "Bearer" ? again : 0));
    }
  }
}

TEST_CASE("what a server of tokens says instead of one", "[oci]") {
  struct Row {
    const char* what;
    Said said;
    Errc code;
    std::string message;  // <server>, <registry>
  };
  const std::string who = "'<server>/token', which gives out tokens for 'oci+http://<registry>', ";
  const std::vector<Row> rows = {
      {"a refusal",
       {"401 Unauthorized", "hunter22?"},
       Errc::invalid,
       who + "refuses the login (status 401); log in again, as with 'skopeo login <registry>'"},
      {"another",
       {"403 Forbidden", "hunter22?"},
       Errc::invalid,
       who + "refuses the login (status 403); log in again, as with 'skopeo login <registry>'"},
      {"too much to do", {"429 Too Many Requests"}, Errc::unavailable, who + "cannot answer now (status 429)"},
      {"trouble", {"503 Service Unavailable"}, Errc::unavailable, who + "cannot answer now (status 503)"},
      {"a page for people", {"200 OK", "<html>hunter22"}, Errc::incompatible, who + "answers without one"},
      {"something else", {"200 OK", R"({"token":5})"}, Errc::incompatible, who + "answers without one"},
      {"an empty one", {"200 OK", R"({"token":""})"}, Errc::incompatible, who + "answers without one"},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const ScriptedRegistry tokens([&](const Asked&) { return row.said; });
    const ScriptedRegistry registry([&](const Asked&) -> Said {
      return {"401 Unauthorized", "", "WWW-Authenticate: Bearer realm=\"" + tokens.url() + "/token\",service=s\r\n"};
    });
    const TempFolder temp;
    const auto http = curl_http();
    OciRegistry client(registry.address(), *http, logins_in(temp.write("auth.json", password_for(registry.host()))),
                       nullptr);
    const auto tags = client.tags("m");
    REQUIRE_FALSE(tags.ok());
    CHECK(tags.error().code == row.code);
    std::string message = row.message;
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"<server>", tokens.url()},
                                      std::pair<std::string, std::string>{"<registry>", registry.host()}})
      for (std::size_t at = message.find(name); at != std::string::npos; at = message.find(name))
        message.replace(at, name.size(), value);
    CHECK(tags.error().message == message);
    CHECK_FALSE(tells(tags.error(), kPassword));
    CHECK(tokens.asked().size() == 1);
  }
}

TEST_CASE("a login goes nowhere with less TLS than the registry has", "[oci]") {
  const TempFolder temp;
  const auto logins = logins_in(temp.write("auth.json", password_for("r.example.com")));
  for (const char* const realm : {"http://auth.example.com/token?secret", "ftp://auth.example.com/token?secret",
                                  "/token?secret", "//auth.example.com/token?secret", ""}) {
    INFO(realm);
    ScriptedHttp http([&](const HttpRequest&) {
      return ScriptedHttp::answer(401, "", {{"www-authenticate", "Bearer realm=\"" + std::string(realm) + "\""}});
    });
    OciRegistry client({RemoteAddress::Kind::oci, "r.example.com", ""}, http, logins, nullptr);
    const auto tags = client.tags("m");
    REQUIRE_FALSE(tags.ok());
    CHECK(tags.error().code == Errc::incompatible);
    CHECK_THAT(tags.error().message, Catch::EndsWith("', which has less TLS than itself"));
    CHECK_FALSE(tells(tags.error(), "secret"));
    CHECK(http.asked.size() == 1);
  }
}

TEST_CASE("Docker Hub is known by all its names", "[oci]") {
  const TempFolder temp;
  for (const char* const key : {"https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"})
    for (const char* const name : {"docker.io", "index.docker.io", "registry-1.docker.io"}) {
      INFO(key << " " << name);
      ScriptedHttp http([&](const HttpRequest& request) {
        return ScriptedHttp::authorization(request) == kAdasBasic
                   ? ScriptedHttp::answer(200, kTags)
                   : ScriptedHttp::answer(401, "", {{"www-authenticate", "Basic"}});
      });
      OciRegistry client({RemoteAddress::Kind::oci, name, "ada"}, http,
                         logins_in(temp.write("auth.json", password_for(key))), nullptr);
      CHECK(client.tags("ada/m").ok());
      const std::string host = std::string(name) == "docker.io" ? "registry-1.docker.io" : name;
      CHECK(http.asked.back().url == "https://" + host + "/v2/ada/m/tags/list?n=1000");
    }
  // Its logins are nobody else's.
  CHECK(*find_login("docker.io.example.com", logins_in(temp.write("auth.json", password_for("docker.io")))) ==
        std::nullopt);

  const Programs programs;
  programs.add("hub", R"(printf '{"Username":"ada","Secret":"%s"}' "`cat`")");
  const auto login = find_login("docker.io", logins_in(temp.write("auth.json", R"({"credsStore":"hub"})")));
  REQUIRE(login.ok());
  CHECK(*login == OciLogin{"ada", "https://index.docker.io/v1/"});
}

TEST_CASE("what credential programs say", "[oci]") {
  struct Row {
    const char* what;
    std::string script;
    std::optional<OciLogin> login;
    std::string error = {};
  };
  const std::vector<Row> rows = {
      {"a login", R"(echo '{"ServerURL":"x","Username":"ada","Secret":"hunter22"}')", OciLogin{"ada", "hunter22"}},
      {"to what is asked for", R"(printf '{"Username":"%s","Secret":"%s"}' "$*" "`cat`")",
       OciLogin{"get", "r.example.com:5000"}},
      {"without reading what is asked for", R"(exec 0<&-; echo '{"Username":"ada","Secret":"s"}')",
       OciLogin{"ada", "s"}},
      {"with remarks", R"(echo hunter22 >&2; echo '{"Username":"ada","Secret":"s"}')", OciLogin{"ada", "s"}},
      {"an identity token", R"(echo '{"Username":"<token>","Secret":"t"}')", OciLogin{"", "", "t"}},
      {"that there is none", "echo 'credentials not found in native keychain'; exit 1", std::nullopt},
      {"nothing", "exit 0", std::nullopt},
      {"that it fails", "echo hunter22; echo hunter22 >&2; exit 3", std::nullopt,
       "'docker-credential-x' fails (status 3) when it is asked for the login to 'r.example.com:5000'; mend it, or log "
       "in without it"},
      {"nothing, because it crashes", "echo hunter22; kill -9 $$", std::nullopt,
       "'docker-credential-x' fails (signal 9) when it is asked for the login to 'r.example.com:5000'; mend it, or log "
       "in without it"},
      {"no JSON", "echo hunter22", std::nullopt,
       "docker-credential-x: it printed something else than a login (a JSON object)"},
      {"no object", R"(echo '["hunter22"]')", std::nullopt,
       "docker-credential-x: it printed something else than a login (a JSON object)"},
      {"no secret", R"(echo '{"Username":"hunter22"}')", std::nullopt,
       "docker-credential-x: it printed no user or no secret"},
      {"no user", R"(echo '{"Username":"","Secret":"hunter22"}')", std::nullopt,
       "docker-credential-x: it printed no user or no secret"},
      {"no end", "while :; do echo hunter22hunter22hunter22hunter22hunter22hunter22hunter22; done", std::nullopt,
       "'docker-credential-x' gave no login within 30 seconds and 1 MiB"},
  };
  const TempFolder temp;
  const Programs programs;
  const auto logins = logins_in(temp.write("config.json", R"({"credHelpers":{"r.example.com:5000":"x"}})"));
  for (const Row& row : rows) {
    INFO(row.what);
    programs.add("x", row.script);
    const auto login = find_login("r.example.com:5000", logins);
    CHECK((login.ok() ? "" : login.error().message) == row.error);
    if (login.ok()) CHECK(*login == row.login);
  }
  CHECK(*find_login("else.example.com", logins) == std::nullopt);
}

TEST_CASE("which credential program is asked", "[oci]") {
  const Programs programs;
  for (const char* const name : {"one", "two"})
    programs.add(name, R"(echo '{"Username":")" + std::string(name) + R"(","Secret":"s"}')");
  programs.add("none", "echo credentials not found in native keychain; exit 1");
  const std::string ada = R"({"r":{"auth":")" + base64("ada:s") + R"("}})";
  struct Row {
    const char* what;
    std::string file;
    std::string user;  // empty: nobody
    std::string error = {};
  };
  const std::vector<Row> rows = {
      {"that of the registry first", R"({"auths":)" + ada + R"(,"credHelpers":{"r":"one"},"credsStore":"two"})", "one"},
      {"a password that is there", R"({"auths":)" + ada + R"(,"credsStore":"two"})", "ada"},
      {"that of all others last", R"({"auths":{"r":{}},"credHelpers":{"q":"one"},"credsStore":"two"})", "two"},
      {"one that knows nobody", R"({"credsStore":"none"})", ""},
      {"one that is not there", R"({"credsStore":"nowhere-to-be-found"})", "",
       "a file of logins asks for 'docker-credential-nowhere-to-be-found', which cannot be started; install it, or log "
       "in without it"},
      {"one that is somewhere else", R"({"credsStore":"../../hunter22"})", "",
       "a file of logins names a credential program that has no plain name"},
  };
  const TempFolder temp;
  for (const Row& row : rows) {
    INFO(row.what);
    const auto login = find_login("r", logins_in(temp.write("config.json", row.file)));
    CHECK((login.ok() ? "" : login.error().message) == row.error);
    if (login.ok()) CHECK((*login ? (*login)->user : "") == row.user);
  }
}

TEST_CASE("a credential program is asked once, when the registry first wants to know", "[oci]") {
  const Programs programs;
  programs.add("x", "echo asked >> \"${0%/*}/count\"\necho '{\"Username\":\"ada\",\"Secret\":\"hunter22\"}'");
  bool open = true;
  const ScriptedRegistry registry([&](const Asked& asked) -> Said {
    if (open || asked.authorization() == kAdasBasic) return {"200 OK", kTags};
    return {"401 Unauthorized", "", "WWW-Authenticate: Basic realm=r\r\n"};
  });
  const TempFolder temp;
  const auto http = curl_http();
  OciRegistry client(registry.address(), *http,
                     logins_in(temp.write("config.json", R"({"credHelpers":{")" + registry.host() + R"(":"x"}})")),
                     nullptr);
  CHECK(client.tags("m").ok());
  CHECK_FALSE(boost::filesystem::exists(programs.folder().path() / "count"));
  open = false;
  for (const char* const repository : {"m", "m", "n"}) CHECK(client.tags(repository).ok());
  CHECK(programs.folder().read("count") == "asked\n");
  CHECK(registry.authorizations() == Lines{"", "", kAdasBasic, kAdasBasic, "", kAdasBasic});
}

}  // namespace trainyard::oci_login_test
