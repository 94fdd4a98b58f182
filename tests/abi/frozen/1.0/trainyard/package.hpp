// SPDX-License-Identifier: Apache-2.0
//
// The author's kit: turns one C++20 class into a Trainyard package.
//
//   #include <trainyard/package.hpp>
//
//   class Digits {
//    public:
//     explicit Digits(trainyard::Run& run);                      // loads the current model; `run` outlives the object
//     void train(const std::filesystem::path& data);
//     void save();                                               // writes the model into run.package_directory()
//     double evaluate(const std::filesystem::path& data);        // optional: one finite score
//     void process_data(const std::filesystem::path& data);      // optional: fills "training_data" and "test_data"
//     std::string predict(std::string_view input);               // optional
//   };
//
//   TRAINYARD_PACKAGE(Digits)
//
// `train` and `save` come together; a package has them, or evaluate, or predict. A verb that is there under another
// signature is a compile error that says which signature is meant, never a verb that is silently missing.
//
// The class is called from one thread, one call at a time. It reports a failure by throwing: InvalidInput for the
// user's mistake, Cancelled after it was asked to stop, anything else for a failure of its own. No exception crosses
// the border.
//
// The kit is compiled into the package. Nothing of it is shared with Trainyard but the C tables of <trainyard/abi.h>,
// so a package runs in every Trainyard of the same ABI major, whatever compiler and standard library built either.
#pragma once

#include <trainyard/abi.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace trainyard {

/// The data or a parameter is unusable. Says what to change; the run ends as the user's mistake and is not retried.
class InvalidInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The call ends early because the run was asked to stop.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

namespace border {

inline trainyard_text text(std::string_view view) noexcept { return {view.data(), view.size()}; }
inline std::string_view view(trainyard_text text) noexcept { return {text.data, static_cast<std::size_t>(text.size)}; }

/// The host's table as far as this kit knows it. What an older host does not have yet is null, so everybody behind this
/// line asks one question: is the function there?
inline trainyard_host known(const trainyard_host* host) noexcept {
  trainyard_host table{};
  std::memcpy(&table, host, std::min<std::size_t>(host->struct_size, sizeof table));
  return table;
}

/// The value as T, or InvalidInput with the name, the value and what was needed.
template <class T>
T read(std::string_view name, const trainyard_value& value) {
  const auto wrong = [&](const char* need) {
    return InvalidInput("parameter '" + std::string(name) + "' is " + std::string(view(value.text)) + "; it must be " +
                        need);
  };
  if constexpr (std::same_as<T, bool>) {
    if (value.type != TRAINYARD_BOOLEAN) throw wrong("a Boolean");
    return value.boolean != 0;
  } else if constexpr (std::integral<T>) {
    if (value.type != TRAINYARD_INTEGER) throw wrong("an Integer");
    if (!std::in_range<T>(value.integer)) throw wrong("an Integer that fits the type the package reads it as");
    return static_cast<T>(value.integer);
  } else if constexpr (std::floating_point<T>) {
    if (value.type != TRAINYARD_FLOAT && value.type != TRAINYARD_INTEGER) throw wrong("a Float or an Integer");
    if (std::isfinite(value.number) && std::abs(value.number) > std::numeric_limits<T>::max())
      throw wrong("a Float that fits the type the package reads it as");
    return static_cast<T>(value.number);
  } else if constexpr (std::same_as<T, std::string>) {
    if (value.type != TRAINYARD_STRING) throw wrong("a String");
    return std::string(view(value.text));
  } else {
    static_assert(sizeof(T) == 0,
                  "trainyard: a parameter is read as bool, an integer type, a floating-point type or std::string");
    throw wrong("of another type");
  }
}

}  // namespace border

