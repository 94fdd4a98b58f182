// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_login.hpp"

#include <cstdlib>

#include "storage/values/base64.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostLogins = std::size_t{4} << 20U;
// What credential programs print as the user when the secret is an identity token.
constexpr std::string_view kTokenUser = "<token>";

// A key is a host, as Docker wrote it once with a scheme and a path; Docker Hub's is a name of its own.
std::string_view host_in(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (key.substr(0, scheme.size()) == scheme) key.remove_prefix(scheme.size());
  return key.substr(0, key.find('/'));
}

constexpr std::string_view kDockerHubKey = "https://index.docker.io/v1/";

bool is_docker_hub(std::string_view host) {
  return host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io";
}

const Json* entry_for(const Json& object, std::string_view registry) {
  if (!object.is_object()) return nullptr;
  if (const auto exact = object.find(std::string(registry)); exact != object.end()) return &*exact;
  for (const auto& [key, value] : object.items())
    if (host_in(key) == registry || (is_docker_hub(registry) && is_docker_hub(host_in(key)))) return &value;
  return nullptr;
}

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<std::optional<OciLogin>> login_in(const Json& entry, const std::string& where) {
  if (!entry.is_object()) return fail(Errc::invalid, where + " is no object");
  OciLogin login{text_in(entry, "username"), text_in(entry, "password"), text_in(entry, "identitytoken")};
  if (const std::string encoded = text_in(entry, "auth"); !encoded.empty()) {
    const auto decoded = from_base64(encoded);
    const std::size_t colon = decoded.ok() ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos)
      return fail(Errc::invalid, where + " has an 'auth' that is no base64 of user:password; log in again");
    login.user = decoded->substr(0, colon);
    login.password = decoded->substr(colon + 1);
    while (!login.password.empty() && login.password.back() == '\0') login.password.pop_back();
  }
  if (login.user.empty() && login.identity_token.empty()) return std::optional<OciLogin>();
  return std::optional<OciLogin>(std::move(login));
}

}  // namespace

Result<OciLoginEntry> login_entry_in(std::string_view json, std::string_view registry, std::string_view what) {
  const std::string file = "'" + std::string(what) + "'";
  const auto document = parse_json(json, what);
  // What cannot be read is not repeated: it may be a secret.
  if (!document.ok() || !document->is_object())
    return fail(Errc::invalid, file + " is no JSON object; mend it, or log in again");
  OciLoginEntry entry;
  if (const auto programs = document->find("credHelpers"); programs != document->end()) {
    if (const Json* const program = entry_for(*programs, registry); program != nullptr && program->is_string()) {
      entry.program = program->get<std::string>();
      return entry;
    }
  }
  if (const auto logins = document->find("auths"); logins != document->end()) {
    if (const Json* const login = entry_for(*logins, registry); login != nullptr)
      entry.login = TRY(login_in(*login, "the login to '" + std::string(registry) + "' in " + file));
  }
  if (!entry.login) entry.program = text_in(*document, "credsStore");
  return entry;
}

Result<OciLogin> login_printed(std::string_view json) {
  const auto printed = parse_json(json, "a login");
  if (!printed.ok() || !printed->is_object())
    return fail(Errc::invalid, "it printed something else than a login (a JSON object)");
  OciLogin login{text_in(*printed, "Username"), text_in(*printed, "Secret")};
  if (login.user.empty() || login.password.empty()) return fail(Errc::invalid, "it printed no user or no secret");
  if (login.user == kTokenUser) return OciLogin{"", "", std::move(login.password)};
  return login;
}

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

std::vector<Path> login_files(const Environment& environment) {
  if (const auto only = environment("REGISTRY_AUTH_FILE")) return {Path(*only)};
  std::vector<Path> files;
  if (const auto runtime = environment("XDG_RUNTIME_DIR")) files.push_back(Path(*runtime) / "containers" / "auth.json");
  if (const auto folder = environment("DOCKER_CONFIG")) {
    files.push_back(Path(*folder) / "config.json");
  } else if (const auto home = environment("HOME")) {
    files.push_back(Path(*home) / ".docker" / "config.json");
  }
  return files;
}

Result<std::optional<OciLogin>> find_login(std::string_view registry, const Environment& environment) {
  for (const Path& file : login_files(environment)) {
    const auto json = read_file(file, kMostLogins);
    if (!json.ok() && json.error().code == Errc::not_found) continue;
    if (!json.ok()) return json.error();
    OciLoginEntry entry = TRY(login_entry_in(*json, registry, file.string()));
    if (entry.login) return entry.login;
    if (entry.program.empty()) continue;
    const std::string printed =
        TRY(ask_credential_program(entry.program, is_docker_hub(registry) ? kDockerHubKey : registry));
    if (printed.empty()) continue;
    auto login = login_printed(printed);
    if (!login.ok()) return within("docker-credential-" + entry.program, std::move(login).error());
    return std::optional<OciLogin>(std::move(*login));
  }
  return std::optional<OciLogin>();
}

}  // namespace trainyard
