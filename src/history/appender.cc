#include "history/appender.h"

#include "base/log.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

constexpr std::uint64_t kBlockBytes = 4096;          // smallest growth worth asking for
constexpr std::size_t kBufferBytesKept = 1 << 20;    // a larger buffer is given back after use
constexpr std::uint64_t kBlanksBytesMin = 16 << 10;  // who appends once writes few zeros
constexpr std::uint64_t kBlanksBytesMax = 256 << 10;

}  // namespace

void Appender::attach(OpenLogFile file, RecordNumber vouches_behind) {
  allocated_ = file.file->stat().size;  // first: what fails leaves the appender as it was
  info_ = std::move(file.info);
  file_ = std::move(file.file);
  vouches_behind_ = vouches_behind;
  blank_to_ = 0;
  blanks_bytes_ = kBlanksBytesMin;
  place_ = {kLogHeaderBytes, RecordNumber{value_of(info_->header.first) - 1}, info_->header.seed()};
}

void Appender::begin(OpenLogFile file, const Place& place) {
  attach(std::move(file), RecordNumber{0});  // what is before its first record is on the disk
  place_ = place;
}

void Appender::detach() noexcept {
  info_.reset();
  file_.reset();
}

bool Appender::read_to(RecordNumber last) {
  if (place_.last >= last) return place_.last == last;
  FrameReader reader(file_, info_);
  reader.resume_at(place_.offset, {next(place_.last), 0, false, RecordNumber{0}, place_.chain});
  const bool there = reader.skip_to(last);
  if (there || !mutant("log-place-forgotten"))
    place_ = {reader.offset(), reader.last(), reader.chain()};
  return there;
}

void Appender::encode(const std::vector<Record>& records, RecordNumber synced_to) {
  if (buffer_.capacity() > kBufferBytesKept) buffer_ = Bytes();
  buffer_.clear();
  encoded_ = place_;
  const std::uint64_t seed = info_->header.seed();
  for (const Record& record : records) {
    encoded_.last = next(encoded_.last);
    encoded_.chain = encode_frame(buffer_,
                                  {encoded_.last, static_cast<std::uint8_t>(record.type),
                                   record.relaxed, synced_to, encoded_.chain},
                                  record.payload, seed);
  }
  encoded_.offset += buffer_.size();
}

void Appender::write() { file_->write_at(place_.offset, buffer_); }

bool Appender::take_back() noexcept {
  try {
    if (file_->stat().size > allocated_) file_->truncate(allocated_);
    const std::uint64_t end = std::min(encoded_.offset, allocated_);
    if (end > place_.offset && !mutant("log-partial-frame-kept"))
      file_->write_at(place_.offset, Bytes(end - place_.offset));
    file_->sync();
    return true;
  } catch (const Error& error) {
    log_line(LogLevel::warning, error.what());
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, error.what());
  }
  return false;
}

void Appender::make_room(std::uint64_t bytes, std::uint64_t step) {
  if (bytes <= room()) return;
  const std::uint64_t end = place_.offset + bytes;
  try {
    file_->preallocate((end + step - 1) / step * step);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::no_space) throw;
    file_->preallocate(align_up(end, kBlockBytes));
  }
  allocated_ = file_->stat().size;
}

bool Appender::blanks_are_low() const noexcept {
  return blank_to_ < allocated_ && blank_to_ < place_.offset + blanks_bytes_ / 4;
}

// Whole sectors, none of which holds a frame.
void Appender::write_blanks() {
  const std::uint64_t from = align_up(std::max(blank_to_, place_.offset), kLogHeaderBytes);
  const std::uint64_t to = std::min(from + blanks_bytes_, allocated_);
  if (from < to) {
    file_->write_at(from, Bytes(to - from));
    file_->write_back(from, to - from);
  }
  blank_to_ = std::max(from, to);
  blanks_bytes_ = std::min(2 * blanks_bytes_, kBlanksBytesMax);
}

}  // namespace otolith::history
