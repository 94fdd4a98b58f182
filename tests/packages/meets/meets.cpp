// SPDX-License-Identifier: Apache-2.0
// Its workers meet, say what they were told of each other, and one of them may go wrong.
#include <unistd.h>
#include <trainyard/distributed.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

class Meets {
 public:
  explicit Meets(trainyard::Run& run) : run_(run) {}

  void train(const std::filesystem::path& data) {
    for (const char* const name : {"TRAINYARD_RANK", "TRAINYARD_WORLD_SIZE", "TRAINYARD_HOSTS", "TRAINYARD_RENDEZVOUS",
                                   "TRAINYARD_RENDEZVOUS_DIRECTORY", "TRAINYARD_DATA_SHARDING", "MASTER_ADDR",
                                   "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK", "MA_NUM_HOSTS", "VC_TASK_INDEX",
                                   "VC_WORKER_HOSTS", "SM_HOSTS", "SM_CURRENT_HOST"}) {
      if (const char* const value = std::getenv(name)) std::printf("%s=%s\n", name, value);
    }
    if (const char* const gpus = std::getenv("CUDA_VISIBLE_DEVICES")) std::printf("gpus %s\n", gpus);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data))
      if (entry.is_regular_file()) std::printf("file %s\n", entry.path().lexically_relative(data).c_str());
    std::fflush(stdout);
    std::ofstream(run_.artifacts_directory() / "rank.txt") << trainyard::rank() << "\n";
    if (const auto checkpoints = run_.directory("checkpoint"))
      std::ofstream(*checkpoints / "rank.txt", std::ios::app) << trainyard::rank() << "\n";

    trainyard::World world(
        run_, std::chrono::milliseconds(static_cast<std::int64_t>(run_.parameter<double>("patience") * 1000)));
    std::array<double, 3> values = {1.0, static_cast<double>(world.rank()), 0.5};
    world.all_reduce(std::span<double>(values));
    std::array<float, 2> extremes = {static_cast<float>(world.rank()), -1.0F};
    world.all_reduce(std::span<float>(extremes), trainyard::Reduction::most);
    std::array<std::int64_t, 1> least = {static_cast<std::int64_t>(world.rank()) + 7};
    world.all_reduce(std::span<std::int64_t>(least), trainyard::Reduction::least);
    std::array<int, 2> said = {static_cast<int>(world.rank()), 5};
    world.broadcast(std::span<int>(said), world.size() - 1);
    run_.metric("count", values[0]);
    run_.metric("sum_of_ranks", values[1]);
    run_.metric("highest_rank", extremes[0]);
    run_.metric("least", static_cast<double>(least[0]));
    run_.metric("said", said[0]);
    run_.metric("own_rank", static_cast<double>(world.rank()));

    if (run_.parameter<std::int64_t>("culprit") == static_cast<std::int64_t>(world.rank())) return go_wrong();
    world.barrier();
  }

  void save() {}
  double evaluate(const std::filesystem::path&) { return 1.0; }
  void process_data(const std::filesystem::path&) {}

 private:
  void go_wrong() {
    const auto how = run_.parameter<std::string>("how");
    if (how == "throws") throw std::runtime_error("this worker had enough");
    if (how == "crashes") std::abort();
    if (how == "exits") ::_exit(3);
    // Else it leaves the others, who wait for it in vain.
    while (how == "hangs") ::pause();
  }

  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(Meets)
