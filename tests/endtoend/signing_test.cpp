// SPDX-License-Identifier: Apache-2.0
// What the store signs, as other programs verify it: a script of the standard library, and openssl.
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::signing_test {
namespace {

const Variables kPlain = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}};

ProgramOutput run_plainly(const Arguments& argv) {
  auto output = run_program(argv, kPlain, "/", "", std::chrono::seconds(60));
  if (!output.ok()) throw std::runtime_error(output.error().message);
  return std::move(*output);
}

struct Signing {
  TestStore store;
  Path data = store.temp().folder("data");
  Path temp = store.temp().path();

  Signing() {
    store.temp().write("data/x.csv", "1\n");
    store.add("counts");
  }

  // What the script prints; "refused: …" where it finds something wrong.
  [[nodiscard]] std::string check(const Arguments& arguments) const {
    Arguments argv = {TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_CHECK_SIGNATURES};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const ProgramOutput output = run_plainly(argv);
    return output.status.code == 0 ? output.out : "refused: " + output.err;
  }
  [[nodiscard]] Path key(const std::string& name) const {
    const Path file = temp / (name + ".pub.pem");
    if (!is_there(file)) store.must({"keys", "export", name, "-o", file.string()});
    return file;
  }
  [[nodiscard]] Path bundle(const std::string& version) const {
    const Path file = temp / (version + ".intoto.jsonl");
    static_cast<void>(remove_file(file));
    store.must({"attestations", version, "--format", "intoto", "-o", file.string()});
    return file;
  }
  // The version's folder as somebody has it who got the zip.
  [[nodiscard]] Path unpacked(const std::string& name, const std::string& version) const {
    store.must({"package", "export", name + "@" + version, "--output", temp.string()});
    const std::string zip = (temp / (name + "_v" + version + ".zip")).string();
    const ProgramOutput output =
        run_plainly({TRAINYARD_SYSTEM_PYTHON, "-m", "zipfile", "-e", zip, (temp / "unpacked").string()});
    if (output.status.code != 0) throw std::runtime_error(output.err);
    return temp / "unpacked" / name;
  }
  [[nodiscard]] Path attestations(const std::string& version) const {
    return store.root() / "packages" / "counts" / (version + ".intoto.jsonl");
  }
  // The sentence about the first attestation that is not good.
  [[nodiscard]] std::string problem(const std::string& version) const {
    const ProgramOutput output = store.run({"attestations", "counts@" + version, "--json"});
    for (const Json& check : Json::parse(output.out)) {
      if (check.at("problems").empty()) continue;
      CHECK(output.status.code == 1);
      return check.at("problems").at(0).get<std::string>();
    }
    return "";
  }
};

constexpr const char* kMade = "https://slsa.dev/provenance/v1\nhttps://model_signing/signature/v1.0\n";

void replace_in(const Path& file, const std::string& from, const std::string& to) {
  std::string text = read_text(file);
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("'" + from + "' is not in " + file.string());
  text.replace(at, from.size(), to);
  const auto replaced = replace_file(file.parent_path(), file, text, 0644, Durable::no);
  if (!replaced.ok()) throw std::runtime_error(replaced.error().message);
}

}  // namespace

