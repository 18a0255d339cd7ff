// Paths into a document: the names and places on the way to a value, with dots between them.
//
// Role:    columns of conditions, what differences name, what a collection declares as its time.
// Shapes:  "user.city", "tags.0": a key of a map, or the place in an array from 0, decimal and
//          without zeros before it. A step in double quotes is a key whatever it holds, a quote in
//          it is written twice: `user."first.name"`; `""` is the empty key.
// Errors:  invalid_argument for what is no path, naming the remedy.
// Threads: immutable.
// Why:     the quotes of conditions (docs/conditions.md): one way to write a name. A key such as
//          "0" of a map is a step like any other; in an array only digits are one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"

namespace otolith::document {

/// The value at a path; nullopt where there is none. Takes no memory but for quotes within a key.
std::optional<Value> at_path(Value document, std::string_view path);

/// The same, for many documents.
class Path {
 public:
  explicit Path(std::string_view text);

  std::optional<Value> in(Value document) const;
  /// As it was given.
  const std::string& text() const noexcept { return text_; }
  /// As path_with writes it: the same for every way to write one path, but for a quoted number.
  std::string plain_text() const;
  /// Its steps, places as they are written.
  std::vector<std::string> keys() const;

 private:
  std::string text_;
  struct Step {
    std::string key;
    std::size_t place;  // in an array; SIZE_MAX: a key only
  };
  std::vector<Step> steps_;
};

/// Whether a key, written as a step, leads to a place where there is an array.
bool names_place(std::string_view key) noexcept;

/// A path with one step more: a key, in quotes where it needs them, or a place.
std::string path_with(std::string_view path, std::string_view key);
std::string path_with(std::string_view path, std::size_t place);

}  // namespace otolith::document
