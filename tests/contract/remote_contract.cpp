// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/remote_contract.hpp"

#include <algorithm>

namespace trainyard::remote_contract {

namespace {

using namespace std::chrono_literals;

const PackageVersion kFirst{1, 0};

std::vector<std::string> names(const std::vector<PackageName>& packages) {
  std::vector<std::string> names;
  for (const PackageName& each : packages) names.push_back(each.text());
  return names;
}

void tries_out_and_leaves_nothing(RemotePlace& place) {
  const auto remote = place.open();
  must(remote->probe());
  must(remote->probe());
  CHECK(must(remote->packages()).empty());
  CHECK_FALSE(remote->text().empty());
}

void shows_nothing_before_it_is_published(RemotePlace& place) {
  const auto remote = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of("weights");
  CHECK(must(remote->packages()).empty());
  CHECK(must(remote->versions(digits)).empty());
  CHECK(must(remote->labels(digits)).empty());
  CHECK_FALSE(found(*remote, digits, kFirst));
  must(put_content(*remote, digits, content));
  const PublicationClaim claim = claim_of(1, place.now());
  REQUIRE_FALSE(must(remote->claim(digits, kFirst, claim)));
  const auto reader = place.open();
  CHECK(must(reader->packages()).empty());
  CHECK(must(reader->versions(digits)).empty());
  CHECK(must(reader->labels(digits)).empty());
  CHECK_FALSE(found(*reader, digits, kFirst));
  must(remote->publish(digits, kFirst, content.descriptor(), claim.publication));
  must(remote->release(digits, kFirst, claim.publication));
  CHECK(names(must(reader->packages())) == std::vector<std::string>{"digits"});
  CHECK(must(reader->versions(digits)) == std::vector<PackageVersion>{kFirst});
  CHECK(found(*reader, digits, kFirst) == content.descriptor().digest);
}

void keeps_content_by_digest(RemotePlace& place) {
  const auto remote = place.open();
  const PackageName digits = package_named("digits");
  std::string large;
  for (unsigned i = 0; large.size() < (std::size_t{3} << 20U) + 7; ++i) large += std::to_string(i * 2654435761U);
  for (const std::string& bytes : {std::string("small"), std::string(1, '\0'), large}) {
    const OciDescriptor blob = Content::blob(bytes);
    CHECK_FALSE(must(remote->has(digits, blob)));
    const auto nothing = remote->get(digits, blob, [](std::string_view) -> Result<void> { return {}; });
    CHECK(code_of(nothing) == Errc::not_found);
    std::uint64_t moved = 0;
    const TempFolder folder;
    must(remote->put(digits, blob, folder.write("blob", bytes), [&](std::uint64_t more) { moved += more; }));
    CHECK(moved == bytes.size());
    must(put_bytes(*remote, digits, bytes));
    const auto other = place.open();
    CHECK(must(other->has(digits, blob)));
    CHECK(got(*other, digits, blob) == bytes);
    CHECK_FALSE(must(other->has(package_named("letters"), blob)));
  }
  const auto ended = remote->get(digits, Content::blob(large),
                                 [](std::string_view) { return Result<void>(fail(Errc::cancelled, "enough")); });
  CHECK(code_of(ended) == Errc::cancelled);
}

void takes_only_what_the_digest_says(RemotePlace& place) {
  const auto remote = place.open();
  const PackageName digits = package_named("digits");
  const TempFolder folder;
  const OciDescriptor blob = Content::blob("weights");
  CHECK_FALSE(remote->put(digits, blob, folder.write("other", "weighty"), [](std::uint64_t) {}).ok());
  CHECK_FALSE(must(remote->has(digits, blob)));
  CHECK_FALSE(remote->put(digits, blob, folder.path() / "missing", [](std::uint64_t) {}).ok());
  must(put_bytes(*remote, digits, "weights"));
  CHECK(got(*remote, digits, blob) == "weights");
}

void tells_what_is_damaged(RemotePlace& place) {
  const auto remote = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of(std::string(100'000, 'w'));
  publish_whole(place, *remote, digits, kFirst, content, 1);
  place.damage(digits, sha256(content.layer));
  place.damage(digits, sha256(content.manifest));
  const auto reader = place.open();
  const auto layer = reader->get(digits, Content::blob(content.layer), [](std::string_view) { return Result<void>(); });
  CHECK(code_of(layer) == Errc::corrupt);
  CHECK(code_of(reader->manifest(digits, sha256(content.manifest))) == Errc::corrupt);
}

void keeps_manifests_by_digest(RemotePlace& place) {
  const auto remote = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of("weights");
  CHECK(code_of(remote->manifest(digits, sha256(content.manifest))) == Errc::not_found);
  must(put_content(*remote, digits, content));
  must(remote->put_manifest(digits, content.manifest));
  CHECK(must(place.open()->manifest(digits, sha256(content.manifest))) == content.manifest);
  CHECK(code_of(remote->manifest(package_named("letters"), sha256(content.manifest))) == Errc::not_found);
}

void lists_in_order(RemotePlace& place) {
  const auto remote = place.open();
  for (const char* const name : {"letters", "digits", "a-b", "a_c"})
    publish_whole(place, *remote, package_named(name), kFirst, Content::of(name), 1);
  CHECK(names(must(remote->packages())) == std::vector<std::string>{"a-b", "a_c", "digits", "letters"});
  const PackageName digits = package_named("digits");
  for (const PackageVersion version : {PackageVersion{1, 10}, PackageVersion{2, 0}, PackageVersion{1, 9}})
    publish_whole(place, *remote, digits, version, Content::of(version.text()), 2);
  CHECK(must(remote->versions(digits)) == std::vector<PackageVersion>{{1, 0}, {1, 9}, {1, 10}, {2, 0}});
  CHECK(must(remote->versions(package_named("Digits"))).size() == 4);
  CHECK(found(*remote, digits, {1, 10}) == Content::of("1.10").descriptor().digest);
  CHECK_FALSE(found(*remote, digits, {1, 1}));
}

void moves_labels(RemotePlace& place) {
  const auto remote = place.open();
  const PackageName digits = package_named("digits");
  const Content first = Content::of("first");
  const Content second = Content::of("second");
  publish_whole(place, *remote, digits, kFirst, first, 1);
  publish_whole(place, *remote, digits, {1, 1}, second, 2);
  must(remote->set_label(digits, label_named("production"), first.descriptor()));
  must(remote->set_label(digits, label_named("best-yet_2"), second.descriptor()));
  must(remote->set_label(digits, label_named("production"), second.descriptor()));
  must(remote->set_label(digits, label_named("production"), second.descriptor()));
  const auto labels = must(place.open()->labels(digits));
  REQUIRE(labels.size() == 2);
  CHECK(labels.at(label_named("production")).digest == second.descriptor().digest);
  CHECK(labels.at(label_named("best-yet_2")).digest == second.descriptor().digest);
  must(remote->set_label(digits, label_named("production"), first.descriptor()));
  CHECK(must(remote->labels(digits)).at(label_named("production")).digest == first.descriptor().digest);
  CHECK(must(remote->versions(digits)).size() == 2);
  CHECK(must(remote->labels(package_named("letters"))).empty());
}

void attaches(RemotePlace& place) {
  const auto remote = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of("weights");
  publish_whole(place, *remote, digits, kFirst, content, 1);
  const OciDescriptor subject = content.descriptor();
  CHECK(must(remote->attached(digits, subject.digest)).empty());
  std::vector<Digest> expected;
  for (const char* const text : {"signature", "provenance", "capsule"}) {
    const Content note = Content::about(subject, text);
    must(put_layers(*remote, digits, note));
    must(remote->attach(digits, note.manifest));
    must(remote->attach(digits, note.manifest));
    expected.push_back(sha256(note.manifest));
  }
  std::sort(expected.begin(), expected.end());
  const auto attached = must(place.open()->attached(digits, subject.digest));
  REQUIRE(attached.size() == 3);
  for (std::size_t i = 0; i < attached.size(); ++i) {
    CHECK(attached[i].digest == expected[i]);
    CHECK(attached[i].media_type == kOciManifestType);
    CHECK(attached[i].artifact_type == "application/vnd.trainyard.note.v1");
    CHECK(attached[i].annotations == OciAnnotations{{"org.example.note", "kept"}});
    CHECK(sha256(must(remote->manifest(digits, attached[i].digest))) == expected[i]);
  }
  CHECK(must(remote->versions(digits)) == std::vector<PackageVersion>{kFirst});
  CHECK(must(remote->labels(digits)).empty());
  CHECK(must(remote->attached(digits, sha256("nothing"))).empty());
}

void collects_what_nothing_needs(RemotePlace& place) {
  const auto remote = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of("weights");
  publish_whole(place, *remote, digits, kFirst, content, 1);
  must(remote->set_label(digits, label_named("production"), content.descriptor()));
  const Content note = Content::about(content.descriptor(), "signature");
  must(put_layers(*remote, digits, note));
  must(remote->attach(digits, note.manifest));
  const Content lost = Content::of(std::string(1000, 'l'));
  must(put_content(*remote, digits, lost));
  must(put_bytes(*remote, digits, "for nothing"));

  CHECK(must(remote->collect(digits, 1h, Garbage::remove, place.now())).blobs == 0);
  CHECK(must(remote->has(digits, Content::blob("for nothing"))));
  // Somebody claimed and died.
  REQUIRE_FALSE(must(place.open()->claim(digits, {1, 1}, claim_of(2, place.now()))));
  CHECK(code_of(remote->collect(digits, 1h, Garbage::remove, place.now())) == Errc::unavailable);
  place.pass(2h);
  for (const Garbage what : {Garbage::list, Garbage::remove}) {
    const RemoteGarbage garbage = must(remote->collect(digits, 1h, what, place.now()));
    CHECK(garbage.claims == 1);
    if (place.frees() == Frees::content_and_claims) {
      CHECK(garbage.blobs >= 2);
      CHECK(garbage.bytes >= 1011);
    } else {
      CHECK_FALSE(garbage.left.empty());
    }
    if (what == Garbage::list) CHECK(must(remote->has(digits, Content::blob("for nothing"))));
  }
  const RemoteGarbage after = must(remote->collect(digits, 1h, Garbage::list, place.now()));
  CHECK(after.claims == 0);
  CHECK(after.blobs == 0);
  if (place.frees() == Frees::content_and_claims) {
    CHECK_FALSE(must(remote->has(digits, Content::blob("for nothing"))));
    CHECK_FALSE(must(remote->has(digits, Content::blob(lost.layer))));
    CHECK(code_of(remote->manifest(digits, sha256(lost.manifest))) == Errc::not_found);
  }
  const auto reader = place.open();
  CHECK(found(*reader, digits, kFirst) == content.descriptor().digest);
  CHECK(must(reader->manifest(digits, content.descriptor().digest)) == content.manifest);
  CHECK(got(*reader, digits, Content::blob(content.layer)) == content.layer);
  CHECK(got(*reader, digits, Content::blob("{}")) == "{}");
  CHECK(must(reader->labels(digits)).size() == 1);
  CHECK(must(reader->attached(digits, content.descriptor().digest)).size() == 1);
  CHECK(got(*reader, digits, Content::blob("signature")) == "signature");
  publish_whole(place, *remote, digits, {1, 1}, lost, 3);
}

std::vector<Promise> promises_about_content() {
  return {{"it can be tried out, which leaves nothing", tries_out_and_leaves_nothing},
          {"nothing is visible before it is published", shows_nothing_before_it_is_published},
          {"content is kept by its digest, apart for each package", keeps_content_by_digest},
          {"only what the digest says is taken", takes_only_what_the_digest_says},
          {"what is damaged is called corrupt", tells_what_is_damaged},
          {"manifests are kept by their digest", keeps_manifests_by_digest},
          {"packages and versions come in order", lists_in_order},
          {"labels move", moves_labels},
          {"manifests are attached to others", attaches},
          {"what nothing needs is collected, and nothing else", collects_what_nothing_needs}};
}

}  // namespace

void keep_promises(const std::function<std::unique_ptr<RemotePlace>()>& make_place) {
  for (const auto& promises : {promises_about_content(), promises_about_publishing()}) {
    for (const Promise& promise : promises) {
      DYNAMIC_SECTION(promise.says) {
        const auto place = make_place();
        promise.keep(*place);
      }
    }
  }
}

}  // namespace trainyard::remote_contract
