// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/argo_script.hpp"

#include "runner/core/documents/argo_text.hpp"

namespace trainyard {

namespace {

std::string time_text(std::int64_t milliseconds) {
  return milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + "s" : std::to_string(milliseconds) + "ms";
}

// 1500 as "1.5".
std::string cpus_text(std::int64_t thousandths) {
  std::string fraction = std::to_string(1000 + thousandths % 1000).substr(1);
  while (fraction.ends_with('0')) fraction.pop_back();
  return std::to_string(thousandths / 1000) + (fraction.empty() ? "" : "." + fraction);
}

// Writes the script line by line, and keeps the variables that its lines read.
class Writer {
 public:
  void line(const std::string& text) { script_.text += text + "\n"; }
  // A word of the run's command line that needs no quotes. Words in a row share a line of the shell.
  void option(const std::string& text) {
    if (!words_end_here()) line("set -- \"$@\"");
    script_.text.insert(script_.text.size() - 1, " \\\n  " + text);
    words_end_ = script_.text.size();
  }
  // One whose value is somebody's text, in a variable: "--tag".
  void option(const std::string& option, const std::string& variable) {
    line("plain \"$" + variable + "\"; set -- \"$@\" \"" + option + "=$value\"");
  }
  void option_of(const std::string& option, const std::string& variable, const std::string& text) {
    keep(variable, text);
    this->option(option, variable);
  }
  void keep(const std::string& variable, const std::string& text) {
    script_.variables.push_back({variable, argo_escaped(text)});
  }
  // A command of the shell that the next words go on with.
  void begin_words(const std::string& text) {
    line(text);
    words_end_ = script_.text.size();
  }
  ArgoScript take() { return std::move(script_); }

 private:
  [[nodiscard]] bool words_end_here() const { return words_end_ == script_.text.size(); }

  ArgoScript script_;
  std::size_t words_end_ = 0;  // where the last line with words ends
};

void write_data(const std::string& option, const ArgoData& data, const char* folder, const std::string& variable,
                Writer& writer) {
  switch (data.kind) {
    case ArgoData::Kind::artifact: return writer.option(option + "=" + folder);
    case ArgoData::Kind::bucket: return writer.option_of(option, variable, data.address);
    case ArgoData::Kind::claim: break;
  }
  writer.option(option + "=" + folder + (data.claim.path.empty() ? "" : "/" + data.claim.path));
}

void write_limits(const JobLimits& limits, Writer& writer) {
  const JobLimits usual = RunRequest::default_limits();
  const auto number = [&](const char* option, const std::optional<std::int64_t>& value,
                          const std::optional<std::int64_t>& otherwise) {
    if (value && value != otherwise) writer.option(std::string(option) + "=" + std::to_string(*value));
  };
  number("--memory", limits.memory_bytes, usual.memory_bytes);
  if (limits.cpu_thousandths) writer.option("--cpus=" + cpus_text(*limits.cpu_thousandths));
  number("--processes", limits.processes, usual.processes);
  number("--open-files", limits.open_files, usual.open_files);
  number("--disk", limits.disk_bytes, usual.disk_bytes);
  number("--log-size", limits.log_bytes, usual.log_bytes);
}

void write_isolation(const IsolationWish& wish, Writer& writer) {
  writer.option("--isolation=" + std::string(name_of(wish.mode)));
  for (const Layer layer : wish.without) writer.option("--without=" + std::string(name_of(layer)));
  if (wish.network == NetworkAccess::host) writer.option("--network");
}

void write_options(const RunPlan& plan, const std::vector<std::string>& parameters, const ArgoWish& wish,
                   Writer& writer) {
  const RunRequest& request = plan.request;
  write_data("--dataset", wish.data, kArgoData, "TRAINYARD_DATASET", writer);
  if (plan.evaluation_data) {
    write_data("--evaluation-dataset", wish.evaluation_data, kArgoEvaluationData, "TRAINYARD_EVALUATION_DATASET",
               writer);
  }
  if (trains(request.type)) writer.option("--allow-repeat");
  if (plan.save_training_data) writer.option("--save-training-data");
  if (plan.save_test_data) writer.option("--save-test-data");
  if (request.experiment) writer.option("--experiment=" + request.experiment->text());
  writer.option("--grace=" + time_text(request.grace_ms));
  if (request.max_runtime_ms) writer.option("--max-runtime=" + time_text(*request.max_runtime_ms));
  if (request.retries > 0) writer.option("--retries=" + std::to_string(request.retries));
  writer.option("--gpus=" + std::to_string(plan.gpus));
  write_isolation(request.isolation, writer);
  write_limits(request.limits, writer);
  if (const auto& python = wish.python ? wish.python : request.python)
    writer.option_of("--python", "TRAINYARD_PYTHON", *python);
  if (request.dependencies != Dependencies::system)
    writer.option("--dependencies=" + std::string(name_of(request.dependencies)));
  int number = 0;
  for (const auto& [name, value] : request.tags)
    writer.option_of("--tag", "TRAINYARD_TAG_" + std::to_string(++number), name + "=" + value);
  for (const std::string& name : parameters) writer.option("--env=" + name, argo_value_variable(name));
}

void write_secrets(const RunPlan& plan, Writer& writer) {
  if (plan.request.secrets.empty()) return;
  writer.line("mkdir -m 700 " + std::string(kArgoWork) + "/secrets");
  for (const std::string& name : plan.request.secrets) {
    const std::string file = std::string(kArgoWork) + "/secrets/" + name;
    const std::string variable = argo_secret_variable(name);
    writer.line("printf '%s\\n' \"$" + variable + "\" > " + file);
    writer.line("unset " + variable);
    writer.option("--secret=" + name + "=" + file);
  }
}

// Shell that waits for the run, also while it ends because somebody stopped the workflow.
constexpr const char* kRunning = R"(run=$!
trap 'kill -TERM "$run" || true' TERM INT
while :; do
  status=0
  wait "$run" || status=$?
  kill -0 "$run" 2> /dev/null || break
done
)";

}  // namespace

