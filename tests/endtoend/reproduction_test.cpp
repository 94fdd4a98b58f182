// SPDX-License-Identifier: Apache-2.0
// What made a version, done again and judged.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <set>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::reproduction_test {
namespace {

struct Judged {
  int code = 0;
  std::string err;
  Json document;

  [[nodiscard]] std::string verdict() const { return document.at("verdict").get<std::string>(); }
  // "parent: …", or nothing.
  [[nodiscard]] std::string missing() const {
    std::string all;
    for (const Json& part : document.at("missing"))
      all += part.at("what").get<std::string>() + ": " + part.at("why").get<std::string>() + "\n";
    return all;
  }
  // The files, or metrics, that have a verdict.
  [[nodiscard]] std::set<std::string> with(const std::string& verdict, const std::string& section) const {
    std::set<std::string> names;
    const Json& part = document.at(section);
    for (const Json& one : part.is_array() ? part : part.at("files"))
      if (one.at("verdict") == verdict) names.insert(one.at(part.is_array() ? "name" : "path").get<std::string>());
    return names;
  }
};

Judged reproduce(const TestStore& store, const std::string& version, Arguments more = {}) {
  Arguments arguments = {"reproduce", version, "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const ProgramOutput output = store.run(arguments);
  INFO(output.err);
  store.temp().write("reproduction.json", output.out);
  CHECK(schema_mistakes("reproduction", store.temp().path() / "reproduction.json") == "");
  return {output.status.code.value_or(-1), output.err, parse_json(output.out, "the reproduction").value()};
}

using Names = std::set<std::string>;

struct Counted {
  TestStore store;
  Path data = store.temp().folder("data");
  explicit Counted(const std::string& package = "counts") {
    store.add(package);
    store.temp().write("data/x.csv", "a row\n");
  }
};

}  // namespace

TEST_CASE("The sample package comes out again bit for bit, from what the store has") {
  TestStore store;
  store.add("digits");
  const Path data = store.temp().folder("data");
  const auto names = list_folder(Path(DIGITS_DATA) / "training");
  REQUIRE(names.ok());
  for (const std::string& name : *names)
    boost::filesystem::copy_file(Path(DIGITS_DATA) / "training" / name, data / name);
  REQUIRE(store.train("digits@1.0", data, {"--env", "epochs=2", "--save-training-data"}).version() == "1.1");
  REQUIRE(store.carry_out("full", "digits@1.0", data, {"--env", "epochs=2"}).version() == "1.2");
  boost::filesystem::remove_all(data);
  for (const char* const version : {"digits@1.1", "digits@1.2"}) {
    CAPTURE(version);
    const Judged judged = reproduce(store, version);
    CHECK(judged.code == 0);
    CHECK(judged.missing() == "");
    CHECK(judged.verdict() == "identical");
    CHECK(judged.with("identical", "package").contains("package.json"));
    CHECK(judged.with("drift", "package").empty());
    CHECK(judged.with("drift", "artifacts").empty());
    CHECK(judged.with("identical", "metrics").contains("loss"));
    CHECK(judged.document.at("environment").empty());
    CHECK(judged.document.at("score").is_null() == (std::string(version) == "digits@1.1"));
    const Json run = store.json({"runs", "show", judged.document.at("after").at("run").get<std::string>()});
    CHECK(run.at("reproduces") == std::string(version).substr(7));
    CHECK(run.at("status") == "Successful");
    CHECK(run.at("version").is_null());
    CHECK(run.at("journal").back().at("state") == "Reproduced");
    CHECK(run.at("results").at("traceability").at("datasets").at(0).at("kind") == "snapshot");
    CHECK(run.at("results").at("traceability").at("datasets").at(0).at("source") == data.string());
  }
  CHECK(store.versions("digits") == std::vector<std::string>{"1.0", "1.1", "1.2"});
  CHECK(has(store.must({"runs", "list"}), "reproduces 1.1"));
  CHECK(has(store.must({"reproduce", "digits@1.1"}), ": identical\n"));
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("What comes out differently is named, with how far it is from what it was") {
  Counted drifting("drifts");
  TestStore& store = drifting.store;
  REQUIRE(store.train("drifts@1.0", drifting.data).version() == "1.1");
  REQUIRE(store.carry_out("full", "drifts@1.0", drifting.data, {"--env", "extra=sometimes"}).version() == "1.2");
  const Judged trained = reproduce(store, "drifts@1.1");
  CHECK(trained.code == 1);
  CHECK(trained.verdict() == "drift");
  CHECK(trained.with("drift", "package") == Names{"model.bin"});
  CHECK(trained.with("identical", "package") == Names{"libdrifts.so", "package.json", "steady.txt"});
  CHECK(trained.with("drift", "artifacts") == Names{"noise.txt"});
  CHECK(trained.with("identical", "artifacts") == Names{"report.txt"});
  CHECK(trained.with("drift", "metrics") == Names{"luck", "nearly"});
  CHECK(trained.with("identical", "metrics") == Names{"steady"});
  CHECK(trained.document.at("score").is_null());
  for (const Json& file : trained.document.at("package").at("files")) {
    if (file.at("path") != "model.bin") continue;
    CHECK(file.at("bytes").at("first").get<int>() >= 1000);
    CHECK(file.at("bytes").at("count").get<int>() <= 11);
  }
  const Judged tolerant = reproduce(store, "drifts@1.1", {"--tolerance", "1e-6"});
  CHECK(tolerant.code == 1);
  CHECK(tolerant.with("drift", "metrics") == Names{"luck"});
  CHECK(tolerant.with("within tolerance", "metrics") == Names{"nearly"});
  const Judged full = reproduce(store, "drifts@1.2", {"--tolerance", "1e-6"});
  CHECK(full.code == 1);
  CHECK(full.document.at("score").at("verdict") == "drift");
  CHECK(full.with("drift", "package").size() == 3);  // the model, a file that is gone, and another one
  const ProgramOutput text = store.run({"reproduce", "drifts@1.1"});
  CHECK(text.status.code == 1);
  CHECK(has(text.out, ": drift\n"));
  CHECK(has(text.out, "model.bin"));
  CHECK(has(text.out, "bytes differ, the first at 100"));
  CHECK(store.versions("drifts").size() == 3);
  CHECK(store.run({"reproduce", "drifts@1.1", "--tolerance", "-1"}).status.code == 2);
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("What a reproduction made stays until its run is deleted") {
  Counted drifting("drifts");
  TestStore& store = drifting.store;
  REQUIRE(store.train("drifts@1.0", drifting.data).version() == "1.1");
  const Judged judged = reproduce(store, "drifts@1.1");
  const std::string run = judged.document.at("after").at("run").get<std::string>();
  store.must({"store", "gc", "--apply-now"});
  store.must({"store", "verify"});
  store.must({"store", "fsck"});
  const ProgramOutput rerun = store.run({"runs", "rerun", run});
  CHECK(rerun.status.code == 2);
  CHECK(has(rerun.err, "'trainyard reproduce drifts@1.1' does that again"));
  store.must({"runs", "delete", run});
  store.must({"store", "gc", "--apply-now"});
  store.must({"store", "fsck"});
  CHECK(reproduce(store, "drifts@1.1").code == 1);
}

TEST_CASE("Data comes from where it is left, and only while it is the same") {
  Counted counted;
  TestStore& store = counted.store;
  store.must({"dataset", "add", "numbers", counted.data.string()});
  REQUIRE(store.train("counts@1.0", counted.data).version() == "1.1");
  REQUIRE(store.train("counts@1.0", "numbers", {"--env", "epochs=2"}).version() == "1.2");
  // The dataset of that content is in the store, so it does not matter what becomes of the folder.
  const Json kinds = {{"counts@1.1", "snapshot"}, {"counts@1.2", "dataset"}};
  for (const auto& [version, kind] : kinds.items()) {
    const Judged judged = reproduce(store, version);
    CHECK(judged.verdict() == "identical");
    const Json run = store.json({"runs", "show", judged.document.at("after").at("run").get<std::string>()});
    CHECK(run.at("results").at("traceability").at("datasets").at(0).at("kind") == kind);
  }
  store.temp().write("more/x.csv", "2\n");
  const Path more = store.temp().path() / "more";
  REQUIRE(store.train("counts@1.0", more).version() == "1.3");
  const Judged same = reproduce(store, "counts@1.3");
  CHECK(same.verdict() == "identical");
  store.temp().write("more/x.csv", "3\n");
  const Judged changed = reproduce(store, "counts@1.3");
  CHECK(changed.code == 2);
  CHECK(changed.verdict() == "cannot");
  CHECK(has(changed.missing(), "data: the store does not have 'x.csv' of the data '" + more.string() + "', and '" +
                                   more.string() + "' is no longer what it was"));
  boost::filesystem::remove_all(more);
  CHECK(has(reproduce(store, "counts@1.3").missing(), "and where it came from it is no more"));
  CHECK(store.schema_mistakes() == "");
}

TEST_CASE("What cannot be reproduced says what is missing, and starts nothing") {
  Counted counted;
  TestStore& store = counted.store;
  REQUIRE(store.train("counts@1.0", counted.data).version() == "1.1");
  REQUIRE(store.train("counts@1.1", counted.data).version() == "1.2");
  const std::size_t runs = store.json({"runs", "list"}).size();
  const Judged upload = reproduce(store, "counts@1.0");
  CHECK(upload.code == 2);
  CHECK(upload.missing() == "run: counts@1.0 was uploaded; only what a run has made can be reproduced\n");
  store.must({"package", "delete", "counts@1.0", "--why", "old"});
  const Judged orphan = reproduce(store, "counts@1.1");
  CHECK(orphan.code == 2);
  CHECK(orphan.missing() == "parent: counts@1.0, which it was trained from, was deleted\n");
  store.must({"runs", "delete", "run-2"});
  const Judged forgotten = reproduce(store, "counts@1.2");
  CHECK(forgotten.code == 2);
  CHECK(has(forgotten.missing(), "run: the run that made counts@1.2 was deleted"));
  CHECK(store.json({"runs", "list"}).size() == runs - 1);
  const ProgramOutput text = store.run({"reproduce", "counts@1.1"});
  CHECK(text.status.code == 2);
  CHECK(has(text.out, ": cannot be reproduced\n  parent: "));
  CHECK(store.run({"reproduce", "counts@7.0"}).status.code == 2);
  CHECK(store.leftovers() == "");
}

TEST_CASE("A purged file of the parent is named") {
  Counted counted;
  TestStore& store = counted.store;
  REQUIRE(store.train("counts@1.0", counted.data).version() == "1.1");
  REQUIRE(store.train("counts@1.1", counted.data).version() == "1.2");
  std::string digest;
  const Json differences = store.json({"diff", "counts@1.1", "counts@1.1"});
  CHECK(differences.at("verdict") == "equal");
  const ProgramOutput two = store.run({"snapshot", "diff", "counts@1.1", "counts@1.2", "--json"});
  const Json changed = parse_json(two.out, "the difference").value();
  for (const Json& one : changed.at("differences")) digest = one.at("before").at("digest").get<std::string>();
  store.must({"store", "purge", "--sha256", digest, "--reason", "not ours", "--yes"});
  // What comes out are the purged bytes again, which the store does not take.
  const Judged made = reproduce(store, "counts@1.1");
  CHECK(made.verdict() == "cannot");
  CHECK(has(made.missing(), "outcome: the run "));
  CHECK(has(made.missing(), "not ours"));
  const Judged purged = reproduce(store, "counts@1.2");
  CHECK(purged.code == 2);
  CHECK(has(purged.missing(), "parent: counts@1.1, which it was trained from, is not whole"));
  CHECK(has(purged.missing(), "which was purged: not ours"));
}

TEST_CASE("Secrets are given again, and have to be the same") {
  Counted counted;
  TestStore& store = counted.store;
  store.temp().write("token", "a long enough secret\n");
  store.temp().write("wrong", "another secret, as long\n");
  const std::string token = (store.temp().path() / "token").string();
  const std::string wrong = (store.temp().path() / "wrong").string();
  REQUIRE(store.train("counts@1.0", counted.data, {"--secret", "TOKEN=" + token}).version() == "1.1");
  CHECK(has(reproduce(store, "counts@1.1").missing(), "secret: the run was given the secret TOKEN"));
  const Judged other = reproduce(store, "counts@1.1", {"--secret", "TOKEN=" + wrong});
  CHECK(other.code == 2);
  CHECK(has(other.missing(), "secret: the secret TOKEN is not the one"));
  const Judged same = reproduce(store, "counts@1.1", {"--secret", "TOKEN=" + token});
  CHECK(same.code == 0);
  CHECK(same.verdict() == "identical");
  CHECK(store.run({"reproduce", "counts@1.1", "--secret", "OTHER=" + token}).status.code == 2);
}

TEST_CASE("A reproduction whose run fails tells of it") {
  Counted counted("slow");
  TestStore& store = counted.store;
  REQUIRE(store.train("slow@1.0", counted.data, {"--env", "seconds=1", "--max-runtime", "60s"}).version() == "1.1");
  RunningProgram program = store.start({"reproduce", "slow@1.1", "--json"});
  CHECK(wait_until([&] {
    const ProgramOutput list = store.run({"runs", "list", "--json"});
    return has(list.out, "\"reproduces\": \"1.1\"") && has(list.out, "\"Running\"");
  }));
  program.signal(SIGINT);
  const ProgramOutput output = program.wait();
  CHECK(output.status.code == 130);
  const Json document = parse_json(output.out, "the reproduction").value();
  CHECK(document.at("verdict") == "cannot");
  CHECK(document.at("missing").at(0).at("what") == "outcome");
  CHECK(store.versions("slow") == std::vector<std::string>{"1.0", "1.1"});
  CHECK(store.leftovers() == "");
}

}  // namespace trainyard::reproduction_test
