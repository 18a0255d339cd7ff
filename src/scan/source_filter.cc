#include "scan/source_filter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <list>

#include "base/limits.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/formula.h"
#include "scan/judge.h"
#include "scan/pages.h"

namespace otolith::scan {

namespace {

// The rows of a page that are still in question.
using Bits = std::array<std::uint64_t, kPageRowsMax / 64>;

bool any(const Bits& bits) noexcept {
  return std::ranges::any_of(bits, [](std::uint64_t word) { return word != 0; });
}

}  // namespace

// A condition in terms of what the source stores.
struct SourceFilter::Step {
  enum class Kind : std::uint8_t { never, always, compare, is_null, all_of, any_of, computed };

  Kind kind = Kind::never;
  bool inverse = false;  // is_null, computed
  ColumnId column{};
  unsigned cost = 0;                       // of asking a row, roughly
  const model::Criterion* test = nullptr;  // compare, is_null: the condition's, or `own`
  std::unique_ptr<const model::Criterion> own{};
  std::vector<Step> operands{};
  const model::Formula* formula = nullptr;                  // computed
  std::vector<std::pair<std::size_t, ColumnId>> columns{};  // of it, those that were stored

  static Step of(const Condition& condition, const Schema& schema, const RowSource& source);
  static Step joined(const Condition& condition, const Schema& schema, const RowSource& source);
  static Step computed(const Condition& condition, const Schema& schema, const RowSource& source);
};

SourceFilter::Step SourceFilter::Step::joined(const Condition& condition, const Schema& schema,
                                              const RowSource& source) {
  Step out;
  const bool every = condition.kind == Condition::Kind::all_of;
  out.kind = every ? Kind::all_of : Kind::any_of;
  for (const Condition& operand : condition.operands) {
    out.operands.push_back(of(operand, schema, source));
    out.cost += out.operands.back().cost;
  }
  std::ranges::sort(out.operands, {}, &Step::cost);
  return out;
}

SourceFilter::Step SourceFilter::Step::computed(const Condition& condition, const Schema& schema,
                                                const RowSource& source) {
  constexpr unsigned kCost = 100;  // behind every test of what is stored
  Step out;
  out.kind = Kind::computed;
  out.inverse = condition.inverse;
  out.formula = condition.formula.get();
  out.cost = kCost;
  for (const std::size_t column : condition.columns) {
    const ColumnId id{schema.columns[column].id};
    if (source.type(id)) out.columns.emplace_back(column, id);
  }
  return out;
}

SourceFilter::Step SourceFilter::Step::of(const Condition& condition, const Schema& schema,
                                          const RowSource& source) {
  if (condition.kind == Condition::Kind::all_of || condition.kind == Condition::Kind::any_of)
    return joined(condition, schema, source);
  if (condition.kind == Condition::Kind::computed) return computed(condition, schema, source);
  Step out;
  out.column = condition.id;
  out.inverse = condition.inverse;
  const auto type = source.type(condition.id);
  if (condition.kind == Condition::Kind::is_null) {
    out.kind = type ? Kind::is_null : condition.inverse ? Kind::never : Kind::always;
    out.cost = 1;
    if (!type) return out;
    out.own = std::make_unique<const model::Criterion>(
        model::Criterion{.type = *type, .kind = model::Criterion::Kind::always});
    out.test = out.own.get();
    return out;
  }
  if (!type) return out;  // all null: a comparison with it is never true
  out.kind = Kind::compare;
  if (*type == condition.test.type) {
    out.test = &condition.test;
  } else {
    out.own = std::make_unique<const model::Criterion>(model::criterion_of(
        condition.asked->node(), condition.inverse, *type, schema.columns[condition.column].name));
    out.test = out.own.get();
  }
  const bool set = out.test->kind == model::Criterion::Kind::set;
  out.cost = (model::is_text(*type) ? 8 : 2) * (set ? 4 : 1);
  return out;
}

// One page while it is asked: its columns are read once, at first use.
struct SourceFilter::Page {
  const RowSource& source;
  std::size_t piece = 0;
  std::uint64_t first = 0;
  std::uint64_t rows = 0;
  std::list<std::pair<ColumnId, Array>> columns{};  // which stay where they are

  const segment::Zone* zone(ColumnId column) const {
    return source.zone(piece, column, first / source.page_rows());
  }

  const Array& values(ColumnId column) {
    const auto found = std::ranges::find(columns, column, &std::pair<ColumnId, Array>::first);
    if (found != columns.end()) return found->second;
    return columns.emplace_back(column, source.values(piece, column, first, rows)).second;
  }

  Verdict verdict(const Step& step) const;
  Verdict verdict_of_all(const Step& step) const;
  void keep(const Step& step, Bits& bits);
  void keep_any(const Step& step, Bits& bits);
  void look(const Step& step, Bits& bits);
  void compute(const Step& step, Bits& bits);
};

// Rows of the page for a formula.
class SourceFilter::PageInputs final : public model::Inputs {
 public:
  PageInputs(Page& page, const Step& step) : page_(page), step_(step) {}

