#pragma once

struct uv_loop_s;

namespace ropewalk {

class Reactor;

/// The libuv loop under a reactor, for libraries that have a libuv adapter of their own: their handles live
/// on it beside the reactor's. They must be closed before the reactor goes; the loop must not be run, stopped
/// or closed. Throws `UnsupportedError` if the reactor isn't driven by libuv.
uv_loop_s* uvLoop(Reactor& reactor);

} // namespace ropewalk
