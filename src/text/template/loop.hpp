// The state of a running loop, as the reference's LoopContext keeps it: items are taken from their source one
// by one, and `loop.last`, `loop.nextitem` and `loop.length` look ahead.
#pragma once

#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

/// Whether there is a next item; it then is `loop.after`.
Result<bool> peek(Loop& loop);
/// Moves to the next item; false at the end.
Result<bool> advance(Loop& loop);
Result<int64_t> loop_length(Runtime& rt, Loop& loop);

}  // namespace brisk::text::tmpl
