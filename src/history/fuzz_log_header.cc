// Any bytes as a file header: a typed error, or one that encodes back. Any change of a lock page:
// found out, unless no check covers it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "history/file_header.h"
#include "history/lock_page.h"
#include "history/log_layout.h"

namespace {

using namespace otolith;
using namespace otolith::history;

void header(Bytes bytes) {
  bytes.resize(kLogHeaderBytes);
  store_le(bytes.data() + kHeaderMagicAt, kLogMagic);
  store_le(bytes.data() + kHeaderChecksumAt, xxh3(BytesView(bytes).first(kHeaderChecksumAt)));
  try {
    const auto file = load_le<std::uint64_t>(bytes.data() + kHeaderFileAt);
    Id128 database;
    std::copy_n(bytes.begin() + kHeaderDatabaseAt, database.bytes.size(), database.bytes.begin());
    if (encode_file_header(decode_file_header(bytes, database, file, "log/x")) != bytes) {
      std::abort();
    }
  } catch (const Error&) {
    return;
  }
}

// A page made of the first bytes of the input, with the others laid over it bit by bit: it holds if
// and only if nothing that a check covers was changed.
void page(BytesView input) {
  LockWords words;
  if (input.size() < sizeof(std::uint64_t)) return;
  words.durable = words.visible = load_le<RecordNumber>(input.data());
  const LockIdentity identity({}, "boot", {});
  const Bytes whole = encode_lock_page(identity, words);
  Bytes changed = whole;
  input = input.subspan(sizeof(std::uint64_t));
  for (std::size_t i = 0; i < std::min(input.size(), changed.size()); ++i) changed[i] ^= input[i];
  bool torn = false;
  const bool valid = decode_lock_page(changed, identity, torn).valid();
  const auto covered = [](BytesView bytes, std::size_t from, std::size_t to) {
    return bytes.subspan(from, to - from);
  };
  const bool same = std::ranges::equal(covered(whole, 0, kLockIdentityBytes),
                                       covered(changed, 0, kLockIdentityBytes)) &&
                    std::ranges::equal(covered(whole, kLockWordsAt, kLockReadBytes),
                                       covered(changed, kLockWordsAt, kLockReadBytes));
  if (valid != same || (valid && torn)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView input(reinterpret_cast<const std::byte*>(data), size);
  header(Bytes(input.begin(), input.end()));
  page(input);
  return 0;
}
