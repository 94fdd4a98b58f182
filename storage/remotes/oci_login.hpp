// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/values/result.hpp"

// Logins to registries, from where Docker, Podman and Skopeo keep them. Secrets are in no error here.
namespace trainyard {

struct OciLogin {
  std::string user;
  std::string password;
  std::string identity_token = {};  // instead of a password, for the server that gives out tokens

  friend bool operator==(const OciLogin&, const OciLogin&) = default;
};

// What a file of logins (Docker's config.json, Podman's auth.json) says about a registry.
struct OciLoginEntry {
  std::optional<OciLogin> login = {};
  std::string program = {};  // docker-credential-<program> knows it; empty: none does

  friend bool operator==(const OciLoginEntry&, const OciLoginEntry&) = default;
};

// `registry` is "host" or "host:port". Errors name `what`, the file.
Result<OciLoginEntry> login_entry_in(std::string_view json, std::string_view registry, std::string_view what);

// What docker-credential-<program> get prints.
Result<OciLogin> login_printed(std::string_view json);

using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment process_environment();

// The files that may hold logins, the first that knows the registry wins: REGISTRY_AUTH_FILE alone where it is set; else
// $XDG_RUNTIME_DIR/containers/auth.json, $DOCKER_CONFIG/config.json or ~/.docker/config.json.
std::vector<Path> login_files(const Environment& environment);

// None: nobody is known to that registry, which may welcome strangers. Starts a credential program where a file names one.
Result<std::optional<OciLogin>> find_login(std::string_view registry, const Environment& environment);

// Runs `docker-credential-<program> get` with the registry on its standard input, without a shell; yields what it prints,
// and nothing when it knows no login to that registry.
Result<std::string> ask_credential_program(std::string_view program, std::string_view registry);

}  // namespace trainyard
