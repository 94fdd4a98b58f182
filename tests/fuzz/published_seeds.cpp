// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/published_seeds.hpp"

#include "runner/core/published_version.hpp"
#include "storage/objects/pack_format.hpp"
#include "storage/remotes/oci_tickets.hpp"
#include "storage/remotes/remote.hpp"
#include "storage/values/base64.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard {

namespace {

constexpr Instant kNow{std::int64_t{1'800'000'000} * 1'000'000};
// Ends an answer of a server.
const std::string kNext(1, '\0');

OciDescriptor described(std::string_view type, const std::string& bytes) {
  return {std::string(type), sha256(bytes), bytes.size()};
}

OciManifest published() {
  const PackageName package = PackageName::parse("digits").value();
  const PackageVersion first{1, 0};
  const PackageVersion second{1, 4};
  PublishedVersion version{package, second, described(media_type::kRecord, "record"), {}};
  version.steps.push_back({first, {records_layer(package, first, sha256("r1"), 2)}});
  version.steps.push_back(
      {second, {records_layer(package, second, sha256("r2"), 2), bundle_layer(package, second, 1, sha256("b"), 1)}});
  VersionDraft draft{package, kNow, first, {}, {sha256("")}, {sha256("")}, {}, {}, {}};
  return manifest_of(version, {second, std::move(draft)});
}

OciManifest attached_data() {
  const PackageVersion version{1, 4};
  return attachment(media_type::kData, described(kOciManifestType, ""),
                    {bundle_layer(PackageName::parse("digits").value(), version, 1, sha256("b"), 1)});
}

std::string ok(const std::string& body, const std::string& headers = "") { return "200\n" + headers + "\n" + body; }

// A record of objects that lie in it as they are.
std::string record(const std::vector<std::pair<pack_format::RecordObject, std::string>>& objects) {
  std::vector<pack_format::RecordObject> table;
  std::string raw;
  for (const auto& [object, bytes] : objects) {
    table.push_back(object);
    raw += bytes;
  }
  return pack_format::record_front(pack_format::Coding::none, table, raw.size()) + raw;
}

pack_format::RecordObject object(const Digest& digest, const std::string& bytes,
                                 pack_format::ObjectKind kind = pack_format::ObjectKind::bytes) {
  return {digest, static_cast<std::uint32_t>(bytes.size()), kind};
}

}  // namespace

std::vector<std::string> s3_seeds() {
  const std::string begin = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  const std::string last = "<IsTruncated>false</IsTruncated>";
  const std::string more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
  const std::string contents =
      "<Contents><Key>team/v%2F1+a</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
      "<ETag>&quot;9bb58f26192e4ba00f01e2e7b136bbd8&quot;</ETag><Size>3</Size></Contents>";
  const auto listing = [&](const std::string& inner) {
    return begin + "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + inner +
           "</ListBucketResult>";
  };
  return {
      "k" + listing(last),
      "k" + listing(last + contents + contents),
      "k" + listing(more + contents) + kNext + listing(last + contents),
      "u" + begin +
          "<ListMultipartUploadsResult><Upload><Key>team/v/1</Key><UploadId>2~a</UploadId>"
          "<Initiated>2026-01-01T00:00:00Z</Initiated></Upload><IsTruncated>false</IsTruncated>"
          "<NextKeyMarker/><NextUploadIdMarker/></ListMultipartUploadsResult>",
      "p" + begin +
          "<ListPartsResult><IsTruncated>false</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>"
          "<Part><PartNumber>1</PartNumber><Size>5242880</Size><ETag>\"a\"</ETag></Part></ListPartsResult>",
      "r403\nx-amz-bucket-region: eu-west-1\ndate: Thu, 01 Jan 2026 00:00:00 GMT\n\n" + begin +
          "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message><Region>r</Region></Error>",
      "r301\n\n<Error><Code>PermanentRedirect</Code><Message>a\nb\xff</Message></Error>",
      "r403\n\n<Error><Code>RequestTimeTooSkewed</Code></Error>",
      "r503\n\n<html>busy",
      "t2026-01-01T00:00:00.123456789Z",
      "x" + begin +
          "<!-- a --><CompleteMultipartUploadResult a='b'><ETag>&#228;&#x41;&amp;</ETag>"
          "</CompleteMultipartUploadResult>",
      "x<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
  };
}

std::vector<std::string> registry_seeds() {
  const std::string version = published().text();
  const std::string data = attached_data().text();
  const OciTicket choosing{OciTicket::Kind::choosing, {1, 4}, 0, kNow, "0189-aBc"};
  const OciTicket ticket{OciTicket::Kind::ticket, {1, 4}, 7, kNow, "0189-aBc"};
  const std::string tags = R"({"name":"team/digits","tags":["1.0","1.4","production",")" + ticket.tag() + "\"]}";
  const std::string claim = canonical(to_json(PublicationClaim{"0189-aBc", sha256("record"), "ada on host7", kNow}));
  OciManifest claimed = attached_data();
  claimed.annotations = {{"trainyard.claim", claim}};
  const OciDescriptor referrer = OciManifest::descriptor(data, std::string(media_type::kData));
  const std::string index = R"({"schemaVersion":2,"manifests":[)" + canonical(to_json(referrer)) + "]}";
  const std::string found = "docker-content-digest: sha256:" + sha256(version).hex() +
                            "\ncontent-length: " + std::to_string(version.size()) +
                            "\ncontent-type: " + std::string(kOciManifestType) + "\n";
  const std::string wants_token =
      "401\nwww-authenticate: Bearer realm=\"https://auth.example.com/token\",service=\"r\","
      "scope=\"repository:team/digits:pull\"\n\n" +
      kNext + ok(R"({"token":"abc"})") + kNext;
  return {
      "m" + version,
      "m" + data,
      "m" + claimed.text(),
      " " + canonical(to_json(referrer)),
      "t1.4\n" + choosing.tag() + "\n" + ticket.tag(),
      "rp" + ok(R"({"repositories":["team/digits","other"]})") + kNext + ok(tags),
      "rv" + ok(tags, "link: </v2/team/digits/tags/list?n=1&last=x>; rel=\"next\"\n") + kNext + ok(tags),
      "rv" + wants_token + ok(tags),
      "rv401\nwww-authenticate: Basic realm=\"r\"\n\n" + kNext + ok(tags),
      "rv307\nlocation: https://else.example.com/tags\n\n" + kNext + ok(tags),
      "rf" + ok("", found),
      "rf" + ok("") + kNext + ok(version),
      "rm" + ok(""),
      "rc" + ok(tags) + kNext + ok(claimed.text()),
      "rl" + ok(tags) + kNext + ok("", found),
      "ra" + ok(index) + kNext + ok(index) + kNext + ok(tags),
      "ra404\n\n" + kNext + "404\n\n" + kNext +
          ok(R"({"tags":["_attached.)" + sha256("").hex().substr(0, 32) + "." + sha256(data).hex().substr(0, 40) +
             "\"]}") +
          kNext + ok(data),
      "rv500\n\nno room",
  };
}

