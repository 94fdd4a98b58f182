// SPDX-License-Identifier: Apache-2.0
#include "runner/outbox/http_post.hpp"

#include <curl/curl.h>
#include <dlfcn.h>

#include <algorithm>
#include <csignal>
#include <memory>

namespace trainyard {

namespace {

constexpr const char* kLibrary = "libcurl.so.4";
constexpr std::size_t kBeginning = 200;

// The functions of libcurl that are called here.
struct Curl {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
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
    return fail(Errc::unavailable, std::string("'") + kLibrary + "' cannot be loaded; install the package libcurl4");
  Curl curl;
  const bool whole =
      find(library, "curl_global_init", curl.global_init) && find(library, "curl_easy_init", curl.easy_init) &&
      find(library, "curl_easy_setopt", curl.easy_setopt) && find(library, "curl_easy_perform", curl.easy_perform) &&
      find(library, "curl_easy_getinfo", curl.easy_getinfo) && find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
      find(library, "curl_easy_strerror", curl.easy_strerror) &&
      find(library, "curl_slist_append", curl.slist_append) &&
      find(library, "curl_slist_free_all", curl.slist_free_all);
  if (!whole || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return fail(Errc::unavailable, std::string("'") + kLibrary + "' is not the libcurl that Trainyard was built for");
  return curl;
}

// A server that closes while something is sent to it must not end this process.
class NoBrokenPipes {
 public:
  NoBrokenPipes() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
  ~NoBrokenPipes() { std::signal(SIGPIPE, before_); }
  NoBrokenPipes(const NoBrokenPipes&) = delete;
  NoBrokenPipes& operator=(const NoBrokenPipes&) = delete;

 private:
  void (*before_)(int);
};

std::size_t keep_beginning(char* bytes, std::size_t size, std::size_t count, void* kept) {
  auto& beginning = *static_cast<std::string*>(kept);
  const std::size_t all = size * count;
  beginning.append(bytes, std::min(all, kBeginning - std::min(kBeginning, beginning.size())));
  return all;
}

}  // namespace

Result<HttpAnswer> post_json(const std::string& url, const std::string& body, const HttpPatience& patience) {
  static const Result<Curl> loaded = load_curl();
  if (!loaded.ok()) return loaded.error();
  const Curl& curl = *loaded;
  const NoBrokenPipes no_broken_pipes;
  const std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> handle(curl.easy_init(), curl.easy_cleanup);
  curl_slist* list = curl.slist_append(nullptr, "Content-Type: application/json");
  list = curl.slist_append(list, "Expect:");
  const std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)> headers(list, curl.slist_free_all);
  if (!handle || !headers) return fail(Errc::unavailable, "there is no memory to post to '" + url + "'");
  HttpAnswer answer;
  const auto set = [&](CURLoption option, auto value) { curl.easy_setopt(handle.get(), option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(patience.to_connect.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(patience.in_all.count()));
  set(CURLOPT_USERAGENT, "trainyard");
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  set(CURLOPT_POSTFIELDS, body.c_str());
  set(CURLOPT_WRITEFUNCTION, &keep_beginning);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&answer.beginning));
  const CURLcode code = curl.easy_perform(handle.get());
  if (code != CURLE_OK) return fail(Errc::unavailable, "cannot post to '" + url + "': " + curl.easy_strerror(code));
  curl.easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace trainyard
