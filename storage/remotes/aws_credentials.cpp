// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/aws_credentials.hpp"

#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "storage/files/files.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostText = std::size_t{1} << 20U;

using Keys = std::map<std::string, std::string>;
using Sections = std::map<std::string, Keys>;

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// [section], key = value; a line that begins with a blank belongs to the key above it: "s3 =", "  endpoint_url = x" is
// the key "s3.endpoint_url". What a line holds may be a secret, so that errors tell its number alone.
Result<Sections> read_sections(std::string_view text, const std::string& file) {
  Sections sections;
  Keys* section = nullptr;
  std::string above;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view line = without_blanks(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    const auto wrong = [&](const std::string& what) {
      return fail(Errc::invalid, "line " + std::to_string(number) + " of '" + file + "' " + what + "; correct it");
    };
    if (line.front() == '[') {
      if (line.back() != ']') return wrong("begins a section without ending its name by ']'");
      section = &sections[std::string(without_blanks(line.substr(1, line.size() - 2)))];
      above.clear();
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || section == nullptr)
      return wrong("is neither '[section]' nor 'key = value' in one");
    const std::string key(without_blanks(line.substr(0, equals)));
    const bool nested = raw.front() == ' ' || raw.front() == '\t';
    if (!nested) above = key;
    (*section)[nested && !above.empty() ? above + "." + key : key] = without_blanks(line.substr(equals + 1));
  }
  return sections;
}

