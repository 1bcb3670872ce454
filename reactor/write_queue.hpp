#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// What waits to be sent.
namespace ropewalk::detail {

/// A stretch of bytes in a queue.
struct WriteBlock {
    WriteBlock* next = nullptr;
    std::string_view data; // what is still to be sent
    bool isRoom = false;   // a RoomBlock
};

/// One with room for small writes.
struct RoomBlock : WriteBlock {
    static constexpr std::size_t room = 2048 - 64;

    RoomBlock() noexcept { isRoom = true; }

    char* end() noexcept { return bytes + room; }

    char bytes[room];
};

/// One that has taken over a string.
struct TextBlock : WriteBlock {
    std::string text;
};

/// A reactor's blocks that are not in use: an idle connection has none.
class WriteBlocks {
public:
    WriteBlocks() = default;
    WriteBlocks(const WriteBlocks&) = delete;
    WriteBlocks& operator=(const WriteBlocks&) = delete;
    ~WriteBlocks();

    RoomBlock* takeRoom();
    /// With the text, for which the caller gets the memory of an older one: to write it anew costs no allocation.
    TextBlock* takeText(std::string&& text);
    void giveBack(RoomBlock* block) noexcept;
    void giveBack(TextBlock* block) noexcept;

private:
    // Two megabytes of either kind; large texts are rare, and would end up with those who write little.
    static constexpr std::size_t mostRooms = 1024;
    static constexpr std::size_t mostText = std::size_t{2} << 20;
    static constexpr std::size_t largestText = 16384;

    WriteBlock* rooms_ = nullptr;
    WriteBlock* texts_ = nullptr;
    std::size_t roomCount_ = 0;
    std::size_t textSize_ = 0; // of the texts' memory
};

/// Bytes in the order in which they were written: small ones copied one after another into blocks, large ones
/// in strings of their own.
class WriteQueue {
public:
    explicit WriteQueue(WriteBlocks& blocks) noexcept : blocks_(&blocks) {}
    WriteQueue(const WriteQueue&) = delete;
    WriteQueue& operator=(const WriteQueue&) = delete;
    ~WriteQueue() { clear(); }

    std::size_t size() const noexcept { return size_; }

    void append(std::string_view data);
    void append(std::string&& data);
    /// Where the room begins. Only while the last block has room.
    const char* end() const noexcept { return last_->data.data() + last_->data.size(); }
    /// The room behind what was appended last, for up to `most` bytes; `room.size()` may be 0.
    std::span<char> room(std::size_t most) noexcept;
    /// So many bytes of the room were used.
    void used(std::size_t count) noexcept;

    /// Whether there is one part at most, and that part.
    bool isSinglePart() const noexcept { return first_ == last_; }
    std::string_view firstPart() const noexcept { return first_->data.substr(0, largestPart); }
    /// The first bytes, in as many parts as there are and fit; returns their number.
    std::size_t front(std::span<std::string_view> parts) const noexcept;
    /// Takes so many bytes away.
    void remove(std::size_t count) noexcept;
    void clear() noexcept {
        if (first_ != nullptr) {
            remove(size_);
        }
    }

private:
    // libuv counts a part's bytes with 32 bits.
    static constexpr std::size_t largestPart = std::size_t{1} << 30;

    void push(WriteBlock* block) noexcept;
    void pop() noexcept;

    WriteBlocks* blocks_;
    WriteBlock* first_ = nullptr;
    WriteBlock* last_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace ropewalk::detail
