#include "document/patch.h"

#include <map>
#include <string_view>
#include <vector>

#include "base/mutant.h"
#include "document/builder.h"
#include "document/value.h"

namespace otolith::document {

namespace {

// Fields of a patch by name: in pairs where there are few, in a table where there are many.
class Changes {
 public:
  explicit Changes(const Value& patch) {
    for (const Field& field : patch.fields()) fields_.push_back(field);
    if (fields_.size() <= kPairs) return;
    for (std::size_t i = 0; i < fields_.size(); ++i) places_.emplace(fields_[i].key, i);
  }

  const Field* find(std::string_view key) const {
    if (places_.empty()) {
      for (const Field& field : fields_) {
        if (field.key == key) return &field;
      }
      return nullptr;
    }
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &fields_[found->second];
  }
  const std::vector<Field>& fields() const noexcept { return fields_; }
  std::size_t place_of(const Field& field) const noexcept {
    return static_cast<std::size_t>(&field - fields_.data());
  }

 private:
  static constexpr std::size_t kPairs = 16;
  std::vector<Field> fields_;
  std::map<std::string_view, std::size_t> places_;
};

// What a patch says where the document has no map of its own: all but its nulls. Goes down by
// calls, as far as documents are deep.
void put_patch(const Value& patch, Builder& out) {
  if (patch.kind() != Kind::map) return out.value(patch);
  out.begin_map();
  for (const Field& field : patch.fields()) {
    if (field.value.is_null()) continue;
    out.key(field.key);
    put_patch(field.value, out);
  }
  out.end();
}

void put_merged(const Value& target, const Value& patch, Builder& out) {
  if (target.kind() != Kind::map || patch.kind() != Kind::map) return put_patch(patch, out);
  const Changes changes(patch);
  std::vector<bool> met(changes.fields().size());
  out.begin_map();
  for (const Field& field : target.fields()) {
    const Field* change = changes.find(field.key);
    if (change != nullptr) met[changes.place_of(*change)] = true;
    if (change != nullptr && change->value.is_null()) continue;
    out.key(field.key);
    if (change == nullptr)
      out.value(field.value);
    else if (mutant("document-patch-replaces-maps"))
      put_patch(change->value, out);
    else
      put_merged(field.value, change->value, out);
  }
  for (const Field& field : changes.fields()) {
    if (field.value.is_null() || met[changes.place_of(field)]) continue;
    out.key(field.key);
    put_patch(field.value, out);
  }
  out.end();
}

}  // namespace

Bytes merge_patch(BytesView target, BytesView patch) {
  Builder out;
  put_merged(Value(target), Value(patch), out);
  return out.take();
}

}  // namespace otolith::document
