// The main of a fuzz target in an ordinary build: runs it over the files that are named, and over what a change
// of a byte makes of the small ones.
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

void run(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const unsigned char*>(input.data()), input.size());
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FILE…\n", argv[0]);
        return 2;
    }
    int inputs = 0;
    for (int i = 1; i < argc; ++i) {
        std::ifstream file(argv[i], std::ios::binary);
        if (!file) {
            std::fprintf(stderr, "%s: can't be read\n", argv[i]);
            return 1;
        }
        std::string input((std::istreambuf_iterator<char>(file)), {});
        run(input);
        const std::size_t changed = input.size() < 400 ? input.size() : 0;
        for (std::size_t at = 0; at < changed; ++at) {
            const char original = input[at];
            for (const char other : {'\n', '0', 'r', '\xFF'}) {
                input[at] = other;
                run(input);
            }
            input[at] = original;
        }
        inputs += 1 + 4 * static_cast<int>(changed);
    }
    std::printf("%d inputs\n", inputs);
    return 0;
}