/// The run that the package is part of. Every function may be called from any thread. A power that the host does not
/// have does nothing, or answers that there is nothing.
class Run {
 public:
  /// `host` outlives the Run.
  explicit Run(const trainyard_host* host) : host_(border::known(host)) {
    package_directory_ = directory("package").value_or("");
    artifacts_directory_ = directory("artifacts").value_or("");
    data_directory_ = directory("data").value_or("");
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// One message for the run's log, UTF-8.
  void debug(std::string_view text) const noexcept { log(TRAINYARD_DEBUG, text); }
  void info(std::string_view text) const noexcept { log(TRAINYARD_INFO, text); }
  void warning(std::string_view text) const noexcept { log(TRAINYARD_WARNING, text); }
  void error(std::string_view text) const noexcept { log(TRAINYARD_ERROR, text); }

  /// One measurement. `name` matches [\w-]{1,64}, `step` is 0 or more; others are dropped with a warning in the log.
  void metric(std::string_view name, double value, std::int64_t step = 0) const noexcept {
    if (host_.metric) host_.metric(host_.self, border::text(name), step, value);
  }

  /// How far the current call is: `fraction` from 0 to 1, `note` is a few words.
  void progress(double fraction, std::string_view note = {}) const noexcept {
    if (host_.progress) host_.progress(host_.self, fraction, border::text(note));
  }

  /// True once the run is asked to stop. Cheap: may be asked in an inner loop.
  bool cancelled() const noexcept { return host_.cancelled && host_.cancelled(host_.self) != 0; }
  void throw_if_cancelled() const {
    if (cancelled()) throw Cancelled();
  }

  /// The parameter as T: bool, any integer or floating-point type, or std::string. An Integer may be read as floating
  /// point. InvalidInput when the run has no such parameter, it has another type, or it does not fit T.
  template <class T>
  T parameter(std::string_view name) const {
    if (const auto value = find(name)) return border::read<T>(name, *value);
    throw InvalidInput("parameter '" + std::string(name) + "' is missing");
  }

  /// The same, and `otherwise` when the run has no such parameter.
  template <class T>
  T parameter(std::string_view name, T otherwise) const {
    if (const auto value = find(name)) return border::read<T>(name, *value);
    return otherwise;
  }

  /// Absolute folders of the run; empty when it has no such folder. The package folder is the private copy that becomes
  /// the new version, and the working directory; what lies in the artifacts folder is kept beside the version.
  const std::filesystem::path& package_directory() const noexcept { return package_directory_; }
  const std::filesystem::path& artifacts_directory() const noexcept { return artifacts_directory_; }
  const std::filesystem::path& data_directory() const noexcept { return data_directory_; }

  /// Any folder that <trainyard/abi.h> names, such as "training_data" and "test_data".
  std::optional<std::filesystem::path> directory(std::string_view name) const {
    trainyard_text path{};
    if (!host_.directory || host_.directory(host_.self, border::text(name), &path) == 0) return std::nullopt;
    return std::filesystem::path(border::view(path));
  }

  /// The powers behind this class, for what the kit does not wrap, such as `extension`. Absent powers are null.
  const trainyard_host& host() const noexcept { return host_; }

 private:
  void log(trainyard_level level, std::string_view text) const noexcept {
    if (host_.log) host_.log(host_.self, level, border::text(text));
  }

  std::optional<trainyard_value> find(std::string_view name) const noexcept {
    trainyard_value value{};
    if (!host_.parameter || host_.parameter(host_.self, border::text(name), &value) == 0) return std::nullopt;
    return value;
  }

  trainyard_host host_;
  std::filesystem::path package_directory_;
  std::filesystem::path artifacts_directory_;
  std::filesystem::path data_directory_;
};

// From here on: how a class becomes a table. Authors need nothing of it but TRAINYARD_PACKAGE.
namespace border {

/// Tells the host "train: the reason". Out of memory it tells the reason alone.
inline void explain(const trainyard_host& host, std::string_view verb, std::string_view why) noexcept {
  if (!host.explain) return;
  try {
    const std::string reason = std::string(verb) + ": " + std::string(why);
    host.explain(host.self, text(reason));
  } catch (...) {
    host.explain(host.self, text(why));
  }
}

/// Runs `call`; an exception ends here and becomes a status with an explanation. `host` is a table made by known().
template <class Call>
trainyard_status guard(const trainyard_host& host, std::string_view verb, Call&& call) noexcept {
  try {
    std::forward<Call>(call)();
    return TRAINYARD_OK;
  } catch (const Cancelled& e) {
    explain(host, verb, e.what());
    return TRAINYARD_CANCELLED;
  } catch (const InvalidInput& e) {
    explain(host, verb, e.what());
    return TRAINYARD_INVALID_INPUT;
  } catch (const std::bad_alloc&) {
    explain(host, verb, "out of memory");
    return TRAINYARD_OUT_OF_MEMORY;
  } catch (const std::logic_error& e) {
    explain(host, verb, e.what());
    return TRAINYARD_BUG;
  } catch (const std::exception& e) {
    explain(host, verb, e.what());
    return TRAINYARD_FAILED;
  } catch (...) {
    explain(host, verb, "threw something that is not a std::exception");
    return TRAINYARD_FAILED;
  }
}

// Does T speak the verb as specified?
template <class T>
concept Trains = requires(T& model, const std::filesystem::path& data) {
  { model.train(data) } -> std::same_as<void>;
};
template <class T>
concept Saves = requires(T& model) {
  { model.save() } -> std::same_as<void>;
};
template <class T>
concept Evaluates = requires(T& model, const std::filesystem::path& data) {
  { model.evaluate(data) } -> std::same_as<double>;
};
template <class T>
concept ProcessesData = requires(T& model, const std::filesystem::path& data) {
  { model.process_data(data) } -> std::same_as<void>;
};
template <class T>
concept Predicts = requires(T& model, std::string_view input) {
  { model.predict(input) } -> std::same_as<std::string>;
};

// Does T have a member of the verb's name at all, whatever its signature and access? In Probe such a name is ambiguous.
// A final class has no Probe; there a verb that is both overloaded and wrong is not noticed.
struct Names {
  int train, save, evaluate, process_data, predict;
};
template <class T>
struct Probe : T, Names {};

#define TRAINYARD_MENTIONS(Concept, Speaks, verb)                                    \
  template <class T>                                                                 \
  concept Concept = (Speaks<T>) || (std::is_final_v<T> && requires { &T::verb; }) || \
                    (!std::is_final_v<T> && !requires { &Probe<T>::verb; });
TRAINYARD_MENTIONS(MentionsTrain, Trains, train)
TRAINYARD_MENTIONS(MentionsSave, Saves, save)
TRAINYARD_MENTIONS(MentionsEvaluate, Evaluates, evaluate)
TRAINYARD_MENTIONS(MentionsProcessData, ProcessesData, process_data)
TRAINYARD_MENTIONS(MentionsPredict, Predicts, predict)
#undef TRAINYARD_MENTIONS

/// What a package's `self` points to.
template <class T>
struct Instance {
  explicit Instance(const trainyard_host* host) : run(host), model(run) {}
  Run run;  // first, so that it outlives the model
  T model;
};

/// The functions of the table. They are noexcept by type: the compiler checks that no exception crosses.
template <class T>
struct Verbs {
  static trainyard_status create(const trainyard_host* host, void** self) noexcept {
    return guard(known(host), "create", [&] { *self = new Instance<T>(host); });
  }

