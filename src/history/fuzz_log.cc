// Any bytes as a log file, with checksums made right again: records or a typed error, never more.
//
// The input is the part of a file behind its header. Where it says so frames get a right header
// check, checksum, number and chain, so that the fuzzer reaches what stands behind them.
#include <cstdint>
#include <memory>

#include "history/file_header.h"
#include "history/frame_reader.h"
#include "history/log.h"
#include "history/torn_tail.h"
#include "io/sim_disk.h"

namespace {

using namespace otolith;
using namespace otolith::history;

constexpr Id128 kDatabase{{std::byte{1}}};
constexpr std::size_t kInputBytesMax = 1 << 16;

LogFileHeader header_of(std::size_t bytes) {
  LogFileHeader header;
  header.database = kDatabase;
  header.salt = kDatabase;
  header.bytes = bytes;
  return header;
}

// Makes right what a fuzzer cannot: the first byte of each checksum says how much of it.
void reseal(Bytes& file, std::uint64_t seed) {
  std::uint64_t chain = seed;
  std::uint64_t number = 1;
  for (std::size_t at = kLogHeaderBytes; at + kFrameHeaderBytes <= file.size();) {
    std::byte* const frame = file.data() + at;
    const auto wish = std::to_integer<unsigned>(frame[0]);
    const std::uint64_t whole = frame_bytes(frame_payload_bytes(frame));
    if (wish % 8 == 0 || whole > file.size() - at) {
      at += kFrameAlignment;
      continue;
    }
    if (wish % 8 < 6) store_le(frame + kFrameNumberAt, number);
    if (wish % 8 < 5) store_le(frame + kFrameChainAt, chain);
    const BytesView covered(frame + kFrameLengthAt, kFrameHeaderCheckAt - kFrameLengthAt);
    store_le(frame + kFrameHeaderCheckAt, static_cast<std::uint32_t>(xxh3(covered, seed)));
    if (wish % 8 != 7) {
      chain = xxh3(BytesView(frame, whole).subspan(kFrameLengthAt), seed);
      store_le(frame, chain);
    }
    number = load_le<std::uint64_t>(frame + kFrameNumberAt) + 1;
    at += whole;
  }
}

template <typename Call>
void typed_errors_only(Call call) {
  try {
    call();
  } catch (const Error&) {
    return;
  }
}

// Reads it as a reader without a lock page, as verify, and as a writer that recovers and appends.
void use(const std::shared_ptr<io::Vfs>& vfs, std::uint64_t boot) {
  const auto environment = io::simulated_environment(1, {boot, 1});
  LogOptions options;
  options.preallocate_bytes = 4096;
  options.reserve_bytes = 0;
  static volatile std::size_t sink = 0;
  const FrameSink take = [](const Frame& frame) { sink = sink + frame.payload.size(); };
  typed_errors_only([&] {
    const auto log = Log::open(vfs, environment, kDatabase, options);
    typed_errors_only([&] { log->refresh(take, {}); });
    log->verify([](const Error&) {});
    const auto lock = log->lock();
    lock->catch_up(take, {});
    std::vector<Record> records(1);
    records.front().type = FrameType::commit;
    (void)lock->append(std::move(records));
  });
  typed_errors_only([&] { Log::open(vfs, environment, kDatabase, options)->refresh(take, {}); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kInputBytesMax) return 0;
  const LogFileHeader header = header_of(kLogHeaderBytes + size);
  Bytes file = encode_file_header(header);
  const BytesView input(reinterpret_cast<const std::byte*>(data), size);
  file.insert(file.end(), input.begin(), input.end());
  reseal(file, header.seed());
  const std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
  vfs->make_dir("log");
  vfs->open(log_file_path(1), io::OpenMode::create)->write_at(0, file);
  use(vfs, 1);
  return 0;
}
