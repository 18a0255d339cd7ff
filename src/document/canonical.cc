#include "document/canonical.h"

#include <bit>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "document/builder.h"
#include "document/msgpack.h"
#include "document/value.h"
#include "model/utf8.h"

namespace otolith::document {

namespace {

using Form = Head::Form;

class Canonical {
 public:
  explicit Canonical(BytesView bytes) : bytes_(bytes) {}

  Bytes all() {
    do {
      const Head head = next_head();
      expects_key() ? key(head) : value(head);
      end_what_is_full();
    } while (!left_.empty());
    if (at_ != bytes_.size()) refuse("something follows the value");
    return out_.take();
  }

 private:
  // Values that an array or a map still waits for.
  struct Left {
    bool map = false;
    std::uint64_t values = 0;
  };

  bool expects_key() const noexcept {
    return !left_.empty() && left_.back().map && left_.back().values % 2 == 0;
  }

  Head next_head() {
    begin_ = at_;
    const auto head = head_of(bytes_.subspan(at_));
    if (!head) refuse("there is no value that fits the bytes left");
    at_ += head->bytes;
    return *head;
  }

  BytesView payload(const Head& head) {
    const BytesView out = bytes_.subspan(at_, head.number);
    at_ += head.number;
    return out;
  }

  std::string_view text(const Head& head) {
    const std::string_view out = as_text(payload(head));
    if (!model::utf8_valid(out) && !mutant("document-text-unchecked"))
      refuse("text is no UTF-8; store other bytes as binary");
    return out;
  }

  void key(const Head& head) {
    if (head.form != Form::string) refuse("a key is no text");
    out_.key(text(head), static_cast<std::uint32_t>(begin_));
    --left_.back().values;
  }

  void value(const Head& head) {
    if (!left_.empty()) --left_.back().values;
    switch (head.form) {
      case Form::null:
        return out_.null();
      case Form::boolean:
        return out_.boolean(head.number != 0);
      case Form::positive:
        return out_.unsigned_integer(head.number);
      case Form::negative:
        return out_.integer(static_cast<std::int64_t>(head.number));
      case Form::float32:
        return out_.float64(std::bit_cast<float>(static_cast<std::uint32_t>(head.number)));
      case Form::float64:
        return out_.float64(std::bit_cast<double>(head.number));
      case Form::string:
        return out_.string(text(head));
      case Form::binary:
        return out_.binary(payload(head));
      case Form::array:
        out_.begin_array(head.number);
        return left_.push_back({false, head.number});
      case Form::map:
        out_.begin_map(head.number);
        return left_.push_back({true, 2 * head.number});
      case Form::extension:
        return extension(head);
    }
  }

  void extension(const Head& head) {
    if (head.extension != kTimestampExtension)
      refuse("an extension is no timestamp; store its bytes as binary");
    const auto time = timestamp_of(payload(head));
    if (!time) refuse("a timestamp is none between 1677-09-21 and 2262-04-11");
    out_.timestamp(*time);
  }

  void end_what_is_full() {
    while (!left_.empty() && left_.back().values == 0) {
      if (const auto twice = out_.end_or_twice()) {
        begin_ = twice->mark;
        throw_error(ErrorCode::invalid_argument, "msgpack at byte {}: the key {} is there twice",
                    begin_, quoted(twice->key));
      }
      left_.pop_back();
    }
  }

  [[noreturn]] void refuse(const char* what) const {
    throw_error(ErrorCode::invalid_argument, "msgpack at byte {}: {}", begin_, what);
  }

  BytesView bytes_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;  // of the value that is looked at
  std::vector<Left> left_;
  Builder out_;
};

}  // namespace

Bytes canonical(BytesView msgpack) { return Canonical(msgpack).all(); }

void check_is_map(BytesView canonical) {
  const Kind kind = Value(canonical).kind();
  if (kind == Kind::map) return;
  throw_error(ErrorCode::invalid_argument,
              "a document is a map of fields, {{\"name\": …}}, and this is {}", kind_name(kind));
}

}  // namespace otolith::document
