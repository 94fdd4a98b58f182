// SPDX-License-Identifier: Apache-2.0
// Secrets reach the code and nothing else: not the records, not the logs, not what the run made.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <set>

#include "storage/values/salted_digest.hpp"
#include "tests/endtoend/two_folders.hpp"

namespace trainyard::secrets_test {
namespace {

const std::string kSecret = "hunter/22+\"tr\xc3\xbc";
// As Python writes it in JSON, in Base64 after five bytes, percent-encoded, and in hexadecimal digits.
const char* const kForms[] = {"hunter/22+\"tr\xc3\xbc", "hunter/22+\\\"tr", "W50ZXIvMjIrInRyw7",
                              "hunter%2F22%2B%22tr%C3%BC", "68756e7465722f32322b227472c3bc"};

struct Vault {
  TestStore store;
  Path data = store.temp().folder("data");
  Path file = store.temp().path() / "token.txt";

  Vault() {
    store.temp().write("data/x.csv", "1\n");
    store.temp().write("token.txt", kSecret + "\n");
    store.add("leaks");
    store.must({"package", "add", std::string(TRAINYARD_PYTHON_PACKAGES_DIR) + "/leaks_python"});
  }
  EndedRun run(const std::string& package, const std::string& way, Arguments more = {}) {
    more.insert(more.end(), {"--secret", "TOKEN=" + file.string(), "--env", "way=" + way});
    return store.train(package, data, more);
  }
  // Where the secret stands in the store, in any form; empty when nowhere. What is packed is looked at through the
  // program.
  [[nodiscard]] std::string places() const {
    std::string found;
    namespace bfs = boost::filesystem;
    for (bfs::recursive_directory_iterator entry(store.root()), end; entry != end; ++entry) {
      if (!bfs::is_regular_file(entry->path())) continue;
      const std::string text = read_text(entry->path());
      for (const char* const form : kForms)
        if (has(text, form)) found += entry->path().string() + ": " + form + "\n";
    }
    return found;
  }
  void check_clean() const {
    CHECK(places() == "");
    CHECK(store.schema_mistakes() == "");
    CHECK(store.leftovers() == "");
  }
};

bool tells(const ProgramOutput& output) {
  for (const char* const form : kForms)
    if (has(output.out + output.err, form)) return true;
  return false;
}

}  // namespace

TEST_CASE("A secret reaches the code, and of it only a salted digest is recorded") {
  Vault vault;
  const EndedRun run = vault.run("leaks", "nothing");
  CHECK(run.version() == "1.1");
  CHECK(vault.store.must({"runs", "logs", "run-1"}) == "typed as well\n");
  const Json& recorded = run.traceability().at("secrets").at("TOKEN");
  const SaltedDigest digest = salted_digest_from(recorded).value();
  CHECK(SaltedDigest::of(kSecret, digest.salt).value() == digest);
  CHECK_FALSE(run.results.at("parameters").at("env").contains("TOKEN"));
  const EndedRun again = vault.run("leaks", "nothing");
  CHECK(again.traceability().at("secrets").at("TOKEN").at("salt") != recorded.at("salt"));
  CHECK(has(vault.store.must({"runs", "show", "run-1"}), "TOKEN"));
  vault.check_clean();
}

TEST_CASE("Logs are redacted as they stream, also where a secret comes in pieces") {
  Vault vault;
  const EndedRun run = vault.run("leaks", "prints");
  CHECK(run.version() == "1.1");
  const ProgramOutput log = vault.store.run({"runs", "logs", "run-1"});
  CHECK(log.out == "typed as well\nfirst [secret TOKEN], then [secret TOKEN]\n");
  CHECK(log.err == "error with [secret TOKEN]");
  const EndedRun told = vault.run("leaks", "logs");
  CHECK(has(read_text(told.folder / "events.jsonl"), "the token is [secret TOKEN]"));
  CHECK(has(read_text(told.folder / "events.jsonl"), "half of [secret TOKEN]"));
  for (const char* const way : {"plain", "base64", "url", "hex"}) {
    CAPTURE(way);
    for (const char* const place : {" in print", " in log"}) {
      const EndedRun python = vault.run("leaks_python", std::string(way) + place);
      CHECK(python.status() == "Successful");
      CHECK_FALSE(tells(python.output));
    }
    const EndedRun failed = vault.run("leaks_python", std::string(way) + " in error");
    CHECK(has(failed.message(), "no entry with "));
    CHECK(has(failed.message(), "[secret"));
    CHECK_FALSE(tells(failed.output));
  }
  // Each attempt has its own log, and its own way to tell.
  const EndedRun again = vault.run("leaks_python", "plain in error", {"--retries", "1"});
  CHECK(again.traceability().at("attempts").size() == 2);
  const auto name = again.results.at("parameters").at("pipeline").get<std::string>();
  CHECK_FALSE(tells(vault.store.run({"runs", "logs", name, "--attempt", "2"})));
  vault.check_clean();
}

TEST_CASE("The reason of a failure does not tell a secret, nor its beginning") {
  Vault vault;
  const EndedRun run = vault.run("leaks", "throws");
  CHECK(run.message() == "train: no entry with [secret TOKEN]");
  const EndedRun cut = vault.run("leaks", "throws at length");
  CHECK_FALSE(has(cut.message(), kSecret.substr(0, 6)));
  vault.check_clean();
}

TEST_CASE("A secret in an output fails the run before the version is sealed") {
  Vault vault;
  struct Row {
    const char* package;
    const char* way;
    const char* file;
  };
  const Row rows[] = {{"leaks", "artifact", "artifacts/settings.json"},
                      {"leaks", "model", "model.bin"},
                      {"leaks_python", "plain in artifact", "artifacts/notes.txt"},
                      {"leaks_python", "base64 in artifact", "artifacts/notes.txt"},
                      {"leaks_python", "url in model", "model.txt"},
                      {"leaks_python", "hex in model", "model.txt"}};
  for (const Row& row : rows) {
    CAPTURE(row.way);
    const EndedRun run = vault.run(row.package, row.way);
    CHECK(run.output.status.code == 1);
    CHECK(run.reason() == "package_error");
    CHECK(run.message() == "the file '" + std::string(row.file) +
                               "' cannot be kept, because the secret TOKEN is in it; what a package leaves must not "
                               "hold a secret");
    CHECK(run.version().empty());
    CHECK_FALSE(tells(run.output));
    CHECK_FALSE(is_there(run.folder / row.file));
  }
  CHECK(vault.store.versions("leaks") == std::vector<std::string>{"1.0"});
  CHECK(vault.store.versions("leaks_python") == std::vector<std::string>{"1.0"});
  vault.check_clean();
}

TEST_CASE("What a failed run leaves is kept without its secrets") {
  Vault vault;
  const EndedRun run = vault.run("leaks", "artifact and checkpoint of a failure");
  CHECK(run.reason() == "package_error");
  CHECK(has(run.output.err, "the file 'settings.json' was not kept, because the secret TOKEN is in it"));
  CHECK(is_there(run.folder / "artifacts/fine.txt"));
  const Json files = vault.store.json({"runs", "artifacts", "run-1"}).at("files");
  REQUIRE(files.size() == 1);
  CHECK(files[0].at("path") == "fine.txt");
  // A checkpoint is nobody's output, and goes with a run that succeeds.
  CHECK(vault.run("leaks", "checkpoint").status() == "Successful");
  vault.check_clean();
}

TEST_CASE("A secret comes from a file or the terminal, and no error tells it") {
  Vault vault;
  const auto refused = [&](const Arguments& more) {
    Arguments arguments = {"run", "training", "leaks", "--dataset", vault.data.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    // Away from the terminal of whoever runs this test.
    Arguments argv = {"/usr/bin/setsid", "--wait", TRAINYARD_PROGRAM};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const auto done = run_program(argv, {{"TRAINYARD_STORE", vault.store.root().string()}, {"PATH", "/usr/bin:/bin"}},
                                  vault.store.temp().path().string(), "", std::chrono::seconds(60));
    REQUIRE(done.ok());
    const ProgramOutput& output = *done;
    CHECK(output.status.code == 2);
    CHECK_FALSE(has(output.err, "hunter"));
    return output.err;
  };
  CHECK(has(refused({"--secret", "TOKEN=hunter22"}), "--secret takes NAME=FILE, and never the value itself"));
  CHECK(has(refused({"--secret", "TOKEN"}), "there is no terminal to ask for the secret TOKEN on"));
  CHECK(has(refused({"--secret", "hunter-22=x"}), "--secret must be NAME or NAME=FILE"));
  const std::string file = "TOKEN=" + vault.file.string();
  CHECK(has(refused({"--secret", file, "--secret", file}), "--secret gives TOKEN twice"));
  CHECK(has(refused({"--secret", file, "--env", "TOKEN=x"}), "is given as a secret and by --env"));
  CHECK(has(refused({"--secret", "PATH=" + vault.file.string()}), "cannot be a secret"));
  vault.store.temp().write("short", "12345\n");
  CHECK(has(refused({"--secret", "TOKEN=" + (vault.store.temp().path() / "short").string()}), "fewer than 6 bytes"));
  CHECK(vault.store.json({"runs", "list"}).empty());
}

TEST_CASE("A run with a secret is repeated only with that secret") {
  Vault vault;
  REQUIRE(vault.run("leaks", "nothing").status() == "Successful");
  const ProgramOutput without = vault.store.run({"runs", "rerun", "run-1"});
  CHECK(without.status.code == 2);
  CHECK(has(without.err, "the run was given the secret TOKEN; give it again with --secret TOKEN"));
  vault.store.must({"runs", "rerun", "run-1", "--secret", "TOKEN=" + vault.file.string()});
  CHECK(vault.store.versions("leaks").size() == 3);
  vault.check_clean();
}

TEST_CASE("A detached run has its secrets, and what its runner cannot search any more makes no version") {
  Vault vault;
  std::string id = vault.store.must({"run", "training", "leaks", "--dataset", vault.data.string(), "--detach",
                                     "--secret", "TOKEN=" + vault.file.string(), "--env", "way=prints"});
  id.pop_back();
  REQUIRE(wait_until([&] { return !vault.store.json({"runs", "show", id}).at("results").is_null(); }));
  CHECK(vault.store.json({"runs", "show", id}).at("version") == "1.1");
  CHECK(vault.store.run({"runs", "logs", id}).err == "error with [secret TOKEN]");

  RunningProgram program = vault.store.start_training(
      "orphan", "leaks", vault.data, {"--secret", "TOKEN=" + vault.file.string(), "--env", "way=prints"});
  vault.store.wait_for_the_call("orphan");
  program.signal(SIGKILL);
  program.wait();
  const Path folder = *vault.store.run_folder("orphan");
  REQUIRE(wait_until([&] { return is_there(folder / "exit.json"); }));
  const EndedRun run = vault.store.end("orphan", vault.store.run({"runs", "list"}));
  CHECK(run.version().empty());
  CHECK(has(run.message(), "the runner ended and the secrets of the run with it"));
  CHECK(run.traceability().at("artifacts").is_null());
  vault.check_clean();
}

}  // namespace trainyard::secrets_test
