// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "storage/remotes/oci_headers.hpp"
#include "storage/remotes/oci_login.hpp"
#include "storage/remotes/oci_registry.hpp"
#include "storage/remotes/oci_tickets.hpp"
#include "storage/remotes/remote.hpp"
#include "storage/values/base64.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/tiny_server.hpp"

namespace trainyard::oci_remote_parts_test {

TEST_CASE("a registry's challenges are read") {
  using Challenges = std::vector<AuthChallenge>;
  CHECK(challenges_in("").empty());
  CHECK(challenges_in("Basic") == Challenges{{"basic", {}}});
  CHECK(challenges_in("Basic realm=\"a \\\"b\\\", c\"") == Challenges{{"basic", {{"realm", "a \"b\", c"}}}});
  CHECK(challenges_in(
            "Bearer realm=\"https://auth.example.com/token\",service=registry,scope=\"repository:a/b:pull,push\"") ==
        Challenges{{"bearer",
                    {{"realm", "https://auth.example.com/token"},
                     {"service", "registry"},
                     {"scope", "repository:a/b:pull,push"}}}});
  CHECK(challenges_in("Negotiate, BASIC Realm = x , Bearer realm=y") ==
        Challenges{{"negotiate", {}}, {"basic", {{"realm", "x"}}}, {"bearer", {{"realm", "y"}}}});
  CHECK(challenges_in("Basic realm=\"never ends").size() == 1);
  CHECK(challenges_in("= \"\" ,,").empty());
}

TEST_CASE("the next page of a list is found") {
  CHECK(next_page_in("</v2/_catalog?n=5&last=e>; rel=\"next\"") == "/v2/_catalog?n=5&last=e");
  CHECK(next_page_in("<a>; rel=prev, <b>; title=x; rel=next") == "b");
  CHECK(next_page_in("<b>;rel=\"Next\"") == "b");
  CHECK_FALSE(next_page_in("<b>; rel=\"last\""));
  CHECK_FALSE(next_page_in("<b"));
  CHECK_FALSE(next_page_in(""));
}

TEST_CASE("what a registry has of an upload is read") {
  CHECK(uploaded_in("0-4") == 5);
  CHECK(uploaded_in("bytes=0-99") == 100);
  CHECK(uploaded_in("0-0") == 0);
  CHECK_FALSE(uploaded_in("1-4"));
  CHECK_FALSE(uploaded_in("0-"));
  CHECK_FALSE(uploaded_in("0-18446744073709551615"));
  CHECK_FALSE(uploaded_in(""));
}

TEST_CASE("where a part of content begins is read") {
  CHECK(first_in("bytes 5-9/10") == 5);
  CHECK(first_in("Bytes 0-9/*") == 0);
  for (const char* const other : {"", "bytes", "bytes */10", "bytes=5-9", "lines 5-9/10", "bytes -9/10", "bytes 5"})
    CHECK_FALSE(first_in(other));
}

TEST_CASE("where a registry points to is made absolute") {
  const std::string base = "http://127.0.0.1:5000/v2/a/blobs/uploads/?x=/y";
  CHECK(resolved_url(base, "https://else.example.com/b?c=d") == "https://else.example.com/b?c=d");
  CHECK(resolved_url(base, "/v2/b?_state=http://z") == "http://127.0.0.1:5000/v2/b?_state=http://z");
  CHECK(resolved_url(base, "//else.example.com/b") == "http://else.example.com/b");
  CHECK(resolved_url(base, "1234?_state=z") == "http://127.0.0.1:5000/v2/a/blobs/uploads/1234?_state=z");
  CHECK(resolved_url(base, "?y") == "http://127.0.0.1:5000/v2/a/blobs/uploads/?y");
  CHECK(origin_of("HTTPS://Example.com:5/x") == "https://example.com:5");
  CHECK(origin_of("https://example.com?x") == "https://example.com");
  CHECK(origin_of("https://Example.com:443/x") == "https://example.com");
  CHECK(origin_of("http://example.com:80") == "http://example.com");
  CHECK(origin_of("http://example.com:443/x") == "http://example.com:443");
  CHECK(origin_of("https://example.com:80/x") == "https://example.com:80");
  CHECK(origin_of("nothing").empty());
  CHECK(shown_url("https://a/b?secret") == "https://a/b");
  CHECK(shown_url("https://a\xff\x1b[2J/b") == "https://a\xEF\xBF\xBD?[2J/b");
  CHECK(percent_encoded("sha256:a b/ü") == "sha256%3Aa%20b%2F%C3%BC");
}

TEST_CASE("what a registry has can be named in a manifest, whatever it says of it") {
  const std::string manifest = OciManifest{"t", oci_empty_config(), {oci_empty_config()}}.text();
  const std::string digest = "Docker-Content-Digest: sha256:" + sha256(manifest).hex() + "\r\n";
  const std::string length = std::to_string(manifest.size());
  for (const std::string& headers :
       {"Content-Length: " + length + "\r\n" + digest,
        "Content-Length: 9223372036854775808\r\nContent-Type:\r\n" + digest, "Content-Length: " + length + "\r\n"}) {
    INFO(headers);
    const TinyServer server([&](const TinyServer::Connection& connection) {
      const bool head = connection.request().substr(0, 4) == "HEAD";
      if (!head) return connection.answer("200 OK", manifest);
      connection.say("HTTP/1.1 200 OK\r\nConnection: close\r\n" + headers + "\r\n");
    });
    const auto address = RemoteAddress::parse("oci+http:" + server.url().substr(5));
    REQUIRE(address.ok());
    const auto http = curl_http();
    OciRegistry registry(
        *address, *http, [](const char*) { return std::optional<std::string>(); }, nullptr);
    const auto found = registry.look("digits", "1.4");
    REQUIRE(found.ok());
    REQUIRE(found->has_value());
    CHECK(**found == OciManifest::descriptor(manifest, ""));
  }
}

TEST_CASE("logins are found where Docker and Podman keep them") {
  const auto entry = [](std::string_view json, std::string_view registry = "r.example.com:5000") {
    return login_entry_in(json, registry, "auth.json");
  };
  const std::string ada = base64("ada:se:cret");
  const OciLogin login{"ada", "se:cret"};
  CHECK(*entry("{}") == OciLoginEntry{});
  CHECK(entry(R"({"auths":{"r.example.com:5000":{"auth":")" + ada + R"("}}})")->login == login);
  CHECK(entry(R"({"auths":{"https://r.example.com:5000/v2/":{"auth":")" + ada + R"("}}})")->login == login);
  CHECK_FALSE(entry(R"({"auths":{"r.example.com":{"auth":")" + ada + R"("}}})")->login);
  CHECK(entry(R"({"auths":{"r.example.com:5000":{"username":"ada","password":"se:cret"}}})")->login == login);
  CHECK(entry(R"({"auths":{"r.example.com:5000":{"identitytoken":"t"}}})")->login == OciLogin{"", "", "t"});
  CHECK(entry(R"({"auths":{"r.example.com:5000":{}},"credsStore":"pass"})")->program == "pass");
  CHECK(entry(R"({"credHelpers":{"r.example.com:5000":"gcloud"},"credsStore":"pass"})")->program == "gcloud");
  CHECK(entry(R"({"credHelpers":{"other":"gcloud"},"credsStore":"pass"})")->program == "pass");
  // A secret is in no error.
  for (const char* const bad : {R"({"auths":{"r.example.com:5000":{"auth":"c2VjcmV0"}}})", "secret", "[\"secret\"]",
                                R"({"auths":{"r.example.com:5000":"secret"}})"}) {
    const auto refused = entry(bad);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("secret") == std::string::npos);
    CHECK(refused.error().message.find("c2Vj") == std::string::npos);
    CHECK(refused.error().message.find("auth.json") != std::string::npos);
  }
  CHECK(*login_printed(R"({"ServerURL":"x","Username":"ada","Secret":"s"})") == OciLogin{"ada", "s"});
  CHECK(*login_printed(R"({"Username":"<token>","Secret":"s"})") == OciLogin{"", "", "s"});
  CHECK_FALSE(login_printed("credentials not found").ok());
}

TEST_CASE("files of logins are looked for where the environment says") {
  std::map<std::string, std::string> set{{"XDG_RUNTIME_DIR", "/run/user/1"}, {"HOME", "/home/ada"}};
  const Environment environment = [&](const char* name) -> std::optional<std::string> {
    const auto found = set.find(name);
    return found == set.end() ? std::nullopt : std::optional(found->second);
  };
  CHECK(login_files(environment) ==
        std::vector<Path>{"/run/user/1/containers/auth.json", "/home/ada/.docker/config.json"});
  set["DOCKER_CONFIG"] = "/d";
  CHECK(login_files(environment) == std::vector<Path>{"/run/user/1/containers/auth.json", "/d/config.json"});
  set["REGISTRY_AUTH_FILE"] = "/a.json";
  CHECK(login_files(environment) == std::vector<Path>{"/a.json"});
  CHECK_FALSE(ask_credential_program("../evil", "r").ok());
  CHECK_FALSE(ask_credential_program("no-such-program-here", "r").ok());
}

TEST_CASE("tickets are told by tags") {
  const OciTicket ticket{OciTicket::Kind::ticket, {1, 4}, 7, {1'800'000'000'000'000}, "0189-aBc"};
  const OciTicket choosing{OciTicket::Kind::choosing, {1, 4}, 0, {5}, "x"};
  CHECK(ticket.tag() == "_ticket.1.4.7.1800000000000000.0189-aBc");
  CHECK(choosing.tag() == "_choosing.1.4.5.x");
  CHECK(OciTicket::parse(ticket.tag()) == ticket);
  CHECK(OciTicket::parse(choosing.tag()) == choosing);
  for (const char* const other :
       {"1.4", "production", "", "_", "_ticket", "_ticket.1.4.7.5", "_ticket.1.4.-7.5.x", "_ticket.1.4.07.5.x",
        "_ticket.1.4.7.5.x.y", "_ticket.1.4.7.5.", "_ticket.1.4.7.5.a_b", "_choosing.1.4.-5.x", "_choosing.a.4.5.x",
        "_ticket.1.4.4294967296.5.x", "_ticket.1.4.4294967295.5.x"}) {
    INFO(other);
    CHECK_FALSE(OciTicket::parse(other));
  }
  CHECK(tickets_of({1, 4}, {"1.4", ticket.tag(), "_ticket.1.5.7.5.x", choosing.tag()}) ==
        std::vector<OciTicket>{ticket, choosing});
}

TEST_CASE("the lowest ticket that is fresh wins") {
  using Kind = OciTicket::Kind;
  const Instant now{std::int64_t{10'000} * 1'000'000};
  const auto ago = [&](int seconds) { return Instant{now.microseconds - std::int64_t{seconds} * 1'000'000}; };
  const OciTicket first{Kind::ticket, {}, 1, ago(10), "b"};
  const OciTicket same{Kind::ticket, {}, 1, ago(5), "a"};
  const OciTicket second{Kind::ticket, {}, 2, ago(600), "0"};
  const OciTicket stale{Kind::ticket, {}, 0, ago(601), "0"};
  const OciTicket chooses{Kind::choosing, {}, 0, ago(120), "c"};
  const OciTicket gone{Kind::choosing, {}, 0, ago(121), "d"};
  CHECK_FALSE(winner_of({}, now));
  CHECK_FALSE(winner_of({stale, chooses}, now));
  CHECK(winner_of({second, stale, chooses}, now) == second);
  CHECK(winner_of({second, first, stale}, now) == first);
  CHECK(winner_of({first, same, second}, now) == same);
  CHECK(choosing_in({first, chooses, gone}, "b", now) == std::vector<OciTicket>{chooses});
  CHECK(choosing_in({first, chooses, gone}, "c", now).empty());
  CHECK(next_number({}) == 1);
  CHECK(next_number({stale, second, first, chooses}) == 3);
  // The highest that there is: whoever comes later is served later.
  const auto highest = OciTicket::parse("_ticket.1.4.4294967294.5.x");
  REQUIRE(highest);
  CHECK(next_number({*highest}) == 4'294'967'295U);
}

}  // namespace trainyard::oci_remote_parts_test
