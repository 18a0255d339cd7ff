#include "cli/wheel.h"

#include "base/error.h"
#include "db/json_writer.h"

namespace otolith::cli {

int through_wheel(const Words& words, std::string_view format, const Sinks& sinks) {
  if (!sinks.wheel) {
    throw_error(ErrorCode::invalid_argument,
                "this program has no {}; the `otolith` script of the Python package has: pip "
                "install otolith and what `otolith {} --help` names",
                format, words.verb().name);
  }
  db::JsonWriter out;
  out.object_begin().field("verb", words.verb().name).field("format", format);
  for (const Operand& operand : words.verb().operands) {
    out.key(operand.name).array_begin();
    for (const std::string& word : words.operands(operand.name)) out.value(word);
    out.array_end();
  }
  for (const Option& option : words.verb().options) {
    out.key(option.name);
    if (option.value.empty()) {
      out.value(words.flag(option.name));
    } else {
      out.array_begin();
      for (const std::string& value : words.values(option.name)) out.value(value);
      out.array_end();
    }
  }
  out.object_end();
  return sinks.wheel(out.text());
}

}  // namespace otolith::cli
