// Writes one canonical value, front to back.
//
// Role:    every way in ends here: JSON text, foreign msgpack, Python's objects, patches, ids.
// Shapes:  what docs/format/document.md says; the caller hands over UTF-8 that it has checked, and
//          times that are within the range.
// Errors:  limit beyond kDocumentDepthMax and kDocumentBytesMax; invalid_argument where a map has
//          a key twice. More ends than begins, or a value without its key, breaks an invariant.
// Threads: thread-compatible.
// Why:     a header is as long as its count, which is known at the end: one byte is left for it,
//          and only where a map or an array has more than 15 entries does what it holds move, by 2
//          or 4 bytes. A byte so moves once for each level that is so large, 128 times at most, as
//          one memmove; those who know the count say it, and nothing moves. Keys are compared when
//          a map ends: in pairs where there are few, sorted where there are many, so that no choice
//          of keys makes it slow, as it would a hash table.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "document/msgpack.h"
#include "document/value.h"
#include "otolith/timestamp.h"

namespace otolith::document {

class Builder {
 public:
  void null() { put({.form = Head::Form::null}); }
  void boolean(bool truth) { put({.form = Head::Form::boolean, .number = truth ? 1u : 0u}); }
  void integer(std::int64_t number) {
    put({.form = number < 0 ? Head::Form::negative : Head::Form::positive,
         .number = static_cast<std::uint64_t>(number)});
  }
  void unsigned_integer(std::uint64_t number) {
    put({.form = Head::Form::positive, .number = number});
  }
  /// Every NaN becomes one.
  void float64(double number);
  void string(std::string_view utf8);
  void binary(BytesView bytes);
  void timestamp(Timestamp time);
  /// A whole value that is canonical, as it is.
  void value(const Value& of) { raw(of.bytes()); }

  /// What is put until end() is within it. `count`: of items or fields, where it is known.
  void begin_array(std::optional<std::size_t> count = {}) { begin(Head::Form::array, count); }
  void begin_map(std::optional<std::size_t> count = {}) { begin(Head::Form::map, count); }
  /// The name of the next value of a map. `mark` is what end_or_twice gives for it.
  void key(std::string_view utf8, std::uint32_t mark = 0);
  /// Ends the innermost array or map. Throws where a key is there twice, naming it.
  void end();
  /// The same; where a key is there twice, the second one and its mark, and nothing has ended.
  struct Twice {
    std::string_view key;  // valid until the next call
    std::uint32_t mark = 0;
  };
  std::optional<Twice> end_or_twice();

  /// Arrays and maps that are open.
  std::size_t depth() const noexcept { return open_.size(); }
  /// Bytes so far.
  std::size_t size() const noexcept { return size_; }
  /// The value; the builder is as new.
  Bytes take();
  /// As new, its memory kept.
  void clear() noexcept;

 private:
  struct Open {
    Head::Form form{};
    std::uint8_t head_bytes = 1;  // left for its header
    std::uint32_t at = 0;         // of its header
    std::uint32_t count = 0;      // so far; of a map, of keys and values
    std::uint32_t first_key = 0;  // in keys_
  };
  struct Key {
    std::uint32_t at = 0;  // of its text
    std::uint32_t bytes = 0;
    std::uint32_t mark = 0;
  };

  void put(const Head& head) { commit(put_head(head, room(kHeadBytesMax))); }
  void raw(BytesView bytes);
  void text(Head::Form form, BytesView bytes);
  void begin(Head::Form form, std::optional<std::size_t> count);
  /// Where the next bytes go, so many at most; they are there after commit().
  std::byte* room(std::size_t bytes) {
    if (buffer_.size() - size_ < bytes) grow(bytes);
    return buffer_.data() + size_;
  }
  /// A whole value, or a key, of so many bytes.
  void commit(std::size_t bytes) {
    size_ += bytes;
    if (!open_.empty()) ++open_.back().count;
  }
  void grow(std::size_t bytes);
  void put_count(const Open& open);
  std::string_view text_of(const Key& key) const noexcept {
    return as_text(BytesView(buffer_).subspan(key.at, key.bytes));
  }
  const Key* find_twice(std::size_t first) const;

  Bytes buffer_;  // longer than what was put
  std::size_t size_ = 0;
  std::vector<Open> open_;
  std::vector<Key> keys_;  // of maps that are open
};

/// Throws limit: a document is too large, or too deep.
[[noreturn]] void refuse_size();
[[noreturn]] void refuse_depth();

}  // namespace otolith::document
