// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// How text of users gets through Argo Workflows and Kubernetes into a container unchanged.
namespace trainyard {

// Pure. The same text with backslash escapes, as printf '%b' undoes them. Three readers would change it otherwise:
//
//   Argo Workflows  takes what stands between two opening and two closing braces for a variable, without any way to
//                   write them plainly, and writes control characters and what lies beyond U+FFFF as JSON does not know
//                   them
//   Kubernetes      replaces $(NAME) in the values of variables, and makes one of two dollar signs
//   the shell       does nothing to a variable that is quoted
//
// Text without these and without backslashes stays as it is, so that people read and type plain values.
std::string argo_escaped(std::string_view text);

// Pure. Prose for places where nobody undoes escapes: a pair of braces gets a space in between.
std::string argo_prose(std::string_view text);

// A name that Kubernetes takes for objects: [a-z0-9]([a-z0-9-]*[a-z0-9])?, of a length that leaves room for what Argo appends.
inline constexpr std::size_t kLongestArgoName = 52;
bool is_argo_name(std::string_view text);

// Pure. Such a name of a run's name; one that is too long ends with a part of its digest.
std::string argo_name(std::string_view run_name);

}  // namespace trainyard
