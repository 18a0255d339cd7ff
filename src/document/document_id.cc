#include "document/document_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/int128.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "base/mutex.h"
#include "model/utf8.h"

namespace otolith::document {

namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr std::int64_t kSetBackMs = 10'000;  // a clock that goes back by less is one that slipped
constexpr unsigned kRandomBits = 74;
constexpr Uint128 kRandomEnd = Uint128{1} << kRandomBits;

// The id as two numbers.
struct Ticket {
  std::int64_t ms = -1;
  Uint128 random = 0;
};

class LastTicket {
 public:
  // Steps are of the bits that the random part leaves over: 54, so that a process that was forked
  // takes others, and a millisecond has room for a million of them.
  // Steps are of the bits that the random part leaves over: 54, so that a process that was forked
  // takes others, and a millisecond has room for a million of them.
  Ticket next(std::int64_t ms, Uint128 random, Uint128 step) OTO_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const bool same = ms <= last_.ms && last_.ms - ms < kSetBackMs;
    if (!same || mutant("document-ids-not-ascending")) {
      last_ = {ms, random};
      return last_;
    }
    last_.random += step + 1;
    if (last_.random >= kRandomEnd) last_ = {last_.ms + 1, random >> 1};  // the next one's turn
    return last_;
  }

 private:
  Mutex mutex_;
  Ticket last_ OTO_GUARDED_BY(mutex_);
};

std::string text_of(const Ticket& ticket) {
  constexpr std::uint64_t kVersion = 7;
  constexpr std::uint64_t kVariant = 2;
  const auto high = static_cast<std::uint64_t>(ticket.random >> 62) & 0xfff;
  const auto low = static_cast<std::uint64_t>(ticket.random) & ((1ull << 62) - 1);
  const auto ms = static_cast<std::uint64_t>(ticket.ms) & ((1ull << 48) - 1);
  const std::uint64_t tail = kVariant << 62 | low;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", ms >> 16, ms & 0xffff,
                     kVersion << 12 | high, tail >> 48, tail & ((1ull << 48) - 1));
}

}  // namespace

std::string new_id(Timestamp now, const IdEntropy& entropy) {
  static LastTicket last;
  Uint128 random = 0;
  static_assert(sizeof(random) == kIdEntropyBytes);
  std::memcpy(&random, entropy.data(), sizeof(random));
  const std::int64_t ms = std::max<std::int64_t>(now.ns / kMillisecondNs, 0);
  return text_of(last.next(ms, random & (kRandomEnd - 1), random >> kRandomBits));
}

void check_id(std::string_view id) {
  if (id.empty())
    throw_error(ErrorCode::invalid_argument,
                "a document's _id is empty; leave it out for a new one");
  if (id.size() > kDocumentIdBytesMax) {
    throw_error(ErrorCode::limit, "a document's _id {} has {} bytes; ids have {} at most",
                quoted(id), id.size(), kDocumentIdBytesMax);
  }
  if (model::printable_ascii(id)) return;
  if (!model::utf8_valid(id)) {
    throw_error(ErrorCode::invalid_argument, "a document's _id of {} bytes is no UTF-8", id.size());
  }
  if (model::has_control(id)) {
    throw_error(ErrorCode::invalid_argument,
                "a document's _id {} holds a control character; leave those out", quoted(id));
  }
}

}  // namespace otolith::document
