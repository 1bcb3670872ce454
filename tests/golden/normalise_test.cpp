#include "normalise.hpp"

#include <doctest/doctest.h>
#include <string>
#include <string_view>
#include <vector>

namespace {

using golden::normalise;
using Lines = std::vector<std::string>;

void sameForm(std::string_view python, std::string_view cpp, const Lines& form) {
    CHECK(normalise(python) == form);
    CHECK(normalise(cpp) == form);
}

TEST_CASE("a failure is its class and message, whatever lies on its way") {
    sameForm("got error: [Failure instance: Traceback: <class 'Exception'>: uh oh\n"
             "<path>/twisted/internet/defer.py:<line>:callback\n"
             "--- <exception caught here> ---\n"
             "<path>/inline-callbacks/inline-callbacks-2.py:<line>:my_callbacks_err\n"
             "]\n"
             "all done\n",
             "got error: [Failure instance: Traceback: <class 'ropewalk::Exception'>: uh oh\n"
             "examples/inline_callbacks/inline_callbacks_2.cpp:31:myCallbacksErr\n"
             "... 7 more ...\n"
             "examples/inline_callbacks/inline_callbacks_2.cpp:44:runCallbacks\n"
             "]\n"
             "all done\n",
             {"got error: [Failure: Exception: uh oh]", "all done"});
    sameForm("[Failure instance: Traceback (failure with no frames): "
             "<class 'twisted.internet.defer.CancelledError'>: \n]\n",
             "[Failure instance: Traceback: <class 'ropewalk::defer::CancelledError'>: \n]\n",
             {"[Failure: CancelledError: ]"});
}

TEST_CASE("a failure's message keeps its lines, and what follows the failure stays") {
    CHECK(normalise("a [Failure instance: Traceback: <class 'E'>: one\ntwo\nx.py:3:f\n] b\n") ==
          Lines{"a [Failure: E: one\\ntwo] b"});
}

TEST_CASE("the repr of a failure is its class and message, also in a list") {
    sameForm(
        "We got: [(False, <twisted.python.failure.Failure builtins.Exception: d2: bad>), "
        "(False, <twisted.python.failure.Failure a.B: >)]\n",
        "We got: [(False, <ropewalk::Failure ropewalk::Exception: d2: bad>), (False, <ropewalk::Failure a::B: >)]\n",
        {"We got: [(False, [Failure: Exception: d2: bad]), (False, [Failure: B: ])]"});
}

TEST_CASE("a traceback is its class and message") {
    sameForm("Unhandled error in Deferred:\n"
             "\n"
             "Traceback (most recent call last):\n"
             "  File \"<path>/twisted-deferred/defer-unhandled.py\", line <line>, in <module>\n"
             "    <source>\n"
             "--- <exception caught here> ---\n"
             "  File \"<path>/twisted-deferred/defer-unhandled.py\", line <line>, in callback\n"
             "    <source>\n"
             "builtins.Exception: oops\n"
             "\n",
             "Unhandled error in Deferred:\n"
             "\n"
             "Traceback (most recent call last):\n"
             "  File \"examples/twisted_intro/deferred_defer_unhandled.cpp\", line 12, in callback\n"
             "  ... 3 more ...\n"
             "ropewalk::Exception: oops\n"
             "\n",
             {"Unhandled error in Deferred:", "", "Traceback: Exception: oops", ""});
    sameForm("Traceback (most recent call last):\nFailure: twisted.internet.defer.CancelledError: \n\n",
             "Traceback (most recent call last):\nropewalk::defer::CancelledError: \n\n",
             {"Traceback: CancelledError", ""});
    sameForm(
        "Traceback (most recent call last):\n  File \"<path>/a.py\", line <line>, in f\ntwisted.a.AlreadyCalledError\n",
        "Traceback (most recent call last):\nropewalk::defer::AlreadyCalledError\n",
        {"Traceback: AlreadyCalledError"});
}

TEST_CASE("a traceback in a log keeps its indentation, and a line of the log loses its time") {
    sameForm("<time> [-] Unhandled Error\n"
             "\tTraceback (most recent call last):\n"
             "\t  File \"<path>/log.py\", line <line>, in <module>\n"
             "\tbuiltins.NameError: name 'xxx' is not defined\n"
             "\t\n",
             "2031-02-03 04:05:06+0100 [-] Unhandled Error\n"
             "\tTraceback (most recent call last):\n"
             "\tropewalk::NameError: name 'xxx' is not defined\n"
             "\t\n",
             {"<time> [-] Unhandled Error", "\tTraceback: NameError: name 'xxx' is not defined", "\t"});
}

TEST_CASE("a class is the last component of its name") {
    sameForm("<class 'twisted.python.failure.Failure'>\n", "<class 'ropewalk::Failure'>\n",
             {"<class 'Failure'>"});
    sameForm("<class '__main__.RhymeSchemeViolation'>\n", "<class 'RhymeSchemeViolation'>\n",
             {"<class 'RhymeSchemeViolation'>"});
}

TEST_CASE("functions, addresses and ports are left out") {
    sameForm("calling <function foo at 0x7f01>\n", "calling <function foo at <addr>>\n", {"calling <…>"});
    CHECK(normalise("<bound method Poem.got of <Poem object at 0x7f01>>!\n") == Lines{"<…>!"});
    sameForm("cancel <Deferred at <addr>>\n", "cancel <Deferred at 0x7ffD3a>\n",
             {"cancel <Deferred at <…>>"});
    sameForm("IPv4Address(type='TCP', host='127.0.0.1', port=10001)\n",
             "IPv4Address(type='TCP', host='127.0.0.1', port=40123)\n",
             {"IPv4Address(type='TCP', host='127.0.0.1', port=<…>)"});
    sameForm("on port 10000. from 127.0.0.1:<port> ('127.0.0.1', 10001)\n",
             "on port 5. from 127.0.0.1:33333 ('127.0.0.1', 44444)\n",
             {"on port <…>. from 127.0.0.1:<…> ('127.0.0.1', <…>)"});
}

TEST_CASE("what is in form stays as it is") {
    for (const std::string line : {"[Failure: IOError: lost]", "Traceback: Exception: oops", "port=<…>",
                                   "<time> [-] x", "", "  two  spaces ", "10 got 5 bytes"}) {
        CHECK(normalise(line + "\n") == Lines{line});
    }
}

TEST_CASE("no difference that matters is lost") {
    CHECK(normalise("<class 'a.B'>\n") != normalise("<class 'a.C'>\n"));
    CHECK(normalise("[Failure instance: Traceback: <class 'E'>: one\n]\n") !=
          normalise("[Failure instance: Traceback: <class 'E'>: two\n]\n"));
    CHECK(normalise("Traceback (most recent call last):\nE: one\n") !=
          normalise("Traceback (most recent call last):\nE: two\n"));
    CHECK(normalise("Traceback (most recent call last):\nE\n") !=
          normalise("Traceback (most recent call last):\nF\n"));
    CHECK(normalise("a\n") != normalise("a\n\n"));
    CHECK(normalise("a\n") != normalise("a"));
    CHECK(normalise("a\n") != normalise("a \n"));
    CHECK(normalise("") != normalise("\n"));
    CHECK(normalise("in 5 seconds\n") != normalise("in 6 seconds\n"));
}

TEST_CASE("an unfinished failure or traceback stays as it was printed") {
    CHECK(normalise("[Failure instance: Traceback: <class 'E'>: one\nrest\n").size() == 2);
    CHECK(normalise("Traceback (most recent call last):\n  File \"x\", line 1, in f\n").size() == 2);
}

} // namespace
