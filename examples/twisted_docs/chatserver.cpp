// The most basic chat: a line that anyone sends goes to everyone. Connect to its port, 1025 if no other is given, with
// some clients of telnet at a time. After core/examples/chatserver.py.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/protocols/line_receiver.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace protocols = ropewalk::protocols;

using python::print;

struct ChatFactory;

struct MyChat : protocols::LineReceiver {
    void connectionMade() override;
    void connectionLost(const ropewalk::Failure&) override;
    void lineReceived(std::string_view line) override;

    void message(std::string_view text) { transport->write(std::string(text) + "\n"); }

    ChatFactory* factory = nullptr;
};

struct ChatFactory : ropewalk::ServerFactoryOf<MyChat> {
    std::vector<MyChat*> clients;
};

void MyChat::connectionMade() {
    print("Got new client!");
    factory->clients.push_back(this);
}

void MyChat::connectionLost(const ropewalk::Failure&) {
    print("Lost a client!");
    std::erase(factory->clients, this);
}

void MyChat::lineReceived(std::string_view line) {
    print("received", "b" + python::repr(line));
    for (MyChat* c : factory->clients) {
        c->message(line);
    }
}

int main(int argc, char* argv[]) try {
    python::OptionParser parser("%prog [options]\n");
    parser.addOption("--port", "The port to listen on.", "1025");
    parser.addOption("--iface", "The interface to listen on. Default: all.");
    parser.parse(argc, argv);

    auto& reactor = ropewalk::reactor();

    auto port = reactor.listenTCP(parser.number("--port"), std::make_shared<ChatFactory>(),
                                  {.interface = parser.text("--iface")});

    print("Chatting on " + str(port->getHost()) + ".");

    reactor.run();
} catch (...) {
    return python::uncaught();
}
