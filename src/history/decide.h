// Deciding a commit: a request against the staged state becomes a record, or is refused.
//
// Role:    between a recorder and the log, under the append lock (docs/history.md 2, 4, 5).
// Shapes:  CommitRequest -> CommitRecord; views in the record point into the request.
// Errors:  conflict (a changed id or name, a changed schema or row, a reused change id, a revert
//          that is not exact), not_found, invalid_argument, limit. Nothing is changed by a refusal.
// Threads: thread-compatible; the engine's mutex is held for decide().
// Why:     what needs no history is checked before the lock is taken; under it only look-ups are
//          done.
#pragma once

#include <optional>

#include "history/timeline.h"
#include "io/environment.h"

namespace otolith::history {

/// Author, message and extra: UTF-8 within their limits. For callers with work ahead of the commit.
void request_check_texts(const CommitRequest& request);

/// Checks what can be said of a request alone, and puts its parts in order: marks joined, a change
/// id made where none was given. Returns whether it was made, and so cannot be in the history.
bool request_prepare(CommitRequest& request, io::Environment& environment);

/// What a request comes to.
struct Verdict {
  enum class Kind : std::uint8_t {
    record,   // to be appended
    empty,    // nothing to do: HEAD answers for it
    repeated  // `winner` did it already
  } kind = Kind::empty;
  CommitRecord record;
  CommitNumber winner{0};
};

/// `now` is the clock's; the commit's time is clamped to HEAD's.
Verdict decide(const CommitRequest& request, bool change_is_new, Timeline& timeline,
               const FindMeetings& meetings, Timestamp now);

/// Whether rows staged under one schema may be added under the other: metadata apart.
bool same_for_rows(const Schema& a, const Schema& b);

/// What a message calls a dataset that is not shown: by its last name, if it ever was.
std::string dataset_told(const Timeline& timeline, DatasetId id);

/// The part of decide() about names, schemas and columns: ids are given here.
std::vector<CatalogChange> decide_catalog(const CommitRequest& request, CommitNumber number,
                                          Timeline& timeline);

}  // namespace otolith::history
