#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

/// How a child process ended, and what it wrote to its standard error.
struct Ended {
    int exitCode = -1; // -1: not by exit
    int signal = 0;
    std::string errors;
};

/// Runs `body` in a child process of its own, which exits with what it returns: static objects are destroyed
/// as at a program's end.
template <class Body>
Ended inChild(Body body) {
    int ends[2];
    if (pipe(ends) != 0) {
        return {};
    }
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        std::freopen("/dev/null", "w", stdout);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        alarm(60);
        std::exit(body());
    }
    close(ends[1]);
    Ended ended;
    char bytes[512];
    for (ssize_t count = 0; (count = read(ends[0], bytes, sizeof bytes)) > 0;) {
        ended.errors.append(bytes, static_cast<std::size_t>(count));
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
        ended.exitCode = WEXITSTATUS(status);
    } else if (WIFSIGNALED(status)) {
        ended.signal = WTERMSIG(status);
    }
    return ended;
}
