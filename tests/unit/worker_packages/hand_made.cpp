// SPDX-License-Identifier: Apache-2.0
// A package without the kit, so that nothing stands between its deeds and the worker. The parameter `deed` says what it
// does in train.
#include <trainyard/abi.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

extern char** environ;

namespace {

const trainyard_host* host = nullptr;

trainyard_text text(std::string_view view) { return {view.data(), view.size()}; }
std::string_view view(trainyard_text text) { return {text.data, static_cast<std::size_t>(text.size)}; }

trainyard_value parameter(std::string_view name) {
  trainyard_value value{};
  host->parameter(host->self, text(name), &value);
  return value;
}

void explain(std::string_view why) { host->explain(host->self, text(why)); }

trainyard_status measure() {
  host->metric(host->self, text("loss"), 1, 0.5);
  host->metric(host->self, text("loss"), 2, std::numeric_limits<double>::quiet_NaN());
  host->metric(host->self, text("loss"), 3, -std::numeric_limits<double>::infinity());
  host->metric(host->self, text("loss of all"), 4, 0.5);
  host->metric(host->self, text("loss"), -1, 0.5);
  host->metric(host->self, {nullptr, 0}, 5, 0.5);
  host->progress(host->self, 7.0, text("far"));
  host->progress(host->self, std::nan(""), text("nowhere"));
  host->log(host->self, TRAINYARD_ERROR, text("not \xff UTF-8"));
  host->log(host->self, 77, {nullptr, 0});
  return TRAINYARD_OK;
}

trainyard_status chorus() {
  const auto sing = [] {
    for (int step = 0; step < 500; ++step) host->metric(host->self, text("voice"), step, step);
  };
  std::thread first(sing), second(sing), third(sing);
  first.join();
  second.join();
  third.join();
  return TRAINYARD_OK;
}

trainyard_status look_around() {
  trainyard_text artifacts{};
  if (host->directory(host->self, text("artifacts"), &artifacts) == 0) return TRAINYARD_FAILED;
  std::ofstream seen(std::string(view(artifacts)) + "/seen.txt");
  char folder[4096];
  seen << "cwd " << (::getcwd(folder, sizeof folder) ? folder : "") << "\n";
  seen << "stdin " << std::string(std::istreambuf_iterator<char>(std::cin), {}).size() << "\n";
  for (int fd = 3; fd < 64; ++fd) {
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = ::readlink(link.c_str(), folder, sizeof folder);
    if (size > 0) seen << "fd " << std::string_view(folder, static_cast<std::size_t>(size)) << "\n";
  }
  for (char** variable = environ; *variable; ++variable) seen << "env " << *variable << "\n";
  const trainyard_value count = parameter("count"), rate = parameter("rate"), on = parameter("on");
  seen << "count " << count.type << " " << count.integer << " " << count.number << " " << view(count.text) << "\n";
  seen << "rate " << rate.type << " " << rate.number << " " << view(rate.text) << "\n";
  seen << "on " << on.type << " " << on.boolean << " " << view(on.text) << "\n";
  trainyard_value untouched{};
  seen << "absent " << host->parameter(host->self, text("absent"), &untouched) << "\n";
  seen << "nowhere " << host->directory(host->self, text("nowhere"), &artifacts) << "\n";
  seen << "extension " << (host->extension(host->self, text("later")) == nullptr) << "\n";
  return TRAINYARD_OK;
}

trainyard_status create(const trainyard_host* given, void** self) noexcept {
  host = given;
  *self = nullptr;
  return TRAINYARD_OK;
}

void destroy(void*) noexcept {}

trainyard_status train(void*, trainyard_text) {
  const std::string_view deed = view(parameter("deed").text);
  if (deed == "throws an int") throw 42;
  if (deed == "throws an exception") throw std::runtime_error("the reason");
  if (deed == "returns 3") return TRAINYARD_FAILED;
  if (deed == "returns 99") return 99;
  if (deed == "returns -1") return -1;
  if (deed == "explains at length") {
    explain("an earlier reason");
    explain(std::string(1023, 'a') + "\xc3\xa4\xc3\xa4");
    return TRAINYARD_INVALID_INPUT;
  }
  if (deed == "explains a success") {
    explain("all is well");
    return TRAINYARD_OK;
  }
  if (deed == "measures") return measure();
  if (deed == "sings in a chorus") return chorus();
  if (deed == "looks around") return look_around();
  if (deed == "comes back twice") {
    static_cast<void>(::fork());
    return TRAINYARD_OK;
  }
  if (deed == "leaves its words in buffers") {
    std::ios::sync_with_stdio(false);
    std::printf("stdio");
    std::cout << "iostream";
    return TRAINYARD_OK;
  }
  if (deed == "keeps a stream locked") {
    std::thread([] {
      ::flockfile(stdout);
      for (;;) ::pause();
    }).detach();
    ::usleep(100'000);
    return TRAINYARD_OK;
  }
  if (deed == "leaves its group and stays") {
    while (::setpgid(0, ::getppid()) == 0) ::pause();
    return TRAINYARD_FAILED;
  }
  return TRAINYARD_BUG;
}

trainyard_status save(void*) noexcept {
  if (view(parameter("deed").text) == "explains a success") return TRAINYARD_FAILED;
  return TRAINYARD_OK;
}

trainyard_status evaluate(void*, trainyard_text, double* score) noexcept {
  *score = 0.75;
  return TRAINYARD_OK;
}

trainyard_package table() {
  trainyard_package made{};
  made.struct_size = sizeof made;
  made.minor = TRAINYARD_ABI_MINOR;
  made.builder = "hands";
  made.create = create;
  made.destroy = destroy;
  // What the type forbids and a package in another language does all the same.
  made.train = reinterpret_cast<decltype(made.train)>(&train);
  made.save = save;
  made.evaluate = evaluate;
  return made;
}

}  // namespace

extern "C" const trainyard_package trainyard_package_v1 = table();
