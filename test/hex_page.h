// Annotated hex dumps in the pages on our formats, and golden files, kept true by tests.
//
// Role:    docs/format/*.md show real files; a test makes the dump again and compares, or, with
//          OTOLITH_UPDATE_DOCS=1, writes it.
// Shapes:  the dump stands between `<!-- dump -->` and `<!-- end of dump -->` in the page.
// Errors:  those of the Vfs.
// Threads: thread-compatible.
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "io/posix.h"

namespace otolith::test {

// Lines of offset, up to 16 bytes, meaning; fields in the order of the file.
class HexDump {
 public:
  explicit HexDump(BytesView bytes) : bytes_(bytes) {}

  void heading(const std::string& text) { out_ += fmt::format("{:>6}  -- {} --\n", "", text); }

  void field(std::size_t bytes, const std::string& meaning) {
    for (std::size_t done = 0; done < bytes; done += 16) {
      std::string hex;
      for (std::size_t i = at_ + done; i < at_ + std::min(bytes, done + 16); ++i) {
        hex += fmt::format("{:02x} ", std::to_integer<unsigned>(bytes_[i]));
      }
      out_ += done == 0 ? fmt::format("{:6}  {:<48} {}\n", at_, hex, meaning)
                        : fmt::format("{:6}  {}\n", at_ + done, hex.substr(0, hex.size() - 1));
    }
    at_ += bytes;
  }

  // Many zeros in one line.
  void zeros(std::size_t bytes, const std::string& meaning) {
    out_ += fmt::format("{:6}  {:<48} {}\n", at_, fmt::format("00 … ({} bytes)", bytes), meaning);
    at_ += bytes;
  }

  std::size_t at() const noexcept { return at_; }
  const std::string& text() const noexcept { return out_; }

 private:
  BytesView bytes_;
  std::size_t at_ = 0;
  std::string out_;
};

inline bool update_docs() { return std::getenv("OTOLITH_UPDATE_DOCS") != nullptr; }

inline std::string read_text(io::Vfs& vfs, const std::string& path) {
  const auto file = vfs.open(path, io::OpenMode::read);
  std::string out(file->stat().size, '\0');
  file->read_at(0, std::as_writable_bytes(std::span(out)));
  return out;
}

inline void write_text(io::Vfs& vfs, const std::string& path, std::string_view text) {
  vfs.remove(path);
  vfs.open(path, io::OpenMode::create)->write_at(0, as_bytes_view(text));
}

// Makes a golden file that is not there yet, where OTOLITH_NEW_GOLDENS=1 asks for it. One that is
// there is never written: what wrote it is the past, and what reads it must still be able to.
inline void make_golden(io::Vfs& vfs, const std::string& path, std::string_view text) {
  if (std::getenv("OTOLITH_NEW_GOLDENS") == nullptr || vfs.exists(path)) return;
  write_text(vfs, path, text);
}

// The page with this dump in it. Equal to the page on disk, unless it is out of date.
inline std::string page_with(const std::string& page, const std::string& dump) {
  const std::string begin = "<!-- dump -->\n";
  const std::size_t from = page.find(begin) + begin.size();
  const std::size_t to = page.find("<!-- end of dump -->");
  return page.substr(0, from) + "```\n" + dump + "```\n" + page.substr(to);
}

// Whether the page in our sources shows this dump; with OTOLITH_UPDATE_DOCS=1 it is made to.
inline bool page_shows(const std::string& path, const std::string& dump) {
  const auto sources = io::posix_vfs(OTOLITH_SOURCE_DIR);
  const std::string made = page_with(read_text(*sources, path), dump);
  if (update_docs()) write_text(*sources, path, made);
  return read_text(*sources, path) == made;
}

}  // namespace otolith::test
