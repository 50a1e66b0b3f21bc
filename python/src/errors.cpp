#include "python/src/errors.hpp"

#include <array>
#include <string>

namespace nb = nanobind;

namespace brisk::python {

namespace {

struct ErrorClass {
  StatusCode code;
  const char* name;
  const char* doc;
  PyObject* type;  // owned by the module, alive as long as the process
};

constexpr const char* kBaseDoc =
    "Any error of Brisk. Attributes: where, expected, got, hint (the parts of the message).";

std::array<ErrorClass, 5> error_classes = {{
    {StatusCode::kUsage, "UsageError", "A wrong option or call.", nullptr},
    {StatusCode::kBadInput, "BadInputError", "Wrong content of a file, a template or other data.", nullptr},
    {StatusCode::kEnvironment, "EnvironmentFailure",
     "A missing or unreadable path, a full disk, too little memory.", nullptr},
    {StatusCode::kCancelled, "Cancelled", "Stopped on request.", nullptr},
    {StatusCode::kInternal, "InternalError", "A defect of Brisk; please report it.", nullptr},
}};

PyObject* add_class(nb::module_& module, const char* name, const char* doc, PyObject* base) {
  const std::string qualified = std::string("brisk.") + name;
  PyObject* type = PyErr_NewExceptionWithDoc(qualified.c_str(), doc, base, nullptr);
  if (type == nullptr) throw nb::python_error();
  module.attr(name) = nb::steal(type);
  return type;
}

PyObject* class_of(StatusCode code) {
  for (const ErrorClass& error : error_classes) {
    if (error.code == code) return error.type;
  }
  return PyExc_RuntimeError;
}

}  // namespace

void bind_errors(nb::module_& module) {
  PyObject* base = add_class(module, "Error", kBaseDoc, PyExc_Exception);
  for (ErrorClass& error : error_classes) error.type = add_class(module, error.name, error.doc, base);
}

void raise(const Status& status) {
  const std::string message = status.message();
  nb::object error = nb::handle(class_of(status.code()))(nb::str(message.data(), message.size()));
  const ErrorParts& parts = status.parts();
  // A part may hold bytes of a broken file: escaped like the message, so that it is always text.
  const auto text = [](const std::string& part) {
    return nb::steal(
        PyUnicode_DecodeUTF8(part.data(), static_cast<Py_ssize_t>(part.size()), "backslashreplace"));
  };
  error.attr("where") = text(parts.where);
  error.attr("expected") = text(parts.expected);
  error.attr("got") = text(parts.got);
  error.attr("hint") = text(parts.hint);
  PyErr_SetObject(error.type().ptr(), error.ptr());
  throw nb::python_error();
}

}  // namespace brisk::python
