// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/keyed_remote.hpp"

#include "tests/unit/keyed_place.hpp"

namespace trainyard::keyed_remote_test {
namespace {

using namespace std::chrono_literals;

const PackageVersion kFirst{1, 0};

template <class Value>
Error error_of(const Result<Value>& result) {
  REQUIRE_FALSE(result.ok());
  const Error error = result.error();
  CHECK(error.message.size() > 20);
  CHECK(error.message.find('\n') == std::string::npos);
  return error;
}

bool says(const Error& error, const std::string& words) {
  INFO(error.message);
  const bool found = error.message.find(words) != std::string::npos;
  CHECK(found);
  return found;
}

}  // namespace

TEST_CASE("a version lies on a remote as its grammar says", "[remotes]") {
  KeyedPlace place;
  const auto remote = place.open();
  const TestVersion version("weights");
  REQUIRE(place.publish(*remote, {1, 4}, version, "p1").value());
  REQUIRE(remote->set_label(kDigits, VersionLabel::parse("production").value(), version.manifest).ok());
  CHECK(place.listed("") == std::set<std::string>{"trainyard-remote.json", "trainyard.packages/digits.json",
                                                  "digits/blobs/sha256/" + sha256("{}").hex(),
                                                  "digits/blobs/sha256/" + sha256("weights").hex(),
                                                  "digits/blobs/sha256/" + sha256(version.text).hex(),
                                                  "digits/versions/1.4.json", "digits/labels/production.json"});
  CHECK(place.keys.read("digits/versions/1.4.json", 4096).value() ==
        "{\"manifest\":" + canonical(to_json(version.manifest)) +
            ",\"publication\":\"p1\",\"published_at\":\"2026-01-01T12:00:00.000000Z\",\"publisher\":\"ada on host7\","
            "\"schema\":\"trainyard.published/1\"}\n");
}

TEST_CASE("packages whose names differ only by case are one, and the first name counts", "[remotes]") {
  KeyedPlace place;
  const PackageName upper = PackageName::parse("Digits").value();
  REQUIRE(place.publish(*place.open(), kFirst, TestVersion("w"), "p1").value());
  const auto error = error_of(place.open()->put_manifest(upper, "{}"));
  CHECK(error.code == Errc::exists);
  says(error, "'digits'");
  CHECK(place.open()->claim(upper, kFirst, claim_of("p2", kNoon)).ok() == false);
  CHECK(place.open()->versions(upper).value().size() == 1);
  CHECK(place.open()->packages().value() == std::vector<PackageName>{kDigits});
}

TEST_CASE("a claim holds for its time, and longer for those whose clock is slow", "[remotes]") {
  KeyedPlace place;
  const auto ada = place.open();
  const auto bob = place.open();
  const TestVersion version("weights");
  REQUIRE(place.put(*ada, version).ok());
  CHECK_FALSE(ada->claim(kDigits, kFirst, claim_of("ada", kNoon)).value());
  place.pass(kClaimHolds - 1s);
  CHECK(bob->claim(kDigits, kFirst, claim_of("bob", Instant{place.time})).value()->publication == "ada");
  place.pass(2s);
  // She must not rely on it any more, and he must not break it yet.
  const auto late = error_of(ada->publish(kDigits, kFirst, version.manifest, "ada"));
  CHECK(late.code == Errc::unavailable);
  says(late, "holds no longer");
  CHECK(bob->claim(kDigits, kFirst, claim_of("bob", Instant{place.time})).value()->publication == "ada");
  CHECK(error_of(bob->collect(kDigits, 0s, Garbage::remove, Instant{place.time})).code == Errc::unavailable);
  place.pass(1min);
  CHECK_FALSE(bob->claim(kDigits, kFirst, claim_of("bob", Instant{place.time})).value());
  says(error_of(ada->publish(kDigits, kFirst, version.manifest, "ada")), "taken over by ada on host7");
  CHECK(ada->release(kDigits, kFirst, "ada").ok());
  CHECK(bob->publish(kDigits, kFirst, version.manifest, "bob").ok());
}

TEST_CASE("a claim can be made to hold longer by whoever has it", "[remotes]") {
  KeyedPlace place;
  const auto remote = place.open();
  const TestVersion version("weights");
  REQUIRE(place.put(*remote, version).ok());
  CHECK_FALSE(remote->claim(kDigits, kFirst, claim_of("ada", kNoon)).value());
  place.pass(9min);
  CHECK_FALSE(remote->claim(kDigits, kFirst, claim_of("ada", Instant{place.time})).value());
  place.pass(9min);
  CHECK(remote->publish(kDigits, kFirst, version.manifest, "ada").ok());
}

TEST_CASE("a claim from far ahead of time keeps nobody out", "[remotes]") {
  KeyedPlace place;
  const auto remote = place.open();
  CHECK_FALSE(remote->claim(kDigits, kFirst, claim_of("wrong", {kNoon.microseconds + 30 * 86'400'000'000})).value());
  CHECK_FALSE(remote->claim(kDigits, kFirst, claim_of("right", kNoon)).value());
  CHECK(remote->claimed(kDigits, kFirst).value()->publication == "right");
}

TEST_CASE("publishing without a claim, or what another published, is refused by name", "[remotes]") {
  KeyedPlace place;
  const auto remote = place.open();
  const TestVersion mine("mine");
  const TestVersion other("other");
  REQUIRE(place.put(*remote, mine).ok());
  CHECK(error_of(remote->publish(kDigits, kFirst, mine.manifest, "p1")).code == Errc::unavailable);
  REQUIRE(place.publish(*remote, kFirst, mine, "p1").value());
  const auto published = place.publish(*remote, kFirst, other, "p2");
  const Error error = error_of(published);
  CHECK(error.code == Errc::exists);
  says(error, "ada on host7 published another digits 1.0");
  says(error, "2026-01-01 12:00:00Z");
  CHECK(place.open()->withdraw(kDigits, kFirst, mine.manifest, "p2").ok());
  CHECK(remote->find(kDigits, kFirst).value()->digest == mine.manifest.digest);
}

TEST_CASE("publishers and collectors of one package give way to each other", "[remotes]") {
  KeyedPlace place;
  const auto remote = place.open();
  REQUIRE(place.put(*remote, "rubbish").ok());
  const std::string key = "digits/collecting.json";
  REQUIRE(place.keys.create(key, remote_document(Collecting{"other", kNoon})).ok());
  CHECK(error_of(remote->claim(kDigits, kFirst, claim_of("p1", kNoon))).code == Errc::unavailable);
  CHECK_FALSE(remote->claimed(kDigits, kFirst).value());
  CHECK(error_of(remote->collect(kDigits, 0s, Garbage::remove, kNoon)).code == Errc::unavailable);
  CHECK(place.keys.size(key).value());
  // One that died holds nobody up for long.
  place.pass(11min);
  CHECK_FALSE(remote->claim(kDigits, kFirst, claim_of("p1", Instant{place.time})).value());
  const auto error = error_of(remote->collect(kDigits, 0s, Garbage::remove, Instant{place.time}));
  CHECK(error.code == Errc::unavailable);
  says(error, "ada on host7");
  CHECK_FALSE(place.keys.size(key).value());
  REQUIRE(remote->release(kDigits, kFirst, "p1").ok());
  CHECK(place.collect(*remote, Garbage::remove).value().blobs == 1);
  CHECK(place.listed("digits/").empty());
}

TEST_CASE("listing garbage removes nothing, and collecting exactly what was listed", "[remotes]") {
  KeyedPlace place;
  const auto remote = place.open();
  const TestVersion version("weights");
  const TestVersion lost("lost");
  REQUIRE(place.publish(*remote, kFirst, version, "p1").value());
  REQUIRE(place.put(*remote, lost).ok());
  const OciManifest note{"application/vnd.note", blob_of("{}"), {blob_of("note")}, version.manifest};
  REQUIRE(place.put(*remote, "note").ok());
  REQUIRE(remote->attach(kDigits, note.text()).ok());
  const OciManifest deeper{"application/vnd.note",
                           blob_of("{}"),
                           {blob_of("deep")},
                           OciManifest::descriptor(note.text(), "application/vnd.note")};
  REQUIRE(place.put(*remote, "deep").ok());
  REQUIRE(remote->attach(kDigits, deeper.text()).ok());
  const OciManifest orphan{"application/vnd.note", blob_of("{}"), {blob_of("orphan")}, lost.manifest};
  REQUIRE(place.put(*remote, "orphan").ok());
  REQUIRE(remote->attach(kDigits, orphan.text()).ok());
  REQUIRE(place.keys.create("digits/blobs/sha256/README", "not ours").ok());
  const std::set<std::string> before = place.listed("digits/");
  CHECK(remote->collect(kDigits, 0s, Garbage::remove, Instant{0}).value().blobs == 0);
  CHECK(place.listed("digits/") == before);
  const auto listed = place.collect(*remote, Garbage::list).value();
  CHECK(listed.blobs == 4);
  CHECK(listed.bytes == 10 + lost.text.size() + orphan.text().size());
  CHECK(place.listed("digits/") == before);
  const auto removed = place.collect(*remote, Garbage::remove).value();
  CHECK(removed.blobs == listed.blobs);
  CHECK(removed.bytes == listed.bytes);
  CHECK(place.listed("digits/blobs/sha256/").size() == 8);
  CHECK(place.listed("digits/blobs/sha256/").count("README") == 1);
  CHECK(remote->attached(kDigits, lost.manifest.digest).value().empty());
  CHECK(remote->attached(kDigits, version.manifest.digest).value().size() == 1);
  CHECK(remote->attached(kDigits, sha256(note.text())).value().size() == 1);
  CHECK(place.collect(*remote, Garbage::list).value().blobs == 0);
}

TEST_CASE("where a manifest that is needed cannot be read, nothing is removed", "[remotes]") {
  KeyedPlace place;
  const auto remote = place.open();
  const TestVersion version("weights");
  REQUIRE(place.publish(*remote, kFirst, version, "p1").value());
  REQUIRE(place.put(*remote, "rubbish").ok());
  const std::string key = "digits/blobs/sha256/" + version.manifest.digest.hex();
  SECTION("it is damaged") { REQUIRE(place.keys.replace(key, "{}").ok()); }
  SECTION("it is gone") { REQUIRE(place.keys.remove(key).ok()); }
  SECTION("the version is damaged") { REQUIRE(place.keys.replace("digits/versions/1.0.json", "{}").ok()); }
  SECTION("a claim is damaged") { REQUIRE(place.keys.replace("digits/claims/1.0.json", "{").ok()); }
  SECTION("a label is damaged") { REQUIRE(place.keys.replace("digits/labels/best.json", "[]").ok()); }
  const auto before = place.listed("digits/");
  CHECK_FALSE(place.collect(*remote, Garbage::remove).ok());
  CHECK(place.listed("digits/") == before);
}

TEST_CASE("documents on a remote that are damaged or foreign are named", "[remotes]") {
  KeyedPlace place;
  const TestVersion version("weights");
  REQUIRE(place.publish(*place.open(), kFirst, version, "p1").value());
  const std::string marker = place.keys.read("digits/versions/1.0.json", 4096).value();
  std::string newer = marker;
  newer.replace(newer.find("published/1"), 11, "published/2");
  std::string other = marker;
  other.replace(other.find("sha256:"), 9, "sha512:ab");
  for (const std::string& text : std::vector<std::string>{
           "", "{", "null", "[]", "{}", other, newer, std::string(300'000, ' '), marker.substr(0, 40),
           std::string("\0\0\0\0", 4), "{\"schema\":\"trainyard.published/1\"}", marker + marker}) {
    INFO(text.substr(0, 60));
    REQUIRE(place.keys.replace("digits/versions/1.0.json", text).ok());
    const auto error = error_of(place.open()->find(kDigits, kFirst));
    CHECK(error.code == (text == newer ? Errc::incompatible : Errc::corrupt));
    says(error, "digits/versions/1.0.json");
  }
  REQUIRE(place.keys.replace("digits/versions/1.0.json", marker).ok());
  SECTION("what is no version is none") {
    for (const char* const name : {"latest.json", "1.0", "01.0.json", "1.json", "1.0.json.bak", "deep/1.1.json"})
      REQUIRE(place.keys.create("digits/versions/" + std::string(name), marker).ok());
    CHECK(place.open()->versions(kDigits).value() == std::vector<PackageVersion>{kFirst});
  }
  SECTION("a label in the place of another") {
    const RemoteLabel label{VersionLabel::parse("best").value(), version.manifest};
    REQUIRE(place.keys.create("digits/labels/worst.json", remote_document(label)).ok());
    CHECK(error_of(place.open()->labels(kDigits)).code == Errc::corrupt);
  }
  SECTION("a package in the place of another") {
    REQUIRE(place.keys.create("trainyard.packages/letters.json", remote_document(RemotePackage{kDigits})).ok());
    CHECK(error_of(place.open()->packages()).code == Errc::corrupt);
  }
  SECTION("a remote of a newer Trainyard") {
    REQUIRE(place.keys.replace("trainyard-remote.json", "{\"schema\":\"trainyard.remote/2\"}").ok());
    CHECK(error_of(place.open()->versions(kDigits)).code == Errc::incompatible);
    CHECK(error_of(place.open()->probe()).code == Errc::incompatible);
    CHECK(error_of(place.put(*place.open(), "x")).code == Errc::incompatible);
  }
  SECTION("content of another size") {
    REQUIRE(place.keys.replace("digits/blobs/sha256/" + sha256("weights").hex(), "weights!").ok());
    const auto remote = place.open();
    CHECK(error_of(remote->has(kDigits, blob_of("weights"))).code == Errc::corrupt);
    CHECK(error_of(place.put(*remote, "weights")).code == Errc::corrupt);
    std::string had;
    const auto got = remote->get(kDigits, blob_of("weights"), [&](std::string_view piece) -> Result<void> {
      had += piece;
      return {};
    });
    CHECK(error_of(got).code == Errc::corrupt);
    CHECK(had.empty());
  }
}

TEST_CASE("what is attached is there, with all that it needs", "[remotes]") {
  KeyedPlace place;
  const auto remote = place.open();
  const TestVersion version("weights");
  REQUIRE(place.publish(*remote, kFirst, version, "p1").value());
  const OciManifest note{"application/vnd.note", blob_of("{}"), {blob_of("note")}, version.manifest};
  CHECK(error_of(remote->attach(kDigits, version.text)).code == Errc::invalid);
  CHECK(error_of(remote->attach(kDigits, "{}")).code == Errc::invalid);
  CHECK(error_of(remote->attach(kDigits, note.text())).code == Errc::not_found);
  CHECK(remote->attached(kDigits, version.manifest.digest).value().empty());
  REQUIRE(place.put(*remote, "note").ok());
  REQUIRE(place.keys.create("digits/collecting.json", remote_document(Collecting{"other", kNoon})).ok());
  CHECK(error_of(remote->attach(kDigits, note.text())).code == Errc::unavailable);
  CHECK(remote->attached(kDigits, version.manifest.digest).value().empty());
  REQUIRE(place.keys.remove("digits/collecting.json").ok());
  CHECK(remote->attach(kDigits, note.text()).ok());
  CHECK(remote->attached(kDigits, version.manifest.digest).value().size() == 1);
  CHECK(error_of(remote->set_label(kDigits, VersionLabel::parse("x").value(), blob_of("?"))).code == Errc::not_found);
}

}  // namespace trainyard::keyed_remote_test
