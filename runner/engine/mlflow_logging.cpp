// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/mlflow_logging.hpp"

#include <algorithm>
#include <vector>

#include "storage/values/base64.hpp"
#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kApi = "/api/2.0/mlflow/";

// RFC 3986: everything but what stands plainly in a query.
std::string query_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4U];
    encoded += kDigits[byte & 15U];
  }
  return encoded;
}

// What the server said: a document, or which error.
struct Said {
  Json document;
  std::string error;  // "RESOURCE_DOES_NOT_EXIST"; empty when it obeyed
  std::string message;
  int sendings = 1;
};

class MlflowServer {
 public:
  MlflowServer(const MlflowAddress& address, const MlflowCredentials& credentials, HttpClient& http)
      : address_(address), http_(http) {
    headers_ = {{"content-type", "application/json"}, {"accept", "application/json"}};
    if (!credentials.token.empty()) {
      headers_.push_back({"authorization", "Bearer " + credentials.token});
    } else if (!credentials.user.empty()) {
      headers_.push_back({"authorization", "Basic " + base64(credentials.user + ":" + credentials.password)});
    }
  }

  Result<Said> get(const std::string& call, const std::vector<std::pair<std::string, std::string>>& query) {
    std::string url;
    for (const auto& [key, value] : query) url += (url.empty() ? "?" : "&") + key + "=" + query_encoded(value);
    HttpRequest request;
    request.url = address_.server + std::string(kApi) + call + url;
    return ask(call, request);
  }
  Result<Said> post(const std::string& call, const Json& body) {
    const std::string text = body.dump();
    HttpRequest request;
    request.method = "POST";
    request.url = address_.server + std::string(kApi) + call;
    request.body = HttpBody::of(text);
    return ask(call, request);
  }
  // The same, where any refusal is an error.
  Result<Json> must(const std::string& call, const Json& body) { return obeyed(call, TRY(post(call, body))); }
  Result<Json> obeyed(const std::string& call, Said said) const {
    if (said.error.empty()) return std::move(said.document);
    return fail(Errc::io, "the MLflow server '" + address_.server + "' refuses " + call + ": " + said.error +
                              (said.message.empty() ? "" : ": " + printable(said.message.substr(0, 300))));
  }
  [[nodiscard]] Error strange(const std::string& call) const {
    return fail(Errc::incompatible,
                "'" + address_.server + "' answers " + call +
                    " as no MLflow server does; check the address, which is that of 'mlflow server'");
  }

 private:
  Result<Said> ask(const std::string& call, HttpRequest& request) {
    request.headers = headers_;
    const HttpAnswer answer = TRY(http_.send(request));
    if (answer.status == 401 || answer.status == 403)
      return fail(Errc::io,
                  "the MLflow server '" + address_.server +
                      "' refuses the credentials; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
                      "MLFLOW_TRACKING_TOKEN");
    if (answer.status == 429 || answer.status >= 500)
      return fail(Errc::unavailable, "the MLflow server '" + address_.server + "' cannot do " + call +
                                         " now; try again later (" + text_of(answer) + ")");
    auto document = parse_json(answer.body, "the answer");
    if (!document.ok() || !document->is_object()) return strange(call);
    Said said{std::move(*document), "", "", answer.sendings};
    if (answer.status >= 200 && answer.status < 300) return said;
    const auto text = [&](const char* key) {
      const auto found = said.document.find(key);
      return found != said.document.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    said.error = text("error_code");
    said.message = text("message");
    if (said.error.empty()) return strange(call);
    return said;
  }

  const MlflowAddress& address_;
  HttpClient& http_;
  std::vector<HttpHeader> headers_;
};

// The text below a path of keys, also where it is a number; empty where there is none.
std::string text_at(const Json& json, std::initializer_list<const char*> keys) {
  const Json* at = &json;
  for (const char* const key : keys) {
    if (!at->is_object() || !at->contains(key)) return "";
    at = &at->at(key);
  }
  if (at->is_number_integer()) return std::to_string(at->get<std::int64_t>());
  return at->is_string() ? at->get<std::string>() : "";
}

const Json& list_at(const Json& json, const char* key) {
  static const Json kNone = Json::array();
  return json.is_object() && json.contains(key) && json.at(key).is_array() ? json.at(key) : kNone;
}

std::string tag_in(const Json& tags, std::string_view key) {
  for (const Json& tag : tags) {
    if (text_at(tag, {"key"}) == key) return text_at(tag, {"value"});
  }
  return "";
}

const Json& part_of(const Json& json, const char* key) {
  static const Json kNone = Json::object();
  return json.is_object() && json.contains(key) ? json.at(key) : kNone;
}

class MlflowLogging {
 public:
  MlflowLogging(const MlflowRun& run, MlflowServer& server) : run_(run), server_(server) {}

