// Where the file of a segment stands in the directory of a database.
//
// Role:    writers, readers, verify and sweep agree on it here.
// Shapes:  `segments/ab/ab….seg`, from the 32 hex digits of the id: 256 folders at most.
// Errors:  none.
// Threads: thread-safe.
// Why:     named by id only: no user's text becomes a path, and folders stay small.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace otolith::segment {

inline constexpr std::string_view kSegmentsFolder = "segments";

/// The folder of a segment's file, relative to the database.
std::string segment_folder(const Id128& segment);
/// Its file, relative to the database.
std::string segment_path(const Id128& segment);
/// The id that a file's name (without folders) stands for; nullopt if it is no segment's.
std::optional<Id128> segment_of_name(std::string_view name);

}  // namespace otolith::segment
