#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <ropewalk/defer/errors.hpp>

/// The errors of `twisted.internet.error` that have to do with connections, with Twisted's texts. Those that
/// come from the system carry its error code.
namespace ropewalk {

/// `error.BindError`: an address can't be had.
class BindError : public Exception {
public:
    explicit BindError(std::error_code code = {}, std::string_view message = {});
    std::error_code code() const noexcept { return code_; }

protected:
    struct Whole {
        std::string text;
    };
    BindError(std::error_code code, const Whole& whole) : Exception(whole.text), code_(code) {}

private:
    std::error_code code_;
};

/// `error.CannotListenError`: `Couldn't listen on any:80: [Errno 98] Address already in use.`
class CannotListenError : public BindError {
public:
    /// `interface` is empty for all of them; a UNIX port's path goes in its place, without a port.
    CannotListenError(std::string_view interface, int port, std::error_code socketError);
    CannotListenError(std::string_view path, std::error_code socketError);

    std::string interface() const { return interface_.what(); }
    int port() const noexcept { return port_; }
    std::error_code socketError() const noexcept { return code(); }

private:
    std::runtime_error interface_;
    int port_;
};

/// `error.ConnectError`: no connection came about. The text is Twisted's for the class, the error's number
/// and the given text (the system's own for the code, if none is given).
class ConnectError : public Exception {
public:
    explicit ConnectError(std::error_code code = {}, std::string_view message = {})
        : ConnectError("An error occurred while connecting", code, message) {}

    /// The system's error; zero when it had no part in this.
    std::error_code code() const noexcept { return code_; }

protected:
    ConnectError(const char* kind, std::error_code code, std::string_view message);

private:
    std::error_code code_;
};

/// `error.ConnectBindError`: the address to connect from can't be had.
class ConnectBindError : public ConnectError {
public:
    explicit ConnectBindError(std::error_code code = {}, std::string_view message = {})
        : ConnectError("Couldn't bind", code, message) {}
};

/// `error.UnknownHostError`: the name can't be looked up.
class UnknownHostError : public ConnectError {
public:
    explicit UnknownHostError(std::error_code code = {}, std::string_view message = {})
        : ConnectError("Hostname couldn't be looked up", code, message) {}
};

/// `error.NoRouteError`: ENETUNREACH.
class NoRouteError : public ConnectError {
public:
    explicit NoRouteError(std::error_code code = {}, std::string_view message = {})
        : ConnectError("No route to host", code, message) {}
};

/// `error.ConnectionRefusedError`: ECONNREFUSED.
class ConnectionRefusedError : public ConnectError {
public:
    explicit ConnectionRefusedError(std::error_code code = {}, std::string_view message = {})
        : ConnectError("Connection was refused by other side", code, message) {}
};

/// `error.TCPTimedOutError`: ETIMEDOUT, the system's own time-out.
class TCPTimedOutError : public ConnectError {
public:
    explicit TCPTimedOutError(std::error_code code = {}, std::string_view message = {})
        : ConnectError("TCP connection timed out", code, message) {}
};

/// `error.BadFileError`: the file of a UNIX socket is no good.
class BadFileError : public ConnectError {
public:
    explicit BadFileError(std::error_code code = {}, std::string_view message = {})
        : ConnectError("File used for UNIX socket is no good", code, message) {}
};

/// `error.UserError`: `stopConnecting`.
class UserError : public ConnectError {
public:
    explicit UserError(std::error_code code = {}, std::string_view message = {})
        : ConnectError("User aborted connection", code, message) {}

protected:
    using ConnectError::ConnectError;
};

/// `error.TimeoutError`: the time-out given to `connectTCP` and its like, or to a name look-up, was over.
class TimeoutError : public UserError {
public:
    explicit TimeoutError(std::error_code code = {}, std::string_view message = {})
        : UserError("User timeout caused connection failure", code, message) {}
};

/// `error.getConnectError`: the error of the class that fits the system's.
std::exception_ptr getConnectError(std::error_code code);

/// `error.ConnectionClosed`: there was a connection, and now there is none.
class ConnectionClosed : public Exception {
public:
    /// The system's error; zero when it had no part in this.
    std::error_code code() const noexcept { return code_; }

protected:
    ConnectionClosed(const char* kind, std::error_code code, std::string_view message);

private:
    std::error_code code_;
};

/// `error.ConnectionDone`: closed cleanly, by either side.
class ConnectionDone : public ConnectionClosed {
public:
    explicit ConnectionDone(std::string_view message = {})
        : ConnectionClosed("Connection was closed cleanly", {}, message) {}

protected:
    using ConnectionClosed::ConnectionClosed;
};

/// `error.ConnectionLost`: closed otherwise: reset by the peer, by the system, or by the reactor's end.
class ConnectionLost : public ConnectionClosed {
public:
    explicit ConnectionLost(std::error_code code = {}, std::string_view message = {})
        : ConnectionClosed("Connection to the other side was lost in a non-clean fashion", code, message) {}

protected:
    using ConnectionClosed::ConnectionClosed;
};

/// `error.ConnectionAborted`: by `abortConnection`.
class ConnectionAborted : public ConnectionLost {
public:
    explicit ConnectionAborted(std::string_view message = {})
        : ConnectionLost("Connection was aborted locally using ITCPTransport.abortConnection", {}, message) {}
};

/// `error.DNSLookupError`: a name has no address, or none was found out.
class DNSLookupError : public IOError {
public:
    explicit DNSLookupError(std::error_code code = {}, std::string_view message = {});
};

/// `error.NotConnectingError`: `stopConnecting` on a connector that wasn't connecting.
class NotConnectingError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
    NotConnectingError()
        : RuntimeError("The Connector was not connecting when it was asked to stop connecting.") {}
};

/// `error.NotListeningError`: a port that doesn't listen.
class NotListeningError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
    NotListeningError() : RuntimeError("The Port was not listening when it was asked to stop listening.") {}
};

/// `error.UnsupportedAddressFamily`: a descriptor of a family that can't be adopted.
class UnsupportedAddressFamily : public Exception {
public:
    using Exception::Exception;
};

/// `error.UnsupportedSocketType`: a descriptor that is no socket of the kind that was said.
class UnsupportedSocketType : public Exception {
public:
    using Exception::Exception;
};

} // namespace ropewalk
