// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/values/sha256.hpp"
#include "tests/contract/key_store_contract.hpp"
#include "tests/support/ceph_bucket.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/temp_folder.hpp"

// Every request that S3Keys sends to a real gateway, and what networks and servers do to it on the way.
namespace trainyard::s3_faults_test {

namespace {

using key_store_contract::some_bytes;
using key_store_contract::streamed;

const Instant kLater = Instant::parse("9999-01-01T00:00:00.000000Z").value();
constexpr int kMostRequests = 20;

// A method of a key store: on a bucket that holds the key "there", and what is true after it has succeeded.
struct Act {
  std::string name;
  std::function<Result<void>(KeyStore&)> act;
  std::function<bool(KeyStore&)> done;
};

bool holds(KeyStore& keys, const std::string& key, const std::string& bytes) {
  return keys.size(key).value() == bytes.size() && streamed(keys, key) == bytes;
}

std::vector<Act> acts(const Path& small, const Path& large, const std::string& text, const std::string& parts) {
  const auto nothing_changed = [](KeyStore& keys) { return keys.size("there").ok(); };
  const auto put = [](const Path& file, const std::string& bytes) {
    return [file, &bytes](KeyStore& keys) { return keys.put("new", file, bytes.size(), sha256(bytes), [](auto) {}); };
  };
  return {
      {"create", [&](KeyStore& keys) { return keys.create("new", text); },
       [&](KeyStore& keys) { return holds(keys, "new", text); }},
      {"replace", [&](KeyStore& keys) { return keys.replace("there", text + "new"); },
       [&](KeyStore& keys) { return holds(keys, "there", text + "new"); }},
      {"put whole", put(small, text), [&](KeyStore& keys) { return holds(keys, "new", text); }},
      {"put in parts", put(large, parts), [&](KeyStore& keys) { return holds(keys, "new", parts); }},
      {"size",
       [&](KeyStore& keys) -> Result<void> {
         const auto size = keys.size("there");
         if (!size.ok()) return size.error();
         return *size == text.size() ? Result<void>() : fail(Errc::invalid, "a wrong size");
       },
       nothing_changed},
      {"read",
       [&](KeyStore& keys) -> Result<void> {
         const auto read = keys.read("there", text.size());
         if (!read.ok()) return read.error();
         return *read == text ? Result<void>() : fail(Errc::invalid, "wrong bytes");
       },
       nothing_changed},
      {"list",
       [&](KeyStore& keys) -> Result<void> {
         std::set<std::string> all;
         const auto listed = keys.list("", [&](const KeyEntry& entry) -> Result<void> {
           all.insert(entry.key);
           return {};
         });
         if (!listed.ok()) return listed;
         return all == std::set<std::string>{"there"} ? Result<void>() : fail(Errc::invalid, "a wrong list");
       },
       nothing_changed},
      {"remove", [](KeyStore& keys) { return keys.remove("there"); },
       [](KeyStore& keys) { return !keys.size("there").value().has_value(); }},
      {"abandon",
       [](KeyStore& keys) -> Result<void> {
         const auto left = keys.unfinished("", kLater, KeyStore::Unfinished::abandon);
         return left.ok() ? Result<void>() : left.error();
       },
       [](KeyStore& keys) { return keys.unfinished("", kLater, KeyStore::Unfinished::count).value() == 0; }},
      {"probe", [](KeyStore& keys) { return keys.probe(); }, nothing_changed},
  };
}

// A bucket, the gateway itself, and the way there by the proxy.
struct Scene {
  explicit Scene(CephBucket& ceph, FaultProxy& proxy, const Path& large, const std::string& parts, const Act& act,
                 const std::string& text)
      : near(ceph.open()), far(ceph.open(proxy.url())) {
    REQUIRE(near->replace("there", text).ok());
    REQUIRE(near->remove("new").ok());
    REQUIRE(near->unfinished("", kLater, KeyStore::Unfinished::abandon).ok());
    if (act.name == "abandon")
      key_store_contract::put_and_die([&] { return ceph.open(); }, "new", large, parts, parts.size() / 2);
  }
  std::unique_ptr<KeyStore> near;
  std::unique_ptr<KeyStore> far;
};

struct Files {
  TempFolder folder;
  std::string text = some_bytes(50'000, 1);
  std::string parts = some_bytes((std::size_t{11} << 20U) + 5, 2);
  Path small = folder.write("small", text);
  Path large = folder.write("large", parts);
};

}  // namespace

TEST_CASE("a fault that passes is survived, whichever request it strikes", "[ceph]") {
  const std::vector<std::string> faults = {
      R"("do": "status", "status": 500)",
      R"("do": "status", "status": 503, "headers": {"Retry-After": "1"})",
      R"("do": "close")",
      R"("do": "lose_answer")",
      R"("do": "replace_answer", "status": 502)",
      R"("do": "close_request", "bytes": 20000)",
      R"("do": "close_answer", "bytes": 30)",
      R"("do": "flip_request", "bytes": 9)",
      R"("do": "delay", "seconds": 0.05)",
  };
  const std::string does = GENERATE_REF(from_range(faults));
  Files files;
  CephBucket ceph;
  FaultProxy proxy(ceph.server());
  for (const Act& act : acts(files.small, files.large, files.text, files.parts)) {
    for (int nth = 0; nth < kMostRequests; ++nth) {
      INFO(act.name << ", request " << nth + 1 << ", " << does);
      const Scene scene(ceph, proxy, files.large, files.parts, act, files.text);
      proxy.set(does, nth, 2);
      const auto done = act.act(*scene.far);
      const bool struck = proxy.struck();
      INFO((done.ok() ? "" : done.error().message) << proxy.log());
      CHECK(done.ok());
      CHECK(act.done(*scene.near));
      if (!struck) break;
      REQUIRE(nth + 1 < kMostRequests);
    }
  }
}

TEST_CASE("a fault that lasts is told in one sentence, and leaves nothing that is half", "[ceph]") {
  struct Row {
    std::string does;
    std::set<Errc> codes;
    std::string says;
  };
  const std::string error = R"("headers": {"Content-Type": "application/xml"}, "body": "<Error><Code>)";
  const std::vector<Row> rows = {
      {R"("do": "status", "status": 500)", {Errc::unavailable}, "500"},
      {R"("do": "close")", {Errc::unavailable}, "cannot reach"},
      {R"("do": "lose_answer")", {Errc::unavailable}, "cannot reach"},
      {R"("do": "status", "status": 507)", {Errc::unavailable}, "room"},
      {R"("do": "status", "status": 403, )" + error + "QuotaExceeded</Code></Error>\"", {Errc::unavailable}, "quota"},
      {R"("do": "status", "status": 400, )" + error + "ExpiredToken</Code></Error>\"", {Errc::io}, "session"},
      {R"("do": "status", "status": 403, )" + error + "AccessDenied</Code></Error>\"", {Errc::io}, "AccessDenied"},
      {R"("do": "status", "status": 418, "body": "<html>\n\u001b[2J")", {Errc::io}, "418"},
      // What arrives whole and is something else: a listing cannot be told from another, and is not taken for one.
      {R"("do": "truncate", "bytes": 60)", {Errc::unavailable, Errc::invalid}, ""},
      {R"("do": "flip_answer", "bytes": 45)", {Errc::unavailable, Errc::invalid}, ""},
  };
  const Row row = GENERATE_REF(from_range(rows));
  const bool tells = row.says.empty();
  Files files;
  CephBucket ceph;
  FaultProxy proxy(ceph.server());
  for (const Act& act : acts(files.small, files.large, files.text, files.parts)) {
    for (int nth = 0; nth < kMostRequests; ++nth) {
      INFO(act.name << ", from request " << nth + 1 << ", " << row.does);
      const Scene scene(ceph, proxy, files.large, files.parts, act, files.text);
      proxy.set(row.does, nth, -1);
      const auto done = act.act(*scene.far);
      const bool struck = proxy.struck();
      INFO((done.ok() ? "" : done.error().message));
      if (!done.ok()) {
        CHECK(row.codes.count(done.error().code) == 1);
        CHECK_THAT(done.error().message,
                   Catch::Contains(row.says) && !Catch::Contains("\n") && !Catch::Contains("\x1b"));
      }
      CHECK((tells || !struck || !done.ok()));
      const auto there = scene.near->size("new");
      REQUIRE(there.ok());
      if (*there) CHECK((holds(*scene.near, "new", act.name == "put in parts" ? files.parts : files.text)));
      // Once more without the fault; what was created although nobody heard of it is there already.
      const auto again = act.act(*scene.near);
      INFO((again.ok() ? "" : again.error().message));
      CHECK((again.ok() || again.error().code == Errc::exists));
      CHECK(act.done(*scene.near));
      if (!struck) break;
      REQUIRE(nth + 1 < kMostRequests);
    }
  }
}

TEST_CASE("bytes that break off are asked for from where they broke, and of the same content alone", "[ceph]") {
  CephBucket ceph;
  FaultProxy proxy(ceph.server());
  const std::string bytes = some_bytes(3'000'000);
  const auto near = ceph.open();
  REQUIRE(near->replace("x", bytes).ok());
  const auto far = ceph.open(proxy.url());
  proxy.set(R"([{"do": "close_answer", "bytes": 400000, "times": 5}])");
  CHECK((streamed(*far, "x") == bytes));
  CHECK(proxy.struck());

  proxy.set(R"([{"do": "close_answer", "bytes": 400000}])");
  bool replaced = false;
  const auto torn = far->stream("x", [&](std::string_view) -> Result<void> {
    if (!std::exchange(replaced, true)) REQUIRE(near->replace("x", some_bytes(3'000'000, 5)).ok());
    return {};
  });
  REQUIRE_FALSE(torn.ok());
  CHECK(torn.error().code == Errc::unavailable);
  CHECK_THAT(torn.error().message, Catch::Contains("replaced while it was read"));

  proxy.set(R"([{"do": "close_answer", "bytes": 1000, "times": -1}])");
  const auto endless = far->stream("x", [](std::string_view) -> Result<void> { return {}; });
  REQUIRE_FALSE(endless.ok());
  CHECK(endless.error().code == Errc::unavailable);
}

TEST_CASE("a server that does not obey If-None-Match is refused", "[ceph]") {
  CephBucket ceph;
  FaultProxy proxy(ceph.server());
  proxy.set(R"([{"do": "replace_answer", "status": 200, "method": "PUT", "times": -1}])");
  const auto done = ceph.open(proxy.url())->probe();
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == Errc::incompatible);
  CHECK_THAT(done.error().message, Catch::Contains("If-None-Match"));
}

TEST_CASE("an upload that fails after the server has said 200 has failed", "[ceph]") {
  CephBucket ceph;
  FaultProxy proxy(ceph.server());
  Files files;
  const auto far = ceph.open(proxy.url());
  const auto put = [&] {
    return far->put("new", files.large, files.parts.size(), sha256(files.parts), [](std::uint64_t) {});
  };
  const std::string finishing =
      R"("do": "status", "status": 200, "method": "POST", "match": "uploadId=", "body": "<Error><Code>InternalError</Code></Error>")";
  proxy.set("[{\"times\": -1, " + finishing + "}]");
  const auto failed = put();
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == Errc::unavailable);
  CHECK_THAT(failed.error().message, Catch::Contains("InternalError"));
  CHECK_FALSE(ceph.open()->size("new").value().has_value());
  proxy.set("[{\"times\": 2, " + finishing + "}]");
  CHECK(put().ok());
  CHECK((streamed(*ceph.open(), "new") == files.parts));
}

}  // namespace trainyard::s3_faults_test