  static void destroy(void* self) noexcept {
    const trainyard_host host = instance(self).run.host();
    try {
      delete &instance(self);
    } catch (...) {
      if (host.log) host.log(host.self, TRAINYARD_ERROR, text("destroy: the package's destructor threw an exception"));
    }
  }

  static trainyard_status train(void* self, trainyard_text directory) noexcept {
    return call(self, "train", [&](T& model) {
      const std::filesystem::path data = view(directory);
      model.train(data);
    });
  }

  static trainyard_status save(void* self) noexcept {
    return call(self, "save", [](T& model) { model.save(); });
  }

  static trainyard_status evaluate(void* self, trainyard_text directory, double* score) noexcept {
    return call(self, "evaluate", [&](T& model) {
      const std::filesystem::path data = view(directory);
      *score = model.evaluate(data);
    });
  }

  static trainyard_status process_data(void* self, trainyard_text directory) noexcept {
    return call(self, "process_data", [&](T& model) {
      const std::filesystem::path data = view(directory);
      model.process_data(data);
    });
  }

  static trainyard_status predict(void* self, trainyard_text input, trainyard_answer answer, void* receiver) noexcept {
    return call(self, "predict", [&](T& model) {
      const std::string reply = model.predict(view(input));
      answer(receiver, text(reply));
    });
  }

