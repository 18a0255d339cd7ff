#include "document/shred.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"
#include "base/mutant.h"
#include "document/path.h"
#include "document/split.h"
#include "model/array.h"

namespace otolith::document {

namespace {

// ---- the choice ---------------------------------------------------------------------------------

constexpr std::size_t kPathsCountedMax = 4096;  // keys that are data themselves end here
constexpr unsigned kDepthMax = 16;
constexpr std::uint64_t kFrequent = 4;    // a path of one document in so many
constexpr std::uint64_t kFewStrays = 16;  // at most one value in so many is of another kind
constexpr std::uint64_t kTextBytesMean = 64;
constexpr std::uint64_t kShareOfBodies = 2;  // columns cost at most half of what bodies take

// Whether a double is the same number.
bool is_exact(std::int64_t number) noexcept {
  const auto real = static_cast<double>(number);
  return real < 0x1p63 && static_cast<std::int64_t>(real) == number;
}

// What was seen at one path.
struct Seen {
  std::uint64_t booleans = 0;
  std::uint64_t integers = 0;
  std::uint64_t exact_integers = 0;  // of them, those that a float64 holds
  std::uint64_t floats = 0;
  std::uint64_t times = 0;
  std::uint64_t texts = 0;
  std::uint64_t text_bytes = 0;
  std::uint64_t others = 0;
  std::unordered_set<std::uint64_t> different{};  // texts, by their hashes

  std::uint64_t values() const noexcept {
    return booleans + integers + floats + times + texts + others;
  }

  void add(const Value& value) {
    switch (value.kind()) {
      case Kind::boolean:
        ++booleans;
        return;
      case Kind::integer:
        ++integers;
        exact_integers += is_exact(value.integer()) ? 1 : 0;
        return;
      case Kind::float64:
        ++floats;
        return;
      case Kind::timestamp:
        ++times;
        return;
      case Kind::string:
        return add_text(value.string());
      case Kind::null:
        return;
      default:
        ++others;
    }
  }

  void add_text(std::string_view text) {
    if (text.size() > kShreddedTextBytesMax) {
      ++others;
      return;
    }
    ++texts;
    text_bytes += text.size();
    different.insert(xxh3(as_bytes_view(text)));
  }
};

// A path's column, and what a row of it costs.
struct Candidate {
  Column column{};
  std::uint64_t order = 0;
  double bytes = 0;
};

// The kind that most values have, where all but a few have it.
std::optional<Type> type_of(const Seen& seen, std::uint64_t documents) {
  const bool mixed = seen.integers != 0 && seen.floats != 0;
  const bool as_floats = mixed && seen.exact_integers == seen.integers;
  const std::array<std::pair<std::uint64_t, TypeKind>, 5> kinds{{
      {seen.booleans, TypeKind::boolean},
      {mixed ? 0 : seen.integers, TypeKind::int64},
      {as_floats ? seen.integers + seen.floats
       : mixed   ? 0
                 : seen.floats,
       TypeKind::float64},
      {seen.texts, TypeKind::string},
      {seen.times, TypeKind::timestamp},
  }};
  const auto [count, kind] = *std::ranges::max_element(kinds);
  const bool frequent = count * kFrequent >= documents && count != 0;
  const bool few_strays = (seen.values() - count) * kFewStrays <= seen.values();
  if (!frequent || !few_strays) return std::nullopt;
  if (kind == TypeKind::string && seen.text_bytes > seen.texts * kTextBytesMean)
    return std::nullopt;
  return Type{kind};
}

// Texts that come again are numbers beside a dictionary.
double bytes_of(const Seen& seen, Type type, std::uint64_t documents) {
  if (type.kind == TypeKind::boolean) return 1.0 / 8;
  const double share = static_cast<double>(seen.values()) / static_cast<double>(documents);
  if (type.kind != TypeKind::string) return 6 * share;
  const double each = 1 + static_cast<double>(seen.text_bytes) / static_cast<double>(seen.texts);
  const double news = static_cast<double>(seen.different.size()) / static_cast<double>(seen.texts);
  return share * (1 + each * news);
}

class Choice {
 public:
  void add(std::string_view body) {
    ++documents_;
    body_bytes_ += body.size();
    look(Value(as_bytes_view(body)), {}, 0);
  }

