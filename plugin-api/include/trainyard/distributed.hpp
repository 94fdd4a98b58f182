// SPDX-License-Identifier: Apache-2.0
//
// How the workers of a run on several nodes speak to each other: collective operations over Gloo, by TCP. A package that
// includes this says so to the build: trainyard_add_package(<name> DISTRIBUTED ...).
//
//   trainyard::World world(run);                            // every worker of the run makes one
//   world.broadcast(std::span<float>(parameters));          // all begin alike
//   for (...) {
//     ... the gradient of this worker's share ...
//     world.all_reduce(std::span<float>(gradient));         // now it is that of all shares, the same bits for every worker
//   }
//
// With one worker nothing is connected and every operation leaves its values as they are, so the same code trains on one
// node and on many.
#pragma once

#include <gloo/allreduce.h>
#include <gloo/barrier.h>
#include <gloo/broadcast.h>
#include <gloo/math.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/rendezvous/prefix_store.h>
#include <gloo/transport/tcp/device.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>
#include <trainyard/package.hpp>
#include <trainyard/rank.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace trainyard {

/// What becomes of the values that the workers have in one place.
enum class Reduction { sum, least, most };

namespace border {

/// A thread that does one thing at a time for another one, which may stop waiting for it. It owns what it works on, so that
/// nothing of the waiting one is touched any more once that has gone on.
class Lane {
 public:
  Lane() : state_(std::make_shared<State>()), thread_(&Lane::work, state_) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane() {
    const std::unique_lock lock(state_->mutex);
    state_->end = true;
    state_->changed.notify_all();
    // What waits for others may wait for long; the process does not end by this thread.
    thread_.detach();
  }

  /// Returns when `task` is done, and throws what it threw. `impatient` is asked now and then, and may throw instead.
  template <class Task, class Impatient>
  void run(Task task, Impatient impatient) {
    std::unique_lock lock(state_->mutex);
    state_->task = std::move(task);
    state_->done = false;
    state_->changed.notify_all();
    while (!state_->changed.wait_for(lock, std::chrono::milliseconds(50), [this] { return state_->done; })) impatient();
    if (state_->error) std::rethrow_exception(std::exchange(state_->error, nullptr));
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> task;
    std::exception_ptr error;
    bool done = false;
    bool end = false;
  };

  static void work(const std::shared_ptr<State>& state) {
    std::unique_lock lock(state->mutex);
    for (;;) {
      state->changed.wait(lock, [&] { return state->task || state->end; });
      if (!state->task) return;
      std::function<void()> task = std::exchange(state->task, nullptr);
      lock.unlock();
      std::exception_ptr error;
      try {
        task();
      } catch (...) {
        error = std::current_exception();
      }
      task = nullptr;
      lock.lock();
      state->error = error;
      state->done = true;
      state->changed.notify_all();
    }
  }

  std::shared_ptr<State> state_;
  std::thread thread_;
};

/// The numeric address by which the host `other` is reached from here; empty when there is none. A machine's own name often
/// leads to an address that only it can reach.
inline std::string address_towards(const std::string& other) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(other.c_str(), "9", &wanted, &found) != 0) return "";
  std::string address;
  for (const addrinfo* one = found; one != nullptr && address.empty(); one = one->ai_next) {
    const int socket = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (socket < 0) continue;
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    char text[NI_MAXHOST];
    // Nothing is sent: the kernel only chooses the way.
    if (::connect(socket, one->ai_addr, one->ai_addrlen) == 0 &&
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&own), size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0) {
      address = text;
    }
    ::close(socket);
  }
  ::freeaddrinfo(found);
  return address;
}

inline bool is_numeric(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) return false;
  ::freeaddrinfo(found);
  return true;
}

using Reducer = void (*)(void*, const void*, const void*, std::size_t);

template <class T>
Reducer reducer(Reduction reduction) {
  Reducer by = &gloo::sum<T>;
  if (reduction == Reduction::least) by = &gloo::min<T>;
  if (reduction == Reduction::most) by = &gloo::max<T>;
  return by;
}

/// Where this worker listens to the others, who are told by the file through which they meet.
inline std::string listening_address() {
  const std::vector<std::string> all = hosts();
  if (rank() >= all.size()) throw std::runtime_error("TRAINYARD_HOSTS does not name the host of this worker");
  const std::string& own = all[rank()];
  if (is_numeric(own)) return own;
  for (const std::string& other : all) {
    if (other == own) continue;
    if (std::string address = address_towards(other); !address.empty()) return address;
  }
  // Names that only a scheduler knows.
  char name[NI_MAXHOST] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return own;
  const std::string address = address_towards(name);
  return address.empty() ? own : address;
}

}  // namespace border

