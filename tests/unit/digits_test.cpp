// SPDX-License-Identifier: Apache-2.0
//
// The parts of the sample package `digits`, without a run around them. DIGITS_DATA is the package's data folder.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <trainyard/package.hpp>

#include "sample-packages/digits/assessment.hpp"
#include "sample-packages/digits/charts.hpp"
#include "sample-packages/digits/images.hpp"
#include "sample-packages/digits/model_file.hpp"
#include "sample-packages/digits/network.hpp"
#include "sample-packages/digits/request.hpp"
#include "sample-packages/digits/training.hpp"

namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// An empty folder that is gone at the end of the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("digits-test-" + std::to_string(std::random_device()()))) {
    fs::create_directory(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string read_file(const fs::path& file) {
  std::ostringstream content;
  content << std::ifstream(file).rdbuf();
  return content.str();
}

void write_file(const fs::path& file, const std::string& content) { std::ofstream(file) << content; }

const std::vector<digits::Image>& training_images() {
  static const std::vector<digits::Image> images = digits::read_images(fs::path(DIGITS_DATA) / "training");
  return images;
}

const std::vector<digits::Image>& test_images() {
  static const std::vector<digits::Image> images = digits::read_images(fs::path(DIGITS_DATA) / "test");
  return images;
}

const digits::TrainingObserver& nobody() {
  static const digits::TrainingObserver observer{[] {}, [](const digits::EpochMetrics&) {}};
  return observer;
}

digits::Model untrained(const digits::TrainingSettings& settings, std::size_t hidden_units) {
  return {digits::Network::untrained(hidden_units, settings.seed), 0};
}

void train(digits::Model& model, const digits::TrainingSettings& settings) {
  const digits::Split split = digits::hold_out_every(10, training_images());
  digits::train(model, split.kept, split.held_out, settings, nobody());
}

digits::TrainingSettings short_training() {
  digits::TrainingSettings settings;
  settings.epochs = 3;
  return settings;
}

std::vector<float> numbers(const digits::Model& model) {
  return {model.network.parameters().begin(), model.network.parameters().end()};
}

std::string table(const std::string& line) {
  std::string header = "label";
  for (char row = '0'; row < '8'; ++row) {
    for (char column = '0'; column < '8'; ++column) header.append(",p").append({row, column});
  }
  return header + "\n" + line;
}

std::string image_line(const std::string& label, const std::string& last_pixel) {
  std::string line = label;
  for (int pixel = 0; pixel < 63; ++pixel) line += ",0";
  return line + "," + last_pixel + "\n";
}

std::string why_refused(const std::string& content) {
  const Folder folder;
  write_file(folder.path() / "digits.csv", content);
  try {
    digits::read_images(folder.path());
  } catch (const trainyard::InvalidInput& error) {
    return error.what();
  }
  return "not refused";
}

}  // namespace

TEST_CASE("digits: the committed images are the documented split") {
  CHECK(training_images().size() == 1442);
  CHECK(test_images().size() == 355);
  for (std::size_t digit = 0; digit < digits::kClasses; ++digit) {
    const auto of_this_digit = [&](const digits::Image& image) { return image.label == digit; };
    CHECK(std::count_if(test_images().begin(), test_images().end(), of_this_digit) >= 34);
  }
  for (const digits::Image& image : test_images()) {
    const auto same = [&](const digits::Image& other) { return other.pixels == image.pixels; };
    REQUIRE(std::none_of(training_images().begin(), training_images().end(), same));
  }
}

TEST_CASE("digits: a mistake in the table is named with file, line and column") {
  const std::string good = image_line("3", "16");
  CHECK(why_refused(table(good)) == "not refused");
  CHECK_THAT(why_refused(table(good + image_line("3", "17"))),
             Contains("digits.csv, line 3 has '17' in column 'p77'") && Contains("from 0 to 16"));
  CHECK_THAT(why_refused(table(image_line("10", "0"))), Contains("line 2 has '10' in column 'label'"));
  CHECK_THAT(why_refused(table(image_line("-1", "0"))), Contains("'-1'"));
  CHECK_THAT(why_refused(table(image_line("1", "0x"))), Contains("'0x'"));
  CHECK_THAT(why_refused(table(image_line("1", ""))), Contains("'' in column 'p77'"));
  CHECK_THAT(why_refused(table(good + "1,2,3\n")), Contains("line 3 ends before column 'p02'"));
  CHECK_THAT(why_refused(table(image_line("1", "0,0"))), Contains("line 2 has more than 65 values"));
  CHECK_THAT(why_refused(good), Contains("line 1 is not the header"));
  CHECK_THAT(why_refused(""), Contains("line 1 is not the header"));
  CHECK_THAT(why_refused(table("")), Contains("holds no image"));

  const Folder folder;
  CHECK_THROWS_WITH(digits::read_images(folder.path()), Contains("digits.csv does not exist"));
}