 private:
  static Instance<T>& instance(void* self) noexcept { return *static_cast<Instance<T>*>(self); }

  template <class Body>
  static trainyard_status call(void* self, std::string_view verb, Body&& body) noexcept {
    return guard(instance(self).run.host(), verb, [&] { body(instance(self).model); });
  }
};

#define TRAINYARD_QUOTE(x) #x
#define TRAINYARD_NUMBER(x) TRAINYARD_QUOTE(x)
#define TRAINYARD_DOTTED(a, b) TRAINYARD_NUMBER(a) "." TRAINYARD_NUMBER(b)
/// The compiler and the kit that made the package, such as "g++ 12.2.0, trainyard kit 1.0".
inline constexpr const char* kBuilder =
#if defined(__clang__)
    "clang++ " TRAINYARD_DOTTED(__clang_major__, __clang_minor__) "." TRAINYARD_NUMBER(__clang_patchlevel__)
#elif defined(__GNUC__)
    "g++ " TRAINYARD_DOTTED(__GNUC__, __GNUC_MINOR__) "." TRAINYARD_NUMBER(__GNUC_PATCHLEVEL__)
#else
    "unknown compiler"
#endif
        ", trainyard kit " TRAINYARD_DOTTED(TRAINYARD_ABI_MAJOR, TRAINYARD_ABI_MINOR);
#undef TRAINYARD_DOTTED
#undef TRAINYARD_NUMBER
#undef TRAINYARD_QUOTE

/// The table of class T: a constant, with null for the verbs that T does not have.
template <class T>
constexpr trainyard_package table() noexcept {
  static_assert(std::is_constructible_v<T, Run&>,
                "trainyard: the package's class needs a public constructor: explicit Class(trainyard::Run& run)");
  static_assert(Trains<T> || !MentionsTrain<T>,
                "trainyard: train must be public and callable as: void train(const std::filesystem::path& data)");
  static_assert(Saves<T> || !MentionsSave<T>, "trainyard: save must be public and callable as: void save()");
  static_assert(
      Evaluates<T> || !MentionsEvaluate<T>,
      "trainyard: evaluate must be public and callable as: double evaluate(const std::filesystem::path& data)");
  static_assert(
      ProcessesData<T> || !MentionsProcessData<T>,
      "trainyard: process_data must be public and callable as: void process_data(const std::filesystem::path& data)");
  static_assert(Predicts<T> || !MentionsPredict<T>,
                "trainyard: predict must be public and callable as: std::string predict(std::string_view input)");
  static_assert(MentionsSave<T> || !MentionsTrain<T>, "trainyard: a package that has train also needs: void save()");
  static_assert(MentionsTrain<T> || !MentionsSave<T>,
                "trainyard: a package that has save also needs: void train(const std::filesystem::path& data)");
  static_assert(MentionsTrain<T> || MentionsEvaluate<T> || MentionsPredict<T>,
                "trainyard: a package needs at least one of: train and save, evaluate, predict");

  trainyard_package package{};
  package.struct_size = sizeof package;
  package.minor = TRAINYARD_ABI_MINOR;
  package.builder = kBuilder;
  if constexpr (std::is_constructible_v<T, Run&>) {
    package.create = &Verbs<T>::create;
    package.destroy = &Verbs<T>::destroy;
    if constexpr (Trains<T>) package.train = &Verbs<T>::train;
    if constexpr (Saves<T>) package.save = &Verbs<T>::save;
    if constexpr (Evaluates<T>) package.evaluate = &Verbs<T>::evaluate;
    if constexpr (ProcessesData<T>) package.process_data = &Verbs<T>::process_data;
    if constexpr (Predicts<T>) package.predict = &Verbs<T>::predict;
  }
  return package;
}

}  // namespace border
}  // namespace trainyard

/// Exports the class as the package. Once per package, in one source file, outside every class and function.
#define TRAINYARD_PACKAGE(...) \
  extern "C" constinit const trainyard_package trainyard_package_v1 = ::trainyard::border::table<__VA_ARGS__>();
