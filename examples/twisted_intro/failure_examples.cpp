// A few things about Failures.
// Most of them are made by ropewalk itself.
// After twisted-failure/failure-examples.py.

#include "python_text.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/failure.hpp>

#include <string_view>

using python::print;
using ropewalk::Failure;

class RhymeSchemeViolation : public ropewalk::Exception {};

void analyzePoem(std::string_view) {
    throw RhymeSchemeViolation();
}

int main() {
    print("Just making an exception:");
    print();

    RhymeSchemeViolation e;

    Failure failure(e);

    // It knows where it was made, and nothing of a way there
    print(failure);

    print();
    print();

    print("Catching an exception:");
    print();

    try {
        analyzePoem(R"(Roses are red.
Violets are violet.
That's why they're called Violets.
Duh.
)");
    } catch (...) {
        failure = Failure();
    }

    // This one holds the exception, and where it was caught
    print(failure);
}
