// What `like` asks of texts: % is any text, _ any character, all else itself.
//
// Role:    one function of formulas, and of what pages of texts are asked.
// Shapes:  texts and patterns are UTF-8; the pattern is not copied.
// Errors:  what ends the work at a stop point (base/stopping.h).
// Threads: immutable.
// Why:     between two % the first place that fits is as good as any later one. It is searched in
//          linear time; where a part has a _, in the product of both lengths, with stop points.
#pragma once

#include <string_view>
#include <vector>

namespace otolith::model {

class Like {
 public:
  explicit Like(std::string_view pattern);

  /// Whether all of the text is like the pattern.
  bool holds(std::string_view text) const;

 private:
  // What stands between two %.
  struct Part {
    std::string_view text{};
    bool wild = false;  // has a _
    std::size_t characters = 0;
  };

  std::vector<Part> parts_;
};

/// Where `part` begins in `text`, npos where it is not there; in linear time.
std::size_t text_find(std::string_view text, std::string_view part) noexcept;

}  // namespace otolith::model
