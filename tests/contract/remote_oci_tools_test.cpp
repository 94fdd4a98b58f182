// SPDX-License-Identifier: Apache-2.0
#include "storage/http/retrying_http.hpp"
#include "storage/remotes/oci_remote.hpp"
#include "storage/values/base64.hpp"
#include "tests/contract/remote_contract.hpp"
#include "tests/support/registry_server.hpp"

// Logins, and what everybody's tools make of a registry that Trainyard published to.
namespace trainyard::remote_oci_tools_test {

using namespace remote_contract;

namespace {

const std::string kLogin = "ada:open sesame";

Instant tools_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

RemoteAddress address_of(const RegistryServer& server) {
  return must(RemoteAddress::parse("oci+http://" + server.host() + "/models"));
}

std::string skopeo(const std::vector<std::string>& words) {
  std::vector<std::string> argv{"/usr/bin/env", "skopeo", "--insecure-policy"};
  argv.insert(argv.end(), words.begin(), words.end());
  const auto ended =
      must(run_program(argv, {{"PATH", "/usr/bin:/bin"}, {"HOME", "/nonexistent"}}, "/", "", std::chrono::seconds(60)));
  INFO(ended.err);
  REQUIRE(ended.status.code == 0);
  return ended.out;
}

}  // namespace

TEST_CASE("a registry's users publish with the login that other tools keep, and others learn what to do") {
  RegistryServer server(kLogin);
  const auto plain = curl_http();
  const auto http = retrying(*plain, {6, std::chrono::milliseconds(20)});
  const TempFolder folder;
  const PackageName digits = package_named("digits");
  const Content content = Content::of("weights");
  const auto file = [&](const std::string& login) {
    return folder.write("auth.json", R"({"auths":{")" + server.host() + R"(":{"auth":")" + base64(login) + R"("}}})")
        .string();
  };
  for (const std::string& logins : {std::string(), file("ada:close sesame")}) {
    OciRemote nobody(address_of(server), *http, only_logins(logins), tools_now);
    for (const auto& refused : {nobody.probe(), put_bytes(nobody, digits, "weights")}) {
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().code == Errc::invalid);
      CHECK(refused.error().message.find("skopeo login " + server.host()) != std::string::npos);
      CHECK(refused.error().message.find("sesame") == std::string::npos);
    }
  }
  const std::string logins = file(kLogin);
  OciRemote remote(address_of(server), *http, only_logins(logins), tools_now);
  must(remote.probe());
  const PublicationClaim claim = claim_of(1, tools_now());
  must(put_content(remote, digits, content));
  REQUIRE_FALSE(must(remote.claim(digits, {1, 4}, claim)));
  must(remote.publish(digits, {1, 4}, content.descriptor(), claim.publication));
  must(remote.release(digits, {1, 4}, claim.publication));

  const std::string version = "docker://" + server.host() + "/models/digits:1.4";
  CHECK(skopeo({"inspect", "--raw", "--tls-verify=false", "--authfile", logins, version}) == content.manifest);
  for (const char* const kind : {"oci", "dir"})
    skopeo({"copy", "--src-tls-verify=false", "--src-authfile", logins, version,
            std::string(kind) + ":" + (folder.path() / kind).string() + (*kind == 'o' ? ":1.4" : "")});
  CHECK(folder.read("dir/manifest.json") == content.manifest);
  CHECK(folder.read("dir/" + sha256(content.layer).hex()) == content.layer);
  CHECK(folder.read("oci/blobs/sha256/" + sha256(content.manifest).hex()) == content.manifest);
}

TEST_CASE("content that is too large for one request arrives in chunks") {
  RegistryServer server;
  const auto http = curl_http();
  OciRemote remote(address_of(server), *http, only_logins(), tools_now);
  const PackageName digits = package_named("digits");
  const std::string large((std::size_t{65} << 20U) + 3, 'l');
  must(put_bytes(remote, digits, large));
  CHECK(got(remote, digits, Content::blob(large)) == large);
}

TEST_CASE("a package with a name that no registry takes is refused with the rule") {
  const auto http = curl_http();
  OciRemote remote(must(RemoteAddress::parse("oci+http://127.0.0.1:9/models")), *http, only_logins(), tools_now);
  for (const char* const name : {"a_", "a-", "a___b", "a_-b"}) {
    INFO(name);
    CHECK(code_of(remote.versions(package_named(name))) == Errc::invalid);
  }
  for (const char* const name : {"a", "A1", "a_b", "a__b", "a---b"}) {
    INFO(name);
    CHECK(code_of(remote.versions(package_named(name))) == Errc::unavailable);
  }
}

}  // namespace trainyard::remote_oci_tools_test
