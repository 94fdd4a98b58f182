// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "runner/cli/yaml_text.hpp"
#include "runner/core/documents/argo_script.hpp"
#include "runner/core/documents/argo_template.hpp"
#include "runner/core/documents/argo_text.hpp"
#include "storage/files/files.hpp"
#include "storage/values/limits.hpp"
#include "tests/golden/accepting.hpp"
#include "tests/unit/example_run.hpp"

// Runs for Argo Workflows. With TRAINYARD_ACCEPT_GOLDEN=1 the examples are rewritten, and the test fails.
namespace trainyard::argo_test {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

ArgoRemote bucket() {
  ArgoRemote remote;
  remote.name = "models";
  remote.address = "s3://models/team?endpoint=https://s3.example.com";
  remote.kind = ArgoRemote::Kind::bucket;
  return remote;
}

ArgoRemote folder() {
  ArgoRemote remote;
  remote.name = "models";
  remote.address = "file:///srv/models";
  remote.folder = "/srv/models";
  remote.claim = ArgoClaim{"models-claim", "team"};
  return remote;
}

ArgoWish wish() {
  ArgoWish wish;
  wish.image = "registry.example.com/trainyard:0.1";
  wish.name = "nightly";
  wish.remote = bucket();
  return wish;
}

RunPlan plan_for(RunRequest request) {
  request.name = RunName::parse("Nightly").value();
  const RunData data{example::folder("/data/digits"),
                     request.evaluation_dataset ? std::optional(example::folder("/data/test")) : std::nullopt};
  Manifest manifest = example::manifest();
  manifest.custom_hyperparameters = true;
  return plan_run(request, data, example::able_parent(), manifest, {2, {}, "everywhere"}, example::kRun, example::kNow)
      .value();
}

// As much as a run can have.
RunPlan rich_plan() {
  RunRequest request = example::request();
  request.environment = {{"epochs", "7"},
                         {"note", "{{workflow.name}} $(HOME) \"quoted\" 'too'\nand \\ `id`"},
                         {"extra", "beyond the manifest"},
                         {"artifacts_directory", "out"},
                         {"save_training_data", "true"}};
  request.experiment = RunName::parse("ways").value();
  request.tags = {{"why", "{{x}}"}, {"flag", ""}};
  request.secrets = {"token"};
  request.max_runtime_ms = 5'400'500;
  request.grace_ms = 1500;
  request.retries = 3;
  request.isolation.network = NetworkAccess::host;
  request.isolation.without = {Layer::seccomp};
  request.limits.memory_bytes = (std::int64_t{1} << 30U) + 1;
  request.limits.cpu_thousandths = 1500;
  request.limits.disk_bytes = 1000;
  request.limits.open_files = 64;
  return plan_for(request);
}

Json exported(const RunPlan& plan, const ArgoWish& wish) {
  const auto document = argo_template(plan, example::manifest(), wish);
  INFO((document.ok() ? "" : document.error().message));
  REQUIRE(document.ok());
  return *document;
}

std::string refusal(const RunPlan& plan, const ArgoWish& wish) {
  const auto document = argo_template(plan, example::manifest(), wish);
  return document.ok() ? "" : document.error().message;
}

void compare_file(const char* name, const Json& document) {
  const std::string text = yaml_text(document, argo_key_order());
  const Path file = Path(TRAINYARD_ARGO_EXAMPLES) / name;
  INFO(file.string());
  if (accepting()) {
    CHECK(replace_file(file.parent_path(), file, text, 0644, Durable::no).ok());
    FAIL_CHECK("rewritten; look at the difference");
    return;
  }
  const auto read = read_file(file, limits::kRecordBytes);
  REQUIRE(read.ok());
  CHECK(*read == text);
}

const Json& step_of(const Json& document) { return document.at("spec").at("templates").at(0); }
std::string script_of(const Json& document) {
  return step_of(document).at("container").at("args").at(0).get<std::string>();
}

}  // namespace