TEST_CASE("digits: written images are read back") {
  const Folder folder;
  CHECK_FALSE(digits::has_images(folder.path()));
  digits::write_images(folder.path(), test_images());
  CHECK(digits::has_images(folder.path()));
  CHECK(read_file(folder.path() / "digits.csv") == read_file(fs::path(DIGITS_DATA) / "test" / "digits.csv"));
}

TEST_CASE("digits: every n-th image of each digit is held out") {
  std::vector<digits::Image> images(7);
  for (const std::size_t i : {1U, 3U, 4U, 6U}) images[i].label = 5;
  images[4].pixels[0] = 1.0F;  // the third five
  const digits::Split split = digits::hold_out_every(3, images);
  REQUIRE(split.held_out.size() == 2);
  CHECK(split.held_out[0].label == 5);
  CHECK(split.held_out[0].pixels[0] == 1.0F);
  CHECK(split.held_out[1].label == 0);
  CHECK(split.kept.size() == 5);
}

TEST_CASE("digits: the gradient is the slope of the loss") {
  digits::Network network = digits::Network::untrained(12, 7);
  const std::vector<digits::Image> one = {test_images().front()};
  std::vector<float> gradient(network.parameters().size());
  network.add_gradient(one.front(), gradient);
  constexpr float kStep = 1e-2F;
  std::size_t not_flat = 0;
  for (std::size_t i = 0; i < gradient.size(); i += 5) {
    const float before = network.parameters()[i];
    network.parameters()[i] = before + kStep;
    const double above = digits::assess(network, one).loss;
    network.parameters()[i] = before - kStep;
    const double below = digits::assess(network, one).loss;
    network.parameters()[i] = before;
    INFO("parameter " << i);
    CHECK(static_cast<double>(gradient[i]) == Approx((above - below) / (2.0 * kStep)).margin(2e-3));
    if (gradient[i] != 0.0F) ++not_flat;
  }
  CHECK(not_flat > 20);
}

TEST_CASE("digits: the same training gives the same bits, another seed gives others") {
  const auto trained = [](const digits::TrainingSettings& settings) {
    digits::Model model = untrained(settings, 32);
    train(model, settings);
    return numbers(model);
  };
  digits::TrainingSettings settings = short_training();
  const std::vector<float> first = trained(settings);
  CHECK(first == trained(settings));
  settings.augment = digits::Augment::no;
  CHECK(first != trained(settings));
  settings = short_training();
  settings.optimizer = digits::Optimizer::sgd;
  CHECK(first != trained(settings));
  settings = short_training();
  settings.seed = 2;
  CHECK(first != trained(settings));
}

TEST_CASE("digits: a default training knows the test images, and going on does not unlearn them") {
  const digits::TrainingSettings settings;
  digits::Model model = untrained(settings, digits::kDefaultHiddenUnits);
  train(model, settings);
  const digits::Assessment on_test = digits::assess(model.network, test_images());
  CHECK(on_test.accuracy >= 0.96);
  CHECK(model.epochs == settings.epochs);

  const double loss = digits::assess(model.network, training_images()).loss;
  train(model, settings);
  CHECK(digits::assess(model.network, training_images()).loss <= loss);
  CHECK(digits::assess(model.network, test_images()).accuracy >= on_test.accuracy);
  CHECK(model.epochs == 2 * settings.epochs);
}