  Result<LoggedRun> log() {
    logged_.experiment = TRY(experiment());
    const Json there = TRY(find_or_make_run());
    TRY(add_batches(there));
    TRY(add_datasets(there));
    TRY(end_run(there));
    TRY(register_model());
    TRY(set_alias());
    logged_.state = changed_ ? LoggedRun::State::logged : LoggedRun::State::was_there;
    return logged_;
  }

 private:
  Result<std::string> experiment() {
    const char* const kGet = "experiments/get-by-name";
    for (int look = 0; look < 2; ++look) {
      Said found = TRY(server_.get(kGet, {{"experiment_name", run_.experiment}}));
      if (found.error.empty()) {
        const std::string id = text_at(found.document, {"experiment", "experiment_id"});
        if (text_at(found.document, {"experiment", "lifecycle_stage"}) == "deleted")
          return fail(Errc::invalid, "the experiment '" + run_.experiment +
                                         "' was deleted on the MLflow server; restore it there, or name another");
        return id.empty() ? Result<std::string>(server_.strange(kGet)) : id;
      }
      if (found.error != "RESOURCE_DOES_NOT_EXIST") TRY(server_.obeyed(kGet, std::move(found)));
      Said made = TRY(server_.post("experiments/create", {{"name", run_.experiment}}));
      if (made.error.empty()) {
        changed_ = true;
        return text_at(made.document, {"experiment_id"});
      }
      if (made.error != "RESOURCE_ALREADY_EXISTS") TRY(server_.obeyed("experiments/create", std::move(made)));
    }
    return server_.strange(kGet);
  }

  // Those that have our tag, the least id first.
  Result<std::vector<Json>> runs() {
    const Json found =
        TRY(server_.must("runs/search", {{"experiment_ids", Json::array({logged_.experiment})},
                                         {"filter", "tags.`" + std::string(kMlflowRunTag) + "` = '" + run_.run + "'"},
                                         {"max_results", 100}}));
    std::vector<Json> runs;
    for (const Json& run : list_at(found, "runs")) {
      if (text_at(run, {"info", "run_id"}).empty()) return server_.strange("runs/search");
      runs.push_back(run);
    }
    std::sort(runs.begin(), runs.end(), [](const Json& a, const Json& b) {
      return text_at(a, {"info", "run_id"}) < text_at(b, {"info", "run_id"});
    });
    return runs;
  }

  Result<Json> find_or_make_run() {
    std::vector<Json> there = TRY(runs());
    if (there.empty()) {
      Json body = run_.create;
      body["experiment_id"] = logged_.experiment;
      TRY(server_.must("runs/create", body));
      changed_ = true;
      there = TRY(runs());
      if (there.empty())
        return fail(Errc::unavailable, "the MLflow server does not find the run that it has just made; try again");
    }
    for (std::size_t i = 1; i < there.size(); ++i) {
      TRY(server_.must("runs/delete", {{"run_id", text_at(there[i], {"info", "run_id"})}}));
      changed_ = true;
    }
    logged_.run = text_at(there.front(), {"info", "run_id"});
    return there.front();
  }