TEST_CASE("Text is escaped where somebody would read something into it, and nowhere else") {
  struct Row {
    std::string text;
    std::string escaped;
  };
  const Row rows[] = {
      {"", ""},
      {"0.5", "0.5"},
      {"it's \"plain\" `id` $HOME ; | & * ? [a,b] {a: 1} é", "it's \"plain\" `id` $HOME ; | & * ? [a,b] {a: 1} é"},
      {"{{x}}", "\\0173\\0173x\\0175\\0175"},
      {"{{{", "\\0173\\0173\\0173"},
      {"{ {", "{ {"},
      {"$(HOME)", "\\0044(HOME)"},
      {"$$x", "\\0044$x"},
      {"$$$", "\\0044\\0044$"},
      {"a$", "a$"},
      {"C:\\new", "C:\\\\new"},
      {"a\nb\tc\rd", "a\\nb\\tc\\0015d"},
      {"\a\x7F", "\\0007\\0177"},
      {"\xF0\x9F\x98\x80!", "\\0360\\0237\\0230\\0200!"},
      {"\xF0\x9F", "\\0360\\0237"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(argo_escaped(row.text) == row.escaped);
  }
}

TEST_CASE("Prose has no pair of braces and no control characters") {
  CHECK(argo_prose("{{a}} {b}\nc") == "{ {a} } {b} c");
  CHECK(argo_prose("{{{{") == "{ { { {");
}

TEST_CASE("The names of runs become names for Kubernetes") {
  CHECK(argo_name("Nightly-9a") == "nightly-9a");
  const std::string longest(52, 'a');
  CHECK(argo_name(longest) == longest);
  const std::string cut = argo_name(std::string(42, 'A') + "-" + std::string(20, 'b'));
  CHECK(cut.size() == 51);
  CHECK(cut.starts_with(std::string(42, 'a') + "-"));
  CHECK(is_argo_name(cut));
  for (const char* const bad : {"", "A", "a_b", "-a", "a-", "a.b", "a b"}) CHECK_FALSE(is_argo_name(bad));
  CHECK_FALSE(is_argo_name(std::string(53, 'a')));
}

TEST_CASE("Where the data is can be said in four ways") {
  CHECK(ArgoData::parse("--data", "artifact").value() == ArgoData{});
  CHECK(ArgoData::parse("--data", "artifact:digits/training.tgz").value().key == "digits/training.tgz");
  CHECK(ArgoData::parse("--data", "claim:data").value().claim == ArgoClaim{"data", ""});
  CHECK(ArgoData::parse("--data", "claim:data/a/b.tar.zst").value().claim == ArgoClaim{"data", "a/b.tar.zst"});
  CHECK(ArgoData::parse("--data", "s3://data/digits").value().address == "s3://data/digits");
  for (const char* const bad : {"", "folder", "/data", "artifact:", "artifact:{{x}}", "claim:", "claim:/x",
                                "claim:Data", "claim:a/../b", "claim:a//b", "claim:a/$(x)", "claim:a/"}) {
    CAPTURE(bad);
    const auto data = ArgoData::parse("--data", bad);
    REQUIRE_FALSE(data.ok());
    CHECK(has(data.error().message, "--data is '"));
  }
}

TEST_CASE("What no cluster takes is refused") {
  struct Row {
    const char* message;
    std::function<void(ArgoWish&)> change;
  };
  const Row rows[] = {
      {"--image is", [](ArgoWish& w) { w.image = ""; }},
      {"--image is", [](ArgoWish& w) { w.image = "a b"; }},
      {"--image is", [](ArgoWish& w) { w.image = "{{inputs.parameters.x}}"; }},
      {"--image is", [](ArgoWish& w) { w.image = "-x"; }},
      {"--name is", [](ArgoWish& w) { w.name = "Nightly"; }},
      {"--secrets is", [](ArgoWish& w) { w.secrets = "a_b"; }},
      {"--aws-secret is", [](ArgoWish& w) { w.aws_secret = "A"; }},
      {"--registry-secret is", [](ArgoWish& w) { w.registry_secret = ".a"; }},
      {"--pull-secret is", [](ArgoWish& w) { w.pull_secret = "a/b"; }},
      {"give its name with --remote-claim",
       [](ArgoWish& w) {
         w.remote = folder();
         w.remote.claim.reset();
       }},
      {"cannot be mounted",
       [](ArgoWish& w) {
         w.remote = folder();
         w.remote.folder = "/srv/{{x}}";
       }},
      {"--remote-claim is for a folder",
       [](ArgoWish& w) {
         w.remote.claim = ArgoClaim{"a", ""};
       }},
      {"--resource-plan",
       [](ArgoWish& w) {
         w.sap_ai_core = SapAiCore{"digits", ""};
       }},
      {"--resource-plan is",
       [](ArgoWish& w) {
         w.sap_ai_core = SapAiCore{"digits", "a b"};
       }},
      {"--scenario is",
       [](ArgoWish& w) {
         w.sap_ai_core = SapAiCore{"a b", "starter"};
       }},
      {"nobody can make one",
       [](ArgoWish& w) {
         w.remote = folder();
         w.sap_ai_core = SapAiCore{"digits", "starter"};
       }},
      {"nobody can make one",
       [](ArgoWish& w) {
         w.data = ArgoData::parse("--data", "claim:a").value();
         w.sap_ai_core = SapAiCore{"digits", "starter"};
       }},
      {"without a key",
       [](ArgoWish& w) {
         w.data.key = "x";
         w.sap_ai_core = SapAiCore{"digits", "starter"};
       }},
  };
  for (const Row& row : rows) {
    ArgoWish changed = wish();
    row.change(changed);
    const std::string message = refusal(example::plan(), changed);
    CAPTURE(row.message, message);
    CHECK(has(message, row.message));
  }
  CHECK(refusal(example::plan(), wish()).empty());
  CHECK(has(refusal(rich_plan(), wish()), "--secrets"));
}

TEST_CASE("A run of several workers is refused") {
  RunPlan plan = example::plan();
  plan.request.placement.nodes = 4;
  CHECK(has(refusal(plan, wish()), "has 4 workers, and an export for Argo has one container"));
}

TEST_CASE("What is too long for an environment or for Kubernetes is refused") {
  RunRequest request = example::request();
  request.environment = {{"note", std::string(110'000, 'x')}};
  CHECK(has(refusal(plan_for(request), wish()), "the variable note has more than 100 KiB"));
  request.environment.clear();
  for (int i = 0; i < 12; ++i) request.environment["extra_" + std::to_string(i)] = std::string(100'000, 'x');
  CHECK(has(refusal(plan_for(request), wish()), "more than a megabyte"));
}

TEST_CASE("A training is exported with all that it was given") {
  ArgoWish wanted = wish();
  wanted.remote = folder();
  wanted.data = ArgoData::parse("--data", "claim:datasets/digits.tar.zst").value();
  wanted.secrets = "run-secrets";
  wanted.pull_secret = "image-login";
  wanted.data_tree = sha256("data");
  const Json document = exported(rich_plan(), wanted);
  compare_file("training.yaml", document);
  const std::string script = script_of(document);
  CHECK_FALSE(has(script, "{{"));
  CHECK_FALSE(has(script, "beyond"));
  const std::string text = document.dump();
  CHECK_FALSE(has(text, "{{workflow.name}}"));
  CHECK(has(script, "--secret=token="));
}

TEST_CASE("An evaluation is exported without a version and without publishing") {
  ArgoWish wanted = wish();
  wanted.data = ArgoData::parse("--data", "artifact:digits/test").value();
  wanted.remote.kind = ArgoRemote::Kind::registry;
  wanted.remote.address = "oci://registry.example.com/models";
  wanted.registry_secret = "registry-login";
  RunRequest request = example::request();
  request.type = RunType::evaluation;
  const Json document = exported(plan_for(request), wanted);
  compare_file("evaluation.yaml", document);
  CHECK_FALSE(has(script_of(document), "trainyard publish"));
  CHECK(has(script_of(document), "--read-only"));
}

TEST_CASE("A full run is exported as SAP AI Core takes it") {
  ArgoWish wanted = wish();
  wanted.data = ArgoData::parse("--data", "s3://data/{{digits}}").value();
  wanted.aws_secret = "object-store";
  wanted.pull_secret = "image-login";
  wanted.sap_ai_core = SapAiCore{"digits", "train.l"};
  RunRequest request = example::request();
  request.type = RunType::full;
  request.evaluation_dataset = "/data/test";
  request.max_runtime_ms = 3'600'000;
  request.limits.memory_bytes = std::int64_t{1} << 30U;
  const Json document = exported(plan_for(request), wanted);
  compare_file("sap_ai_core.yaml", document);
  CHECK_FALSE(step_of(document).at("container").contains("resources"));
  CHECK_FALSE(step_of(document).contains("podSpecPatch"));
  CHECK(document.at("spec").at("activeDeadlineSeconds") == 7320);
}

TEST_CASE("What a run may not change is no parameter") {
  const Json document = exported(example::plan(), wish());
  std::vector<std::string> names;
  for (const Json& parameter : document.at("spec").at("arguments").at("parameters"))
    names.push_back(parameter.at("name").get<std::string>());
  CHECK(names == std::vector<std::string>{"epochs", "optimizer", "augment"});
}

TEST_CASE("Strings stay strings in YAML, whichever version reads it") {
  struct Row {
    Json value;
    std::string text;
  };
  const Row rows[] = {
      {"word", "word"},
      {"a/b.c-d_e@1", "a/b.c-d_e@1"},
      {"", "\"\""},
      {"1.10", "\"1.10\""},
      {"1e3", "\"1e3\""},
      {"0x1F", "\"0x1F\""},
      {"1:20", "\"1:20\""},
      {"2026-11-21", "\"2026-11-21\""},
      {".inf", "\".inf\""},
      {"~", "\"~\""},
      {"No", "\"No\""},
      {"TRUE", "\"TRUE\""},
      {"null", "\"null\""},
      {"a: b", "\"a: b\""},
      {"a #b", "\"a #b\""},
      {"{{x}}", "\"{{x}}\""},
      {"-c", "\"-c\""},
      {"one\ntwo\n", "|\n  one\n  two"},
      {"one\ntwo", "\"one\\ntwo\""},
      {" one\ntwo\n", "\" one\\ntwo\\n\""},
      {"one \ntwo\n", "\"one \\ntwo\\n\""},
      {"one\n\n", "\"one\\n\\n\""},
      {"\"quoted\" \\", "'\"quoted\" \\'"},
      {"it's \"x\"", "'it''s \"x\"'"},
      {"it's", "\"it's\""},
      {"\\ \xC3\xA9", "\"\\\\ \xC3\xA9\""},
      {7320, "7320"},
      {true, "true"},
      {nullptr, "~"},
      {Json::object(), "{}"},
      {Json::array(), "[]"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value.dump());
    CHECK(yaml_text({{"k", row.value}}, {}) == "k: " + row.text + "\n");
  }
  CHECK(yaml_text({{"a", 1}, {"kind", 2}, {"b", 3}}, {"kind"}) == "kind: 2\na: 1\nb: 3\n");
  CHECK(yaml_text({{"on", 1}}, {}) == "\"on\": 1\n");
}

}  // namespace trainyard::argo_test