std::string argo_value_variable(const std::string& parameter) { return "TRAINYARD_VALUE_" + parameter; }
std::string argo_secret_variable(const std::string& secret) { return "TRAINYARD_SECRET_" + secret; }

ArgoScript argo_script(const RunPlan& plan, const std::vector<std::string>& parameters, const ArgoWish& wish) {
  const std::string work = kArgoWork;
  const std::string results = work + "/results/_results.json";
  const std::string name = plan.parent.content.name.text();
  const std::string package = name + "@" + plan.parent.version.text();
  const std::string& remote = wish.remote.name;
  const bool makes_version = trains(plan.request.type);
  const bool publishes = makes_version && wish.remote.use == ArgoRemote::Use::publish;
  Writer writer;
  writer.line("set -eu");
  writer.line("export TRAINYARD_STORE=" + work + "/store");
  writer.line("mkdir -p " + work + "/results " + work + "/artifacts" + (makes_version ? " " + work + "/model" : ""));
  writer.line(": > " + results);
  writer.line("# Undoes the backslash escapes of a text: they keep Argo and Kubernetes from reading anything into it.");
  writer.line("plain() { value=$(printf '%b.' \"$1\"); value=${value%.}; }");
  writer.line("trainyard init");
  writer.keep("TRAINYARD_REMOTE", wish.remote.address);
  writer.line("plain \"$TRAINYARD_REMOTE\"");
  writer.line("trainyard remote add " + remote + " \"$value\"" + (publishes ? "" : " --read-only"));
  // A version that trained on from it brings it along as well. With the newest here, the new version gets a number that
  // the remote has not given yet.
  const std::string pull = "trainyard pull " + package + " --from " + remote;
  const std::string newest = pull + " --newest-minor";
  if (publishes) {
    writer.line(newest);
    writer.line("trainyard package show " + package + " > /dev/null 2>&1 || " + pull);
  } else {
    writer.line(pull + " || " + newest);
  }
  // What another store published under that number is not what the run had.
  writer.line("trainyard package show " + package + " --json | grep -q '\"digest\": \"" +
              plan.parent.content.tree.digest.hex() + "\"' || {");
  writer.line("  echo \"" + package + " of the remote " + remote + " is not the package of the run\" >&2");
  writer.line("  exit 2");
  writer.line("}");
  writer.begin_words("set -- run " + std::string(name_of(plan.request.type)) + " " + package +
                     " --json --name=" + plan.name.text());
  write_options(plan, parameters, wish, writer);
  write_secrets(plan, writer);
  writer.line("trainyard \"$@\" > " + results + " &");
  ArgoScript script = writer.take();
  script.text += kRunning;
  Writer end;
  if (!plan.request.secrets.empty()) end.line("rm -rf " + work + "/secrets");
  // The only key of that name at that depth, as Trainyard indents its JSON.
  end.line("id=$(sed -n 's/^    \"run\": \"\\([0-9a-f-]*\\)\",*$/\\1/p' " + results + ")");
  end.line("[ -n \"$id\" ] || [ \"$status\" -ne 0 ] || status=1");
  end.line("[ -n \"$id\" ] || exit \"$status\"");
  end.line("trainyard runs logs \"$id\" || true");
  end.line("artifacts=$TRAINYARD_STORE/runs/$id/artifacts");
  end.line("[ ! -d \"$artifacts\" ] || cp -R \"$artifacts/.\" " + work + "/artifacts");
  end.line("[ \"$status\" -eq 0 ] || exit \"$status\"");
  if (makes_version) {
    end.line("version=$(trainyard runs show \"$id\" --json | sed -n 's/^  \"version\": \"\\([0-9.]*\\)\",*$/\\1/p')");
    end.line("trainyard package export \"" + name + "@$version\" --output " + work + "/model");
  }
  if (publishes) end.line("trainyard publish \"" + name + "@$version\" --to " + remote);
  script.text += end.take().text;
  return script;
}

}  // namespace trainyard
