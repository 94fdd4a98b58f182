// SPDX-License-Identifier: Apache-2.0
// Data in a bucket of a real Ceph gateway, as a user runs on it.
#include <catch2/catch.hpp>

#include "tests/endtoend/two_folders.hpp"
#include "tests/support/ceph_bucket.hpp"

namespace trainyard::bucket_data_ceph_test {
namespace {

struct Yard {
  TestStore store;
  CephBucket bucket;
  std::unique_ptr<KeyStore> keys = bucket.open();
  std::string data = "s3://" + bucket.address().place + "/team/models?endpoint=" + bucket.own_settings().endpoint;
  Variables credentials = {{"AWS_ACCESS_KEY_ID", bucket.own_settings().credentials.access_key_id},
                           {"AWS_SECRET_ACCESS_KEY", bucket.own_settings().credentials.secret_access_key},
                           {"AWS_REGION", bucket.own_settings().region}};

  Yard() { store.add("counts"); }
  void write(const std::string& key, const std::string& bytes) { REQUIRE(keys->replace(key, bytes).ok()); }
  EndedRun train(const std::string& name, const Arguments& more = {}) {
    Arguments arguments = {"run", "training", "counts", "--dataset", data, "--name", name, "--allow-repeat"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return store.end(name, store.run(arguments, credentials));
  }
};

const Json& dataset_of(const EndedRun& run) { return run.traceability().at("datasets").at(0); }

}  // namespace

TEST_CASE("A run works with what lies in a bucket, and its results name the state of it", "[ceph]") {
  Yard yard;
  yard.write("training/one.csv", "1\n");
  yard.write("training/für alle.csv", "22\n");
  yard.write("large.bin", std::string(9U << 20U, 'x'));
  const EndedRun run = yard.train("first");
  INFO(run.output.err);
  REQUIRE(run.status() == "Successful");
  CHECK(run.results.at("parameters").at("inputs").at("train_data") == yard.data);
  const Json& dataset = dataset_of(run);
  CHECK(dataset.at("kind") == "bucket");
  CHECK(dataset.at("tree").at("files") == 3);
  REQUIRE(dataset.at("bucket").at("objects").size() == 3);
  CHECK(dataset.at("bucket").at("objects")[0].at("key") == "large.bin");
  CHECK(dataset.at("bucket").at("objects")[0].at("tag").is_string());
  CHECK(yard.store.schema_mistakes().empty());
  CHECK_FALSE(has(run.results.dump(), yard.bucket.own_settings().credentials.secret_access_key));

  // Nothing changed, so nothing is read again.
  const EndedRun second = yard.train("second");
  CHECK(dataset_of(second).at("tree") == dataset.at("tree"));
  CHECK(dataset_of(second).at("bucket") == dataset.at("bucket"));
  yard.write("training/one.csv", "one\n");
  CHECK(dataset_of(yard.train("third")).at("tree") != dataset.at("tree"));

  const Json added =
      parse_json(yard.store.run({"dataset", "add", "x", yard.data, "--json"}, yard.credentials).out, "it").value();
  CHECK(added.at("source") == yard.data);
  CHECK(has(yard.store.must({"trace", "counts@1.1"}), yard.data.substr(0, 20)));
}

TEST_CASE("A version is reproduced from the bucket, until that holds something else", "[ceph]") {
  Yard yard;
  yard.write("a.csv", "of the first day\n");
  REQUIRE(yard.train("first").status() == "Successful");
  yard.store.must({"store", "gc", "--apply-now"});
  CHECK(yard.store.run({"reproduce", "counts@1.1"}, yard.credentials).status.code == 0);
  yard.store.must({"store", "gc", "--apply-now"});
  yard.write("a.csv", "of the second day\n");
  const ProgramOutput output = yard.store.run({"reproduce", "counts@1.1"}, yard.credentials);
  INFO(output.out << output.err);
  CHECK(output.status.code != 0);
}

TEST_CASE("The id of a version is told where a bucket keeps versions", "[ceph]") {
  Yard yard;
  yard.bucket.keep_versions("Enabled");
  yard.write("a.csv", "1\n");
  const EndedRun run = yard.train("first");
  CHECK(dataset_of(run).at("bucket").at("objects")[0].at("version").is_string());
}

TEST_CASE("Without credentials, or with an empty prefix, no run begins", "[ceph]") {
  Yard yard;
  const ProgramOutput empty = yard.store.run({"run", "training", "counts", "--dataset", yard.data}, yard.credentials);
  CHECK(empty.status.code == 2);
  const ProgramOutput unknown =
      yard.store.run({"run", "training", "counts", "--dataset", yard.data}, {{"HOME", "/nowhere"}});
  CHECK(unknown.status.code != 0);
  CHECK(yard.store.json({"runs", "list"}).empty());
}

}  // namespace trainyard::bucket_data_ceph_test