  const Array* column(std::size_t column) const override {
    const auto found =
        std::ranges::find(step_.columns, column, &std::pair<std::size_t, ColumnId>::first);
    return found == step_.columns.end() ? nullptr : &page_.values(found->second);
  }

 private:
  Page& page_;
  const Step& step_;
};

// Of operands joined by `and`; by `or` the same with none and all changed over.
Verdict SourceFilter::Page::verdict_of_all(const Step& step) const {
  const bool every = step.kind == Step::Kind::all_of;
  const Verdict deciding = every ? Verdict::none : Verdict::all;
  Verdict out = every ? Verdict::all : Verdict::none;
  for (const Step& operand : step.operands) {
    const Verdict of = verdict(operand);
    if (of == deciding) return deciding;
    if (of == Verdict::some) out = Verdict::some;
  }
  return out;
}

Verdict SourceFilter::Page::verdict(const Step& step) const {
  switch (step.kind) {
    case Step::Kind::never:
      return Verdict::none;
    case Step::Kind::always:
      return Verdict::all;
    case Step::Kind::all_of:
    case Step::Kind::any_of:
      return verdict_of_all(step);
    case Step::Kind::computed:
      return Verdict::some;
    default:
      break;
  }
  const segment::Zone* bounds = zone(step.column);
  if (bounds == nullptr) return Verdict::some;
  return step.kind == Step::Kind::is_null ? judge_null(*bounds, step.inverse, rows)
                                          : judge(*bounds, *step.test, rows);
}

// From the encoding where it can tell, and the values are not at hand.
void SourceFilter::Page::look(const Step& step, Bits& bits) {
  Bits found{};
  const auto read = std::ranges::find(columns, step.column, &std::pair<ColumnId, Array>::first);
  const std::uint64_t page = first / source.page_rows();
  if (read != columns.end() || !source.select(piece, step.column, page, *step.test, found.data())) {
    model::criterion_rows(*step.test, values(step.column), found.data());
  }
  const std::uint64_t turned = step.kind == Step::Kind::is_null && !step.inverse ? ~0ull : 0;
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] &= found[i] ^ turned;
}

// Only for the rows that are left: the others may hold what a cast refuses.
void SourceFilter::Page::compute(const Step& step, Bits& bits) {
  std::vector<std::uint32_t> asked;
  for (std::uint32_t word = 0; word < bits.size(); ++word) {
    for (std::uint64_t left = bits[word]; left != 0; left &= left - 1)
      asked.push_back(word * 64 + static_cast<std::uint32_t>(std::countr_zero(left)));
  }
  PageInputs inputs(*this, step);
  inputs.rows = asked;
  const model::Values found = model::evaluate(*step.formula, inputs);
  const std::uint8_t wanted = step.inverse ? 0 : 1;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::uint8_t truth = found.truth[found.single ? 0 : i];
    if (!found.is_null(i) && truth == wanted) continue;
    bits[asked[i] / 64] &= ~(1ull << (asked[i] % 64));
  }
}

void SourceFilter::Page::keep_any(const Step& step, Bits& bits) {
  Bits kept{};
  for (const Step& operand : step.operands) {
    Bits left = bits;
    for (std::size_t i = 0; i < left.size(); ++i) left[i] &= ~kept[i];
    if (!any(left)) break;
    keep(operand, left);
    for (std::size_t i = 0; i < left.size(); ++i) kept[i] |= left[i];
  }
  bits = kept;
}

void SourceFilter::Page::keep(const Step& step, Bits& bits) {
  const Verdict known = verdict(step);
  if (known == Verdict::all) return;
  if (known == Verdict::none) return bits.fill(0);
  if (step.kind == Step::Kind::any_of) return keep_any(step, bits);
  if (step.kind == Step::Kind::computed) return compute(step, bits);
  if (step.kind != Step::Kind::all_of) return look(step, bits);
  for (const Step& operand : step.operands) {
    if (!any(bits)) return;
    keep(operand, bits);
  }
}

SourceFilter::SourceFilter(const Condition& condition, const Schema& schema,
                           const RowSource& source)
    : source_(source), root_(std::make_unique<const Step>(Step::of(condition, schema, source))) {}
SourceFilter::~SourceFilter() = default;

RowSet SourceFilter::rows(std::size_t piece, const RowSet& candidates) const {
  RowSet out;
  for_each_page(source_, piece, candidates, [&](RowRange rows, const RowSet& asked) {
    Page page{source_, piece, rows.first, rows.count};
    Bits bits{};
    asked.put_bits(rows, bits.data());
    page.keep(*root_, bits);
    out.append_bits(std::span(bits).first(model::bit_words(rows.count)), rows.first);
  });
  return out;
}

}  // namespace otolith::scan
