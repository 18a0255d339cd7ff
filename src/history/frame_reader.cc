#include "history/frame_reader.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

constexpr std::size_t kStepBytesMin = 16 << 10;
constexpr std::size_t kStepBytesMax = 1 << 20;

FrameVerdict bad(const FrameVerdict& of, const char* why) {
  FrameVerdict verdict = of;
  verdict.soundness = Soundness::bad;
  verdict.why = why;
  verdict.payload = {};
  return verdict;
}

}  // namespace

FrameReader::FrameReader(std::shared_ptr<io::File> file, std::shared_ptr<const LogFileInfo> info)
    : file_(std::move(file)), info_(std::move(info)), seed_(info_->header.seed()) {
  place_.last = RecordNumber{value_of(info_->header.first) - 1};
  place_.chain = seed_;
  forget();
}

FrameVerdict FrameReader::next() {
  FrameVerdict verdict = judge_frame(window(kFrameHeaderBytes), seed_);
  if (verdict.soundness == Soundness::cut) verdict = judge_frame(window(verdict.bytes), seed_);
  switch (verdict.soundness) {
    case Soundness::zero:
      return verdict;
    case Soundness::bad:
      return verdict;
    case Soundness::cut: {
      const BytesView rest = window(kFrameHeaderBytes);
      const bool blank = std::ranges::all_of(rest, [](std::byte b) { return b == std::byte{0}; });
      if (blank) return {Soundness::zero, "", {}, {}, 0, 0};
      return bad(verdict, "the file ends within it");
    }
    case Soundness::sound:
    case Soundness::unsupported:
      break;
  }
  if (verdict.fields.number != otolith::next(place_.last)) {
    return bad(verdict, "its record number does not follow");
  }
  if (verdict.fields.chain != place_.chain && !mutant("log-chain-unchecked"))
    return bad(verdict, "it does not follow the frame before it");
  if (verdict.soundness == Soundness::sound) pass(verdict);
  return verdict;
}

bool FrameReader::skip_to(RecordNumber record) {
  while (place_.last < record) {
    const BytesView header = window(kFrameHeaderBytes);
    if (header.size() < kFrameHeaderBytes || !frame_header_sound(header.data(), seed_))
      return false;
    const FrameFields fields = frame_fields(header.data());
    if (fields.number != otolith::next(place_.last) || fields.chain != place_.chain) return false;
    place_.chain = load_le<std::uint64_t>(header.data() + kFrameChecksumAt);
    place_.offset += frame_bytes(frame_payload_bytes(header.data()));
    place_.last = fields.number;
  }
  return true;
}

void FrameReader::forget() noexcept {
  filled_ = 0;
  step_ = kStepBytesMin;
}

void FrameReader::resume_at(std::uint64_t offset, const FrameFields& fields) noexcept {
  place_ = {offset, RecordNumber{value_of(fields.number) - 1}, fields.chain};
}

// At least `bytes` bytes from the place on, fewer only at the end of the file.
BytesView FrameReader::window(std::uint64_t bytes) {
  const std::uint64_t from = place_.offset - std::min(place_.offset, buffer_at_);
  if (place_.offset < buffer_at_ || from + bytes > filled_) {
    const std::size_t size = bytes <= step_ ? step_ : whole_or_less(bytes);
    if (buffer_.size() < size) buffer_.resize(size);
    filled_ = file_->read_at(place_.offset, std::span(buffer_).first(size));
    buffer_at_ = place_.offset;
    step_ = std::min(2 * step_, kStepBytesMax);
    ++fills_;
  }
  return BytesView(buffer_).first(filled_).subspan(place_.offset - buffer_at_);
}

// A long frame is read at once, but no more than the file has: its length may be a lie.
std::size_t FrameReader::whole_or_less(std::uint64_t bytes) const {
  const std::uint64_t size = file_->stat().size;
  return static_cast<std::size_t>(std::min(bytes, size - std::min(size, place_.offset)));
}

void FrameReader::pass(const FrameVerdict& verdict) noexcept {
  place_.offset += verdict.bytes;
  place_.last = verdict.fields.number;
  place_.chain = verdict.checksum;
}

}  // namespace otolith::history