TEST_CASE("What uploads and runs attest is verified by other programs", "[signing]") {
  Signing signing;
  TestStore& store = signing.store;
  REQUIRE(store.train("counts@1.0", signing.data).version() == "1.1");
  for (const char* const version : {"counts@1.0", "counts@1.1"}) {
    CHECK(signing.check({"dsse", signing.bundle(version).string(), signing.key("store").string()}) == kMade);
    CHECK(signing.check({"shapes", signing.bundle(version).string()}) == kMade);
  }
  const EndedRun evaluation = store.carry_out("evaluation", "counts@1.1", signing.data);
  const Path evaluated = evaluation.folder / "attestations.intoto.jsonl";
  CHECK(signing.check({"dsse", evaluated.string(), signing.key("store").string()}) ==
        "https://in-toto.io/attestation/test-result/v0.1\n");
  CHECK(signing.check({"shapes", evaluated.string()}) == "https://in-toto.io/attestation/test-result/v0.1\n");
  REQUIRE(store.carry_out("full", "counts@1.1", signing.data).version() == "1.2");
  CHECK(signing.check({"dsse", signing.bundle("counts@1.2").string(), signing.key("store").string()}) ==
        "https://slsa.dev/provenance/v1\nhttps://in-toto.io/attestation/test-result/v0.1\n"
        "https://model_signing/signature/v1.0\n");
  CHECK(signing.check({"shapes", signing.bundle("counts@1.2").string()}).rfind("refused", 0) != 0);
  const std::string shown = store.must({"attestations", "counts@1.2"});
  CHECK(has(shown, "test result"));
  CHECK(store.json({"attestations", "counts@1.2"}).size() == 3);
  store.must({"store", "fsck"});
  // A failed run made nothing, and attests nothing.
  store.add("throws_in_train");
  const EndedRun failed = store.train("throws_in_train", signing.data);
  CHECK_FALSE(is_there(failed.folder / "attestations.intoto.jsonl"));
  CHECK(failed.output.err.find("attest") == std::string::npos);
}

TEST_CASE("An exported key verifies with openssl, whatever its type", "[signing]") {
  Signing signing;
  const TestStore& store = signing.store;
  store.must({"keys", "generate", "robot", "--type", "ed25519"});
  store.must({"sign", "counts@1.0", "--key", "robot"});
  const std::string bundle = signing.bundle("counts@1.0").string();
  CHECK(signing.check({"dsse", bundle, signing.key("store").string()}) == kMade);
  CHECK(signing.check({"dsse", bundle, signing.key("robot").string()}) == kMade);
  store.must({"keys", "generate", "stranger"});
  CHECK(signing.check({"dsse", bundle, signing.key("stranger").string()}) ==
        "refused: no signature of the key is right\n");
  CHECK(store.json({"keys", "list"}).size() == 3);
  // The private half is one that openssl takes.
  const std::string file = (store.root() / "keys" / "robot.pem").string();
  CHECK(run_plainly({"/usr/bin/openssl", "pkey", "-in", file, "-pubout"}).out == read_text(signing.key("robot")));
}

TEST_CASE("A model signature is what the stock verifier takes, and every change is found", "[signing]") {
  Signing signing;
  REQUIRE(signing.store.train("counts@1.0", signing.data).version() == "1.1");
  const Path folder = signing.unpacked("counts", "1.1");
  const Path sig = signing.temp / "model.sig";
  signing.store.must({"attestations", "counts@1.1", "--format", "model-signing", "-o", sig.string()});
  const auto check = [&] {
    return signing.check({"model", folder.string(), sig.string(), signing.key("store").string()});
  };
  CHECK(check() == "3\n");
  // Also where it lies in the folder itself, which is where the stock signer puts it.
  boost::filesystem::copy_file(sig, folder / "model.sig");
  CHECK(check() == "3\n");

  const std::string model = read_text(folder / "model.txt");
  replace_in(folder / "model.txt", model, model + " ");
  CHECK(check() == "refused: signature mismatch: ['model.txt', 'model.txt']\n");
  replace_in(folder / "model.txt", model + " ", model);
  signing.store.temp().write("unpacked/counts/more.txt", "");
  CHECK(check() == "refused: signature mismatch: ['more.txt']\n");
  REQUIRE(remove_file(folder / "more.txt").ok());
  REQUIRE(remove_file(folder / "package.json").ok());
  CHECK(check() == "refused: signature mismatch: ['package.json']\n");

  const Json bundle = read_json(sig);
  const std::string payload = bundle["dsseEnvelope"]["payload"].get<std::string>();
  replace_in(sig, payload, payload.substr(0, 40) + (payload[40] == 'A' ? "B" : "A") + payload.substr(41));
  CHECK(check() == "refused: no signature of the key is right\n");
}

