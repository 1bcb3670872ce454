#include <ropewalk/defer/frame.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>

#include <ropewalk/defer/names.hpp>

namespace ropewalk::defer::detail {

namespace {

struct FrameHeader {
    void* frame;
    std::size_t size;
};
static_assert(sizeof(FrameHeader) == 16);

FrameHeader* headerOf(void* frame) noexcept {
    return static_cast<FrameHeader*>(frame) - 1;
}

} // namespace

void* Frame::operator new(std::size_t size) {
    auto* header = static_cast<FrameHeader*>(::operator new(sizeof(FrameHeader) + size));
    header->frame = header + 1;
    header->size = size;
    return header + 1;
}

void Frame::operator delete(void* frame, std::size_t) noexcept {
    ::operator delete(headerOf(frame));
}

bool liesInFrame(void* frame, const void* address) noexcept {
    const auto* begin = static_cast<const char*>(frame);
    const auto* at = static_cast<const char*>(address);
    return !std::less<>{}(at, begin) && std::less<>{}(at, begin + headerOf(frame)->size);
}

[[gnu::no_sanitize_address, gnu::noinline]] void checkFrame(void* frame, std::source_location began) {
    if (headerOf(frame)->frame != frame) {
        frameIsWrong(began);
    }
}

void frameIsWrong(std::source_location began) {
    std::fprintf(
        stderr,
        "%s:%u: the compiler laid out the frame of the coroutine %s wrongly (a fault of GCC 12: an if, while, switch or do "
        "awaits a temporary directly). Name the result first: if (auto ok = co_await f())\n",
        began.file_name(), static_cast<unsigned>(began.line()), functionName(began).c_str());
    std::abort();
}

} // namespace ropewalk::defer::detail
