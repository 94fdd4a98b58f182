// SPDX-License-Identifier: Apache-2.0
// Versions on their way from one store to others.
#include <catch2/catch.hpp>

#include "tests/endtoend/published_store.hpp"

namespace trainyard::publish_test {

TEST_CASE("A version that was published and pulled is byte for byte the same, and goes on from there") {
  PublishedStore one;
  const Json published = one.store.json({"publish", "counts", "--data"});
  CHECK(published.at("places").at(0).at("state") == "published");
  CHECK(shown_on(one.store, "models") == "1.2");
  TestStore other;
  one.add_remote_to(other, "models");
  const Json pulled = other.json({"pull", "counts@1.2", "--data", "--trust-keys"});
  CHECK(pulled.at("versions").size() == 3);
  CHECK(pulled.at("manifest") == published.at("places").at(0).at("manifest"));
  CHECK(records_of(other) == records_of(one.store));
  CHECK(other.run({"audit", "counts@1.2"}).status.code == 0);
  CHECK(other.run({"store", "fsck"}).status.code == 0);
  CHECK(other.run({"journal", "verify"}).status.code == 0);
  CHECK(other.run({"diff", "counts@1.1", "counts@1.2"}).status.code == 1);
  other.must({"run", "training", "counts@1.2", "--dataset", one.data.string(), "--name", "further"});
  CHECK(other.versions("counts").back() == "1.3");
  CHECK(other.run({"reproduce", "counts@1.2"}).status.code == 0);
  CHECK(boost::filesystem::is_empty(other.root() / "cache" / "pulls"));
  CHECK(other.leftovers() == "");
}

TEST_CASE("Without the data only its list is pulled, and without trust no key is known") {
  PublishedStore one;
  one.store.must({"publish", "counts@1.1"});
  TestStore other;
  one.add_remote_to(other, "models");
  const Json pulled = other.json({"pull", "counts"});
  CHECK(pulled.at("versions").size() == 2);
  CHECK(pulled.at("unknown_keys").size() == 1);
  CHECK(other.json({"snapshot", "list"}).empty());
  const ProgramOutput audited = other.run({"audit", "counts"});
  CHECK(has(audited.out, "does not have that key"));
  const Json with_data = other.json({"pull", "counts", "--data"});
  CHECK(with_data.at("missing").at(0) == "the data: it was not published with this version");
  // Nothing is wrong with data that stayed behind.
  TestStore trusting;
  one.add_remote_to(trusting, "models");
  trusting.must({"pull", "counts", "--trust-keys"});
  const ProgramOutput without = trusting.run({"audit", "counts"});
  INFO(without.out);
  CHECK(without.status.code == 0);
  CHECK(has(without.out, "did not come along when the version was pulled"));
}

TEST_CASE("What is there already is not sent again") {
  PublishedStore one;
  one.store.must({"publish", "counts@1.1", "--data"});
  const auto before = contents(one.remote("models"));
  const Json again = one.store.json({"publish", "counts@1.1", "--data"});
  CHECK(again.at("places").at(0).at("state") == "was_there");
  CHECK(again.at("bytes_sent") == 0);
  CHECK(contents(one.remote("models")) == before);
  TestStore other;
  one.add_remote_to(other, "models");
  // A pull that nobody went on with, and one that somebody may.
  for (const char* const name : {"old", "new"}) {
    const Path begun = other.root() / "cache" / "pulls" / name;
    REQUIRE(make_folders(begun).ok());
    REQUIRE(replace_file(begun, begun / "part", "bytes", 0644, Durable::no).ok());
  }
  boost::filesystem::last_write_time(other.root() / "cache" / "pulls" / "old", std::time(nullptr) - 8 * 24 * 3600);
  other.must({"pull", "counts@1.1"});
  CHECK(list_folder(other.root() / "cache" / "pulls").value() == std::vector<std::string>{"new"});
  CHECK(other.json({"pull", "counts@1.1"}).at("versions").at(1).at("state") == "was_there");
}

TEST_CASE("A new minor sends what is new") {
  PublishedStore one;
  for (int i = 0; i < 100; ++i)
    one.store.temp().write("data/" + std::to_string(i) + ".bin", noise(128U << 10U, static_cast<std::uint64_t>(i)));
  one.train("counts@1.2");
  const auto sent = [&](const std::string& version) {
    return one.store.json({"publish", version, "--data"}).at("bytes_sent").get<std::uint64_t>();
  };
  const std::uint64_t first = sent("counts@1.3");
  CHECK(first > (100U << 17U));
  one.store.temp().write("data/7.bin", noise(128U << 10U, 1000));
  one.train("counts@1.3");
  const std::uint64_t second = sent("counts@1.4");
  INFO(second << " of " << first);
  CHECK(second <= first / 50);
}

TEST_CASE("What was published before is no promise of what it takes now") {
  PublishedStore one;
  one.store.must({"publish", "counts@1.2"});
  // Data that the store keeps only from now on.
  TestStore late;
  one.add_remote_to(late, "late");
  late.add("counts");
  REQUIRE(late.train("counts", one.data).status() == "Successful");
  CHECK(late.json({"publish", "counts@1.1", "--data"}).at("missing").at(0) == "the data: the store has not kept it");
  late.must({"snapshot", "create", one.data.string()});
  CHECK(late.json({"publish", "counts@1.1", "--data"}).at("missing").empty());
  // Layers that left to those of a version before what is only theirs since that one is gone.
  one.store.must({"package", "delete", "counts@1.1", "--why", "wrong"});
  one.add_remote("second");
  one.store.must({"publish", "counts@1.2", "--to", "second"});
  TestStore other;
  one.add_remote_to(other, "second");
  other.must({"pull", "counts@1.2"});
  CHECK(other.versions("counts") == std::vector<std::string>{"1.2"});
  CHECK(other.run({"store", "fsck"}).status.code == 0);
}

TEST_CASE("What is attached later goes along when a version is promoted again") {
  PublishedStore one;
  one.add_remote("production");
  one.store.must({"publish", "counts@1.2", "--to", "models"});
  one.store.must({"promote", "counts@1.2", "models", "production"});
  one.store.must({"publish", "counts@1.2", "--to", "models", "--capsule"});
  const Json again = one.store.json({"promote", "counts@1.2", "models", "production"});
  CHECK(again.at("places").at(0).at("state") == "was_there");
  CHECK(one.store.json({"remote", "show", "production", "counts@1.2"}) ==
        one.store.json({"remote", "show", "models", "counts@1.2"}));
}

TEST_CASE("The manifest is the same on every remote, and so is what another store publishes of the same version") {
  PublishedStore one;
  one.add_remote("second");
  const Json published = one.store.json({"publish", "counts@1.2", "--to", "models", "--to", "second"});
  const std::string manifest = published.at("places").at(0).at("manifest").get<std::string>();
  CHECK(published.at("places").at(1).at("manifest") == manifest);
  one.add_remote("third");
  TestStore other;
  for (const char* const name : {"models", "third"}) one.add_remote_to(other, name);
  other.must({"pull", "counts@1.2", "--from", "models"});
  CHECK(other.json({"publish", "counts@1.2", "--to", "third"}).at("places").at(0).at("manifest") == manifest);
}

TEST_CASE("What differs is not published anywhere, and not pulled") {
  PublishedStore one;
  one.store.must({"publish", "counts@1.2"});
  PublishedStore two;  // has a counts@1.2 of its own
  one.add_remote_to(two.store, "theirs");
  // Its own remote of that name lies elsewhere.
  two.store.must({"remote", "remove", "theirs"});
  two.store.must({"remote", "add", "theirs", one.address("models")});
  const auto before = fingerprint(one.remote("models"));
  const ProgramOutput refused = two.store.run({"publish", "counts@1.2", "--to", "models", "--to", "theirs"});
  CHECK(refused.status.code == 2);
  CHECK(has(refused.err, "'theirs' has another counts@1.2 already"));
  CHECK(difference(before, fingerprint(one.remote("models"))) == "");
  CHECK(shown_on(two.store, "models") == "");
  const auto records = records_of(two.store);
  const ProgramOutput pulled = two.store.run({"pull", "counts@1.2", "--from", "theirs"});
  CHECK(pulled.status.code == 2);
  CHECK(has(pulled.err, "this store has another counts@1.0 than 'theirs'"));
  CHECK(records_of(two.store) == records);
}

TEST_CASE("A label names one version at a time on a remote") {
  PublishedStore one;
  one.store.must({"publish", "counts@1.1", "--label", "production"});
  TestStore other;
  one.add_remote_to(other, "models");
  CHECK(other.json({"pull", "counts@production"}).at("version") == "1.1");
  one.store.must({"publish", "counts@1.2", "--label", "production"});
  CHECK(other.json({"pull", "counts@production"}).at("version") == "1.2");
  CHECK(other.run({"pull", "counts@staging"}).status.code == 2);
  CHECK(has(other.run({"pull", "counts@1.7"}).err, "has no counts@1.7; it has 1.1, 1.2"));
}

TEST_CASE("A remote that asks for approval takes approved versions only") {
  PublishedStore one;
  one.store.must({"remote", "add", "strict", one.address("strict"), "--require-approval"});
  const ProgramOutput refused = one.store.run({"publish", "counts@1.2", "--to", "strict"});
  CHECK(refused.status.code == 2);
  CHECK(has(refused.err, "'strict' takes approved versions only, and counts@1.2 is PendingManualApproval"));
  one.store.must({"package", "approve", "counts@1.2", "--why", "good"});
  one.store.must({"publish", "counts@1.2", "--to", "strict"});
  CHECK(shown_on(one.store, "strict") == "1.2");
  one.store.must({"publish", "counts@1.1", "--to", "models"});
  CHECK(one.store.run({"promote", "counts@1.1", "models", "strict"}).status.code == 2);
}

TEST_CASE("A remote that is there to be read is pulled from, and never written to") {
  PublishedStore one;
  one.store.must({"publish", "counts@1.1"});
  const auto before = contents(one.remote("models"));
  TestStore other;
  CHECK(has(other.must({"remote", "add", "theirs", one.address("models"), "--read-only"}), "none is published to it"));
  CHECK(other.json({"remote", "list"}).at(0).at("use") == "reading");
  other.must({"pull", "counts@1.1"});
  for (const Arguments& write : std::vector<Arguments>{
           {"publish", "counts@1.1"},
           {"remote", "gc", "theirs", "--apply"},
           {"run", "training", "counts", "--dataset", one.data.string(), "--output-remote", "theirs"}}) {
    const ProgramOutput refused = other.run(write);
    CHECK(refused.status.code == 2);
    CHECK(has(refused.err, "'theirs' was added with --read-only"));
  }
  other.must({"remote", "gc", "theirs"});
  one.add_remote_to(other, "ours");
  CHECK(other.run({"promote", "counts@1.1", "ours", "theirs"}).status.code == 2);
  CHECK(contents(one.remote("models")) == before);
  CHECK(other.schema_mistakes().empty());
  CHECK(other.run({"remote", "add", "typed", "file:///srv/no-such-folder", "--read-only"}).status.code != 0);
}

TEST_CASE("Promoting brings the same bytes with all that is attached") {
  PublishedStore one;
  one.add_remote("production");
  one.store.must({"publish", "counts@1.2", "--to", "models", "--data", "--capsule"});
  const Json promoted = one.store.json({"promote", "counts@1.2", "models", "production", "--label", "live"});
  CHECK(promoted.at("places").at(0).at("state") == "published");
  CHECK(blobs_in(one.remote("production")) == blobs_in(one.remote("models")));
  const Json here = one.store.json({"remote", "show", "models", "counts@1.2"});
  CHECK(one.store.json({"remote", "show", "production", "counts@live"}) == here);
  CHECK(here.at("attached").size() == 6);
  CHECK(one.store.json({"promote", "counts@1.2", "models", "production"}).at("bytes_sent") == 0);
}

TEST_CASE("What the journal says of a version goes with it") {
  PublishedStore one;
  one.store.must({"publish", "counts@1.2"});
  int excerpts = 0;
  for (const auto& [digest, bytes] : blobs_in(one.remote("models"))) {
    const Path blob = one.remote("models") / "counts" / "blobs" / "sha256" / digest;
    if (!has(read_text(blob), "\"trainyard.journal-excerpt/1\"")) continue;
    ++excerpts;
    CHECK(schema_mistakes("journal-excerpt", blob) == "");
    const Json excerpt = read_json(blob);
    // Of each of three versions that it came and was attested, and of two runs that they ended.
    CHECK(excerpt.at("lines").size() == 8);
  }
  CHECK(excerpts == 1);
}

TEST_CASE("A byte that is wrong on a remote is found, and never pulled") {
  PublishedStore one;
  one.store.must({"publish", "counts@1.2"});
  CHECK(one.store.run({"remote", "verify", "models"}).status.code == 0);
  const Json shown = one.store.json({"remote", "show", "models", "counts@1.2"});
  std::vector<std::string> digests = {shown.at("manifest").get<std::string>(), shown.at("record").get<std::string>()};
  for (const Json& layer : shown.at("layers")) digests.push_back(layer.at("digest").get<std::string>().substr(7));
  for (const std::string& digest : digests) {
    INFO(digest);
    const Path blob = one.remote("models") / "counts" / "blobs" / "sha256" / digest;
    const std::string right = read_text(blob);
    std::string wrong = right;
    wrong[wrong.size() / 2] = static_cast<char>(wrong[wrong.size() / 2] ^ 1);
    boost::filesystem::remove(blob);
    one.store.temp().write("wrong", wrong);
    boost::filesystem::copy_file(one.store.temp().path() / "wrong", blob);
    const ProgramOutput verified = one.store.run({"remote", "verify", "models"});
    CHECK(verified.status.code == 1);
    CHECK(has(verified.out, "BROKEN    counts@1.2: "));
    CHECK(has(verified.out, digest));
    TestStore other;
    one.add_remote_to(other, "models");
    CHECK(other.run({"pull", "counts@1.2"}).status.code == 3);
    CHECK(other.json({"package", "list"}).empty());
    boost::filesystem::remove(blob);
    one.store.temp().write("wrong", right);
    boost::filesystem::copy_file(one.store.temp().path() / "wrong", blob);
  }
  CHECK(one.store.run({"remote", "verify", "models"}).status.code == 0);
}

TEST_CASE("People who mistype are told what to write") {
  PublishedStore one;
  const auto refused = [&](const Arguments& arguments, const std::string& sentence) {
    const ProgramOutput output = one.store.run(arguments);
    INFO(output.err);
    CHECK(output.status.code == 2);
    CHECK(has(output.err, sentence));
  };
  refused({"remote", "add", "x", "ftp://host"}, "this address is of no kind of remote; an address is 'file:///folder'");
  refused({"remote", "add", "x", "s3://key:secret@bucket"}, "no user or password belongs in it");
  refused({"remote", "add", "models", "file:///elsewhere"}, "there is a remote 'models' already");
  refused({"remote", "show", "modles"}, "did you mean 'models'?");
  refused({"publish"}, "say which version to publish");
  refused({"publish", "counts@1.9"}, "its newest is 1.2");
  refused({"publish", "counts@1.2", "--to", "modles"}, "did you mean 'models'?");
  refused({"publish", "counts@1.2", "--limit-rate", "fast"}, "--limit-rate is 'fast'");
  one.add_remote("second");
  refused({"publish", "counts@1.2"}, "say which remote is meant; there are models, second");
  refused({"pull", "counts@1.2"}, "say which remote is meant");
  one.store.must({"remote", "add", "again", one.address("models")});
  refused({"publish", "counts@1.2", "--to", "models", "--to", "again"}, "are the same place");
}

}  // namespace trainyard::publish_test