TEST_CASE("What is tampered with in the store is refused by name", "[signing]") {
  Signing signing;
  TestStore& store = signing.store;
  REQUIRE(store.train("counts@1.0", signing.data).version() == "1.1");
  const Path file = signing.attestations("1.1");
  const std::string good = read_text(file);
  CHECK(signing.problem("1.1").empty());

  const std::string wrong =
      "the signature of the key 'store' is wrong: the document or the signature has been changed since it was signed";
  const Json first = Json::parse(good.substr(0, good.find('\n')));
  for (const char* const part : {"payload", "sig"}) {
    const Json& from = std::string(part) == "sig" ? first["signatures"][0]["sig"] : first["payload"];
    std::string text = from.get<std::string>();
    text[20] = text[20] == 'A' ? 'B' : 'A';
    replace_in(file, from.get<std::string>(), text);
    CHECK(signing.problem("1.1") == wrong);
    CHECK(store.run({"sign", "counts@1.1"}).status.code == 3);
    replace_in(file, text, from.get<std::string>());
  }
  replace_in(file, "application/vnd.in-toto+json", "application/vnd.in-tot0+json");
  CHECK(signing.problem("1.1") == wrong);
  replace_in(file, "application/vnd.in-tot0+json", "application/vnd.in-toto+json");
  CHECK(signing.problem("1.1").empty());

  // The results of the run, which the provenance names.
  const Path results = *store.run_folder("run-1") / "_results.json";
  replace_in(results, "\"pipeline\": \"run-1\"", "\"pipeline\": \"baker\"");
  CHECK(signing.problem("1.1") == "'" + results.string() + "' has been changed since the run attested it");
  replace_in(results, "\"pipeline\": \"baker\"", "\"pipeline\": \"run-1\"");
  CHECK(signing.problem("1.1").empty());

  // The attestations of another version.
  REQUIRE(replace_file(file.parent_path(), file, read_text(signing.attestations("1.0")), 0444, Durable::no).ok());
  CHECK(has(signing.problem("1.1"), "it is about other content than that of counts@1.1: 'counts-1.0.zip'"));
  REQUIRE(replace_file(file.parent_path(), file, good.substr(0, good.size() / 2), 0444, Durable::no).ok());
  const ProgramOutput torn = store.run({"attestations", "counts@1.1"});
  CHECK(torn.status.code == 3);
  CHECK(has(torn.err, "cannot be read: line"));
}

TEST_CASE("A key with a password signs for who knows it", "[signing]") {
  Signing signing;
  const TestStore& store = signing.store;
  const std::string right = store.temp().write("right.txt", "s3cret\n").string();
  const std::string wrong = store.temp().write("wrong.txt", "guess\n").string();
  store.must({"keys", "generate", "release", "--password-file", right});
  CHECK(read_text(store.root() / "keys" / "release.pem").rfind("-----BEGIN ENCRYPTED PRIVATE KEY-----", 0) == 0);
  const ProgramOutput locked = store.run({"sign", "counts@1.0", "--key", "release"});
  CHECK(locked.status.code == 2);
  CHECK(has(locked.err, "it is locked by a password; give it with --password or --password-file"));
  CHECK(has(store.run({"sign", "counts@1.0", "--key", "release", "--password-file", wrong}).err,
            "the password is wrong"));
  CHECK(has(store.must({"sign", "counts@1.0", "--key", "release", "--password-file", right}), "2 signatures added"));
  CHECK(has(store.must({"attestations", "counts@1.0"}), "store, release"));
  const std::string file = (store.root() / "keys" / "release.pem").string();
  CHECK(run_plainly({"/usr/bin/openssl", "pkey", "-in", file, "-passin", "file:" + right, "-pubout"}).out ==
        read_text(signing.key("release")));
  const ProgramOutput nowhere = store.run({"keys", "generate", "x", "--password-file", right, "--password"});
  CHECK(nowhere.status.code == 2);
}

