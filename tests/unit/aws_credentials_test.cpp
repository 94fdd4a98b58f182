// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/aws_credentials.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

namespace trainyard::aws_credentials_test {

namespace {

using EnvironmentValues = std::map<std::string, std::string>;

const std::string kCredentials =
    "# of two people\n[default]\naws_access_key_id = FILEKEY\naws_secret_access_key=file/secret=\n\n"
    "[work]\naws_access_key_id=WORKKEY\naws_secret_access_key=work-secret\naws_session_token=work-token\n";
const std::string kConfig =
    "[default]\r\nregion = eu-central-1\r\noutput = json\r\n"
    "[profile work]\nregion=eu-west-3\nservices = ceph\n; a comment\n"
    "[services ceph]\nec2 =\n  endpoint_url = http://ec2.example\ns3 =\n  endpoint_url = http://ceph.example:9000/\n"
    "[profile plain]\nendpoint_url = https://all.example\naws_access_key_id = PLAIN\naws_secret_access_key = p\n"
    "[profile roaming]\nsso_start_url = https://sso.example\n";

AwsSources sources(EnvironmentValues environment) {
  return {std::move(environment), "/home/ada/.aws/credentials", "/home/ada/.aws/config", kCredentials, kConfig};
}

RemoteAddress address(const std::string& text) { return RemoteAddress::parse(text).value(); }

std::string refusal(const Result<S3Settings>& settings) {
  REQUIRE_FALSE(settings.ok());
  CHECK(settings.error().code == Errc::invalid);
  CHECK(settings.error().message.find("secret\n") == std::string::npos);
  return settings.error().message;
}

}  // namespace

TEST_CASE("S3 settings come from where the AWS tools have them", "[s3]") {
  const EnvironmentValues keys = {{"AWS_ACCESS_KEY_ID", "ENVKEY"}, {"AWS_SECRET_ACCESS_KEY", "env-secret"}};
  const auto with = [](EnvironmentValues all, const EnvironmentValues& more) {
    all.insert(more.begin(), more.end());
    return all;
  };
  struct Row {
    const char* what;
    const char* address;
    EnvironmentValues environment;
    AwsCredentials credentials;
    const char* region;
    const char* endpoint;
  };
  const std::vector<Row> rows = {
      {"the files",
       "s3://b",
       {},
       {"FILEKEY", "file/secret=", ""},
       "eu-central-1",
       "https://s3.eu-central-1.amazonaws.com"},
      {"the environment first",
       "s3://b",
       keys,
       {"ENVKEY", "env-secret", ""},
       "eu-central-1",
       "https://s3.eu-central-1.amazonaws.com"},
      {"a session of the environment",
       "s3://b",
       with(keys, {{"AWS_SESSION_TOKEN", "t"}, {"AWS_PROFILE", "work"}}),
       {"ENVKEY", "env-secret", "t"},
       "eu-west-3",
       "http://ceph.example:9000"},
      {"a profile with a services section",
       "s3://b",
       {{"AWS_PROFILE", "work"}},
       {"WORKKEY", "work-secret", "work-token"},
       "eu-west-3",
       "http://ceph.example:9000"},
      {"a profile of the config file alone",
       "s3://b",
       {{"AWS_PROFILE", "plain"}},
       {"PLAIN", "p", ""},
       "us-east-1",
       "https://all.example"},
      {"a region of the environment",
       "s3://b",
       {{"AWS_DEFAULT_REGION", "x-1"}, {"AWS_REGION", "cn-north-1"}},
       {"FILEKEY", "file/secret=", ""},
       "cn-north-1",
       "https://s3.cn-north-1.amazonaws.com.cn"},
      {"the default region of the environment",
       "s3://b",
       {{"AWS_DEFAULT_REGION", "x-1"}},
       {"FILEKEY", "file/secret=", ""},
       "x-1",
       "https://s3.x-1.amazonaws.com"},
      {"the endpoint of S3 before that of all",
       "s3://b",
       {{"AWS_ENDPOINT_URL", "http://all"}, {"AWS_ENDPOINT_URL_S3", "http://s3/"}, {"AWS_PROFILE", "work"}},
       {"WORKKEY", "work-secret", "work-token"},
       "eu-west-3",
       "http://s3"},
      {"the endpoint of all",
       "s3://b",
       {{"AWS_ENDPOINT_URL", "http://all"}},
       {"FILEKEY", "file/secret=", ""},
       "eu-central-1",
       "http://all"},
      {"the address before all",
       "s3://b?endpoint=http://mine:1&region=here",
       {{"AWS_ENDPOINT_URL_S3", "http://s3"}, {"AWS_REGION", "there"}},
       {"FILEKEY", "file/secret=", ""},
       "here",
       "http://mine:1"},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const auto settings = s3_settings(address(row.address), sources(row.environment));
    REQUIRE(settings.ok());
    CHECK(settings->credentials.access_key_id == row.credentials.access_key_id);
    CHECK(settings->credentials.secret_access_key == row.credentials.secret_access_key);
    CHECK(settings->credentials.session_token == row.credentials.session_token);
    CHECK(settings->region == row.region);
    CHECK(settings->endpoint == row.endpoint);
  }
}

TEST_CASE("S3 credentials that are not there are missed in one sentence, which tells no secret", "[s3]") {
  const RemoteAddress bucket = address("s3://b");
  CHECK(refusal(s3_settings(bucket, {{}, "/c", "/d", "", ""})) ==
        "there are no S3 credentials: not in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and not in the profile "
        "'default' of '/c' or '/d'; set the two variables, or run 'aws configure'");
  CHECK_THAT(refusal(s3_settings(bucket, sources({{"AWS_PROFILE", "nobody"}}))), Catch::Contains("'nobody', which is"));
  CHECK_THAT(refusal(s3_settings(bucket, sources({{"AWS_PROFILE", "roaming"}}))), Catch::Contains("'sso_start_url'"));
  CHECK_THAT(refusal(s3_settings(bucket, sources({{"AWS_ACCESS_KEY_ID", "A"}}))),
             Catch::Contains("no AWS_SECRET_ACCESS_KEY"));
  CHECK_THAT(refusal(s3_settings(bucket, sources({{"AWS_SECRET_ACCESS_KEY", "hidden"}}))), !Catch::Contains("hidden"));
  CHECK_THAT(refusal(s3_settings(bucket, {{}, "/c", "/d", "[default]\naws_access_key_id=A\nhidden\n", ""})),
             Catch::Contains("line 3 of '/c'") && !Catch::Contains("hidden"));
  CHECK_THAT(refusal(s3_settings(bucket, {{}, "/c", "/d", "", "hidden = 1\n"})),
             Catch::Contains("line 1 of '/d'") && !Catch::Contains("hidden"));
  CHECK_THAT(refusal(s3_settings(bucket, sources({{"AWS_ENDPOINT_URL", "ada:hidden@host"}}))),
             Catch::Contains("'http://'") && !Catch::Contains("hidden"));
  CHECK_THAT(refusal(s3_settings(bucket, sources({{"AWS_ENDPOINT_URL", "http://ada:hidden@host"}}))),
             Catch::Contains("'@'") && !Catch::Contains("hidden"));
}

}  // namespace trainyard::aws_credentials_test
