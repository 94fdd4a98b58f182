// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

#include "storage/http/http_client.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr const char* kLibrary = "libcurl.so.4";
// Of what a server says, in a sentence.
constexpr std::size_t kMostSaid = 300;

// The functions of libcurl that are called here.
struct Curl {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_reset) easy_reset = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Result<Curl> load_curl() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return fail(Errc::io, std::string("'") + kLibrary + "' cannot be loaded; install the package libcurl4");
  Curl curl;
  const bool whole =
      find(library, "curl_global_init", curl.global_init) && find(library, "curl_easy_init", curl.easy_init) &&
      find(library, "curl_easy_reset", curl.easy_reset) && find(library, "curl_easy_setopt", curl.easy_setopt) &&
      find(library, "curl_easy_perform", curl.easy_perform) && find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
      find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
      find(library, "curl_easy_strerror", curl.easy_strerror) &&
      find(library, "curl_slist_append", curl.slist_append) &&
      find(library, "curl_slist_free_all", curl.slist_free_all);
  if (!whole || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return fail(Errc::io, std::string("'") + kLibrary + "' is not the libcurl that Trainyard was built for");
  return curl;
}

// A server that closes while something is sent to it must not end this process: SIGPIPE does not reach this thread
// meanwhile, and other threads as ever.
class NoBrokenPipes {
 public:
  NoBrokenPipes() {
    sigemptyset(&pipes_);
    sigaddset(&pipes_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipes_, &before_);
  }
  ~NoBrokenPipes() {
    const timespec at_once{};
    while (::sigtimedwait(&pipes_, nullptr, &at_once) == SIGPIPE) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoBrokenPipes(const NoBrokenPipes&) = delete;
  NoBrokenPipes& operator=(const NoBrokenPipes&) = delete;

 private:
  sigset_t pipes_{};
  sigset_t before_{};
};

// One request under way.
struct Exchange {
  const HttpRequest& request;
  const HttpOptions& options;
  const Curl& curl;
  CURL* handle = nullptr;
  HttpAnswer answer = {};
  std::uint64_t sent = 0;
  std::optional<Error> error = {};  // of a body or a sink
  bool sink_began = false;
  bool cancelled = false;
};

bool is_good(long status) { return status >= 200 && status < 300; }

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  Exchange& exchange = *static_cast<Exchange*>(self);
  const std::string_view piece(bytes, size * count);
  long status = 0;
  exchange.curl.easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.request.sink && is_good(status)) {
    exchange.answer.status = status;
    if (!std::exchange(exchange.sink_began, true) && exchange.request.before_sink) {
      if (auto done = exchange.request.before_sink(exchange.answer); !done.ok()) {
        exchange.error = std::move(done).error();
        return 0;
      }
    }
    if (auto done = exchange.request.sink(piece); !done.ok()) {
      exchange.error = std::move(done).error();
      return 0;
    }
    return piece.size();
  }
  std::string& body = exchange.answer.body;
  body.append(piece.substr(0, kMostHttpBody - std::min(kMostHttpBody, body.size())));
  return piece.size();
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  Exchange& exchange = *static_cast<Exchange*>(self);
  std::string_view line(bytes, size * count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.substr(0, 5) == "HTTP/") exchange.answer.headers.clear();  // those of an interim answer do not count
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  line.remove_prefix(colon + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  exchange.answer.headers.push_back({std::move(name), std::string(line)});
  return size * count;
}

std::size_t give_body(char* into, std::size_t size, std::size_t count, void* self) {
  Exchange& exchange = *static_cast<Exchange*>(self);
  const HttpBody& body = *exchange.request.body;
  if (exchange.sent >= body.bytes) return 0;
  const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(size * count, body.bytes - exchange.sent));
  auto copied = body.read(exchange.sent, std::span(into, most));
  if (!copied.ok()) {
    exchange.error = std::move(copied).error();
    return CURL_READFUNC_ABORT;
  }
  exchange.sent += *copied;
  return *copied;
}