std::optional<std::string> value_in(const Keys& keys, const std::string& key) {
  const auto found = keys.find(key);
  if (found == keys.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

const Keys& section_in(const Sections& sections, const std::string& name) {
  static const Keys kNone;
  const auto found = sections.find(name);
  return found == sections.end() ? kNone : found->second;
}

// What the settings are looked for in, in this order.
struct Layers {
  const Keys& environment;
  const Keys& credentials;
  const Keys& config;
  const Keys& services;
  std::string profile;
};

std::optional<AwsCredentials> credentials_in(const Keys& keys, const std::string& id, const std::string& secret,
                                             const std::string& token) {
  const auto key = value_in(keys, id);
  const auto hidden = value_in(keys, secret);
  if (!key || !hidden) return std::nullopt;
  return AwsCredentials{*key, *hidden, value_in(keys, token).value_or("")};
}

Result<AwsCredentials> find_credentials(const Layers& layers, const AwsSources& sources) {
  const bool id = value_in(layers.environment, "AWS_ACCESS_KEY_ID").has_value();
  const bool secret = value_in(layers.environment, "AWS_SECRET_ACCESS_KEY").has_value();
  if (id != secret)
    return fail(Errc::invalid, std::string("the environment has ") +
                                   (id ? "AWS_ACCESS_KEY_ID and no AWS_SECRET_ACCESS_KEY"
                                       : "AWS_SECRET_ACCESS_KEY and no AWS_ACCESS_KEY_ID") +
                                   "; set both or neither");
  if (auto found =
          credentials_in(layers.environment, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
    return *found;
  for (const Keys* const keys : {&layers.credentials, &layers.config})
    if (auto found = credentials_in(*keys, "aws_access_key_id", "aws_secret_access_key", "aws_session_token"))
      return *found;
  for (const char* const other :
       {"sso_session", "sso_start_url", "role_arn", "credential_process", "web_identity_token_file"}) {
    if (value_in(layers.config, other) || value_in(layers.credentials, other))
      return fail(Errc::invalid, "the profile '" + layers.profile + "' gets its credentials by '" + other +
                                     "', which Trainyard cannot follow; put them into the environment with 'aws "
                                     "configure export-credentials --profile " +
                                     layers.profile + " --format env'");
  }
  return fail(Errc::invalid,
              "there are no S3 credentials: not in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and not in "
              "the profile '" +
                  layers.profile + "' of '" + sources.credentials_file + "' or '" + sources.config_file +
                  "'; set the two variables, or run 'aws configure'");
}

std::string without_last_slash(std::string text) {
  while (!text.empty() && text.back() == '/') text.pop_back();
  return text;
}

Result<std::string> find_endpoint(const RemoteAddress& address, const Layers& layers, const std::string& region) {
  if (!address.endpoint.empty()) return address.endpoint;
  std::optional<std::string> found;
  for (const char* const variable : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"})
    if (!found) found = value_in(layers.environment, variable);
  if (!found) found = value_in(layers.services, "s3.endpoint_url");
  if (!found) found = value_in(layers.config, "endpoint_url");
  if (!found) return "https://s3." + region + ".amazonaws.com" + (region.substr(0, 3) == "cn-" ? ".cn" : "");
  if (found->substr(0, 7) != "http://" && found->substr(0, 8) != "https://")
    return fail(Errc::invalid,
                "the S3 endpoint that the environment or the AWS configuration names does not begin with "
                "'http://' or 'https://'; correct it");
  if (found->find('@') != std::string::npos)
    return fail(Errc::invalid,
                "the S3 endpoint that the environment or the AWS configuration names holds an '@', but no "
                "user or password belongs in it; take it out");
  return without_last_slash(*found);
}

Result<std::string> text_of_file(const std::string& path) {
  if (path.empty() || !is_there(path)) return std::string();
  return read_file(path, kMostText);
}

}  // namespace

Result<S3Settings> s3_settings(const RemoteAddress& address, const AwsSources& sources) {
  const Sections credentials = TRY(read_sections(sources.credentials, sources.credentials_file));
  const Sections config = TRY(read_sections(sources.config, sources.config_file));
  const auto named = value_in(sources.environment, "AWS_PROFILE");
  const std::string profile = named.value_or("default");
  const Keys& in_config =
      section_in(config, profile == "default" && config.count("profile default") == 0 ? profile : "profile " + profile);
  const Keys& in_credentials = section_in(credentials, profile);
  const auto services = value_in(in_config, "services");
  const Layers layers{sources.environment, in_credentials, in_config,
                      section_in(config, services ? "services " + *services : ""), profile};
  if (named && in_config.empty() && in_credentials.empty() && !value_in(sources.environment, "AWS_ACCESS_KEY_ID"))
    return fail(Errc::invalid, "AWS_PROFILE names the profile '" + profile + "', which is neither in '" +
                                   sources.credentials_file + "' nor in '" + sources.config_file +
                                   "'; name one that is there, or run 'aws configure --profile " + profile + "'");
  S3Settings settings;
  settings.credentials = TRY(find_credentials(layers, sources));
  std::optional<std::string> region;
  if (!address.region.empty()) region = address.region;
  for (const char* const variable : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (!region) region = value_in(sources.environment, variable);
  if (!region) region = value_in(in_config, "region");
  if (!region) region = value_in(in_credentials, "region");
  settings.region = region.value_or("us-east-1");
  settings.endpoint = TRY(find_endpoint(address, layers, settings.region));
  return settings;
}

Result<AwsSources> read_aws_sources() {
  AwsSources sources;
  for (char** each = ::environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view pair(*each);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, 4) == "AWS_" && equals != std::string_view::npos)
      sources.environment.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  const char* const home = std::getenv("HOME");
  const std::string folder = home == nullptr ? "" : std::string(home) + "/.aws/";
  const auto place = [&](const char* variable, const char* name) {
    return value_in(sources.environment, variable).value_or(folder.empty() ? "" : folder + name);
  };
  sources.credentials_file = place("AWS_SHARED_CREDENTIALS_FILE", "credentials");
  sources.config_file = place("AWS_CONFIG_FILE", "config");
  sources.credentials = TRY(text_of_file(sources.credentials_file));
  sources.config = TRY(text_of_file(sources.config_file));
  return sources;
}

}  // namespace trainyard
