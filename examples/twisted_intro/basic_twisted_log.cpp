// Some basics of the log. The original's two errors are a call without an argument and a name that isn't there, which no
// C++ program can run into; here an empty function is called, and a key isn't there. After basic-twisted/log.py.

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/start_logging.hpp>

#include <functional>
#include <iostream>
#include <map>
#include <string>

namespace defer = ropewalk::defer;

void badCallback(bool) {
    std::map<std::string, int> names;
    names.at("xxx") = 1;
}

int main() {
    namespace log = ropewalk::log; // here, not above: there `log` is the logarithm

    log::msg("This will not be logged, we have not installed a logger.");

    log::startLogging(std::cout);

    log::msg("This will be logged.");
    log::err("This will be logged as an error.");

    try {
        std::function<void(bool)> noCallback;
        noCallback(true);
    } catch (...) {
        log::err("The next function call will log the traceback as an error.");
        log::err();
    }

    defer::Deferred<bool> d;

    const auto onError = [](const ropewalk::Failure& failure) {
        log::err("The next function call will log the failure as an error.");
        log::err(failure);
    };

    d.addCallback(badCallback);
    d.addErrback(onError);

    d.callback(true);

    log::msg("End of example.");
}
