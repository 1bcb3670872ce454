#include <ropewalk/reactor/factory.hpp>

#include <typeinfo>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/names.hpp>

namespace ropewalk {

void Factory::doStart() {
    if (numPorts == 0) {
        if (noisy) {
            log::info("Starting factory " + typeName(typeid(*this)));
        }
        startFactory();
    }
    ++numPorts;
}

void Factory::doStop() {
    if (numPorts == 0) {
        return; // it was stopped more often than started: Twisted bears that, too
    }
    if (--numPorts == 0) {
        if (noisy) {
            log::info("Stopping factory " + typeName(typeid(*this)));
        }
        stopFactory();
    }
}

void ClientFactory::doStartConnecting(Connector& connector) {
    beginsToConnect(connector);
    startedConnecting(connector);
}

} // namespace ropewalk
