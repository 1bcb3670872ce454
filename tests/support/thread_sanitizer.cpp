/// What the thread sanitizer should leave out: libuv closes descriptors behind its back, so that it takes the
/// next use of the same number, in another thread, for a race.
extern "C" const char* __tsan_default_suppressions() {
    return "called_from_lib:libuv.so\n";
}
