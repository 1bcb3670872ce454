#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using tcp::Calls;
using tcp::Peer;
using tcp::World;

TEST_CASE("136.1, 136.2, 136.3, 136.4, 136.5: a client's life, in order") {
    World world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.listenAndConnect();
    world.run();
    Calls ofClient;
    for (const std::string& call : world.calls) {
        if (call.starts_with("client ")) {
            ofClient.push_back(call.substr(7));
        }
    }
    CHECK(ofClient == Calls{"startFactory", "startedConnecting", "buildProtocol", "connectionMade",
                            "connectionLost ConnectionDone", "clientConnectionLost ConnectionDone",
                            "stopFactory"});
}

TEST_CASE("136.1: startFactory and startedConnecting come before connectTCP returns") {
    World world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.listenAndConnect();
    CHECK(world.called("client startFactory"));
    CHECK(world.called("client startedConnecting"));
    CHECK_FALSE(world.called("client buildProtocol"));
    CHECK(world.connector->state() == ropewalk::Connector::State::connecting);
    world.run();
    CHECK(world.connector->state() == ropewalk::Connector::State::disconnected);
}

TEST_CASE("a server's life, in order") {
    World world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.listenAndConnect();
    world.run();
    Calls ofServer;
    for (const std::string& call : world.calls) {
        if (call.starts_with("server ")) {
            ofServer.push_back(call.substr(7));
        }
    }
    CHECK(ofServer == Calls{"startFactory", "buildProtocol", "connectionMade",
                            "connectionLost ConnectionDone", "stopFactory"});
}

TEST_CASE("136.6, 136.7: a close on our side sends everything first and is clean on both sides") {
    World world;
    const std::string much(500000, 'x');
    world.client.made = [&](Peer& self) {
        self.transport->write(much);
        self.transport->write("the end");
        self.transport->loseConnection();
        CHECK(self.transport->disconnecting());
        CHECK(self.transport->connected());
    };
    world.listenAndConnect();
    world.run();
    REQUIRE(world.server.peers.size() == 1);
    CHECK(world.server.peers[0]->received == much + "the end");
    CHECK(world.called("client connectionLost ConnectionDone"));
    CHECK(world.called("server connectionLost ConnectionDone"));
    CHECK_FALSE(world.client.peers[0]->transport->connected());
}

TEST_CASE("136.7: a close by the peer is clean, too") {
    World world;
    world.server.made = [](Peer& self) {
        self.transport->write("good bye");
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.client.peers[0]->received == "good bye");
    CHECK(world.called("client connectionLost ConnectionDone"));
    CHECK(world.called("server connectionLost ConnectionDone"));
}

TEST_CASE("nothing is read after loseConnection") {
    World world;
    world.server.made = [](Peer& self) { self.transport->write("hello"); };
    world.client.data = [](Peer& self, std::string_view) {
        self.transport->loseConnection();
        self.transport->resumeProducing();
    };
    world.server.data = [](Peer&, std::string_view) { FAIL("the client wrote nothing"); };
    world.listenAndConnect();
    world.run();
    CHECK(world.client.peers[0]->received == "hello");
}

TEST_CASE("a factory that serves several ports and connectors starts and stops once") {
    World world;
    world.endsExpected = 4;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    const auto factory = world.serverFactory();
    world.port = world.reactor().listenTCP(0, factory, {.interface = "127.0.0.1"});
    const auto second = world.reactor().listenTCP(0, factory, {.interface = "127.0.0.1"});
    CHECK(factory->numPorts == 2);
    const auto client = world.clientFactory();
    for (const auto& port : {world.port, second}) {
        world.reactor().connectTCP("127.0.0.1", port->getHost().port(), client);
    }
    CHECK(client->numPorts == 2);
    world.run();
    for (const char* call :
         {"server startFactory", "server stopFactory", "client startFactory", "client stopFactory"}) {
        CAPTURE(call);
        CHECK(world.count(call) == 1);
    }
    CHECK(world.count("client connectionMade") == 2);
    CHECK(factory->numPorts == 0);
    CHECK(client->numPorts == 0);
}

TEST_CASE("a protocol that isn't made closes the connection cleanly") {
    World world;
    SUBCASE("on the server's side") {
        world.server.refuses = true;
        world.endsExpected = 1;
    }
    SUBCASE("on the client's side") {
        world.client.refuses = true;
        world.endsExpected = 1;
    }
    world.listenAndConnect();
    world.run();
    CHECK(world.called("client clientConnectionLost ConnectionDone"));
    CHECK(world.called(world.client.refuses ? "server connectionLost ConnectionDone"
                                            : "client connectionLost ConnectionDone"));
    CHECK(world.count("client stopFactory") == 1);
}

TEST_CASE("who connects again from clientConnectionLost keeps the factory started") {
    World world;
    world.endsExpected = 6;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    int times = 0;
    world.client.clientLost = [&](ropewalk::Connector& connector, const ropewalk::Failure&) {
        CHECK(connector.state() == ropewalk::Connector::State::disconnected);
        if (++times < 3) {
            connector.connect();
            CHECK(connector.state() == ropewalk::Connector::State::connecting);
        }
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.count("client startFactory") == 1);
    CHECK(world.count("client stopFactory") == 1);
    CHECK(world.count("client startedConnecting") == 3);
    CHECK(world.count("client connectionMade") == 3);
}
