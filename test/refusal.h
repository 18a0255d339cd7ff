// How a call is refused, for tests that look at messages.
//
// Role:    unit tests of what users write: conditions, JSON, msgpack, documents.
// Shapes:  a call -> the message of its error, "accepted" where there is none.
// Errors:  none: another code than the one wanted fails the test.
// Threads: thread-compatible.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "otolith/error.h"

namespace otolith::test {

template <typename Call>
std::string refusal_of(Call call, ErrorCode code = ErrorCode::invalid_argument) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.message();
  }
  return "accepted";
}

/// The code of the error; nullopt where it is accepted.
template <typename Call>
std::optional<ErrorCode> code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

/// Whether a message has these words; one that has not is printed.
inline bool tells(const std::string& message, std::string_view words) {
  const bool found = message.find(words) != std::string::npos;
  if (!found) MESSAGE(message);
  return found;
}

}  // namespace otolith::test
