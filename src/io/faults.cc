#include "io/faults.h"

#include <cerrno>

namespace otolith::io {

namespace {

bool changes_disk(Operation operation) noexcept {
  switch (operation) {
    case Operation::create:
    case Operation::write:
    case Operation::sync:
    case Operation::preallocate:
    case Operation::truncate:
    case Operation::make_dir:
    case Operation::sync_dir:
    case Operation::rename:
    case Operation::remove:
    case Operation::remove_dir:
      return true;
    default:
      return false;
  }
}

bool takes_space(Operation operation) noexcept {
  return changes_disk(operation) && operation != Operation::remove &&
         operation != Operation::remove_dir;
}

bool takes_descriptor(Operation operation) noexcept {
  return operation == Operation::open || operation == Operation::create ||
         operation == Operation::list || operation == Operation::sync_dir;
}

}  // namespace

bool can_fail_with(Operation operation, int error) noexcept {
  // A hint has no result; giving up a lock needs nothing that could be missing.
  if (operation == Operation::write_back || operation == Operation::unlock) return false;
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return takes_space(operation);
    case EFBIG:
      return operation == Operation::write || operation == Operation::preallocate;
    case EROFS:
      return changes_disk(operation) || operation == Operation::open;
    case EMFILE:
    case ENFILE:
      return takes_descriptor(operation);
    default:
      return true;
  }
}

std::optional<Fault> FaultSet::meet(Operation operation) {
  calls_[static_cast<std::size_t>(operation)]++;
  std::optional<Fault> met;
  for (Armed& armed : faults_) {
    const Fault& fault = armed.fault;
    if (!can_fail_with(operation, fault.error)) continue;
    if (fault.operation && *fault.operation != operation) continue;
    armed.seen++;
    const bool due = armed.seen == fault.at || (fault.sticky && armed.seen > fault.at);
    if (due && !met) met = fault;
  }
  if (met) fired_++;
  return met;
}

}  // namespace otolith::io
