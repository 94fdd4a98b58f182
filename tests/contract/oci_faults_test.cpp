// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "storage/http/retrying_http.hpp"
#include "storage/remotes/oci_remote.hpp"
#include "tests/contract/remote_contract.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/registry_server.hpp"

// Every request that OciRemote sends to a real registry, and what networks and servers do to it on the way.
namespace trainyard::oci_faults_test {

namespace {

using remote_contract::claim_of;
using remote_contract::Content;
using remote_contract::must;
using remote_contract::package_named;
using remote_contract::put_bytes;
using remote_contract::put_content;

constexpr int kMostRequests = 40;
constexpr RetryPolicy kHasty{4, std::chrono::milliseconds(4), std::chrono::milliseconds(30),
                             std::chrono::milliseconds(100)};
const PackageName kPackage = PackageName::parse("digits").value();
const PackageVersion kVersion{1, 1};
const VersionLabel kLabel = VersionLabel::parse("production").value();

Instant system_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

const Content& version_content() {
  static const Content content = Content::of(std::string(200'000, 'v'));
  return content;
}
const Content& note() {
  static const Content content = Content::about(version_content().descriptor(), "a note");
  return content;
}
const PublicationClaim& claim() {
  static const PublicationClaim mine = claim_of(1, system_now());
  return mine;
}

// A publisher, by the proxy or without it. Each has his own way to the registry.
class Publisher {
 public:
  Publisher(const std::string& host, int place)
      : remote_(must(RemoteAddress::parse("oci+http://" + host + "/place" + std::to_string(place))), *patient_,
                only_logins(), system_now) {}
  Remote& remote() { return remote_; }

 private:
  std::unique_ptr<HttpClient> plain_ = curl_http();
  std::unique_ptr<HttpClient> patient_ = retrying(*plain_, kHasty);
  OciRemote remote_;
};

// What was made ready before the fault, by the same publisher.
enum class Ready { nothing, content, claimed, visible, attached };

void make_ready(Remote& remote, Ready ready) {
  if (ready == Ready::nothing) return;
  must(put_content(remote, kPackage, version_content()));
  if (ready == Ready::content) return;
  REQUIRE_FALSE(must(remote.claim(kPackage, kVersion, claim())));
  if (ready == Ready::claimed) return;
  must(remote.publish(kPackage, kVersion, version_content().descriptor(), claim().publication));
  if (ready == Ready::visible) return;
  must(put_content(remote, kPackage, note()));
  must(remote.attach(kPackage, note().manifest));
}

bool is_visible(Remote& remote) {
  const auto found = must(remote.find(kPackage, kVersion));
  return found && found->digest == version_content().descriptor().digest;
}

bool holds_layer(Remote& remote) {
  const Content& content = version_content();
  return remote_contract::got(remote, kPackage, Content::blob(content.layer)) == content.layer;
}

template <class T>
Result<void> same(const Result<T>& got, const T& wanted) {
  if (!got.ok()) return got.error();
  return *got == wanted ? Result<void>() : fail(Errc::invalid, "another value");
}

struct Act {
  const char* name;
  Ready ready;
  std::function<Result<void>(Remote&)> act;
  std::function<bool(Remote&)> done;  // what is true after it has succeeded
};

const std::vector<Act>& acts() {
  const auto unchanged = [](Remote& remote) { return is_visible(remote); };
  static const std::vector<Act> all = {
      {"put", Ready::nothing, [](Remote& remote) { return put_bytes(remote, kPackage, version_content().layer); },
       [](Remote& remote) { return holds_layer(remote); }},
      {"put a manifest", Ready::content,
       [](Remote& remote) -> Result<void> {
         TRY(put_bytes(remote, kPackage, note().layer));
         return remote.put_manifest(kPackage, note().manifest);
       },
       [](Remote& remote) { return must(remote.manifest(kPackage, note().descriptor().digest)) == note().manifest; }},
      {"claim", Ready::content,
       [](Remote& remote) -> Result<void> {
         return TRY(remote.claim(kPackage, kVersion, claim())) ? fail(Errc::exists, "another has it") : Result<void>();
       },
       [](Remote& remote) {
         const auto holder = must(remote.claimed(kPackage, kVersion));
         return holder && holder->publication == claim().publication;
       }},
      {"publish", Ready::claimed,
       [](Remote& remote) {
         return remote.publish(kPackage, kVersion, version_content().descriptor(), claim().publication);
       },
       [](Remote& remote) { return is_visible(remote); }},
      {"withdraw", Ready::visible,
       [](Remote& remote) {
         return remote.withdraw(kPackage, kVersion, version_content().descriptor(), claim().publication);
       },
       [](Remote& remote) { return !is_visible(remote); }},
      {"release", Ready::visible,
       [](Remote& remote) { return remote.release(kPackage, kVersion, claim().publication); },
       [](Remote& remote) { return !must(remote.claimed(kPackage, kVersion)) && is_visible(remote); }},
      {"set a label", Ready::visible,
       [](Remote& remote) { return remote.set_label(kPackage, kLabel, version_content().descriptor()); },
       [](Remote& remote) { return must(remote.labels(kPackage)).contains(kLabel); }},
      {"attach", Ready::visible,
       [](Remote& remote) -> Result<void> {
         TRY(put_content(remote, kPackage, note()));
         return remote.attach(kPackage, note().manifest);
       },
       [](Remote& remote) {
         return must(remote.attached(kPackage, version_content().descriptor().digest)).size() == 1;
       }},
      {"find", Ready::visible,
       [](Remote& remote) -> Result<void> {
         const auto found = TRY(remote.find(kPackage, kVersion));
         return found ? Result<void>() : fail(Errc::not_found, "not there");
       },
       unchanged},
      {"get", Ready::visible,
       [](Remote& remote) -> Result<void> {
         std::string bytes;
         TRY(remote.get(kPackage, Content::blob(version_content().layer), [&](std::string_view piece) -> Result<void> {
           bytes += piece;
           return {};
         }));
         return bytes == version_content().layer ? Result<void>() : fail(Errc::invalid, "other bytes");
       },
       unchanged},
      {"manifest", Ready::visible,
       [](Remote& remote) {
         return same(remote.manifest(kPackage, version_content().descriptor().digest), version_content().manifest);
       },
       unchanged},
      {"versions", Ready::visible,
       [](Remote& remote) { return same(remote.versions(kPackage), std::vector<PackageVersion>{kVersion}); },
       unchanged},
      {"packages", Ready::visible,
       [](Remote& remote) { return same(remote.packages(), std::vector<PackageName>{kPackage}); }, unchanged},
      {"attached", Ready::attached,
       [](Remote& remote) -> Result<void> {
         const auto found = TRY(remote.attached(kPackage, version_content().descriptor().digest));
         return found.size() == 1 ? Result<void>() : fail(Errc::invalid, "not one");
       },
       unchanged},
      {"probe", Ready::nothing, [](Remote& remote) { return remote.probe(); },
       [](Remote& remote) { return must(remote.packages()).empty(); }},
  };
  return all;
}

RegistryServer& registry() {
  static RegistryServer server;
  return server;
}

FaultProxy& proxy() {
  static FaultProxy way(registry().host());
  return way;
}

// A place of its own; the proxy forwards until it is told otherwise.
struct Scene {
  explicit Scene(const Act& act) : near(registry().host(), ++places), far(proxy().url().substr(7), places) {
    proxy().set("[]");
    make_ready(far.remote(), act.ready);
  }
  static inline int places = 0;
  Publisher near;
  Publisher far;
};

// Whether it is the turn of this one; all of them take minutes.
bool is_chosen(std::size_t number) { return std::getenv("TRAINYARD_EVERY_FAULT") != nullptr || number % 6 == 0; }

}  // namespace

TEST_CASE("a fault of a registry that passes is survived, whichever request it strikes") {
  const std::vector<std::string> faults = {
      R"("do": "status", "status": 500)",
      R"("do": "status", "status": 429, "headers": {"Retry-After": "0"})",
      R"("do": "close")",
      R"("do": "lose_answer")",
      R"("do": "replace_answer", "status": 502)",
      R"("do": "close_request", "bytes": 20)",
      R"("do": "close_answer", "bytes": 30)",
      R"("do": "delay", "seconds": 0.02)",
  };
  std::size_t number = 0;
  for (const Act& act : acts()) {
    for (std::size_t does = 0; does < faults.size(); ++does) {
      bool struck = true;
      for (int nth = 0; struck; ++nth) {
        REQUIRE(nth < kMostRequests);
        if (!is_chosen(number++ + does)) continue;
        INFO(act.name << ", request " << nth + 1 << ", " << faults[does]);
        Scene scene(act);
        proxy().set(faults[does], nth, 2);
        const auto done = act.act(scene.far.remote());
        struck = proxy().struck();
        INFO((done.ok() ? "" : done.error().message) << proxy().log());
        CHECK(done.ok());
        CHECK(act.done(scene.near.remote()));
      }
    }
  }
}

TEST_CASE("a fault of a registry that lasts is told in one sentence, and makes nothing visible that is half") {
  struct Row {
    std::string does;
    std::set<Errc> codes;
    std::string says;
  };
  const std::string refused = R"("headers": {"Content-Type": "application/json"}, "body": "{\"errors\":[{\"code\":\")";
  const std::vector<Row> rows = {
      {R"("do": "status", "status": 500)", {Errc::unavailable}, "cannot do it now"},
      {R"("do": "close")", {Errc::unavailable}, "cannot reach"},
      {R"("do": "lose_answer")", {Errc::unavailable}, ""},
      {R"("do": "status", "status": 507)", {Errc::unavailable}, "room"},
      {R"("do": "status", "status": 401, )" + refused + "UNAUTHORIZED\\\"}]}\"", {Errc::invalid}, "log in"},
      {R"("do": "status", "status": 403, )" + refused + "DENIED\\\"}]}\"", {Errc::invalid}, "may not do that"},
      {R"("do": "status", "status": 418, "body": "<html>\n\u001b[2J")", {Errc::io}, "418"},
      // What arrives whole and is something else.
      {R"("do": "truncate", "bytes": 12)",
       {Errc::unavailable, Errc::invalid, Errc::corrupt, Errc::incompatible, Errc::not_found},
       ""},
      {R"("do": "flip_answer", "bytes": 15)",
       {Errc::unavailable, Errc::invalid, Errc::corrupt, Errc::incompatible, Errc::not_found},
       ""},
  };
  std::size_t number = 0;
  for (const Act& act : acts()) {
    for (std::size_t does = 0; does < rows.size(); ++does) {
      const Row& row = rows[does];
      bool struck = true;
      for (int nth = 0; struck; ++nth) {
        REQUIRE(nth < kMostRequests);
        if (!is_chosen(number++ + does)) continue;
        INFO(act.name << ", from request " << nth + 1 << ", " << row.does);
        Scene scene(act);
        proxy().set(row.does, nth, -1);
        const auto done = act.act(scene.far.remote());
        struck = proxy().struck();
        INFO((done.ok() ? "it is done" : done.error().message) << proxy().log());
        // Many registries let nobody list them, whatever his login.
        const bool unlisted =
            !done.ok() && act.name == std::string("packages") && done.error().code == Errc::incompatible;
        if (!done.ok() && !unlisted) {
          CHECK(row.codes.contains(done.error().code));
          CHECK_THAT(done.error().message, !Catch::Contains("\n") && !Catch::Contains("\x1b"));
          if (row.codes.size() == 1 && !row.says.empty()) CHECK_THAT(done.error().message, Catch::Contains(row.says));
        }
        const auto visible = must(scene.near.remote().find(kPackage, kVersion));
        if (visible) CHECK(holds_layer(scene.near.remote()));
        // Once more without the fault, as the next command does it.
        proxy().set("[]");
        const auto again = act.act(scene.far.remote());
        INFO((again.ok() ? "" : again.error().message));
        CHECK(again.ok());
        CHECK(act.done(scene.near.remote()));
      }
    }
  }
}

}  // namespace trainyard::oci_faults_test