TEST_CASE("digits: a training ends where its observer throws, and reports every epoch before") {
  const digits::TrainingSettings settings = short_training();
  digits::Model model = untrained(settings, 16);
  const digits::Split split = digits::hold_out_every(10, training_images());
  const std::size_t batches = (split.kept.size() + settings.batch_size - 1) / settings.batch_size;
  std::size_t begun = 0;
  std::vector<std::int64_t> epochs;
  const digits::TrainingObserver observer{
      [&] {
        if (++begun > 2 * batches) throw trainyard::Cancelled();
      },
      [&](const digits::EpochMetrics& metrics) { epochs.push_back(metrics.epoch); }};
  CHECK_THROWS_AS(digits::train(model, split.kept, split.held_out, settings, observer), trainyard::Cancelled);
  CHECK(epochs == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("digits: an assessment counts what was said about each digit") {
  const digits::Network network = digits::Network::untrained(8, 3);
  const digits::Assessment assessment = digits::assess(network, test_images());
  int images = 0;
  int right = 0;
  for (std::size_t truth = 0; truth < digits::kClasses; ++truth) {
    right += assessment.confusion[truth][truth];
    for (const int count : assessment.confusion[truth]) images += count;
  }
  CHECK(images == 355);
  CHECK(right + static_cast<int>(assessment.mistakes.size()) == images);
  CHECK(assessment.accuracy == Approx(right / 355.0));
}

TEST_CASE("digits: a model is read back as it was saved") {
  const Folder folder;
  CHECK_FALSE(digits::load_model(folder.path()).has_value());
  digits::Model model = untrained(short_training(), 24);
  train(model, short_training());
  digits::save_model(folder.path(), model);
  const auto loaded = digits::load_model(folder.path());
  REQUIRE(loaded.has_value());
  CHECK(numbers(*loaded) == numbers(model));
  CHECK(loaded->network.hidden_units() == 24);
  CHECK(loaded->epochs == 3);
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("digits: another model file is refused by a sentence that names it") {
  const Folder folder;
  const fs::path file = folder.path() / "model.txt";
  digits::save_model(folder.path(), untrained({}, 4));
  const std::string good = read_file(file);
  const auto why = [&](const std::string& content) -> std::string {
    write_file(file, content);
    try {
      digits::load_model(folder.path());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "not refused";
  };
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string content = good;
    return content.replace(content.find(from), from.size(), to);
  };
  REQUIRE(why(good) == "not refused");
  CHECK_THAT(why("\x80\x02}q"), Contains("model.txt is not a model of this package"));
  CHECK_THAT(why(""), Contains("incomplete"));
  CHECK_THAT(why(replaced("digits-model 1", "digits-model 2")), Contains("has version '2'") && Contains("version 1"));
  CHECK_THAT(why(replaced("hidden_units 4", "hidden_units 5")), Contains("damaged"));
  CHECK_THAT(why(replaced("hidden_units 4", "hidden_units 0")), Contains("damaged"));
  CHECK_THAT(why(good.substr(0, good.size() / 2)), Contains("damaged") || Contains("incomplete"));
  CHECK_THAT(why(good.substr(0, good.size() - 4)), Contains("incomplete"));
  CHECK_THAT(why(replaced("\nend\n", "\n1p+0\nend\n")), Contains("damaged"));
  CHECK_THAT(why(replaced("\nend\n", "nan\nend\n")), Contains("is not a parameter"));
}

TEST_CASE("digits: a request is exactly 64 numbers") {
  std::string sixty_three;
  for (int i = 0; i < 63; ++i) sixty_three += "0 , ";
  const auto pixels = digits::parse_request(" [" + sixty_three + "1.6e1]\n");
  CHECK(pixels[63] == 1.0F);
  CHECK(pixels[0] == 0.0F);

  const auto why = [](const std::string& request) -> std::string {
    try {
      digits::parse_request(request);
    } catch (const trainyard::InvalidInput& error) {
      return error.what();
    }
    return "not refused";
  };
  CHECK_THAT(why(""), Contains("does not begin with '['"));
  CHECK_THAT(why("{}"), Contains("does not begin with '['"));
  CHECK_THAT(why("[1, 2]"), Contains("after value 2 there is no ','"));
  CHECK_THAT(why("[1, 16.5"), Contains("value 2 is 16.5"));
  CHECK_THAT(why("[-1"), Contains("value 1 is -1"));
  CHECK_THAT(why("[1e999"), Contains("value 1 is 1e999"));
  for (const char* wrong : {"[01", "[.5", "[1.", "[+1", "[0x1", "[nan", "[\"1\"", "[null", "[1e"}) {
    INFO(wrong);
    CHECK_THAT(why(wrong), Contains("value 1 is not a number") || Contains("after value 1 there is no ','"));
  }
  CHECK_THAT(why("[" + sixty_three + "1, 1]"), Contains("after value 64 there is no ']'"));
  CHECK_THAT(why("[" + sixty_three + "1] 2"), Contains("something follows"));
}

TEST_CASE("digits: an answer names the likeliest digit") {
  digits::Probabilities probabilities{};
  probabilities[7] = 0.75;
  probabilities[1] = 0.25;
  CHECK(digits::answer_json(probabilities) == R"({"digit":7,"probabilities":[0,0.25,0,0,0,0,0,0.75,0,0]})");
}

TEST_CASE("digits: the pictures show what was measured") {
  const digits::Network network = digits::Network::untrained(8, 3);
  const digits::Assessment bad = digits::assess(network, test_images());
  CHECK_THAT(digits::confusion_matrix_svg(bad, "Title"), Contains("Title") && Contains("predicted digit"));
  CHECK_THAT(digits::misclassified_svg(bad, "Title"), Contains("here are the first 60 mistakes"));
  digits::Assessment good;
  good.accuracy = 1.0;
  CHECK_THAT(digits::misclassified_svg(good, "Title"), Contains("No image was misclassified."));
  const std::string curve = digits::learning_curve_svg({{31, 0.5, 0.8, 0.6, 0.75}, {32, 0.25, 0.9, 0.3, 0.85}});
  CHECK_THAT(curve, Contains("after epoch 32") && Contains("validation") && Contains("85.0 %"));
}
