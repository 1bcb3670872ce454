#include <ropewalk/reactor/connection_errors.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <ostream>
#include <string>
#include <system_error>

using ropewalk::getConnectError;

namespace {

std::error_code code(int number) {
    return {number, std::system_category()};
}

template <class Error>
const Error* as(const std::exception_ptr& error) {
    static std::exception_ptr kept;
    kept = error;
    try {
        std::rethrow_exception(error);
    } catch (const Error& caught) {
        return &caught;
    } catch (...) {
        return nullptr;
    }
}

} // namespace

TEST_CASE("the texts are Twisted's") {
    using namespace ropewalk;
    CHECK(std::string(ConnectError().what()) == "An error occurred while connecting.");
    CHECK(std::string(ConnectError({}, "mine").what()) == "An error occurred while connecting: mine.");
    CHECK(std::string(ConnectionRefusedError(code(ECONNREFUSED)).what()) ==
          "Connection was refused by other side: 111: Connection refused.");
    CHECK(std::string(ConnectionRefusedError(code(ECONNREFUSED), "mine").what()) ==
          "Connection was refused by other side: 111: mine.");
    CHECK(std::string(TCPTimedOutError().what()) == "TCP connection timed out.");
    CHECK(std::string(NoRouteError().what()) == "No route to host.");
    CHECK(std::string(UnknownHostError().what()) == "Hostname couldn't be looked up.");
    CHECK(std::string(ConnectBindError().what()) == "Couldn't bind.");
    CHECK(std::string(BindError().what()) == "An error occurred binding to an interface.");
    CHECK(std::string(ConnectionDone().what()) == "Connection was closed cleanly.");
    CHECK(std::string(ConnectionDone("mine").what()) == "Connection was closed cleanly: mine.");
    CHECK(std::string(ConnectionLost().what()) ==
          "Connection to the other side was lost in a non-clean fashion.");
    CHECK(std::string(ConnectionLost(code(ECONNRESET)).what()) ==
          "Connection to the other side was lost in a non-clean fashion: 104: Connection reset by peer.");
    CHECK(std::string(ConnectionAborted().what()) ==
          "Connection was aborted locally using ITCPTransport.abortConnection.");
    CHECK(std::string(DNSLookupError().what()) == "DNS lookup failed.");
    CHECK(std::string(DNSLookupError({}, "mine").what()) == "DNS lookup failed: mine.");
    CHECK(std::string(NotConnectingError().what()) ==
          "The Connector was not connecting when it was asked to stop connecting.");
    CHECK(std::string(NotListeningError().what()) ==
          "The Port was not listening when it was asked to stop listening.");
}

TEST_CASE("CannotListenError names the interface, the port and the system's reason") {
    const ropewalk::CannotListenError any("", 80, code(EADDRINUSE));
    CHECK(std::string(any.what()) == "Couldn't listen on any:80: [Errno 98] Address already in use.");
    CHECK(any.interface().empty());
    CHECK(any.port() == 80);
    CHECK(any.socketError() == std::errc::address_in_use);
    const ropewalk::CannotListenError one("192.0.2.1", 81, code(EACCES));
    CHECK(std::string(one.what()) == "Couldn't listen on 192.0.2.1:81: [Errno 13] Permission denied.");
    const ropewalk::CannotListenError path("/run/x", code(EADDRINUSE));
    CHECK(std::string(path.what()) == "Couldn't listen on /run/x: [Errno 98] Address already in use.");
    const ropewalk::CannotListenError copy = one; // NOLINT: copies are what is tested
    CHECK(copy.interface() == "192.0.2.1");
    const ropewalk::BindError& base = copy;
    CHECK(base.code() == std::errc::permission_denied);
}

TEST_CASE("getConnectError chooses the class by the code, and keeps the code") {
    using namespace ropewalk;
    CHECK(as<ConnectionRefusedError>(getConnectError(code(ECONNREFUSED))) != nullptr);
    CHECK(as<NoRouteError>(getConnectError(code(ENETUNREACH))) != nullptr);
    CHECK(as<TCPTimedOutError>(getConnectError(code(ETIMEDOUT))) != nullptr);
    const auto* other = as<ConnectError>(getConnectError(code(EACCES)));
    REQUIRE(other != nullptr);
    CHECK(other->code().value() == EACCES);
    CHECK(as<ConnectionRefusedError>(getConnectError(code(EACCES))) == nullptr);
    CHECK(as<ConnectionRefusedError>(getConnectError(std::make_error_code(std::errc::connection_refused))) !=
          nullptr);
    CHECK(as<ConnectError>(getConnectError(code(ECONNREFUSED)))->code() == std::errc::connection_refused);
}

TEST_CASE("the classes' family is Twisted's") {
    using namespace ropewalk;
    CHECK(std::is_base_of_v<ConnectionClosed, ConnectionDone>);
    CHECK(std::is_base_of_v<ConnectionClosed, ConnectionLost>);
    CHECK(std::is_base_of_v<ConnectionLost, ConnectionAborted>);
    CHECK_FALSE(std::is_base_of_v<ConnectionLost, ConnectionDone>);
    CHECK(std::is_base_of_v<ConnectError, UserError>);
    CHECK(std::is_base_of_v<ConnectError, TimeoutError>);
    CHECK(std::is_base_of_v<ConnectError, ConnectBindError>);
    CHECK(std::is_base_of_v<BindError, CannotListenError>);
    CHECK(std::is_base_of_v<IOError, DNSLookupError>);
}