std::vector<std::string> credential_seeds() {
  const std::string secret = base64("ada:S3CR3T");
  const std::string keys = "aws_access_key_id = KEY\naws_secret_access_key = S3CR3T\naws_session_token=S3CR3T\n";
  const std::string config =
      "[default]\r\nregion = eu-central-1\r\n[profile work]\nservices = ceph\n; S3CR3T\n[services ceph]\ns3 =\n"
      "  endpoint_url = http://ceph.example:9000/\n[profile sso]\nsso_start_url = https://S3CR3T\n";
  return {
      "a# of two people\n[default]\n" + keys + kNext + config,
      "w[work]\n" + keys + kNext + config,
      "a[default]\naws_secret_access_key S3CR3T\n",
      "aaws_secret_access_key = S3CR3T\n",
      "a[S3CR3T\n",
      "w" + kNext + "[profile work]\nrole_arn = S3CR3T\ncredential_process = S3CR3T\n",
      "w[work]\n" + keys + kNext + "[profile work]\nendpoint_url = https://ada:S3CR3T@ceph.example\n",
      "w[work]\n" + keys + kNext + "[profile work]\nendpoint_url = S3CR3T\n",
      R"(d{"auths":{"r.example.com:5000":{"auth":")" + secret + R"("}},"credsStore":"pass"})",
      R"(d{"auths":{"https://r.example.com:5000/v2/":{"username":"ada","password":"S3CR3T"}}})",
      R"(d{"auths":{"r.example.com:5000":{"identitytoken":"S3CR3T"}},"credHelpers":{"x":"gcloud"}})",
      R"(d{"auths":{"r.example.com:5000":{"auth":"S3CR3T"}}})",
      R"(d{"auths":{"r.example.com:5000":"S3CR3T"}})",
      R"(d["S3CR3T")",
      R"(p{"ServerURL":"r","Username":"ada","Secret":"S3CR3T"})",
      R"(p{"Username":"<token>","Secret":"S3CR3T"})",
      "pS3CR3T",
      "cBearer realm=\"https://auth.example.com/token\",service=registry,scope=\"repository:a/b:pull,push\"",
      "cNegotiate, BASIC Realm = x , Bearer realm=\"a \\\"b\\\", c\"",
      "l</v2/_catalog?n=5&last=e>; rel=\"next\"",
      "l<a>; rel=prev, <//else.example.com/b>; title=x; rel=next",
      "lhttps://else.example.com/b?c=d",
      "l0-99",
      "_file:///srv/models",
      "_s3://bucket/team?endpoint=https://[::1]:9000&region=us-east-1",
      "_s3://ada:S3CR3T@bucket/team",
      "_oci+http://127.0.0.1:5000/models",
      "_oci://ada:S3CR3T@r.example.com/models",
      "_oci://r.example.com:443/a.b/c_d/e--f",
  };
}

