#include "history/file_check.h"

#include <doctest/doctest.h>

#include <utility>

#include "base/limits.h"
#include "io/sim_disk.h"

namespace otolith::history {

namespace {

constexpr std::uint64_t kFrames = 400;

// A log file in which every `step`th frame but the last is damaged, though each was durable before
// the next.
struct Riddled {
  std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
  std::shared_ptr<const LogFileInfo> info;
  std::shared_ptr<io::File> file;

  explicit Riddled(std::uint64_t step = 2) {
    vfs->make_dir("log");
    LogFileHeader header;
    Bytes bytes = encode_file_header(header);
    std::uint64_t chain = header.seed();
    for (std::uint64_t i = 1; i <= kFrames; ++i) {
      const std::size_t at = bytes.size();
      FrameFields fields{RecordNumber{i}, static_cast<std::uint8_t>(FrameType::sync_mark)};
      fields.synced_to = RecordNumber{i - 1};
      fields.chain = chain;
      chain = encode_frame(bytes, fields, {}, header.seed());
      if (i % step == 0 && i != kFrames) bytes[at] ^= std::byte{1};
    }
    file = vfs->open(log_file_path(1), io::OpenMode::create);
    file->write_at(0, bytes);
    info = std::make_shared<const LogFileInfo>(LogFileInfo{header, log_file_path(1)});
  }
};

// Its first look shows a file as it was before some of its bytes were written.
class LateFile final : public io::File {
 public:
  LateFile(io::File& of, std::uint64_t written) : of_(of), written_(written) {}

  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) override {
    const std::size_t got = of_.read_at(offset, out);
    if (!std::exchange(looked_, true)) {
      for (std::size_t i = 0; i < got; ++i)
        if (offset + i >= written_) out[i] = std::byte{0};
    }
    return got;
  }
  io::FileStat stat() const override { return of_.stat(); }
  void write_at(std::uint64_t, BytesView) override {}
  void sync() override {}
  void write_back(std::uint64_t, std::uint64_t) override {}
  void preallocate(std::uint64_t) override {}
  void truncate(std::uint64_t) override {}
  std::unique_ptr<io::Mapping> map(std::uint64_t) override { return nullptr; }
  bool try_lock(std::uint64_t, bool) override { return false; }
  void unlock(std::uint64_t) override {}

 private:
  io::File& of_;
  const std::uint64_t written_;
  bool looked_ = false;
};

}  // namespace

TEST_CASE("file check: a writer that appends between two looks is no damage") {
  const Riddled sound(kFrames);  // nothing damaged
  for (const std::uint64_t frames : {0u, 1u, 7u}) {
    const auto late = std::make_shared<LateFile>(
        *sound.file, kLogHeaderBytes + frames * frame_bytes(0) + frames % 2 * 8);
    std::size_t found = 0;
    FileCheck check(
        FrameReader(late, sound.info), {RecordNumber{~0ull}, RecordNumber{0}},
        [&](const Error& error) { FAIL_CHECK(error.what()); },
        [&](const FrameVerdict&, std::uint64_t) { ++found; });
    check.run();
    CHECK(found == kFrames);
    REQUIRE(check.tail().has_value());
    CHECK(check.tail()->blank);
  }
}

TEST_CASE("file check: a file that is damaged everywhere is given up after some stretches") {
  const Riddled riddled;
  std::size_t problems = 0;
  std::size_t sound = 0;
  FileCheck check(
      FrameReader(riddled.file, riddled.info), {RecordNumber{~0ull}, RecordNumber{0}},
      [&](const Error& error) {
        CHECK(error.code() == ErrorCode::corrupt);
        CHECK(error.where().file == riddled.info->path);
        ++problems;
      },
      [&](const FrameVerdict& frame, std::uint64_t) {
        CHECK(value_of(frame.fields.number) % 2 == 1);
        ++sound;
      });
  check.run();
  CHECK(problems == kDamagedStretchesMax + 1);
  CHECK(sound == kDamagedStretchesMax);
  CHECK_FALSE(check.tail().has_value());
}

}  // namespace otolith::history
