#include <ropewalk/reactor/connection_errors.hpp>

#include <cerrno>

namespace ropewalk {

namespace {

std::string sentence(std::string_view kind, std::error_code code, std::string_view message) {
    std::string text(kind);
    if (code) {
        text += ": " + std::to_string(code.value());
    }
    if (!message.empty()) {
        text += ": ";
        text += message;
    } else if (code) {
        text += ": " + code.message();
    }
    return text += '.';
}

std::string systemError(std::error_code code) {
    return "[Errno " + std::to_string(code.value()) + "] " + code.message();
}

} // namespace

BindError::BindError(std::error_code code, std::string_view message)
    : Exception(sentence("An error occurred binding to an interface", code, message)), code_(code) {}

CannotListenError::CannotListenError(std::string_view interface, int port, std::error_code socketError)
    : BindError(socketError, Whole{"Couldn't listen on " +
                                   std::string(interface.empty() ? std::string_view("any") : interface) +
                                   ":" + std::to_string(port) + ": " + systemError(socketError) + "."}),
      interface_(std::string(interface)),
      port_(port) {}

CannotListenError::CannotListenError(std::string_view path, std::error_code socketError)
    : BindError(socketError,
                Whole{"Couldn't listen on " + std::string(path) + ": " + systemError(socketError) + "."}),
      interface_(std::string(path)),
      port_(0) {}

ConnectError::ConnectError(const char* kind, std::error_code code, std::string_view message)
    : Exception(sentence(kind, code, message)), code_(code) {}

std::exception_ptr getConnectError(std::error_code code) {
    if (code.category() == std::system_category() || code.category() == std::generic_category()) {
        switch (code.value()) {
            case ENETUNREACH:
                return std::make_exception_ptr(NoRouteError(code));
            case ECONNREFUSED:
                return std::make_exception_ptr(ConnectionRefusedError(code));
            case ETIMEDOUT:
                return std::make_exception_ptr(TCPTimedOutError(code));
            default:
                break;
        }
    }
    return std::make_exception_ptr(ConnectError(code));
}

ConnectionClosed::ConnectionClosed(const char* kind, std::error_code code, std::string_view message)
    : Exception(sentence(kind, code, message)), code_(code) {}

DNSLookupError::DNSLookupError(std::error_code code, std::string_view message)
    : IOError(code ? code : std::make_error_code(std::errc::io_error),
              sentence("DNS lookup failed", {},
                       message.empty() && code ? code.message() : std::string(message))) {}

} // namespace ropewalk
