// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/aws_signature.hpp"
#include "storage/remotes/s3_listing.hpp"
#include "tests/fuzz/properties.hpp"
#include "tests/fuzz/scripted_server.hpp"

using namespace trainyard;

namespace {

const std::string kBelow = "v";
constexpr std::size_t kMostSentence = 2000;

void require_short_sentence(const Error& error) {
  fuzz::require_terminal_sentence(error);
  fuzz::require(error.message.size() < kMostSentence, "a refusal is a sentence, and not a page");
}

std::vector<HttpAnswer> pages_in(std::string_view text) {
  std::vector<HttpAnswer> answers;
  for (const std::string_view page : fuzz::parts_of(text, '\0')) answers.push_back({200, {}, std::string(page)});
  return answers;
}

// What `read` makes of those pages, of a bucket whose keys begin with "team/".
template <class Read>
auto listed(std::vector<HttpAnswer> pages, Read read) {
  fuzz::ScriptedServer server(std::move(pages));
  RemoteAddress address;
  address.kind = RemoteAddress::Kind::s3;
  address.place = "bucket";
  address.prefix = "team";
  const S3Bucket bucket(address, {{"key", "secret"}, "us-east-1", "http://127.0.0.1:9000"}, server, nullptr,
                        [] { return Instant{}; });
  return read(bucket);
}

std::string element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + xml_escaped(text) + "</" + name + ">";
}

std::string last_page(const std::string& root, const std::string& entries) {
  return "<" + root + ">" + element("IsTruncated", "false") + entries + "</" + root + ">";
}

// Lists twice: the pages, and what was understood of them as one page.
template <class Read, class Write>
void require_relisting(std::string_view text, Read read, Write write) {
  const auto first = listed(pages_in(text), read);
  if (!first.ok()) return require_short_sentence(first.error());
  const std::string page = write(*first);
  const auto again = listed({{200, {}, page}}, read);
  fuzz::require(again.ok() && write(*again) == page, "a listing is read as it was written");
}

void list_keys(std::string_view text) {
  const auto read = [](const S3Bucket& bucket) -> Result<std::vector<KeyEntry>> {
    std::vector<KeyEntry> keys;
    TRY(each_s3_key(bucket, kBelow, [&](const KeyEntry& entry) -> Result<void> {
      fuzz::require(entry.key.starts_with(kBelow), "only what was asked for is listed");
      fuzz::require(!entry.tag || !entry.tag->empty(), "a tag is a text");
      keys.push_back(entry);
      return {};
    }));
    return keys;
  };
  require_relisting(text, read, [](const std::vector<KeyEntry>& keys) {
    std::string entries;
    for (const KeyEntry& key : keys) {
      entries += "<Contents>" + element("Key", aws_encoded_path("team/" + key.key)) +
                 element("Size", std::to_string(key.bytes)) + element("LastModified", key.modified.text());
      if (key.tag) entries += element("ETag", '"' + *key.tag + '"');
      entries += "</Contents>";
    }
    return last_page("ListBucketResult", entries);
  });
}

void list_uploads(std::string_view text) {
  const auto read = [](const S3Bucket& bucket) -> Result<std::vector<S3Upload>> {
    std::vector<S3Upload> uploads;
    TRY(each_s3_upload(bucket, kBelow, [&](const S3Upload& upload) -> Result<void> {
      fuzz::require(upload.key.starts_with(kBelow), "only what was asked for is listed");
      fuzz::require(!upload.id.empty(), "an upload has a name");
      uploads.push_back(upload);
      return {};
    }));
    return uploads;
  };
  require_relisting(text, read, [](const std::vector<S3Upload>& uploads) {
    std::string entries;
    for (const S3Upload& upload : uploads)
      entries += "<Upload>" + element("Key", aws_encoded_path("team/" + upload.key)) + element("UploadId", upload.id) +
                 element("Initiated", upload.begun.text()) + "</Upload>";
    return last_page("ListMultipartUploadsResult", entries);
  });
}

void list_parts(std::string_view text) {
  const auto read = [](const S3Bucket& bucket) { return s3_parts(bucket, {"v/1", "upload", {}}); };
  require_relisting(text, read, [](const std::map<int, S3Part>& parts) {
    std::string entries;
    for (const auto& [number, part] : parts)
      entries += "<Part>" + element("PartNumber", std::to_string(number)) +
                 element("Size", std::to_string(part.bytes)) + element("ETag", '"' + part.etag + '"') + "</Part>";
    return last_page("ListPartsResult", entries);
  });
}

void refuse(std::string_view text) {
  const S3Refusal refusal = s3_refusal(fuzz::answer_in(text));
  for (const std::string& said : {refusal.code, refusal.message, refusal.region, refusal.date})
    fuzz::require(printable(said) == said && said.find('\n') == std::string::npos, "what a server says is one line");
  require_short_sentence(error_of(refusal, "list 's3://bucket'", "s3://bucket", Instant{}));
  static_cast<void>(is_passing(refusal));
}

void read_time(std::string_view text) {
  const auto time = s3_time(std::string(text));
  if (!time.ok()) return fuzz::require_sentence(time.error());
  fuzz::require(s3_time(time->text()).value() == *time, "a time is read as it was written");
}

std::string written(const XmlElement& root) {
  std::string text = "<" + root.name + ">" + xml_escaped(root.text);
  for (const XmlElement& child : root.children) text += written(child);
  return text + "</" + root.name + ">";
}

void read_element(std::string_view text) {
  const auto root = read_xml(text);
  if (!root.ok()) return require_short_sentence(root.error());
  const std::string once = written(*root);
  const auto again = read_xml(once);
  fuzz::require(again.ok() && written(*again) == once, "XML is read as it was written");
  const auto result = s3_element({200, {}, std::string(text)}, "CompleteMultipartUploadResult", "write it");
  if (!result.ok()) require_short_sentence(result.error());
}

}  // namespace

// What an S3 server answers. The first byte tells to what.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 'k': list_keys(text); break;
    case 'u': list_uploads(text); break;
    case 'p': list_parts(text); break;
    case 'r': refuse(text); break;
    case 't': read_time(text); break;
    default: read_element(text);
  }
  return 0;
}