std::vector<std::string> bundle_seeds() {
  using namespace pack_format;
  const std::string a = random_bytes(2, 40);
  const std::string b = random_bytes(3, 50);
  const std::string flat = write_list({0, 90, {{sha256(a), 40}, {sha256(b), 50}}});
  const std::string refs = write_refs(std::vector<ChunkRef>{{sha256(a), 40}, {sha256(b), 50}});
  const std::string deep = write_list({1, 180, {{sha256(refs), 90}, {sha256(refs), 90}}});
  const auto parts = std::vector<std::pair<RecordObject, std::string>>{
      {object(sha256(a), a), a}, {object(sha256(b), b), b}, {object(sha256(refs), refs), refs}};
  const std::string first = std::string(kPackMagic) + record(parts);
  const std::string lacking = write_list({0, 91, {{sha256(a), 40}, {sha256("gone"), 51}}});
  const std::string liar = write_list({0, 1, {{sha256(a), 1}}});
  // Would be read without an end: it names itself.
  const Digest round = sha256("round");
  const std::string endless = write_list({1, 40, {{round, 40}}});
  const auto list = [](const Digest& digest, const std::string& bytes) {
    return record({{object(digest, bytes, ObjectKind::list), bytes}});
  };
  std::vector<std::string> seeds = {
      std::string(kPackMagic),
      first,
      first + list(sha256(a + b), flat),
      first + list(sha256(a + b + a + b), deep),
      first + list(sha256(a + "gone"), lacking),
      first + list(sha256(a), liar),
      first + list(sha256("something else"), deep),
      std::string(kPackMagic) + list(round, endless),
  };
  const PackStore store;
  store.put_pack({"abc", "", text_bytes(1, 3'000), random_bytes(1, 500)});
  for (const Path& path : store.packs()) seeds.push_back(must(read_file(path, std::size_t{1} << 20U)));
  return seeds;
}

}  // namespace trainyard
