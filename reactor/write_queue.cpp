#include <ropewalk/reactor/write_queue.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace ropewalk::detail {

WriteBlocks::~WriteBlocks() {
    while (rooms_ != nullptr) {
        delete static_cast<RoomBlock*>(std::exchange(rooms_, rooms_->next));
    }
    while (texts_ != nullptr) {
        delete static_cast<TextBlock*>(std::exchange(texts_, texts_->next));
    }
}

RoomBlock* WriteBlocks::takeRoom() {
    RoomBlock* block = nullptr;
    if (rooms_ != nullptr) {
        block = static_cast<RoomBlock*>(std::exchange(rooms_, rooms_->next));
        --roomCount_;
    } else {
        block = new RoomBlock;
    }
    block->next = nullptr;
    block->data = {block->bytes, block->bytes};
    return block;
}

TextBlock* WriteBlocks::takeText(std::string&& text) {
    TextBlock* block = nullptr;
    if (texts_ != nullptr) {
        block = static_cast<TextBlock*>(std::exchange(texts_, texts_->next));
        textSize_ -= block->text.capacity();
    } else {
        block = new TextBlock;
    }
    block->next = nullptr;
    block->text.swap(text);
    block->data = block->text;
    return block;
}

void WriteBlocks::giveBack(RoomBlock* block) noexcept {
    if (roomCount_ == mostRooms) {
        delete block;
        return;
    }
    block->next = std::exchange(rooms_, block);
    ++roomCount_;
}

void WriteBlocks::giveBack(TextBlock* block) noexcept {
    const std::size_t size = block->text.capacity();
    if (size > largestText || textSize_ + size > mostText) {
        delete block;
        return;
    }
    block->text.clear();
    block->next = std::exchange(texts_, block);
    textSize_ += size;
}

void WriteQueue::push(WriteBlock* block) noexcept {
    (last_ != nullptr ? last_->next : first_) = block;
    last_ = block;
}

void WriteQueue::append(std::string_view data) {
    if (const std::span<char> rest = room(data.size()); !rest.empty()) {
        std::memcpy(rest.data(), data.data(), rest.size());
        used(rest.size());
        data.remove_prefix(rest.size());
    }
    if (data.size() > RoomBlock::room) {
        append(std::string(data));
    } else if (!data.empty()) {
        RoomBlock* block = blocks_->takeRoom();
        push(block);
        std::memcpy(block->bytes, data.data(), data.size());
        used(data.size());
    }
}

void WriteQueue::append(std::string&& data) {
    if (data.empty()) {
        return;
    }
    TextBlock* block = blocks_->takeText(std::move(data));
    push(block);
    size_ += block->data.size();
}

std::span<char> WriteQueue::room(std::size_t most) noexcept {
    if (last_ == nullptr || !last_->isRoom) {
        return {};
    }
    auto& block = static_cast<RoomBlock&>(*last_);
    char* const begin = block.bytes + (block.data.data() - block.bytes) + block.data.size();
    return {begin, std::min(most, static_cast<std::size_t>(block.end() - begin))};
}

void WriteQueue::used(std::size_t count) noexcept {
    if (count != 0) {
        last_->data = std::string_view(last_->data.data(), last_->data.size() + count);
        size_ += count;
    }
}

std::size_t WriteQueue::front(std::span<std::string_view> parts) const noexcept {
    std::size_t count = 0;
    for (const WriteBlock* block = first_; block != nullptr && count < parts.size(); block = block->next) {
        parts[count++] = block->data.substr(0, largestPart);
        if (block->data.size() > largestPart) {
            break;
        }
    }
    return count;
}

void WriteQueue::remove(std::size_t count) noexcept {
    size_ -= count;
    while (first_ != nullptr && count >= first_->data.size()) {
        count -= first_->data.size();
        pop();
    }
    if (count != 0) {
        first_->data.remove_prefix(count);
    }
}

void WriteQueue::pop() noexcept {
    WriteBlock* const block = std::exchange(first_, first_->next);
    if (first_ == nullptr) {
        last_ = nullptr;
    }
    if (block->isRoom) {
        blocks_->giveBack(static_cast<RoomBlock*>(block));
    } else {
        blocks_->giveBack(static_cast<TextBlock*>(block));
    }
}

} // namespace ropewalk::detail
