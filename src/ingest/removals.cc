#include "ingest/removals.h"

#include "scan/filter.h"
#include "scan/matches.h"
#include "scan/prune.h"

namespace otolith::ingest {

namespace {

using history::MarkList;
using history::MarkSet;

// The rows of either.
MarkList both(const MarkList& a, const MarkList& b) {
  MarkList out;
  auto i = a.sets().begin();
  auto j = b.sets().begin();
  while (i != a.sets().end() || j != b.sets().end()) {
    const bool of_a = i != a.sets().end() && (j == b.sets().end() || i->begin <= j->begin);
    const bool of_b = j != b.sets().end() && (i == a.sets().end() || j->begin <= i->begin);
    const MarkSet& one = of_a ? *i : *j;
    out.append({one.begin, false, of_a && of_b ? united(i->rows, j->rows) : one.rows});
    if (of_a) ++i;
    if (of_b) ++j;
  }
  return out;
}

void add_text(Blake3& hash, std::string_view text) {
  hash.add_value(std::uint64_t{text.size()});
  hash.add(as_bytes_view(text));
}

void add_constant(Blake3& hash, const Constant& constant) {
  hash.add_value(std::uint64_t{constant.value().index()});
  std::visit(
      [&]<typename T>(const T& value) {
        if constexpr (std::is_same_v<T, std::string>)
          add_text(hash, value);
        else if constexpr (std::is_same_v<T, Timestamp>)
          hash.add_value(value.ns);
        else if constexpr (std::is_same_v<T, bool>)
          hash.add_value(static_cast<std::uint8_t>(value));
        else
          hash.add_value(value);
      },
      constant.value());
  if (!constant.digits().empty()) add_text(hash, constant.digits());
}

// A tree is as deep as kExpressionDepthMax at most, chains aside, whose parts stand side by side.
void add_condition(Blake3& hash, const Expression& condition) {
  const ExpressionNode& node = condition.node();
  hash.add_value(node.kind);
  add_text(hash, node.column);
  hash.add_value(std::uint64_t{node.constants.size()});
  for (const Constant& constant : node.constants) add_constant(hash, constant);
  const std::vector<Expression> parts = condition.parts();
  hash.add_value(std::uint64_t{parts.size()});
  for (const Expression& part : parts) add_condition(hash, part);
}

void add_bound(Blake3& hash, const std::optional<Timestamp>& bound) {
  hash.add_value(bound ? bound->ns : kNotATime);
}

}  // namespace

void Removals::add(const ReadRequest& rows) {
  (void)scan::wanted_of(rows, *dataset_.schema);  // refuses what the schema does not have
  const bool by_row = scan::matches_by_row(rows, dataset_.schema);
  requests_.push_back(rows);
  by_row_ = by_row_ && by_row;
}

const MarkList& Removals::found(const scan::ScanContext& context,
                                const std::shared_ptr<const history::Snapshot>& state) {
  if (state_ != state) {
    found_ = {};
    asked_ = 0;
    state_ = state;
  }
  for (; asked_ < requests_.size(); ++asked_) {
    found_ = both(found_, scan::matching_ids(context, state, dataset_, requests_[asked_], {}));
  }
  return found_;
}

history::Marking Removals::marking(const scan::ScanContext& context) const {
  history::Marking out{dataset_.id, dataset_.name, dataset_.schema, by_row_, {}};
  out.find = [context, requests = requests_](const std::shared_ptr<const history::Snapshot>& state,
                                             const history::DatasetEntry& dataset,
                                             CommitNumber after) {
    MarkList found;
    for (const ReadRequest& rows : requests) {
      MarkList more = scan::matching_ids(context, state, dataset, rows, after);
      found = found.empty() ? std::move(more) : both(found, more);
    }
    return found;
  };
  return out;
}

void hash_request(Blake3& hash, DatasetId dataset, std::uint64_t rows_before,
                  const ReadRequest& rows) {
  add_text(hash, "delete");
  hash.add_value(dataset.created);
  hash.add_value(dataset.index);
  hash.add_value(rows_before);
  add_bound(hash, rows.start);
  add_bound(hash, rows.stop);
  hash.add_value(std::uint64_t{rows.keys.size()});
  for (const KeyFilter& filter : rows.keys) {
    add_text(hash, filter.column);
    hash.add_value(std::uint64_t{filter.values.size()});
    for (const KeyValue& value : filter.values) {
      hash.add_value(std::uint64_t{value.index()});
      if (const auto* text = std::get_if<std::string>(&value)) {
        add_text(hash, *text);
      } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
        hash.add_value(*number);
      } else {
        hash.add_value(std::get<std::uint64_t>(value));
      }
    }
  }
  hash.add_value(static_cast<std::uint8_t>(rows.where ? 1 : 0));
  if (rows.where) add_condition(hash, *rows.where);
}

}  // namespace otolith::ingest
