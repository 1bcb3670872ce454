#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ropewalk/defer/names.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/protocol.hpp>
#include <ropewalk/reactor/reactor.hpp>

/// Both ends of TCP connections in one reactor, whose every hook a test may fill and whose calls are kept.
namespace tcp {

using Calls = std::vector<std::string>;

/// The name of an error's class, without namespaces.
inline std::string kindOf(const ropewalk::Failure& failure) {
    try {
        failure.raiseException();
    } catch (const std::exception& error) {
        const std::string name = ropewalk::typeName(typeid(error));
        const std::size_t colon = name.rfind(':');
        return colon == std::string::npos ? name : name.substr(colon + 1);
    } catch (...) {
        return "something";
    }
    return "nothing";
}

class Peer;
struct World;

/// One end: a factory's hooks and those of its protocols.
struct Side {
    Side(World& theWorld, std::string theName) : world(theWorld), name(std::move(theName)) {}

    World& world;
    std::string name;
    bool halfCloseable = false;
    bool refuses = false; // makes no protocols
    bool writesBack = false;

    std::function<void()> starting = [] {};
    std::function<void()> stopping = [] {};
    std::function<void(ropewalk::Connector&)> connecting = [](ropewalk::Connector&) {};
    std::function<void(const ropewalk::Address&)> building = [](const ropewalk::Address&) {};
    std::function<void(Peer&)> made = [](Peer&) {};
    std::function<void(Peer&, std::string_view)> data = [](Peer&, std::string_view) {};
    std::function<void(Peer&)> readLost = [](Peer&) {};
    std::function<void(Peer&)> writeLost = [](Peer&) {};
    std::function<void(Peer&)> lost = [](Peer&) {};
    std::function<void(ropewalk::Connector&, const ropewalk::Failure&)> failed =
        [](ropewalk::Connector&, const ropewalk::Failure&) {};
    std::function<void(ropewalk::Connector&, const ropewalk::Failure&)> clientLost =
        [](ropewalk::Connector&, const ropewalk::Failure&) {};

    std::vector<std::shared_ptr<Peer>> peers;
    int losses = 0;
    std::optional<ropewalk::Failure> reason;        // of the last failed or clientLost
    std::weak_ptr<ropewalk::Factory> factoryItself; // as long as somebody keeps it
};

struct World {
    World() = default;
    explicit World(std::unique_ptr<ropewalk::Driver> driver)
        : owned(std::make_unique<ropewalk::Reactor>(std::move(driver))) {}
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    void log(const Side& side, const std::string& what) { calls.push_back(side.name + " " + what); }
    bool called(const std::string& what) const { return count(what) != 0; }
    int count(const std::string& what) const {
        int found = 0;
        for (const std::string& call : calls) {
            found += call == what ? 1 : 0;
        }
        return found;
    }
    /// Where it was called, counted from 0; -1 for never.
    int when(const std::string& what) const {
        for (std::size_t i = 0; i < calls.size(); ++i) {
            if (calls[i] == what) {
                return static_cast<int>(i);
            }
        }
        return -1;
    }

    std::shared_ptr<ropewalk::Factory> serverFactory();
    std::shared_ptr<ropewalk::ClientFactory> clientFactory();
    void listen() { port = reactor().listenTCP(0, serverFactory(), {.interface = "127.0.0.1"}); }
    void connect(ropewalk::ConnectOptions options = {}) {
        connector = reactor().connectTCP("127.0.0.1", port->getHost().port(), clientFactory(), options);
    }
    void listenAndConnect() {
        listen();
        connect();
    }

    /// An end came; the last one that was expected stops the reactor, after some turns more.
    void ended() {
        if (--endsExpected == 0) {
            stopAfter(4);
        }
    }
    void stopAfter(int turns) {
        if (turns == 0) {
            reactor().stop();
        } else {
            owned->callLater(ropewalk::Seconds(0), [this, turns] { stopAfter(turns - 1); });
        }
    }
    /// Runs until something stops the reactor; a test that takes too long fails.
    void run(ropewalk::Seconds limit = ropewalk::Seconds(30)) {
        auto guard = reactor().callLater(limit, [this] {
            timedOut = true;
            reactor().crash();
        });
        reactor().run(false);
        if (guard.active()) {
            guard.cancel();
        }
        CHECK_FALSE_MESSAGE(timedOut, "the reactor had to be stopped");
    }
    ropewalk::Reactor& reactor() { return *owned; }