  std::vector<Column> columns() const {
    std::vector<Candidate> found;
    for (const auto& [path, place] : places_) {
      const auto type = type_of(seen_[place], documents_);
      if (!type) continue;
      found.push_back(
          {{.name = path, .type = *type}, place, bytes_of(seen_[place], *type, documents_)});
    }
    return affordable(std::move(found));
  }

 private:
  void look(const Value& map, const std::string& path, unsigned depth) {
    if (map.kind() != Kind::map || depth == kDepthMax) return;
    for (const Field& field : map.fields()) {
      if (names_place(field.key)) continue;  // in some documents it may be one of an array
      const std::string of = path_with(path, field.key);
      if (of.size() > kShreddedPathBytesMax) continue;
      const auto at = places_.find(of);
      if (at != places_.end()) {
        seen_[at->second].add(field.value);
      } else if (seen_.size() < kPathsCountedMax) {
        places_.emplace(of, seen_.size());
        seen_.emplace_back().add(field.value);
      }
      look(field.value, of, depth + 1);
    }
  }

  // The cheapest first, then as they appeared.
  std::vector<Column> affordable(std::vector<Candidate> found) const {
    std::ranges::sort(found, {}, [](const Candidate& of) { return std::pair(of.bytes, of.order); });
    double left = static_cast<double>(body_bytes_) / static_cast<double>(documents_) /
                  static_cast<double>(kShareOfBodies);
    std::size_t kept = 0;
    while (kept < std::min(found.size(), kShreddedPathsMax) && found[kept].bytes <= left)
      left -= found[kept++].bytes;
    found.resize(kept);
    std::ranges::sort(found, {}, &Candidate::order);
    std::vector<Column> out;
    for (Candidate& of : found) out.push_back(std::move(of.column));
    return out;
  }

  std::uint64_t documents_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::unordered_map<std::string, std::size_t> places_;  // in `seen_`, by path
  std::vector<Seen> seen_;                               // in order of first appearance
};

}  // namespace

std::vector<std::uint64_t> shred_sample(std::uint64_t rows, std::uint64_t bytes) {
  constexpr std::uint64_t few = 64;
  const std::uint64_t fit = rows == 0 ? 0 : kShredSampleBytesMax / (bytes / rows + 1);
  const std::uint64_t count =
      std::min(rows, std::clamp<std::uint64_t>(fit, few, kShredSampleRowsMax));
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(i * rows / count);
  return out;
}

std::vector<Column> shredded_columns(std::span<const std::string_view> bodies) {
  if (bodies.empty()) return {};
  Choice choice;
  for (const std::string_view body : bodies) choice.add(body);
  return choice.columns();
}

std::vector<Column> shredded_columns(const Array& bodies) {
  std::vector<std::string_view> sample;
  for (const std::uint64_t row : shred_sample(bodies.length, model::text_bytes(bodies)))
    sample.push_back(bodies.text(row));
  return shredded_columns(sample);
}

// ---- values -------------------------------------------------------------------------------------

// The keys of one map that lead to columns.
struct Shredder::Node {
  struct Child {
    std::string key{};
    std::optional<std::size_t> column{};
    std::unique_ptr<Node> inner{};
  };
  std::vector<Child> children{};

  Child& at(const std::string& key) {
    const auto found = std::ranges::find(children, key, &Child::key);
    return found != children.end() ? *found : children.emplace_back(Child{.key = key});
  }
};

// Rows of all columns, document by document.
class Shredder::Rows {
 public:
  explicit Rows(const std::vector<Column>& columns) {
    for (const Column& column : columns) {
      types_.push_back(column.type.kind);
      builders_.emplace_back(column.type);
    }
    strays_.resize(columns.size());
  }

