// SPDX-License-Identifier: Apache-2.0
// What runs leave goes to a remote at their end.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "runner/processes/clock.hpp"
#include "storage/values/sha256.hpp"
#include "tests/endtoend/two_folders.hpp"

namespace trainyard::outputs_test {
namespace {

struct Yard {
  TestStore store;
  Path data = store.temp().folder("data");
  Path place = store.temp().path() / "place";

  Yard() {
    store.temp().write("data/x.csv", "1,2\n");
    store.add("counts");
    store.must({"remote", "add", "outputs", "file://" + place.string()});
  }
  [[nodiscard]] Json other_labels() const {
    const Json packages = store.json({"remote", "show", "outputs", "counts"});
    return packages.empty() ? Json::array() : packages.at(0).at("other_labels");
  }
  // The manifest of a run's outputs, found as somebody without Trainyard finds it.
  [[nodiscard]] Json manifest_of(const EndedRun& run) const {
    const Path folder = place / "counts";
    const auto id = run.traceability().at("run").get<std::string>();
    const Json label = read_json(folder / "labels" / ("run-" + id + ".json"));
    return read_json(blob(label.at("manifest")));
  }
  [[nodiscard]] Path blob(const Json& descriptor) const {
    const auto digest = descriptor.at("digest").get<std::string>();
    return place / "counts" / "blobs" / "sha256" / digest.substr(digest.find(':') + 1);
  }
};

std::string listed(const Path& tar) {
  const auto output = run_program({"/usr/bin/tar", "-tf", tar.string()}, {{"PATH", "/usr/bin:/bin"}}, "/", "",
                                  std::chrono::milliseconds(60'000));
  REQUIRE(output.ok());
  REQUIRE(output->status.code == 0);
  return output->out;
}

std::string title_of(const Json& layer) {
  return layer.at("annotations").at("org.opencontainers.image.title").get<std::string>();
}

}  // namespace

TEST_CASE("A run sends what it left to a remote, and stock tools read it there") {
  Yard yard;
  const EndedRun run = yard.store.train("counts", yard.data, {"--output-remote", "outputs", "--save-training-data"});
  REQUIRE(run.status() == "Successful");
  CHECK(has(run.output.err, "run-" + run.traceability().at("run").get<std::string>()));
  const Json manifest = yard.manifest_of(run);
  CHECK(manifest.at("artifactType") == "application/vnd.trainyard.run-outputs.v1");
  REQUIRE(manifest.at("layers").size() == 2);
  CHECK(title_of(manifest.at("layers")[0]) == "artifacts.tar");
  CHECK(title_of(manifest.at("layers")[1]) == "data.tar");
  CHECK(has(listed(yard.blob(manifest.at("layers")[0])), "report.txt"));
  CHECK(listed(yard.blob(manifest.at("layers")[1])) == "x.csv\n");
  CHECK(read_text(yard.blob(manifest.at("config"))) == read_text(run.folder / "_results.json"));
  REQUIRE(yard.other_labels().size() == 1);
  const auto label = yard.other_labels()[0].at("label").get<std::string>();
  CHECK(has(yard.store.must({"remote", "show", "outputs", "counts@" + label}), "artifacts.tar"));
  CHECK(yard.store.schema_mistakes().empty());
  // It is no version, and garbage collection leaves it alone.
  CHECK(yard.store.json({"remote", "show", "outputs", "counts"}).at(0).at("versions").empty());
  CHECK(yard.store.json({"remote", "show", "outputs"}).size() == 1);
  yard.store.must({"remote", "gc", "outputs", "--older-than", "0s", "--apply"});
  const Json again =
      yard.store.json({"runs", "send", run.traceability().at("run").get<std::string>(), "--to", "outputs"});
  CHECK(again.at("bytes_sent") == 0);
  CHECK(yard.manifest_of(run) == manifest);
}

TEST_CASE("What a run left is whole on a remote although somebody removed garbage there meanwhile") {
  Yard yard;
  const EndedRun run = yard.store.train("counts", yard.data);
  const Path sign = yard.place / "counts" / "collecting.json";
  REQUIRE(make_folders(sign.parent_path()).ok());
  const Json collecting = {{"schema", "trainyard.collecting/1"}, {"collection", "another"}, {"since", now().text()}};
  REQUIRE(replace_file(sign.parent_path(), sign, canonical(collecting) + "\n", 0644, Durable::no).ok());
  const Arguments send = {"runs", "send", run.traceability().at("run").get<std::string>(), "--to", "outputs"};
  RunningProgram sending = yard.store.start(send);
  const Path labels = yard.place / "counts" / "labels";
  while (!boost::filesystem::exists(labels) || boost::filesystem::is_empty(labels))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  // As a collector that has not seen the label does it.
  const Json manifest = yard.manifest_of(run);
  boost::filesystem::remove(yard.blob(manifest.at("layers")[0]));
  boost::filesystem::remove(sign);
  const ProgramOutput output = sending.wait();
  CHECK(output.status.code != 0);
  CHECK(has(output.err, "send it again"));
  yard.store.must(send);
  CHECK(boost::filesystem::exists(yard.blob(manifest.at("layers")[0])));
}

TEST_CASE("A run that fails sends what it left too, and keeps its exit code") {
  Yard yard;
  yard.store.add("throws_in_train");
  const EndedRun run = yard.store.train("throws_in_train", yard.data, {"--output-remote", "outputs"});
  CHECK(run.status() == "Failed");
  CHECK(run.output.status.code == 1);
  CHECK(has(run.output.err, "throws_in_train:run-"));
}

TEST_CASE("A remote that the store does not know is refused before the run begins") {
  Yard yard;
  const ProgramOutput output =
      yard.store.run({"run", "training", "counts", "--dataset", yard.data.string(), "--output-remote", "output"});
  CHECK(output.status.code == 2);
  CHECK(has(output.err, "outputs"));
  CHECK(yard.store.json({"runs", "list"}).empty());
}

TEST_CASE("A failed upload does not fail the run, and the command that repeats it is told") {
  Yard yard;
  boost::filesystem::rename(yard.place, yard.place.string() + ".away");
  const EndedRun run = yard.store.train("counts", yard.data, {"--output-remote", "outputs"});
  CHECK(run.status() == "Successful");
  CHECK(run.output.status.code == 0);
  const auto id = run.traceability().at("run").get<std::string>();
  CHECK(has(run.output.err, "trainyard runs send " + id + " --to outputs"));
  boost::filesystem::rename(yard.place.string() + ".away", yard.place);
  yard.store.must({"runs", "send", id, "--to", "outputs"});
  CHECK(title_of(yard.manifest_of(run).at("layers")[0]) == "artifacts.tar");
}

TEST_CASE("A file: address names a folder, and no other kind of address names data by mistake") {
  Yard yard;
  yard.store.must({"run", "training", "counts", "--dataset", "file://" + yard.data.string()});
  const Json versions = yard.store.json({"dataset", "add", "x", "file://" + yard.data.string()});
  CHECK(versions.at("source") == yard.data.string());
  for (const char* const wrong : {"oci://registry/x", "s3://", "s3://ada:secret@bucket/x"}) {
    const ProgramOutput output = yard.store.run({"run", "training", "counts", "--dataset", wrong});
    CHECK(output.status.code == 2);
    CHECK_FALSE(has(output.err, "secret"));
  }
}

}  // namespace trainyard::outputs_test