    Calls calls;
    int endsExpected = 2;
    bool timedOut = false;
    Side server{*this, "server"};
    Side client{*this, "client"};
    std::shared_ptr<ropewalk::Port> port;
    std::shared_ptr<ropewalk::Connector> connector;
    std::unique_ptr<ropewalk::Reactor> owned = std::make_unique<ropewalk::Reactor>();
};

class Peer : public ropewalk::Protocol, public std::enable_shared_from_this<Peer> {
public:
    explicit Peer(Side& theSide) : side(theSide) {}

    void connectionMade() override {
        side.world.log(side, "connectionMade");
        side.made(*this);
    }
    void dataReceived(std::string_view data) override {
        checkAlive("data");
        CHECK_FALSE(data.empty());
        received += data;
        reads.push_back(data.size());
        if (side.writesBack) {
            transport->write(data);
        }
        side.data(*this, data);
    }
    void connectionLost(const ropewalk::Failure& theReason) override {
        checkAlive("connectionLost");
        reason = theReason;
        ++side.losses;
        side.world.log(side, "connectionLost " + kindOf(theReason));
        side.world.ended();
        side.lost(*this);
    }

    Side& side;
    std::string received;
    std::vector<std::size_t> reads;
    std::optional<ropewalk::Failure> reason;

protected:
    void checkAlive(const char* what) const {
        CHECK_MESSAGE(!reason.has_value(), side.name, ": ", what, " after connectionLost");
    }
};

class HalfPeer final : public Peer, public ropewalk::IHalfCloseableProtocol {
public:
    using Peer::Peer;

    void readConnectionLost() override {
        checkAlive("readConnectionLost");
        side.world.log(side, "readConnectionLost");
        side.readLost(*this);
    }
    void writeConnectionLost() override {
        checkAlive("writeConnectionLost");
        side.world.log(side, "writeConnectionLost");
        side.writeLost(*this);
    }
};

class SideFactory final : public ropewalk::ClientFactory {
public:
    explicit SideFactory(Side& side) : side_(side) { noisy = false; }

    void startFactory() override {
        side_.world.log(side_, "startFactory");
        side_.starting();
    }
    void stopFactory() override {
        side_.world.log(side_, "stopFactory");
        side_.stopping();
    }
    void startedConnecting(ropewalk::Connector& connector) override {
        side_.world.log(side_, "startedConnecting");
        side_.connecting(connector);
    }
    std::shared_ptr<ropewalk::Protocol> buildProtocol(const ropewalk::Address& peer) override {
        side_.world.log(side_, "buildProtocol");
        side_.building(peer);
        if (side_.refuses) {
            return nullptr;
        }
        auto made = side_.halfCloseable ? std::make_shared<HalfPeer>(side_) : std::make_shared<Peer>(side_);
        side_.peers.push_back(made);
        return made;
    }
    void clientConnectionFailed(ropewalk::Connector& connector, const ropewalk::Failure& reason) override {
        side_.world.log(side_, "clientConnectionFailed " + kindOf(reason));
        side_.reason = reason;
        side_.failed(connector, reason);
    }
    void clientConnectionLost(ropewalk::Connector& connector, const ropewalk::Failure& reason) override {
        side_.world.log(side_, "clientConnectionLost " + kindOf(reason));
        side_.reason = reason;
        side_.clientLost(connector, reason);
    }

private:
    Side& side_;
};

inline std::shared_ptr<ropewalk::Factory> World::serverFactory() {
    const auto made = std::make_shared<SideFactory>(server);
    server.factoryItself = made;
    return made;
}
inline std::shared_ptr<ropewalk::ClientFactory> World::clientFactory() {
    const auto made = std::make_shared<SideFactory>(client);
    client.factoryItself = made;
    return made;
}

/// A producer with hooks, which holds nothing.
class TestProducer final : public ropewalk::Producer {
public:
    void resumeProducing() override {
        calls.push_back("resume");
        resumed(*this);
    }
    void pauseProducing() override {
        calls.push_back("pause");
        paused(*this);
    }
    void stopProducing() override {
        calls.push_back("stop");
        stopped(*this);
    }

    Calls calls;
    std::function<void(TestProducer&)> resumed = [](TestProducer&) {};
    std::function<void(TestProducer&)> paused = [](TestProducer&) {};
    std::function<void(TestProducer&)> stopped = [](TestProducer&) {};
};

} // namespace tcp
