#pragma once

#include "forms.hpp"

#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace forms {

/// Runs forms that work with every compiler.
template <std::size_t count>
void runAll(const Form (&all)[count], Ending ending) {
    for (const Form& form : all) {
        CAPTURE(form.name);
        std::string failed;
        const int got = run(form, ending, &failed);
        if (ending != Ending::abandoned) {
            CHECK(got == 7);
            CHECK(failed.empty());
        }
        CHECK(alive == 0);
        CHECK(defer::livingCoroutines().empty());
        defer::flushLoggedErrors<ropewalk::AbandonedError>();
    }
}

} // namespace forms
