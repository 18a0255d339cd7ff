#include "history/torn_tail.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

constexpr std::size_t kScanBytes = 1 << 20;
constexpr std::size_t kBlankBytes = 1024;
constexpr std::uint64_t kHashedPerByteMax = 4;  // honest files: each byte is hashed once

class Scan {
 public:
  Scan(io::File& file, const LogFileInfo& info, RecordNumber expected)
      : file_(file),
        info_(info),
        seed_(info.header.seed()),
        expected_(expected),
        size_(file.stat().size),
        hashable_(kHashedPerByteMax * size_) {}

  TailVerdict run(std::uint64_t from) {
    verdict_.end = from;
    std::uint64_t at = align_up(from, kFrameAlignment);
    note_bytes(from, at);
    while (at < size_) at = scan_window(at);
    return verdict_;
  }

 private:
  // Tries every eighth byte of one window; windows overlap by a header.
  std::uint64_t scan_window(std::uint64_t at) {
    const BytesView window = read(at, kScanBytes, window_);
    if (window.empty()) return size_;
    const bool last = at + window.size() >= size_;
    const std::size_t stop = last ? window.size() : window.size() - kFrameHeaderBytes;
    for (std::size_t i = 0; i < stop; i += kFrameAlignment) {
      i += blank_run(window.subspan(i, stop - i));
      if (i >= stop) break;
      const std::size_t here = std::min(kFrameAlignment, window.size() - i);
      if (blank(window.subspan(i, here))) continue;
      note_byte(window.subspan(i, here), at + i);
      if (i + kFrameHeaderBytes > window.size() || !candidate(window.data() + i)) continue;
      if (const std::uint64_t bytes = try_frame(at + i)) {
        verdict_.blank = false;
        verdict_.end = std::max(verdict_.end, at + i + bytes);
        return at + i + bytes;
      }
    }
    return at + stop;
  }

  bool candidate(const std::byte* header) const noexcept {
    if (load_le<std::uint8_t>(header + kFrameTypeAt) == 0) return false;
    if (load_le<RecordNumber>(header + kFrameNumberAt) < expected_) return false;
    return frame_header_sound(header, seed_);
  }

  // Bytes of the frame if a sound one stands there.
  std::uint64_t try_frame(std::uint64_t at) {
    std::array<std::byte, kFrameHeaderBytes> header;
    if (file_.read_at(at, header) < header.size()) return 0;
    const std::uint64_t bytes = frame_bytes(frame_payload_bytes(header.data()));
    if (bytes > size_ - at) return 0;
    if (bytes > hashable_) {
      throw_corrupt(info_.path, at,
                    "too many beginnings of frames behind damage to judge them all");
    }
    hashable_ -= bytes;
    const FrameVerdict frame = judge_frame(read(at, bytes, frame_), seed_);
    if (frame.soundness != Soundness::sound && frame.soundness != Soundness::unsupported) return 0;
    if (!mutant("log-synced-to-ignored")) {
      verdict_.proven = std::max(verdict_.proven, frame.fields.synced_to);
    }
    if (!verdict_.found) {
      verdict_.found = frame.fields;
      verdict_.found_at = at;
    }
    return bytes;
  }

  BytesView read(std::uint64_t at, std::uint64_t bytes, Bytes& into) {
    into.resize(std::min(bytes, size_ - at));
    return BytesView(into).first(file_.read_at(at, into));
  }

  void note_bytes(std::uint64_t from, std::uint64_t to) {
    Bytes bytes;
    if (from < std::min(to, size_)) note_byte(read(from, to - from, bytes), from);
  }

  void note_byte(BytesView bytes, std::uint64_t at) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == std::byte{0}) continue;
      verdict_.blank = false;
      verdict_.end = std::max(verdict_.end, at + i + 1);
    }
  }

  // Bytes of zeros at the front, in steps of kBlankBytes: most of a preallocated file is blank.
  static std::size_t blank_run(BytesView bytes) noexcept {
    static constexpr std::array<std::byte, kBlankBytes> zeros{};
    std::size_t run = 0;
    while (bytes.size() - run >= kBlankBytes &&
           std::memcmp(bytes.data() + run, zeros.data(), kBlankBytes) == 0) {
      run += kBlankBytes;
    }
    return run;
  }

  static bool blank(BytesView bytes) noexcept {
    if (bytes.size() == sizeof(std::uint64_t)) return load_le<std::uint64_t>(bytes.data()) == 0;
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
  }

  io::File& file_;
  const LogFileInfo& info_;
  const std::uint64_t seed_;
  const RecordNumber expected_;
  const std::uint64_t size_;
  std::uint64_t hashable_;
  TailVerdict verdict_;
  Bytes window_;
  Bytes frame_;
};

}  // namespace

TailVerdict judge_tail(io::File& file, const LogFileInfo& info, std::uint64_t offset,
                       RecordNumber expected) {
  if (mutant("log-behind-the-end-unread")) return TailVerdict();
  return Scan(file, info, expected).run(offset);
}

}  // namespace otolith::history
