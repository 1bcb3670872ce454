#pragma once

#include "forms.hpp"

#include <ropewalk/defer/log_beginner.hpp>

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace forms {

/// The main of a program whose argument names the form to run, or is --list. 0 if the form worked.
template <std::size_t count>
int runNamed(const Form (&all)[count], int argc, char** argv) {
    ropewalk::log::globalLogBeginner().beginLoggingTo({});
    const std::string_view wanted = argc > 1 ? argv[1] : "--list";
    int found = 0;
    int wrong = 0;
    for (const Form& form : all) {
        if (wanted == "--list") std::printf("%s\n", form.name.data());
        if (wanted != form.name) continue;
        ++found;
        for (const Ending ending : {Ending::fired, Ending::firesLater, Ending::abandoned}) {
            // With every compiler, the memory of an exception that waits for its argument is lost with its coroutine.
            if (ending == Ending::abandoned && form.name.starts_with("thrown")) continue;
            std::string failed;
            const int got = run(form, ending, &failed);
            if ((got != 7 && ending != Ending::abandoned) || alive != 0 || !failed.empty()) {
                std::printf("%s: %d, %d objects are left %s\n", form.name.data(), got, alive, failed.c_str());
                ++wrong;
            }
        }
    }
    return wrong != 0 || (found == 0 && wanted != "--list") ? 1 : 0;
}

} // namespace forms
