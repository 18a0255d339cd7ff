#include "document/difference.h"

#include <algorithm>

#include "base/error.h"
#include "document/path.h"

namespace otolith::document {

namespace {

constexpr std::size_t kDifferencesMax = 1'000'000;

class Comparing {
 public:
  std::vector<Difference> out;

  void values(const std::string& path, const Value& before, const Value& after) {
    if (before == after) return;
    if (before.kind() == Kind::map && after.kind() == Kind::map)
      fields(path, before, after);
    else if (before.kind() == Kind::array && after.kind() == Kind::array)
      items(path, before, after);
    else
      put({Difference::Kind::changed, path, before, after});
  }

 private:
  using Sorted = std::vector<Field>;

  static Sorted sorted(const Value& map) {
    Sorted fields;
    for (const Field& field : map.fields()) fields.push_back(field);
    std::ranges::sort(fields, {}, &Field::key);
    return fields;
  }

  static const Field* find(const Sorted& fields, std::string_view key) {
    const auto found = std::ranges::lower_bound(fields, key, {}, &Field::key);
    return found != fields.end() && found->key == key ? &*found : nullptr;
  }

  // The same fields and values in another order are another document, and no field of it differs.
  void fields(const std::string& path, const Value& before, const Value& after) {
    const Sorted older = sorted(before);
    const Sorted newer = sorted(after);
    for (const Field& field : before.fields()) {
      const Field* now = find(newer, field.key);
      const std::string at = path_with(path, field.key);
      if (now == nullptr)
        put({Difference::Kind::removed, at, field.value, {}});
      else
        values(at, field.value, now->value);
    }
    for (const Field& field : after.fields()) {
      if (find(older, field.key) != nullptr) continue;
      put({Difference::Kind::added, path_with(path, field.key), {}, field.value});
    }
  }

  void items(const std::string& path, const Value& before, const Value& after) {
    const auto older = before.items();
    const auto newer = after.items();
    auto was = older.begin();
    auto is = newer.begin();
    for (std::size_t place = 0; was != older.end() || is != newer.end(); ++place) {
      const std::string at = path_with(path, place);
      if (was == older.end())
        put({Difference::Kind::added, at, {}, *is});
      else if (is == newer.end())
        put({Difference::Kind::removed, at, *was, {}});
      else
        values(at, *was, *is);
      if (was != older.end()) ++was;
      if (is != newer.end()) ++is;
    }
  }

  void put(Difference difference) {
    if (out.size() == kDifferencesMax) {
      throw_error(ErrorCode::limit, "two states of a document differ in more than {} places",
                  kDifferencesMax);
    }
    out.push_back(std::move(difference));
  }
};

}  // namespace

std::vector<Difference> differences(Value before, Value after) {
  Comparing comparing;
  comparing.values({}, before, after);
  return std::move(comparing.out);
}

}  // namespace otolith::document
