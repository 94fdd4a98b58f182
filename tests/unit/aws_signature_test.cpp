// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/aws_signature.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "storage/values/sha256.hpp"

namespace trainyard::aws_signature_test {

namespace {

const std::string kEmpty = sha256("").hex();

}  // namespace

// The Signature Version 4 test suite that AWS publishes (aws-sig-v4-test-suite; each row has its name there).
TEST_CASE("signatures are those of the test suite of AWS", "[s3]") {
  const AwsCredentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
  const std::string time = "20150830T123600Z";
  const std::string unreserved = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const std::string token =
      "AQoDYXdzEPT//////////"
      "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthA"
      "x7mSEI/qkPpKPi/"
      "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9"
      "q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
  struct Row {
    const char* name;
    const char* method;
    std::string path;
    AwsQuery query;
    std::vector<HttpHeader> headers;
    const char* body;
    const char* signed_headers;
    const char* signature;
  };
  const std::vector<Row> rows = {
      {"get-vanilla",
       "GET",
       "/",
       {},
       {},
       "",
       "host;x-amz-date",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case",
       "GET",
       "/",
       {{"Param2", "value2"}, {"Param1", "value1"}},
       {},
       "",
       "host;x-amz-date",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-empty-query-key",
       "GET",
       "/",
       {{"Param1", "value1"}},
       {},
       "",
       "host;x-amz-date",
       "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
      {"get-unreserved",
       "GET",
       unreserved,
       {},
       {},
       "",
       "host;x-amz-date",
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8",
       "GET",
       "/\u1234",
       {},
       {},
       "",
       "host;x-amz-date",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-space",
       "GET",
       "/example space/",
       {},
       {},
       "",
       "host;x-amz-date",
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"get-header-value-trim",
       "GET",
       "/",
       {},
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "",
       "host;my-header1;my-header2;x-amz-date",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"get-header-key-duplicate",
       "GET",
       "/",
       {},
       {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
       "",
       "host;my-header1;x-amz-date",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"post-vanilla",
       "POST",
       "/",
       {},
       {},
       "",
       "host;x-amz-date",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-header-value-case",
       "POST",
       "/",
       {},
       {{"My-Header1", "VALUE1"}},
       "",
       "host;my-header1;x-amz-date",
       "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
      {"post-sts-header-before",
       "POST",
       "/",
       {},
       {{"X-Amz-Security-Token", token}},
       "",
       "host;x-amz-date;x-amz-security-token",
       "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
      {"post-x-www-form-urlencoded",
       "POST",
       "/",
       {},
       {{"Content-Type", "application/x-www-form-urlencoded"}},
       "Param1=value1",
       "content-type;host;x-amz-date",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    AwsRequest request{row.method, aws_encoded_path(row.path), row.query, row.headers, sha256(row.body).hex()};
    request.headers.push_back({"Host", "example.amazonaws.com"});
    request.headers.push_back({"X-Amz-Date", time});
    CHECK(
        aws_authorization(credentials, "us-east-1", "service", time, request) ==
        std::string("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=") +
            row.signed_headers + ", Signature=" + row.signature);
  }
}

// Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk",
// "Examples: Signature Calculations".
TEST_CASE("signatures are those of the examples for S3", "[s3]") {
  const AwsCredentials credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
  const std::string time = "20130524T000000Z";
  const std::string payload = sha256("Welcome to Amazon S3.").hex();
  struct Row {
    const char* name;
    AwsRequest request;
    const char* signature;
  };
  const std::vector<Row> rows = {
      {"GET Object",
       {"GET", "/test.txt", {}, {{"Range", "bytes=0-9"}}, kEmpty},
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT Object",
       {"PUT",
        aws_encoded_path("/test$file.text"),
        {},
        {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
        payload},
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET Bucket Lifecycle",
       {"GET", "/", {{"lifecycle", ""}}, {}, kEmpty},
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"Get Bucket (List Objects)",
       {"GET", "/", {{"max-keys", "2"}, {"prefix", "J"}}, {}, kEmpty},
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (Row row : rows) {
    INFO(row.name);
    row.request.headers.push_back({"Host", "examplebucket.s3.amazonaws.com"});
    row.request.headers.push_back({"x-amz-content-sha256", row.request.payload});
    row.request.headers.push_back({"x-amz-date", time});
    CHECK_THAT(aws_authorization(credentials, "us-east-1", "s3", time, row.request),
               Catch::EndsWith(std::string("Signature=") + row.signature));
  }
}

TEST_CASE("what is signed is written the way of S3", "[s3]") {
  CHECK(aws_encoded("a/b c+d=e~*") == "a%2Fb%20c%2Bd%3De~%2A");
  CHECK(aws_encoded_path("/a/b c") == "/a/b%20c");
  CHECK(aws_query({{"prefix", "a/b"}, {"list-type", "2"}, {"uploads", ""}}) == "list-type=2&prefix=a%2Fb&uploads=");
  CHECK(aws_time(Instant::parse("2015-08-30T12:36:00.999999Z").value()) == "20150830T123600Z");
}

}  // namespace trainyard::aws_signature_test