  void add(std::string_view body, const Node& root) {
    take(Value(as_bytes_view(body)), root);
    ++rows_;
    for (model::ArrayBuilder& builder : builders_) {
      if (builder.length() != rows_) builder.append_null();
    }
  }

  std::vector<Shredded> finish() {
    std::vector<Shredded> out;
    for (std::size_t i = 0; i < builders_.size(); ++i)
      out.push_back({builders_[i].finish(), strays_[i] != 0 && !mutant("shred-strays-untold")});
    return out;
  }

 private:
  // Fields mostly come in the order of the children, so the search goes on where it ended.
  void take(const Value& map, const Node& node) {
    if (map.kind() != Kind::map) return;
    const std::size_t count = node.children.size();
    std::size_t next = 0;
    for (const Field& field : map.fields()) {
      std::size_t tried = 0;
      while (tried < count && node.children[next].key != field.key) {
        next = next + 1 == count ? 0 : next + 1;
        ++tried;
      }
      if (tried == count) continue;
      const Node::Child& child = node.children[next];
      next = next + 1 == count ? 0 : next + 1;
      if (child.column) put(*child.column, field.value);
      if (child.inner) take(field.value, *child.inner);
    }
  }

  void put(std::size_t column, const Value& value) {
    model::ArrayBuilder& builder = builders_[column];
    if (value.is_null() || builder.length() != rows_) return;
    if (!fits(builder, types_[column], value)) strays_[column] = 1;
  }

  // False, and nothing is put, where the column cannot hold the value.
  static bool fits(model::ArrayBuilder& builder, TypeKind type, const Value& value) {
    switch (value.kind()) {
      case Kind::boolean:
        if (type != TypeKind::boolean) return false;
        builder.append_value(static_cast<std::uint8_t>(value.boolean()));
        return true;
      case Kind::integer:
        return fits_integer(builder, type, value.integer());
      case Kind::float64:
        if (type != TypeKind::float64) return false;
        builder.append_value(value.float64());
        return true;
      case Kind::timestamp:
        if (type != TypeKind::timestamp) return false;
        builder.append_value(value.timestamp().ns);
        return true;
      case Kind::string:
        if (type != TypeKind::string || value.string().size() > kShreddedTextBytesMax) return false;
        builder.append_text(value.string());
        return true;
      default:
        return false;
    }
  }

  static bool fits_integer(model::ArrayBuilder& builder, TypeKind type, std::int64_t number) {
    if (type == TypeKind::int64) {
      builder.append_value(number);
      return true;
    }
    if (type != TypeKind::float64 || !(is_exact(number) || mutant("shred-integers-rounded")))
      return false;
    builder.append_value(static_cast<double>(number));
    return true;
  }

  std::vector<TypeKind> types_;
  std::vector<model::ArrayBuilder> builders_;
  std::vector<std::uint8_t> strays_;
  std::uint64_t rows_ = 0;
};

Shredder::Shredder(std::vector<Column> columns) : columns_(std::move(columns)) {
  auto root = std::make_shared<Node>();
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    Node* node = root.get();
    const std::vector<std::string> keys = Path(columns_[column].name).keys();
    for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
      Node::Child& child = node->at(keys[i]);
      if (!child.inner) child.inner = std::make_unique<Node>();
      node = child.inner.get();
    }
    node->at(keys.back()).column = column;
  }
  root_ = std::move(root);
}

std::vector<Shredded> Shredder::shred(const Array& bodies, std::uint64_t first,
                                      std::uint64_t count) const {
  Rows rows(columns_);
  for (std::uint64_t row = first; row < first + count; ++row) rows.add(bodies.text(row), *root_);
  return rows.finish();
}

}  // namespace otolith::document