TEST_CASE("A password is asked for on the terminal and not shown there", "[signing]") {
  Signing signing;
  const auto type = [&](const std::string& answers, Arguments arguments) {
    Arguments argv = {TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_TYPED, answers, TRAINYARD_PROGRAM};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(), {"--password", "--store", signing.store.root().string()});
    const ProgramOutput output = run_plainly(argv);
    CHECK_FALSE(has(output.out, "s3cret"));
    return output;
  };
  const ProgramOutput slip = type("s3cret,s3crte", {"keys", "generate", "own"});
  CHECK(slip.status.code == 2);
  CHECK(has(slip.out, "the two passwords differ"));
  CHECK(has(type("s3cret,s3cret", {"keys", "generate", "own"}).out, "made the key 'own'"));
  CHECK(has(type("guess", {"sign", "counts@1.0", "--key", "own"}).out, "the password is wrong"));
  CHECK(has(type("s3cret", {"sign", "counts@1.0", "--key", "own"}).out, "2 signatures added"));
}

TEST_CASE("A signature of somebody else counts once their key is known", "[signing]") {
  Signing signing;
  const TestStore& store = signing.store;
  store.must({"keys", "generate", "anna"});
  store.must({"sign", "counts@1.0", "--key", "anna"});
  const std::string theirs = signing.key("anna").string();
  REQUIRE(remove_file(store.root() / "keys" / "anna.pem").ok());
  REQUIRE(remove_file(store.root() / "keys" / "anna.pub.pem").ok());
  CHECK(has(signing.problem("1.0"), "this store does not have that key; 'trainyard keys import' takes it in"));
  store.must({"keys", "import", theirs});
  CHECK(signing.problem("1.0").empty());
  const Json keys = store.json({"keys", "list"});
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].at("name") == "anna");
  CHECK(keys[0].at("private") == false);
  CHECK(has(store.run({"sign", "counts@1.0", "--key", "anna"}).err,
            "the private half of the key 'anna' is not in this store"));
  CHECK(has(store.run({"keys", "import", (store.root() / "keys" / "store.pem").string(), "mine"}).err,
            "this is a private key"));
  CHECK(has(store.run({"keys", "export", "ana"}).err, "did you mean 'anna'?"));
}

TEST_CASE("A run that cannot be attested is a run all the same", "[signing]") {
  Signing signing;
  TestStore& store = signing.store;
  const std::string key = (store.root() / "keys" / "store.pem").string();
  REQUIRE(::chmod(key.c_str(), 0644) == 0);
  const EndedRun run = store.train("counts@1.0", signing.data);
  CHECK(run.output.status.code == 0);
  CHECK(run.version() == "1.1");
  CHECK(has(run.output.err,
            "counts@1.1 is not attested: the private key '" + key + "' can be read or written by others"));
  CHECK(has(store.must({"attestations", "counts@1.1"}), "nothing is attested of counts@1.1"));
  REQUIRE(::chmod(key.c_str(), 0600) == 0);
  CHECK(has(store.must({"sign", "counts@1.1"}), "2 statements made"));
  CHECK(signing.problem("1.1").empty());
  // A store of before there were keys.
  REQUIRE(remove_tree(store.root() / "keys").ok());
  REQUIRE(remove_file(signing.attestations("1.0")).ok());
  CHECK(has(store.must({"sign", "counts@1.0"}), "2 statements made"));
  CHECK(signing.problem("1.0").empty());
}

TEST_CASE("However many processes sign at once, the store has one key", "[signing]") {
  const TestStore store;
  std::vector<RunningProgram> uploads;
  for (const char* const name : {"counts", "slow", "tries", "faulty", "idle"})
    uploads.push_back(store.start({"package", "add", test_package(std::string(name) + ".zip").string()}));
  for (RunningProgram& upload : uploads) {
    const ProgramOutput output = upload.wait();
    INFO(output.err);
    CHECK(output.status.code == 0);
    CHECK(output.err.empty());
  }
  CHECK(store.json({"keys", "list"}).size() == 1);
  CHECK(list_folder(store.root() / "keys").value() == std::vector<std::string>{"store.pem", "store.pub.pem"});
  for (const char* const name : {"counts", "slow", "tries", "faulty", "idle"}) {
    for (const Json& check : store.json({"attestations", name})) CHECK(check.at("good") == true);
  }
}

}  // namespace trainyard::signing_test
