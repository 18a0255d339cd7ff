// libfmt within the module: what its shared library would give, compiled in from its headers.
//
// A wheel may need no library that a machine might lack; Debian ships no libfmt.a. In the order of
// the link this comes first, and the shared library is then not needed (python/CMakeLists.txt).
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

template FMT_API auto thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl<char>(locale_ref) -> char;

}  // namespace detail
FMT_END_NAMESPACE
