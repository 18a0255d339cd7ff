// Everything a program needs of Otolith: `#include <otolith/otolith.h>`, CMake `otolith::otolith`.
//
// Role:    the one include of users.
// Errors:  see otolith/error.h.
// Threads: thread-safe, but for Recorder: otolith/database.h.
#pragma once

#include "otolith/alter.h"
#include "otolith/batch.h"
#include "otolith/codec.h"
#include "otolith/collection.h"
#include "otolith/commit.h"
#include "otolith/data.h"
#include "otolith/database.h"
#include "otolith/decimal.h"
#include "otolith/diff.h"
#include "otolith/document.h"
#include "otolith/error.h"
#include "otolith/expression.h"
#include "otolith/inspect.h"
#include "otolith/options.h"
#include "otolith/read.h"
#include "otolith/rows.h"
#include "otolith/schema.h"
#include "otolith/timestamp.h"
#include "otolith/undo.h"