  Result<void> add_batches(const Json& there) {
    const std::string done = tag_in(list_at(part_of(there, "data"), "tags"), kMlflowBatchesTag);
    for (std::size_t i = number_in<std::size_t>(done).value_or(0); i < run_.batches.size(); ++i) {
      Json body = run_.batches[i];
      body["run_id"] = logged_.run;
      TRY(server_.must("runs/log-batch", body));
      changed_ = true;
    }
    return {};
  }

  Result<void> add_datasets(const Json& there) {
    Json missing = Json::array();
    for (const Json& input : run_.datasets) {
      const auto& known = list_at(part_of(there, "inputs"), "dataset_inputs");
      const bool has = std::any_of(known.begin(), known.end(), [&](const Json& each) {
        return part_of(each, "dataset") == part_of(input, "dataset") && list_at(each, "tags") == list_at(input, "tags");
      });
      if (!has) missing.push_back(input);
    }
    if (missing.empty()) return {};
    TRY(server_.must("runs/log-inputs", {{"run_id", logged_.run}, {"datasets", std::move(missing)}}));
    changed_ = true;
    return {};
  }

  Result<void> end_run(const Json& there) {
    if (text_at(there, {"info", "status"}) == run_.status &&
        text_at(there, {"info", "end_time"}) == std::to_string(run_.end_time))
      return {};
    TRY(server_.must("runs/update", {{"run_id", logged_.run}, {"status", run_.status}, {"end_time", run_.end_time}}));
    changed_ = true;
    return {};
  }

  // The number of the model's version that our version is; empty when there is none.
  Result<std::string> model_version() {
    Said found = TRY(server_.get("model-versions/search", {{"filter", "run_id = '" + logged_.run + "'"}}));
    const Json document = TRY(server_.obeyed("model-versions/search", std::move(found)));
    std::optional<std::uint64_t> least;
    for (const Json& each : list_at(document, "model_versions")) {
      const auto number = number_in<std::uint64_t>(text_at(each, {"version"}));
      if (text_at(each, {"name"}) != run_.model || !number) continue;
      least = std::min(least.value_or(*number), *number);
    }
    return least ? std::to_string(*least) : std::string();
  }

  Result<void> register_model() {
    logged_.model_version = TRY(model_version());
    if (!logged_.model_version.empty()) return {};
    Said model = TRY(server_.post("registered-models/create", {{"name", run_.model}}));
    if (model.error != "RESOURCE_ALREADY_EXISTS") TRY(server_.obeyed("registered-models/create", std::move(model)));
    Json body = run_.model_version;
    body["run_id"] = logged_.run;
    const Json made = TRY(server_.must("model-versions/create", body));
    changed_ = true;
    logged_.model_version = TRY(model_version());
    if (logged_.model_version.empty()) logged_.model_version = text_at(made, {"model_version", "version"});
    if (logged_.model_version.empty()) return server_.strange("model-versions/create");
    return {};
  }

  Result<void> set_alias() {
    if (!run_.alias) return {};
    const Said there = TRY(server_.get("registered-models/alias", {{"name", run_.model}, {"alias", *run_.alias}}));
    if (there.error.empty() && text_at(there.document, {"model_version", "version"}) == logged_.model_version)
      return {};
    TRY(server_.must("registered-models/alias",
                     {{"name", run_.model}, {"alias", *run_.alias}, {"version", logged_.model_version}}));
    changed_ = true;
    return {};
  }

  const MlflowRun& run_;
  MlflowServer& server_;
  LoggedRun logged_;
  bool changed_ = false;
};

}  // namespace

Result<LoggedRun> log_to_mlflow(const MlflowRun& run, const MlflowAddress& address,
                                const MlflowCredentials& credentials, HttpClient& http) {
  MlflowServer server(address, credentials, http);
  return MlflowLogging(run, server).log();
}

}  // namespace trainyard