/// All workers of the run. Every worker makes its Worlds in the same order and calls the same operations in the same order,
/// with as many values. One thread at a time uses it.
///
/// An operation throws Cancelled once the run is asked to stop, whatever the others do. When another worker is gone, the run
/// is over: then the runner stops this one too, and the operation throws Cancelled as well. It throws std::runtime_error
/// when nobody stopped the run and the others cannot be reached, or let this worker wait for longer than `patience`. After
/// an exception the World is of no use any more.
class World {
 public:
  /// Meets the others. `run` outlives the World.
  explicit World(const Run& run, std::chrono::milliseconds patience = std::chrono::minutes(10)) : run_(run) {
    if (size() == 1) return;
    static std::atomic<int> made{0};
    const std::string name = "world-" + std::to_string(made++);
    lane_ = std::make_unique<border::Lane>();
    perform([box = box_, name, patience] {
      const std::string folder = border::variable("TRAINYARD_RENDEZVOUS_DIRECTORY");
      if (folder.empty())
        throw std::runtime_error("TRAINYARD_RENDEZVOUS_DIRECTORY does not say where the workers meet");
      gloo::rendezvous::FileStore files(folder);
      gloo::rendezvous::PrefixStore store(name, files);
      std::shared_ptr<gloo::transport::Device> device =
          gloo::transport::tcp::CreateDevice(border::listening_address().c_str());
      auto context = std::make_shared<gloo::rendezvous::Context>(static_cast<int>(trainyard::rank()),
                                                                 static_cast<int>(world_size()));
      context->setTimeout(patience);
      context->connectFullMesh(store, device);
      box->context = std::move(context);
    });
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::size_t rank() const { return trainyard::rank(); }
  std::size_t size() const { return world_size(); }

  /// Puts the sum (the least, the most) of what the workers have in each place there, for all of them. All get the same
  /// bits; but the sum of floating-point numbers depends on how many workers there are, by its rounding.
  template <class T>
  void all_reduce(std::span<T> values, Reduction reduction = Reduction::sum) {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>, "trainyard: all_reduce takes numbers");
    exchange(values, [reduction](Box& box) {
      gloo::AllreduceOptions options(box.context);
      options.setOutput(reinterpret_cast<T*>(box.bytes.data()), box.bytes.size() / sizeof(T));
      options.setReduceFunction(border::reducer<T>(reduction));
      options.setTag(box.tag++);
      gloo::allreduce(options);
    });
  }

  /// Gives everybody the values of the worker `root`.
  template <class T>
  void broadcast(std::span<T> values, std::size_t root = 0) {
    static_assert(std::is_trivially_copyable_v<T>, "trainyard: broadcast takes values that are their bytes");
    exchange(values, [root](Box& box) {
      gloo::BroadcastOptions options(box.context);
      options.setOutput(box.bytes.data(), box.bytes.size());
      options.setRoot(static_cast<int>(root));
      options.setTag(box.tag++);
      gloo::broadcast(options);
    });
  }

  /// Returns when every worker has come here.
  void barrier() {
    if (size() == 1) return;
    perform([box = box_] {
      gloo::BarrierOptions options(box->context);
      options.setTag(box->tag++);
      gloo::barrier(options);
    });
  }

 private:
  /// What the thread of the operations works on.
  struct Box {
    std::shared_ptr<gloo::rendezvous::Context> context;
    std::vector<std::byte> bytes;
    std::uint32_t tag = 0;
  };

  template <class T, class Operation>
  void exchange(std::span<T> values, Operation operation) {
    if (size() == 1 || values.empty()) return;
    box_->bytes.resize(values.size_bytes());
    std::memcpy(box_->bytes.data(), values.data(), values.size_bytes());
    perform([box = box_, operation] { operation(*box); });
    std::memcpy(values.data(), box_->bytes.data(), values.size_bytes());
  }

  template <class Task>
  void perform(Task task) {
    if (broken_) throw std::runtime_error("an operation of the workers failed before, so they cannot go on together");
    broken_ = true;
    try {
      lane_->run(std::move(task), [this] { run_.throw_if_cancelled(); });
    } catch (const gloo::Exception& e) {
      complain(e.what());
    } catch (const std::system_error& e) {
      complain(e.what());
    }
    broken_ = false;
  }

  /// Who only lost the others must not be taken for the cause: the runner gets the time to say that the run is over.
  [[noreturn]] void complain(const std::string& why) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (std::chrono::steady_clock::now() < end) {
      run_.throw_if_cancelled();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw std::runtime_error("worker " + std::to_string(rank()) + " of " + std::to_string(size()) +
                             " cannot reach the others: " + why);
  }

  const Run& run_;
  std::shared_ptr<Box> box_ = std::make_shared<Box>();
  std::unique_ptr<border::Lane> lane_;
  bool broken_ = false;
};

}  // namespace trainyard
