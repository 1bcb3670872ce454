#pragma once

#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>

/// Names that a person can read, of types, functions and places: for messages, traces and the task dump.
/// Callable from any thread.
namespace ropewalk {

/// The name of a type as one would write it: `std::string`, `std::vector<int>`, `ropewalk::ValueError`.
/// Default template arguments, inline namespaces and anonymous ones are left out.
std::string typeName(const std::type_info& type);

/// The function's own name, qualified by its classes and namespaces, without result, parameters or template
/// arguments: `f5`, `Client::gotPoem`, `main::<lambda>`.
std::string functionName(const std::source_location& location);

/// `file:line`, or an empty string for a location that says nothing.
std::string placeName(const std::source_location& location);

namespace detail {

/// What `typeName` makes of a demangled name.
std::string simplifyTypeName(std::string_view demangled);
/// What `functionName` makes of the compiler's spelling of a function.
std::string simplifyFunctionName(std::string_view spelling);

} // namespace detail
} // namespace ropewalk
