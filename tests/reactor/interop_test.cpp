// labels: long
// timeout: 300
#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::World;

namespace {

// A server that echoes, or answers to "!" with a reset, or to "." with a close; it prints its port. Or a client
// that sends so many bytes, waits until they are back, and closes or resets; it prints "done" when all were right.
const char* const twistedProgram = R"(
import sys
from twisted.internet import protocol, reactor

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        if data == b'!':
            self.transport.abortConnection()
        elif data == b'.':
            self.transport.loseConnection()
        else:
            self.transport.write(data)

class Sender(protocol.Protocol):
    def connectionMade(self):
        self.size, self.end, self.got = int(sys.argv[3]), sys.argv[4], 0
        self.data = bytes(i * 7 % 251 for i in range(1000)) * (self.size // 1000 + 1)
        self.transport.write(self.data[:self.size])
    def dataReceived(self, data):
        if data != self.data[self.got:self.got + len(data)]:
            self.transport.abortConnection()
        self.got += len(data)
        if self.got == self.size:
            sys.stdout.write('done')
            sys.stdout.flush()
            if self.end == 'reset':
                self.transport.abortConnection()
            else:
                self.transport.loseConnection()
    def connectionLost(self, reason):
        reactor.stop()

if sys.argv[1] == 'server':
    factory = protocol.Factory()
    factory.protocol = Echo
    port = reactor.listenTCP(0, factory, interface='127.0.0.1')
    sys.stdout.write('%d\n' % port.getHost().port)
    sys.stdout.flush()
else:
    factory = protocol.ClientFactory()
    factory.protocol = Sender
    factory.clientConnectionFailed = lambda connector, reason: reactor.stop()
    reactor.connectTCP('127.0.0.1', int(sys.argv[2]), factory)
reactor.callLater(60, reactor.stop)
reactor.run()
)";

/// Another program, with its output in a pipe.
class Program {
public:
    explicit Program(const std::vector<std::string>& words) {
        std::vector<char*> arguments;
        for (const std::string& word : words) {
            arguments.push_back(const_cast<char*>(word.c_str()));
        }
        arguments.push_back(nullptr);
        int ends[2];
        REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
        child_ = fork();
        if (child_ == 0) {
            dup2(ends[1], STDOUT_FILENO);
            execvp(arguments[0], arguments.data());
            _exit(127);
        }
        close(ends[1]);
        output_ = ends[0];
    }
    ~Program() {
        close(output_);
        if (child_ > 0) {
            kill(child_, SIGKILL);
            waitpid(child_, nullptr, 0);
        }
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    std::string line() {
        std::string text;
        for (char c = 0; ::read(output_, &c, 1) == 1 && c != '\n';) {
            text += c;
        }
        return text;
    }
    int wait() {
        int status = 0;
        waitpid(std::exchange(child_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t child_ = -1;
    int output_ = -1;
};

bool isThere(const std::string& command, const std::string& package) {
    if (std::system((command + " >/dev/null 2>&1").c_str()) == 0) {
        return true;
    }
    MESSAGE("SKIPPED: " << package << " is not installed");
    return false;
}

// Debian's, which has what Debian's packages bring.
const std::string python = "/usr/bin/python3";

bool hasTwisted() {
    return isThere(python + " -c 'import twisted.internet.reactor'", "python3-twisted");
}

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>(i % 1000 * 7 % 251);
    }
    return text;
}

/// Our client sends `size` bytes, in pieces, and waits for all of them; then `last` and for the end.
void echoFrom(int port, std::size_t size, const std::string& last, const std::string& expectedEnd) {
    World world;
    world.endsExpected = 1;
    const std::string sent = pattern(size);
    world.client.made = [&](Peer& self) {
        for (std::size_t at = 0; at < sent.size(); at += 70001) {
            self.transport->write(std::string_view(sent).substr(at, 70001));
        }
    };
    world.client.data = [&](Peer& self, std::string_view) {
        if (self.received.size() == sent.size()) {
            if (last.empty()) {
                self.transport->loseConnection();
            } else {
                self.transport->write(last);
            }
        }
    };
    world.connector = world.reactor().connectTCP("127.0.0.1", port, world.clientFactory());
    world.run(60s);
    REQUIRE(world.client.peers.size() == 1);
    CHECK((world.client.peers[0]->received == sent));
    CHECK(world.called("client connectionLost " + expectedEnd));
}

} // namespace

TEST_CASE("our client and Twisted's server: small, 10 MB, and both kinds of end") {
    if (!hasTwisted()) {
        return;
    }
    Program server({python, "-c", twistedProgram, "server"});
    const int port = std::atoi(server.line().c_str());
    REQUIRE(port > 0);
    for (const std::size_t size : {5U, 10'000'000U}) {
        CAPTURE(size);
        echoFrom(port, size, "", "ConnectionDone");
        echoFrom(port, size, ".", "ConnectionDone");
        echoFrom(port, size, "!", "ConnectionLost");
    }
}

TEST_CASE("Twisted's client and our server: small, 10 MB, and both kinds of end") {
    if (!hasTwisted()) {
        return;
    }
    for (const char* size : {"5", "10000000"}) {
        for (const char* end : {"close", "reset"}) {
            CAPTURE(size);
            CAPTURE(end);
            World world;
            world.endsExpected = 1;
            world.server.writesBack = true;
            world.listen();
            Program client({python, "-c", twistedProgram, "client",
                            std::to_string(world.port->getHost().port()), size, end});
            world.run(60s);
            CHECK(client.line() == "done");
            CHECK(client.wait() == 0);
            CHECK(world.server.losses == 1);
            CHECK(world.called(std::string(end) == "close" ? "server connectionLost ConnectionDone"
                                                           : "server connectionLost ConnectionLost"));
        }
    }
}

TEST_CASE("socat as a client that ends its data and waits for ours") {
    if (!isThere("socat -V", "socat")) {
        return;
    }
    const std::string file =
        std::filesystem::temp_directory_path() / ("ropewalk-" + std::to_string(getpid()));
    std::ofstream(file) << pattern(10'000'000);
    World world;
    world.endsExpected = 1;
    world.server.halfCloseable = true;
    world.server.readLost = [](Peer& self) {
        self.transport->write("got " + std::to_string(self.received.size()) + "\n");
        self.transport->loseConnection();
    };
    world.listen();
    Program socat({"socat", "-t", "30", "OPEN:" + file + ",rdonly!!STDOUT",
                   "TCP:127.0.0.1:" + std::to_string(world.port->getHost().port())});
    world.run(60s);
    CHECK(socat.line() == "got 10000000");
    CHECK((world.server.peers[0]->received == pattern(10'000'000)));
    CHECK(world.called("server connectionLost ConnectionDone"));
    std::filesystem::remove(file);
}

TEST_CASE("socat as a server that sends a file") {
    if (!isThere("socat -V", "socat")) {
        return;
    }
    // socat chooses no port by itself, so a port of ours was free just now.
    int port = 0;
    {
        World world;
        world.listen();
        port = world.port->getHost().port();
    }
    Program socat({"socat", "-u", "SYSTEM:head -c 3000000 /dev/zero",
                   "TCP-LISTEN:" + std::to_string(port) + ",bind=127.0.0.1,reuseaddr"});
    World world;
    world.endsExpected = 1;
    world.client.failed = [&](ropewalk::Connector& connector, const ropewalk::Failure&) {
        world.reactor().callLater(20ms, [again = connector.shared_from_this()] { again->connect(); });
    };
    world.connector = world.reactor().connectTCP("127.0.0.1", port, world.clientFactory());
    world.run(60s);
    REQUIRE(world.client.peers.size() == 1);
    CHECK(world.client.peers[0]->received.size() == 3'000'000);
    CHECK(world.called("client connectionLost ConnectionDone"));
    CHECK(socat.wait() == 0);
}
