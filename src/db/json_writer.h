// JSON text, written front to back.
//
// Role:    what care verbs tell programs.
// Shapes:  UTF-8 on one line; integers beyond 2^53 are written whole.
// Errors:  none; text that is no UTF-8 (names of files) is written with its bytes as \xe9.
// Threads: thread-compatible.
// Why:     a handful of fixed shapes: no tree is needed to write them.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace otolith::db {

/// Appends a text in quotes.
void put_json_text(std::string& out, std::string_view text);

class JsonWriter {
 public:
  JsonWriter& object_begin() { return begin('{'); }
  JsonWriter& object_end() { return end('}'); }
  JsonWriter& array_begin() { return begin('['); }
  JsonWriter& array_end() { return end(']'); }
  /// The name of the next value of an object.
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth) { return plain(truth ? "true" : "false"); }
  JsonWriter& value(double number);
  template <std::integral T>
  JsonWriter& value(T number) {
    return plain(std::to_string(number));
  }
  JsonWriter& null() { return plain("null"); }

  template <typename T>
  JsonWriter& field(std::string_view name, const T& of) {
    return key(name).value(of);
  }

  const std::string& text() const noexcept { return text_; }

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  JsonWriter& plain(std::string_view text);
  void separate();

  std::string text_;
  bool first_ = true;  // of the object or array that is open
};

}  // namespace otolith::db
