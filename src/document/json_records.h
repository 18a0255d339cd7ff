// Where the values of a text lie that holds many: lines, one array, or one behind another.
//
// Role:    import of rows (files/json_reader) and of documents, window by window.
// Shapes:  windows as files/text_source gives them; a value is a stretch of one, and is not looked
//          into beyond its brackets and quotes.
// Errors:  invalid_argument with the line where an array is none.
// Threads: thread-compatible.
// Why:     a value is cut out before it is parsed, so that what is wrong in it can be told and
//          passed over; and the text is never in memory as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace otolith::document {

enum class JsonShape : std::uint8_t {
  lines,  // a value on each; blank ones are none
  array,  // one, of values
  any,    // one array where the text begins with one; else objects one behind another, of which
          // lines are a case
};

class JsonRecords {
 public:
  /// `name` of the source, for messages.
  JsonRecords(std::string name, JsonShape shape) : name_(std::move(name)), shape_(shape) {}

  /// The next value of the window from `at` on, which is moved behind it: valid as the window is.
  /// Empty where the window has no whole one more; it then goes on at `at`. `last`: nothing follows
  /// the window, and what is left of it is the last value.
  std::string_view next(std::string_view window, std::size_t& at, bool last);
  /// The line on which that value begins, from 1.
  std::uint64_t line() const noexcept { return line_; }
  /// Whether it is an array whose end was seen, and whether it is an array at all.
  bool ended() const noexcept { return state_ == State::ended; }
  bool in_array() const noexcept { return shape_ == JsonShape::array; }

 private:
  enum class State : std::uint8_t { unbegun, begun, behind_value, behind_comma, ended };

  std::string_view line_of(std::string_view window, std::size_t& at, bool last);
  std::string_view element(std::string_view window, std::size_t& at, bool last);
  std::string_view object(std::string_view window, std::size_t& at, bool last);
  std::string_view taken(std::string_view window, std::size_t& at, std::size_t begin,
                         std::size_t end);
  void pass(std::string_view window, std::size_t& at, std::size_t to);
  bool separator(char c);
  [[noreturn]] void refuse(const char* what) const;

  std::string name_;
  JsonShape shape_;
  State state_ = State::unbegun;
  std::uint64_t line_ = 1;       // of the value that was given last
  std::uint64_t line_here_ = 1;  // where the next call goes on
};

}  // namespace otolith::document
