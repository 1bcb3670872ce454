// How long a program takes that starts a reactor, runs it once and exits: examples/own/hello_reactor.cpp, as a process.
#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

namespace {

void helloReactor(benchmark::State& state) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    char path[] = HELLO_REACTOR;
    char* arguments[] = {path, nullptr};
    char* environment[] = {nullptr};
    for (auto _ : state) {
        pid_t child = 0;
        int status = 0;
        if (posix_spawn(&child, path, &actions, nullptr, arguments, environment) != 0 ||
            waitpid(child, &status, 0) != child || status != 0) {
            state.SkipWithError("hello_reactor did not run");
            break;
        }
    }
    posix_spawn_file_actions_destroy(&actions);
}

BENCHMARK(helloReactor)->Unit(benchmark::kMillisecond)->UseRealTime();

} // namespace