int rewind_body(void* self, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_FAIL;
  Exchange& exchange = *static_cast<Exchange*>(self);
  if (exchange.sent > 0) ++exchange.answer.sendings;
  exchange.sent = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

int look_whether_to_go_on(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  Exchange& exchange = *static_cast<Exchange*>(self);
  exchange.cancelled = exchange.options.cancelled();
  return exchange.cancelled ? 1 : 0;
}

class CurlHttp final : public HttpClient {
 public:
  explicit CurlHttp(HttpOptions options) : options_(std::move(options)) {}

  ~CurlHttp() override {
    for (CURL* const handle : idle_) curl_->easy_cleanup(handle);
  }

  Result<HttpAnswer> send(const HttpRequest& request) override {
    static const Result<Curl> loaded = load_curl();
    if (!loaded.ok()) return loaded.error();
    const Curl& curl = *loaded;
    const NoBrokenPipes no_broken_pipes;
    CURL* const handle = take(curl);
    if (handle == nullptr) return fail(Errc::io, "there is no memory for a request to '" + request.url + "'");
    auto answer = perform(request, curl, handle);
    give_back(handle);
    return answer;
  }

 private:
  // A handle keeps its connection for whoever takes it next.
  CURL* take(const Curl& curl) {
    const std::lock_guard lock(mutex_);
    curl_ = &curl;
    if (idle_.empty()) return curl.easy_init();
    CURL* const handle = idle_.back();
    idle_.pop_back();
    curl.easy_reset(handle);
    return handle;
  }
  void give_back(CURL* handle) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(handle);
  }

  Result<HttpAnswer> perform(const HttpRequest& request, const Curl& curl, CURL* handle) const {
    // A value may come from an earlier answer, and must not become more than one header.
    for (const HttpHeader& header : request.headers)
      if (header.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
        return fail(Errc::invalid, "the value of the header '" + header.name + "' is more than one line");
    // libcurl adds a body to what it calls a POST by itself; Expect would cost a round trip for every part.
    curl_slist* list = curl.slist_append(nullptr, "Expect:");
    if (!request.body) list = curl.slist_append(list, "Content-Type:");
    for (const HttpHeader& header : request.headers)
      list = curl.slist_append(list, (header.name + (header.value.empty() ? ";" : ": " + header.value)).c_str());
    const std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)> headers(list, curl.slist_free_all);
    Exchange exchange{request, options_, curl, handle};
    std::array<char, CURL_ERROR_SIZE> why{};
    const auto set = [&](CURLoption option, auto value) { curl.easy_setopt(handle, option, value); };
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_ERRORBUFFER, why.data());
    set(CURLOPT_USERAGENT, "trainyard");
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.patience.to_connect.count()));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>((request.patience.stalled.count() + 999) / 1000));
    if (request.patience.in_all) set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.patience.in_all->count()));
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_HEADERFUNCTION, &take_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&exchange));
    set(CURLOPT_WRITEFUNCTION, &take_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
    set(CURLOPT_XFERINFOFUNCTION, &look_whether_to_go_on);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(&exchange));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_BUFFERSIZE, 256L << 10);
    set(CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    if (request.body) {
      set(CURLOPT_UPLOAD, 1L);
      set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body->bytes));
      set(CURLOPT_READFUNCTION, &give_body);
      set(CURLOPT_READDATA, static_cast<void*>(&exchange));
      set(CURLOPT_SEEKFUNCTION, &rewind_body);
      set(CURLOPT_SEEKDATA, static_cast<void*>(&exchange));
    } else if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    }
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    const CURLcode code = curl.easy_perform(handle);
    if (exchange.error) return *exchange.error;
    if (exchange.cancelled) return fail(Errc::cancelled, "the request to '" + request.url + "' was given up");
    if (code != CURLE_OK) {
      const std::string told = why[0] != '\0' ? why.data() : curl.easy_strerror(code);
      return fail(Errc::unavailable, "cannot reach '" + request.url + "': " + printable(told));
    }
    curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &exchange.answer.status);
    return std::move(exchange.answer);
  }

  const HttpOptions options_;
  std::mutex mutex_;
  const Curl* curl_ = nullptr;  // guarded by mutex_, as is the next
  std::vector<CURL*> idle_;
};

}  // namespace

HttpBody HttpBody::of(std::string_view bytes) {
  return {bytes.size(), [bytes](std::uint64_t offset, std::span<char> into) -> Result<std::size_t> {
            const std::string_view rest = bytes.substr(static_cast<std::size_t>(offset), into.size());
            std::memcpy(into.data(), rest.data(), rest.size());
            return rest.size();
          }};
}

std::optional<std::string> HttpAnswer::header(std::string_view name) const {
  for (const HttpHeader& each : headers)
    if (each.name == name) return each.value;
  return std::nullopt;
}

std::unique_ptr<HttpClient> curl_http(HttpOptions options) { return std::make_unique<CurlHttp>(std::move(options)); }

std::string text_of(const HttpAnswer& answer) {
  std::string said = printable(answer.body.substr(0, kMostSaid));
  std::replace(said.begin(), said.end(), '\n', ' ');
  return std::to_string(answer.status) + (said.empty() ? "" : ": " + said);
}

}  // namespace trainyard
