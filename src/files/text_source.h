// A file or a stream as a window of text that moves forward.
//
// Role:    what readers of rows read; it counts lines and looks at the encoding.
// Shapes:  bytes of UTF-8 without a byte order mark; the last line ends in a line feed, which is
//          added where there is none.
// Errors:  not_found, io; invalid_argument for UTF-16 and UTF-32, and for a file that is empty;
//          limit where a record is longer than kWindowBytesMax.
// Threads: thread-compatible.
// Why:     read, not mapped: a file that somebody cuts short while it is read is no signal, and a
//          pipe is read the same way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otolith::io {
class File;
}

namespace otolith::files {

inline constexpr std::size_t kWindowBytes = 1 << 20;          // read at once
inline constexpr std::size_t kWindowBytesMax = 512ull << 20;  // of one record

/// Reads on; 0: the end.
using ReadOn = std::function<std::size_t(std::span<char>)>;

class TextSource {
 public:
  /// A file by its path.
  explicit TextSource(const std::string& path);
  /// A stream; `name` is for messages.
  TextSource(std::string name, ReadOn read);
  ~TextSource();
  TextSource(TextSource&&) noexcept;

  const std::string& name() const noexcept { return name_; }
  /// Bytes in all; 0 where nobody knows.
  std::uint64_t size() const noexcept { return size_; }
  /// Bytes behind the window's beginning.
  std::uint64_t done() const noexcept { return done_; }
  /// The line on which the window begins, from 1.
  std::uint64_t line() const noexcept { return line_; }
  /// What is read and not consumed; valid until the next call of fill.
  std::string_view window() const noexcept { return {buffer_.data() + begin_, end_ - begin_}; }
  /// Whether nothing is behind the window.
  bool at_end() const noexcept { return ended_; }
  /// Reads on until the window has so many bytes, or the end is met.
  void fill(std::size_t bytes);
  /// Moves the window's beginning; whole lines.
  void consume(std::size_t bytes);

 private:
  std::size_t read(std::span<char> out);
  void look_at_encoding();

  std::string name_;
  ReadOn stream_;
  std::unique_ptr<io::File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;  // of the file, read so far
  std::uint64_t done_ = 0;
  std::uint64_t line_ = 1;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace otolith::files
