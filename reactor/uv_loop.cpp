#include <ropewalk/reactor/uv_loop.hpp>

#include <ropewalk/reactor/reactor_access.hpp>
#include <ropewalk/reactor/uv_driver.hpp>

namespace ropewalk {

uv_loop_s* uvLoop(Reactor& reactor) {
    auto* driver = dynamic_cast<UvDriver*>(&reactor.driver());
    if (driver == nullptr) {
        throw UnsupportedError("this reactor isn't driven by libuv");
    }
    driver->shareLoop(&detail::ReactorAccess::deadline, &reactor);
    return driver->loop();
}

} // namespace ropewalk
