#include "python/src/generation.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "python/src/errors.hpp"
#include "python/src/interrupt.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace brisk::python {

namespace {

nb::dict timings_dict(const runtime::Timings& timings) {
  nb::dict dict;
  dict["cache_n"] = timings.cache_n;
  dict["prompt_n"] = timings.prompt_n;
  dict["prompt_ms"] = timings.prompt_ms;
  dict["predicted_n"] = timings.predicted_n;
  dict["predicted_ms"] = timings.predicted_ms;
  return dict;
}

std::string finish_reason(const runtime::Generation& generation) {
  return std::string(runtime::finish_reason_name(generation.finish_reason));
}

}  // namespace

Stream::Stream(Work work) : thread_([this, work = std::move(work)] { run(work); }) {}

Stream::~Stream() {
  cancel_ = true;
  const nb::gil_scoped_release released;
  thread_.join();
}

void Stream::run(const Work& work) {
  const auto on_text = [this](std::string_view piece) {
    const std::lock_guard guard(mutex_);
    pending_ += piece;
    changed_.notify_all();
    return true;
  };
  Result<runtime::Generation> result = work(on_text, &cancel_);
  const std::lock_guard guard(mutex_);
  finished_.emplace(std::move(result));
  changed_.notify_all();
}

nb::str Stream::next() {
  std::string piece;
  const bool waited = wait_with_signals([&] {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kSignalPeriod, [&] { return !pending_.empty() || finished_.has_value(); })) {
      return false;
    }
    piece.swap(pending_);
    return true;
  });
  if (!waited) {
    cancel_ = true;
    throw nb::python_error();
  }
  if (!piece.empty()) return nb::str(piece.data(), piece.size());
  check(finished_->status());
  throw nb::stop_iteration();
}

runtime::Generation Stream::result() {
  const bool waited = wait_with_signals([&] {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kSignalPeriod, [&] { return finished_.has_value(); });
  });
  if (!waited) {
    cancel_ = true;
    throw nb::python_error();
  }
  check(finished_->status());
  return finished_->value();  // nobody writes it any more
}

void bind_generation(nb::module_& module) {
  nb::class_<runtime::Generation>(module, "Generation", "An answer: its text and how it came about.")
      .def_ro("text", &runtime::Generation::text)
      .def_ro("tokens", &runtime::Generation::tokens)
      .def_ro("prompt_tokens", &runtime::Generation::prompt_tokens)
      .def_prop_ro("finish_reason", &finish_reason, "'stop', 'length', 'context' or 'cancelled'.")
      .def_prop_ro(
          "timings", [](const runtime::Generation& self) { return timings_dict(self.timings); },
          "Numbers of tokens cached, computed and predicted, and the milliseconds they took.")
      .def("__repr__", [](const runtime::Generation& self) {
        return nb::str("Generation(text={!r}, tokens={}, finish_reason={!r})")
            .format(self.text, self.tokens.size(), finish_reason(self));
      });

  nb::class_<Stream>(module, "Stream", "The pieces of an answer as they come. Deleting it ends the answer.")
      .def(
          "__iter__", [](nb::handle self) { return self; }, nb::sig("def __iter__(self) -> Stream"))
      .def("__next__", &Stream::next)
      .def("cancel", &Stream::cancel, "Ends the answer; what it had stays readable.")
      .def_prop_ro("result", &Stream::result, "The whole answer, waiting for its end.");
}

}  // namespace brisk::python
